/* SPDX-License-Identifier: Apache-2.0 */
/** Tokenizers of every kind behind one type: CLIP's BPE, byte-level BPE (GPT-2, Qwen), SentencePiece's
 *  Unigram (T5) and BPE (Gemma), with the ids of the tokenizers library, whatever files describe them.
 *
 *  Text → added tokens cut out → normal form → added tokens of the normal form cut out → words → the
 *  model → ids. Bytes that are not UTF-8 count as U+FFFD. */
#ifndef PLD_TEXT_TOKENIZER_H
#define PLD_TEXT_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "text/token_list.h"

/** Immutable after opening: any number of threads may encode with one tokenizer. */
typedef struct pld_tokenizer pld_tokenizer;

/** The files that a tokenizer can be made of. */
typedef enum pld_tokenizer_file {
    PLD_TOKENIZER_JSON,           /**< tokenizer.json, which says everything */
    PLD_TOKENIZER_MODEL,          /**< a SentencePiece model: spiece.model, tokenizer.model */
    PLD_TOKENIZER_VOCABULARY,     /**< vocab.json, with … */
    PLD_TOKENIZER_MERGES,         /**< … merges.txt */
    PLD_TOKENIZER_CONFIGURATION,  /**< tokenizer_config.json */
    PLD_TOKENIZER_SPECIAL_TOKENS, /**< special_tokens_map.json */
    PLD_TOKENIZER_ADDED_TOKENS,   /**< added_tokens.json, of old folders */
    PLD_TOKENIZER_FILE_COUNT
} pld_tokenizer_file;

/** One file in memory; `data` NULL: it is not there. */
typedef struct pld_tokenizer_data {
    const char *name; /**< for messages */
    const char *data;
    size_t size;
} pld_tokenizer_data;

/** What the files say of a tokenizer beside its vocabulary. */
typedef struct pld_tokenizer_facts {
    int32_t start_id;         /**< bos_token; −1: none, as with the next three */
    int32_t end_id;           /**< eos_token */
    int32_t pad_id;           /**< pad_token */
    int32_t unknown_id;       /**< unk_token */
    int32_t before_id;        /**< what transformers puts in front of a text's ids; −1: nothing */
    int32_t after_id;         /**< and behind them */
    int32_t model_max_length; /**< tokens; 0: not stated, or no practical bound */
} pld_tokenizer_facts;

/** Open a folder, or a file by its content: tokenizer.json, a SentencePiece model, either compressed by
 *  gzip, or CLIP's list of merges. Where a folder has several, tokenizer.json counts, then the model,
 *  then vocab.json. A file that has one of these names is read with the small files beside it, any
 *  other alone. On success `*tokenizer` belongs to the caller (pld_tokenizer_close), on failure it is
 *  NULL. PLD_ERROR_MISSING: no usable file; PLD_ERROR_FORMAT: a malformed one, named;
 *  PLD_ERROR_UNSUPPORTED: something that would change ids and is not implemented. CLIP's list does not say with what
 *  texts are filled up: with `pad`, NULL for "<|endoftext|>"; other files say it themselves. */
pld_status pld_tokenizer_open(const char *path, const char *pad, pld_tokenizer **tokenizer, pld_error *error);

/** Fill with another token than the files say, while no other thread uses the tokenizer; one that the vocabulary lacks
 *  changes nothing, nor does NULL. */
void pld_tokenizer_use_pad(pld_tokenizer *tokenizer, const char *token);

/** The same from memory; the data is not kept. `name` stands for the folder. */
pld_status pld_tokenizer_parse(const pld_tokenizer_data files[PLD_TOKENIZER_FILE_COUNT], const char *name,
                               pld_tokenizer **tokenizer, pld_error *error);

/** One file of a tokenizer, unpacked where it is compressed by gzip. The caller frees `*data`. */
pld_status pld_tokenizer_file_read(const char *path, char **data, size_t *size, pld_error *error);

/** NULL is fine. */
void pld_tokenizer_close(pld_tokenizer *tokenizer);

/** "clip_bpe", "byte_bpe", "spm_bpe" or "unigram". */
const char *pld_tokenizer_kind_name(const pld_tokenizer *tokenizer);

const pld_tokenizer_facts *pld_tokenizer_get_facts(const pld_tokenizer *tokenizer);

/** Append the ids of `length` bytes of text, without what goes before and behind and without cutting.
 *  On failure `ids` keeps what it held before: PLD_ERROR_MEMORY, or PLD_ERROR_UNSUPPORTED where a
 *  pattern of the files takes too long for the text. */
pld_status pld_tokenizer_encode(const pld_tokenizer *tokenizer, const char *text, size_t length,
                                pld_token_list *ids, pld_error *error);

/** The same for a text in a template: prefix, text and suffix joined, so that tokens may reach across
 *  the seams, as they do where transformers fills a template. NULL: empty. Special tokens count in all
 *  three. */
pld_status pld_tokenizer_encode_framed(const pld_tokenizer *tokenizer, const char *prefix, const char *text,
                                       size_t length, const char *suffix, pld_token_list *ids,
                                       pld_error *error);

/** The id of a token by its exact piece in the vocabulary, such as "<|im_start|>"; −1: none. */
int32_t pld_tokenizer_id(const pld_tokenizer *tokenizer, const char *token);

/** The piece of an id as the vocabulary has it (a space may be "▁" or "Ġ"); it lives as long as the
 *  tokenizer. NULL for an id without one. */
const char *pld_tokenizer_piece(const pld_tokenizer *tokenizer, int32_t id);

/** Ids run from 0 to this number, exclusive; added tokens included. */
size_t pld_tokenizer_vocabulary_size(const pld_tokenizer *tokenizer);

#endif
