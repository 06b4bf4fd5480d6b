# SPDX-License-Identifier: Apache-2.0
"""Does a picture show what its caption says? Exactly answered, for the world of the demo model: coloured shapes on a plain sheet.

    import pladis.scoring

    caption = "a large red star above a small blue ring"
    pladis.scoring.score(caption, pladis.Model("demo").generate(caption))     # {"count": True, …, "all": True}

`pladis evaluate` judges by the same. Captions are those of the world's grammar; others are refused with the word that does not fit."""
from __future__ import annotations

import functools
from ctypes import byref, c_int
from dataclasses import dataclass
from typing import Any

from ._drawing import _image
from ._library import Handle, call, encoded, library, result, structs, text_of


@dataclass(frozen=True)
class Thing:
    """A shape in a picture: its name and colour (None: none fits), the centre of its bounding box in pixels from the top left corner,
    its radius in units of 1/128 of the shorter side, and intersection over union with the shape that fits best."""

    shape: str | None
    colour: str | None
    x: float
    y: float
    radius: float
    overlap: float


@dataclass(frozen=True)
class Scene:
    """What a picture shows: at most 16 things from the top, and how many there are."""

    background: str | None
    count: int
    things: list[Thing]


@functools.cache
def _scorer() -> Handle:
    made = Handle("pld_scorer_destroy")
    call("pld_scorer_create", byref(made.address))
    return made


def _word(of: int, index: int) -> str | None:
    word = library.pld_world_word(of, index) if index >= 0 else None
    return text_of(word) if word is not None else None


def _scene(picture: Any) -> Any:
    image, scene = _image(getattr(picture, "png", picture), "picture"), result(structs.pld_scene)
    try:
        call("pld_scorer_look", _scorer().address, image.pixels, image.width, image.height, byref(scene))
    finally:
        if image.owned:
            library.pld_image_free(byref(image))
    return scene


def look(picture: Any) -> Scene:
    """What a picture shows. picture: a Picture, a PIL image, an array [height, width, 3] of uint8 or PNG bytes; sides of 32 to 4096."""
    scene = _scene(picture)
    things = [Thing(_word(structs.PLD_WORLD_SHAPES, scene.shapes[i]), _word(structs.PLD_WORLD_COLOURS, scene.colours[i]), scene.x[i], scene.y[i],
                    scene.radii[i], scene.overlaps[i]) for i in range(min(scene.thing_count, len(scene.shapes)))]
    return Scene(_word(structs.PLD_WORLD_BACKGROUNDS, scene.background), scene.thing_count, things)


def score(caption: str, picture: Any) -> dict[str, bool | None]:
    """Which aspects of a caption hold in a picture, "count", "background", "shape", "colour", "binding", "size", "position" and "all";
    None: the caption does not ask. Raises ArgumentError for a caption outside the grammar."""
    asked = result(structs.pld_caption)
    call("pld_caption_parse", encoded(caption), byref(asked))
    scene = _scene(picture)
    verdict = (c_int * structs.PLD_ASPECT_COUNT)()
    call("pld_scene_judge", byref(scene), byref(asked), verdict, len(verdict))
    return {_word(structs.PLD_WORLD_ASPECTS, i) or "": None if held < 0 else bool(held) for i, held in enumerate(verdict)}
