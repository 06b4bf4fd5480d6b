/* SPDX-License-Identifier: Apache-2.0 */
/* ΔW by the kinds of change. With A = down, B = up, ⊗ Kronecker's and ∘ the element-wise product:
 *
 *      LoRA   B A                          (Hu et al. 2021, eq. 3)
 *      LoHa   (a₁ b₁) ∘ (a₂ b₂)            (Hyeon-Woo et al. 2021, proposition 1)
 *      LoKr   w₁ ⊗ w₂, each whole or a b   (Yeh et al. 2023, arXiv 2309.14859, section 3.3)
 *
 *  Where a core T [r, r, k, k] stands between two factors it is Tucker's form, ΔW[o, i, k] = Σ a[p, o] T[p,
 * q, k] b[q, i]. DoRA (Liu et al. 2024, arXiv 2402.09353, eq. 5) then sets the norms of W + ΔW.
 */
#include "nn/weight_change.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "nn/weight_values.h"

/** A matrix [rows, columns] of float32. */
typedef struct matrix {
    float *data;
    size_t rows, columns;
} matrix;

typedef struct change_run {
    const pld_weight_change *change;
    const pld_weight_shape *shape;
    const pld_weight_backend *backend;
    pld_error *error;
} change_run;

pld_weight_shape pld_weight_shape_of(const int64_t *size, int rank) {
    pld_weight_shape shape = {.rank = rank, .out = (size_t)size[0], .row = 1};
    for (int i = 0; i < rank; i++) {
        shape.size[i] = size[i];
        shape.row *= i > 0 ? (size_t)size[i] : 1;
    }
    return shape;
}

/** The shape of what the module changes: of the whole fused matrix, where the weight is some rows of one. */
static pld_status whole_shape(const pld_weight_change *change, const pld_weight_shape *shape,
                              pld_weight_shape *whole, pld_error *error) {
    const pld_row_part rows = change->rows;
    *whole = *shape;
    if (rows.count > 0) {
        const int64_t part = shape->size[0] / rows.count;
        if (part * rows.count != shape->size[0] || part > INT64_MAX / rows.of) {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: module '%.*s': expected a weight of a number of rows divisible by %d, found "
                            "%lld",
                            pld_tensor_file_path(pld_lora_file_tensors(change->file)),
                            change->module->name_length, change->module->name, rows.count,
                            (long long)shape->size[0]);
        }
        whole->size[0] = part * rows.of;
        whole->out = (size_t)whole->size[0];
    }
    return PLD_OK;
}

/** The row of the whole matrix that is row `row` of the weight. */
static size_t whole_row(const pld_weight_change *change, size_t row, size_t out, size_t whole) {
    const size_t first = out / (size_t)change->rows.count * (size_t)change->rows.first;
    return (first + row) % whole;
}

static const pld_stored_tensor *factor_of(const pld_weight_change *change, pld_lora_factor factor) {
    return change->module->factors[factor];
}

/** Refuse a factor unless its shape is the wanted one, ones at the end aside. */
static pld_status check_shape(const pld_weight_change *change, pld_lora_factor factor, int rank,
                              const int64_t *wanted, pld_error *error) {
    const pld_stored_tensor *tensor = factor_of(change, factor);
    bool same = true;
    for (int i = 0; i < (tensor->rank > rank ? tensor->rank : rank); i++) {
        int64_t found = i < tensor->rank ? tensor->shape[i] : 1;
        int64_t expected = i < rank ? wanted[i] : 1;
        same = same && found == expected;
    }
    if (same) {
        return PLD_OK;
    }
    char expected[96];
    char found[96];
    const char *family = pld_lora_file_family(change->file);
    return pld_fail(
        error, PLD_ERROR_FORMAT,
        "%s: tensor '%s': expected shape %s to fit this model, found %s; the file was made for %s",
        pld_tensor_file_path(pld_lora_file_tensors(change->file)), tensor->name,
        pld_shape_text(wanted, rank, expected, sizeof expected),
        pld_shape_text(tensor->shape, tensor->rank, found, sizeof found), family ? family : "another model");
}

