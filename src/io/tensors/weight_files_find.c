/* SPDX-License-Identifier: Apache-2.0 */
/* Which files of a folder hold the weights, by the names that diffusers and transformers give them:
 *   STEM.safetensors                        STEM.safetensors.index.json
 *   STEM.VARIANT.safetensors                STEM.safetensors.index.VARIANT.json
 *                                           STEM.VARIANT.safetensors.index.json */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/tensors/weight_files_internal.h"

/** What else was seen, for the message when nothing can be used. */
typedef struct other_files {
    bool pickle;     /* STEM*.bin and their like */
    bool bare_shard; /* STEM-00001-of-00002.safetensors */
} other_files;

static bool starts_with(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

/** Position of `end` in a text that ends in it, else NULL. */
static const char *find_end(const char *text, const char *end) {
    size_t length = strlen(text);
    size_t tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0 ? text + length - tail : NULL;
}

/** Cut the variant out of `rest`, which follows "STEM" in a file name; false when the name has another form.
 *  A variant has neither dots nor the "-of-" of shards. */
static bool split_name(const char *rest, const char **variant, size_t *length, bool *index) {
    static const char single[] = ".safetensors";
    static const char index_start[] = ".safetensors.index";
    static const char json[] = ".json";
    const char *end = NULL;
    *variant = rest;
    if ((end = find_end(rest, single)) != NULL) {
        *index = false;
    } else if ((end = find_end(rest, ".safetensors.index.json")) != NULL) {
        *index = true;
    } else if (starts_with(rest, index_start) && (end = find_end(rest, json)) != NULL) {
        *index = true;
        *variant = rest + strlen(index_start);
    } else {
        return false;
    }
    *length = (size_t)(end - *variant);
    if (*length == 0) {
        return true;
    }
    if (**variant != '.' || *length == 1) {
        return false;
    }
    (*variant)++;
    (*length)--;
    for (size_t i = 0; i < *length; i++) {
        if ((*variant)[i] == '.' || strncmp(*variant + i, "-of-", 4) == 0) {
            return false;
        }
    }
    return true;
}

/** Look at one file name and take it into the list if it can be used. */
static pld_status consider(const char *name, const char *stem, pld_weight_candidates *found,
                           other_files *others, pld_error *error) {
    bool transformers_pickle = strcmp(stem, "model") == 0 && starts_with(name, "pytorch_model");
    if (!starts_with(name, stem) && !transformers_pickle) {
        return PLD_OK;
    }
    others->pickle = others->pickle || find_end(name, ".bin") || find_end(name, ".ckpt") ||
                     find_end(name, ".pt") || find_end(name, ".pth");
    const char *variant = NULL;
    size_t length = 0;
    bool index = false;
    if (transformers_pickle || !split_name(name + strlen(stem), &variant, &length, &index)) {
        others->bare_shard = others->bare_shard || (strstr(name, "-of-") && find_end(name, ".safetensors"));
        return PLD_OK;
    }
    if (!pld_grow((void **)&found->items, &found->capacity, found->count + 1, sizeof *found->items)) {
        return pld_fail_memory(error, sizeof *found->items, "list of weight files");
    }
    pld_weight_candidate *item = &found->items[found->count++];
    item->index = index;
    item->name = pld_copy_string(name);
    item->variant = pld_copy_bytes(variant, length);
    return item->name && item->variant ? PLD_OK
                                       : pld_fail_memory(error, strlen(name), "list of weight files");
}

static int variant_rank(const char *variant) {
    static const char *const ranks[] = {"", "fp16", "bf16"};
    enum { COUNT = sizeof ranks / sizeof *ranks };
    for (int i = 0; i < COUNT; i++) {
        if (strcmp(variant, ranks[i]) == 0) {
            return i;
        }
    }
    return strcmp(variant, "non_ema") == 0 ? COUNT + 1 : COUNT; /* non_ema weights are for further training */
}

static int compare_candidates(const void *left, const void *right) {
    const pld_weight_candidate *a = left;
    const pld_weight_candidate *b = right;
    int order = variant_rank(a->variant) - variant_rank(b->variant);
    order = order ? order : strcmp(a->variant, b->variant);
    order = order ? order : a->index - b->index;
    return order ? order : strcmp(a->name, b->name);
}

static pld_status nothing_found(const char *folder, const char *stem, const other_files *others,
                                pld_error *error) {
    if (others->bare_shard) {
        return pld_fail(error, PLD_ERROR_MISSING,
                        "%s: found shards of %s.safetensors but not their index '%s.safetensors.index.json'; "
                        "download the index as well",
                        folder, stem, stem);
    }
    if (others->pickle) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: expected '%s.safetensors', found only Python pickles (.bin, .ckpt), which can "
                        "contain programs and are never read; obtain the .safetensors version of the model",
                        folder, stem);
    }
    return pld_fail(error, PLD_ERROR_MISSING,
                    "%s: expected '%s.safetensors', a variant of it or '%s.safetensors.index.json', found "
                    "none of them; download the model's weights",
                    folder, stem, stem);
}

pld_status pld_weight_candidates_find(const char *folder, const char *stem, pld_weight_candidates *found,
                                      pld_error *error) {
    DIR *directory = opendir(folder);
    if (!directory) {
        return pld_fail(error, errno == ENOENT ? PLD_ERROR_MISSING : PLD_ERROR_IO,
                        "%s: the folder cannot be opened: %s", folder, strerror(errno));
    }
    other_files others = {0};
    pld_status status = PLD_OK;
    struct dirent *entry = NULL;
    while (status == PLD_OK && (entry = readdir(directory)) != NULL) {
        status = consider(entry->d_name, stem, found, &others, error);
    }
    closedir(directory);
    PLD_TRY(status);
    if (found->count == 0) {
        return nothing_found(folder, stem, &others, error);
    }
    qsort(found->items, found->count, sizeof *found->items, compare_candidates);
    return PLD_OK;
}

void pld_weight_candidates_free(pld_weight_candidates *candidates) {
    for (size_t i = 0; i < candidates->count; i++) {
        pld_free(candidates->items[i].name);
        pld_free(candidates->items[i].variant);
    }
    pld_free(candidates->items);
    *candidates = (pld_weight_candidates){0};
}
