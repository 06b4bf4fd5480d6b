/* SPDX-License-Identifier: Apache-2.0 */
/* GGUF, versions 2 and 3 (github.com/ggml-org/ggml, docs/gguf.md): a header of typed pairs and of tensors, then the data, each
 * tensor at a multiple of the alignment. Sizes are listed fastest first. The header is walked twice, first to measure what it
 * holds. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "core/utf8.h"
#include "io/tensors/formats.h"
#include "io/tensors/gguf_reader.h"
#include "io/tensors/gguf_types.h"

enum {
    MOST_PAIRS = 1 << 16,
    MOST_KEY = 1 << 12,
    MOST_TEXT = 1 << 16, /* of a value that is kept */
    MOST_LISTED = 8,     /* numbers of an array that is kept */
    MOST_ALIGNMENT = 1 << 20,
    DEEPEST_ARRAY = 4
};

/** Bytes of a number of each type; 0: it is none. */
static const int number_bytes[PLD_GGUF_COUNT] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

/** One walk over a header. Without a table it measures; with one it fills it. */
typedef struct walk {
    pld_gguf_reader *reader;
    pld_tensor_table *table; /* NULL: measure */
    size_t pairs, string_bytes;
    uint64_t tensors, alignment;
    uint64_t data_begin; /* with a table: where the first walk found it */
} walk;

/** A text of at most `most` bytes into `out` [most + 1], checked to be UTF-8 without control characters that could hide in a
 * message. `what` names it. */
static size_t read_text(walk *w, const char *what, size_t most, char *out) {
    pld_gguf_reader *r = w->reader;
    r->reading = what;
    const uint64_t length = pld_gguf_number(r, 8);
    out[0] = '\0';
    if (length > most) {
        pld_gguf_fail(r, "%s of %" PRIu64 " bytes; at most %zu are accepted", what, length, most);
        return 0;
    }
    pld_gguf_bytes(r, length, out);
    out[r->status == PLD_OK ? length : 0] = '\0';
    if (r->status == PLD_OK && (strlen(out) != length || !pld_is_utf8(out))) {
        pld_gguf_fail(r, "%s is no UTF-8 text", what);
    }
    return r->status == PLD_OK ? (size_t)length : 0;
}

/** Add a pair to the table, or count it. */
static void keep_pair(walk *w, const char *key, const char *value) {
    if (w->table) {
        pld_metadata_pair *pair = &w->table->metadata[w->table->metadata_count++];
        pair->key = pld_tensor_table_store(w->table, key, strlen(key));
        pair->value = pld_tensor_table_store(w->table, value, strlen(value));
    } else {
        w->pairs++;
        w->string_bytes += strlen(key) + strlen(value) + 2;
    }
}

/** A number as text at `out`; its length. */
static int number_text(pld_gguf_value type, uint64_t raw, char *out, size_t room) {
    float single;
    double wide;
    const uint32_t low = (uint32_t)raw;
    memcpy(&single, &low, sizeof single);
    memcpy(&wide, &raw, sizeof wide);
    switch (type) {
    case PLD_GGUF_I8:
        return pld_print_text(out, room, "%d", (int8_t)raw);
    case PLD_GGUF_I16:
        return pld_print_text(out, room, "%d", (int16_t)raw);
    case PLD_GGUF_I32:
        return pld_print_text(out, room, "%" PRId32, (int32_t)raw);
    case PLD_GGUF_I64:
        return pld_print_text(out, room, "%" PRId64, (int64_t)raw);
    case PLD_GGUF_F32:
        return pld_print_text(out, room, "%.9g", (double)single);
    case PLD_GGUF_F64:
        return pld_print_text(out, room, "%.17g", wide);
    default:
        return pld_print_text(out, room, "%" PRIu64, raw);
    }
}

static pld_gguf_value read_type(walk *w, const char *key) {
    const uint64_t type = pld_gguf_number(w->reader, 4);
    if (type >= PLD_GGUF_COUNT) {
        pld_gguf_fail(w->reader, "'%.80s': expected a type of value from 0 to %d, found %" PRIu64, key,
                      (int)PLD_GGUF_COUNT - 1, type);
    }
    return w->reader->status == PLD_OK ? (pld_gguf_value)type : PLD_GGUF_U8;
}