/** The factors of a product of the size [o, i, k, k]: b is [r, i, k, k], or [r, i] beside a core [r, r, k,
 * k]; a is [o, r] or, in LyCORIS' Tucker forms, [r, o]. */
static pld_status check_pair(const pld_weight_change *change, pld_lora_factor a, pld_lora_factor b,
                             const pld_stored_tensor *core, pld_lora_factor core_factor, bool up_is_out_first,
                             const pld_weight_shape *size, pld_error *error) {
    const int64_t r = factor_of(change, b)->shape[0];
    const int64_t kernel[2] = {size->rank > 2 ? size->size[2] : 1, size->rank > 3 ? size->size[3] : 1};
    const int64_t in = size->rank > 1 ? size->size[1] : 1;
    const int64_t up_first[2] = {size->size[0], r};
    const int64_t rank_first[2] = {r, size->size[0]};
    PLD_TRY(check_shape(change, a, 2, up_is_out_first ? up_first : rank_first, error));
    if (core) {
        PLD_TRY(check_shape(change, core_factor, 4, (int64_t[]){r, r, kernel[0], kernel[1]}, error));
        return check_shape(change, b, 2, (int64_t[]){r, in}, error);
    }
    const pld_stored_tensor *right = factor_of(change, b);
    if (right->rank == 2 && kernel[0] * kernel[1] > 1) {
        return check_shape(change, b, 2, (int64_t[]){r, (int64_t)size->row}, error); /* LyCORIS flattens */
    }
    return check_shape(change, b, 4, (int64_t[]){r, in, kernel[0], kernel[1]}, error);
}

static pld_status check_lora(const pld_weight_change *change, const pld_weight_shape *shape,
                             pld_error *error) {
    return check_pair(change, PLD_LORA_UP, PLD_LORA_DOWN, factor_of(change, PLD_LORA_MIDDLE), PLD_LORA_MIDDLE,
                      true, shape, error);
}

static pld_status check_loha(const pld_weight_change *change, const pld_weight_shape *shape,
                             pld_error *error) {
    const pld_stored_tensor *first = factor_of(change, PLD_LOHA_T1);
    const pld_stored_tensor *second = factor_of(change, PLD_LOHA_T2);
    PLD_TRY(check_pair(change, PLD_LOHA_W1_A, PLD_LOHA_W1_B, first, PLD_LOHA_T1, !first, shape, error));
    return check_pair(change, PLD_LOHA_W2_A, PLD_LOHA_W2_B, second, PLD_LOHA_T2, !second, shape, error);
}

/** Sizes of the two sides of a Kronecker product: the first from its own tensors, the second what is left. */
static pld_status kronecker_sizes(const pld_weight_change *change, const pld_weight_shape *shape,
                                  pld_weight_shape *first, pld_weight_shape *second, pld_error *error) {
    const pld_stored_tensor *whole = factor_of(change, PLD_LOKR_W1);
    const pld_stored_tensor *left = whole ? whole : factor_of(change, PLD_LOKR_W1_A);
    const pld_stored_tensor *right = whole ? whole : factor_of(change, PLD_LOKR_W1_B);
    const int64_t in = shape->rank > 1 ? shape->size[1] : 1;
    const int64_t rows = left->rank == 2 ? left->shape[0] : 0;
    const int64_t columns = right->rank == 2 ? right->shape[1] : 0;
    if (rows < 1 || columns < 1 || shape->size[0] % rows != 0 || in % columns != 0) {
        char found[96];
        char weight[96];
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: tensor '%s': expected sizes that divide those of the weight %s, found %s",
                        pld_tensor_file_path(pld_lora_file_tensors(change->file)), left->name,
                        pld_shape_text(shape->size, shape->rank, weight, sizeof weight),
                        pld_shape_text(left->shape, left->rank, found, sizeof found));
    }
    const int64_t kernel[2] = {shape->rank > 2 ? shape->size[2] : 1, shape->rank > 3 ? shape->size[3] : 1};
    *first = pld_weight_shape_of((int64_t[]){rows, columns}, 2);
    *second = pld_weight_shape_of((int64_t[]){shape->size[0] / rows, in / columns, kernel[0], kernel[1]}, 4);
    return PLD_OK;
}

