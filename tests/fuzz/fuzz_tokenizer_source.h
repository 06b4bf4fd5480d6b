/* SPDX-License-Identifier: Apache-2.0 */
/** A tokenizer of one form of file. The input is a prompt, tokenizer_config.json, and the form's files,
 *  separated by the byte 0x1e; the last section takes all that is left. */
#ifndef PLD_TESTS_FUZZ_TOKENIZER_SOURCE_H
#define PLD_TESTS_FUZZ_TOKENIZER_SOURCE_H

#include <string.h>

#include "fuzz.h"
#include "text/tokenizer.h"

/** The next section, or with `last` the rest; one without bytes is a file that is not there. */
static inline pld_tokenizer_data take_section(const uint8_t **data, size_t *size, int last) {
    const uint8_t *end = *size && !last ? memchr(*data, 0x1e, *size) : NULL;
    const size_t length = end ? (size_t)(end - *data) : *size;
    const pld_tokenizer_data section = {"fuzz", length ? (const char *)*data : NULL, length};
    *data += length + (end != NULL);
    *size -= length + (end != NULL);
    return section;
}

/** Open and encode; what must hold of every tokenizer that opens. */
static inline void fuzz_tokenizer_source(const uint8_t *data, size_t size, pld_tokenizer_file first,
                                         int count) {
    const pld_tokenizer_data prompt = take_section(&data, &size, 0);
    pld_tokenizer_data files[PLD_TOKENIZER_FILE_COUNT] = {0};
    files[PLD_TOKENIZER_CONFIGURATION] = take_section(&data, &size, 0);
    for (int i = 0; i < count; i++) {
        files[(int)first + i] = take_section(&data, &size, i + 1 == count);
    }
    pld_tokenizer *tokenizer = NULL;
    pld_error error = {0};
    if (pld_tokenizer_parse(files, "fuzz", &tokenizer, &error) != PLD_OK) {
        FUZZ_REQUIRE(!tokenizer && error.message[0]);
        return;
    }
    const size_t ids = pld_tokenizer_vocabulary_size(tokenizer);
    const pld_tokenizer_facts *facts = pld_tokenizer_get_facts(tokenizer);
    FUZZ_REQUIRE(ids > 0 && !pld_tokenizer_piece(tokenizer, (int32_t)ids) &&
                 !pld_tokenizer_piece(tokenizer, -1));
    FUZZ_REQUIRE(facts->start_id < (int32_t)ids && facts->end_id < (int32_t)ids &&
                 facts->pad_id < (int32_t)ids && facts->before_id < (int32_t)ids &&
                 facts->after_id < (int32_t)ids);
    pld_token_list list = {0};
    const pld_status status =
        pld_tokenizer_encode(tokenizer, prompt.data ? prompt.data : "", prompt.size, &list, &error);
    FUZZ_REQUIRE(status == PLD_OK || status == PLD_ERROR_UNSUPPORTED);
    for (size_t i = 0; i < list.count; i++) {
        FUZZ_REQUIRE(pld_tokenizer_piece(tokenizer, list.ids[i]));
    }
    pld_token_list_free(&list);
    pld_tokenizer_close(tokenizer);
}

#endif
