/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "io/files/placeholder.h"
#include "io/tensors/formats.h"

#define PICKLE_REMEDY                                                                                        \
    ", which can contain programs and is never read; obtain the .safetensors version of the model, or "      \
    "convert "                                                                                               \
    "it with a tool that you trust"

static const struct {
    const char *magic;
    size_t size;
    const char *what;
} foreign_formats[] = {
    {"PK\x03\x04", 4, "a PyTorch (.ckpt, .pt, .bin) or other zip archive" PICKLE_REMEDY},
    {"\x80\x02", 2, "a Python pickle (.ckpt, .pt, .bin)" PICKLE_REMEDY},
    {"\x80\x03", 2, "a Python pickle" PICKLE_REMEDY},
    {"\x80\x04", 2, "a Python pickle" PICKLE_REMEDY},
    {"\x80\x05", 2, "a Python pickle" PICKLE_REMEDY},
    {"\x89HDF", 4, "an HDF5 (Keras) file; obtain the .safetensors version of the model"},
    {"{", 1, "JSON text; name the .safetensors file or the model's folder instead"},
    {"\x1f\x8b", 2, "a gzip archive; unpack it first"},
};

const char *pld_recognise_foreign_file(const uint8_t *start, size_t size) {
    for (size_t i = 0; i < sizeof foreign_formats / sizeof *foreign_formats; i++) {
        if (size >= foreign_formats[i].size &&
            memcmp(start, foreign_formats[i].magic, foreign_formats[i].size) == 0) {
            return foreign_formats[i].what;
        }
    }
    return pld_recognise_placeholder((const char *)start, size);
}
