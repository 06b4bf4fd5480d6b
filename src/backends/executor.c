/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/executor.h"

#include <string.h>

#include "core/cancel.h"
#include "core/memory.h"
#include "nn/read_ahead.h"

static const pld_backend *backend_of(const pld_executable *executable) {
    return executable->device->backend;
}

static const char *const type_names[PLD_PRODUCT_TYPES] = {"f32", "bf16", "int8"};

bool pld_product_type_from_name(const char *name, const pld_device *device, pld_product_type *type) {
    if (!name || strcmp(name, "auto") == 0) {
        *type = device->prefers_bf16 ? PLD_PRODUCT_BF16 : PLD_PRODUCT_F32;
        return true;
    }
    for (int i = 0; i < PLD_PRODUCT_TYPES; i++) {
        if (strcmp(name, type_names[i]) == 0) {
            *type = (pld_product_type)i;
            return true;
        }
    }
    return false;
}

const char *pld_product_type_name(pld_product_type type) {
    return type_names[type];
}

void pld_product_settings_set_type(pld_product_settings *settings, const pld_device *device,
                                   pld_product_type type, pld_product_role role) {
    const bool bf16 = type == PLD_PRODUCT_BF16 || (type == PLD_PRODUCT_INT8 && device->prefers_bf16);
    settings->bf16 = bf16 && role != PLD_PRODUCTS_OF_TEXT;
    settings->split = bf16 && device->prefers_split;
    settings->int8 = type == PLD_PRODUCT_INT8 && role == PLD_PRODUCTS_OF_DENOISER;
}

static pld_status check_cancel(const pld_run *run, pld_error *error) {
    return pld_cancel_requested(run->cancel) ? pld_fail(error, PLD_ERROR_CANCELLED, "cancelled") : PLD_OK;
}

/* ---- what profiles say ---- */

/** Lengths of the texts of the rows for which an operator's output stands, in `of_row`. */
static pld_text_lengths texts_of(const pld_run *run, const pld_operator *op,
                                 int64_t of_row[PLD_BRANCH_COUNT]) {
    const pld_value *out = op->out == PLD_NO_VALUE ? NULL : &run->plan->values[op->out];
    const int64_t rows = !out ? 0 : out->groups.count ? out->groups.rows : out->batch;
    if (!run->contexts || rows > PLD_BRANCH_COUNT) {
        return (pld_text_lengths){NULL};
    }
    for (int64_t row = 0; row < rows; row++) {
        of_row[row] = run->contexts[row]->tokens;
    }
    return (pld_text_lengths){of_row};
}

const char *pld_run_operator_shape(const pld_run *run, const pld_operator *op, char *text, size_t size) {
    int64_t of_row[PLD_BRANCH_COUNT];
    return pld_operator_shape(run->plan, op, texts_of(run, op, of_row), text, size);
}

double pld_run_operator_work(const pld_run *run, const pld_operator *op) {
    int64_t of_row[PLD_BRANCH_COUNT];
    return pld_operator_work(run->plan, op, texts_of(run, op, of_row));
}

const char *pld_operator_implementation(const pld_plan *plan, const pld_operator *op) {
    const pld_executable *executable = plan->executable;
    return executable ? backend_of(executable)->implementation(executable, op) : "";
}

static void note_operator(const pld_run *run, const pld_operator *op, pld_profile_level level, double begin) {
    int64_t of_row[PLD_BRANCH_COUNT];
    if (run->profile) {
        const pld_profiled_operator what = {run->plan, op, texts_of(run, op, of_row),
                                            pld_operator_implementation(run->plan, op)};
        pld_profile_end_operator(run->profile, &what, level, begin);
    }
}

/* ---- preparing ---- */

static pld_status prepare_operators(const pld_run *run, pld_executable *executable, pld_error *error) {
    const pld_plan *plan = run->plan;
    const pld_backend *backend = backend_of(executable);
    for (size_t i = 0; i < plan->operator_count; i++) {
        const pld_operator *op = &plan->operators[i];
        PLD_TRY(check_cancel(run, error));
        if (backend->code[op->kind]->prepare) {
            const double begin = pld_profile_now(run->profile);
            PLD_TRY(backend->code[op->kind]->prepare(executable, op, error));
            note_operator(run, op, PLD_PROFILE_PREPARE, begin);
        }
    }
    if (backend->settle) {
        backend->settle(executable);
    }
    for (size_t i = 0; i < plan->operator_count; i++) {
        const pld_operator *op = &plan->operators[i];
        const pld_operator_code *code = backend->code[op->kind];
        const size_t bytes = code->scratch ? code->scratch(executable, op) : 0;
        executable->scratch_bytes = bytes > executable->scratch_bytes ? bytes : executable->scratch_bytes;
    }
    return PLD_OK;
}

