/* SPDX-License-Identifier: Apache-2.0 */
#include "text/vocabulary/vocabulary.h"

#include <inttypes.h>
#include <string.h>

#include "core/memory.h"

/** Where a piece lies; `offset` 0: the id has none (the first byte of all is not used). */
typedef struct pld_vocabulary_piece {
    uint32_t offset;
    uint32_t length;
} piece_place;

/** All that the look-up of a short piece needs, and most of what that of a long one does. */
typedef struct pld_vocabulary_slot {
    uint64_t hash;
    uint32_t id; /* + 1; 0: empty */
    uint32_t length;
} slot;

enum { LOOK_AHEAD = 8 /* pieces: as many as memory answers together */ };

static uint64_t load_bytes(const char *bytes, size_t count) {
    uint64_t value = 0;
    memcpy(&value, bytes, count);
    return value;
}

static uint64_t mix(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
}

/** Eight bytes at a time; what is left is read in parts that overlap, which costs no loop. */
static uint64_t hash_bytes(const char *bytes, size_t length) {
    uint64_t hash = mix(0xCBF29CE484222325u, length);
    for (; length > 8; bytes += 8, length -= 8) {
        hash = mix(hash, load_bytes(bytes, 8));
    }
    if (length == 8) {
        return mix(hash, load_bytes(bytes, 8));
    }
    if (length >= 4) {
        return mix(hash, load_bytes(bytes, 4) | load_bytes(bytes + length - 4, 4) << 32);
    }
    if (length > 0) {
        return mix(hash, (uint64_t)(uint8_t)bytes[0] | (uint64_t)(uint8_t)bytes[length / 2] << 8 |
                             (uint64_t)(uint8_t)bytes[length - 1] << 16);
    }
    return hash;
}

/** The slot that holds the piece, or the empty one where it belongs. There is always an empty one. */
static slot *find_slot(const pld_vocabulary *vocabulary, const char *piece, size_t length) {
    const uint64_t hash = hash_bytes(piece, length);
    const size_t mask = vocabulary->slot_count - 1;
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        slot *found = &vocabulary->slots[at];
        if (found->id == 0) {
            return found;
        }
        /* Of pieces of one length up to eight bytes no two have the same hash: mix() can be undone. */
        if (found->hash == hash && found->length == length &&
            (length <= 8 ||
             memcmp(vocabulary->bytes + vocabulary->pieces[found->id - 1].offset, piece, length) == 0)) {
            return found;
        }
    }
}

/** A table of slots with at most half of them in use; the ids that the old one had are entered. */
static pld_status make_slots(pld_vocabulary *vocabulary, size_t count, const char *name, pld_error *error) {
    size_t wanted = 64;
    while (wanted < count * 2) {
        wanted *= 2;
    }
    if (wanted <= vocabulary->slot_count) {
        return PLD_OK;
    }
    slot *old = vocabulary->slots;
    const size_t old_count = vocabulary->slot_count;
    slot *slots =
        pld_allocate_aligned(wanted, sizeof *slots); /* on large pages: every look-up is another place */
    if (!slots) {
        return pld_fail_memory(error, wanted * sizeof *slots, name);
    }
    memset(slots, 0, wanted * sizeof *slots);
    vocabulary->slots = slots;
    vocabulary->slot_count = wanted;
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].id) {
            const piece_place *held = &vocabulary->pieces[old[i].id - 1];
            *find_slot(vocabulary, vocabulary->bytes + held->offset, held->length) = old[i];
        }
    }
    pld_free(old);
    return PLD_OK;
}

static pld_status too_many(size_t count, const char *name, pld_error *error) {
    return pld_fail(error, PLD_ERROR_UNSUPPORTED, "%s: expected at most %d pieces in a vocabulary, found %zu",
                    name, (int)PLD_VOCABULARY_LIMIT, count);
}

pld_status pld_vocabulary_reserve(pld_vocabulary *vocabulary, size_t count, const char *name,
                                  pld_error *error) {
    if (count > PLD_VOCABULARY_LIMIT || vocabulary->count + count > PLD_VOCABULARY_LIMIT) {
        return too_many(vocabulary->count + count, name, error);
    }
    void *pieces = vocabulary->pieces;
    if (!pld_grow(&pieces, &vocabulary->piece_capacity, vocabulary->id_count + count,
                  sizeof *vocabulary->pieces)) {
        return pld_fail_memory(error, count * sizeof *vocabulary->pieces, name);
    }
    vocabulary->pieces = pieces;
    return PLD_OK;
}

/** Copy a piece behind the others. */
static pld_status keep_bytes(pld_vocabulary *vocabulary, const char *piece, size_t length, piece_place *place,
                             const char *name, pld_error *error) {
    void *bytes = vocabulary->bytes;
    vocabulary->used += vocabulary->used == 0; /* offset 0 means no piece */
    if (vocabulary->used + length + 1 > PLD_VOCABULARY_BYTES) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED, "%s: expected pieces of at most %d MB, found more",
                        name, (int)PLD_VOCABULARY_BYTES >> 20);
    }
    if (!pld_grow(&bytes, &vocabulary->byte_capacity, vocabulary->used + length + 1, 1)) {
        return pld_fail_memory(error, vocabulary->used + length + 1, name);
    }
    vocabulary->bytes = bytes;
    memcpy(vocabulary->bytes + vocabulary->used, piece, length);
    vocabulary->bytes[vocabulary->used + length] = '\0';
    *place = (piece_place){(uint32_t)vocabulary->used, (uint32_t)length};
    vocabulary->used += length + 1;
    return PLD_OK;
}

