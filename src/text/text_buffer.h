/* SPDX-License-Identifier: Apache-2.0 */
/** A text that grows. */
#ifndef PLD_TEXT_TEXT_BUFFER_H
#define PLD_TEXT_TEXT_BUFFER_H

#include <string.h>

#include "core/memory.h"
#include "core/status.h"

/** Starts as {0}; bytes without a NUL behind them. */
typedef struct pld_text_buffer {
    char *data;
    size_t used, capacity;
    size_t limit; /**< of `used`; 0: none */
} pld_text_buffer;

/** Append bytes. PLD_ERROR_FORMAT: they would go beyond the limit. */
static inline pld_status pld_text_append(pld_text_buffer *text, const char *bytes, size_t count,
                                         pld_error *error) {
    void *data = text->data;
    if (text->limit > 0 && count > text->limit - text->used) {
        return pld_fail(error, PLD_ERROR_FORMAT, "expected at most %zu bytes, found more", text->limit);
    }
    if (count > (size_t)-1 - text->used || !pld_grow(&data, &text->capacity, text->used + count, 1)) {
        return pld_fail_memory(error, text->used, "the prompt");
    }
    text->data = data;
    if (count > 0) {
        memcpy(text->data + text->used, bytes, count);
    }
    text->used += count;
    return PLD_OK;
}

static inline void pld_text_buffer_free(pld_text_buffer *text) {
    pld_free(text->data);
    *text = (pld_text_buffer){0};
}

#endif
