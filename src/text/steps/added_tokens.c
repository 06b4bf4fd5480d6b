/* SPDX-License-Identifier: Apache-2.0 */
#include "text/steps/added_tokens.h"

#include <utf8proc.h>

#include "core/utf8.h"
#include "text/unicode/characters.h"

pld_status pld_added_token_read(const pld_json *at, bool special, pld_added_token *token, pld_error *error) {
    *token = (pld_added_token){.id = -1, .special = special};
    if (json_is_string(at->value)) {
        token->special = true;
        token->content = json_string_value(at->value);
        return PLD_OK;
    }
    if (!json_is_object(at->value)) {
        return pld_json_mismatch(at, "a token, as a string or as an object with \"content\"", error);
    }
    PLD_TRY(pld_json_get_string(at, "content", PLD_JSON_REQUIRED, &token->content, error));
    PLD_TRY(pld_json_get_bool(at, "special", PLD_JSON_NULLABLE, &token->special, error));
    token->special = token->special || special;
    token->normalized = !token->special;
    PLD_TRY(pld_json_get_bool(at, "normalized", PLD_JSON_NULLABLE, &token->normalized, error));
    PLD_TRY(pld_json_get_bool(at, "lstrip", PLD_JSON_NULLABLE, &token->lstrip, error));
    PLD_TRY(pld_json_get_bool(at, "rstrip", PLD_JSON_NULLABLE, &token->rstrip, error));
    return pld_json_get_bool(at, "single_word", PLD_JSON_NULLABLE, &token->single_word, error);
}

bool pld_added_tokens_has(const pld_added_tokens *added, const char *content) {
    return pld_vocabulary_find(&added->contents, content, strlen(content)) >= 0;
}

pld_status pld_added_tokens_add(pld_added_tokens *added, pld_added_token token, const char *name,
                                pld_error *error) {
    const size_t length = strlen(token.content);
    if (length == 0 || pld_added_tokens_has(added, token.content)) {
        return PLD_OK;
    }
    if (added->count == PLD_ADDED_TOKENS_LIMIT || length > PLD_ADDED_TOKEN_BYTES) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: expected at most %d added tokens of at most %d bytes, found '%.64s' beyond that",
                        name, (int)PLD_ADDED_TOKENS_LIMIT, (int)PLD_ADDED_TOKEN_BYTES, token.content);
    }
    void *tokens = added->tokens;
    if (!pld_grow(&tokens, &added->capacity, added->count + 1, sizeof *added->tokens)) {
        return pld_fail_memory(error, added->count * sizeof *added->tokens, name);
    }
    added->tokens = tokens;
    char *copy = pld_copy_string(token.content);
    if (!copy) {
        return pld_fail_memory(error, length, name);
    }
    token.content = copy;
    added->tokens[added->count++] = token;
    return pld_vocabulary_add(&added->contents, copy, length, (int64_t)added->count - 1, PLD_REPEAT_REFUSED,
                              name, error);
}

/** What is looked for: tokens as they are written, or as the normaliser writes them. */
static pld_status build_trie(pld_added_tokens *added, bool normalized, const pld_normaliser *normaliser,
                             pld_text_buffer *texts, pld_trie_key *keys, const char *name, pld_error *error) {
    size_t count = 0;
    pld_text_buffer spare = {0};
    pld_status status = PLD_OK;
    for (size_t i = 0; i < added->count && status == PLD_OK; i++) {
        const pld_added_token *token = &added->tokens[i];
        const size_t length = strlen(token->content);
        if (token->normalized != normalized) {
            continue;
        }
        if (normalized) {
            status = pld_normaliser_apply(normaliser, token->content, length, &texts[i], &spare, error);
        }
        keys[count++] = (pld_trie_key){normalized ? texts[i].data : token->content,
                                       normalized ? texts[i].used : length, (int32_t)i};
    }
    pld_text_buffer_free(&spare);
    return status == PLD_OK ? pld_trie_build(&added->tries[normalized], keys, count, name, error) : status;
}

