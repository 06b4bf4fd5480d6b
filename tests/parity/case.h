/* SPDX-License-Identifier: Apache-2.0 */
/** A case: what it says of itself, and its tensors. */
#ifndef PLD_TESTS_CASE_H
#define PLD_TESTS_CASE_H

#include "compare.h"
#include "io/json/read.h"
#include "io/tensors/tensor_file.h"
#include "reference_cases.h"

typedef struct parity_case {
    char name[128];
    const char *root; /**< ROOT/models holds its model */
    json_t *info;     /**< of its own; NULL: it has none */
    pld_tensor_file *tensors;
} parity_case;

/** A case of a folder, ROOT/cases/NAME. Close with case_close. False, with a line that says so, where it is of another folder
 * and its tensors cannot be read. */
bool case_open(const reference_found *found, parity_case *c);
/** A folder of tests/data that holds many cases in `cases` (JSON) and `tensors`, on models of the tree. */
void case_open_table(const char *folder, const char *cases, const char *tensors, parity_case *c);
/** A file of tensors alone: a dump. */
void case_open_tensors(const char *path, const char *name, parity_case *c);
void case_close(parity_case *c);

/** Path of a file of the case's model: "transformer/config.json"; "" is its folder. Valid as reference_path's. */
const char *case_model_path(const parity_case *c, const char *file);

bool case_has(const parity_case *c, const char *tensor);
/** False, with a line that says so, when a case of another folder lacks one of these tensors (NULL-terminated); a case of
 * the tree must have them. */
bool case_has_all(const parity_case *c, const char *const *tensors);

/** Its tensor of this name; fails the test when it is missing. */
const pld_stored_tensor *case_tensor(const parity_case *c, const char *name);
/** The same as new float32 memory (free with pld_free); `count` (may be NULL) gets its elements. */
float *case_values(const parity_case *c, const char *name, size_t *count);

/** Error of tensor `name` of `found` against tensor `wanted` of `expected`, which must have as many elements. */
double case_error(const parity_case *found, const char *name, const parity_case *expected,
                  const char *wanted);
/** Worst error of the tensors of `expected` whose names begin with `before` and `prefix`, against those of `found` without
 * `before`; −1: it has none. */
double case_worst_error(const parity_case *found, const parity_case *expected, const char *before,
                        const char *prefix);

/** Fields of a JSON object: `otherwise` and NULL without them. */
double json_field(const json_t *object, const char *key, double otherwise);
const char *json_text(const json_t *object, const char *key);

#endif
