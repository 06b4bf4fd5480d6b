/* SPDX-License-Identifier: Apache-2.0 */
/** JSON of which nothing is lost in silence. jansson's functions tell of a failed allocation each by itself,
 * and its reader not always; here an allocator notes that one has failed, and who writes JSON or uses what
 * was read asks once at the end. */
#ifndef PLADIS_CLI_VALUES_JSON_VALUES_H
#define PLADIS_CLI_VALUES_JSON_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/** Have jansson allocate through this module, before its first use. */
void json_watch_memory(void);

/** Whether memory was out for any JSON since then: what is made or read may lack something. */
bool json_memory_was_out(void);

/** Remember that memory was out for what would have become a part of JSON. */
void json_note_out_of_memory(void);

/** A text from anywhere: what is not UTF-8 becomes U+FFFD; null for NULL. */
json_t *json_text(const char *text);

/** A number, or null where it is not finite, which JSON cannot say. */
json_t *json_number(double value);

/** Read `size` bytes without duplicate keys. NULL: `problem->text` says why, out of memory too. */
json_t *json_read(const char *text, size_t size, json_error_t *problem);

/** Read one text in quotes; NULL where it is none, or memory is out. */
json_t *json_read_text(const char *text, size_t size, json_error_t *problem);

/** json_dumps; NULL also where memory was out when `value` was made, which then may lack something. */
char *json_write(const json_t *value, size_t flags);

#endif
