# SPDX-License-Identifier: Apache-2.0
"""Where a network of diffusers attends to its text: which modules, which tokens, which of them were asked for.

A family is one row of FAMILIES, by the name of the network's class."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

Call = Mapping[str, Any]  # arguments of a network's call, by name


@dataclass(frozen=True)
class Tokens:
    """Where text and image lie among the tokens of joint attention."""

    text: slice
    image: slice


@dataclass(frozen=True)
class Family:
    """How attention is laid out in networks of a class.

    ending:    names of the modules end like this
    prefix:    and begin like this
    tokens:    of joint attention, where the tokens of a call lie: one entry for the batch, or one for each of its rows;
               None where the text is a sequence of its own (cross-attention)
    arguments: names of the network's arguments in their order, as far as they may be given without a name
    """

    ending: str = ".attn2"
    prefix: str = ""
    tokens: Callable[[Call], list[Tokens]] | None = None
    arguments: tuple[str, ...] = ("hidden_states", "encoder_hidden_states")


def _text_first(call: Call) -> list[Tokens]:
    """[text, image]; where the text is [B, T, …]."""
    count = call["encoder_hidden_states"].shape[1]
    return [Tokens(slice(0, count), slice(count, None))]


def _text_last(call: Call) -> list[Tokens]:
    """[image, text]."""
    count = call["encoder_hidden_states"].shape[1]
    return [Tokens(slice(-count, None), slice(0, -count))]


_Z_IMAGE_MULTIPLE = 32  # its sequences are padded to a multiple of this


def _z_image(call: Call) -> list[Tokens]:
    """[image, its padding, caption, its padding], for each row of the batch; what pads a row to the longest is masked."""
    if isinstance(call["x"][0], list):
        raise NotImplementedError("Z-Image with several pictures in a prompt: PLADIS is not known for it")
    patch, patch_frames = call.get("patch_size", 2), call.get("f_patch_size", 1)
    rows = []
    for latents, caption in zip(call["x"], call["cap_feats"], strict=True):
        _, frames, height, width = latents.shape
        image = _padded((frames // patch_frames) * (height // patch) * (width // patch))
        rows.append(Tokens(slice(image, image + _padded(len(caption))), slice(0, image)))
    return rows if any(row != rows[0] for row in rows) else rows[:1]


def _padded(count: int) -> int:
    return count + -count % _Z_IMAGE_MULTIPLE


_JOINT = Family(ending=".attn", tokens=_text_first)
FAMILIES = {
    "UNet2DConditionModel": Family(arguments=("sample", "timestep", "encoder_hidden_states")),
    "PixArtTransformer2DModel": Family(),
    "SanaTransformer2DModel": Family(arguments=("hidden_states", "encoder_hidden_states", "timestep")),
    "CosmosTransformer3DModel": Family(arguments=("hidden_states", "timestep", "encoder_hidden_states")),
    "FluxTransformer2DModel": _JOINT,
    "Flux2Transformer2DModel": _JOINT,
    "SD3Transformer2DModel": Family(ending=".attn", tokens=_text_last),
    "QwenImageTransformer2DModel": _JOINT,
    "Krea2Transformer2DModel": Family(ending=".attn", prefix="transformer_blocks.", tokens=_text_first),
    "ZImageTransformer2DModel": Family(ending=".attention", prefix="layers.", tokens=_z_image, arguments=("x", "t", "cap_feats")),
}


def bare(network: Any) -> Any:
    """The network that torch.compile wrapped, or itself."""
    return getattr(network, "_orig_mod", network)


def family_of(network: Any) -> Family:
    """Raises TypeError for a class that is not in FAMILIES."""
    for kind in type(network).__mro__:
        if kind.__name__ in FAMILIES:
            return FAMILIES[kind.__name__]
    raise TypeError(f"{type(network).__name__}: PLADIS is not known for it; expected a pipeline, or one of {', '.join(sorted(FAMILIES))}")


def named_call(family: Family, args: tuple[Any, ...], kwargs: Call) -> Call:
    """Arguments of a call by name."""
    return {**{name: args[place] for place, name in enumerate(family.arguments[:len(args)])}, **kwargs}


def sites(network: torch.nn.Module, family: Family, blocks: str | int | Iterable[int | str]) -> list[torch.nn.Module]:
    """The chosen attention modules, in the network's order. Blocks of transformers are numbered from 0, double ones first.
    Raises ValueError for an item of `blocks` that chooses none."""
    found = [(name, module) for name, module in network.named_modules()
             if name.endswith(family.ending) and name.startswith(family.prefix) and getattr(module, "processor", None) is not None]
    if blocks == "all":
        return [module for _, module in found]
    items = [item.strip() for item in blocks.split(",")] if isinstance(blocks, str) else [blocks] if isinstance(blocks, int) else list(blocks)
    chosen: set[str] = set()
    for item in items:
        wanted = _choice(item)
        names = {name for number, (name, _) in enumerate(found) if wanted(name, number)}
        if not names:
            raise ValueError(f"blocks: found {item!r}, which no attention of {type(network).__name__} fits; it has {_summary(found)}")
        chosen |= names
    return [module for name, module in found if name in chosen]


def _summary(found: list[tuple[str, torch.nn.Module]]) -> str:
    return f"{len(found)} sites, {found[0][0]} to {found[-1][0]}" if found else "none"


def _choice(item: int | str) -> Callable[[str, int], bool]:
    """Whether a site, by name and number, is one that an item of `blocks` asks for."""
    if isinstance(item, int):
        return lambda name, number: number == item
    first, dash, last = item.partition("-")
    if first.isdigit() and (last.isdigit() or not dash):
        low, high = int(first), int(last or first)
        return lambda name, number: low <= number <= high
    if item in ("down", "mid", "up"):
        return lambda name, number: name.startswith(f"{item}_block")
    return lambda name, number: name == item or name.startswith(f"{item}.")