static pld_status check_lokr(const pld_weight_change *change, const pld_weight_shape *shape,
                             pld_error *error) {
    pld_weight_shape first;
    pld_weight_shape second;
    PLD_TRY(kronecker_sizes(change, shape, &first, &second, error));
    if (!factor_of(change, PLD_LOKR_W1)) {
        PLD_TRY(check_pair(change, PLD_LOKR_W1_A, PLD_LOKR_W1_B, NULL, PLD_LOKR_W1, true, &first, error));
    }
    if (factor_of(change, PLD_LOKR_W2)) {
        return check_shape(change, PLD_LOKR_W2, 4, second.size, error);
    }
    const pld_stored_tensor *core = factor_of(change, PLD_LOKR_T2);
    return check_pair(change, PLD_LOKR_W2_A, PLD_LOKR_W2_B, core, PLD_LOKR_T2, !core, &second, error);
}

static pld_status check_difference(const pld_weight_change *change, const pld_weight_shape *shape,
                                   pld_error *error) {
    return factor_of(change, PLD_LORA_DIFFERENCE)
               ? check_shape(change, PLD_LORA_DIFFERENCE, shape->rank, shape->size, error)
               : PLD_OK;
}

/** The axis whose norms a magnitude sets, which its name says: PEFT's are of the outputs, LyCORIS' of the
 * outputs [out, 1, …] or of the inputs [1, in, …]. */
typedef struct magnitude {
    const pld_stored_tensor *tensor; /* NULL: none */
    pld_lora_factor factor;
    bool of_outputs;
} magnitude;

static magnitude magnitude_of(const pld_weight_change *change, const pld_weight_shape *shape) {
    magnitude m = {factor_of(change, PLD_LORA_OUTPUT_MAGNITUDE), PLD_LORA_OUTPUT_MAGNITUDE, true};
    if (!m.tensor) {
        m.tensor = factor_of(change, PLD_LORA_MAGNITUDE);
        m.factor = PLD_LORA_MAGNITUDE;
        m.of_outputs = m.tensor && (m.tensor->rank < 2 ||
                                    (m.tensor->shape[0] == shape->size[0] && m.tensor->shape[1] == 1));
    }
    return m;
}

/** All numbers of the tensor lie along one axis: [1, …, count, 1, …]. */
static bool is_vector(const pld_stored_tensor *tensor, int64_t count) {
    int axes = 0;
    bool fits = true;
    for (int i = 0; i < tensor->rank; i++) {
        axes += tensor->shape[i] != 1;
        fits = fits && (tensor->shape[i] == 1 || tensor->shape[i] == count);
    }
    return fits && axes == (count != 1);
}

static pld_status check_magnitude(const pld_weight_change *change, const pld_weight_shape *shape,
                                  pld_error *error) {
    const magnitude m = magnitude_of(change, shape);
    if (!m.tensor) {
        return PLD_OK;
    }
    if (shape->rank < 2) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: tensor '%s': a DoRA of a vector cannot be applied; expected a DoRA only of a "
                        "matrix or a convolution",
                        pld_tensor_file_path(pld_lora_file_tensors(change->file)), m.tensor->name);
    }
    if (m.factor == PLD_LORA_OUTPUT_MAGNITUDE && is_vector(m.tensor, shape->size[0])) {
        return PLD_OK;
    }
    return m.of_outputs ? check_shape(change, m.factor, 1, shape->size, error)
                        : check_shape(change, m.factor, 2, (int64_t[]){1, shape->size[1]}, error);
}

