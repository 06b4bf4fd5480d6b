/* SPDX-License-Identifier: Apache-2.0 */
/** What a tokenizer is made of, as its source describes it and its kind uses it; for src/text alone. */
#ifndef PLD_TEXT_TOKENIZER_PARTS_H
#define PLD_TEXT_TOKENIZER_PARTS_H

#include "text/clip/tokenizer.h"
#include "text/steps/added_tokens.h"
#include "text/steps/normaliser.h"
#include "text/steps/splitter.h"
#include "text/tokenizer.h"
#include "text/vocabulary/merges.h"
#include "text/vocabulary/trie.h"
#include "text/vocabulary/vocabulary.h"

/** A byte-pair model. */
typedef struct pld_bpe_model {
    pld_merges merges;
    bool fuse_unknown;  /**< characters without a piece that follow each other become one unknown token */
    bool byte_fallback; /**< they become their bytes' pieces, <0x00> … <0xFF>, where all of them are there */
    bool ignore_merges; /**< a word that is a piece is that piece, whatever the merges make of it */
    int32_t
        byte_ids[256]; /**< of each byte: its letter in byte-level vocabularies, else its <0x..>; −1: none */
} pld_bpe_model;

/** A Unigram model (Kudo, 2018). */
typedef struct pld_unigram_model {
    double *scores; /**< [score_count] by id: logarithms of probabilities */
    size_t score_count, score_capacity;
    pld_trie pieces; /**< the pieces with a score */
    double unknown_score;
    bool byte_fallback;
    int32_t byte_ids[256]; /**< as above */
} pld_unigram_model;

/** Everything that is filled by a source. Starts as {0} but for the ids. */
typedef struct pld_tokenizer_parts {
    pld_vocabulary vocabulary;
    pld_added_tokens added;
    pld_normaliser normaliser;
    pld_splitter splitter;
    size_t model_ids;   /**< ids from here on are added tokens, which the model does not know */
    int32_t unknown_id; /**< of the model; −1: characters without a piece are left out */
    pld_bpe_model bpe;
    pld_unigram_model unigram;
    pld_clip_tokenizer *clip; /**< CLIP's is read and used by its own code */
} pld_tokenizer_parts;

/** Scratch memory of one call of encode; starts as {0}. */
typedef struct pld_encoding_space {
    pld_word_space merges;
    struct pld_path_node *nodes; /**< of the best path through a word */
    size_t node_capacity;
    pld_text_buffer word; /**< a word as the vocabulary spells it */
} pld_encoding_space;

/** A kind of tokenizer: one row. */
typedef struct pld_tokenizer_kind {
    const char *name;
    /** Whether it is the kind of what a source has described. */
    bool (*fits)(const pld_tokenizer_parts *parts);
    /** Make what encoding needs, and check it; `name` is the source for messages. */
    pld_status (*prepare)(pld_tokenizer_parts *parts, const char *name, pld_error *error);
    /** Append the ids of a word. NULL: the kind treats whole texts (`encode`). */
    pld_status (*encode_word)(const pld_tokenizer_parts *parts, pld_encoding_space *space, const char *word,
                              size_t length, pld_token_list *ids, pld_error *error);
    /** Append the ids of a text. */
    pld_status (*encode)(const pld_tokenizer *tokenizer, const char *text, size_t length, pld_token_list *ids,
                         pld_error *error);
    int32_t (*find)(const pld_tokenizer_parts *parts, const char *token);
    const char *(*piece)(const pld_tokenizer_parts *parts, int32_t id);
    size_t (*size)(const pld_tokenizer_parts *parts);
} pld_tokenizer_kind;

struct pld_tokenizer {
    const pld_tokenizer_kind *kind;
    pld_tokenizer_parts parts;
    pld_tokenizer_facts facts;
};

/** The kind that fits; there is always one. */
const pld_tokenizer_kind *pld_tokenizer_find_kind(const pld_tokenizer_parts *parts);

/** A tokenizer of CLIP's kind, to which `clip` belongs from now on. */
pld_status pld_tokenizer_from_clip(pld_clip_tokenizer *clip, pld_tokenizer **tokenizer, pld_error *error);

/* Parts of the rows, one file each. */
pld_status pld_byte_bpe_prepare(pld_tokenizer_parts *parts, const char *name, pld_error *error);
pld_status pld_byte_bpe_encode(const pld_tokenizer_parts *parts, pld_encoding_space *space, const char *word,
                               size_t length, pld_token_list *ids, pld_error *error);
pld_status pld_spm_bpe_prepare(pld_tokenizer_parts *parts, const char *name, pld_error *error);
pld_status pld_spm_bpe_encode(const pld_tokenizer_parts *parts, pld_encoding_space *space, const char *word,
                              size_t length, pld_token_list *ids, pld_error *error);
pld_status pld_unigram_prepare(pld_tokenizer_parts *parts, const char *name, pld_error *error);
pld_status pld_unigram_encode(const pld_tokenizer_parts *parts, pld_encoding_space *space, const char *word,
                              size_t length, pld_token_list *ids, pld_error *error);
pld_status pld_words_encode(const pld_tokenizer *tokenizer, const char *text, size_t length,
                            pld_token_list *ids, pld_error *error);

/** The id of a piece that the model knows; −1: none. */
int32_t pld_find_model_piece(const pld_tokenizer_parts *parts, const char *piece, size_t length);

/** Ids of <0x00> … <0xFF>, −1 where the vocabulary has none. */
void pld_find_byte_pieces(const pld_vocabulary *vocabulary, int32_t byte_ids[256]);

/** Append the pieces of every byte of `text`; `*all` false, and nothing appended: one has none. */
pld_status pld_append_bytes(const int32_t byte_ids[256], const char *text, size_t length, pld_token_list *ids,
                            bool *all, pld_error *error);

#endif
