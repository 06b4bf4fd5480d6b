# SPDX-License-Identifier: Apache-2.0
"""Pictures from text with PLADIS, sparse cross-attention that makes pre-trained diffusion models follow the prompt better.

    import pladis

    model = pladis.Model("demo")
    picture = model.generate("a large red star above a small blue ring", pladis_scale=2, seed=133)
    picture.save("star.png")
"""
from ._library import library as _lib
from .attention import attention, entmax, pladis_rows
from .errors import (ArgumentError, Cancelled, FileError, FormatError, MissingError, NumericError, OutOfMemoryError, PladisError,
                     UnsupportedError)
from .grid import Grid, grid
from .model import Model, ModelInfo, Progress
from .options import Option, options
from .picture import Picture

__version__ = _lib.pld_version().decode()
__all__ = ["ArgumentError", "Cancelled", "FileError", "FormatError", "Grid", "MissingError", "Model", "ModelInfo", "NumericError", "Option",
           "OutOfMemoryError", "Picture", "PladisError", "Progress", "UnsupportedError", "attention", "entmax", "grid", "options",
           "pladis_rows"]
