/* SPDX-License-Identifier: Apache-2.0 */
/** Reading messages in the wire format of Protocol Buffers (its "Encoding" page): fields with numbers,
 *  as varints, 32 or 64 bits, or bytes. Nothing is copied. */
#ifndef PLD_TEXT_SOURCES_PROTOBUF_H
#define PLD_TEXT_SOURCES_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

/** A message, or what is left of it. */
typedef struct pld_protobuf {
    const uint8_t *at;
    const uint8_t *end;
    const char *name; /**< of the file, for messages */
} pld_protobuf;

typedef enum pld_protobuf_type {
    PLD_PROTOBUF_VARINT = 0,
    PLD_PROTOBUF_FIXED64 = 1,
    PLD_PROTOBUF_BYTES = 2,
    PLD_PROTOBUF_FIXED32 = 5
} pld_protobuf_type;

/** One field. */
typedef struct pld_protobuf_field {
    uint32_t number;
    pld_protobuf_type type;
    uint64_t value;       /**< of all types but bytes */
    const uint8_t *bytes; /**< of bytes: strings and messages */
    size_t length;
} pld_protobuf_field;

/** The next field; `*more` false at the end of the message. PLD_ERROR_FORMAT where it is damaged. */
pld_status pld_protobuf_next(pld_protobuf *message, bool *more, pld_protobuf_field *field, pld_error *error);

/** A field of bytes as a message. */
pld_protobuf pld_protobuf_message(const pld_protobuf *parent, const pld_protobuf_field *field);

/** A field of 32 bits as a number. */
float pld_protobuf_float(const pld_protobuf_field *field);

#endif
