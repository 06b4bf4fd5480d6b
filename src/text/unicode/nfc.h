/* SPDX-License-Identifier: Apache-2.0 */
/** Canonical composition (Unicode Standard Annex 15, form C), as the tokenizers library has it. Time
 *  grows linearly with the length. */
#ifndef PLD_TEXT_UNICODE_NFC_H
#define PLD_TEXT_UNICODE_NFC_H

#include <stddef.h>
#include <stdint.h>

/** The code points of `length` bytes of well-formed UTF-8 in normal form: new memory (pld_free), their
 *  number in `*count`; NULL when memory is out. */
int32_t *pld_nfc_points(const char *text, size_t length, size_t *count);

/** The same as UTF-8, followed by a NUL. */
char *pld_nfc(const char *text, size_t length, size_t *normal_length);

#endif
