/* SPDX-License-Identifier: Apache-2.0 */
/* scheduler_config.json as diffusers writes it: JSON, but for infinite numbers. */
#include <string.h>

#include "core/mapping.h"
#include "core/memory.h"
#include "sampling/scheduler_config.h"

/** Turn the bare words -Infinity and Infinity of text[length] into the strings "-inf" and "inf", in place;
 * they only become shorter. Returns the new length. */
static size_t quote_infinities(char *text, size_t length) {
    static const struct {
        const char *word, *string;
    } forms[] = {{"-Infinity", "\"-inf\""}, {"Infinity", "\"inf\""}};
    size_t to = 0;
    bool in_string = false;
    for (size_t from = 0; from < length;) {
        size_t taken = 1;
        in_string ^= text[from] == '"';
        if (in_string && text[from] == '\\' && from + 1 < length) {
            text[to++] = text[from++]; /* the escaped byte cannot end the string */
        }
        for (size_t i = 0; !in_string && taken == 1 && i < 2; i++) {
            size_t word = strlen(forms[i].word);
            if (length - from >= word && memcmp(text + from, forms[i].word, word) == 0) {
                size_t string = strlen(forms[i].string);
                memcpy(text + to, forms[i].string, string);
                to += string;
                taken = word;
            }
        }
        if (taken == 1) {
            text[to++] = text[from];
        }
        from += taken;
    }
    return to;
}

pld_status pld_scheduler_config_parse(char *text, size_t length, const char *file, const pld_log *log,
                                      pld_scheduler_config *stated, pld_error *error) {
    json_t *document = NULL;
    length = quote_infinities(text, length);
    PLD_TRY(pld_json_parse(text, length, file, &document, error));
    pld_status status = pld_scheduler_config_read(document, file, log, stated, error);
    json_decref(document);
    return status;
}

/** The whole of an open file in new memory. The caller frees it with pld_free. */
static pld_status read_text(const pld_mapping *mapping, char **text, pld_error *error) {
    uint64_t length = pld_mapping_size(mapping);
    if (length > PLD_JSON_FILE_BYTES) {
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: %llu bytes; a scheduler configuration has at most %d",
                        pld_mapping_path(mapping), (unsigned long long)length, (int)PLD_JSON_FILE_BYTES);
    }
    *text = pld_allocate((size_t)length, 1);
    if (!*text) {
        return pld_fail_memory(error, (size_t)length, "scheduler configuration");
    }
    pld_status status = pld_mapping_read(mapping, 0, (size_t)length, *text, NULL, error);
    if (status != PLD_OK) {
        pld_free(*text);
    }
    return status;
}

pld_status pld_scheduler_config_load(const char *path, const pld_log *log, pld_scheduler_config *stated,
                                     pld_error *error) {
    pld_mapping *mapping = NULL;
    char *text = NULL;
    PLD_TRY(pld_mapping_open(path, &mapping, error));
    pld_status status = read_text(mapping, &text, error);
    if (status == PLD_OK) {
        status =
            pld_scheduler_config_parse(text, (size_t)pld_mapping_size(mapping), path, log, stated, error);
        pld_free(text);
    }
    pld_mapping_close(&mapping);
    return status;
}
