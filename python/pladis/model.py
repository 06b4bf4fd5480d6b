# SPDX-License-Identifier: Apache-2.0
"""Models, and pictures from them."""
from __future__ import annotations

import ctypes
import json
import logging
import math
import os
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint8, c_void_p
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import _library
from ._library import Handle, call, encoded, initialised, library, result, structs, take_string, text_of
from .errors import ArgumentError, MissingError
from .picture import Picture

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


@dataclass(frozen=True)
class ModelInfo:
    """What a model is: its family, the names of its parts and attention sites, and what is used where nothing is given."""

    family: str
    layout: str
    prediction_type: str
    scheduler: str
    width: int
    height: int
    steps: int
    cfg_scale: float
    pladis_scale: float
    parts: dict[str, dict[str, Any]]
    sites: list[dict[str, Any]]


_logger = logging.getLogger("pladis")
_LEVELS = {structs.PLD_LOG_WARNING: logging.WARNING, structs.PLD_LOG_NOTICE: logging.INFO, structs.PLD_LOG_DETAIL: logging.DEBUG}


def _log(_user: Any, level: int, message: bytes) -> None:
    """What the library has to say goes to the logger "pladis"."""
    _logger.log(_LEVELS.get(level, logging.INFO), "%s", text_of(message))


_LOG = _library.LOG(_log)
_engines: dict[tuple[Any, ...], Handle] = {}
_engines_lock = threading.Lock()


def _engine(threads: int, isa: str | None, max_memory: int) -> Handle:
    """The engine of these settings; all models share those that are equal."""
    with _engines_lock:
        key = (threads, isa, max_memory)
        if key not in _engines:
            options = initialised(structs.pld_engine_options)
            options.threads, options.isa, options.max_memory = threads, encoded(isa), max_memory
            options.log = ctypes.cast(_LOG, c_void_p)
            made = Handle("pld_engine_destroy")
            call("pld_engine_create", byref(options), byref(made.address))
            _engines[key] = made
        return _engines[key]


def _bytes_of(size: int | str) -> int:
    """"8G", "1.5G" or "800M" in bytes."""
    if isinstance(size, int):
        return size
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
    try:
        return int(float(size.rstrip("iB")[:-1]) * units[size.rstrip("iB")[-1].upper()])
    except (KeyError, ValueError, IndexError):
        raise ArgumentError(f'max_memory: found "{size}", expected bytes, or as many as stand before K, M, G or T: "8G"') from None


def find_model(name: Path_) -> Path:
    """The path of a model: itself where it exists, else one of PLADIS_MODEL_DIR or of those that ship with the package."""
    folders = [Path(), *(Path(folder) for folder in (os.environ.get("PLADIS_MODEL_DIR"),) if folder), _library.PACKAGE / "models"]
    for folder in folders:
        for ending in ("", ".safetensors"):
            path = folder / (os.fspath(name) + ending)
            if path.exists():
                return path
    raise MissingError(f"{os.fspath(name)}: no such model; give the path of a diffusers folder or a checkpoint, or \"demo\"")


def _vocabularies() -> list[bytes]:
    """Folders in which vocabularies may be installed that single files lack."""
    data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    places = [os.environ.get("PLADIS_VOCABULARY_DIR"), os.path.join(data, "pladis"), "/usr/local/share/pladis/vocabulary",
              "/usr/share/pladis/vocabulary"]
    return [os.fsencode(place) for place in places if place and os.path.isdir(place)]


