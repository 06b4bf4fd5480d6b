# SPDX-License-Identifier: Apache-2.0
"""PLADIS in a pipeline of diffusers, on whatever device it runs.

    import pladis.diffusers

    pladis.diffusers.enable(pipe, scale=2.0, alpha=1.5)
    pipe("a large red star above a small blue ring")

Each attention keeps the processor that it has, which is called as before; only the scaled_dot_product_attention that it computes first is
replaced. So what others put there (PAG, IP-Adapter, LoRA, slicing) goes on working. In joint attention (FLUX, SD3, …) only rows of image
queries change, and there the text's keys share the mass that the dense row gives them. On the CPU and without gradients the library's kernels compute it
and make no map; elsewhere pladis.torch_attention does.
"""
from __future__ import annotations

import contextlib
import functools
import inspect
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from torch.overrides import TorchFunctionMode

from . import torch_attention
from ._sites import Family, Tokens, bare, family_of, named_call, sites
from .torch_rows import pladis_weights

_KEPT = "_pladis"


class _State:
    """What the sites of a network share: λ, α, when PLADIS acts, and where the text of the present call lies."""

    def __init__(self, scale: float, alpha: float, start: float, end: float) -> None:
        if not math.isfinite(scale):
            raise ValueError(f"scale: found {scale}, expected a finite number")
        if not 1 < alpha <= 2:
            raise ValueError(f"alpha: found {alpha}, expected more than 1 and at most 2")
        if not 0 <= start <= end <= 1:
            raise ValueError(f"start, end: found {start} and {end}, expected fractions of the steps, 0 <= start <= end <= 1")
        self.scale, self.alpha, self.start, self.end = scale, alpha, start, end
        self.active = scale != 0
        self.tokens: list[Tokens] = []
        self.replaced = 0  # how often an attention was replaced, to find processors in which there is none


