# SPDX-License-Identifier: Apache-2.0
"""From settings to a model that attends with PLADIS.

A clone of the model gets one wrapper of ComfyUI's `WrappersMP.APPLY_MODEL`. While the wrapper runs the network, the forward of each chosen site
hands `optimized_attention_override` to its own attention and to no other, on top of the override that is there. Nothing stays on the network
afterwards, so clones that share it do not see each other."""
from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import comfy.patcher_extension
import torch

from . import pixart
from .attention import Override, Rule, Span
from .blocks import choose
from .families import Family, family_of, plain

KEY = "pladis"
_APPLY = comfy.patcher_extension.WrappersMP.APPLY_MODEL
_OVERRIDE = "optimized_attention_override"


@dataclass(frozen=True)
class Settings:
    """The rule of a site, and from where to where of the sampling it is in force, as fractions that ComfyUI turns into noise levels."""

    rule: Rule
    start: float = 0.0
    end: float = 1.0

    def __post_init__(self) -> None:
        if not 1 < self.rule.alpha <= 2:
            raise ValueError(f"alpha: found {self.rule.alpha}, expected more than 1 and at most 2")
        if not 0 <= self.start <= self.end <= 1:
            raise ValueError(f"start_percent, end_percent: found {self.start}, {self.end}, expected 0 <= start <= end <= 1")

    def is_active(self, sampling: Any, sigma: float) -> bool:
        """Whether `sigma` lies within: at most the start's, above the end's; the ends 0 and 1 leave nothing out."""
        return (self.start == 0 or sigma <= sampling.percent_to_sigma(self.start)) and (self.end == 1 or sigma > sampling.percent_to_sigma(self.end))


def patch(model: Any, settings: Settings, blocks: str) -> Any:
    """A clone of a ModelPatcher whose chosen sites have these settings, in place of those that they had; with scale 0 they have none.

    Raises TypeError for a network of another class, ValueError where `blocks` fits no site."""
    network = plain(model.model.diffusion_model)
    family = family_of(network)
    names = family.names(network)
    if not names:
        raise TypeError(f"PLADIS: found no attention to the text in this model of class {type(network).__name__}")
    plan = {name: kept for earlier in model.get_wrappers(_APPLY, KEY) for name, kept in earlier.plan.items()}
    for name in choose(names, blocks):
        plan.pop(name, None)
        if settings.rule.is_active:
            plan[name] = settings
    clone = model.clone()
    clone.remove_wrappers_with_key(_APPLY, KEY)
    if plan:
        clone.add_wrapper_with_key(_APPLY, KEY, Wrapper(family, plan))
    return clone


class Wrapper:
    """Around apply_model: decides by the noise level which sites act, and lets them while the network runs."""

    def __init__(self, family: Family, plan: Mapping[str, Settings]) -> None:
        self.family, self.plan = family, plan
        self._warned = False

    def __call__(self, executor: Any, x: torch.Tensor, t: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        """x [B, …] noisy latents, t [B] or [B, F] noise levels; then, by place or name, c_concat and c_crossattn [B, S, C], the text."""
        model = executor.class_obj
        whole = all((s.start, s.end) == (0, 1) for s in self.plan.values())
        sigma = 0.0 if whole else float(t.max())
        verdicts = {s: whole or s.is_active(model.model_sampling, sigma) for s in set(self.plan.values())}
        active = {name: s for name, s in self.plan.items() if verdicts[s]}
        if not active:
            return executor(x, t, *args, **kwargs)
        text = kwargs.get("c_crossattn", args[1] if len(args) > 1 else None)
        call = Call(first_copies(text) if self.family.repeats and text is not None else None)
        with self._installed(plain(model.diffusion_model), active, call):
            result = executor(x, t, *args, **kwargs)
        if not call.count and not self._warned:
            self._warned = True
            logging.warning("PLADIS acted at no attention: another node replaces it at these blocks, or this ComfyUI has no %s", _OVERRIDE)
        return result

    @contextlib.contextmanager
    def _installed(self, network: Any, active: Mapping[str, Settings], call: Call) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            if self.family.watch:
                _exchange(stack, network.get_submodule(self.family.watch), lambda inner: _Watch(inner, call))
            for name, settings in active.items():
                module = network.get_submodule(name)
                _exchange(stack, module, partial(_Site, module, self.family, settings.rule, call))
            yield


class Call:
    """What the sites of one evaluation of the network share."""

    def __init__(self, live: torch.Tensor | None) -> None:
        self.live, self.text, self.count = live, 0, 0

    def note(self) -> None:
        self.count += 1


def _exchange(stack: contextlib.ExitStack, module: Any, around: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Give a module another forward, around its own, until the stack closes."""
    if "forward" in module.__dict__:
        stack.callback(setattr, module, "forward", module.forward)
    else:
        stack.callback(delattr, module, "forward")
    module.forward = around(module.forward)


@dataclass(frozen=True)
class _Watch:
    """The forward of a module, which notes how long the text is."""

    inner: Callable[..., Any]
    call: Call

    def __call__(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        self.call.text = x.shape[1]
        return self.inner(x, *args, **kwargs)


@dataclass(frozen=True)
class _Site:
    """The forward of a site, with PLADIS in its attention."""

    module: Any
    family: Family
    rule: Rule
    call: Call
    inner: Callable[..., Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self.family.options:
            return pixart.cross_attention(self.module, self._override(None, Span()), *args, **kwargs)
        options = dict(kwargs.get("transformer_options") or {})
        options[_OVERRIDE] = self._override(options.get(_OVERRIDE), self._span(args, kwargs))
        return self.inner(*args, **{**kwargs, "transformer_options": options})

    def _override(self, earlier: Callable[..., torch.Tensor] | None, span: Span) -> Override:
        return Override(self.rule, span, earlier, self.call.note)

    def _span(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Span:
        if self.family.joint is not None:
            text, tokens = self.family.joint(args, kwargs, self.call.text)
            return Span(text=text, tokens=tokens)
        return Span(keys=self.family.keys(args, kwargs) if self.family.keys else None, live=self.call.live)


def first_copies(context: torch.Tensor) -> torch.Tensor | None:
    """[B, S], True in the first copy of each row of `context` [B, S, C] that is a repetition; None where no row is one.

    ComfyUI repeats texts in order to put several lengths into one batch. softmax gives the same for a repeated text, entmax does not."""
    tokens = context.shape[1]
    length = torch.full((context.shape[0],), tokens, device=context.device)
    for copies in range(2, tokens + 1):
        if tokens % copies == 0:
            size = tokens // copies
            same = (context[:, size:] == context[:, :-size]).flatten(1).all(1)
            length = torch.where(same, torch.full_like(length, size), length)
    return torch.arange(tokens, device=context.device) < length[:, None] if bool((length < tokens).any()) else None
