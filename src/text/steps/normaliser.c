/* SPDX-License-Identifier: Apache-2.0 */
#include "text/steps/normaliser.h"

#include "core/utf8.h"
#include "text/unicode/characters.h"
#include "text/unicode/nfc.h"

/** A kind of step: its name in tokenizer.json, how its settings are read (NULL: it has none), what it
 *  does. */
typedef struct pld_normaliser_kind {
    const char *name;
    pld_status (*read)(pld_normaliser_step *step, const pld_json *at, pld_error *error);
    pld_status (*apply)(const pld_normaliser_step *step, const char *text, size_t length,
                        pld_text_buffer *out, pld_error *error);
} kind;

enum {
    CONTENT_BYTES = 1024, /* of what stands in a match's place */
    GROWTH = 64,          /* bytes for a byte: NFKC makes 33 of 3, a mark for a space 3 of 1 */
    FREE_BYTES = 1 << 16  /* that every text may have beyond that */
};

static pld_status set_content(pld_normaliser_step *step, const char *content, const char *name,
                              pld_error *error) {
    step->content_length = strlen(content);
    if (step->content_length > CONTENT_BYTES) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: normalizer: expected a replacement of at most %d bytes, found %zu", name,
                        (int)CONTENT_BYTES, step->content_length);
    }
    step->content = pld_copy_string(content);
    return step->content ? PLD_OK : pld_fail_memory(error, step->content_length, name);
}

static pld_status apply_nfc(const pld_normaliser_step *step, const char *text, size_t length,
                            pld_text_buffer *out, pld_error *error) {
    (void)step;
    size_t normal_length = 0;
    char *normal = pld_nfc(text, length, &normal_length);
    if (!normal) {
        return pld_fail_memory(error, length, "normal form of the prompt");
    }
    const pld_status status = pld_text_append(out, normal, normal_length, error);
    pld_free(normal);
    return status;
}

static pld_status read_precompiled(pld_normaliser_step *step, const pld_json *at, pld_error *error) {
    const char *map = NULL;
    PLD_TRY(pld_json_get_string(at, "precompiled_charsmap", PLD_JSON_REQUIRED, &map, error));
    return pld_charsmap_read_base64(&step->map, map, strlen(map), at->file, error);
}

static pld_status apply_precompiled(const pld_normaliser_step *step, const char *text, size_t length,
                                    pld_text_buffer *out, pld_error *error) {
    return pld_charsmap_apply(&step->map, text, length, out, error);
}

static pld_status read_replace(pld_normaliser_step *step, const pld_json *at, pld_error *error) {
    const char *content = NULL;
    PLD_TRY(pld_json_get_string(at, "content", PLD_JSON_REQUIRED, &content, error));
    PLD_TRY(pld_text_pattern_read(at, "pattern", &step->pattern, error));
    return set_content(step, content, at->file, error);
}

/** A text whose matches are replaced. */
typedef struct replacement {
    const pld_normaliser_step *step;
    pld_text_buffer *out;
} replacement;

static pld_status replace_stretch(void *context, const char *text, size_t length, bool match,
                                  pld_error *error) {
    const replacement *state = context;
    return pld_text_append(state->out, match ? state->step->content : text,
                           match ? state->step->content_length : length, error);
}

static pld_status apply_replace(const pld_normaliser_step *step, const char *text, size_t length,
                                pld_text_buffer *out, pld_error *error) {
    replacement state = {.step = step, .out = out};
    return pld_text_pattern_visit(step->pattern, text, length, replace_stretch, &state, error);
}

static pld_status read_prepend(pld_normaliser_step *step, const pld_json *at, pld_error *error) {
    const char *content = NULL;
    PLD_TRY(pld_json_get_string(at, "prepend", PLD_JSON_REQUIRED, &content, error));
    return set_content(step, content, at->file, error);
}

static pld_status apply_prepend(const pld_normaliser_step *step, const char *text, size_t length,
                                pld_text_buffer *out, pld_error *error) {
    if (length > 0) {
        PLD_TRY(pld_text_append(out, step->content, step->content_length, error));
    }
    return pld_text_append(out, text, length, error);
}

static pld_status read_strip(pld_normaliser_step *step, const pld_json *at, pld_error *error) {
    step->left = step->right = true;
    PLD_TRY(pld_json_get_bool(at, "strip_left", PLD_JSON_NULLABLE, &step->left, error));
    return pld_json_get_bool(at, "strip_right", PLD_JSON_NULLABLE, &step->right, error);
}

static pld_status apply_strip(const pld_normaliser_step *step, const char *text, size_t length,
                              pld_text_buffer *out, pld_error *error) {
    size_t begin = length, end = 0; /* of what is no white space */
    for (size_t at = 0; at < length;) {
        int32_t point = 0;
        const size_t size = pld_utf8_decode(text + at, length - at, &point);
        if (!pld_clip_is_space(point)) {
            begin = begin < at ? begin : at;
            end = at + size;
        }
        at += size;
    }
    begin = step->left ? begin : 0;
    end = step->right ? end : length;
    return begin < end ? pld_text_append(out, text + begin, end - begin, error) : PLD_OK;
}

