/* SPDX-License-Identifier: Apache-2.0 */
/** UTF-8 from people and files: strict decoding, and replacement of what is not UTF-8. */
#ifndef PLD_CORE_UTF8_H
#define PLD_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Decode the code point at `text` (`length` > 0 bytes follow). Returns the bytes it takes, at least 1.
 *  `*code_point` is −1 for bytes that are not UTF-8 (overlong forms and surrogates included); the count is
 *  then the longest beginning of a character, which stands for one U+FFFD as in Unicode's recommendation. */
size_t pld_utf8_decode(const char *text, size_t length, int32_t *code_point);

/** The longest beginning of `length` well-formed bytes that has at most `most` bytes and ends with a whole
 *  character. */
size_t pld_utf8_cut(const char *text, size_t length, size_t most);
/** Whether all of `text` is UTF-8. */
bool pld_is_utf8(const char *text);

/** Write a code point below 0x110000 as 1 to 4 bytes; returns their number. */
size_t pld_utf8_encode(int32_t code_point, char *text);

/** A copy with every ill-formed sequence replaced by U+FFFD, followed by a NUL. NULL when memory is out.
 *  The caller frees it with pld_free. */
char *pld_utf8_clean(const char *text, size_t length, size_t *clean_length);

#endif
