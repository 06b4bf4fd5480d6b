/* SPDX-License-Identifier: Apache-2.0 */
/** SentencePiece's map of characters: how its models normalise a text.
 *
 *  A map is a double array (Darts-clone) of the sequences to be replaced, and the replacements behind
 *  each other. It is applied as the tokenizers library applies it: grapheme by grapheme, where a
 *  grapheme of fewer than six bytes is looked up whole, else character by character, and the shortest
 *  entry that a key begins with counts. SentencePiece itself looks for the longest, and knows no
 *  graphemes; the two differ in rare combinations. */
#ifndef PLD_TEXT_STEPS_CHARSMAP_H
#define PLD_TEXT_STEPS_CHARSMAP_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "text/text_buffer.h"

/** Starts as {0}; an empty map changes nothing. */
typedef struct pld_charsmap {
    uint32_t *units; /**< [unit_count], owned */
    size_t unit_count;
    char *replacements; /**< owned, NUL behind each and behind all */
    size_t size;
} pld_charsmap;

/** Read a map from its binary form; `name` is the file for messages. */
pld_status pld_charsmap_read(pld_charsmap *map, const uint8_t *bytes, size_t size, const char *name,
                             pld_error *error);

/** The same from base64, as tokenizer.json has it. */
pld_status pld_charsmap_read_base64(pld_charsmap *map, const char *text, size_t length, const char *name,
                                    pld_error *error);

/** Append the normal form of well-formed UTF-8 to `out`. PLD_ERROR_MEMORY is the only failure. */
pld_status pld_charsmap_apply(const pld_charsmap *map, const char *text, size_t length, pld_text_buffer *out,
                              pld_error *error);

void pld_charsmap_free(pld_charsmap *map);

#endif
