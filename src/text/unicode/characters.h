/* SPDX-License-Identifier: Apache-2.0 */
/** Properties of characters as the tokenizers library has them, where system libraries differ: letters and
 *  numbers of Unicode 16, lower case of Unicode 17, combining marks and compositions of Unicode 9. */
#ifndef PLD_TEXT_UNICODE_CHARACTERS_H
#define PLD_TEXT_UNICODE_CHARACTERS_H

#include <stdbool.h>
#include <stdint.h>

/** Additions to \p{L} and \p{N} of an older regular expression library, for use inside a [ ] of a pattern. */
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

/** Unicode's White_Space, for a [ ] of a pattern; the library's own \s differs (U+180E). */
#define PLD_CLIP_SPACES                                                                                      \
    "\\x09-\\x0d\\x20\\x85\\xa0\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"

/** The same of one code point. */
bool pld_clip_is_space(int32_t code_point);

/** Lower case of one code point without regard to its neighbours (Σ is always σ). Not for İ, whose lower case
 * is two code points. */
int32_t pld_clip_lower(int32_t code_point);

/** Canonical combining class; 0 for marks that Unicode 9 did not have. */
unsigned pld_clip_combining_class(int32_t code_point);

/** Whether a composition must not reach across the front of this code point, because the mark (or its
 *  composition) is younger than Unicode 9. */
bool pld_clip_stands_alone(int32_t code_point);

#endif
