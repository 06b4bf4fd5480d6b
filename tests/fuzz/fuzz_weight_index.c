/* SPDX-License-Identifier: Apache-2.0 */
/* An index of shards, beside two honest shards: "one.safetensors" with tensors a and b, "two.safetensors"
 * with c. Only an index that says just that may be accepted. */
#include <string.h>

#include "fuzz.h"
#include "io/tensors/weight_files.h"

static void write_shard(const char *name, const char *header, uint8_t data_size) {
    uint8_t bytes[256] = {0};
    size_t header_size = strlen(header);
    bytes[0] = (uint8_t)header_size;
    memcpy(bytes + 8, header, header_size);
    fuzz_write(name, bytes, 8 + header_size + data_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static int prepared;
    if (!prepared) {
        write_shard("one.safetensors",
                    "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                    "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}",
                    3);
        write_shard("two.safetensors", "{\"c\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4);
        prepared = 1;
    }
    fuzz_write("model.safetensors.index.json", data, size);
    pld_weight_files *files = NULL;
    pld_error error = {0};
    if (pld_weight_files_open(fuzz_folder(), "model", &files, &error) != PLD_OK) {
        FUZZ_REQUIRE(!files && error.message[0]);
        return 0;
    }
    for (size_t i = 0; i < pld_weight_files_file_count(files); i++) {
        const char *path = pld_weight_files_path(files, i);
        FUZZ_REQUIRE(strncmp(path, fuzz_folder(), strlen(fuzz_folder())) == 0);
    }
    pld_weight weight;
    for (size_t i = 0; i < pld_weight_files_count(files); i++) {
        FUZZ_REQUIRE(pld_weight_files_find(files, pld_weight_files_at(files, i).tensor->name, &weight));
    }
    pld_weight_files_close(&files);
    return 0;
}
