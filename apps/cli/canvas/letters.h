/* SPDX-License-Identifier: Apache-2.0 */
/** UTF-8 as letters with marks: the first half of setting a text. */
#ifndef PLADIS_CLI_CANVAS_LETTERS_H
#define PLADIS_CLI_CANVAS_LETTERS_H

#include "canvas/text.h"

/** Take `utf8` apart into block->letters. Letters are composed (NFC) where the typeface has the composed one;
 * marks that it lacks are left out. False where there are more than TEXT_MOST_LETTERS. */
bool letters_read(const typeface *face, const char *utf8, text_block *block);

#endif