/** A stored factor as [rows, rest]. */
static pld_status load(const change_run *run, pld_lora_factor factor, matrix *m) {
    const pld_stored_tensor *tensor = factor_of(run->change, factor);
    const pld_weight weight = {.file = pld_lora_file_tensors(run->change->file), .tensor = tensor};
    PLD_TRY(pld_weight_all_values(run->backend, &weight, &m->data, run->error));
    m->rows = tensor->rank ? (size_t)tensor->shape[0] : 1;
    m->columns = tensor->bytes / pld_dtype_size(tensor->dtype) / m->rows;
    return PLD_OK;
}

static pld_status multiply(const change_run *run, const matrix *a, const matrix *b, bool accumulate,
                           float *out) {
    const pld_factor_product product = {a->data, b->data, a->rows, a->columns, b->columns, accumulate};
    return run->backend->functions->multiply(run->backend->device, &product, out, run->error);
}

/** Threads for a loop over so many numbers. */
static int threads_for(const change_run *run, size_t numbers) {
    enum { WORTH_A_THREAD = 1 << 15 };
    return numbers < WORTH_A_THREAD ? 1 : run->backend->threads;
}

/** out[o, i, k] = Σ_pq a[p, o] core[p, q, k] b[q, i]; with `a` as [o, p] where out_first. */
static void tucker(const matrix *a, const matrix *core, const matrix *b, bool out_first, size_t outs,
                   float *out) {
    const size_t r = b->rows;
    const size_t ins = b->columns;
    const size_t taps = core->columns / r;
    for (size_t o = 0; o < outs; o++) {
        for (size_t p = 0; p < r; p++) {
            const float left = out_first ? a->data[o * r + p] : a->data[p * outs + o];
            for (size_t q = 0; q < r; q++) {
                const float *kernel = core->data + (p * r + q) * taps;
                for (size_t i = 0; i < ins; i++) {
                    const float factor = left * b->data[q * ins + i];
                    for (size_t t = 0; t < taps; t++) {
                        out[(o * ins + i) * taps + t] += factor * kernel[t];
                    }
                }
            }
        }
    }
}

/** Leave of a factor [whole out, r] the rows that belong to the weight. */
static pld_status cut_factor(const change_run *run, matrix *m) {
    const size_t out = run->shape->out;
    float *cut = pld_allocate_aligned(out * m->columns, sizeof *cut);
    if (!cut) {
        return pld_fail_memory(run->error, out * m->columns * sizeof *cut, "LoRA");
    }
    for (size_t row = 0; row < out; row++) {
        memcpy(cut + row * m->columns, m->data + whole_row(run->change, row, out, m->rows) * m->columns,
               m->columns * sizeof *cut);
    }
    pld_free(m->data);
    *m = (matrix){cut, out, m->columns};
    return PLD_OK;
}

/** out[rows, …] = scale · (a b), added to it where `accumulate`; Tucker's form where there is a core. */
static pld_status product_of(const change_run *run, pld_lora_factor a, pld_lora_factor b,
                             pld_lora_factor core, size_t outs, size_t row, double scale, bool accumulate,
                             float *out) {
    matrix left = {0};
    matrix right = {0};
    matrix middle = {0};
    pld_status status = load(run, a, &left);
    status = status == PLD_OK ? load(run, b, &right) : status;
    if (status == PLD_OK && a == PLD_LORA_UP && run->change->rows.count > 0) {
        status = cut_factor(run, &left);
    }
    for (size_t i = 0; status == PLD_OK && scale != 1 && i < left.rows * left.columns; i++) {
        left.data[i] *= (float)scale;
    }
    if (status == PLD_OK && !factor_of(run->change, core)) {
        status = multiply(run, &left, &right, accumulate, out);
    } else if (status == PLD_OK && (status = load(run, core, &middle)) == PLD_OK) {
        if (!accumulate) {
            memset(out, 0, outs * row * sizeof *out);
        }
        tucker(&left, &middle, &right, core == PLD_LORA_MIDDLE, outs, out);
    }
    pld_free(left.data);
    pld_free(right.data);
    pld_free(middle.data);
    return status;
}

