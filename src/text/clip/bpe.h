/* SPDX-License-Identifier: Apache-2.0 */
/** CLIP's vocabulary as it was published: a list of merges (bpe_simple_vocab_16e6.txt, usually
 * gzip-compressed) from which the tokens and their ids follow. Single-file checkpoints hold no tokenizer of
 * their own. */
#ifndef PLD_TEXT_CLIP_BPE_H
#define PLD_TEXT_CLIP_BPE_H

#include "text/clip/tokenizer.h"

/** The files of a tokenizer folder, as text. */
typedef struct pld_clip_bpe {
    char *vocabulary, *merges, *configuration; /**< vocab.json, merges.txt, tokenizer_config.json */
    size_t vocabulary_size, merges_size, configuration_size;
} pld_clip_bpe;

/** Read the list at `path` and write out what follows from it. `pad_token`: "<|endoftext|>" (SD 1 and SDXL's
 *  first encoder) or "!" (OpenCLIP). On success the caller frees `texts` with pld_clip_bpe_free. */
pld_status pld_clip_bpe_read(const char *path, const char *pad_token, pld_clip_bpe *texts, pld_error *error);
void pld_clip_bpe_free(pld_clip_bpe *texts);

/** A tokenizer made of them. */
pld_status pld_clip_bpe_open(const char *path, const char *pad_token, pld_clip_tokenizer **tokenizer,
                             pld_error *error);

#endif
