# SPDX-License-Identifier: Apache-2.0
"""Models, and pictures from them."""
from __future__ import annotations

import ctypes
import functools
import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from ctypes import POINTER, byref, c_int, c_void_p
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import _library
from ._drawing import Drawing, Progress
from ._library import Handle, call, encoded, initialised, library, result, structs, text_of
from ._run import interruptibly
from .errors import ArgumentError, MissingError
from .picture import Picture

Path_ = str | os.PathLike[str]


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
        self._files, self._kept_files = files, kept
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
        drawing = Drawing(self, prompt, dict(options), seed=seed, loras=loras, lora_dir=lora_dir, init_image=init_image, mask=mask,
                           progress=progress)
        try:
            return drawing.run()
        finally:
            drawing.close()

    # ---- writing ----

    def convert(self, output: Path_, *, layout: str | None = None, type: str | None = None, overwrite: bool = False,
                progress: Callable[[int, int], None] | bool | None = None) -> Path:
        """Write the model in another layout or type, tensor by tensor, whole or not at all; gives the path.

        output:   a name that ends in .safetensors or .gguf is one file, any other a diffusers folder
        layout:   "diffusers", "single", or "denoiser" (that part alone); by the output's name where it is not given
        type:     "f32", "f16", "bf16"; in GGUF also "q8_0", "q6_k", "q5_k", "q4_k", "q4_0"; in safetensors "int8". None keeps each tensor's
        overwrite: replace what is there
        progress: called with bytes written and bytes in all; True: a bar of tqdm

        Raises FileError, ArgumentError and what else pladis.errors has. Ctrl-C, or an exception of `progress`, leaves nothing behind.
        """
        output = Path(output)
        asked, cancel = initialised(structs.pld_convert_options), c_int(0)
        noted = _Written(progress, cancel)
        asked.layout = encoded(layout or _FILES.get(output.suffix, "diffusers"))
        if asked.layout == b"diffusers" and output.suffix in _FILES:
            raise ArgumentError(f"{output}: has the name of a file, but layout \"diffusers\" writes a folder; leave out {output.suffix}")
        asked.dtype, asked.overwrite, asked.cancel = encoded(type), overwrite, ctypes.pointer(cancel)
        callback = _library.WRITTEN(noted.note)
        asked.progress = ctypes.cast(callback, c_void_p)
        if asked.layout == b"denoiser":
            work = functools.partial(call, "pld_denoiser_convert", self._engine.address, encoded(Path(self.path)), byref(self._files), encoded(output),
                                     byref(asked))
        else:
            work = functools.partial(call, "pld_model_convert", self._model.address, encoded(output), byref(asked))
        try:
            interruptibly(work, cancel)
        except BaseException:
            if noted.raised is not None:
                raise noted.raised from None
            raise
        finally:
            noted.close()
        return output

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


_FILES = {".safetensors": "single", ".gguf": "denoiser"}  # layouts of files by the ends of their names


class _Written:
    """How much of a file is written, told to a caller or to a bar."""

    def __init__(self, told: Callable[[int, int], None] | bool | None, cancel: c_int) -> None:
        self.told, self.cancel = told, cancel
        self.bar: Any = None
        self.raised: BaseException | None = None

    def note(self, _user: Any, done: int, whole: int) -> None:
        try:
            if self.told is True:
                if self.bar is None:
                    from tqdm.auto import tqdm
                    self.bar = tqdm(total=whole, unit="B", unit_scale=True)
                self.bar.update(done - self.bar.n)
            elif callable(self.told):
                self.told(done, whole)
        except BaseException as problem: # noqa: BLE001 # raised again by convert()
            self.raised = self.raised or problem
            self.cancel.value = 1

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
