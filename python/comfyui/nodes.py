# SPDX-License-Identifier: Apache-2.0
"""The nodes: a model in, a model out."""
from __future__ import annotations

from typing import Any

from .attention import Gag, Pladis
from .sites import Settings, patch

_WHERE = "Where it acts: all; of Stable Diffusion down, mid, up; of transformers numbers and ranges such as 0-9,12 (FLUX: double blocks first)."
_ALPHA = ("FLOAT", {"default": 1.5, "min": 1.05, "max": 2.0, "step": 0.05,
                    "tooltip": "How sparse: towards 1 ordinary attention, 1.5 the paper's, 2 the sparsest (sparsemax)."})
_BLOCKS = ("STRING", {"default": "all", "tooltip": _WHERE})
_START = ("FLOAT", {"default": 0.0, "min": 0.0, "max": 1.0, "step": 0.001, "tooltip": "From here on in the sampling; 0 is its beginning."})
_END = ("FLOAT", {"default": 1.0, "min": 0.0, "max": 1.0, "step": 0.001, "tooltip": "Up to here in the sampling; 1 is its end."})


class PladisNode:
    """PLADIS in the attention to the text."""

    RETURN_TYPES = ("MODEL",)
    FUNCTION = "patch"
    CATEGORY = "advanced/guidance"
    DESCRIPTION = "Sparse cross-attention, which makes a model follow the prompt better, without training or further evaluations."

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        scale = {"default": 2.0, "min": 0.0, "max": 10.0, "step": 0.05,
                 "tooltip": "λ: 0 switches it off, 1 is sparse attention, the paper's is 2. Tag-trained models (Pony, Illustrious) bear less."}
        return {"required": {"model": ("MODEL",), "scale": ("FLOAT", scale), "alpha": _ALPHA, "blocks": _BLOCKS,
                             "start_percent": _START, "end_percent": _END}}

    def patch(self, *, model: Any, scale: float, alpha: float, blocks: str, start_percent: float, end_percent: float) -> tuple[Any]:
        return (patch(model, Settings(Pladis(scale, alpha), start_percent, end_percent), blocks),)


class GagNode:
    """Geometry-aware attention guidance in the attention to the text, in place of PLADIS."""

    RETURN_TYPES = ("MODEL",)
    FUNCTION = "patch"
    CATEGORY = "advanced/guidance"
    EXPERIMENTAL = True
    DESCRIPTION = "Experimental: the sparse output, amplified by the part of its difference from the dense one that lies along it. Replaces PLADIS."

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        scale = {"default": 10.0, "min": 0.0, "max": 100.0, "step": 0.1, "tooltip": "How much of that part is added; 0 is sparse attention."}
        limit = {"default": 15.0, "min": 0.0, "max": 1000.0, "step": 0.1, "tooltip": "η: how long that part may be."}
        return {"required": {"model": ("MODEL",), "scale": ("FLOAT", scale), "limit": ("FLOAT", limit), "alpha": _ALPHA, "blocks": _BLOCKS,
                             "start_percent": _START, "end_percent": _END}}

    def patch(self, *, model: Any, scale: float, limit: float, alpha: float, blocks: str, start_percent: float, end_percent: float) -> tuple[Any]:
        return (patch(model, Settings(Gag(scale, alpha, limit), start_percent, end_percent), blocks),)
