/* SPDX-License-Identifier: Apache-2.0 */
#include "text/clip/words.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/memory.h"
#include "text/unicode/characters.h"
#include "text/unicode/pattern.h"

struct pld_clip_words {
    pcre2_general_context *memory;
    pcre2_code *pattern;
};

#define LETTERS "\\p{L}" PLD_CLIP_NEW_LETTERS
#define NUMBERS "\\p{N}" PLD_CLIP_NEW_NUMBERS

static const char pattern_text[] = "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d"
                                   "|[" LETTERS "]++|[" NUMBERS "]|[^" PLD_CLIP_SPACES LETTERS NUMBERS "]++";

pld_status pld_clip_words_open(pld_clip_words **words, pld_error *error) {
    *words = NULL;
    pld_clip_words *made = pld_allocate(1, sizeof *made);
    if (!made) {
        return pld_fail_memory(error, sizeof *made, "word pattern of the tokenizer");
    }
    int code = PCRE2_ERROR_NOMEMORY;
    PCRE2_SIZE place = 0;
    made->memory = pld_pattern_memory();
    pcre2_compile_context *context = made->memory ? pcre2_compile_context_create(made->memory) : NULL;
    if (context) {
        made->pattern = pcre2_compile((PCRE2_SPTR)pattern_text, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP,
                                      &code, &place, context);
        pcre2_compile_context_free(context);
    }
    if (made->pattern) {
        *words = made;
        return PLD_OK;
    }
    pld_clip_words_close(made);
    if (code == PCRE2_ERROR_NOMEMORY || code == PCRE2_ERROR_HEAP_FAILED) {
        return pld_fail_memory(error, sizeof pattern_text, "word pattern of the tokenizer");
    }
    return pld_fail(
        error, PLD_ERROR_INTERNAL,
        "PCRE2 refused the tokenizer's word pattern at %zu (code %d); is it built with Unicode support?",
        place, code);
}

void pld_clip_words_close(pld_clip_words *words) {
    if (words) {
        pcre2_code_free(words->pattern);
        pcre2_general_context_free(words->memory);
        pld_free(words);
    }
}

/** Visit one match. The pattern keeps a spelt-out special token together, but the byte-level step that
 * follows splits once more where letters and signs meet: <| startoftext |>. No other match holds both. */
static pld_status visit_match(const char *word, size_t length, pld_clip_word_visitor visitor, void *context,
                              pld_error *error) {
    if (length > 4 && word[0] == '<' && word[1] == '|' && word[2] >= 'a' && word[2] <= 'z') {
        PLD_TRY(visitor(context, word, 2, error));
        PLD_TRY(visitor(context, word + 2, length - 4, error));
        return visitor(context, word + length - 2, 2, error);
    }
    return visitor(context, word, length, error);
}

pld_status pld_clip_words_visit(const pld_clip_words *words, const char *text, size_t length,
                                pld_clip_word_visitor visitor, void *context, pld_error *error) {
    pcre2_match_data *match = pcre2_match_data_create(1, words->memory);
    if (!match) {
        return pld_fail_memory(error, length, "words of the prompt");
    }
    pld_status status = PLD_OK;
    const PCRE2_SIZE *span = pcre2_get_ovector_pointer(match);
    for (size_t at = 0; at < length && status == PLD_OK; at = span[1]) {
        /* The caller's text is well-formed; checking it again at every word would take quadratic time. */
        int found =
            pcre2_match(words->pattern, (PCRE2_SPTR)text, length, at, PCRE2_NO_UTF_CHECK, match, NULL);
        if (found == PCRE2_ERROR_NOMATCH) {
            break;
        }
        if (found < 0) {
            status = found == PCRE2_ERROR_NOMEMORY || found == PCRE2_ERROR_HEAPLIMIT
                         ? pld_fail_memory(error, length, "words of the prompt")
                         : pld_fail(error, PLD_ERROR_INTERNAL,
                                    "matching the words of the prompt failed (code %d)", found);
            break;
        }
        status = visit_match(text + span[0], span[1] - span[0], visitor, context, error);
    }
    pcre2_match_data_free(match);
    return status;
}