static pld_status add_lora(const change_run *run, double scale, float *values) {
    return product_of(run, PLD_LORA_UP, PLD_LORA_DOWN, PLD_LORA_MIDDLE, run->shape->out, run->shape->row,
                      scale, true, values);
}

static pld_status add_loha(const change_run *run, double scale, float *values) {
    const size_t count = run->shape->out * run->shape->row;
    float *both = pld_allocate_aligned(count, 2 * sizeof *both);
    if (!both) {
        return pld_fail_memory(run->error, 2 * count * sizeof *both, "LoHa");
    }
    pld_status status = product_of(run, PLD_LOHA_W1_A, PLD_LOHA_W1_B, PLD_LOHA_T1, run->shape->out,
                                   run->shape->row, scale, false, both);
    if (status == PLD_OK) {
        status = product_of(run, PLD_LOHA_W2_A, PLD_LOHA_W2_B, PLD_LOHA_T2, run->shape->out, run->shape->row,
                            1, false, both + count);
    }
    for (size_t i = 0; status == PLD_OK && i < count; i++) {
        values[i] += both[i] * both[count + i];
    }
    pld_free(both);
    return status;
}

/** One side of a Kronecker product: stored whole, or the product of its factors. */
static pld_status kronecker_side(const change_run *run, pld_lora_factor whole, pld_lora_factor a,
                                 pld_lora_factor b, pld_lora_factor core, const pld_weight_shape *size,
                                 float **side) {
    if (factor_of(run->change, whole)) {
        matrix m;
        pld_status status = load(run, whole, &m);
        *side = status == PLD_OK ? m.data : NULL;
        return status;
    }
    *side = pld_allocate_aligned(size->out * size->row, sizeof **side);
    if (!*side) {
        return pld_fail_memory(run->error, size->out * size->row * sizeof **side, "LoKr");
    }
    return product_of(run, a, b, core, size->out, size->row, 1, false, *side);
}

typedef struct kronecker_task {
    const pld_weight_shape *first, *second;
    const float *a, *b;
    float scale, *values;
} kronecker_task;

/** values[(o₁ o₂), (i₁ i₂), k] += scale · first[o₁, i₁] · second[o₂, i₂, k]; items are outputs. */
static void add_kronecker(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const kronecker_task *t = context;
    float *values = t->values + begin * t->first->row * t->second->row;
    for (size_t o = begin; o < end; o++) {
        const float *left = t->a + o / t->second->out * t->first->row;
        const float *right = t->b + o % t->second->out * t->second->row;
        for (size_t i = 0; i < t->first->row; i++) {
            const float factor = t->scale * left[i];
            for (size_t j = 0; j < t->second->row; j++) {
                *values++ += factor * right[j];
            }
        }
    }
}

static pld_status add_lokr(const change_run *run, double scale, float *values) {
    pld_weight_shape first;
    pld_weight_shape second;
    float *left = NULL;
    float *right = NULL;
    PLD_TRY(kronecker_sizes(run->change, run->shape, &first, &second, run->error));
    /* the first side is never in Tucker's form; a factor that no LoKr has stands for its core */
    pld_status status =
        kronecker_side(run, PLD_LOKR_W1, PLD_LOKR_W1_A, PLD_LOKR_W1_B, PLD_LOHA_T1, &first, &left);
    if (status == PLD_OK) {
        status = kronecker_side(run, PLD_LOKR_W2, PLD_LOKR_W2_A, PLD_LOKR_W2_B, PLD_LOKR_T2, &second, &right);
    }
    if (status == PLD_OK) {
        kronecker_task task = {&first, &second, left, right, (float)scale, values};
        pld_parallel_for(threads_for(run, run->shape->out * run->shape->row), run->shape->out, add_kronecker,
                         &task);
    }
    pld_free(left);
    pld_free(right);
    return status;
}

static pld_status add_stored(const change_run *run, pld_lora_factor factor, double scale, float *values) {
    matrix m = {0};
    if (!factor_of(run->change, factor)) {
        return PLD_OK;
    }
    PLD_TRY(load(run, factor, &m));
    for (size_t i = 0; i < m.rows * m.columns; i++) {
        values[i] += (float)scale * m.data[i];
    }
    pld_free(m.data);
    return PLD_OK;
}

