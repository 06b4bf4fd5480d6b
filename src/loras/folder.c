/* SPDX-License-Identifier: Apache-2.0 */
#include "loras/folder.h"

#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"

pld_status pld_lora_folder_find(const char *path, char **file, pld_error *error) {
    static const char *const names[] = {"adapter_model.safetensors", "pytorch_lora_weights.safetensors"};
    struct stat found;
    *file = NULL;
    if (stat(path, &found) != 0 || !S_ISDIR(found.st_mode)) {
        *file = pld_copy_string(path);
        return *file ? PLD_OK : pld_fail_memory(error, strlen(path), "path");
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *inside = pld_format("%s/%s", path, names[i]);
        if (!inside) {
            return pld_fail_memory(error, strlen(path), "path");
        }
        if (stat(inside, &found) == 0 && S_ISREG(found.st_mode)) {
            *file = inside;
            return PLD_OK;
        }
        pld_free(inside);
    }
    return pld_fail(error, PLD_ERROR_MISSING,
                    "%s: the folder contains neither %s nor %s; name the LoRA's own file", path, names[0],
                    names[1]);
}
