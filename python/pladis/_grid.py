# SPDX-License-Identifier: Apache-2.0
"""A table of pictures in one call."""
from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .model import Model


@dataclass(frozen=True)
class Grid:
    """Pictures [rows][columns] of every value of `y` with every value of `x`. A notebook shows them as a table."""

    x: tuple[str, tuple[Any, ...]]
    y: tuple[str, tuple[Any, ...]]
    pictures: list[list[Any]] = field(repr=False)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(self.x[0])} = {html.escape(str(value))}</th>" for value in self.x[1])
        rows = []
        for value, pictures in zip(self.y[1], self.pictures, strict=True):
            label = f"{self.y[0]} = {value}" if self.y[0] else ""
            cells = "".join(f'<td><img alt="" src="data:image/png;base64,{base64.b64encode(_png(picture)).decode()}"></td>' for picture in pictures)
            rows.append(f"<tr><th>{html.escape(label)}</th>{cells}</tr>")
        return f"<table><tr><th></th>{head}</tr>{''.join(rows)}</table>"


def _png(picture: Any) -> bytes:
    """A Picture or a PIL image as the bytes of a PNG."""
    if hasattr(picture, "png"):
        return bytes(picture.png)
    into = io.BytesIO()
    picture.save(into, "PNG")
    return into.getvalue()


def grid(model: Model | Callable[..., Any], prompt: str, *, x: tuple[str, Iterable[Any]], y: tuple[str, Iterable[Any]] = ("", (None,)),
         **options: Any) -> Grid:
    """Draw a prompt with every value of one option, or of two: grid(model, "a star", x=("pladis_scale", (0, 1, 2)), y=("seed", range(3))).

    model: a Model, or a function of a prompt and of these options that gives a Picture or a PIL image, such as one around a pipeline"""
    draw: Callable[..., Any] = getattr(model, "generate", model)  # type: ignore[arg-type]
    columns: Sequence[Any] = tuple(x[1])
    rows: Sequence[Any] = tuple(y[1])
    drawn = [[draw(prompt, **{**options, x[0]: column, **({y[0]: row} if y[0] else {})}) for column in columns] for row in rows]
    return Grid((x[0], tuple(columns)), (y[0], tuple(rows)), drawn)