static pld_status add_difference(const change_run *run, double scale, float *values) {
    return add_stored(run, PLD_LORA_DIFFERENCE, scale, values);
}

/** The kinds of change, in the order of pld_lora_kind. */
static const struct {
    pld_status (*check)(const pld_weight_change *change, const pld_weight_shape *shape, pld_error *error);
    /** values += scale · ΔW */
    pld_status (*add)(const change_run *run, double scale, float *values);
    size_t copies; /* of the values that it makes meanwhile */
} kinds[PLD_KIND_COUNT] = {
    [PLD_KIND_LORA] = {check_lora, add_lora, 0},
    [PLD_KIND_LOHA] = {check_loha, add_loha, 2},
    [PLD_KIND_LOKR] = {check_lokr, add_lokr, 1}, /* at most: sides that are stored whole */
    [PLD_KIND_DIFFERENCE] = {check_difference, add_difference, 1},
};

pld_status pld_weight_change_check(const pld_weight_change *change, const pld_weight_shape *shape,
                                   pld_error *error) {
    pld_weight_shape whole;
    PLD_TRY(whole_shape(change, shape, &whole, error));
    if (change->bias) {
        return check_shape(change, PLD_LORA_BIAS_DIFFERENCE, whole.rank, whole.size, error);
    }
    if (change->rows.count > 0 && pld_lora_module_has_magnitude(change->module)) {
        return pld_fail(
            error, PLD_ERROR_UNSUPPORTED,
            "%s: module '%.*s' is a DoRA of a fused matrix, which cannot be applied; expected a DoRA of "
            "to_q, to_k and to_v by themselves",
            pld_tensor_file_path(pld_lora_file_tensors(change->file)), change->module->name_length,
            change->module->name);
    }
    PLD_TRY(kinds[change->module->kind].check(change, &whole, error));
    return check_magnitude(change, shape, error);
}

typedef struct magnitude_task {
    const pld_weight_shape *shape;
    bool rows;         /* norms of rows, or of columns: inputs, all taps of each */
    size_t taps;       /* of an input */
    const float *want; /* [rows or columns] norms to be */
    double *norms;     /* [rows or columns] squared, then as they are */
    const float *before;
    float *values;
    double strength;
} magnitude_task;

/** Items are rows or columns, what norms are of. */
static void sum_squares(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const magnitude_task *t = context;
    const size_t row = t->shape->row;
    const size_t first_row = t->rows ? begin : 0, last_row = t->rows ? end : t->shape->out;
    const size_t first = t->rows ? 0 : begin * t->taps, last = t->rows ? row : end * t->taps;
    for (size_t o = first_row; o < last_row; o++) {
        for (size_t i = first; i < last; i++) {
            const double value = (double)t->values[o * row + i];
            t->norms[t->rows ? o : i / t->taps] += value * value;
        }
    }
}

/** Items are rows. */
static void scale_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const magnitude_task *t = context;
    const size_t row = t->shape->row;
    for (size_t o = begin; o < end; o++) {
        for (size_t i = 0; i < row; i++) {
            const size_t at = t->rows ? o : i / t->taps;
            float *value = &t->values[o * row + i];
            const double before = (double)t->before[o * row + i];
            const double wanted = t->norms[at] > 0 ? (double)*value * (double)t->want[at] / t->norms[at] : 0;
            *value = (float)(before + t->strength * (wanted - before));
        }
    }
}

