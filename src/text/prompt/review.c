/* SPDX-License-Identifier: Apache-2.0 */
#include "text/prompt/review.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/utf8.h"
#include "text/prompt/foreign_syntax.h"
#include "text/prompt/weights.h"

enum {
    MOST_TEXTS = 1024,  /* remembered; the oldest gives way */
    SHOWN_BYTES = 60,   /* of syntax that was found */
    MOST_UNKNOWN = 8,   /* words that are named */
    MOST_EXAMPLES = 15, /* of what the model knows */
    LIST_BYTES = 400
};

struct pld_reviewed_texts {
    pthread_mutex_t mutex;
    uint64_t hashes[MOST_TEXTS];
    size_t count; /* ever noted; the last MOST_TEXTS of them are there */
};

pld_status pld_reviewed_texts_create(pld_reviewed_texts **reviewed, pld_error *error) {
    *reviewed = pld_allocate(1, sizeof **reviewed);
    if (!*reviewed) {
        return pld_fail_memory(error, sizeof **reviewed, "notes on prompts");
    }
    pthread_mutex_init(&(*reviewed)->mutex, NULL);
    return PLD_OK;
}

void pld_reviewed_texts_destroy(pld_reviewed_texts **reviewed) {
    if (*reviewed) {
        pthread_mutex_destroy(&(*reviewed)->mutex);
        pld_free(*reviewed);
        *reviewed = NULL;
    }
}

/** FNV-1a of all that decides what is said. */
static uint64_t hash_of(const pld_review_request *request) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < request->length; i++) {
        hash = (hash ^ (unsigned char)request->text[i]) * UINT64_C(1099511628211);
    }
    const unsigned kind =
        (request->literal ? 1U : 0U) | (request->negative ? 2U : 0U) | (request->known ? 4U : 0U);
    return (hash ^ kind) * UINT64_C(1099511628211);
}

/** Whether the text is new; it is noted. */
static bool is_new(pld_reviewed_texts *reviewed, const pld_review_request *request) {
    const uint64_t hash = hash_of(request);
    pthread_mutex_lock(&reviewed->mutex);
    const size_t kept = reviewed->count < MOST_TEXTS ? reviewed->count : MOST_TEXTS;
    bool found = false;
    for (size_t i = 0; i < kept && !found; i++) {
        found = reviewed->hashes[i] == hash;
    }
    if (!found) {
        reviewed->hashes[reviewed->count++ % MOST_TEXTS] = hash;
    }
    pthread_mutex_unlock(&reviewed->mutex);
    return !found;
}

/** What the parts of a review share. */
typedef struct review {
    const pld_review_request *request;
    const pld_log *log;
    const char *text; /* well-formed */
    size_t length;
    char unknown[LIST_BYTES]; /* words, ", " between */
    size_t unknown_bytes, unknown_count, unknown_left_out;
} review;

static const char *label(const review *r) {
    return r->request->negative ? "negative prompt" : "prompt";
}

/** Bytes that are not UTF-8 became U+FFFD, here or in the program that calls. */
static void tell_replacements(const review *r) {
    static const char replacement[] = "\xEF\xBF\xBD";
    for (const char *at = r->text; (size_t)(at - r->text) + 3 <= r->length; at++) {
        if (memcmp(at, replacement, 3) == 0) {
            pld_log_message(r->log, PLD_LOG_WARNING,
                            "%s: the text at byte %zu is not UTF-8, or is U+FFFD itself, and is read as "
                            "U+FFFD; save or type the text as UTF-8",
                            label(r), (size_t)(at - r->text) + 1);
            return;
        }
    }
}

static void tell_syntax(void *context, const pld_foreign_match *match) {
    const review *r = context;
    const char *found = r->text + match->begin;
    const size_t shown = pld_utf8_cut(found, match->length, SHOWN_BYTES);
    char more[48] = "";
    if (match->count > 1) {
        snprintf(more, sizeof more, " and %zu more", match->count - 1);
    }
    pld_log_message(r->log, PLD_LOG_WARNING, "%s: '%.*s%s'%s, %s, is not supported: %s", label(r), (int)shown,
                    found, shown < match->length ? "..." : "", more, match->syntax->name,
                    match->syntax->taken);
}

static void tell_break_words(const review *r, size_t count) {
    if (count > 0) {
        pld_log_message(r->log, PLD_LOG_WARNING,
                        "%s: found BREAK %zu time%s in brackets with a weight, where it is a word, as in "
                        "A1111; close the bracket before BREAK to start a new chunk",
                        label(r), count, count > 1 ? "s" : "");
    }
}

/** Whether the list has the word, which stands between ", ". */
static bool is_listed(const review *r, const char *word, size_t length) {
    for (size_t at = 0; at < r->unknown_bytes;) {
        const char *end = strchr(r->unknown + at, ',');
        const size_t size = end ? (size_t)(end - r->unknown) - at : r->unknown_bytes - at;
        if (size == length && memcmp(r->unknown + at, word, length) == 0) {
            return true;
        }
        at += size + 2;
    }
    return false;
}