/** Pass over so many values of one type, arrays inside arrays included: `depth` of them lie around. */
static void skip_values(walk *w, const char *key, pld_gguf_value type, uint64_t count, int depth) {
    pld_gguf_reader *r = w->reader;
    if (number_bytes[type]) {
        if (count > pld_gguf_left(r) / (uint64_t)number_bytes[type]) {
            count = UINT64_MAX / (uint64_t)number_bytes[type]; /* more than there are: said by the reader */
        }
        pld_gguf_bytes(r, count * (uint64_t)number_bytes[type], NULL);
        return;
    }
    if (depth > DEEPEST_ARRAY) {
        pld_gguf_fail(r, "'%.80s': expected at most %d arrays inside each other", key, (int)DEEPEST_ARRAY);
    }
    for (uint64_t i = 0; i < count && r->status == PLD_OK; i++) {
        if (type == PLD_GGUF_STRING) {
            pld_gguf_bytes(r, pld_gguf_number(r, 8), NULL);
        } else {
            const pld_gguf_value inner = read_type(w, key);
            skip_values(w, key, inner, pld_gguf_number(r, 8), depth + 1);
        }
    }
}

/** A short list of numbers as "1,2,3"; others are passed over and kept as how many they are. */
static void read_array(walk *w, const char *key) {
    enum { ROOM = 32 * MOST_LISTED };
    char text[ROOM] = "";
    const pld_gguf_value type = read_type(w, key);
    const uint64_t count = pld_gguf_number(w->reader, 8);
    if (!number_bytes[type] || count > MOST_LISTED) {
        skip_values(w, key, type, count, 1);
        snprintf(text, sizeof text, "%" PRIu64 " values", count);
    } else {
        size_t used = 0;
        for (uint64_t i = 0; i < count; i++) {
            used += i > 0 ? (size_t)snprintf(text + used, ROOM - used, ",") : 0;
            used += (size_t)number_text(type, pld_gguf_number(w->reader, number_bytes[type]), text + used,
                                        ROOM - used);
        }
    }
    if (w->reader->status == PLD_OK) {
        keep_pair(w, key, text);
    }
}

/** A text that is a value: whole, or how long it is where it is very long or no UTF-8. */
static void read_value_text(walk *w, char *text) {
    pld_gguf_reader *r = w->reader;
    const uint64_t length = pld_gguf_number(r, 8);
    const bool kept = length <= MOST_TEXT;
    pld_gguf_bytes(r, length, kept ? text : NULL);
    text[kept && r->status == PLD_OK ? length : 0] = '\0';
    if (!kept || strlen(text) != length || !pld_is_utf8(text)) {
        snprintf(text, MOST_TEXT, "%" PRIu64 " bytes", length);
    }
}

static void read_pair(walk *w, char *text) {
    char key[MOST_KEY + 1];
    pld_gguf_reader *r = w->reader;
    read_text(w, "a key", MOST_KEY, key);
    r->reading = "a value";
    const pld_gguf_value type = read_type(w, key);
    if (type == PLD_GGUF_ARRAY) {
        read_array(w, key);
        return;
    }
    if (type == PLD_GGUF_STRING) {
        read_value_text(w, text);
    } else {
        const uint64_t raw = pld_gguf_number(r, number_bytes[type]);
        number_text(type, raw, text, MOST_TEXT);
        if (strcmp(key, "general.alignment") == 0) {
            w->alignment = raw;
        }
    }
    if (r->status == PLD_OK) {
        keep_pair(w, key, text);
    }
}

static void read_dtype(walk *w, pld_stored_tensor *tensor) {
    pld_gguf_reader *r = w->reader;
    const uint64_t number = pld_gguf_number(r, 4);
    const char *unread = NULL;
    tensor->dtype = PLD_DTYPE_COUNT;
    if (r->status != PLD_OK) {
        return;
    }
    tensor->dtype = pld_gguf_type_dtype(number, &unread);
    if (unread) {
        r->status = pld_fail(r->error, PLD_ERROR_UNSUPPORTED,
                             "%s: tensor '%s' is of type %s, which is not supported; use a file of Q4_K, "
                             "Q5_K, Q6_K or Q8_0",
                             pld_mapping_path(r->source), tensor->name, unread);
    } else if (tensor->dtype == PLD_DTYPE_COUNT) {
        pld_gguf_fail(r, "tensor '%s': expected a known type, found number %" PRIu64, tensor->name, number);
    }
}