pld_status pld_added_tokens_finish(pld_added_tokens *added, const pld_normaliser *normaliser,
                                   const char *name, pld_error *error) {
    pld_trie_key *keys = pld_allocate(added->count, sizeof *keys);
    pld_text_buffer *texts = pld_allocate(added->count, sizeof *texts);
    pld_status status = keys && texts ? PLD_OK : pld_fail_memory(error, added->count * sizeof *keys, name);
    for (int normalized = 0; normalized < 2 && status == PLD_OK; normalized++) {
        status = build_trie(added, normalized, normaliser, texts, keys, name, error);
    }
    for (size_t i = 0; texts && i < added->count; i++) {
        pld_text_buffer_free(&texts[i]);
    }
    pld_free(texts);
    pld_free(keys);
    return status;
}

/** The beginning of the character that ends at `end` > 0. */
static size_t character_before(const char *text, size_t end) {
    do {
        end--;
    } while (end > 0 && ((unsigned char)text[end] & 0xC0u) == 0x80u);
    return end;
}

/** \w of a regular expression: letters, marks, digits, connectors, joiners. */
static bool is_word(int32_t point) {
    switch (point < 0 ? UTF8PROC_CATEGORY_CN : utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
        return true;
    default: /* joiners, and letters in circles and squares */
        return point == 0x200C || point == 0x200D || (point >= 0x24B6 && point <= 0x24E9) ||
               (point >= 0x1F130 && point <= 0x1F149) || (point >= 0x1F150 && point <= 0x1F169) ||
               (point >= 0x1F170 && point <= 0x1F189);
    }
}

/** Whether no word character touches [begin, end). */
static bool stands_alone(const char *text, size_t length, size_t begin, size_t end) {
    int32_t point = 0;
    if (begin > 0) {
        const size_t before = character_before(text, begin);
        (void)pld_utf8_decode(text + before, begin - before, &point);
        if (is_word(point)) {
            return false;
        }
    }
    if (end < length) {
        (void)pld_utf8_decode(text + end, length - end, &point);
        return !is_word(point);
    }
    return true;
}

/** Move `*begin` over white space in front of it, not beyond `least`, and `*end` over what is behind. */
static void take_spaces(const pld_added_token *token, const char *text, size_t length, size_t least,
                        size_t *begin, size_t *end) {
    int32_t point = 0;
    while (token->lstrip && *begin > least) {
        const size_t before = character_before(text, *begin);
        (void)pld_utf8_decode(text + before, *begin - before, &point);
        if (!pld_clip_is_space(point)) {
            break;
        }
        *begin = before;
    }
    while (token->rstrip && *end < length) {
        const size_t size = pld_utf8_decode(text + *end, length - *end, &point);
        if (!pld_clip_is_space(point)) {
            break;
        }
        *end += size;
    }
}

pld_status pld_added_tokens_visit(const pld_added_tokens *added, bool normalized, const char *text,
                                  size_t length, pld_stretch_visitor visitor, void *context,
                                  pld_error *error) {
    const pld_trie *trie = &added->tries[normalized];
    size_t done = 0; /* visited so far */
    for (size_t at = 0; at < length;) {
        size_t matched = 0;
        const int32_t index = trie->roots[(uint8_t)text[at]] == 0
                                  ? -1
                                  : pld_trie_longest(trie, text + at, length - at, &matched);
        if (index < 0) {
            at++;
            continue;
        }
        const pld_added_token *token = &added->tokens[index];
        size_t begin = at;
        size_t end = at + matched;
        at = end;
        if (token->single_word && !stands_alone(text, length, begin, end)) {
            continue;
        }
        take_spaces(token, text, length, done, &begin, &end);
        if (begin > done) {
            PLD_TRY(visitor(context, text + done, begin - done, -1, error));
        }
        PLD_TRY(visitor(context, text + begin, end - begin, token->id, error));
        done = end; /* the search goes on behind the match itself, as the tokenizers library does it */
    }
    return done < length ? visitor(context, text + done, length - done, -1, error) : PLD_OK;
}

void pld_added_tokens_free(pld_added_tokens *added) {
    for (size_t i = 0; i < added->count; i++) {
        pld_free((char *)added->tokens[i].content);
    }
    pld_free(added->tokens);
    pld_vocabulary_free(&added->contents);
    pld_trie_free(&added->tries[0]);
    pld_trie_free(&added->tries[1]);
    *added = (pld_added_tokens){0};
}
