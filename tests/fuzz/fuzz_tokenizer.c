/* SPDX-License-Identifier: Apache-2.0 */
/* Tokenizer files: the input is a prompt and up to six files, separated by the byte 0x1e. */
#include <string.h>

#include "fuzz.h"
#include "text/clip/tokenizer.h"

/** The next section; one without bytes is a file that is not there. */
static pld_clip_file take_section(const uint8_t **data, size_t *size) {
    const uint8_t *end = *size ? memchr(*data, 0x1e, *size) : NULL;
    size_t length = end ? (size_t)(end - *data) : *size;
    pld_clip_file section = {.data = length ? (const char *)*data : NULL, .size = length};
    *data += length + (end != NULL);
    *size -= length + (end != NULL);
    return section;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    pld_clip_file prompt = take_section(&data, &size);
    pld_clip_files files = {.folder = "fuzz"};
    files.vocabulary = take_section(&data, &size);
    files.merges = take_section(&data, &size);
    files.configuration = take_section(&data, &size);
    files.special_tokens = take_section(&data, &size);
    files.added_tokens = take_section(&data, &size);
    files.tokenizer = take_section(&data, &size);
    pld_clip_tokenizer *tokenizer = NULL;
    pld_error error = {0};
    if (pld_clip_tokenizer_parse(&files, &tokenizer, &error) != PLD_OK) {
        FUZZ_REQUIRE(!tokenizer && error.message[0]);
        return 0;
    }
    int32_t count = pld_clip_vocabulary_size(tokenizer);
    FUZZ_REQUIRE(count > 0 && pld_clip_piece(tokenizer, count - 1) && !pld_clip_piece(tokenizer, count));
    FUZZ_REQUIRE(pld_clip_piece(tokenizer, pld_clip_start_id(tokenizer)) &&
                 pld_clip_piece(tokenizer, pld_clip_end_id(tokenizer)) &&
                 pld_clip_piece(tokenizer, pld_clip_pad_id(tokenizer)));
    FUZZ_REQUIRE(pld_clip_model_max_length(tokenizer) >= 0);
    pld_token_list ids = {0};
    FUZZ_REQUIRE(pld_clip_encode(tokenizer, prompt.data, prompt.size, &ids, &error) == PLD_OK);
    for (size_t i = 0; i < ids.count; i++) {
        FUZZ_REQUIRE(ids.ids[i] >= 0 && ids.ids[i] < count);
    }
    pld_token_list_free(&ids);
    pld_clip_tokenizer_close(tokenizer);
    return 0;
}
