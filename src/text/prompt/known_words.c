/* SPDX-License-Identifier: Apache-2.0 */
#include "text/prompt/known_words.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "core/memory.h"
#include "core/utf8.h"
#include "text/clip/normalise.h"
#include "text/clip/words.h"

struct pld_known_words {
    char **words;        /* [count], in the order of the list */
    const char **sorted; /* [count] */
    size_t count;
    pld_clip_words *pattern;
};

static int compare(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/** Whether a match of the word pattern is a word: it begins with a letter or a number. */
static bool is_word(const char *text, size_t length) {
    int32_t c = 0;
    pld_utf8_decode(text, length, &c);
    const utf8proc_category_t category = utf8proc_category(c);
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
           (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

/** The first word that a text begins with. */
typedef struct single_word {
    size_t length, count;
} single_word;

static pld_status note_word(void *context, const char *word, size_t length, pld_error *error) {
    single_word *single = context;
    (void)error;
    single->length = is_word(word, length) ? length : 0;
    single->count++;
    return PLD_OK;
}

/** Take over one word after making sure that it is one, as prompts will be cut. */
static pld_status add(pld_known_words *known, const char *word, const char *name, pld_error *error) {
    const size_t length = strlen(word);
    size_t normal_length = 0;
    single_word single = {0};
    char *normal = pld_clip_normalise(word, length, &normal_length);
    if (!normal) {
        return pld_fail_memory(error, length, name);
    }
    const bool same = normal_length == length && memcmp(normal, word, length) == 0;
    pld_free(normal);
    PLD_TRY(pld_clip_words_visit(known->pattern, word, length, note_word, &single, error));
    if (!same || single.count != 1 || single.length != length || length > PLD_KNOWN_WORD_BYTES) {
        return pld_fail(
            error, PLD_ERROR_FORMAT,
            "%s: field 'trained_words': expected words of lower-case letters or single digits, at "
            "most %d bytes long, found '%.80s'",
            name, (int)PLD_KNOWN_WORD_BYTES, word);
    }
    known->words[known->count] = pld_copy_string(word);
    known->sorted[known->count] = known->words[known->count];
    return known->words[known->count++] ? PLD_OK : pld_fail_memory(error, length, name);
}

static pld_status fill(pld_known_words *known, const char *const *words, size_t count, const char *name,
                       pld_error *error) {
    if (count == 0 || count > PLD_KNOWN_WORDS_MOST) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'trained_words': expected 1 to %d words, found %zu", name,
                        (int)PLD_KNOWN_WORDS_MOST, count);
    }
    known->words = pld_allocate(count, sizeof *known->words);
    known->sorted = pld_allocate(count, sizeof *known->sorted);
    if (!known->words || !known->sorted) {
        return pld_fail_memory(error, count * sizeof *known->words, name);
    }
    PLD_TRY(pld_clip_words_open(&known->pattern, error));
    for (size_t i = 0; i < count; i++) {
        PLD_TRY(add(known, words[i], name, error));
    }
    qsort(known->sorted, count, sizeof *known->sorted, compare);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(known->sorted[i - 1], known->sorted[i]) == 0) {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: field 'trained_words': expected every word once, found '%s' twice", name,
                            known->sorted[i]);
        }
    }
    return PLD_OK;
}

pld_status pld_known_words_create(const char *const *words, size_t count, const char *name,
                                  pld_known_words **known, pld_error *error) {
    *known = pld_allocate(1, sizeof **known);
    if (!*known) {
        return pld_fail_memory(error, sizeof **known, name);
    }
    pld_status status = fill(*known, words, count, name, error);
    if (status != PLD_OK) {
        pld_known_words_destroy(known);
    }
    return status;
}

void pld_known_words_destroy(pld_known_words **known) {
    pld_known_words *k = *known;
    *known = NULL;
    if (!k) {
        return;
    }
    for (size_t i = 0; i < k->count; i++) {
        pld_free(k->words[i]);
    }
    pld_free(k->words);
    pld_free(k->sorted);
    pld_clip_words_close(k->pattern);
    pld_free(k);
}

const char *const *pld_known_words_list(const pld_known_words *known, size_t *count) {
    *count = known->count;
    return (const char *const *)known->words;
}

/** What a visit to all words needs to pass the unknown ones on. */
typedef struct others {
    const pld_known_words *known;
    pld_unknown_word_visitor visitor;
    void *context;
} others;

static pld_status pass_unknown(void *context, const char *word, size_t length, pld_error *error) {
    const others *o = context;
    char copy[PLD_KNOWN_WORD_BYTES + 1];
    const char *wanted = copy;
    if (!is_word(word, length)) {
        return PLD_OK;
    }
    if (length <= PLD_KNOWN_WORD_BYTES && memchr(word, 0, length) == NULL) {
        memcpy(copy, word, length);
        copy[length] = '\0';
        if (bsearch(&wanted, o->known->sorted, o->known->count, sizeof *o->known->sorted, compare)) {
            return PLD_OK;
        }
    }
    return o->visitor(o->context, word, length, error);
}

pld_status pld_known_words_visit_others(const pld_known_words *known, const char *text, size_t length,
                                        pld_unknown_word_visitor visitor, void *context, pld_error *error) {
    size_t normal_length = 0;
    others o = {known, visitor, context};
    char *normal = pld_clip_normalise(text, length, &normal_length);
    if (!normal) {
        return pld_fail_memory(error, length, "words of the prompt");
    }
    pld_status status = pld_clip_words_visit(known->pattern, normal, normal_length, pass_unknown, &o, error);
    pld_free(normal);
    return status;
}
