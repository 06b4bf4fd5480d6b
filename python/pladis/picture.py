# SPDX-License-Identifier: Apache-2.0
"""A picture that was drawn, and what is known of it."""
from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Picture:
    """One drawn picture.

    pixels:     8-bit RGB, [height, width, 3], rows from the top, as bytes
    png:        the same as a PNG whose texts tell how it was made, as `pladis generate` writes it
    seed:       the one that it was drawn with
    parameters: every option in force, by its name with underscores; `Model.generate(**parameters)` draws it again
    report:     sizes, steps, stages in seconds, evaluations, peak memory in bytes
    maps:       of the words that were asked for
    """

    pixels: bytes = field(repr=False)
    width: int
    height: int
    png: bytes = field(repr=False)
    seed: int
    parameters: dict[str, Any] = field(repr=False)
    report: dict[str, Any] = field(repr=False)

    @property
    def image(self) -> Any:
        """A PIL image where Pillow is installed, else a numpy array [height, width, 3] of uint8."""
        try:
            from PIL import Image
        except ImportError:
            return self.array
        return Image.frombytes("RGB", (self.width, self.height), self.pixels)

    @property
    def array(self) -> Any:
        """A numpy array [height, width, 3] of uint8."""
        try:
            import numpy
        except ImportError as problem:
            raise ImportError("neither Pillow nor numpy is installed: `png` and `pixels` are there without them") from problem
        return numpy.frombuffer(self.pixels, numpy.uint8).reshape(self.height, self.width, 3)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the PNG."""
        with open(path, "wb") as file:
            file.write(self.png)

    def _repr_png_(self) -> bytes:
        """A notebook shows the picture."""
        return self.png
