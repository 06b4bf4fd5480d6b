# SPDX-License-Identifier: Apache-2.0
"""PixArt's cross-attention. Its network hands no options on to its attention, so the site is computed here, by its own projections."""
from __future__ import annotations

from typing import Any

import comfy.ldm.modules.attention
import torch

from .attention import Override


def cross_attention(module: Any, override: Override, x: torch.Tensor, cond: torch.Tensor, mask: Any = None) -> torch.Tensor:
    """x [B, L, C] attends to the text `cond`, of which all rows follow each other, [1, B·S, C]."""
    if mask is not None:
        raise NotImplementedError("PLADIS: found a mask in PixArt's cross-attention, expected none")
    k, v = module.kv_linear(cond).view(x.shape[0], -1, 2, x.shape[2]).unbind(2)
    out = override(comfy.ldm.modules.attention.optimized_attention, module.q_linear(x), k, v, module.num_heads)
    return module.proj_drop(module.proj(out))
