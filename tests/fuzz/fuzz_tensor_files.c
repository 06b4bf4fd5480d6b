/* SPDX-License-Identifier: Apache-2.0 */
/* A whole file of tensors, safetensors or GGUF: opened, listed, and every byte of every tensor read. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "io/tensors/tensor_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    pld_tensor_file *file = NULL;
    pld_error error = {0};
    if (pld_tensor_file_open(fuzz_file(data, size), &file, &error) != PLD_OK) {
        FUZZ_REQUIRE(!file && error.message[0] && error.status != PLD_OK);
        return 0;
    }
    size_t total = 0;
    for (size_t i = 0; i < pld_tensor_file_count(file); i++) {
        const pld_stored_tensor *tensor = pld_tensor_file_at(file, i);
        FUZZ_REQUIRE(pld_tensor_file_find(file, tensor->name) == tensor);
        FUZZ_REQUIRE(tensor->bytes <= size && tensor->offset <= size - tensor->bytes);
        total += tensor->bytes;
        uint8_t *bytes = malloc(tensor->bytes + 1);
        FUZZ_REQUIRE(bytes);
        FUZZ_REQUIRE(pld_tensor_file_read(file, tensor, 0, tensor->bytes, bytes, &error) == PLD_OK);
        FUZZ_REQUIRE(memcmp(bytes, data + tensor->offset, tensor->bytes) == 0);
        free(bytes);
    }
    FUZZ_REQUIRE(total < size);
    for (size_t i = 0; i < pld_tensor_file_metadata_count(file); i++) {
        FUZZ_REQUIRE(pld_tensor_file_metadata_find(file, pld_tensor_file_metadata_key(file, i)) ==
                     pld_tensor_file_metadata_value(file, i));
    }
    pld_tensor_file_close(&file);
    return 0;
}