static pld_status list_unknown(void *context, const char *word, size_t length, pld_error *error) {
    review *r = context;
    const size_t shown = pld_utf8_cut(word, length, PLD_KNOWN_WORD_BYTES / 2);
    (void)error;
    if (is_listed(r, word, shown)) {
        return PLD_OK;
    }
    if (r->unknown_count == MOST_UNKNOWN) {
        r->unknown_left_out++;
        return PLD_OK;
    }
    r->unknown_bytes += (size_t)snprintf(r->unknown + r->unknown_bytes, LIST_BYTES - r->unknown_bytes,
                                         "%s%.*s", r->unknown_count ? ", " : "", (int)shown, word);
    r->unknown_count++;
    return PLD_OK;
}

/** The beginning of the list of what the model knows. */
static void list_examples(const pld_known_words *known, char *list, size_t size) {
    size_t count = 0;
    size_t used = 0;
    size_t shown = 0;
    const char *const *words = pld_known_words_list(known, &count);
    for (; shown < count && shown < MOST_EXAMPLES; shown++) {
        const int written = snprintf(list + used, size - used, "%s%s", shown ? ", " : "", words[shown]);
        if (written < 0 || (size_t)written >= size - used) {
            list[used] = '\0';
            break;
        }
        used += (size_t)written;
    }
    if (shown < count) {
        snprintf(list + used, size - used, " and %zu more", count - shown);
    }
}

static void tell_unknown(const review *r) {
    char known[LIST_BYTES];
    char more[48] = "";
    if (r->unknown_count == 0) {
        return;
    }
    if (r->unknown_left_out > 0) {
        snprintf(more, sizeof more, " and %zu more", r->unknown_left_out);
    }
    list_examples(r->request->known, known, sizeof known);
    pld_log_message(r->log, PLD_LOG_NOTICE,
                    "%s: this model was not trained on the word%s %s%s, which can mean anything to it; it "
                    "knows %s (pladis info MODEL lists them)",
                    label(r), r->unknown_count > 1 ? "s" : "", r->unknown, more, known);
}

/** The unknown words of all parts; a break is none of them. */
static pld_status collect_unknown(review *r, const pld_prompt_parts *parts, pld_error *error) {
    for (size_t i = 0; i < parts->count; i++) {
        const pld_prompt_part *part = &parts->parts[i];
        if (!part->is_break) {
            PLD_TRY(pld_known_words_visit_others(r->request->known, part->text, part->length, list_unknown, r,
                                                 error));
        }
    }
    return PLD_OK;
}

static pld_status review_syntax(review *r, pld_error *error) {
    pld_prompt_parts parts = {0};
    PLD_TRY(pld_prompt_parse(r->text, r->length, &parts, error));
    tell_break_words(r, parts.break_words);
    pld_status status =
        pld_foreign_syntax_visit(r->text, r->length, r->request->negative, tell_syntax, r, error);
    if (status == PLD_OK && r->request->known) {
        status = collect_unknown(r, &parts, error);
    }
    pld_prompt_parts_free(&parts);
    return status;
}

/** Whether some part has a weight, or begins a chunk. */
static bool has_weights(const pld_prompt_parts *parts) {
    bool found = false;
    for (size_t i = 0; i < parts->count; i++) {
        found = found || parts->parts[i].is_break || parts->parts[i].weight != 1;
    }
    return found;
}

/** Weights that will be read as words. */
static pld_status tell_weights(const review *r, pld_error *error) {
    pld_prompt_parts parts = {0};
    PLD_TRY(pld_prompt_parse(r->text, r->length, &parts, error));
    if (has_weights(&parts)) {
        pld_log_message(
            r->log, PLD_LOG_NOTICE,
            "%s: this model reads a prompt as plain text, so brackets with weights and BREAK are words of "
            "it; --literal-prompt says that this is meant",
            label(r));
    }
    pld_prompt_parts_free(&parts);
    return PLD_OK;
}

static pld_status review_literal(review *r, pld_error *error) {
    if (r->request->no_weights && !r->request->literal) {
        PLD_TRY(tell_weights(r, error));
    }
    return r->request->known
               ? pld_known_words_visit_others(r->request->known, r->text, r->length, list_unknown, r, error)
               : PLD_OK;
}

pld_status pld_review_prompt(const pld_review_request *request, const pld_log *log,
                             pld_reviewed_texts *reviewed, pld_error *error) {
    if (!log || !log->callback || (reviewed && !is_new(reviewed, request))) {
        return PLD_OK;
    }
    review *r = pld_allocate(1, sizeof *r);
    size_t length = 0;
    char *clean = pld_utf8_clean(request->text, request->length, &length);
    pld_status status = PLD_OK;
    if (!r || !clean) {
        status = pld_fail_memory(error, request->length, "the prompt");
    } else {
        r->request = request;
        r->log = log;
        r->text = clean;
        r->length = length;
        tell_replacements(r);
        status = request->literal || request->no_weights ? review_literal(r, error) : review_syntax(r, error);
        tell_unknown(r);
    }
    pld_free(clean);
    pld_free(r);
    return status;
}
