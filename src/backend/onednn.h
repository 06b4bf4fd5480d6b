/* SPDX-License-Identifier: Apache-2.0 */
/** Matrix products and convolutions through oneDNN. Every call of that library stands in onednn.c.
 *
 * Activations are NHWC (token-major); a weight is packed once into the layout that its primitive asks for.
 * All primitives of a process share oneDNN's stateless CPU engine; each pld_onednn has its own stream, so
 * that sessions on several threads do not meet.
 */
#ifndef PLD_BACKEND_ONEDNN_H
#define PLD_BACKEND_ONEDNN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

typedef struct pld_onednn pld_onednn;
typedef struct pld_onednn_primitive pld_onednn_primitive;

/** A convolution out [B, Ho, Wo, N] of x [B, H, W, C] with weight [N, C, kernel, kernel], or, with kernel 0,
 * a linear layer: rows [B·H·W, C] times weight [N, C] transposed. */
typedef struct pld_onednn_problem {
    int64_t batch, height, width, in_channels;
    int64_t out_height, out_width, out_channels;
    int64_t kernel; /**< 0: linear */
    int64_t stride;
    int64_t pad_before, pad_after; /**< rows above and columns left; rows below and columns right */
    bool bias;
    bool accumulate; /**< out += result instead of out = result */
} pld_onednn_problem;

pld_status pld_onednn_create(pld_onednn **dnn, pld_error *error);
void pld_onednn_destroy(pld_onednn **dnn);

/** Make the primitive for a problem; `name` stands in errors. A slow reference implementation is refused. */
pld_status pld_onednn_prepare(pld_onednn *dnn, const pld_onednn_problem *problem, const char *name,
                              pld_onednn_primitive **primitive, pld_error *error);
void pld_onednn_primitive_destroy(pld_onednn_primitive **primitive);

size_t pld_onednn_scratch_bytes(const pld_onednn_primitive *primitive);
size_t pld_onednn_packed_bytes(const pld_onednn_primitive *primitive);
const char *pld_onednn_implementation(const pld_onednn_primitive *primitive); /**< oneDNN's name for it */

/** A description of the packed layout, comparable byte by byte: [*size] bytes that live
 * with the primitive. */
const void *pld_onednn_layout(const pld_onednn_primitive *primitive, size_t *size);

/** plain [N, C] or [N, C, kernel, kernel] float32 → packed, pld_onednn_packed_bytes of 64-byte aligned
 * memory. */
pld_status pld_onednn_pack(pld_onednn *dnn, const pld_onednn_primitive *primitive, const float *plain,
                           void *packed, pld_error *error);

/** Run it. `bias` [N] when the problem has one; `scratch` of pld_onednn_scratch_bytes. */
pld_status pld_onednn_run(pld_onednn *dnn, const pld_onednn_primitive *primitive, const float *x,
                          const void *packed, const float *bias, float *out, void *scratch, pld_error *error);

/** out [rows, columns] = beta · out + alpha · a [rows, inner] · b [inner, columns], all dense float32. Needs
 * no pld_onednn; safe from several threads. */
pld_status pld_onednn_multiply(size_t rows, size_t columns, size_t inner, float alpha, const float *a,
                               const float *b, float beta, float *out, pld_error *error);

#endif
