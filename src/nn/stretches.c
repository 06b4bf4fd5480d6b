/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/stretches.h"

#include <string.h>

#include "core/memory.h"

size_t pld_stretch_bytes(const pld_stretch *stretch) {
    return (stretch->packing.bytes + PLD_ALIGNMENT - 1) / PLD_ALIGNMENT * PLD_ALIGNMENT;
}

static void *copy_of(const void *bytes, size_t size) {
    void *copy = pld_allocate(size, 1);
    if (copy) {
        memcpy(copy, bytes, size);
    }
    return copy;
}

pld_status pld_stretches_add(pld_stretches *stretches, size_t op, pld_parameter *parameter,
                             const pld_packing *packing, pld_packed *place, pld_error *error) {
    if (!pld_grow((void **)&stretches->items, &stretches->capacity, stretches->count + 1,
                  sizeof *stretches->items)) {
        return pld_fail_memory(error, (stretches->count + 1) * sizeof *stretches->items, "list of weights");
    }
    pld_stretch *added = &stretches->items[stretches->count++];
    *added = (pld_stretch){.op = op, .parameter = parameter, .packing = *packing, .place = place};
    void *layout = copy_of(packing->layout, packing->layout_size);
    void *context = copy_of(packing->context, packing->context_size);
    added->packing.layout = layout;
    added->packing.context = context;
    return layout && context
               ? PLD_OK
               : pld_fail_memory(error, packing->layout_size + packing->context_size, "list of weights");
}

/** Two operators that want the very same. */
static bool is_same(const pld_stretch *a, const pld_stretch *b) {
    return a->parameter == b->parameter && a->packing.partner == b->packing.partner &&
           a->packing.layout_size == b->packing.layout_size &&
           memcmp(a->packing.layout, b->packing.layout, a->packing.layout_size) == 0;
}

/** Bytes that holding stretch `index` would take: none where it is held, by another plan or for an operator before. */
static size_t bytes_to_hold(const pld_stretches *stretches, size_t index) {
    const pld_stretch *stretch = &stretches->items[index];
    for (size_t i = 0; i < index; i++) {
        if (is_same(&stretches->items[i], stretch)) {
            return 0;
        }
    }
    return pld_parameter_holds(stretch->parameter, &stretch->packing) ? 0 : pld_stretch_bytes(stretch);
}

pld_stretches_need pld_stretches_need_of(const pld_stretches *stretches) {
    pld_stretches_need need = {0};
    for (size_t i = 0; i < stretches->count; i++) {
        const pld_stretch *stretch = &stretches->items[i];
        const uint64_t bytes = bytes_to_hold(stretches, i);
        const uint64_t making = pld_parameter_making_room(stretch->parameter, &stretch->packing);
        need.all += bytes;
        need.largest = bytes > need.largest ? bytes : need.largest;
        need.making = bytes > 0 && making > need.making ? making : need.making;
    }
    return need;
}

size_t pld_stretches_choose(const size_t *bytes, size_t count, uint64_t room, bool all_streamed,
                            bool *streamed) {
    uint64_t all = 0, largest = 0;
    for (size_t i = 0; i < count; i++) {
        all += bytes[i];
        largest = bytes[i] > largest ? bytes[i] : largest;
    }
    const bool fits = all <= room;
    /* Two of the largest, so that one is made while another is used, and an eighth of the room: operators differ in how
     * long they take for a byte, which a longer way ahead evens out. */
    uint64_t ahead = 2 * largest + (all_streamed ? 0 : room / 8);
    ahead = ahead > room ? (room > largest ? room : largest) : ahead;
    ahead = ahead > all ? all : ahead;
    const uint64_t kept = all_streamed || room < ahead ? 0 : room - ahead;
    uint64_t passed = 0, used = 0, left = 0;
    for (size_t i = 0; i < count; i++) {
        passed += bytes[i];
        /* of all bytes so far the share that may be resident */
        const double due = all > 0 ? (double)kept * ((double)passed / (double)all) : 0;
        streamed[i] = !fits && bytes[i] > 0 && (double)(used + bytes[i]) > due;
        used += streamed[i] ? 0 : bytes[i];
        left += streamed[i] ? bytes[i] : 0;
    }
    return (size_t)(left < ahead ? left : ahead);
}

/** Say which stretches are streamed; what is the same as an earlier one goes with it. */
static pld_status choose(pld_stretches *stretches, uint64_t room, bool all_streamed, pld_error *error) {
    const size_t count = stretches->count;
    size_t *bytes = pld_allocate(count, sizeof *bytes);
    bool *streamed = pld_allocate(count, sizeof *streamed);
    stretches->streamed = pld_allocate(count, sizeof *stretches->streamed);
    pld_status status = bytes && streamed && stretches->streamed
                            ? PLD_OK
                            : pld_fail_memory(error, count * sizeof *bytes, "list of weights");
    for (size_t i = 0; status == PLD_OK && i < count; i++) {
        bytes[i] = bytes_to_hold(stretches, i);
    }
    stretches->ahead =
        status == PLD_OK ? pld_stretches_choose(bytes, count, room, all_streamed, streamed) : 0;
    for (size_t i = 0; status == PLD_OK && i < count; i++) {
        pld_stretch *stretch = &stretches->items[i];
        for (size_t j = 0; bytes[i] == 0 && j < i; j++) {
            streamed[i] = streamed[i] || (is_same(&stretches->items[j], stretch) && streamed[j]);
        }
        stretch->streamed = streamed[i];
        if (stretch->streamed) {
            const size_t own = pld_stretch_bytes(stretch);
            stretches->streamed[stretches->streamed_count++] = i;
            stretches->least = own > stretches->least ? own : stretches->least;
        }
    }
    pld_free(bytes);
    pld_free(streamed);
    return status;
}

pld_status pld_stretches_settle(pld_stretches *stretches, uint64_t room, bool all_streamed,
                                pld_error *error) {
    const uint64_t making = pld_stretches_need_of(stretches).making;
    PLD_TRY(choose(stretches, room > making ? room - making : 0, all_streamed, error));
    for (size_t i = 0; i < stretches->count; i++) {
        const pld_stretch *stretch = &stretches->items[i];
        if (!stretch->streamed) {
            PLD_TRY(pld_parameter_packed(stretch->parameter, &stretch->packing, stretch->place, error));
        }
    }
    return PLD_OK;
}

pld_stretches_share pld_stretches_share_of(const pld_stretches *stretches) {
    pld_stretches_share share = {0};
    for (size_t i = 0; i < stretches->count; i++) {
        const pld_stretch *stretch = &stretches->items[i];
        *(stretch->streamed ? &share.streamed : &share.resident) += pld_stretch_bytes(stretch);
    }
    return share;
}

void pld_stretches_free(pld_stretches *stretches) {
    for (size_t i = 0; i < stretches->count; i++) {
        pld_free((void *)(uintptr_t)stretches->items[i].packing.layout);
        pld_free((void *)(uintptr_t)stretches->items[i].packing.context);
    }
    pld_free(stretches->items);
    pld_free(stretches->streamed);
    *stretches = (pld_stretches){0};
}