static const kind kinds[] = {
    {"NFC", NULL, apply_nfc},
    {"Precompiled", read_precompiled, apply_precompiled},
    {"Replace", read_replace, apply_replace},
    {"Prepend", read_prepend, apply_prepend},
    {"Strip", read_strip, apply_strip},
};

static const kind *find_kind(const char *name) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

/** The next free step, of a kind in the table. */
static pld_status add_step(pld_normaliser *normaliser, const char *name, const char *file,
                           pld_normaliser_step **step, pld_error *error) {
    const kind *found = find_kind(name);
    if (!found) {
        return pld_fail(
            error, PLD_ERROR_UNSUPPORTED,
            "%s: normalizer '%.48s' is not supported; expected NFC, Precompiled, Replace, Prepend, Strip "
            "or a Sequence of them",
            file, name);
    }
    if (normaliser->count == PLD_TOKENIZER_STEPS) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: expected a normalizer of at most %d steps, found more", file,
                        (int)PLD_TOKENIZER_STEPS);
    }
    if (!normaliser->name && !(normaliser->name = pld_copy_string(file))) {
        return pld_fail_memory(error, strlen(file), file);
    }
    *step = &normaliser->steps[normaliser->count++];
    (*step)->kind = found;
    return PLD_OK;
}

pld_status pld_normaliser_read(pld_normaliser *normaliser, const pld_json *at, pld_error *error) {
    const char *type = NULL;
    pld_json list;
    pld_normaliser_step *step = NULL;
    if (!at->value) {
        return PLD_OK;
    }
    PLD_TRY(pld_json_get_string(at, "type", PLD_JSON_REQUIRED, &type, error));
    if (strcmp(type, "Sequence") == 0) {
        PLD_TRY(pld_json_array(at, "normalizers", PLD_JSON_REQUIRED, &list, error));
        for (size_t i = 0; i < json_array_size(list.value); i++) {
            pld_json entry;
            pld_json_element(&list, i, &entry);
            PLD_TRY(pld_normaliser_read(normaliser, &entry, error));
        }
        return PLD_OK;
    }
    PLD_TRY(add_step(normaliser, type, at->file, &step, error));
    return step->kind->read ? step->kind->read(step, at, error) : PLD_OK;
}

pld_status pld_normaliser_add_nfc(pld_normaliser *normaliser, const char *name, pld_error *error) {
    pld_normaliser_step *step = NULL;
    return add_step(normaliser, "NFC", name, &step, error);
}

pld_status pld_normaliser_add_charsmap(pld_normaliser *normaliser, const uint8_t *bytes, size_t size,
                                       const char *name, pld_error *error) {
    pld_normaliser_step *step = NULL;
    PLD_TRY(add_step(normaliser, "Precompiled", name, &step, error));
    return pld_charsmap_read(&step->map, bytes, size, name, error);
}

pld_status pld_normaliser_add_replace(pld_normaliser *normaliser, const char *pattern, bool literal,
                                      const char *content, const char *name, pld_error *error) {
    pld_normaliser_step *step = NULL;
    PLD_TRY(add_step(normaliser, "Replace", name, &step, error));
    PLD_TRY(pld_text_pattern_open(pattern, strlen(pattern), literal, name, &step->pattern, error));
    return set_content(step, content, name, error);
}

/** One step; where it would make too much of a text, the file is named. */
static pld_status apply_step(const pld_normaliser *normaliser, size_t index, const char *text, size_t length,
                             pld_text_buffer *out, pld_error *error) {
    const pld_normaliser_step *step = &normaliser->steps[index];
    const pld_status status = step->kind->apply(step, text, length, out, error);
    return status != PLD_ERROR_FORMAT
               ? status
               : pld_fail(error, PLD_ERROR_UNSUPPORTED,
                          "%s: normalizer, step %zu: expected at most %zu bytes of a text, found more; "
                          "download the file again from the model's source",
                          normaliser->name, index + 1, out->limit);
}

pld_status pld_normaliser_apply(const pld_normaliser *normaliser, const char *text, size_t length,
                                pld_text_buffer *out, pld_text_buffer *spare, pld_error *error) {
    out->used = 0;
    out->limit = spare->limit = length > (SIZE_MAX - FREE_BYTES) / GROWTH ? 0 : GROWTH * length + FREE_BYTES;
    if (normaliser->count == 0) {
        return pld_text_append(out, text, length, error);
    }
    for (size_t i = 0; i < normaliser->count; i++) {
        if (i > 0) { /* what the step before made is the input */
            const pld_text_buffer made = *out;
            *out = *spare;
            *spare = made;
            out->used = 0;
            text = spare->data;
            length = spare->used;
        }
        if (length > 0) {
            PLD_TRY(apply_step(normaliser, i, text, length, out, error));
        }
    }
    return PLD_OK;
}

void pld_normaliser_free(pld_normaliser *normaliser) {
    for (size_t i = 0; i < normaliser->count; i++) {
        pld_charsmap_free(&normaliser->steps[i].map);
        pld_text_pattern_close(normaliser->steps[i].pattern);
        pld_free(normaliser->steps[i].content);
    }
    pld_free(normaliser->name);
    *normaliser = (pld_normaliser){0};
}
