/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memfd_create */
#include "draw/inputs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/** The library reads tensors from files by their paths. This one lies in memory, and has a path in /proc alone. */
static pld_status make_file(const job_bytes *sent, const char *name, int *file, char *path, size_t path_size,
                            pld_error *error) {
    if (sent->size == 0) {
        return PLD_OK;
    }
    *file = memfd_create(name, MFD_CLOEXEC);
    size_t done = 0;
    while (*file >= 0 && done < sent->size) {
        const ssize_t written = write(*file, sent->bytes + done, sent->size - done);
        if (written <= 0) {
            break;
        }
        done += (size_t)written;
    }
    if (*file < 0 || done < sent->size) {
        error->status = PLD_ERROR_MEMORY;
        snprintf(error->message, sizeof error->message, "%s: no memory for the file that was sent: %s", name,
                 strerror(errno));
        return PLD_ERROR_MEMORY;
    }
    snprintf(path, path_size, "/proc/self/fd/%d", *file);
    return PLD_OK;
}

static pld_status make_picture(const job_bytes *sent, const char *name, pld_image *image, pld_error *error) {
    return sent->size > 0 ? pld_image_decode_png(sent->bytes, sent->size, name, image, error) : PLD_OK;
}

pld_status job_inputs_make(const job_request *request, job_inputs *inputs, pld_generate_options *options,
                           pld_error *error) {
    *inputs = (job_inputs){.init_noise_file = -1, .prompt_embeds_file = -1};
    pld_status status = make_picture(&request->init_image, "init-img", &inputs->init_image, error);
    status = status == PLD_OK ? make_picture(&request->mask, "mask", &inputs->mask, error) : status;
    status = status == PLD_OK ? make_file(&request->init_noise, "init-noise", &inputs->init_noise_file,
                                          inputs->init_noise_path, sizeof inputs->init_noise_path, error)
                              : status;
    status = status == PLD_OK
                 ? make_file(&request->prompt_embeds, "prompt-embeds", &inputs->prompt_embeds_file,
                             inputs->prompt_embeds_path, sizeof inputs->prompt_embeds_path, error)
                 : status;
    options->init_image = inputs->init_image.pixels != NULL ? &inputs->init_image : NULL;
    options->mask = inputs->mask.pixels != NULL ? &inputs->mask : NULL;
    options->init_noise = inputs->init_noise_file >= 0 ? inputs->init_noise_path : NULL;
    options->prompt_embeds = inputs->prompt_embeds_file >= 0 ? inputs->prompt_embeds_path : NULL;
    return status;
}

void job_inputs_free(job_inputs *inputs) {
    pld_image_free(&inputs->init_image);
    pld_image_free(&inputs->mask);
    if (inputs->init_noise_file >= 0) {
        close(inputs->init_noise_file);
    }
    if (inputs->prompt_embeds_file >= 0) {
        close(inputs->prompt_embeds_file);
    }
    *inputs = (job_inputs){.init_noise_file = -1, .prompt_embeds_file = -1};
}
