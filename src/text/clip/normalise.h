/* SPDX-License-Identifier: Apache-2.0 */
/** Normal form of a text before CLIP's word pattern: NFC, white space runs to one space, lower case. */
#ifndef PLD_TEXT_CLIP_NORMALISE_H
#define PLD_TEXT_CLIP_NORMALISE_H

#include <stddef.h>

/** Normalise `length` bytes of well-formed UTF-8. A new string (pld_free), followed by a NUL, whose size
 *  goes to `*normal_length`; NULL when memory is out. Time grows linearly with the length. */
char *pld_clip_normalise(const char *text, size_t length, size_t *normal_length);

#endif
