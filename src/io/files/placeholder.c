/* SPDX-License-Identifier: Apache-2.0 */
#include "io/files/placeholder.h"

#include <string.h>

#define WEB_PAGE "a web page; the download failed, perhaps because it needs a login: download the file again"

static const struct {
    const char *begin;
    const char *what;
} placeholders[] = {
    {"version https://git-lfs",
     "a Git LFS pointer instead of the file itself; run 'git lfs pull' or download the file again"},
    {"<!DOCTYPE", WEB_PAGE},
    {"<!doctype", WEB_PAGE},
    {"<html", WEB_PAGE},
};

const char *pld_recognise_placeholder(const char *start, size_t size) {
    for (size_t i = 0; i < sizeof placeholders / sizeof *placeholders; i++) {
        const size_t length = strlen(placeholders[i].begin);
        if (size >= length && memcmp(start, placeholders[i].begin, length) == 0) {
            return placeholders[i].what;
        }
    }
    return NULL;
}