class _Replace(TorchFunctionMode):  # type: ignore[misc]
    """While it is in force, the first scaled_dot_product_attention is PLADIS': that of the text, before an IP-Adapter's."""

    def __init__(self, state: _State) -> None:
        super().__init__()
        self.state, self.done = state, False

    def __torch_function__(self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        if function is scaled_dot_product_attention and not self.done:
            self.done = True
            self.state.replaced += 1
            return _attend(self.state, *args, **(kwargs or {}))
        return function(*args, **(kwargs or {}))


def _attend(state: _State, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attn_mask: torch.Tensor | None = None,
            dropout_p: float = 0.0, is_causal: bool = False, scale: float | None = None, enable_gqa: bool = False) -> torch.Tensor:
    """PLADIS in the place of scaled_dot_product_attention: query [B, H, L, D], key and value [B, H, S, D] give [B, H, L, D]."""
    if is_causal or dropout_p:
        raise NotImplementedError("PLADIS acts on attention without a causal mask and without dropout")
    if not enable_gqa and key.shape[1] != query.shape[1]:
        raise ValueError(f"expected as many heads of keys as of queries, {query.shape[1]}, found {key.shape[1]}")
    run = functools.partial(_compute, scale=state.scale, alpha=state.alpha, softmax_scale=scale)
    if len(state.tokens) <= 1:
        return run(query, key, value, mask=attn_mask, tokens=state.tokens[0] if state.tokens else None)
    rows = [run(query[i : i + 1], key[i : i + 1], value[i : i + 1], mask=None if attn_mask is None else attn_mask[i : i + 1], tokens=tokens)
            for i, tokens in enumerate(state.tokens)]
    return torch.cat(rows)


def _compute(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *, scale: float, alpha: float, softmax_scale: float | None,
             mask: torch.Tensor | None, tokens: Tokens | None) -> torch.Tensor:
    """Attention of rows whose text lies in one place: by the library where it can, else by PyTorch."""
    kernels = _kernels() if not torch.compiler.is_compiling() and _is_plain(query, key, value) else None
    if kernels is not None:
        keys = None if mask is None else _key_mask(mask, query.shape[0])
        if mask is None or keys is not None:
            joint = {} if tokens is None else {"text": tokens.text, "image": tokens.image}
            return kernels(query, key, value, scale=scale, alpha=alpha, softmax_scale=softmax_scale, mask=keys, **joint)
    if tokens is None:
        return torch_attention.attention(query, key, value, scale=scale, alpha=alpha, softmax_scale=softmax_scale, mask=mask)
    return torch_attention.joint_attention(query, key, value, text=tokens.text, image=tokens.image, scale=scale, alpha=alpha,
                                           softmax_scale=softmax_scale, mask=mask)


def _is_plain(*tensors: torch.Tensor) -> bool:
    """Whether the library takes them: on the CPU, and nobody asks for gradients."""
    kinds, gradients = (torch.float32, torch.float16, torch.bfloat16), torch.is_grad_enabled()
    return all(type(x) is torch.Tensor and x.device.type == "cpu" and x.dtype in kinds and not (gradients and x.requires_grad) for x in tensors)


@functools.cache
def _kernels() -> Callable[..., torch.Tensor] | None:
    """The library's attention; None where there is no library for this machine."""
    try:
        from ._attention import attention
    except ImportError:
        return None
    return attention


def _key_mask(mask: torch.Tensor, batch: int) -> torch.Tensor | None:
    """A mask that broadcasts to [B, H, L, S] as the keys that count, [B, S]; None: it says more than that."""
    while mask.ndim < 4:
        mask = mask[None]
    rows = mask[:, 0, 0]
    if (mask.shape[1:3] != (1, 1) and not all(mask.shape[i] == 1 or mask.stride(i) == 0 for i in (1, 2))) and not bool((mask == rows[:, None, None]).all()):
        return None
    live = rows if rows.dtype == torch.bool else rows == 0
    # Biases of padded keys are −10000 or less: e to that is 0 in float32.
    if rows.dtype != torch.bool and not bool((live | (rows <= -1e4)).all()):
        return None
    return live.expand(batch, -1) if bool(live.any(-1).all()) else None


class Processor:
    """A site's own processor, called as before, with PLADIS in its attention."""

    def __init__(self, inner: Any, state: _State) -> None:
        self.inner, self.state = inner, state

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["inner"], name)

    def __call__(self, attn: Any, *args: Any, **kwargs: Any) -> Any:
        state = self.state
        if not state.active:
            return self.inner(attn, *args, **kwargs)
        before = state.replaced
        with contextlib.ExitStack() as stack:
            stack.enter_context(_Replace(state))
            if not state.tokens and hasattr(attn, "get_attention_scores"):  # processors that make the map themselves, such as those of slicing
                attn.get_attention_scores = functools.partial(self._scores, attn)
                stack.callback(attn.__dict__.pop, "get_attention_scores", None)
            result = self.inner(attn, *args, **kwargs)
        if state.replaced == before:
            raise RuntimeError(f"{type(self.inner).__name__} computes attention without scaled_dot_product_attention: PLADIS cannot act there; "
                               "choose the attention backend \"native\"")
        return result

    def _scores(self, attn: Any, query: torch.Tensor, key: torch.Tensor, attention_mask: torch.Tensor | None = None) -> torch.Tensor:
        """Weights [B·H, L, S] of query [B·H, L, D] and key [B·H, S, D]."""
        self.state.replaced += 1
        logits = (query.float() @ key.float().transpose(-1, -2)) * attn.scale
        return pladis_weights(logits if attention_mask is None else logits + attention_mask, self.state.scale, self.state.alpha).to(query.dtype)


@functools.cache
def _processor_kind(of: Any) -> type[Processor]:
    """Processors that say that they take what another kind takes: diffusers looks, and drops the arguments that are not there."""
    def call(self: Processor, *args: Any, **kwargs: Any) -> Any:
        return Processor.__call__(self, *args, **kwargs)
    signature = inspect.signature(of.__call__ if isinstance(of, type) else of)
    if not isinstance(of, type): # a function, which has no self
        signature = signature.replace(parameters=[inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY), *signature.parameters.values()])
    call.__signature__ = signature  # type: ignore[attr-defined]
    return type("Pladis" + of.__name__, (Processor,), {"__call__": call})


def _wrapped(inner: Any, state: _State) -> Processor:
    kind: Any = inner if inspect.isfunction(inner) else type(inner)
    return _processor_kind(kind)(inner, state)


