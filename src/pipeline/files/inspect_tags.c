/* SPDX-License-Identifier: Apache-2.0 */
/* kohya's trainer leaves the captions' tags in the metadata: {"folder": {"tag": number of pictures}}. */
#include <string.h>

#include "core/memory.h"
#include "io/json/read.h"
#include "pipeline/files/inspect.h"

enum { MOST_VALUES = 1 << 18 };

/** Add up the folders into `sums` (tag → uses). */
static bool add_up(const json_t *folders, json_t *sums) {
    const char *folder = NULL;
    const char *tag = NULL;
    json_t *tags = NULL;
    json_t *uses = NULL;
    json_object_foreach((json_t *)folders, folder, tags) {
        json_object_foreach(tags, tag, uses) {
            const json_int_t before = json_integer_value(json_object_get(sums, tag));
            const json_int_t more = json_integer_value(uses);
            const bool counts = more > 0 && before <= INT64_MAX - more;
            if (counts && json_object_set_new(sums, tag, json_integer(before + more)) != 0) {
                return false;
            }
        }
    }
    return true;
}

/** Take the most frequent out of `sums` until the table is full. */
static pld_status take_most_frequent(json_t *sums, pld_inspection *inspection, pld_error *error) {
    size_t *count = &inspection->info.tag_count;
    while (*count < PLD_MOST_TAGS && json_object_size(sums) > 0) {
        const char *best = NULL;
        const char *tag = NULL;
        json_t *uses = NULL;
        json_int_t most = 0;
        json_object_foreach(sums, tag, uses) {
            const json_int_t value = json_integer_value(uses);
            if (value > most || (value == most && best && strcmp(tag, best) < 0)) {
                most = value;
                best = tag;
            }
        }
        char *copy = pld_copy_string(best ? best : "");
        if (!copy) {
            return pld_fail_memory(error, 64, "tags");
        }
        inspection->tag_uses[*count] = (uint64_t)most;
        inspection->tags[(*count)++] = copy;
        json_object_del(sums, copy);
    }
    inspection->info.tags = (const char *const *)inspection->tags;
    inspection->info.tag_uses = inspection->tag_uses;
    return PLD_OK;
}

pld_status pld_inspect_tags(pld_inspection *inspection, pld_error *error) {
    const pld_tensor_file *file = pld_weight_files_file(inspection->files, 0);
    const char *text = pld_tensor_file_metadata_find(file, "ss_tag_frequency");
    if (!text) {
        return PLD_OK;
    }
    pld_error reason = {0};
    json_t *folders = NULL;
    pld_status status =
        pld_json_parse_bounded(text, strlen(text), MOST_VALUES, "ss_tag_frequency", &folders, &reason);
    if (status == PLD_ERROR_MEMORY) {
        return pld_fail(error, status, "%s", reason.message);
    }
    if (status != PLD_OK) {
        pld_inspection_note(inspection, "its list of training tags cannot be read: %.300s", reason.message);
        return PLD_OK;
    }
    json_t *sums = json_object();
    status = sums && add_up(folders, sums) ? take_most_frequent(sums, inspection, error)
                                           : pld_fail_memory(error, strlen(text), "tags");
    json_decref(sums);
    json_decref(folders);
    return status;
}
