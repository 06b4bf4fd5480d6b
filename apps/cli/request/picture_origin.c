/* SPDX-License-Identifier: Apache-2.0 */
#include "request/picture_origin.h"

#include <string.h>

#include "request/a1111_parameters.h"

static const char a1111[] = "A1111 (or a program that writes the same form)";

/** Of several that fit the first counts: those that write as A1111 does and say their name, then what can be
 * read, then the rest. */
static const picture_origin origins[] = {
    {"SwarmUI", "parameters", "\"sui_image_params\"", NULL},
    {"pladis", "parameters", "Version: pladis", a1111_parameters_read},
    {"stable-diffusion.cpp", "parameters", "Version: stable-diffusion.cpp", a1111_parameters_read},
    {"Fooocus", "parameters", "Version: Fooocus", a1111_parameters_read},
    {"ComfyUI", "parameters", "Version: ComfyUI", a1111_parameters_read},
    {"SD.Next", "parameters", "App: SD.Next", a1111_parameters_read},
    {"Forge", "parameters", "Version: f", a1111_parameters_read},
    {a1111, "parameters", "Steps: ", a1111_parameters_read},
    {a1111, "UserComment", "Steps: ", a1111_parameters_read},
    {"Fooocus", "fooocus_scheme", NULL, NULL},
    {"InvokeAI", "invokeai_metadata", NULL, NULL},
    {"InvokeAI", "invokeai_graph", NULL, NULL},
    {"InvokeAI", "invokeai_workflow", NULL, NULL},
    {"InvokeAI", "sd-metadata", NULL, NULL},
    {"InvokeAI", "Dream", NULL, NULL},
    {"NovelAI", "Software", "NovelAI", NULL},
    {"NovelAI", "Source", "NovelAI", NULL},
    {"Easy Diffusion", "use_stable_diffusion_model", NULL, NULL},
    {"ComfyUI", "prompt", "\"class_type\"", NULL},
    {"ComfyUI", "workflow", "\"nodes\"", NULL},
    {"ComfyUI", "UserComment", "\"class_type\"", NULL},
    {"Draw Things", "XML:com.adobe.xmp", "Draw Things", NULL},
    {"Midjourney", "Description", "Job ID: ", NULL},
    {a1111, "postprocessing", NULL, NULL},
    {a1111, "parameters", NULL, NULL},
};

const char *picture_origin_text(char *const *text, const char *key) {
    const char *found = NULL;
    for (size_t i = 0; text[i] != NULL; i += 2) {
        found = strcmp(text[i], key) == 0 ? text[i + 1] : found;
    }
    return found;
}

const picture_origin *picture_origin_find(char *const *text, const char **value) {
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
        *value = picture_origin_text(text, origins[i].key);
        if (*value != NULL && (origins[i].word == NULL || strstr(*value, origins[i].word) != NULL)) {
            return &origins[i];
        }
    }
    return NULL;
}