class _Kept:
    """PLADIS in a network: the chosen sites, and what happens before each of its calls."""

    def __init__(self, network: torch.nn.Module, family: Family, chosen: list[torch.nn.Module], state: _State, scheduler: Callable[[], Any]) -> None:
        self.family, self.sites, self.state, self.scheduler = family, chosen, state, scheduler
        self.wrap()
        self.hook = network.register_forward_pre_hook(self.before, with_kwargs=True)

    def wrap(self) -> None:
        for site in self.sites:
            if not isinstance(site.processor, Processor):
                site.processor = _wrapped(site.processor, self.state)

    def before(self, _network: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        state = self.state
        self.wrap()  # pipelines of PAG and set_attn_processor put others in their place
        if state.scale == 0:
            return
        call = named_call(self.family, args, kwargs)
        state.tokens = self.family.tokens(call) if self.family.tokens is not None else []
        if (state.start, state.end) != (0, 1):
            state.active = _in_force(state, self.scheduler(), call)

    def remove(self) -> None:
        self.hook.remove()
        for site in self.sites:
            if isinstance(site.processor, Processor):
                site.processor = site.processor.inner


def _in_force(state: _State, pipe: Any, call: Any) -> bool:
    """Whether step i of n is one with ⌊start·n⌋ <= i < ⌊end·n⌋."""
    scheduler = pipe.scheduler
    calls = len(scheduler.timesteps)
    steps = getattr(scheduler, "num_inference_steps", None) or calls
    index = _call_index(scheduler, call)
    # Heun calls twice a step but for the last, PNDM twice in the first.
    step = index // 2 if calls == 2 * steps - 1 else max(0, index - (calls - steps))
    drawn = getattr(pipe, "_num_timesteps", None)  # fewer than all when a picture is the beginning
    if isinstance(drawn, int) and 0 < drawn < calls:
        step, steps = step - (steps - drawn), drawn
    return math.floor(state.start * steps) <= step < math.floor(state.end * steps)


def _call_index(scheduler: Any, call: Any) -> int:
    """Which of the scheduler's timesteps a call of the network belongs to."""
    if hasattr(scheduler, "step_index"):
        return scheduler.step_index if scheduler.step_index is not None else getattr(scheduler, "begin_index", None) or 0
    if hasattr(scheduler, "counter"):  # PNDM
        return int(scheduler.counter)
    time = call["timestep"]
    time = float(time.flatten()[0] if torch.is_tensor(time) else time)
    return int((scheduler.timesteps.to("cpu", torch.float64) - time).abs().argmin())


def _network(pipe: Any) -> Any:
    """The denoiser of a pipeline, or what was given."""
    for name in ("transformer", "unet"):
        if getattr(pipe, name, None) is not None:
            return bare(getattr(pipe, name))
    return bare(pipe)


def enable(pipe: Any, scale: float = 2.0, alpha: float = 1.5, blocks: str | int | Iterable[int | str] = "all", start: float = 0, end: float = 1) -> int:
    """Make a pipeline of diffusers, or its denoiser, attend with PLADIS; gives how many sites were changed.

    scale: λ; 0 is the pipeline's own result to the bit. alpha: α in (1, 2]. blocks: "all"; of a U-Net "down,mid,up"; of a transformer
    numbers and ranges, "0-9,12", double blocks first; or names of sites. start, end: fractions of the n steps of a call of the pipeline:
    step i is changed when ⌊start·n⌋ <= i < ⌊end·n⌋.
    Calling it again replaces what was asked for. Raises TypeError for a model of an unknown class, ValueError for numbers out of range
    and for blocks that choose no site.
    """
    network = _network(pipe)
    family, state = family_of(network), _State(scale, alpha, start, end)
    chosen = sites(network, family, blocks)
    if not chosen:
        raise ValueError(f"{type(network).__name__} has no attention to text: expected one that ends in {family.ending!r}")
    if (start, end) != (0, 1) and getattr(pipe, "scheduler", None) is None:
        raise ValueError("start, end: expected a pipeline, whose scheduler counts the steps")
    disable(pipe)
    setattr(network, _KEPT, _Kept(network, family, chosen, state, lambda: pipe))
    return len(chosen)


def disable(pipe: Any) -> None:
    """Take PLADIS out again; nothing happens where there is none."""
    network = _network(pipe)
    kept = getattr(network, _KEPT, None)
    if kept is not None:
        kept.remove()
        delattr(network, _KEPT)


@contextlib.contextmanager
def enabled(pipe: Any, scale: float = 2.0, alpha: float = 1.5, blocks: str | int | Iterable[int | str] = "all", start: float = 0,
            end: float = 1) -> Iterator[int]:
    """The same for as long as a with block lasts; its value is how many sites were changed."""
    try:
        yield enable(pipe, scale, alpha, blocks, start, end)
    finally:
        disable(pipe)
