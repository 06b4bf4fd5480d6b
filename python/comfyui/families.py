# SPDX-License-Identifier: Apache-2.0
"""ComfyUI's networks that PLADIS is known for: which modules attend to the text, and how many of their tokens are text.

A site is a module whose forward makes the attention of one block. Joint attention has the text in front in all of ComfyUI's networks."""
from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Arguments = tuple[Any, ...]
Keywords = dict[str, Any]


@dataclass(frozen=True)
class Family:
    """One row of the table.

    sites:    regular expression of the names of the sites, in the network
    joint:    of joint attention: (text tokens, tokens) of a call of a site, from its arguments and the text's length that was watched
    keys:     of cross-attention with another attention beside it: how many keys the text has
    watch:    a module whose input [B, T, C] is all of the text
    repeats:  ComfyUI evaluates texts of several lengths in one batch by repeating them to a common length
    options:  the sites' forward takes transformer_options; where it does not, the site is computed here (pixart.py)
    """

    name: str
    sites: str
    joint: Callable[[Arguments, Keywords, int], tuple[int, int]] | None = None
    keys: Callable[[Arguments, Keywords], int | None] | None = None
    watch: str = ""
    repeats: bool = False
    options: bool = True

    def names(self, network: Any) -> list[str]:
        """Names of the sites of a network, in the order of its blocks."""
        return [name for name, module in network.named_modules() if module is not None and re.fullmatch(self.sites, name)]


def _flux(given: Arguments, named: Keywords, watched: int) -> tuple[int, int]:
    if "txt" not in named:
        return _image_slice(given, named, watched)
    return named["txt"].shape[1], named["txt"].shape[1] + named["img"].shape[1]


def _image_slice(_: Arguments, named: Keywords, __: int) -> tuple[int, int]:
    begin, end = named["transformer_options"]["img_slice"]
    return begin, end


def _streams(_: Arguments, named: Keywords, __: int) -> tuple[int, int]:
    text = named["encoder_hidden_states"].shape[1]
    return text, text + named["hidden_states"].shape[1]


def _mmdit(given: Arguments, _: Keywords, __: int) -> tuple[int, int]:
    return given[0].shape[1], given[0].shape[1] + given[1].shape[1]


def _watched(given: Arguments, _: Keywords, text: int) -> tuple[int, int]:
    return text, given[0].shape[1]


def _wan_keys(given: Arguments, named: Keywords) -> int | None:
    context = given[1] if len(given) > 1 else named.get("context")
    return None if context is None else context.shape[1] - (named.get("context_img_len") or 0)


_WAN = Family("Wan", r"(vace_)?blocks\.\d+\.cross_attn", keys=_wan_keys)
_COSMOS = r"blocks\.\d+\.cross_attn"
FAMILIES = {
    "modules.diffusionmodules.openaimodel.UNetModel":
        Family("Stable Diffusion 1.x, 2.x, XL", r"(?:input_blocks|middle_block|output_blocks)\.[\d.]+\.transformer_blocks\.\d+\.attn2", repeats=True),
    "modules.diffusionmodules.mmdit.OpenAISignatureMMDITWrapper": Family("Stable Diffusion 3, 3.5", r"joint_blocks\.\d+", joint=_mmdit),
    "flux.model.Flux": Family("FLUX.1, FLUX.2", r"(?:double_blocks|single_blocks)\.\d+", joint=_flux),
    "lumina.model.NextDiT": Family("Z-Image, Lumina Image 2", r"layers\.\d+\.attention", joint=_watched, watch="context_refiner.0.attention"),
    "qwen_image.model.QwenImageTransformer2DModel": Family("Qwen-Image", r"transformer_blocks\.\d+\.attn", joint=_streams),
    "krea2.model.SingleStreamDiT": Family("Krea 2", r"blocks\.\d+\.attn", joint=_image_slice),
    "anima.model.Anima": Family("Anima", _COSMOS),
    "cosmos.predict2.MiniTrainDIT": Family("Cosmos Predict 2", _COSMOS),
    "pixart.pixartms.PixArtMS": Family("PixArt", r"blocks\.\d+\.cross_attn", options=False),
    "wan.model.WanModel": _WAN,
    "wan.model.VaceWanModel": _WAN,
    "wan.model.CameraWanModel": _WAN,
}


def plain(network: Any) -> Any:
    """The network behind torch.compile's wrapper."""
    return getattr(network, "_orig_mod", network)


def family_of(network: Any) -> Family:
    """The row of a network's class. Raises TypeError, which names the class and what is supported."""
    kind = type(plain(network))
    family = FAMILIES.get(f"{kind.__module__}.{kind.__qualname__}".removeprefix("comfy.ldm."))
    if family is None:
        supported = "; ".join(dict.fromkeys(row.name for row in FAMILIES.values()))
        raise TypeError(f"PLADIS: found a model of class {kind.__module__}.{kind.__qualname__}, expected one of: {supported}")
    return family
