/* SPDX-License-Identifier: Apache-2.0 */
/** Token ids, as every tokenizer gives them. */
#ifndef PLD_TEXT_TOKEN_LIST_H
#define PLD_TEXT_TOKEN_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A growing list of token ids; starts as {0}. */
typedef struct pld_token_list {
    int32_t *ids;
    size_t count;
    size_t capacity;
} pld_token_list;

/** Append one id; false when memory is out. */
bool pld_token_list_append(pld_token_list *list, int32_t id);

/** Make room for `count` more ids; false when memory is out. */
bool pld_token_list_reserve(pld_token_list *list, size_t count);

/** Free the ids and empty the list. */
void pld_token_list_free(pld_token_list *list);

#endif
