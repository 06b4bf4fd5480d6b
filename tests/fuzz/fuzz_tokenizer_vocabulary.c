/* SPDX-License-Identifier: Apache-2.0 */
/* vocab.json and merges.txt. */
#include "fuzz_tokenizer_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_tokenizer_source(data, size, PLD_TOKENIZER_VOCABULARY, 2);
    return 0;
}
