/* SPDX-License-Identifier: Apache-2.0 */
/** LoRAs that a prompt names, found inside one folder and nowhere else. */
#define _XOPEN_SOURCE 700 /* realpath */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "core/sized.h"
#include "loras/tags.h"
#include "pladis/pladis.h"

static bool ends_with(const char *text, const char *end) {
    const size_t length = strlen(text);
    const size_t size = strlen(end);
    return length > size && strcmp(text + length - size, end) == 0;
}

/** `path` is below `folder`; both are real paths. */
static bool is_below(const char *path, const char *folder) {
    const size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || folder[length - 1] == '/');
}

/** The public view and what it points into; `taken` is first, so that one pointer is both. */
typedef struct prompt_loras {
    pld_prompt_loras taken;
    char *prompt;
    char **paths;                  /* [taken.count] */
    pld_lora *loras;               /* [taken.count] */
    const pld_lora **public_loras; /* into `loras` */
} prompt_loras;

/** The real path of a tag's file in new memory. */
static pld_status find_file(const char *folder, const char *name, char **path, pld_error *error) {
    char root[PATH_MAX];
    char real[PATH_MAX];
    struct stat found;
    if (!realpath(folder, root)) {
        return pld_fail(error, PLD_ERROR_MISSING,
                        "%s: no such folder; it should contain the LoRAs of the prompt", folder);
    }
    const char *end = ends_with(name, ".safetensors") ? "" : ".safetensors";
    char *wanted = pld_format("%s/%s%s", root, name, end);
    if (!wanted) {
        return pld_fail_memory(error, strlen(name), "path");
    }
    bool there = realpath(wanted, real) && stat(real, &found) == 0 && S_ISREG(found.st_mode);
    pld_free(wanted);
    if (!there) {
        return pld_fail(error, PLD_ERROR_MISSING, "prompt: <lora:%.100s>: there is no file %.100s%s in %s",
                        name, name, end, folder);
    }
    if (!is_below(real, root)) {
        return pld_fail(
            error, PLD_ERROR_ARGUMENT,
            "prompt: <lora:%.100s>: the file lies outside %s; only LoRAs inside can be named in a "
            "prompt",
            name, folder);
    }
    *path = pld_copy_string(real);
    return *path ? PLD_OK : pld_fail_memory(error, strlen(real), "path");
}

static pld_status find_all(const pld_lora_tags *tags, const char *folder, prompt_loras *made,
                           pld_error *error) {
    if (tags->count > 0 && !folder) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "prompt: <lora:%.100s> names a LoRA, but no folder of LoRAs is given; use --lora-dir",
                        tags->tags[0].name);
    }
    made->paths = pld_allocate(tags->count, sizeof *made->paths);
    made->loras = pld_allocate(tags->count, sizeof *made->loras);
    made->public_loras = pld_allocate(tags->count, sizeof(const pld_lora *));
    if (!made->paths || !made->loras || !made->public_loras) {
        return pld_fail_memory(error, tags->count * sizeof *made->loras, "LoRAs");
    }
    for (size_t i = 0; i < tags->count; i++) {
        PLD_TRY(find_file(folder, tags->tags[i].name, &made->paths[i], error));
        made->loras[i] = (pld_lora){
            .struct_size = sizeof made->loras[i], .path = made->paths[i], .weight = tags->tags[i].weight};
        made->taken.count = i + 1;
    }
    PLD_SIZED_LIST(made->public_loras, made->loras, tags->count);
    made->taken.loras = made->public_loras;
    return PLD_OK;
}

pld_status pld_prompt_take_loras(const char *prompt, const char *folder, pld_prompt_loras **taken,
                                 pld_error *error) {
    pld_lora_tags tags;
    *taken = NULL;
    PLD_TRY(pld_lora_tags_take(prompt, &tags, error));
    prompt_loras *made = pld_allocate(1, sizeof *made);
    if (!made) {
        pld_lora_tags_free(&tags);
        return pld_fail_memory(error, sizeof *made, "LoRAs");
    }
    made->taken.struct_size = sizeof made->taken;
    made->taken.prompt = made->prompt = tags.prompt;
    tags.prompt = NULL;
    pld_status status = find_all(&tags, folder, made, error);
    pld_lora_tags_free(&tags);
    *taken = &made->taken;
    if (status != PLD_OK) {
        pld_prompt_loras_free(taken);
    }
    return status;
}

void pld_prompt_loras_free(pld_prompt_loras **taken) {
    prompt_loras *made = (prompt_loras *)*taken;
    *taken = NULL;
    if (!made) {
        return;
    }
    for (size_t i = 0; i < made->taken.count; i++) {
        pld_free(made->paths[i]);
    }
    pld_free(made->paths);
    pld_free(made->loras);
    pld_free(made->public_loras);
    pld_free(made->prompt);
    pld_free(made);
}
