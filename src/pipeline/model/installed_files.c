/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/model/installed_files.h"

#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "io/files/text_file.h"

enum { INSTRUCTION_BYTES = 1 << 16 };

pld_status pld_installed_folders_copy(const char *const *paths, size_t count, pld_installed_folders *folders,
                                      pld_error *error) {
    *folders = (pld_installed_folders){.paths = pld_allocate(count, sizeof *folders->paths)};
    for (; folders->paths && folders->count < count; folders->count++) {
        folders->paths[folders->count] = pld_copy_string(paths[folders->count]);
        if (!folders->paths[folders->count]) {
            break;
        }
    }
    return folders->paths && folders->count == count ? PLD_OK : pld_fail_memory(error, 256, "path");
}

void pld_installed_folders_free(pld_installed_folders *folders) {
    for (size_t i = 0; i < folders->count; i++) {
        pld_free(folders->paths[i]);
    }
    pld_free(folders->paths);
    *folders = (pld_installed_folders){0};
}

/** FOLDER/INSIDE if a regular file is there; NULL: it is not. */
static pld_status find_in(const char *folder, const char *inside, char **path, pld_error *error) {
    struct stat facts;
    *path = pld_format("%s/%s", folder, inside);
    if (!*path) {
        return pld_fail_memory(error, strlen(folder), "path");
    }
    if (stat(*path, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        pld_free(*path);
        *path = NULL;
    }
    return PLD_OK;
}

pld_status pld_installed_find(const pld_installed_folders *folders, const pld_installed *installed,
                              char **path, pld_error *error) {
    *path = NULL;
    for (size_t i = 0; i < folders->count && !*path; i++) {
        PLD_TRY(find_in(folders->paths[i], installed->inside, path, error));
    }
    return PLD_OK;
}

/** The text of a file, without the line ends that editors put behind it. */
static pld_status read_instruction(const char *path, char **text, pld_error *error) {
    size_t length = 0;
    PLD_TRY(pld_text_file_read(path, INSTRUCTION_BYTES, text, &length, error));
    while (length > 0 && (*text)[length - 1] == '\n') {
        (*text)[--length] = '\0';
    }
    return PLD_OK;
}

pld_status pld_instruction_find(const pld_text_use *use, const char *folder,
                                const pld_installed_folders *folders, char **text, pld_error *error) {
    char *path = NULL;
    *text = NULL;
    if (!use || !use->instruction) {
        return PLD_OK;
    }
    pld_status status = folder ? find_in(folder, "complex_instruction.txt", &path, error) : PLD_OK;
    if (status == PLD_OK && !path) {
        status = pld_installed_find(folders, use->instruction, &path, error);
    }
    if (status == PLD_OK && path) {
        status = read_instruction(path, text, error);
    }
    pld_free(path);
    return status;
}

const char *pld_instruction_chosen(const char *wanted, const char *own) {
    if (!wanted) {
        return own;
    }
    return wanted[0] && strcmp(wanted, "none") != 0 ? wanted : NULL;
}
