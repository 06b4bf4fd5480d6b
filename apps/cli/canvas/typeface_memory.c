/* SPDX-License-Identifier: Apache-2.0 */
#include "canvas/typeface_memory.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { RESERVE = 1 << 20, ALIGNMENT = 16 };

struct typeface_memory {
    struct FT_MemoryRec_ door;
    size_t used; /* of the reserve, from its beginning; nothing of it is used twice */
    _Alignas(ALIGNMENT) unsigned char reserve[RESERVE];
};

static bool is_reserved(const typeface_memory *memory, const void *block) {
    const unsigned char *byte = block;
    return byte >= memory->reserve && byte < memory->reserve + RESERVE;
}

/** NULL when not even the reserve has as much. */
static void *of_reserve(typeface_memory *memory, size_t size) {
    const size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (rounded > RESERVE - memory->used) {
        return NULL;
    }
    void *block = memory->reserve + memory->used;
    memory->used += rounded;
    return block;
}

static void *allocate(FT_Memory door, long size) {
    void *block = malloc((size_t)size);
    return block != NULL ? block : of_reserve(door->user, (size_t)size);
}

static void release(FT_Memory door, void *block) {
    if (!is_reserved(door->user, block)) {
        free(block);
    }
}

static void *reallocate(FT_Memory door, long size, long new_size, void *block) {
    if (!is_reserved(door->user, block)) {
        void *grown = realloc(block, (size_t)new_size);
        if (grown != NULL) {
            return grown;
        }
    }
    void *moved = of_reserve(door->user, (size_t)new_size);
    if (moved != NULL) {
        memcpy(moved, block, (size_t)(size < new_size ? size : new_size));
        release(door, block);
    }
    return moved;
}

typeface_memory *typeface_memory_make(void) {
    typeface_memory *memory =
        malloc(sizeof *memory); /* of which a reserve that is not touched takes nothing */
    if (memory != NULL) {
        memory->door = (struct FT_MemoryRec_){memory, allocate, release, reallocate};
        memory->used = 0;
    }
    return memory;
}

void typeface_memory_free(typeface_memory *memory) {
    free(memory);
}

FT_Memory typeface_memory_door(typeface_memory *memory) {
    return &memory->door;
}

bool typeface_memory_was_out(const typeface_memory *memory) {
    return memory->used > 0;
}
