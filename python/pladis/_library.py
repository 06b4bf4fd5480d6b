# SPDX-License-Identifier: Apache-2.0
"""libpladis by ctypes: no compiler is needed, and the GIL is released in every call."""
from __future__ import annotations

import ctypes
import ctypes.util
import os
import threading
from ctypes import POINTER, byref, c_bool, c_char, c_char_p, c_float, c_int, c_int64, c_size_t, c_uint8, c_uint64, c_void_p
from pathlib import Path
from typing import Any

from . import _structs as structs
from .errors import error_of

PACKAGE = Path(__file__).parent
PROGRESS = ctypes.CFUNCTYPE(c_bool, c_void_p, POINTER(structs.pld_progress))
LOG = ctypes.CFUNCTYPE(None, c_void_p, c_int, c_char_p)
WRITTEN = ctypes.CFUNCTYPE(None, c_void_p, c_uint64, c_uint64)
_TEXTS = POINTER(c_char_p)
_ERROR = POINTER(structs.pld_error)
# What is given back by the library is kept as an address, since c_char_p would copy it.
_ADDRESS = POINTER(c_void_p)

# name: (result, arguments); those that give a status end with the error, which `call` adds.
_STATUS: dict[str, list[Any]] = {
    "pld_version_check": [c_int],
    "pld_engine_create": [POINTER(structs.pld_engine_options), _ADDRESS],
    "pld_model_open_with": [c_void_p, c_char_p, POINTER(structs.pld_model_options), _ADDRESS],
    "pld_model_with_loras": [c_void_p, POINTER(POINTER(structs.pld_lora)), c_size_t, _ADDRESS],
    "pld_model_get_info": [c_void_p, POINTER(structs.pld_model_info)],
    "pld_prompt_take_loras": [c_char_p, c_char_p, _ADDRESS],
    "pld_model_convert": [c_void_p, c_char_p, POINTER(structs.pld_convert_options)],
    "pld_denoiser_convert": [c_void_p, c_char_p, POINTER(structs.pld_model_options), c_char_p, POINTER(structs.pld_convert_options)],
    "pld_scorer_create": [_ADDRESS],
    "pld_scorer_look": [c_void_p, c_void_p, c_int, c_int, POINTER(structs.pld_scene)],
    "pld_scene_judge": [POINTER(structs.pld_scene), POINTER(structs.pld_caption), POINTER(c_int), c_size_t],
    "pld_caption_parse": [c_char_p, POINTER(structs.pld_caption)],
    "pld_session_create": [c_void_p, _ADDRESS],
    "pld_generate": [c_void_p, POINTER(structs.pld_generate_options), POINTER(structs.pld_image), POINTER(structs.pld_report)],
    "pld_options_create": [_ADDRESS],
    "pld_options_load": [c_void_p, c_char_p, c_char_p, c_size_t, c_int],
    "pld_options_save": [c_void_p, c_char_p, _ADDRESS],
    "pld_metadata_write": [POINTER(POINTER(structs.pld_drawn_picture)), c_size_t, POINTER(structs.pld_drawn_with), POINTER(_TEXTS)],
    "pld_metadata_parameters": [POINTER(structs.pld_drawn_picture), c_bool, _ADDRESS],
    "pld_image_encode_png": [POINTER(structs.pld_image), _TEXTS, POINTER(POINTER(c_uint8)), POINTER(c_size_t)],
    "pld_image_decode_png": [c_char_p, c_size_t, c_char_p, POINTER(structs.pld_image)],
    "pld_tokenize": [c_void_p, c_char_p, c_size_t, c_bool, _ADDRESS],
    "pld_attention": [POINTER(structs.pld_attention_problem), c_void_p, c_size_t, POINTER(structs.pld_attention_parallel)],
    "pld_entmax_rows": [c_void_p, c_int64, c_int64, c_void_p, c_int64, c_float, c_void_p, c_void_p, c_size_t],
    "pld_pladis_rows": [c_void_p, c_int64, c_int64, c_void_p, c_int64, c_float, c_float, c_void_p, c_void_p, c_size_t],
}
_OTHER: dict[str, tuple[Any, list[Any]]] = {
    "pld_version": (c_char_p, []),
    "pld_engine_options_init": (None, [POINTER(structs.pld_engine_options), c_size_t]),
    "pld_engine_destroy": (None, [_ADDRESS]),
    "pld_engine_isa": (c_char_p, [c_void_p]),
    "pld_engine_threads": (c_int, [c_void_p]),
    "pld_model_options_init": (None, [POINTER(structs.pld_model_options), c_size_t]),
    "pld_model_destroy": (None, [_ADDRESS]),
    "pld_session_destroy": (None, [_ADDRESS]),
    "pld_convert_options_init": (None, [POINTER(structs.pld_convert_options), c_size_t]),
    "pld_scorer_destroy": (None, [_ADDRESS]),
    "pld_world_word": (c_char_p, [c_int, c_int]),
    "pld_lora_init": (None, [POINTER(structs.pld_lora), c_size_t]),
    "pld_prompt_loras_free": (None, [_ADDRESS]),
    "pld_generate_options_init": (None, [POINTER(structs.pld_generate_options), c_size_t]),
    "pld_options_generate": (None, [c_void_p, POINTER(structs.pld_generate_options)]),
    "pld_options_get": (POINTER(structs.pld_option_value), [c_void_p, c_char_p, c_char_p]),
    "pld_options_destroy": (None, [_ADDRESS]),
    "pld_option_at": (POINTER(structs.pld_option), [c_size_t]),
    "pld_option_belongs": (c_bool, [POINTER(structs.pld_option), c_char_p]),
    "pld_option_find": (POINTER(structs.pld_option), [c_char_p, c_char_p]),
    "pld_drawn_picture_init": (None, [POINTER(structs.pld_drawn_picture), c_size_t]),
    "pld_drawn_with_init": (None, [POINTER(structs.pld_drawn_with), c_size_t]),
    "pld_image_free": (None, [POINTER(structs.pld_image)]),
    "pld_bytes_free": (None, [POINTER(POINTER(c_uint8))]),
    "pld_text_free": (None, [POINTER(_TEXTS)]),
    "pld_string_free": (None, [_ADDRESS]),
    "pld_tokens_destroy": (None, [_ADDRESS]),
    "pld_attention_problem_init": (None, [POINTER(structs.pld_attention_problem), c_size_t]),
    "pld_attention_parallel_init": (None, [POINTER(structs.pld_attention_parallel), c_size_t]),
    "pld_attention_scratch_size": (c_size_t, [POINTER(structs.pld_attention_problem), c_int]),
    "pld_rows_scratch_size": (c_size_t, [c_int64]),
    "pld_list": (c_bool, [c_int, c_size_t, POINTER(c_char_p), POINTER(c_char_p)]),
}


