# SPDX-License-Identifier: Apache-2.0
"""Softmax and α-entmax of rows: those of the package pladis where it is installed, else of torch_rows.py beside this file, which is a copy."""
try:
    from pladis.torch_rows import dense_and_sparse, wide, without_autocast
except ImportError:
    from .torch_rows import dense_and_sparse, wide, without_autocast

__all__ = ["dense_and_sparse", "wide", "without_autocast"]
