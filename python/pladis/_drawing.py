# SPDX-License-Identifier: Apache-2.0
"""One drawing: from arguments to the library's options, and from its result to a Picture."""
from __future__ import annotations

import ctypes
import json
import math
import os
import re
import secrets
from collections.abc import Mapping
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint8, c_void_p
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _library
from ._library import Handle, call, encoded, initialised, library, result, structs, take_string, text_of
from ._run import interruptibly
from .errors import ArgumentError
from .picture import Picture

if TYPE_CHECKING:
    from .model import Model

Path_ = str | os.PathLike[str]


@dataclass(frozen=True)
class Progress:
    """Where a picture is. `stage`: "load", "encode", "text", "denoise" or "decode"; `step` of `steps` in "denoise"; seconds since it
    began, and seconds left, negative while unknown."""

    stage: str
    step: int
    steps: int
    seconds: float
    seconds_left: float


def _image(value: Any, name: str) -> Any:
    """A picture of a caller as the library's struct, and the memory that it points to."""
    if value is None:
        return None
    image = structs.pld_image()
    if isinstance(value, (bytes, bytearray)):
        call("pld_image_decode_png", bytes(value), len(value), name.encode(), byref(image))
        image.owned = True
        return image
    if hasattr(value, "convert"): # PIL's
        value = value.convert("RGB")
        (width, height), data = value.size, value.tobytes()
    else:
        shape = tuple(getattr(value, "shape", ()))
        if len(shape) != 3 or shape[2] != 3 or str(getattr(value, "dtype", "")) != "uint8":
            raise ArgumentError(f"{name}: expected a PIL image, PNG bytes, or an array [height, width, 3] of uint8")
        width, height, data = shape[1], shape[0], value.tobytes()
    image.memory = (c_uint8 * len(data)).from_buffer_copy(data)
    image.width, image.height, image.pixels = width, height, ctypes.cast(image.memory, POINTER(c_uint8))
    image.owned = False
    return image