static void free_memory(pld_executable *executable) {
    backend_of(executable)->free(executable->device, executable->memory);
    executable->memory = NULL;
    executable->held_bytes = 0;
    executable->awake = false;
}

static void release(pld_plan *plan) {
    pld_executable *executable = plan->executable;
    pld_read_ahead_leave(executable->read_ahead, &executable->stretches);
    free_memory(executable);
    backend_of(executable)->end(executable);
    pld_stretches_free(&executable->stretches);
    pld_free(executable);
    plan->executable = NULL;
}

pld_status pld_keep_packed(pld_executable *executable, const pld_operator *op, pld_parameter *parameter,
                           const pld_packing *packing, pld_packed *place, pld_error *error) {
    if (!executable->read_ahead) {
        return pld_parameter_packed(parameter, packing, place, error);
    }
    const size_t index = (size_t)(op - executable->plan->operators);
    return pld_stretches_add(&executable->stretches, index, parameter, packing, place, error);
}

pld_stretches_need pld_plan_weights_need(const pld_plan *plan) {
    return pld_stretches_need_of(&plan->executable->stretches);
}

pld_stretches_share pld_plan_weights_share(const pld_plan *plan) {
    return pld_stretches_share_of(&plan->executable->stretches);
}

pld_status pld_plan_settle(pld_plan *plan, uint64_t room, bool all_streamed, pld_error *error) {
    pld_executable *executable = plan->executable;
    PLD_TRY(pld_stretches_settle(&executable->stretches, room, all_streamed, error));
    return pld_read_ahead_reserve(executable->read_ahead, executable->stretches.ahead, error);
}

pld_status pld_plan_choose(pld_run *run, pld_error *error) {
    pld_plan *plan = run->plan;
    if (plan->executable) {
        release(plan);
    }
    if (plan->memory_floats == 0) {
        PLD_TRY(pld_plan_layout(plan, error));
    }
    pld_executable *executable = pld_allocate(1, sizeof *executable);
    if (!executable) {
        return pld_fail_memory(error, sizeof *executable, "plan");
    }
    *executable = (pld_executable){.plan = plan,
                                   .device = run->device,
                                   .settings = run->settings,
                                   .context_tokens = run->context_tokens,
                                   .context_zero_keys = run->context_zero_keys,
                                   .run = run,
                                   .spare = run->spare,
                                   .read_ahead = run->read_ahead};
    plan->executable = executable;
    plan->release = release;
    PLD_TRY(backend_of(executable)->begin(executable, error));
    PLD_TRY(prepare_operators(run, executable, error));
    executable->run = NULL;
    return PLD_OK;
}

pld_status pld_plan_prepare(pld_run *run, pld_error *error) {
    PLD_TRY(pld_plan_choose(run, error));
    PLD_TRY(run->read_ahead ? pld_plan_settle(run->plan, 0, true, error) : PLD_OK);
    return pld_plan_wake(run->plan, error);
}

/* ---- memory ---- */

size_t pld_plan_memory_bytes(const pld_plan *plan) {
    return plan->memory_floats * sizeof(float) + (plan->executable ? plan->executable->scratch_bytes : 0);
}

void pld_spare_memory_free(pld_spare_memory *spare) {
    if (spare->memory) {
        spare->device->backend->free(spare->device, spare->memory);
    }
    *spare = (pld_spare_memory){0};
}

/** The spare memory, if it is large enough; one that is not makes room. */
static void take_spare(pld_executable *executable, size_t wanted) {
    pld_spare_memory *spare = executable->spare;
    if (spare->bytes < wanted) {
        pld_spare_memory_free(spare);
    }
    executable->memory = spare->memory;
    executable->held_bytes = spare->bytes;
    *spare = (pld_spare_memory){0};
}

/** Bytes of values and scratch, and of values alone; false when they cannot be addressed. */
static bool count_bytes(const pld_executable *executable, size_t *values, size_t *bytes) {
    if (!pld_multiply(executable->plan->memory_floats, sizeof(float), values) || *values > SIZE_MAX / 2 ||
        executable->scratch_bytes > SIZE_MAX / 4) {
        return false;
    }
    *values = (*values + PLD_ALIGNMENT - 1) / PLD_ALIGNMENT * PLD_ALIGNMENT;
    *bytes = *values + executable->scratch_bytes;
    return true;
}

/** Where memory is counted, it counts from the beginning, and not little by little as it is written first. */
static void touch(const pld_executable *executable) {
    void *memory = executable->read_ahead && executable->memory
                       ? backend_of(executable)->map(executable->device, executable->memory)
                       : NULL;
    if (memory) {
        memset(memory, 0, executable->held_bytes);
    }
}