/** values = W + ΔW → its rows or columns scaled to the stored norms; W in `before`; then strength between. */
static pld_status set_magnitude(const change_run *run, const float *before, float *values) {
    const pld_weight_shape *shape = run->shape;
    const magnitude from = magnitude_of(run->change, shape);
    matrix m = {0};
    PLD_TRY(load(run, from.factor, &m));
    const size_t count = m.rows * m.columns;
    double *norms = pld_allocate(count, sizeof *norms);
    if (!norms) {
        pld_free(m.data);
        return pld_fail_memory(run->error, count * sizeof *norms, "DoRA");
    }
    magnitude_task task = {.shape = shape,
                           .rows = from.of_outputs,
                           .taps = shape->row / (size_t)shape->size[1],
                           .want = m.data,
                           .norms = norms,
                           .before = before,
                           .values = values,
                           .strength = run->change->strength};
    const int threads = threads_for(run, shape->out * shape->row);
    pld_parallel_for(threads, count, sum_squares, &task);
    for (size_t i = 0; i < count; i++) {
        norms[i] = sqrt(norms[i]);
    }
    pld_parallel_for(threads, shape->out, scale_rows, &task);
    pld_free(norms);
    pld_free(m.data);
    return PLD_OK;
}

static pld_status apply_with_magnitude(const change_run *run, float *values) {
    const size_t count = run->shape->out * run->shape->row;
    float *before = pld_allocate_aligned(count, sizeof *before);
    if (!before) {
        return pld_fail_memory(run->error, count * sizeof *before, "DoRA");
    }
    memcpy(before, values, count * sizeof *before);
    pld_status status = kinds[run->change->module->kind].add(run, run->change->module->scale, values);
    if (status == PLD_OK) {
        status = set_magnitude(run, before, values);
    }
    pld_free(before);
    return status;
}

size_t pld_weight_change_room(const pld_weight_change *change, const pld_weight_shape *shape) {
    pld_weight_shape whole;
    if (whole_shape(change, shape, &whole, NULL) != PLD_OK) {
        return 0;
    }
    const size_t values = whole.out * whole.row * sizeof(float);
    const pld_lora_kind kind = change->module->kind;
    const bool whole_first = change->rows.count > 0 && (change->bias || kind != PLD_KIND_LORA);
    const size_t copies = (size_t)whole_first + (change->bias ? 1 : kinds[kind].copies) +
                          (pld_lora_module_has_magnitude(change->module) ? 1 : 0);
    return copies * values;
}

/** values += some rows of a change, all of which is made first. */
static pld_status apply_rows(const change_run *run, double strength, float *values) {
    const pld_weight_change *change = run->change;
    const size_t row = run->shape->row, out = run->shape->out;
    pld_weight_shape whole;
    PLD_TRY(whole_shape(change, run->shape, &whole, run->error));
    change_run all = *run;
    all.shape = &whole;
    float *made = pld_allocate_aligned(whole.out * row, sizeof *made);
    if (!made) {
        return pld_fail_memory(run->error, whole.out * row * sizeof *made, "LoRA");
    }
    memset(made, 0, whole.out * row * sizeof *made);
    const pld_status status = change->bias ? add_stored(&all, PLD_LORA_BIAS_DIFFERENCE, strength, made)
                                           : kinds[change->module->kind].add(&all, strength, made);
    for (size_t i = 0; status == PLD_OK && i < out; i++) {
        const float *from = made + whole_row(change, i, out, whole.out) * row;
        for (size_t j = 0; j < row; j++) {
            values[i * row + j] += from[j];
        }
    }
    pld_free(made);
    return status;
}

pld_status pld_weight_change_apply(const pld_weight_change *change, const pld_weight_shape *shape,
                                   const pld_weight_backend *backend, float *values, pld_error *error) {
    const change_run run = {change, shape, backend, error};
    const bool whole_first =
        change->rows.count > 0 && (change->bias || change->module->kind != PLD_KIND_LORA);
    if (whole_first) {
        return apply_rows(&run, change->bias ? change->strength : change->strength * change->module->scale,
                          values);
    }
    if (change->bias) {
        return add_stored(&run, PLD_LORA_BIAS_DIFFERENCE, change->strength, values);
    }
    if (pld_lora_module_has_magnitude(change->module)) {
        return apply_with_magnitude(&run, values);
    }
    return kinds[change->module->kind].add(&run, change->strength * change->module->scale, values);
}
