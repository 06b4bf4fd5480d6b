/* SPDX-License-Identifier: Apache-2.0 */
/* scheduler_config.json as diffusers writes it: JSON, but for infinite numbers. */
#include <string.h>

#include "core/memory.h"
#include "io/files/text_file.h"
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

pld_status pld_scheduler_document_load(const char *path, json_t **document, pld_error *error) {
    char *text = NULL;
    size_t length = 0;
    *document = NULL;
    PLD_TRY(pld_text_file_read(path, PLD_JSON_FILE_BYTES, &text, &length, error));
    pld_status status = pld_json_parse(text, quote_infinities(text, length), path, document, error);
    pld_free(text);
    return status;
}

pld_status pld_scheduler_config_load(const char *path, const pld_log *log, pld_scheduler_config *stated,
                                     pld_error *error) {
    json_t *document = NULL;
    PLD_TRY(pld_scheduler_document_load(path, &document, error));
    pld_status status = pld_scheduler_config_read(document, path, log, stated, error);
    json_decref(document);
    return status;
}
