/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secrets.h"

#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

bool secret_name(char name[SECRET_NAME]) {
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[(SECRET_NAME - 1) / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        return false;
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        name[2 * i] = digits[bytes[i] >> 4];
        name[2 * i + 1] = digits[bytes[i] & 15];
    }
    name[SECRET_NAME - 1] = '\0';
    return true;
}

/** Digests have one length, so nothing is told of that of the texts. */
static void digest(const char *text, size_t length, uint8_t result[SHA256_DIGEST_SIZE]) {
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, length, (const uint8_t *)text);
    sha256_digest(&context, SHA256_DIGEST_SIZE, result);
}

bool secret_equal(const char *first, size_t first_length, const char *second) {
    uint8_t a[SHA256_DIGEST_SIZE], b[SHA256_DIGEST_SIZE];
    digest(first, first_length, a);
    digest(second, strlen(second), b);
    return memeql_sec(a, b, sizeof a) != 0;
}
