/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/metadata/origin.h"

#include <string.h>

#include "pladis/metadata.h"

static const char a1111[] = "A1111 (or a program that writes the same form)";

/** Of several that fit the first counts: those that write as A1111 does and say their name, then what can be
 * read, then the rest. */
static const pld_metadata_origin origins[] = {
    {"SwarmUI", "parameters", "\"sui_image_params\"", NULL},
    {"pladis", "parameters", "Version: pladis", pld_metadata_read_a1111},
    {"stable-diffusion.cpp", "parameters", "Version: stable-diffusion.cpp", pld_metadata_read_a1111},
    {"Fooocus", "parameters", "Version: Fooocus", pld_metadata_read_a1111},
    {"ComfyUI", "parameters", "Version: ComfyUI", pld_metadata_read_a1111},
    {"SD.Next", "parameters", "App: SD.Next", pld_metadata_read_a1111},
    {"Forge", "parameters", "Version: f", pld_metadata_read_a1111},
    {a1111, "parameters", "Steps: ", pld_metadata_read_a1111},
    {a1111, "UserComment", "Steps: ", pld_metadata_read_a1111},
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

const char *pld_metadata_text(char *const *text, const char *key) {
    const char *found = NULL;
    for (size_t i = 0; text[i]; i += 2) {
        found = strcmp(text[i], key) == 0 ? text[i + 1] : found;
    }
    return found;
}

const pld_metadata_origin *pld_metadata_origin_find(char *const *text, const char **value) {
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
        *value = pld_metadata_text(text, origins[i].key);
        if (*value && (!origins[i].word || strstr(*value, origins[i].word))) {
            return &origins[i];
        }
    }
    return NULL;
}

const char *pld_metadata_program(char *const *text) {
    const char *value = NULL;
    const pld_metadata_origin *origin = text ? pld_metadata_origin_find(text, &value) : NULL;
    return origin ? origin->program : NULL;
}
