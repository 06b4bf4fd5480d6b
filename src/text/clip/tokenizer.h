/* SPDX-License-Identifier: Apache-2.0 */
/** CLIP's byte-level BPE, equal to the ids of transformers' CLIPTokenizer.
 *
 *  Text → raw special tokens cut out → NFC, white space runs become one space, lower case → special tokens of
 *  the normalised text cut out → words by CLIP's pattern → bytes as letters → merges by rank → ids.
 *  There is no ftfy and no HTML unescaping. Bytes that are not UTF-8 count as U+FFFD. */
#ifndef PLD_TEXT_CLIP_TOKENIZER_H
#define PLD_TEXT_CLIP_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "text/token_list.h"

/** Immutable after opening: any number of threads may encode with one tokenizer. */
typedef struct pld_clip_tokenizer pld_clip_tokenizer;

/** The bytes of one file; `data` NULL when there is no such file. */
typedef struct pld_clip_file {
    const char *data;
    size_t size;
} pld_clip_file;

/** Everything a tokenizer is made of. Either `tokenizer` or `vocabulary` and `merges` must be there. */
typedef struct pld_clip_files {
    const char *folder;           /**< named in error messages */
    pld_clip_file tokenizer;      /**< tokenizer.json; wins over vocabulary and merges, as in transformers */
    pld_clip_file vocabulary;     /**< vocab.json */
    pld_clip_file merges;         /**< merges.txt */
    pld_clip_file configuration;  /**< tokenizer_config.json */
    pld_clip_file special_tokens; /**< special_tokens_map.json */
    pld_clip_file added_tokens;   /**< added_tokens.json, of old folders */
} pld_clip_files;

/** Read a tokenizer folder. On success `*tokenizer` belongs to the caller (pld_clip_tokenizer_close); on
 *  failure it is NULL. PLD_ERROR_MISSING: no usable file; PLD_ERROR_FORMAT: a malformed one, named;
 *  PLD_ERROR_UNSUPPORTED: a setting that would change ids and is not implemented. */
pld_status pld_clip_tokenizer_open(const char *folder, pld_clip_tokenizer **tokenizer, pld_error *error);

/** The same from memory; the files are not kept. */
pld_status pld_clip_tokenizer_parse(const pld_clip_files *files, pld_clip_tokenizer **tokenizer,
                                    pld_error *error);

/** Fill with another token than the files say, while no other thread uses the tokenizer; one that the
 *  vocabulary lacks changes nothing. */
void pld_clip_use_pad(pld_clip_tokenizer *tokenizer, const char *token);

/** NULL is fine. */
void pld_clip_tokenizer_close(pld_clip_tokenizer *tokenizer);

/** Append the ids of `length` bytes of text to `ids`, without start and end token and without cutting.
 *  On failure (memory) `ids` keeps what it held before. */
pld_status pld_clip_encode(const pld_clip_tokenizer *tokenizer, const char *text, size_t length,
                           pld_token_list *ids, pld_error *error);

/** Ids run from 0 to this number, exclusive; added tokens included. */
int32_t pld_clip_vocabulary_size(const pld_clip_tokenizer *tokenizer);

int32_t pld_clip_start_id(const pld_clip_tokenizer *tokenizer); /**< bos_token */
int32_t pld_clip_end_id(const pld_clip_tokenizer *tokenizer);   /**< eos_token */
int32_t pld_clip_pad_id(const pld_clip_tokenizer *tokenizer);   /**< pad_token */

/** `model_max_length` of the configuration; 0 when it states none, or one that is no practical bound. */
int32_t pld_clip_model_max_length(const pld_clip_tokenizer *tokenizer);

/** The id of a token by its string in the vocabulary, such as "cat</w>"; −1: none. */
int32_t pld_clip_token_id(const pld_clip_tokenizer *tokenizer, const char *token);

/** The vocabulary's string for an id, such as "cat</w>"; UTF-8, lives as long as the tokenizer; NULL for an
 * id outside the vocabulary. */
const char *pld_clip_piece(const pld_clip_tokenizer *tokenizer, int32_t id);

/** The id of such a string, or −1. */
int32_t pld_clip_find_piece(const pld_clip_tokenizer *tokenizer, const char *piece);

#endif
