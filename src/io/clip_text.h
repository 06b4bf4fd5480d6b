/* SPDX-License-Identifier: Apache-2.0 */
/** Normal form of a text before CLIP's word pattern: NFC, white space runs to one space, lower case. */
#ifndef PLD_IO_CLIP_TEXT_H
#define PLD_IO_CLIP_TEXT_H

#include <stddef.h>
#include <stdint.h>

/** The classes of Unicode 16 and the lower case of Unicode 17 are meant, as in the tokenizers library; older
 *  system libraries are helped out by these additions to \p{L} and \p{N}, for use inside a [ ] of a pattern.
 */
#define PLD_CLIP_NEW_LETTERS                                                                                 \
    "\\x{1C89}-\\x{1C8A}\\x{A7CB}-\\x{A7CD}\\x{A7DA}-\\x{A7DC}\\x{105C0}-\\x{105F3}\\x{10D4A}-\\x{10D65}"    \
    "\\x{10D6F}-\\x{10D85}\\x{10EC2}-\\x{10EC4}\\x{1123F}-\\x{11240}\\x{11380}-\\x{11389}\\x{1138B}"         \
    "\\x{1138E}\\x{11390}-\\x{113B5}\\x{113B7}\\x{113D1}\\x{113D3}\\x{11BC0}-\\x{11BE0}\\x{11F02}"           \
    "\\x{11F04}-\\x{11F10}\\x{11F12}-\\x{11F33}\\x{1342F}\\x{13441}-\\x{13446}\\x{13460}-\\x{143FA}"         \
    "\\x{16100}-\\x{1611D}\\x{16D40}-\\x{16D6C}\\x{18CFF}\\x{1B132}\\x{1B155}\\x{1DF25}-\\x{1DF2A}"          \
    "\\x{1E030}-\\x{1E06D}\\x{1E4D0}-\\x{1E4EB}\\x{1E5D0}-\\x{1E5ED}\\x{1E5F0}\\x{2B739}"                    \
    "\\x{2EBF0}-\\x{2EE5D}\\x{31350}-\\x{323AF}"
#define PLD_CLIP_NEW_NUMBERS                                                                                 \
    "\\x{10D40}-\\x{10D49}\\x{116D0}-\\x{116E3}\\x{11BF0}-\\x{11BF9}\\x{11F50}-\\x{11F59}"                   \
    "\\x{16130}-\\x{16139}\\x{16D70}-\\x{16D79}\\x{1CCF0}-\\x{1CCF9}\\x{1D2C0}-\\x{1D2D3}"                   \
    "\\x{1E4F0}-\\x{1E4F9}\\x{1E5F1}-\\x{1E5FA}"

/** Unicode's White_Space; a regular expression library's own \s differs (U+180E). */
#define PLD_CLIP_SPACES                                                                                      \
    "\\x09-\\x0d\\x20\\x85\\xa0\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"

/** Normalise `length` bytes of well-formed UTF-8. A new string (pld_free), followed by a NUL, whose size
 *  goes to `*normal_length`; NULL when memory is out. Time grows linearly with the length. */
char *pld_clip_normalise(const char *text, size_t length, size_t *normal_length);

#endif
