# SPDX-License-Identifier: Apache-2.0
"""What a binding of another language does: no header, no macro, structs declared as far as they are used.

usage: binding.py LIBRARY MODEL
"""
import ctypes
import struct
import sys
import threading
from ctypes import POINTER, byref, c_bool, c_char, c_char_p, c_int, c_size_t, c_ubyte, c_void_p, sizeof

library = ctypes.CDLL(sys.argv[1])


class Error(ctypes.Structure):
    _fields_ = [("status", c_int), ("message", c_char * 1024)]


class Image(ctypes.Structure):
    _fields_ = [("width", c_int), ("height", c_int), ("pixels", POINTER(c_ubyte))]


class Options(ctypes.Structure):  # of pld_generate, as far as the size
    _fields_ = [("struct_size", c_size_t), ("prompt", c_char_p), ("negative_prompt", c_char_p),
                ("literal_prompt", c_bool), ("clip_skip", c_int), ("width", c_int), ("height", c_int)]


def call(name, *arguments):
    error = Error()
    if getattr(library, name)(*arguments, byref(error)) != 0:
        raise RuntimeError(error.message.decode())


library.pld_version.restype = c_char_p
library.pld_status_text.restype = c_char_p
print("libpladis", library.pld_version().decode(), library.pld_version_number())

engine, model = c_void_p(), c_void_p()
call("pld_engine_create", None, byref(engine))
call("pld_model_open", engine, sys.argv[2].encode(), byref(model))
pictures = {}


def draw(name):
    session, image, png, size = c_void_p(), Image(), POINTER(c_ubyte)(), c_size_t()
    call("pld_session_create", model, byref(session))
    options = Options()
    library.pld_generate_options_init(byref(options), c_size_t(sizeof(options)))
    assert options.struct_size == sizeof(options) and options.clip_skip == 1 and options.prompt == b""
    options.prompt = "ein Fuchs, größer".encode()
    options.width = options.height = 64
    call("pld_generate", session, byref(options), byref(image), None)
    call("pld_image_encode_png", byref(image), None, byref(png), byref(size))
    pictures[name] = ctypes.string_at(png, size.value)
    library.pld_bytes_free(byref(png))
    library.pld_image_free(byref(image))
    library.pld_session_destroy(byref(session))
    assert not png and not image.pixels and not session.value


threads = [threading.Thread(target=draw, args=(i,)) for i in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert pictures[0] == pictures[1] and pictures[0][:4] == b"\x89PNG", pictures.keys()
assert struct.unpack(">II", pictures[0][16:24]) == (64, 64)

# A picture from memory, and text that says what is wrong.
image = Image()
call("pld_image_decode_png", pictures[0], c_size_t(len(pictures[0])), b"picture", byref(image))
assert (image.width, image.height) == (64, 64)
library.pld_image_free(byref(image))
try:
    call("pld_image_decode_png", pictures[0], c_size_t(99), b"upload 7", byref(image))
    raise SystemExit("damaged bytes were taken")
except RuntimeError as reason:
    assert "upload 7" in str(reason), reason

# A result that has room for more than there is.
info = (c_size_t * 64)(sizeof(c_size_t) * 64)
call("pld_model_get_info", model, byref(info))
assert info[0] == sizeof(info) and ctypes.cast(info[1], c_char_p).value.decode() == sys.argv[2] and info[63] == 0
library.pld_model_destroy(byref(model))
library.pld_engine_destroy(byref(engine))
print("drawn twice in", len(threads), "threads")
