/* SPDX-License-Identifier: Apache-2.0 */
/** What is compared of each model: a row for a kind of case and a model, with how far results may be off, and why. A new
 *  model is rows here; its cases are found by kind and model wherever reference_cases.h looks. */
#ifndef PLD_TESTS_FAMILIES_H
#define PLD_TESTS_FAMILIES_H

#include "case.h"

/** Relative errors that are allowed. Why: families.c. */
typedef struct parity_row {
    const char *kind, *model;
    int cases;        /**< in the tree */
    int taps;         /**< maps inside the network that a forward of it compares; 0: it has none */
    double tolerance; /**< in float32, and with split operands where that network runs so */
    double
        bf16; /**< with bfloat16 products; 0: what tolerance says, or, of LoRAs, they run in float32 alone */
    double bf16_inside; /**< likewise, of maps inside the network; 0: as bf16 */
} parity_row;

/** Compare a case with results of this program. */
typedef void parity_compare(const parity_case *c, const parity_row *row, void *user);

/** Call `compare` with each case of a kind, row after row; fails unless the tree holds as many as the rows
 * say. Of cases of models without a row a line says that they are passed over; the tree has none. */
void compare_cases(const char *kind, parity_compare *compare, void *user);
/** The same of one model alone, which must have a row. Returns how many cases of the tree there were. */
int compare_cases_of(const char *kind, const char *model, parity_compare *compare, void *user);

/** The row of a kind and a model; fails the test where there is none. */
const parity_row *parity_row_find(const char *kind, const char *model);

/** Whether generations of a row's model are those of the denoiser alone, by the embeddings that the cases carry. */
bool parity_is_alone(const parity_row *row);

/** What a forward of a row's network may be off on this run's path. */
double parity_forward_tolerance(const parity_row *row);

/** What the tensor `what` of a case may be off on this run's path: an exception's figure if there is one, `otherwise` if
 * not. */
double parity_tolerance(const char *case_name, const char *what, double otherwise);

#endif
