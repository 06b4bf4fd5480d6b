/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <nettle/base64.h>
#include <stdlib.h>
#include <string.h>

char *base64_write(const void *bytes, size_t size) {
    char *text = malloc(BASE64_ENCODE_RAW_LENGTH(size) + 1);
    if (text != NULL) {
        base64_encode_raw(text, size, bytes);
        text[BASE64_ENCODE_RAW_LENGTH(size)] = '\0';
    }
    return text;
}

uint8_t *base64_read(const char *text, size_t *size, bool *out_of_memory) {
    struct base64_decode_ctx context;
    const char *comma = strncmp(text, "data:", 5) == 0 ? strchr(text, ',') : NULL;
    const char *begin = comma != NULL ? comma + 1 : text;
    const size_t length = strlen(begin);
    uint8_t *bytes = malloc(BASE64_DECODE_LENGTH(length) + 1);
    *out_of_memory = bytes == NULL;
    *size = BASE64_DECODE_LENGTH(length);
    base64_decode_init(&context);
    if (bytes == NULL || length == 0 || !base64_decode_update(&context, size, bytes, length, begin) ||
        !base64_decode_final(&context)) {
        free(bytes);
        return NULL;
    }
    return bytes;
}