class Drawing:
    """One call of generate, and all that must live as long."""

    def __init__(self, model: Model, prompt: str, options: dict[str, Any], *, seed: int | None, loras: Any, lora_dir: Path_ | None,
                 init_image: Any, mask: Any, progress: Any) -> None:
        self.model = model
        self.seed = secrets.randbelow(1 << 32) if seed is None or seed < 0 else seed
        self.cancel = c_int(0)
        self.raised: BaseException | None = None
        self.told = progress
        self.bar: Any = None
        self.tags = c_void_p()
        self.init_image, self.mask = _image(init_image, "init_image"), _image(mask, "mask")
        self.options = Handle("pld_options_destroy")
        call("pld_options_create", byref(self.options.address))
        given = dict(loras) if isinstance(loras, Mapping) else {path: 1.0 for path in loras}
        self.loras = [(os.fspath(path), float(weight)) for path, weight in given.items()]
        options = {name: list(value) if isinstance(value, tuple) and name in ("guidance", "timesteps") else
                   ("x" if name != "crop" else ",").join(map(str, value)) if isinstance(value, tuple) else value
                   for name, value in options.items() if value is not None}
        options |= {"prompt": prompt, "seed": self.seed}
        if self.loras:
            options["lora"] = [f"{path}:{weight!r}" for path, weight in self.loras]
        if init_image is not None:
            options["init_img"] = "init_image.png"
        if mask is not None:
            options["mask"] = "mask.png"
        text = json.dumps(options).encode()
        try:
            call("pld_options_load", self.options.address, b"generate", text, len(text), structs.PLD_OPTIONS_ALL)
        except ArgumentError as problem:  # it begins with the option's name
            raise ArgumentError(re.sub(r"^[a-z0-9-]+(?=: )", lambda found: found[0].replace("-", "_"), str(problem))) from None
        self.prompt = prompt
        if not options.get("literal_prompt"):
            self._take_tags(lora_dir)

    def _take_tags(self, lora_dir: Path_ | None) -> None:
        call("pld_prompt_take_loras", self.prompt.encode("utf-8", "surrogatepass"), encoded(lora_dir), byref(self.tags))
        taken = ctypes.cast(self.tags, POINTER(structs.pld_prompt_loras)).contents
        self.prompt = text_of(taken.prompt)
        for i in range(taken.count):
            row = ctypes.cast(taken.loras[i], POINTER(structs.pld_lora)).contents
            self.loras.append((os.fsdecode(row.path), row.weight))

    def close(self) -> None:
        for image in (self.init_image, self.mask):
            if image is not None and image.owned:
                library.pld_image_free(byref(image))
        if self.tags.value:
            library.pld_prompt_loras_free(byref(self.tags))
        self.options.close()
        if self.bar is not None:
            self.bar.close()

    # ---- while it draws ----

    def _note(self, _user: Any, progress: Any) -> bool:
        """The library's callback: nothing may be raised through it."""
        try:
            now = progress.contents
            at = Progress(text_of(now.stage), now.step, now.steps, now.seconds, now.seconds_left)
            if self.told is True:
                self._show(at)
            elif callable(self.told):
                return self.told(at) is not False
            return True
        except BaseException as problem: # noqa: BLE001 # raised again by run()
            self.raised = problem
            return False

    def _show(self, at: Progress) -> None:
        if at.stage != "denoise":
            return
        if self.bar is None:
            from tqdm.auto import tqdm
            self.bar = tqdm(total=at.steps, unit="step")
        self.bar.update(at.step - self.bar.n)

    def _fill(self) -> Any:
        filled = initialised(structs.pld_generate_options)
        library.pld_options_generate(self.options.address, byref(filled))
        self.kept_prompt = self.prompt.encode("utf-8", "surrogatepass")
        filled.prompt = self.kept_prompt
        filled.init_image = ctypes.addressof(self.init_image) if self.init_image is not None else None
        filled.mask = ctypes.addressof(self.mask) if self.mask is not None else None
        self.callback = _library.PROGRESS(self._note)
        filled.progress = ctypes.cast(self.callback, c_void_p)
        filled.cancel = ctypes.pointer(self.cancel)
        return filled

    def _draw(self, session: Handle, filled: Any, image: Any, report: Any) -> None:
        interruptibly(lambda: call("pld_generate", session.address, byref(filled), byref(image), byref(report)), self.cancel)

    def run(self) -> Picture:
        session, model = self.model._session(tuple(self.loras))
        filled, image, report = self._fill(), structs.pld_image(), result(structs.pld_report)
        try:
            self._draw(session, filled, image, report)
        except BaseException:
            if self.raised is not None:
                raise self.raised from None
            raise
        try:
            return self._picture(image, report)
        finally:
            library.pld_image_free(byref(image))
            del model

    # ---- what came of it ----

    def _picture(self, image: Any, report: Any) -> Picture:
        about = initialised(structs.pld_drawn_picture)
        about.options, about.report, about.seed = self.options.address, ctypes.addressof(report), self.seed
        asked = library.pld_options_get(self.options.address, None, b"pladis").contents.number
        about.pladis_scale = self.model.info.pladis_scale if math.isnan(asked) else asked
        paths = _library.char_array([os.fsencode(path) for path, _ in self.loras])
        weights = (ctypes.c_double * len(self.loras))(*(weight for _, weight in self.loras))
        if self.loras:
            about.loras, about.lora_weights, about.lora_count = paths, weights, len(self.loras)
        parameters = c_void_p()
        call("pld_metadata_parameters", byref(about), True, byref(parameters))
        texts = self._texts(about)
        try:
            png = _png(image, texts)
        finally:
            library.pld_text_free(byref(texts))
        pixels = ctypes.string_at(image.pixels, image.width * image.height * 3)
        return Picture(pixels, image.width, image.height, png, self.seed, json.loads(take_string(parameters)), _report(report))

    def _texts(self, about: Any) -> Any:
        drawn_with = initialised(structs.pld_drawn_with)
        drawn_with.model = os.fsencode(Path(self.model.path).name)
        drawn_with.isa = self.model.isa.encode()
        drawn_with.threads = library.pld_engine_threads(self.model._engine.address)
        all_of_it = (POINTER(structs.pld_drawn_picture) * 1)(ctypes.pointer(about))
        texts = POINTER(c_char_p)()
        call("pld_metadata_write", all_of_it, 1, byref(drawn_with), byref(texts))
        return texts


def _png(image: Any, texts: Any) -> bytes:
    data, size = POINTER(c_uint8)(), c_size_t()
    call("pld_image_encode_png", byref(image), texts, byref(data), byref(size))
    png = ctypes.string_at(data, size.value)
    library.pld_bytes_free(byref(data))
    return png


def _report(report: Any) -> dict[str, Any]:
    """Figures of a picture."""
    names = ("evaluations", "calls", "peak_memory_bytes", "width", "height", "steps", "cfg_scale", "strength", "streamed_bytes", "resident_bytes")
    words = ("preset", "sampling_method", "scheduler", "spacing", "prediction_type", "dtype", "guidance")
    return {"stages": {text_of(report.stage_names[i]): report.stage_seconds[i] for i in range(report.stage_count)},
            **{name: getattr(report, name) for name in names}, **{name: text_of(getattr(report, name)) for name in words},
            "attention": {text_of(report.variant_names[i].value): report.variant_sites[i] for i in range(report.variant_count)}}
