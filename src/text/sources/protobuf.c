/* SPDX-License-Identifier: Apache-2.0 */
#include "text/sources/protobuf.h"

#include <string.h>

enum { VARINT_BYTES = 10 };

static pld_status damaged(const pld_protobuf *message, const char *what, pld_error *error) {
    return pld_fail(error, PLD_ERROR_FORMAT,
                    "%s: expected a SentencePiece model, found %s; the file is damaged or of another kind: "
                    "download it again from the model's source",
                    message->name, what);
}

static pld_status read_varint(pld_protobuf *message, uint64_t *value, pld_error *error) {
    *value = 0;
    for (int i = 0; i < VARINT_BYTES && message->at < message->end; i++) {
        const uint8_t byte = *message->at++;
        *value |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (!(byte & 0x80)) {
            return PLD_OK;
        }
    }
    return damaged(message, "a number without an end", error);
}

/** `bytes` bytes, least significant first. */
static pld_status read_fixed(pld_protobuf *message, size_t bytes, uint64_t *value, pld_error *error) {
    if ((size_t)(message->end - message->at) < bytes) {
        return damaged(message, "a number that is cut short", error);
    }
    *value = 0;
    for (size_t i = 0; i < bytes; i++) {
        *value |= (uint64_t)message->at[i] << (8 * i);
    }
    message->at += bytes;
    return PLD_OK;
}

static pld_status read_bytes(pld_protobuf *message, pld_protobuf_field *field, pld_error *error) {
    uint64_t length = 0;
    PLD_TRY(read_varint(message, &length, error));
    if (length > (uint64_t)(message->end - message->at)) {
        return damaged(message, "a field that goes beyond the end", error);
    }
    field->bytes = message->at;
    field->length = (size_t)length;
    message->at += length;
    return PLD_OK;
}

pld_status pld_protobuf_next(pld_protobuf *message, bool *more, pld_protobuf_field *field, pld_error *error) {
    uint64_t key = 0;
    *more = message->at < message->end;
    if (!*more) {
        return PLD_OK;
    }
    PLD_TRY(read_varint(message, &key, error));
    if (key >> 3 == 0 || key >> 3 > UINT32_MAX / 8) {
        return damaged(message, "a field without a number", error);
    }
    *field = (pld_protobuf_field){.number = (uint32_t)(key >> 3), .type = (pld_protobuf_type)(key & 7)};
    switch (field->type) {
    case PLD_PROTOBUF_VARINT:
        return read_varint(message, &field->value, error);
    case PLD_PROTOBUF_FIXED64:
        return read_fixed(message, 8, &field->value, error);
    case PLD_PROTOBUF_BYTES:
        return read_bytes(message, field, error);
    case PLD_PROTOBUF_FIXED32:
        return read_fixed(message, 4, &field->value, error);
    }
    return damaged(message, "a field of an unknown type", error);
}

pld_protobuf pld_protobuf_message(const pld_protobuf *parent, const pld_protobuf_field *field) {
    return (pld_protobuf){.at = field->bytes, .end = field->bytes + field->length, .name = parent->name};
}

float pld_protobuf_float(const pld_protobuf_field *field) {
    const uint32_t bits = (uint32_t)field->value;
    float value = 0;
    memcpy(&value, &bits, sizeof value);
    return value;
}
