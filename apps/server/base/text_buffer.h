/* SPDX-License-Identifier: Apache-2.0 */
/** A text that grows. What could not be added makes it incomplete, which is asked once, at the end. */
#ifndef PLADIS_SERVER_BASE_TEXT_BUFFER_H
#define PLADIS_SERVER_BASE_TEXT_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include <pladis/status.h>

/** Zero at the start; a zero byte stands behind the text once there is one. */
typedef struct text_buffer {
    char *text;
    size_t length, room;
    bool incomplete; /**< memory was out, or a number could not be printed */
} text_buffer;

void text_add(text_buffer *buffer, const char *text);
void text_add_bytes(text_buffer *buffer, const void *bytes, size_t size);
void text_add_printed(text_buffer *buffer, const char *format, ...) PLD_PRINTF(2, 3);

/** The text, which the caller frees; NULL where it is incomplete. The buffer is empty then. */
char *text_take(text_buffer *buffer);
void text_free(text_buffer *buffer);

#endif
