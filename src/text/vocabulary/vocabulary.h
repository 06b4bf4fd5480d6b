/* SPDX-License-Identifier: Apache-2.0 */
/** A vocabulary of up to half a million pieces: pieces by id and ids by piece, in four tables. */
#ifndef PLD_TEXT_VOCABULARY_VOCABULARY_H
#define PLD_TEXT_VOCABULARY_VOCABULARY_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

enum {
    PLD_VOCABULARY_LIMIT = 1 << 19,    /**< pieces */
    PLD_VOCABULARY_IDS = 1 << 20,      /**< ids lie below; some vocabularies leave ids out */
    PLD_VOCABULARY_PIECE_BYTES = 1024, /**< of one piece; bounds the work at each place of a text */
    PLD_VOCABULARY_BYTES = 256 << 20   /**< of all pieces */
};

/** Starts as {0}. */
typedef struct pld_vocabulary {
    char *bytes; /**< all pieces, a NUL behind each */
    size_t used, byte_capacity;
    struct pld_vocabulary_piece *pieces; /**< [id_count] */
    size_t id_count;                     /**< greatest id + 1 */
    size_t piece_capacity;
    size_t count;                      /**< pieces */
    struct pld_vocabulary_slot *slots; /**< open addressing by hash */
    size_t slot_count;
} pld_vocabulary;

/** What to do with a piece that is there already. */
typedef enum pld_vocabulary_repeat {
    PLD_REPEAT_REFUSED, /**< PLD_ERROR_FORMAT */
    PLD_REPEAT_MOVES    /**< both ids show the piece, the later one is found */
} pld_vocabulary_repeat;

/** Make room for `count` more pieces. `name` is the file for messages. */
pld_status pld_vocabulary_reserve(pld_vocabulary *vocabulary, size_t count, const char *name,
                                  pld_error *error);

/** Keep `length` bytes of a piece at a free id, as one of many: it is found after pld_vocabulary_index. */
pld_status pld_vocabulary_put(pld_vocabulary *vocabulary, const char *piece, size_t length, int64_t id,
                              const char *name, pld_error *error);

/** Make all pieces that were put so far findable, in the order of their ids. */
pld_status pld_vocabulary_index(pld_vocabulary *vocabulary, pld_vocabulary_repeat repeat, const char *name,
                                pld_error *error);

/** Put one piece and make it findable. */
pld_status pld_vocabulary_add(pld_vocabulary *vocabulary, const char *piece, size_t length, int64_t id,
                              pld_vocabulary_repeat repeat, const char *name, pld_error *error);

/** The id of a piece, or −1. */
int32_t pld_vocabulary_find(const pld_vocabulary *vocabulary, const char *piece, size_t length);

/** Say that a piece will be looked for soon: memory is slow, and several look-ups can wait for it
 *  together. */
void pld_vocabulary_expect(const pld_vocabulary *vocabulary, const char *piece, size_t length);

/** pld_vocabulary_find in a vocabulary without repetitions, where the piece is likely to be that of
 *  `*last` or of the id behind it; `*last` moves to it if it is. Lists of merges are mostly in the
 *  order of what they make. */
int32_t pld_vocabulary_find_near(const pld_vocabulary *vocabulary, const char *piece, size_t length,
                                 int32_t *last);

/** The piece of an id and its length; NULL for an id without one. */
const char *pld_vocabulary_piece(const pld_vocabulary *vocabulary, int64_t id, size_t *length);

void pld_vocabulary_free(pld_vocabulary *vocabulary);

#endif
