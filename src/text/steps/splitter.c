/* SPDX-License-Identifier: Apache-2.0 */
#include "text/steps/splitter.h"

#include "text/steps/splitter_internal.h"

static const pld_splitter_kind *find_kind(const char *name) {
    size_t count = 0;
    const pld_splitter_kind *kinds = pld_splitter_kinds(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

/** The next free step, of a kind in the table. */
static pld_status add_step(pld_splitter *splitter, const char *name, const char *file,
                           pld_splitter_step **step, pld_error *error) {
    const pld_splitter_kind *found = find_kind(name);
    if (!found) {
        return pld_fail(
            error, PLD_ERROR_UNSUPPORTED,
            "%s: pre_tokenizer '%.48s' is not supported; expected Split, WhitespaceSplit, Metaspace, "
            "ByteLevel or a Sequence of them",
            file, name);
    }
    if (splitter->byte_level) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: pre_tokenizer: expected ByteLevel to be the last step, found '%.48s' after it",
                        file, name);
    }
    if (splitter->count == PLD_TOKENIZER_STEPS) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: expected a pre_tokenizer of at most %d steps, found more", file,
                        (int)PLD_TOKENIZER_STEPS);
    }
    *step = &splitter->steps[splitter->count++];
    (*step)->kind = found;
    splitter->byte_level = strcmp(name, "ByteLevel") == 0;
    return PLD_OK;
}

pld_status pld_splitter_read(pld_splitter *splitter, const pld_json *at, pld_error *error) {
    const char *type = NULL;
    pld_json list;
    pld_splitter_step *step = NULL;
    if (!at->value) {
        return PLD_OK;
    }
    PLD_TRY(pld_json_get_string(at, "type", PLD_JSON_REQUIRED, &type, error));
    if (strcmp(type, "Sequence") == 0) {
        PLD_TRY(pld_json_array(at, "pretokenizers", PLD_JSON_REQUIRED, &list, error));
        for (size_t i = 0; i < json_array_size(list.value); i++) {
            pld_json entry;
            pld_json_element(&list, i, &entry);
            PLD_TRY(pld_splitter_read(splitter, &entry, error));
        }
        return PLD_OK;
    }
    PLD_TRY(add_step(splitter, type, at->file, &step, error));
    return step->kind->read ? step->kind->read(step, at, error) : PLD_OK;
}

pld_status pld_splitter_add_pattern(pld_splitter *splitter, const char *pattern, const char *name,
                                    pld_error *error) {
    pld_splitter_step *step = NULL;
    PLD_TRY(add_step(splitter, "Split", name, &step, error));
    step->behavior = PLD_SPLIT_ISOLATED;
    return pld_text_pattern_open(pattern, strlen(pattern), false, name, &step->pattern, error);
}

pld_status pld_splitter_add_white_space(pld_splitter *splitter, const char *name, pld_error *error) {
    pld_splitter_step *step = NULL;
    return add_step(splitter, "WhitespaceSplit", name, &step, error);
}

pld_status pld_splitter_add_metaspace(pld_splitter *splitter, bool splits, const char *name,
                                      pld_error *error) {
    static const char mark[] = "\xe2\x96\x81"; /* U+2581 */
    pld_splitter_step *step = NULL;
    PLD_TRY(add_step(splitter, "Metaspace", name, &step, error));
    memcpy(step->mark, mark, sizeof mark);
    step->mark_length = sizeof mark - 1;
    step->prefix = PLD_PREFIX_ALWAYS;
    step->splits = splits;
    return PLD_OK;
}

pld_status pld_splitter_add_byte_level(pld_splitter *splitter, const char *name, pld_error *error) {
    pld_splitter_step *step = NULL;
    PLD_TRY(add_step(splitter, "ByteLevel", name, &step, error));
    step->prefix = PLD_PREFIX_NEVER;
    return PLD_OK;
}

/** The steps from one on, and who gets the words of the last. */
typedef struct chain {
    const pld_splitter *splitter;
    size_t next;
    pld_word_visitor visitor;
    void *context;
} chain;

static pld_status visit_from(void *context, const char *text, size_t length, bool first, pld_error *error) {
    const chain *state = context;
    if (length == 0) {
        return PLD_OK;
    }
    if (state->next == state->splitter->count) {
        return state->visitor(state->context, text, length, first, error);
    }
    const pld_splitter_step *step = &state->splitter->steps[state->next];
    chain rest = *state;
    rest.next++;
    return step->kind->split(step, text, length, first, visit_from, &rest, error);
}

pld_status pld_splitter_visit(const pld_splitter *splitter, const char *text, size_t length, bool first,
                              pld_word_visitor visitor, void *context, pld_error *error) {
    chain all = {.splitter = splitter, .visitor = visitor, .context = context};
    return visit_from(&all, text, length, first, error);
}

void pld_splitter_free(pld_splitter *splitter) {
    for (size_t i = 0; i < splitter->count; i++) {
        pld_text_pattern_close(splitter->steps[i].pattern);
    }
    *splitter = (pld_splitter){0};
}
