/* SPDX-License-Identifier: Apache-2.0 */
#include "fields/upload.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"

static uint32_t big_endian(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

bool upload_check_png(const char *field, const void *bytes, size_t size, int64_t max_pixels,
                      field_problem *problem) {
    static const uint8_t signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    enum { HEADER = 24, LONGEST_SIDE = 16384 };
    const uint8_t *at = bytes;
    if (size < HEADER || memcmp(at, signature, sizeof signature) != 0 || memcmp(at + 12, "IHDR", 4) != 0) {
        return field_refuse(problem, field, PLD_ERROR_FORMAT, "%s: expected a PNG", field);
    }
    const uint32_t width = big_endian(at + 16), height = big_endian(at + 20);
    const uint64_t pixels = (uint64_t)width * height;
    return width > 0 && height > 0 && width <= LONGEST_SIDE && height <= LONGEST_SIDE &&
                   pixels <= (uint64_t)max_pixels
               ? true
               : field_refuse(problem, field, PLD_ERROR_ARGUMENT,
                              "%s: found a picture of %u x %u, expected at most %lld pixels and sides of %d",
                              field, width, height, (long long)max_pixels, LONGEST_SIDE);
}

job_bytes *upload_place(job_request *request, const char *option) {
    return strcmp(option, "init-img") == 0        ? &request->init_image
           : strcmp(option, "mask") == 0          ? &request->mask
           : strcmp(option, "init-noise") == 0    ? &request->init_noise
           : strcmp(option, "prompt-embeds") == 0 ? &request->prompt_embeds
                                                  : NULL;
}

/** Keep `bytes`, which are taken over. */
static bool keep(const pld_option *option, uint8_t *bytes, size_t size, int64_t max_pixels,
                 job_request *request, field_problem *problem) {
    job_bytes *place = upload_place(request, option->name);
    const bool picture = place == &request->init_image || place == &request->mask;
    if (place == NULL || (picture && !upload_check_png(option->name, bytes, size, max_pixels, problem))) {
        free(bytes);
        return place != NULL ? false
                             : field_refuse(problem, option->name, PLD_ERROR_UNSUPPORTED,
                                            "%s: this server takes no such file", option->name);
    }
    free(place->bytes);
    *place = (job_bytes){bytes, size};
    /* Under this name the picture's metadata tell of it. */
    return !picture ||
           pld_options_set_option(request->options, option, "upload.png", &problem->error) == PLD_OK;
}

bool upload_keep(const pld_option *option, const void *bytes, size_t size, int64_t max_pixels,
                 job_request *request, field_problem *problem) {
    uint8_t *copy = size > 0 ? malloc(size) : NULL;
    if (copy == NULL) {
        return size == 0 ? field_refuse(problem, option->name, PLD_ERROR_FORMAT, "%s: found an empty file",
                                        option->name)
                         : field_refuse(problem, option->name, PLD_ERROR_MEMORY, "out of memory");
    }
    memcpy(copy, bytes, size);
    return keep(option, copy, size, max_pixels, request, problem);
}

bool upload_keep_base64(const pld_option *option, const char *text, int64_t max_pixels, job_request *request,
                        field_problem *problem) {
    size_t size = 0;
    bool out_of_memory = false;
    uint8_t *bytes = base64_read(text, &size, &out_of_memory);
    if (bytes == NULL) {
        return out_of_memory ? field_refuse(problem, option->name, PLD_ERROR_MEMORY, "out of memory")
                             : field_refuse(problem, option->name, PLD_ERROR_FORMAT,
                                            "%s: expected a file as base64 or as a data URL", option->name);
    }
    return keep(option, bytes, size, max_pixels, request, problem);
}
