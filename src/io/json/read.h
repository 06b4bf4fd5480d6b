/* SPDX-License-Identifier: Apache-2.0 */
/** Reading JSON from strangers: bounded, without duplicate keys, with errors that name file and field. */
#ifndef PLD_IO_JSON_READ_H
#define PLD_IO_JSON_READ_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

enum {
    PLD_JSON_FILE_BYTES = 16 << 20, /**< a generous limit for configurations and vocabularies */
    PLD_JSON_DEPTH = 64,            /**< brackets inside brackets; configurations need 5 */
    PLD_JSON_VALUES = 4 << 20,      /**< bounds the memory that a document can ask for */
    PLD_JSON_PATH_BYTES = 128
};

/** Parse a file of at most `max_bytes` (0: PLD_JSON_FILE_BYTES). The caller gives the document back with
 *  json_decref. */
pld_status pld_json_load(const char *path, size_t max_bytes, json_t **document, pld_error *error);

/** Parse `length` bytes of UTF-8; `name` stands for the file in messages. */
pld_status pld_json_parse(const char *text, size_t length, const char *name, json_t **document,
                          pld_error *error);

/** The same with a bound of one's own on the number of values, which parsing time and memory grow with. */
pld_status pld_json_parse_bounded(const char *text, size_t length, size_t most_values, const char *name,
                                  json_t **document, pld_error *error);

/** A place inside a document. Borrows the document and the file's name. */
typedef struct pld_json {
    const json_t *value;            /**< an object wherever a field is asked of it */
    const char *file;               /**< for messages */
    char path[PLD_JSON_PATH_BYTES]; /**< "" at the top, else e.g. "text_config" or "added_tokens[3]" */
} pld_json;

/** Whether a field that is absent is an error or leaves the output as it was, that is, at the caller's
 * default. null is a value of its own: what wrote the file was told "nothing", which is seldom the default.
 * It is of the wrong type, and so an error, except for PLD_JSON_NULLABLE, where it means the same as absence.
 */
typedef enum pld_json_need { PLD_JSON_OPTIONAL, PLD_JSON_NULLABLE, PLD_JSON_REQUIRED } pld_json_need;

/** The top of a document, which must be an object. */
pld_status pld_json_top(const json_t *document, const char *file, pld_json *top, pld_error *error);

/** Load FILE and hand its top object to `read`, which fills `target`. The document is gone afterwards: keep
 * no strings. */
typedef pld_status (*pld_json_reader)(void *target, const pld_json *top, pld_error *error);
pld_status pld_json_read_file(const char *file, pld_json_reader read, void *target, pld_error *error);

/** Where `at` points, with the field's own path: for values that no getter below covers. NULL value: absent;
 *  a null that is not allowed is there. */
pld_status pld_json_field(const pld_json *at, const char *field, pld_json_need need, pld_json *child,
                          pld_error *error);

/** A field that holds an object. Absent and optional: child->value is NULL. */
pld_status pld_json_object(const pld_json *at, const char *field, pld_json_need need, pld_json *child,
                           pld_error *error);

/** A field that holds a list; its elements are reached by pld_json_element. Absent: child->value is NULL. */
pld_status pld_json_array(const pld_json *at, const char *field, pld_json_need need, pld_json *child,
                          pld_error *error);

/** Element `index` (< json_array_size) of the list at `array`. */
void pld_json_element(const pld_json *array, size_t index, pld_json *element);

/** PLD_ERROR_FORMAT "FILE: field 'PATH': expected EXPECTED, found …" for the value at `at`. */
pld_status pld_json_mismatch(const pld_json *at, const char *expected, pld_error *error);

/** True when the field is there and not null. */
bool pld_json_has(const pld_json *at, const char *field);

/** True when the field is there and null. */
bool pld_json_is_null(const pld_json *at, const char *field);

/** A string, owned by the document. */
pld_status pld_json_get_string(const pld_json *at, const char *field, pld_json_need need, const char **value,
                               pld_error *error);

/** A whole number in [min, max]; 1.0 is not one. */
pld_status pld_json_get_integer(const pld_json *at, const char *field, pld_json_need need, int64_t min,
                                int64_t max, int64_t *value, pld_error *error);

/** A row of a table of whole numbers: the field, and where its value goes. */
typedef struct pld_json_integer_field {
    const char *field;
    pld_json_need need;
    int64_t min, max;
    int64_t *value;
} pld_json_integer_field;

/** pld_json_get_integer for each row, up to the first that fails. */
pld_status pld_json_get_integer_fields(const pld_json *at, const pld_json_integer_field *rows, size_t count,
                                       pld_error *error);

/** A finite number. */
pld_status pld_json_get_number(const pld_json *at, const char *field, pld_json_need need, double *value,
                               pld_error *error);

/** As above, and also the strings "inf" and "-inf". */
pld_status pld_json_get_number_or_infinity(const pld_json *at, const char *field, pld_json_need need,
                                           double *value, pld_error *error);

pld_status pld_json_get_bool(const pld_json *at, const char *field, pld_json_need need, bool *value,
                             pld_error *error);

/** An optional truth value by Python's rule: null is false, whatever the default is. */
pld_status pld_json_get_flag(const pld_json *at, const char *field, bool *value, pld_error *error);

/** `count` whole numbers: a list of exactly that many, or one number that stands for all of them. */
pld_status pld_json_get_integer_or_list(const pld_json *at, const char *field, pld_json_need need,
                                        int64_t min, int64_t max, size_t count, int64_t *values,
                                        pld_error *error);

/** `count` truth values: a list of exactly that many, or one that stands for all of them. */
pld_status pld_json_get_bool_or_list(const pld_json *at, const char *field, pld_json_need need, size_t count,
                                     bool *values, pld_error *error);

/** Lists of at most `capacity` elements; `*count` of them were there. Absent: both outputs untouched. */
pld_status pld_json_get_integers(const pld_json *at, const char *field, pld_json_need need, int64_t min,
                                 int64_t max, size_t capacity, int64_t *values, size_t *count,
                                 pld_error *error);
pld_status pld_json_get_numbers(const pld_json *at, const char *field, pld_json_need need, size_t capacity,
                                double *values, size_t *count, pld_error *error);
pld_status pld_json_get_strings(const pld_json *at, const char *field, pld_json_need need, size_t capacity,
                                const char **values, size_t *count, pld_error *error);

#endif
