/* SPDX-License-Identifier: Apache-2.0 */
#include "text/clip/added_tokens.h"

#include <string.h>

#include "core/memory.h"
#include "text/clip/normalise.h"

pld_status pld_clip_added_tokens_add(pld_clip_added_tokens *added, const char *content, int32_t id,
                                     bool normalized, const char *name, pld_error *error) {
    size_t length = strlen(content);
    if (length == 0) {
        return PLD_OK;
    }
    size_t index = 0;
    while (index < added->count && added->tokens[index].id != id) {
        index++;
    }
    if (index == PLD_CLIP_ADDED_TOKENS_LIMIT) {
        return pld_fail(
            error, PLD_ERROR_UNSUPPORTED,
            "%s: expected at most %d added tokens, found one more, '%.64s'; remove those that no prompt uses",
            name, (int)PLD_CLIP_ADDED_TOKENS_LIMIT, content);
    }
    char *copy = normalized ? pld_clip_normalise(content, length, &length) : pld_copy_bytes(content, length);
    void *tokens = added->tokens;
    if (!copy || !pld_grow(&tokens, &added->capacity, index + 1, sizeof *added->tokens)) {
        pld_free(copy);
        return pld_fail_memory(error, length, name);
    }
    added->tokens = tokens;
    added->count = index == added->count ? index + 1 : added->count;
    pld_free(added->tokens[index].content);
    added->tokens[index] = (pld_clip_added_token){copy, length, id, normalized};
    return PLD_OK;
}

void pld_clip_added_tokens_finish(pld_clip_added_tokens *added) {
    memset(added->first_bytes, 0, sizeof added->first_bytes);
    for (size_t i = 0; i < added->count; i++) {
        const pld_clip_added_token *token = &added->tokens[i];
        added->first_bytes[token->normalized][(unsigned char)token->content[0]] = true;
    }
}

const pld_clip_added_token *pld_clip_added_tokens_find(const pld_clip_added_tokens *added, bool normalized,
                                                       const char *text, size_t length, size_t *place) {
    for (size_t at = 0; at < length; at++) {
        if (!added->first_bytes[normalized][(unsigned char)text[at]]) {
            continue;
        }
        const pld_clip_added_token *best = NULL;
        for (size_t i = 0; i < added->count; i++) {
            const pld_clip_added_token *token = &added->tokens[i];
            if (token->normalized == normalized && token->length <= length - at &&
                (!best || token->length > best->length) &&
                memcmp(token->content, text + at, token->length) == 0) {
                best = token;
            }
        }
        if (best) {
            *place = at;
            return best;
        }
    }
    return NULL;
}

void pld_clip_added_tokens_free(pld_clip_added_tokens *added) {
    for (size_t i = 0; i < added->count; i++) {
        pld_free(added->tokens[i].content);
    }
    pld_free(added->tokens);
    *added = (pld_clip_added_tokens){0};
}