/** Whether a piece may have this id. */
static pld_status check(const pld_vocabulary *vocabulary, const char *piece, size_t length, int64_t id,
                        const char *name, pld_error *error) {
    const int shown = length < 64 ? (int)length : 64;
    if (length > PLD_VOCABULARY_PIECE_BYTES) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: piece '%.*s…': expected at most %d bytes, found %zu", name, shown, piece,
                        (int)PLD_VOCABULARY_PIECE_BYTES, length);
    }
    if (id < 0 || id >= PLD_VOCABULARY_IDS) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: piece '%.*s': expected an id from 0 to %d, found %" PRId64, name, shown, piece,
                        (int)PLD_VOCABULARY_IDS - 1, id);
    }
    const char *held = pld_vocabulary_piece(vocabulary, id, NULL);
    if (held) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: expected a different id for every piece, found %" PRId64
                        " for '%.64s' and '%.*s'; download it again from the model's source",
                        name, id, held, shown, piece);
    }
    return PLD_OK;
}

pld_status pld_vocabulary_put(pld_vocabulary *vocabulary, const char *piece, size_t length, int64_t id,
                              const char *name, pld_error *error) {
    PLD_TRY(check(vocabulary, piece, length, id, name, error));
    if (vocabulary->count == PLD_VOCABULARY_LIMIT) {
        return too_many(vocabulary->count + 1, name, error);
    }
    void *pieces = vocabulary->pieces;
    if (!pld_grow(&pieces, &vocabulary->piece_capacity, (size_t)id + 1, sizeof *vocabulary->pieces)) {
        return pld_fail_memory(error, (size_t)id * sizeof *vocabulary->pieces, name);
    }
    vocabulary->pieces = pieces;
    PLD_TRY(keep_bytes(vocabulary, piece, length, &vocabulary->pieces[id], name, error));
    vocabulary->id_count = (size_t)id >= vocabulary->id_count ? (size_t)id + 1 : vocabulary->id_count;
    vocabulary->count++;
    return PLD_OK;
}

/** Make one piece findable; there is an empty slot. */
static pld_status enter(pld_vocabulary *vocabulary, size_t id, pld_vocabulary_repeat repeat, const char *name,
                        pld_error *error) {
    const piece_place kept = vocabulary->pieces[id];
    const char *piece = vocabulary->bytes + kept.offset;
    slot *place = find_slot(vocabulary, piece, kept.length);
    if (place->id && repeat == PLD_REPEAT_REFUSED) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: expected every piece once, found '%.64s' with the ids %u and %zu; download it "
                        "again from the model's source",
                        name, piece, place->id - 1, id);
    }
    *place = (slot){hash_bytes(piece, kept.length), (uint32_t)id + 1, kept.length};
    return PLD_OK;
}

pld_status pld_vocabulary_index(pld_vocabulary *vocabulary, pld_vocabulary_repeat repeat, const char *name,
                                pld_error *error) {
    PLD_TRY(make_slots(vocabulary, vocabulary->count, name, error));
    for (size_t id = 0; id < vocabulary->id_count; id++) {
        size_t length = 0;
        const char *ahead = pld_vocabulary_piece(vocabulary, (int64_t)(id + LOOK_AHEAD), &length);
        if (ahead) {
            pld_vocabulary_expect(vocabulary, ahead, length);
        }
        if (vocabulary->pieces[id].offset) {
            PLD_TRY(enter(vocabulary, id, repeat, name, error));
        }
    }
    return PLD_OK;
}

pld_status pld_vocabulary_add(pld_vocabulary *vocabulary, const char *piece, size_t length, int64_t id,
                              pld_vocabulary_repeat repeat, const char *name, pld_error *error) {
    PLD_TRY(make_slots(vocabulary, vocabulary->count + 1, name, error));
    PLD_TRY(pld_vocabulary_put(vocabulary, piece, length, id, name, error));
    return enter(vocabulary, (size_t)id, repeat, name, error);
}

void pld_vocabulary_expect(const pld_vocabulary *vocabulary, const char *piece, size_t length) {
    __builtin_prefetch(&vocabulary->slots[hash_bytes(piece, length) & (vocabulary->slot_count - 1)]);
}

int32_t pld_vocabulary_find(const pld_vocabulary *vocabulary, const char *piece, size_t length) {
    return vocabulary->slot_count ? (int32_t)find_slot(vocabulary, piece, length)->id - 1 : -1;
}

int32_t pld_vocabulary_find_near(const pld_vocabulary *vocabulary, const char *piece, size_t length,
                                 int32_t *last) {
    for (int64_t id = *last; id <= (int64_t)*last + 1; id++) {
        size_t held_length = 0;
        const char *held = pld_vocabulary_piece(vocabulary, id, &held_length);
        if (held && held_length == length && memcmp(held, piece, length) == 0) {
            *last = (int32_t)id;
            return *last;
        }
    }
    return pld_vocabulary_find(vocabulary, piece, length);
}

const char *pld_vocabulary_piece(const pld_vocabulary *vocabulary, int64_t id, size_t *length) {
    if (id < 0 || (size_t)id >= vocabulary->id_count || vocabulary->pieces[id].offset == 0) {
        return NULL;
    }
    if (length) {
        *length = vocabulary->pieces[id].length;
    }
    return vocabulary->bytes + vocabulary->pieces[id].offset;
}

void pld_vocabulary_free(pld_vocabulary *vocabulary) {
    pld_free(vocabulary->bytes);
    pld_free(vocabulary->pieces);
    pld_free(vocabulary->slots);
    *vocabulary = (pld_vocabulary){0};
}
