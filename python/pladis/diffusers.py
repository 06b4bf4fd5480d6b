# SPDX-License-Identifier: Apache-2.0
"""PLADIS in a pipeline of diffusers, on whatever device it runs.

    import pladis.diffusers

    pladis.diffusers.enable(pipe, scale=2.0, alpha=1.5)
    pipe("a large red star above a small blue ring")

Each cross-attention keeps the processor that it has, which is called as before; only the attention that it computes is replaced. So what
other tools have put there (PAG, IP-Adapter, LoRA, slicing) goes on working. In joint attention (FLUX, SD3) rows of image queries share the mass
of the text among its keys. On the CPU, in float32 and without gradients, the library's kernels compute it, and no map is made; elsewhere
PyTorch's operations do, which make one map of [batch, heads, queries, keys] a site.
"""
from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from torch.overrides import TorchFunctionMode

from .torch_rows import joint_weights, pladis_weights

try:
    from .attention import attention as _cpu_attention
except ImportError:  # no library: PyTorch's operations alone
    _cpu_attention = None  # type: ignore[assignment]

_HOOKS = "_pladis_hooks"


@dataclass(frozen=True)
class _Family:
    """How the attention of a model's class is laid out.

    cross:  names of sites end like this; the text is another sequence
    joint:  names of sites end like this; the text is in front ("first") or behind ("last") among the tokens
    """

    cross: tuple[str, ...] = ()
    joint: tuple[str, ...] = ()
    text: str = ""


_CROSS = _Family(cross=(".attn2",))
_FAMILIES = {
    "UNet2DConditionModel": _CROSS,
    "PixArtTransformer2DModel": _CROSS,
    "SanaTransformer2DModel": _CROSS,
    "CosmosTransformer3DModel": _CROSS,
    "FluxTransformer2DModel": _Family(joint=(".attn",), text="first"),
    "Flux2Transformer2DModel": _Family(joint=(".attn",), text="first"),
    "SD3Transformer2DModel": _Family(joint=(".attn",), text="last"),
}


class _State:
    """What all sites of a pipeline share: λ, α, when, and how many tokens the text of the call has."""

    def __init__(self, scale: float, alpha: float, start: float, end: float) -> None:
        if not 1 < alpha <= 2:
            raise ValueError(f"alpha: found {alpha}, expected more than 1 and at most 2")
        if not 0 <= start <= end <= 1:
            raise ValueError(f"start, end: found {start}, {end}, expected fractions of the steps, 0 <= start <= end <= 1")
        self.scale, self.alpha, self.start, self.end = scale, alpha, start, end
        self.steps: list[float] = []
        self.active = True
        self.text_tokens = 0


