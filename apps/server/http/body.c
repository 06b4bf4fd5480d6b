/* SPDX-License-Identifier: Apache-2.0 */
/** Bodies of requests: bytes as they come, or the parts of a form. */
#include <stdlib.h>
#include <string.h>

#include "http/exchange_struct.h"

enum { MOST_PARTS = 256, FORM_BUFFER = 16 << 10 };

/** A piece of a part's value. */
static enum MHD_Result take_part(void *context, enum MHD_ValueKind kind, const char *name,
                                 const char *file_name, const char *type, const char *encoding,
                                 const char *bytes, uint64_t offset, size_t size) {
    exchange *reading = context;
    (void)kind;
    (void)type;
    (void)encoding;
    if (offset == 0) {
        held_part *parts = reading->part_count < MOST_PARTS
                               ? realloc(reading->parts, (reading->part_count + 1) * sizeof *parts)
                               : NULL;
        if (parts == NULL) {
            return MHD_NO;
        }
        reading->parts = parts;
        char *copy = name != NULL ? strdup(name) : NULL;
        if (copy == NULL) {
            return MHD_NO;
        }
        parts[reading->part_count++] = (held_part){.name = copy, .is_file = file_name != NULL};
    }
    held_part *part = &reading->parts[reading->part_count - 1];
    text_add_bytes(&part->bytes, bytes, size);
    return part->bytes.incomplete ? MHD_NO : MHD_YES;
}

bool exchange_take_body(exchange *reading, const char *bytes, size_t size) {
    if (!reading->is_form) {
        text_add_bytes(&reading->body, bytes, size);
        return !reading->body.incomplete;
    }
    if (reading->post == NULL) {
        reading->post = MHD_create_post_processor(reading->connection, FORM_BUFFER, take_part, reading);
    }
    return reading->post != NULL && MHD_post_process(reading->post, bytes, size) == MHD_YES;
}

bool exchange_end_body(exchange *reading) {
    struct MHD_PostProcessor *post = reading->post;
    reading->post = NULL;
    if (!reading->is_form) {
        text_add(&reading->body, ""); /* a zero byte, where there is no body, too */
        return !reading->body.incomplete;
    }
    return post == NULL || MHD_destroy_post_processor(post) == MHD_YES;
}

void exchange_free(exchange *freed) {
    if (freed->post != NULL) {
        MHD_destroy_post_processor(freed->post);
    }
    for (size_t i = 0; i < freed->part_count; i++) {
        free(freed->parts[i].name);
        text_free(&freed->parts[i].bytes);
    }
    free(freed->parts);
    text_free(&freed->body);
    free(freed);
}
