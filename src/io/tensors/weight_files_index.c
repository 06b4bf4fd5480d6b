/* SPDX-License-Identifier: Apache-2.0 */
/* The index that says which shard holds which tensor. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/json/read.h"
#include "io/tensors/weight_files_internal.h"

enum { MAX_INDEX_BYTES = 64 << 20, MAX_SHARD_NAME = 255 };

/** Whether a shard's name is a plain name inside the folder: an index must not reach other places. */
static bool is_plain_name(const char *name) {
    size_t length = strlen(name);
    if (length == 0 || length > MAX_SHARD_NAME || name[0] == '.') {
        return false;
    }
    for (const char *c = name; *c; c++) {
        if (*c == '/' || *c == '\\' || (unsigned char)*c < 0x20 || *c == 0x7f) {
            return false;
        }
    }
    return true;
}

static int compare_names(const void *left, const void *right) {
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/** Fill index->shards from the values of the map. */
static pld_status collect_shards(const char *path, pld_weight_index *index, pld_error *error) {
    size_t entries = json_object_size(index->map);
    index->shards = pld_allocate(entries, sizeof *index->shards);
    if (!index->shards) {
        return pld_fail_memory(error, entries * sizeof *index->shards, path);
    }
    const char *tensor = NULL;
    json_t *value = NULL;
    size_t count = 0;
    json_object_foreach((json_t *)index->map, tensor, value) {
        const char *shard = json_string_value(value);
        if (!shard || !is_plain_name(shard)) {
            return pld_fail(
                error, PLD_ERROR_FORMAT,
                "%s: tensor '%.200s': expected the name of a file in the same folder, found '%.200s'", path,
                tensor, shard ? shard : "not a string");
        }
        index->shards[count++] = shard;
    }
    qsort((void *)index->shards, count, sizeof *index->shards, compare_names);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(index->shards[i], index->shards[index->shard_count - 1]) != 0) {
            index->shards[index->shard_count++] = index->shards[i];
        }
    }
    return PLD_OK;
}

pld_status pld_weight_index_load(const char *path, pld_weight_index *index, pld_error *error) {
    PLD_TRY(pld_json_load(path, MAX_INDEX_BYTES, &index->document, error));
    pld_json top;
    pld_json map;
    PLD_TRY(pld_json_top(index->document, path, &top, error));
    PLD_TRY(pld_json_object(&top, "weight_map", PLD_JSON_REQUIRED, &map, error));
    if (json_object_size(map.value) == 0) {
        return pld_json_mismatch(&map, "at least one tensor", error);
    }
    index->map = map.value;
    return collect_shards(path, index, error);
}

void pld_weight_index_free(pld_weight_index *index) {
    pld_free((void *)index->shards);
    json_decref(index->document);
    *index = (pld_weight_index){0};
}

/** Number of the shard of this name, which is known to be there. */
static size_t find_shard(const pld_weight_index *index, const char *name) {
    const char **found =
        bsearch(&name, (const void *)index->shards, index->shard_count, sizeof *index->shards, compare_names);
    return (size_t)(found - index->shards);
}

pld_status pld_weight_index_check(const char *path, const pld_weight_index *index,
                                  pld_tensor_file *const *files, pld_error *error) {
    const char *tensor = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)index->map, tensor, value) {
        const char *shard = json_string_value(value);
        if (!pld_tensor_file_find(files[find_shard(index, shard)], tensor)) {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: tensor '%.200s' should be in '%s' but is not; index and shards do not "
                            "belong together: download both again",
                            path, tensor, shard);
        }
    }
    /* and the other way round, which also finds a tensor that two shards hold */
    for (size_t i = 0; i < index->shard_count; i++) {
        for (size_t j = 0; j < pld_tensor_file_count(files[i]); j++) {
            const char *name = pld_tensor_file_at(files[i], j)->name;
            const char *listed = json_string_value(json_object_get(index->map, name));
            if (!listed || strcmp(listed, index->shards[i]) != 0) {
                return pld_fail(error, PLD_ERROR_FORMAT,
                                "%s: '%s' holds tensor '%.200s', which the index %s%s; index and shards do "
                                "not belong together: download both again",
                                path, index->shards[i], name, listed ? "places in " : "does not list",
                                listed ? listed : "");
            }
        }
    }
    return PLD_OK;
}
