/* SPDX-License-Identifier: Apache-2.0 */
#include "draw/drawing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw/inputs.h"
#include "draw/maps.h"
#include "draw/picture_texts.h"

/** What belongs to a job while it is drawn. */
typedef struct drawing {
    const drawer_setting *setting;
    job *drawn;
    lora_list loras;
    model_in_use used;
    pld_attention_maps *maps;
    job_inputs inputs;
    pld_generate_options options;
} drawing;

static bool note_progress(void *user, const pld_progress *progress) {
    drawing *self = user;
    job_note_progress(self->drawn, progress);
    return !job_is_cancelled(self->drawn) && !atomic_load(&self->drawn->skip);
}

static void note_preview(void *user, const pld_image *image, int step, int steps) {
    drawing *self = user;
    job_bytes png = {0};
    (void)step;
    (void)steps;
    if (atomic_load(&self->drawn->wants_preview) &&
        pld_image_encode_png(image, NULL, &png.bytes, &png.size, NULL) == PLD_OK) {
        job_note_preview(self->drawn, png);
    }
}

static void note_loading(job *drawn) {
    const pld_progress loading = {
        .struct_size = sizeof loading, .stage = "load", .images = drawn->request.count, .seconds_left = -1};
    job_note_progress(drawn, &loading);
}

/** The model, LoRAs, and everything that the library is asked for. */
static pld_status prepare(drawing *self, pld_error *error) {
    const job_request *request = &self->drawn->request;
    pld_status status = lora_list_make(request, self->setting->things, &self->loras, error);
    note_loading(self->drawn);
    status = status == PLD_OK
                 ? open_models_use(self->setting->models, request, &self->loras, &self->used, error)
                 : status;
    status = status == PLD_OK ? job_maps_make(request, &self->maps, error) : status;
    if (status != PLD_OK) {
        return status;
    }
    pld_generate_options_init(&self->options, sizeof self->options);
    pld_options_generate(request->options, &self->options);
    self->options.prompt = lora_list_prompt(&self->loras, request);
    self->options.attention_maps = self->maps;
    self->options.images = request->count;
    self->options.progress = note_progress;
    self->options.progress_user = self;
    self->options.preview = note_preview;
    self->options.preview_user = self;
    self->options.cancel = &self->drawn->cancel;
    return job_inputs_make(request, &self->inputs, &self->options, error);
}

/** What only the model knows: the size and the steps in force. */
static pld_status check(drawing *self, pld_error *error) {
    pld_report report = {.struct_size = sizeof report};
    const field_limits *limits = &self->setting->limits;
    const pld_status status = pld_generate_check(self->used.session, &self->options, &report, error);
    if (status != PLD_OK) {
        return status;
    }
    if ((int64_t)report.width * report.height > limits->max_pixels || report.steps > limits->max_steps) {
        error->status = PLD_ERROR_ARGUMENT;
        snprintf(error->message, sizeof error->message,
                 "%d x %d in %d steps are more than this server draws: at most %lld pixels and %lld steps",
                 report.width, report.height, report.steps, (long long)limits->max_pixels,
                 (long long)limits->max_steps);
        return PLD_ERROR_ARGUMENT;
    }
    return PLD_OK;
}

/** The picture as a PNG with what it was made by, in the history and with the job. Takes over its texts' memory. */
static pld_status keep(drawing *self, const pld_image *image, const pld_report *report, pld_error *error) {
    job_picture picture = {.seed = self->options.seed, .width = image->width, .height = image->height};
    pld_error trouble = {0};
    pld_status status = picture_texts_encode(self->setting->engine, &self->drawn->request, &self->loras,
                                             self->used.model, report, image, &picture, error);
    if (status != PLD_OK) {
        return status;
    }
    if (!self->drawn->request.unkept &&
        history_add(self->setting->kept, picture.png.bytes, picture.png.size, self->drawn->id,
                    self->options.image + 1, picture.history_name, &trouble) != PLD_OK) {
        /* Whoever asked gets the picture all the same. */
        log_line(self->setting->log, "job %.8s: not kept in the history: %s", self->drawn->id,
                 trouble.message);
        job_warn(self->drawn, "the server could not keep the picture in its history");
    }
    job_note_picture(self->drawn, &picture);
    return PLD_OK;
}

static pld_status draw_one(drawing *self, int number, pld_error *error) {
    pld_image image = {0};
    pld_report report = {.struct_size = sizeof report};
    atomic_store(&self->drawn->skip, false); /* what was skipped is over */
    self->options.image = number;
    self->options.seed = self->drawn->request.seed + number;
    pld_status status = pld_generate(self->used.session, &self->options, &image, &report, error);
    if (status == PLD_ERROR_CANCELLED && atomic_exchange(&self->drawn->skip, false) &&
        !job_is_cancelled(self->drawn)) {
        return PLD_OK;
    }
    status = status == PLD_OK ? keep(self, &image, &report, error) : status;
    if (status == PLD_OK) {
        atomic_fetch_add(&self->setting->counters->pictures, 1);
        atomic_fetch_add(&self->setting->counters->steps, (unsigned long long)report.steps);
    }
    pld_image_free(&image);
    return status;
}

pld_status drawing_run(const drawer_setting *setting, job *drawn, pld_error *error) {
    drawing self = {
        .setting = setting, .drawn = drawn, .inputs = {.init_noise_file = -1, .prompt_embeds_file = -1}};
    pld_status status = prepare(&self, error);
    status = status == PLD_OK ? check(&self, error) : status;
    for (int i = 0; status == PLD_OK && i < drawn->request.count; i++) {
        status = job_is_cancelled(drawn) ? PLD_ERROR_CANCELLED : draw_one(&self, i, error);
    }
    if (status == PLD_OK && self.maps != NULL) {
        status = job_maps_note(self.maps, drawn, error);
    }
    job_inputs_free(&self.inputs);
    pld_attention_maps_destroy(&self.maps);
    lora_list_free(&self.loras);
    return status;
}
