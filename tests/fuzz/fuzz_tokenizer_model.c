/* SPDX-License-Identifier: Apache-2.0 */
/* SentencePiece models. */
#include "fuzz_tokenizer_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_tokenizer_source(data, size, PLD_TOKENIZER_MODEL, 1);
    return 0;
}
