/* SPDX-License-Identifier: Apache-2.0 */
#include "models/blocks/place_rotation.h"

#include "models/blocks/angles.h"

enum { ROW_AXIS = 1, COLUMN_AXIS = 2 };

pld_status pld_place_axes_read(const pld_json *top, const char *field, const char *head_fields,
                               int64_t head_size, size_t count, int64_t *axes, pld_error *error) {
    size_t found = count;
    PLD_TRY(pld_json_get_integers(top, field, PLD_JSON_OPTIONAL, 0, 1024, count, axes, &found, error));
    bool even = found == count;
    int64_t all = 0;
    for (size_t i = 0; i < found; i++) {
        even = even && axes[i] % 2 == 0;
        all += axes[i];
    }
    return even && all == head_size
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_FORMAT,
                          "%s: field '%s': expected %d even numbers whose sum is %s (%lld), found %zu with a "
                          "sum of %lld",
                          top->file, field, (int)count, head_fields, (long long)head_size, found,
                          (long long)all);
}

static int64_t head_size_of(const pld_places *p) {
    int64_t size = 0;
    for (int axis = 0; axis < p->axis_count; axis++) {
        size += p->axes[axis];
    }
    return size;
}

/** Coordinate of a token on an axis. */
static int64_t coordinate(const pld_places *p, int64_t token, int axis) {
    const int64_t pixel = token - p->text;
    if (pixel < 0) {
        return axis == p->text_axis ? token : 0;
    }
    return axis == ROW_AXIS ? pixel / p->width : axis == COLUMN_AXIS ? pixel % p->width : 0;
}

/** table [2, text + height·width, head_size / 2] */
static void fill(const void *description, float *table) {
    const pld_places *p = description;
    const int64_t half = head_size_of(p) / 2, tokens = p->text + p->height * p->width;
    for (int64_t token = 0; token < tokens; token++) {
        float *at = table + token * half;
        for (int axis = 0; axis < p->axis_count; axis++) {
            pld_rotary_angles((double)coordinate(p, token, axis), p->axes[axis], p->theta, at,
                              at + tokens * half);
            at += p->axes[axis] / 2;
        }
    }
}

pld_value_id pld_rotate_places(pld_builder *b, const pld_places *places, int64_t heads, const char *norm,
                               double epsilon, pld_value_id x) {
    const pld_rotation_options options = {.heads = heads,
                                          .norm = norm,
                                          .epsilon = epsilon,
                                          .width = head_size_of(places),
                                          .fill = fill,
                                          .description = places,
                                          .description_bytes = sizeof *places};
    return pld_rotate_heads(b, x, &options);
}