class Model:
    """A model that is open: a diffusers folder, a checkpoint of one file (safetensors or GGUF), or "demo", which ships with the package.

    Any number of threads may draw with one model at once; each has a session of its own, and the GIL is released meanwhile.

    vae, unet, text_encoder, text_encoder_2, text_encoder_3, tokenizer, config: files that complete or replace what is at `path`
    threads: 0 takes the physical cores; isa: caps the instruction set; max_memory: bytes, or "8G", that the process may take
    """

    def __init__(self, path: Path_ = "demo", *, threads: int = 0, isa: str | None = None, max_memory: int | str = 0, vae: Path_ | None = None,
                 unet: Path_ | None = None, text_encoder: Path_ | None = None, text_encoder_2: Path_ | None = None,
                 text_encoder_3: Path_ | None = None, tokenizer: Path_ | None = None, config: Path_ | None = None) -> None:
        self._engine = _engine(threads, isa, _bytes_of(max_memory))
        self.path = find_model(path)
        self._lock = threading.Lock()
        self._with_loras: dict[tuple[tuple[str, float], ...], Handle] = {}
        self._local = threading.local()
        files = initialised(structs.pld_model_options)
        for name, value in (("vae", vae), ("unet", unet), ("text_encoder", text_encoder), ("text_encoder_2", text_encoder_2),
                            ("text_encoder_3", text_encoder_3), ("tokenizer", tokenizer), ("config", config)):
            setattr(files, name, encoded(value))
        folders = _vocabularies()
        kept = _library.char_array(folders)
        if folders:
            files.vocabulary_dirs, files.vocabulary_dir_count = kept, len(folders)
        clip = next((place for folder in folders if os.path.exists(place := os.path.join(folder, b"bpe_simple_vocab_16e6.txt.gz"))), None)
        files.vocabulary = encoded(os.environ.get("PLADIS_VOCABULARY")) or clip
        self._model = Handle("pld_model_destroy", self._engine)
        call("pld_model_open_with", self._engine.address, encoded(Path(self.path)), byref(files), byref(self._model.address))

    # ---- what it is ----

    @property
    def info(self) -> ModelInfo:
        found = result(structs.pld_model_info)
        call("pld_model_get_info", self._model.address, byref(found))
        parts = {}
        for i in range(found.part_count):
            part = ctypes.cast(found.parts[i], POINTER(structs.pld_model_part)).contents
            parts[text_of(part.name)] = {"kind": text_of(part.kind), "dtype": text_of(part.dtype), "parameters": part.parameters, "bytes": part.bytes}
        sites = []
        for i in range(found.site_count):
            site = ctypes.cast(found.sites[i], POINTER(structs.pld_attention_site)).contents
            sites.append({"name": text_of(site.name), "kind": text_of(site.kind), "heads": site.heads, "head_size": site.head_size})
        return ModelInfo(text_of(found.family), text_of(found.layout), text_of(found.prediction_type), text_of(found.scheduler),
                         found.default_width, found.default_height, found.default_steps, found.default_cfg_scale, found.default_pladis_scale,
                         parts, sites)

    @property
    def isa(self) -> str:
        """The instruction set in use, such as "avx2"."""
        return text_of(library.pld_engine_isa(self._engine.address))

    def tokenize(self, text: str, *, literal: bool = False) -> dict[str, list[dict[str, Any]]]:
        """What the model sees of a prompt: for each tokenizer its chunks, each with ids [T], pieces [T] and weights [T]."""
        address, data = c_void_p(), text.encode("utf-8", "surrogatepass")
        call("pld_tokenize", self._model.address, data, len(data), literal, byref(address))
        tokens = ctypes.cast(address, POINTER(structs.pld_tokens)).contents
        found: dict[str, list[dict[str, Any]]] = {}
        for i in range(tokens.count):
            one = ctypes.cast(tokens.tokenizers[i], POINTER(structs.pld_tokenizer_tokens)).contents
            chunks = [ctypes.cast(one.chunks[j], POINTER(structs.pld_token_chunk)).contents for j in range(one.chunk_count)]
            found[text_of(one.name)] = [{"ids": chunk.ids[:chunk.count], "pieces": [text_of(chunk.pieces[k]) for k in range(chunk.count)],
                                         "weights": chunk.weights[:chunk.count]} for chunk in chunks]
        library.pld_tokens_destroy(byref(address))
        return found

    # ---- drawing ----

    def generate(self, prompt: str, *, loras: Mapping[Path_, float] | Iterable[Path_] = (), lora_dir: Path_ | None = None, init_image: Any = None,
                 mask: Any = None, seed: int | None = 42, progress: Callable[[Progress], bool | None] | bool | None = None,
                 **options: Any) -> Picture:
        """Draw a picture.

        prompt:           as for `pladis generate`: (word:1.2), [word], BREAK; <lora:NAME:W> with `lora_dir`
        loras:            files and their weights; lora_dir: where <lora:…> of the prompt finds NAME.safetensors
        init_image, mask: a PIL image, an array [height, width, 3] of uint8, or PNG bytes; where the mask is light is redrawn
        seed:             None or a negative one is random; the picture tells it
        progress:         called with a Progress before the first step and after each; return False to cancel. True: a bar of tqdm
        options:          every other option of the table by its name with underscores (see pladis.options()): negative_prompt, steps,
                          cfg_scale, width, height, pladis_scale (λ), pladis_alpha (α), pladis_blocks, sampling_method, guidance=[…], …

        Raises ArgumentError for what cannot be, Cancelled, and what else pladis.errors has. Ctrl-C ends it within one operator.
        """
        drawing = _Drawing(self, prompt, dict(options), seed=seed, loras=loras, lora_dir=lora_dir, init_image=init_image, mask=mask,
                           progress=progress)
        try:
            return drawing.run()
        finally:
            drawing.close()

    def _session(self, loras: tuple[tuple[str, float], ...]) -> tuple[Handle, Handle]:
        """This thread's session on the model with these LoRAs, and that model."""
        model = self._model_with(loras)
        sessions: dict[Any, Handle] = self._local.__dict__.setdefault("sessions", {})
        if loras not in sessions:
            sessions.clear() # plans and buffers of one set of LoRAs at a time
            made = Handle("pld_session_destroy", model)
            call("pld_session_create", model.address, byref(made.address))
            sessions[loras] = made
        return sessions[loras], model

    def _model_with(self, loras: tuple[tuple[str, float], ...]) -> Handle:
        if not loras:
            return self._model
        with self._lock:
            if loras not in self._with_loras:
                rows = []
                for path, weight in loras:
                    row = initialised(structs.pld_lora)
                    row.path, row.weight = os.fsencode(path), weight
                    rows.append(row)
                pointers = (POINTER(structs.pld_lora) * len(rows))(*(ctypes.pointer(row) for row in rows))
                made = Handle("pld_model_destroy", self._engine)
                call("pld_model_with_loras", self._model.address, pointers, len(rows), byref(made.address))
                self._with_loras = {loras: made}
            return self._with_loras[loras]


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
        width, height, data = *value.size, value.tobytes()
    else:
        shape = tuple(getattr(value, "shape", ()))
        if len(shape) != 3 or shape[2] != 3 or str(getattr(value, "dtype", "")) != "uint8":
            raise ArgumentError(f"{name}: expected a PIL image, PNG bytes, or an array [height, width, 3] of uint8")
        width, height, data = shape[1], shape[0], value.tobytes()
    image.memory = (c_uint8 * len(data)).from_buffer_copy(data)
    image.width, image.height, image.pixels = width, height, ctypes.cast(image.memory, POINTER(c_uint8))
    image.owned = False
    return image


class _Drawing:
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
        call("pld_options_load", self.options.address, b"generate", text, len(text), structs.PLD_OPTIONS_ALL)
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
        """The call itself. On the main thread it runs beside it, so that Ctrl-C is noticed while the library computes."""
        if threading.current_thread() is not threading.main_thread():
            call("pld_generate", session.address, byref(filled), byref(image), byref(report))
            return
        problems: list[BaseException] = []
        done = threading.Event() # a thread that is joined counts as ended once Ctrl-C has broken the joining off

        def work() -> None:
            try:
                call("pld_generate", session.address, byref(filled), byref(image), byref(report))
            except BaseException as problem: # noqa: BLE001 # raised again below
                problems.append(problem)
            finally:
                done.set()

        threading.Thread(target=work, name="pladis.generate", daemon=True).start()
        try:
            while not done.wait(0.05):
                pass
        except BaseException:
            self.cancel.value = 1
            while not done.wait(0.05):
                pass
            raise
        if problems:
            raise problems[0]

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