/** Sizes, of which the first is that of a row. */
static void read_shape(walk *w, pld_stored_tensor *tensor) {
    pld_gguf_reader *r = w->reader;
    const uint64_t rank = pld_gguf_number(r, 4);
    if (rank > PLD_GGUF_DIMENSIONS) {
        pld_gguf_fail(r, "tensor '%s': expected at most %d dimensions, found %" PRIu64, tensor->name,
                      (int)PLD_GGUF_DIMENSIONS, rank);
        return;
    }
    tensor->rank = (int)rank;
    for (int i = 0; i < tensor->rank; i++) {
        const uint64_t size = pld_gguf_number(r, 8);
        if (r->status == PLD_OK && (size < 1 || size > INT64_MAX)) {
            pld_gguf_fail(r, "tensor '%s': expected sizes from 1, found %" PRIu64, tensor->name, size);
        }
        tensor->shape[tensor->rank - 1 - i] = (int64_t)size;
    }
}

/** Where its data lies. */
static void read_place(walk *w, pld_stored_tensor *tensor) {
    pld_gguf_reader *r = w->reader;
    const uint64_t offset = pld_gguf_number(r, 8), size = pld_mapping_size(r->source);
    if (r->status != PLD_OK) {
        return;
    }
    const int64_t row = tensor->rank > 0 ? tensor->shape[tensor->rank - 1] : 1;
    const int64_t block = (int64_t)pld_dtype_block(tensor->dtype);
    if (row % block != 0) {
        pld_gguf_fail(r, "tensor '%s': expected rows of whole blocks of %" PRId64 ", found rows of %" PRId64,
                      tensor->name, block, row);
        return;
    }
    r->status = pld_stored_tensor_measure(pld_mapping_path(r->source), tensor, r->error);
    if (r->status != PLD_OK || !w->table) {
        return;
    }
    if (offset % w->alignment != 0) {
        pld_gguf_fail(r, "tensor '%s': expected its data at a multiple of %" PRIu64 ", found it at %" PRIu64,
                      tensor->name, w->alignment, offset);
    } else if (w->data_begin > size || offset > size - w->data_begin ||
               tensor->bytes > size - w->data_begin - offset) {
        pld_gguf_fail(r,
                      "tensor '%s' of %zu bytes at data byte %" PRIu64
                      " goes beyond the end of the file; it is "
                      "cut short or damaged: download it again",
                      tensor->name, tensor->bytes, offset);
    }
    tensor->offset = w->data_begin + offset;
}

static void read_tensor(walk *w) {
    char name[PLD_TENSOR_NAME_BYTES + 1];
    pld_gguf_reader *r = w->reader;
    pld_stored_tensor tensor = {.name = name};
    const size_t length = read_text(w, "the name of a tensor", PLD_TENSOR_NAME_BYTES, name);
    if (r->status == PLD_OK) {
        r->status = pld_tensor_name_check(pld_mapping_path(r->source), name, r->error);
    }
    r->reading = "the list of tensors";
    read_shape(w, &tensor);
    if (r->status == PLD_OK) {
        read_dtype(w, &tensor);
    }
    if (r->status == PLD_OK) {
        read_place(w, &tensor);
    }
    if (r->status == PLD_OK && w->table) {
        tensor.name = pld_tensor_table_store(w->table, name, length);
        w->table->tensors[w->table->count++] = tensor;
    }
    w->string_bytes += w->table ? 0 : length + 1;
}

/** Version and counts. */
static void read_counts(walk *w, uint64_t *pairs) {
    pld_gguf_reader *r = w->reader;
    pld_gguf_number(r, 4); /* the magic was seen */
    const uint64_t version = pld_gguf_number(r, 4);
    if (r->status == PLD_OK && version != 2 && version != 3) {
        pld_gguf_fail(r, "expected GGUF of version 2 or 3, found %s",
                      version == 1              ? "version 1; obtain a newer file of the model"
                      : (version & 0xffff) == 0 ? "one whose numbers are big endian"
                                                : "another version");
    }
    w->tensors = pld_gguf_number(r, 8);
    *pairs = pld_gguf_number(r, 8);
    if (w->tensors > PLD_MOST_TENSORS || *pairs > MOST_PAIRS) {
        pld_gguf_fail(r, "expected at most %d tensors and %d pairs, found %" PRIu64 " and %" PRIu64,
                      (int)PLD_MOST_TENSORS, (int)MOST_PAIRS, w->tensors, *pairs);
    }
}

