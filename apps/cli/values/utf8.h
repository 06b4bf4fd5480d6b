/* SPDX-License-Identifier: Apache-2.0 */
/** Text for files that must be UTF-8 (JSON, PNG metadata, SVG), whatever a name or an argument holds. */
#ifndef PLADIS_CLI_VALUES_UTF8_H
#define PLADIS_CLI_VALUES_UTF8_H

#include <stdbool.h>

/** A copy of `text` in which each byte that is not UTF-8 has become U+FFFD; the caller frees it. NULL: memory
 * is out. */
char *utf8_repaired(const char *text);

/** Whether a text is UTF-8 to its end. */
bool utf8_is_whole(const char *text);

#endif