class _Replace(TorchFunctionMode):
    """While it is in force, the first scaled_dot_product_attention is PLADIS': that of the text, before an IP-Adapter's."""

    def __init__(self, state: _State, family: _Family) -> None:
        super().__init__()
        self.state, self.family, self.done = state, family, False

    def __torch_function__(self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        if function is scaled_dot_product_attention and not self.done:
            self.done = True
            return _attend(self.state, self.family, *args, **(kwargs or {}))
        return function(*args, **(kwargs or {}))


def _attend(state: _State, family: _Family, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attn_mask: torch.Tensor | None = None,
            dropout_p: float = 0.0, is_causal: bool = False, scale: float | None = None, enable_gqa: bool = False) -> torch.Tensor:
    """PLADIS in the place of scaled_dot_product_attention: query [B, H, L, D], key and value [B, H, S, D]."""
    if is_causal or dropout_p:
        raise NotImplementedError("PLADIS acts on cross-attention without a causal mask and without dropout")
    if enable_gqa and key.shape[1] != query.shape[1]:
        key, value = (x.repeat_interleave(query.shape[1] // key.shape[1], 1) for x in (key, value))
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    keys = None if attn_mask is None else _key_mask(attn_mask)
    plain = query.device.type == "cpu" and query.dtype == torch.float32 and not (torch.is_grad_enabled() and query.requires_grad)
    if plain and _cpu_attention is not None and not family.joint and (attn_mask is None or keys is not None) and not torch.compiler.is_compiling():
        mask = keys.expand(query.shape[0], -1) if keys is not None else None
        return _cpu_attention(query, key, value, scale=state.scale, alpha=state.alpha, softmax_scale=factor, mask=mask)
    z = (query.float() if query.dtype != torch.float64 else query) @ key.to(torch.promote_types(key.dtype, torch.float32)).transpose(-1, -2) * factor
    if attn_mask is not None:
        z = z.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype == torch.bool else z + attn_mask
    weights = _weights(state, family, z)
    return (weights @ value.to(weights.dtype)).to(query.dtype)


def _weights(state: _State, family: _Family, z: torch.Tensor) -> torch.Tensor:
    if not family.joint:
        return pladis_weights(z, state.scale, state.alpha)
    tokens, count = state.text_tokens, z.shape[-1]
    text, image = (slice(0, tokens), slice(tokens, count)) if family.text == "first" else (slice(count - tokens, count), slice(0, count - tokens))
    return joint_weights(z, text, image, state.scale, state.alpha)


def _key_mask(mask: torch.Tensor) -> torch.Tensor | None:
    """The keys that count, [B, S], of a mask that says no more than that; None: it says more."""
    if mask.ndim < 2 or (mask.ndim == 4 and mask.shape[1] != 1 and mask.stride(1) != 0 and not bool((mask == mask[:, :1]).all())):
        return None
    rows = mask[:, 0, 0] if mask.ndim == 4 and (mask.shape[2] == 1 or mask.stride(2) == 0) else None
    if rows is None:
        return None
    if rows.dtype == torch.bool:
        return rows
    live = rows == 0
    return live if bool((live | (rows <= -1e4)).all()) and bool(live.any(-1).all()) else None


class Processor:
    """A site's own processor, called as before, with PLADIS in its attention."""

    def __init__(self, inner: Any, state: _State, family: _Family) -> None:
        self.inner, self.state, self.family = inner, state, family

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["inner"], name)

    def __call__(self, attn: Any, *args: Any, **kwargs: Any) -> Any:
        if self.state.scale == 0 or not self.state.active:
            return self.inner(attn, *args, **kwargs)
        scores = getattr(attn, "get_attention_scores", None)
        with contextlib.ExitStack() as stack:
            stack.enter_context(_Replace(self.state, self.family))
            if scores is not None and not self.family.joint: # processors that make the map themselves, such as those of slicing
                attn.get_attention_scores = lambda query, key, mask=None: self._scores(attn, query, key, mask)
                stack.callback(attn.__dict__.pop, "get_attention_scores", None)
            return self.inner(attn, *args, **kwargs)

    def _scores(self, attn: Any, query: torch.Tensor, key: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Weights [B·H, L, S] of query [B·H, L, D] and key [B·H, S, D]."""
        z = (query.float() @ key.float().transpose(-1, -2)) * attn.scale
        return _weights(self.state, self.family, z if mask is None else z + mask).to(query.dtype)


def _network(pipe: Any) -> Any:
    """The denoiser of a pipeline, or the network itself."""
    for name in ("transformer", "unet"):
        if getattr(pipe, name, None) is not None:
            return getattr(pipe, name)
    return pipe


def _family_of(network: Any) -> _Family:
    name = type(getattr(network, "_orig_mod", network)).__name__
    if name not in _FAMILIES:
        raise TypeError(f"{name}: PLADIS is not known for it; expected one of {', '.join(sorted(_FAMILIES))}")
    return _FAMILIES[name]


def _is_chosen(name: str, number: int, blocks: str | Iterable[int | str]) -> bool:
    if blocks == "all":
        return True
    wanted = blocks.split(",") if isinstance(blocks, str) else list(blocks)
    return any(item == number if isinstance(item, int) else
               (name.startswith(f"{item}_block") if item in ("down", "mid", "up") else
                (int(item.split("-")[0]) <= number <= int(item.split("-")[-1])) if item.replace("-", "").isdigit() else name.startswith(item))
               for item in (i.strip() if isinstance(i, str) else i for i in wanted))


def _sites(network: Any, family: _Family, blocks: str | Iterable[int | str]) -> list[tuple[str, Any]]:
    """Names and modules of the chosen sites. Blocks of transformers are numbered, FLUX's double ones first."""
    endings = family.cross or family.joint
    found = [(name, module) for name, module in network.named_modules()
             if name.endswith(endings) and getattr(module, "processor", None) is not None]
    blocks_seen: dict[str, int] = {}
    chosen = []
    for name, module in found:
        number = blocks_seen.setdefault(name.rsplit(".", 1)[0], len(blocks_seen))
        if _is_chosen(name, number, blocks):
            chosen.append((name, module))
    return chosen


def enable(pipe: Any, scale: float = 2.0, alpha: float = 1.5, blocks: str | Iterable[int | str] = "all", start: float = 0, end: float = 1) -> int:
    """Make a pipeline of diffusers, or its denoiser, attend with PLADIS; gives how many sites were changed.

    scale: λ; 0 is the pipeline's own result to the bit. alpha: α in (1, 2]. blocks: "all"; of a U-Net "down,mid,up"; of a transformer
    numbers and ranges, "0-9,12"; or names of sites. start, end: fractions of the steps of a call of the pipeline.
    Raises TypeError for a model of another class, and ValueError where no site is chosen. Calling it again replaces what was asked for."""
    disable(pipe)
    network = _network(pipe)
    family = _family_of(network)
    state = _State(scale, alpha, start, end)
    sites = _sites(network, family, blocks)
    if not sites:
        raise ValueError(f"blocks: found {blocks!r}, which no attention of {type(network).__name__} fits")
    for _, module in sites:
        module.processor = Processor(module.processor, state, family)
    hooks = [network.register_forward_pre_hook(lambda _m, args, kwargs: _note_call(state, args, kwargs), with_kwargs=True)]
    setattr(network, _HOOKS, (hooks, [module for _, module in sites], pipe, state))
    state.pipe = pipe # type: ignore[attr-defined]
    return len(sites)


def _note_call(state: _State, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Before the network runs: how long the text is, and whether this step is one of those that were asked for."""
    text = kwargs.get("encoder_hidden_states", args[1] if len(args) > 1 and torch.is_tensor(args[1]) and args[1].ndim == 3 else None)
    state.text_tokens = text.shape[1] if text is not None else 0
    state.active = True
    scheduler = getattr(getattr(state, "pipe", None), "scheduler", None)
    if (state.start, state.end) != (0, 1) and scheduler is not None:
        steps = len(scheduler.timesteps)
        index = scheduler.step_index or 0 if getattr(scheduler, "step_index", None) is not None else _index_of(scheduler, args, kwargs)
        state.active = state.start <= index / max(1, steps) < state.end or (state.end == 1 and index >= state.start * steps)


def _index_of(scheduler: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    """Which step a timestep is, of schedulers that do not count."""
    time = kwargs.get("timestep", args[1] if len(args) > 1 else 0)
    time = time.flatten()[0] if torch.is_tensor(time) else time
    return int((scheduler.timesteps.to("cpu") - float(time)).abs().argmin())


def disable(pipe: Any) -> None:
    """Take PLADIS out again; nothing happens where there is none."""
    network = _network(pipe)
    kept = getattr(network, _HOOKS, None)
    if kept is None:
        return
    for hook in kept[0]:
        hook.remove()
    for module in kept[1]:
        if isinstance(module.processor, Processor):
            module.processor = module.processor.inner
    delattr(network, _HOOKS)


@contextlib.contextmanager
def enabled(pipe: Any, scale: float = 2.0, alpha: float = 1.5, blocks: str | Iterable[int | str] = "all", start: float = 0, end: float = 1) -> Iterator[int]:
    """The same for as long as a with block lasts."""
    try:
        yield enable(pipe, scale, alpha, blocks, start, end)
    finally:
        disable(pipe)
