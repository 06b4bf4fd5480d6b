/* SPDX-License-Identifier: Apache-2.0 */
#include "core/memory.h"
#include "io/files/text_file.h"
#include "pladis/pladis.h"

pld_status pld_plain_text_decode(const void *bytes, size_t size, const char *name, char **text,
                                 size_t *length, pld_error *error) {
    return pld_text_file_decode(bytes, size, name, text, length, error);
}

void pld_plain_text_free(char **text) {
    pld_free(*text);
    *text = NULL;
}
