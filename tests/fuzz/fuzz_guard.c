/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of a stranger: Host, Origin, Authorization, Cookie, a line each. Nobody gets in without the key, nor by a name that is not
 * allowed. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "http/guard.h"

enum { HEADERS = 4 };
static const char key[] = "correct horse battery";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const hosts[] = {"pictures.example"};
    const guard_rules rules = {hosts, 1, key};
    guard *asked = guard_create(&rules);
    char *text = malloc(size + 1), *lines[HEADERS] = {NULL};
    FUZZ_REQUIRE(asked && text);
    memcpy(text, data, size);
    text[size] = '\0';
    char *at = text;
    for (int i = 0; i < HEADERS && at; i++) {
        lines[i] = at;
        at = strchr(at, '\n');
        if (at) {
            *at++ = '\0';
        }
    }
    const guard_request request = {.method = "POST",
                                   .host = lines[0],
                                   .origin = lines[1],
                                   .authorization = lines[2],
                                   .cookie = lines[3]};
    if (guard_ask(asked, &request) == GUARD_WELCOME) {
        /* The key stands there as it is, or as base64 behind "Basic". */
        FUZZ_REQUIRE(lines[2] && (strstr(lines[2], key) || strncasecmp(lines[2], "basic ", 6) == 0));
        FUZZ_REQUIRE(lines[0] && !strstr(lines[0], "evil"));
    }
    free(text);
    guard_destroy(&asked);
    return 0;
}
