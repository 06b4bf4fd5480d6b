/* SPDX-License-Identifier: Apache-2.0 */
#include "text/clip/vocabulary.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"

static size_t hash_bytes(const char *bytes, size_t length) {
    uint64_t hash = 0xCBF29CE484222325u; /* FNV-1a */
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001B3u;
    }
    return (size_t)(hash ^ hash >> 32);
}

/** The slot that holds the piece, or the empty one where it belongs. There is always an empty one. */
static size_t find_slot(const pld_clip_vocabulary *vocabulary, const char *piece, size_t length) {
    size_t mask = vocabulary->slot_count - 1;
    size_t slot = hash_bytes(piece, length) & mask;
    while (vocabulary->slots[slot] != 0) {
        const char *held = vocabulary->pieces[vocabulary->slots[slot] - 1];
        if (strlen(held) == length && memcmp(held, piece, length) == 0) {
            break;
        }
        slot = (slot + 1) & mask;
    }
    return slot;
}

/** Make room for `count` pieces with at most half of the slots in use, and enter those that are there. */
static pld_status make_slots(pld_clip_vocabulary *vocabulary, size_t count, pld_error *error) {
    size_t wanted = 64;
    while (wanted < count * 2) {
        wanted *= 2;
    }
    if (wanted <= vocabulary->slot_count) {
        return PLD_OK;
    }
    uint32_t *slots = pld_allocate(wanted, sizeof *slots);
    if (!slots) {
        return pld_fail_memory(error, wanted * sizeof *slots, "vocabulary of the tokenizer");
    }
    pld_free(vocabulary->slots);
    vocabulary->slots = slots;
    vocabulary->slot_count = wanted;
    for (size_t i = 0; i < vocabulary->count; i++) {
        const char *piece = vocabulary->pieces[i];
        slots[find_slot(vocabulary, piece, strlen(piece))] = (uint32_t)i + 1;
    }
    return PLD_OK;
}

/** Put every piece at its id; `vocabulary->pieces` has room for all. */
static pld_status place_pieces(pld_clip_vocabulary *vocabulary, const pld_json *object, size_t count,
                               pld_error *error) {
    const char *piece = NULL;
    const json_t *value = NULL;
    json_t *entries = (json_t *)object->value; /* jansson iterates over objects that it may change */
    json_object_foreach(entries, piece, value) {
        json_int_t id = json_is_integer(value) ? json_integer_value(value) : -1;
        if (id < 0 || id >= (json_int_t)count) {
            char wanted[96];
            snprintf(wanted, sizeof wanted, "an id from 0 to %zu (as many as there are pieces)", count - 1);
            pld_json place = {.value = value, .file = object->file};
            snprintf(place.path, sizeof place.path, "%s", piece);
            return pld_json_mismatch(&place, wanted, error);
        }
        if (vocabulary->pieces[id]) {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: expected a different id for every piece, found %" PRId64
                            " for '%s' and '%s'; download it again from the model's source",
                            object->file, (int64_t)id, vocabulary->pieces[id], piece);
        }
        vocabulary->pieces[id] = pld_copy_string(piece);
        if (!vocabulary->pieces[id]) {
            return pld_fail_memory(error, strlen(piece), object->file);
        }
    }
    return PLD_OK;
}

pld_status pld_clip_vocabulary_read(pld_clip_vocabulary *vocabulary, const pld_json *object,
                                    pld_error *error) {
    size_t count = json_object_size(object->value);
    if (count == 0 || count > INT32_MAX / 4) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: expected a vocabulary, {\"piece\": id, ...}, found %zu pieces", object->file,
                        count);
    }
    void *pieces = NULL;
    if (!pld_grow(&pieces, &vocabulary->capacity, count, sizeof *vocabulary->pieces)) {
        return pld_fail_memory(error, count * sizeof *vocabulary->pieces, object->file);
    }
    vocabulary->pieces = pieces;
    /* Counted before they are placed, so that freeing a vocabulary read halfway finds every copy. */
    vocabulary->count = count;
    PLD_TRY(place_pieces(vocabulary, object, count, error));
    return make_slots(vocabulary, count, error);
}

int32_t pld_clip_vocabulary_find(const pld_clip_vocabulary *vocabulary, const char *piece, size_t length) {
    return (int32_t)vocabulary->slots[find_slot(vocabulary, piece, length)] - 1;
}

pld_status pld_clip_vocabulary_add(pld_clip_vocabulary *vocabulary, const char *piece, int32_t *id,
                                   pld_error *error) {
    PLD_TRY(make_slots(vocabulary, vocabulary->count + 1, error));
    void *pieces = vocabulary->pieces;
    char *copy = pld_copy_string(piece);
    if (!copy ||
        !pld_grow(&pieces, &vocabulary->capacity, vocabulary->count + 1, sizeof *vocabulary->pieces)) {
        pld_free(copy);
        return pld_fail_memory(error, strlen(piece), "added token of the tokenizer");
    }
    vocabulary->pieces = pieces;
    vocabulary->slots[find_slot(vocabulary, piece, strlen(piece))] = (uint32_t)vocabulary->count + 1;
    vocabulary->pieces[vocabulary->count] = copy;
    *id = (int32_t)vocabulary->count++;
    return PLD_OK;
}

void pld_clip_vocabulary_free(pld_clip_vocabulary *vocabulary) {
    for (size_t i = 0; i < vocabulary->count; i++) {
        pld_free(vocabulary->pieces[i]);
    }
    pld_free(vocabulary->pieces);
    pld_free(vocabulary->slots);
    *vocabulary = (pld_clip_vocabulary){0};
}
