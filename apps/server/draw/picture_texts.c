/* SPDX-License-Identifier: Apache-2.0 */
#include "draw/picture_texts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pladis/metadata.h>

/** The λ in force: what was asked for, or the model's own. */
static double pladis_scale(const job_request *request, const pld_model *model) {
    const double asked = pld_options_get(request->options, "generate", "pladis")->number;
    pld_model_info info = {.struct_size = sizeof info};
    return isnan(asked) && pld_model_get_info(model, &info, NULL) == PLD_OK ? info.default_pladis_scale
                                                                            : asked;
}

/** The value of a key among pairs, as a copy; NULL: memory is out, or there is none. */
static char *copy_text(char *const *text, const char *key) {
    for (size_t i = 0; text[i] != NULL; i += 2) {
        if (strcmp(text[i], key) == 0) {
            return strdup(text[i + 1]);
        }
    }
    return NULL;
}

pld_status picture_texts_encode(const pld_engine *engine, const job_request *request, const lora_list *loras,
                                const pld_model *model, const pld_report *report, const pld_image *image,
                                job_picture *picture, pld_error *error) {
    const char *names[LORA_LIST_MOST];
    double weights[LORA_LIST_MOST];
    char **text = NULL, *settings = NULL;
    for (size_t i = 0; i < loras->count; i++) {
        names[i] = loras->items[i]->path;
        weights[i] = loras->items[i]->weight;
    }
    pld_drawn_with with;
    pld_drawn_with_init(&with, sizeof with);
    with.model = request->model;
    with.isa = pld_engine_isa(engine);
    with.threads = pld_engine_threads(engine);
    pld_drawn_picture drawn;
    pld_drawn_picture_init(&drawn, sizeof drawn);
    drawn.options = request->options;
    drawn.report = report;
    drawn.seed = picture->seed;
    drawn.pladis_scale = pladis_scale(request, model);
    drawn.loras = names;
    drawn.lora_weights = weights;
    drawn.lora_count = loras->count;
    const pld_drawn_picture *const all[] = {&drawn};
    pld_status status = pld_metadata_write(all, 1, &with, &text, error);
    status = status == PLD_OK ? pld_metadata_parameters(&drawn, false, &settings, error) : status;
    status = status == PLD_OK ? pld_image_encode_png(image, (const char *const *)text, &picture->png.bytes,
                                                     &picture->png.size, error)
                              : status;
    if (status == PLD_OK) {
        picture->parameters = copy_text(text, "parameters");
        picture->settings = strdup(settings);
        if (picture->parameters == NULL || picture->settings == NULL) {
            error->status = status = PLD_ERROR_MEMORY;
            snprintf(error->message, sizeof error->message, "out of memory for a picture's parameters");
            free(picture->parameters);
            free(picture->settings);
            pld_bytes_free(&picture->png.bytes);
        }
    }
    pld_text_free(&text);
    pld_string_free(&settings);
    return status;
}
