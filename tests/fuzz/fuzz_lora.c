/* SPDX-License-Identifier: Apache-2.0 */
/* Prompts with LoRA tags, tensor names of LoRA files, and whole LoRA files. What is accepted must be
 * complete. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "loras/file.h"
#include "loras/tags.h"

/** No tag is left, and no name leads out of a folder. */
static void tags(const char *text) {
    pld_lora_tags taken;
    pld_error error = {0};
    if (pld_lora_tags_take(text, &taken, &error) != PLD_OK) {
        FUZZ_REQUIRE(!taken.prompt && taken.count == 0 && error.message[0]);
        return;
    }
    FUZZ_REQUIRE(strlen(taken.prompt) <= strlen(text));
    for (size_t i = 0; i < taken.count; i++) {
        const char *name = taken.tags[i].name;
        FUZZ_REQUIRE(name[0] && name[0] != '/' && strncmp(name, "../", 3) != 0 && !strstr(name, "/../"));
        FUZZ_REQUIRE(strcmp(name, "..") != 0 && isfinite(taken.tags[i].weight));
    }
    pld_lora_tags_free(&taken);
}

static void names(const char *text) {
    pld_lora_name name;
    if (pld_lora_name_parse(text, &name)) {
        FUZZ_REQUIRE(name.path[0] && !strchr(name.path, '.') && strlen(name.path) < PLD_LORA_PATH);
        FUZZ_REQUIRE(name.module_length < strlen(text) && name.part < PLD_LORA_PART_COUNT && name.style);
        FUZZ_REQUIRE(pld_lora_factor_name(name.factor)[0]);
    }
}

static void file(const uint8_t *data, size_t size) {
    pld_lora_file *lora = NULL;
    pld_error error = {0};
    if (pld_lora_file_open(fuzz_file(data, size), &lora, &error) != PLD_OK) {
        FUZZ_REQUIRE(!lora && error.message[0]);
        return;
    }
    FUZZ_REQUIRE(pld_lora_file_count(lora) > 0 && pld_lora_file_style(lora) && pld_lora_file_kind(lora));
    for (size_t i = 0; i < pld_lora_file_count(lora); i++) {
        const pld_lora_module *module = pld_lora_file_at(lora, i);
        FUZZ_REQUIRE(isfinite(module->scale) && module->rank >= 0 && module->path[0]);
        FUZZ_REQUIRE(module->kind != PLD_KIND_LORA ||
                     (module->factors[PLD_LORA_UP] && module->factors[PLD_LORA_DOWN]));
    }
    (void)pld_lora_file_family(lora);
    pld_lora_file_close(&lora);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    if (!text) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    tags(text);
    names(text);
    free(text);
    file(data, size);
    return 0;
}