/** The whole header; `text` has room for a value. */
static void walk_header(walk *w, char *text) {
    pld_gguf_reader *r = w->reader;
    uint64_t pairs = 0;
    w->alignment = PLD_GGUF_ALIGNMENT;
    read_counts(w, &pairs);
    for (uint64_t i = 0; i < pairs && r->status == PLD_OK; i++) {
        read_pair(w, text);
    }
    if (w->alignment < 1 || w->alignment > MOST_ALIGNMENT || (w->alignment & (w->alignment - 1)) != 0) {
        pld_gguf_fail(r, "'general.alignment': expected a power of two up to %d, found %" PRIu64,
                      (int)MOST_ALIGNMENT, w->alignment);
    }
    for (uint64_t i = 0; i < w->tensors && r->status == PLD_OK; i++) {
        read_tensor(w);
    }
    if (!w->table && r->status == PLD_OK) {
        w->data_begin = (r->at + w->alignment - 1) / w->alignment * w->alignment;
    }
}

/** Give a tensor the shape that it had before it was written as rows of whole blocks. */
static pld_status restore_shape(pld_tensor_table *table, const char *path, const pld_metadata_pair *pair,
                                pld_error *error) {
    pld_stored_tensor *tensor = pld_tensor_table_find(table, pair->key + sizeof PLD_GGUF_ORIGINAL_SHAPE - 1);
    if (!tensor) {
        return PLD_OK; /* of a tensor that is not here */
    }
    pld_stored_tensor shaped = *tensor;
    const char *at = pair->value;
    uint64_t size = 0;
    shaped.rank = 0;
    while (*at && shaped.rank < PLD_MAX_RANK && pld_parse_natural(at, INT64_MAX, &size, &at) && size > 0) {
        shaped.shape[shaped.rank++] = (int64_t)size;
        at += *at == ',';
    }
    const bool read = !*at && shaped.rank > 0 && pld_stored_tensor_measure(path, &shaped, error) == PLD_OK;
    if (!read || shaped.bytes != tensor->bytes) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: '%.200s': expected the sizes of a tensor of %zu bytes, found '%.80s'", path,
                        pair->key, tensor->bytes, pair->value);
    }
    *tensor = shaped;
    return PLD_OK;
}

static bool recognise(const uint8_t *start, size_t size) {
    return size >= 4 && memcmp(start, "GGUF", 4) == 0;
}

static pld_status fill_table(const pld_mapping *source, walk *measured, pld_gguf_reader *reader, char *text,
                             pld_tensor_table *table, pld_error *error) {
    const char *path = pld_mapping_path(source);
    PLD_TRY(pld_tensor_table_allocate(table, path, (size_t)measured->tensors, measured->pairs,
                                      measured->string_bytes + 1, error));
    pld_gguf_reader_init(reader, source, error);
    walk filling = {.reader = reader, .table = table, .data_begin = measured->data_begin};
    walk_header(&filling, text);
    PLD_TRY(reader->status);
    PLD_TRY(pld_tensor_table_finish(table, path, error));
    for (size_t i = 0; i < table->metadata_count; i++) {
        if (strncmp(table->metadata[i].key, PLD_GGUF_ORIGINAL_SHAPE, sizeof PLD_GGUF_ORIGINAL_SHAPE - 1) ==
            0) {
            PLD_TRY(restore_shape(table, path, &table->metadata[i], error));
        }
    }
    return PLD_OK;
}

/** Memory of a walk. */
typedef struct walk_room {
    pld_gguf_reader reader;
    char text[MOST_TEXT + 1];
} walk_room;

static pld_status read_header(const pld_mapping *source, pld_tensor_table *table, pld_error *error) {
    walk_room *room = pld_allocate(1, sizeof *room);
    if (!room) {
        return pld_fail_memory(error, sizeof *room, "header of a GGUF file");
    }
    pld_gguf_reader_init(&room->reader, source, error);
    walk measured = {.reader = &room->reader};
    walk_header(&measured, room->text);
    pld_status status = room->reader.status;
    if (status == PLD_OK) {
        status = fill_table(source, &measured, &room->reader, room->text, table, error);
    }
    pld_free(room);
    return status;
}

const pld_tensor_format pld_format_gguf = {"GGUF", recognise, read_header};
