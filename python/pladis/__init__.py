# SPDX-License-Identifier: Apache-2.0
"""Pictures from text with PLADIS, sparse cross-attention that makes pre-trained diffusion models follow the prompt better.

    import pladis

    model = pladis.Model("demo")
    picture = model.generate("a large red star above a small blue ring", pladis_scale=2, seed=133)
    picture.save("star.png")

The library is loaded when something of it is used first, so that `pladis.diffusers` runs where there is none.
"""
from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._attention import attention, entmax, pladis_rows
    from ._drawing import Progress
    from ._grid import Grid, grid
    from ._options import Option, options
    from .errors import (
        ArgumentError,
        Cancelled,
        FileError,
        FormatError,
        MissingError,
        NumericError,
        OutOfMemoryError,
        PladisError,
        UnsupportedError,
    )
    from .model import Model, ModelInfo
    from .picture import Picture

_PLACES = {
    "_attention": ("attention", "entmax", "pladis_rows"),
    "_drawing": ("Progress",),
    "errors": ("ArgumentError", "Cancelled", "FileError", "FormatError", "MissingError", "NumericError", "OutOfMemoryError", "PladisError",
               "UnsupportedError"),
    "_grid": ("Grid", "grid"),
    "model": ("Model", "ModelInfo"),
    "_options": ("Option", "options"),
    "picture": ("Picture",),
}
_MODULE_OF = {name: module for module, names in _PLACES.items() for name in names}
__all__ = [
    "ArgumentError", "Cancelled", "FileError", "FormatError", "Grid", "MissingError", "Model", "ModelInfo", "NumericError", "Option",
    "OutOfMemoryError", "Picture", "PladisError", "Progress", "UnsupportedError", "attention", "entmax", "grid", "options", "pladis_rows"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from ._library import library
        return library.pld_version().decode()
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'pladis' has no attribute {name!r}")
    for kept in _PLACES[_MODULE_OF[name]]:
        globals()[kept] = getattr(importlib.import_module(f".{_MODULE_OF[name]}", __name__), kept)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULE_OF, "__version__"])
