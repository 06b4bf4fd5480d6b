/* SPDX-License-Identifier: Apache-2.0 */
/** Bodies of requests: bytes as they come, or the parts of a form. */
#include <stdlib.h>
#include <string.h>

#include "http/exchange_struct.h"

enum { MOST_PARTS = 256, FORM_BUFFER = 16 << 10 };

/** Whether the first piece of a value belongs to the part that is read already: where a value comes in pieces, an empty one stands
 *  in front. */
static bool goes_on(const exchange *reading, const char *name) {
    const held_part *last = reading->part_count > 0 ? &reading->parts[reading->part_count - 1] : NULL;
    return last != NULL && last->bytes.length == 0 && strcmp(last->name, name) == 0;
}

static bool begin_part(exchange *reading, const char *name, bool is_file) {
    held_part *parts = reading->part_count < MOST_PARTS
                           ? realloc(reading->parts, (reading->part_count + 1) * sizeof *parts)
                           : NULL;
    if (parts == NULL) {
        return false;
    }
    reading->parts = parts;
    char *copy = strdup(name);
    if (copy != NULL) {
        parts[reading->part_count++] = (held_part){.name = copy, .is_file = is_file};
    }
    return copy != NULL;
}

/** A piece of a part's value. */
static enum MHD_Result take_part(void *context, enum MHD_ValueKind kind, const char *name,
                                 const char *file_name, const char *type, const char *encoding,
                                 const char *bytes, uint64_t offset, size_t size) {
    exchange *reading = context;
    (void)kind;
    (void)type;
    (void)encoding;
    if (name == NULL ||
        (offset == 0 && !goes_on(reading, name) && !begin_part(reading, name, file_name != NULL))) {
        return MHD_NO;
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