pld_status pld_plan_wake(pld_plan *plan, pld_error *error) {
    pld_executable *executable = plan->executable;
    size_t bytes = 0;
    if (executable->awake) {
        return PLD_OK;
    }
    bool fits = count_bytes(executable, &executable->value_bytes, &bytes);
    if (fits && executable->spare) {
        take_spare(executable, bytes);
    }
    if (fits && !executable->memory) {
        fits = backend_of(executable)->allocate(executable->device, bytes, &executable->memory);
        executable->held_bytes = bytes;
        touch(executable);
    }
    executable->awake = fits;
    return fits ? PLD_OK : pld_fail_memory(error, pld_plan_memory_bytes(plan), "buffers of the network");
}

void pld_plan_rest(pld_plan *plan) {
    enum { WORTH_FREEING = 32 << 20 }; /* smaller buffers cost more to get again than they are worth */
    pld_executable *executable = plan->executable;
    if (!executable || !executable->awake || pld_plan_memory_bytes(plan) < WORTH_FREEING) {
        return;
    }
    pld_spare_memory left = {executable->device, executable->memory, executable->held_bytes};
    if (executable->spare && executable->spare->bytes < left.bytes) {
        const pld_spare_memory former = *executable->spare;
        *executable->spare = left;
        left = former;
    }
    pld_spare_memory_free(&left);
    executable->memory = NULL;
    executable->held_bytes = 0;
    executable->awake = false;
    if (backend_of(executable)->rest) {
        backend_of(executable)->rest(executable);
    }
}

/* ---- running ---- */

/** Whether operator `index` runs with the next of the streamed weights, the `taken`th. */
static bool wants_streamed(const pld_executable *executable, size_t index, size_t taken) {
    const pld_stretches *stretches = &executable->stretches;
    return taken < stretches->streamed_count && stretches->items[stretches->streamed[taken]].op == index;
}

static pld_status run_with_streamed(pld_executable *executable, const pld_operator *op, pld_error *error) {
    PLD_TRY(pld_read_ahead_take(executable->read_ahead, executable->run->cancel, error));
    const pld_status status = backend_of(executable)->code[op->kind]->run(executable, op, error);
    pld_read_ahead_give(executable->read_ahead);
    return status;
}

static pld_status run_operators(const pld_run *run, pld_executable *executable, pld_error *error) {
    const pld_backend *backend = backend_of(executable);
    size_t taken = 0;
    PLD_TRY(executable->read_ahead
                ? pld_read_ahead_begin(executable->read_ahead, &executable->stretches, error)
                : PLD_OK);
    for (size_t i = 0; i < run->plan->operator_count; i++) {
        PLD_TRY(check_cancel(run, error));
        const pld_operator *op = &run->plan->operators[i];
        const double begin = pld_profile_now(run->profile);
        if (wants_streamed(executable, i, taken)) {
            taken++;
            PLD_TRY(run_with_streamed(executable, op, error));
        } else {
            PLD_TRY(backend->code[op->kind]->run(executable, op, error));
        }
        note_operator(run, op, PLD_PROFILE_OPERATOR, begin);
    }
    return backend->finish ? backend->finish(executable->device, error) : PLD_OK;
}

pld_status pld_plan_run(pld_run *run, pld_error *error) {
    const char *name = run->plan->name ? run->plan->name : "";
    const double begin = pld_profile_now(run->profile);
    pld_executable *executable = run->plan->executable;
    executable->run = run;
    pld_status status = run_operators(run, executable, error);
    executable->run = NULL;
    pld_profile_end(run->profile, PLD_PROFILE_NETWORK, name, name, begin);
    return status;
}

/* ---- numbers in and out ---- */

static pld_transfer transfer_of(const pld_plan *plan, pld_value_id id, int64_t item, pld_number_order order) {
    const pld_value *value = &plan->values[id];
    const int64_t tokens = value->height * value->width;
    return (pld_transfer){value->offset + (size_t)(item * tokens * value->channels), tokens, value->channels,
                          order};
}

pld_status pld_plan_write(const pld_plan *plan, pld_value_id id, int64_t item, pld_number_order order,
                          const float *from, pld_error *error) {
    const pld_executable *executable = plan->executable;
    const pld_transfer to = transfer_of(plan, id, item, order);
    return backend_of(executable)->write(executable->device, executable->memory, &to, from, error);
}

pld_status pld_plan_read(const pld_plan *plan, pld_value_id id, int64_t item, pld_number_order order,
                         float *to, pld_error *error) {
    const pld_executable *executable = plan->executable;
    const pld_transfer from = transfer_of(plan, id, item, order);
    return backend_of(executable)->read(executable->device, executable->memory, &from, to, error);
}

float *pld_plan_map(const pld_plan *plan, pld_value_id id) {
    const pld_executable *executable = plan->executable;
    float *memory = backend_of(executable)->map(executable->device, executable->memory);
    return memory ? memory + plan->values[id].offset : NULL;
}