def _candidates() -> list[str]:
    """Where the library may be: named by PLADIS_LIBRARY, in the package, installed."""
    named = os.environ.get("PLADIS_LIBRARY")
    found = ctypes.util.find_library("pladis")
    own = sorted(str(path) for path in PACKAGE.glob("libpladis.so*"))
    return [named] if named else own + ([found] if found else [])


def _load() -> ctypes.CDLL:
    candidates = _candidates()
    if not candidates:
        raise ImportError("libpladis was not found: install the wheel, or name the library by the environment's PLADIS_LIBRARY")
    library = ctypes.CDLL(candidates[0])
    for name, arguments in _STATUS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = c_int, [*arguments, _ERROR]
    for name, (result, given) in _OTHER.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, given
    return library


library = _load()


def call(name: str, *arguments: Any) -> None:
    """Call a function that gives a status; what it says went wrong becomes an exception."""
    error = structs.pld_error()
    status = getattr(library, name)(*arguments, byref(error))
    if status != structs.PLD_OK:
        raise error_of(status, error.message.decode("utf-8", "replace"))


def initialised(kind: Any) -> Any:
    """A struct with the library's defaults."""
    made = kind()
    getattr(library, kind.__name__ + "_init")(byref(made), ctypes.sizeof(made))
    return made


def result(kind: Any) -> Any:
    """A struct for the library to fill."""
    made = kind()
    made.struct_size = ctypes.sizeof(made)
    return made


def take_string(address: c_void_p) -> str:
    """A text of the library's, which is given back."""
    text = ctypes.string_at(address.value or 0).decode("utf-8", "replace") if address.value else ""
    library.pld_string_free(byref(address))
    return text


def text_of(value: bytes | None) -> str:
    return value.decode("utf-8", "replace") if value is not None else ""


def encoded(value: str | os.PathLike[str] | None) -> bytes | None:
    return None if value is None else os.fsencode(value) if isinstance(value, os.PathLike) else value.encode("utf-8", "surrogatepass")


_handles = threading.RLock()


class Handle:
    """An object of the library, destroyed with this one or by close(), but not before those that were made of it: the collector of
    garbage knows no order."""

    def __init__(self, destroy: str, parent: Handle | None = None) -> None:
        self.address = c_void_p()
        self._destroy, self._parent, self._children, self._closing = destroy, parent, 0, False
        if parent is not None:
            with _handles:
                parent._children += 1

    def close(self) -> None:
        with _handles:
            self._closing = True
            if self._children > 0:
                return
            if self.address.value:
                getattr(library, self._destroy)(byref(self.address))
            parent, self._parent = self._parent, None
            if parent is not None:
                parent._children -= 1
                if parent._closing:
                    parent.close()

    def __del__(self) -> None:
        self.close()


def char_array(texts: list[bytes]) -> Any:
    return (c_char_p * len(texts))(*texts) if texts else None


__all__ = ["LOG", "PACKAGE", "PROGRESS", "WRITTEN", "Handle", "c_char", "call", "char_array", "encoded", "initialised", "library", "result", "structs",
           "take_string", "text_of"]
