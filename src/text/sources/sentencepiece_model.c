/* SPDX-License-Identifier: Apache-2.0 */
#include "text/sources/sentencepiece_model.h"

#include <math.h>

#include "core/memory.h"
#include "core/utf8.h"
#include "text/sources/protobuf.h"
#include "text/vocabulary/vocabulary.h"

/* Numbers of the fields that count. */
enum { MODEL_PIECE = 1, MODEL_TRAINER = 2, MODEL_NORMALIZER = 3 };
enum { PIECE_TEXT = 1, PIECE_SCORE = 2, PIECE_TYPE = 3 };
enum {
    TRAINER_KIND = 3,
    TRAINER_WHITESPACE_AS_SUFFIX = 24,
    TRAINER_BYTE_FALLBACK = 35,
    TRAINER_UNKNOWN_ID = 40,
    TRAINER_START_ID = 41,
    TRAINER_END_ID = 42,
    TRAINER_PAD_ID = 43
};
enum { NORMALIZER_CHARSMAP = 2, NORMALIZER_PREFIX = 3, NORMALIZER_EXTRA = 4, NORMALIZER_ESCAPE = 5 };

static pld_status bad_piece(const pld_sentencepiece_model *model, const char *name, const char *what,
                            pld_error *error) {
    return pld_fail(error, PLD_ERROR_FORMAT,
                    "%s: piece %zu: expected text with a finite score, found %s; download it again from the "
                    "model's source",
                    name, model->count, what);
}

static bool is_utf8(const char *text, size_t length) {
    for (size_t at = 0; at < length;) {
        int32_t point = 0;
        at += pld_utf8_decode(text + at, length - at, &point);
        if (point <= 0) {
            return false;
        }
    }
    return true;
}

static pld_status read_piece(pld_sentencepiece_model *model, pld_protobuf message, pld_error *error) {
    pld_sentencepiece piece = {.type = PLD_PIECE_NORMAL};
    pld_protobuf_field field;
    bool more = false;
    for (;;) {
        PLD_TRY(pld_protobuf_next(&message, &more, &field, error));
        if (!more) {
            break;
        }
        if (field.number == PIECE_TEXT && field.type == PLD_PROTOBUF_BYTES) {
            piece.text = (const char *)field.bytes;
            piece.length = field.length;
        } else if (field.number == PIECE_SCORE && field.type == PLD_PROTOBUF_FIXED32) {
            piece.score = pld_protobuf_float(&field);
        } else if (field.number == PIECE_TYPE && field.type == PLD_PROTOBUF_VARINT) {
            piece.type = field.value <= PLD_PIECE_BYTE ? (pld_piece_type)field.value : PLD_PIECE_UNUSED;
        }
    }
    if (piece.length == 0 || !is_utf8(piece.text, piece.length)) {
        return bad_piece(model, message.name, "none, or text that is not UTF-8", error);
    }
    if (!isfinite(piece.score)) {
        return bad_piece(model, message.name, "a score that is not a number", error);
    }
    if (model->count == PLD_VOCABULARY_LIMIT) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED, "%s: expected at most %d pieces, found more",
                        message.name, (int)PLD_VOCABULARY_LIMIT);
    }
    void *pieces = model->pieces;
    if (!pld_grow(&pieces, &model->capacity, model->count + 1, sizeof *model->pieces)) {
        return pld_fail_memory(error, model->count * sizeof *model->pieces, message.name);
    }
    model->pieces = pieces;
    model->pieces[model->count++] = piece;
    return PLD_OK;
}

static pld_status read_trainer(pld_sentencepiece_model *model, pld_protobuf message, pld_error *error) {
    pld_protobuf_field field;
    bool more = false;
    for (;;) {
        PLD_TRY(pld_protobuf_next(&message, &more, &field, error));
        if (!more) {
            return PLD_OK;
        }
        const int64_t value = (int32_t)(uint32_t)field.value; /* negative numbers are written in 64 bits */
        if (field.type != PLD_PROTOBUF_VARINT) {
            continue;
        }
        if (field.number == TRAINER_KIND) {
            model->kind = value;
        } else if (field.number == TRAINER_WHITESPACE_AS_SUFFIX) {
            model->whitespace_as_suffix = value != 0;
        } else if (field.number == TRAINER_BYTE_FALLBACK) {
            model->byte_fallback = value != 0;
        } else if (field.number == TRAINER_UNKNOWN_ID) {
            model->unknown_id = value;
        } else if (field.number == TRAINER_START_ID) {
            model->start_id = value;
        } else if (field.number == TRAINER_END_ID) {
            model->end_id = value;
        } else if (field.number == TRAINER_PAD_ID) {
            model->pad_id = value;
        }
    }
}

static pld_status read_normalizer(pld_sentencepiece_model *model, pld_protobuf message, pld_error *error) {
    pld_protobuf_field field;
    bool more = false;
    for (;;) {
        PLD_TRY(pld_protobuf_next(&message, &more, &field, error));
        if (!more) {
            return PLD_OK;
        }
        if (field.number == NORMALIZER_CHARSMAP && field.type == PLD_PROTOBUF_BYTES) {
            model->charsmap = field.bytes;
            model->charsmap_size = field.length;
        } else if (field.type != PLD_PROTOBUF_VARINT) {
            continue;
        } else if (field.number == NORMALIZER_PREFIX) {
            model->add_dummy_prefix = field.value != 0;
        } else if (field.number == NORMALIZER_EXTRA) {
            model->remove_extra_whitespaces = field.value != 0;
        } else if (field.number == NORMALIZER_ESCAPE) {
            model->escape_whitespaces = field.value != 0;
        }
    }
}

pld_status pld_sentencepiece_model_read(pld_sentencepiece_model *model, const char *data, size_t size,
                                        const char *name, pld_error *error) {
    *model = (pld_sentencepiece_model){.kind = PLD_SENTENCEPIECE_UNIGRAM, /* the format's own defaults */
                                       .start_id = 1,
                                       .end_id = 2,
                                       .pad_id = -1,
                                       .add_dummy_prefix = true,
                                       .remove_extra_whitespaces = true,
                                       .escape_whitespaces = true};
    pld_protobuf file = {.at = (const uint8_t *)data, .end = (const uint8_t *)data + size, .name = name};
    pld_protobuf_field field;
    bool more = false;
    for (;;) {
        PLD_TRY(pld_protobuf_next(&file, &more, &field, error));
        if (!more) {
            break;
        }
        if (field.type != PLD_PROTOBUF_BYTES) {
            continue;
        }
        if (field.number == MODEL_PIECE) {
            PLD_TRY(read_piece(model, pld_protobuf_message(&file, &field), error));
        } else if (field.number == MODEL_TRAINER) {
            PLD_TRY(read_trainer(model, pld_protobuf_message(&file, &field), error));
        } else if (field.number == MODEL_NORMALIZER) {
            PLD_TRY(read_normalizer(model, pld_protobuf_message(&file, &field), error));
        }
    }
    if (model->count == 0) {
        return pld_fail(
            error, PLD_ERROR_FORMAT,
            "%s: expected a SentencePiece model, found no piece; the file is damaged or of another kind",
            name);
    }
    return PLD_OK;
}

void pld_sentencepiece_model_free(pld_sentencepiece_model *model) {
    pld_free(model->pieces);
    *model = (pld_sentencepiece_model){0};
}
