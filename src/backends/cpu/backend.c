/* SPDX-License-Identifier: Apache-2.0 */
/* The CPU as a backend: its memory is the host's, so that nothing is copied that need not be. */
#include <string.h>

#include "backends/cpu/factor_product.h"
#include "backends/cpu/operators.h"
#include "backends/cpu/product.h"
#include "backends/cpu/rounded_values.h"
#include "backends/host_weights.h"
#include "core/memory.h"

/* ---- weights ---- */

static void to_f32(const void *device, pld_dtype dtype, const void *stored, size_t count, float *out) {
    const pld_cpu_device *cpu = device;
    pld_convert_to_f32(cpu->kernels, dtype, stored, count, out);
}

static pld_status multiply(const void *device, const pld_factor_product *product, float *out,
                           pld_error *error) {
    const pld_cpu_device *cpu = device;
    return pld_factor_product_run(product, cpu->kernels, cpu->device.threads, out, error);
}

static const pld_weight_functions weight_functions = {pld_host_allocate_weight, pld_host_free_weight, to_f32,
                                                      multiply};

/* ---- devices ---- */

static pld_status open_cpu(const pld_device_options *options, pld_device **device, pld_error *error) {
    *device = NULL;
    const pld_isa isa = options->isa ? pld_isa_from_name(options->isa) : PLD_ISA_BEST;
    if (isa == PLD_ISA_COUNT) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "isa: '%.60s' is not known", options->isa);
    }
    pld_cpu_device *made = pld_allocate(1, sizeof *made);
    if (!made) {
        return pld_fail_memory(error, sizeof *made, "device");
    }
    made->kernels = pld_kernels_get(isa);
    made->device = (pld_device){.backend = &pld_backend_cpu,
                                .weights = {&weight_functions, made, options->threads},
                                .threads = options->threads,
                                .prefers_bf16 = pld_isa_prefers_bf16(made->kernels->isa),
                                .prefers_split = pld_isa_prefers_split(made->kernels->isa)};
    *device = &made->device;
    return PLD_OK;
}

static void close_cpu(pld_device **device) {
    pld_free(*device);
    *device = NULL;
}

static bool allocate(pld_device *device, size_t bytes, void **memory) {
    (void)device;
    *memory = pld_allocate_aligned(bytes, 1);
    return *memory;
}

static void free_memory(pld_device *device, void *memory) {
    (void)device;
    pld_free(memory);
}

static void *map(pld_device *device, void *memory) {
    (void)device;
    return memory;
}

static pld_status write_numbers(pld_device *device, void *memory, const pld_transfer *to, const float *from,
                                pld_error *error) {
    (void)error;
    const pld_kernels *kernels = ((pld_cpu_device *)device)->kernels;
    float *numbers = (float *)memory + to->offset;
    if (to->order == PLD_CHANNEL_MAJOR) {
        kernels->nchw_to_nhwc(from, to->channels, to->tokens, numbers);
    } else {
        memcpy(numbers, from, (size_t)(to->tokens * to->channels) * sizeof *numbers);
    }
    return PLD_OK;
}

static pld_status read_numbers(pld_device *device, const void *memory, const pld_transfer *from, float *to,
                               pld_error *error) {
    (void)error;
    const pld_kernels *kernels = ((pld_cpu_device *)device)->kernels;
    const float *numbers = (const float *)memory + from->offset;
    if (from->order == PLD_CHANNEL_MAJOR) {
        kernels->nhwc_to_nchw(numbers, from->channels, from->tokens, to);
    } else {
        memcpy(to, numbers, (size_t)(from->tokens * from->channels) * sizeof *to);
    }
    return PLD_OK;
}

/* ---- executables ---- */

static pld_status begin(pld_executable *executable, pld_error *error) {
    const pld_plan *plan = executable->plan;
    pld_cpu_plan *own = executable->state = pld_allocate(1, sizeof *own);
    if (own) {
        own->operators = pld_allocate(plan->operator_count, sizeof *own->operators);
        own->rounded = pld_allocate(plan->value_count, sizeof *own->rounded);
        own->constants = pld_allocate(plan->constant_count, sizeof(float *));
    }
    return own && own->operators && own->rounded && own->constants
               ? PLD_OK
               : pld_fail_memory(error, plan->operator_count * sizeof *own->operators, "plan");
}

static void rest(pld_executable *executable) {
    pld_cpu_plan *own = executable->state;
    pld_free(own->spare);
    own->spare = NULL;
}

static void release_weights(pld_cpu_operator *own) {
    pld_parameter_release(own->packed.holder, own->packed.data);
    pld_parameter_release(own->weight_of, own->weight);
    pld_parameter_release(own->bias_of, own->bias);
}

static void end(pld_executable *executable) {
    const pld_plan *plan = executable->plan;
    pld_cpu_plan *own = executable->state;
    if (!own) {
        return;
    }
    for (size_t i = 0; own->operators && i < plan->operator_count; i++) {
        release_weights(&own->operators[i]);
    }
    for (size_t i = 0; own->constants && i < plan->constant_count; i++) {
        pld_free(own->constants[i]);
    }
    pld_free(own->operators);
    pld_free(own->rounded);
    pld_free(own->constants);
    pld_free(own->spare);
    pld_free(own);
    executable->state = NULL;
}

static const char *implementation(const pld_executable *executable, const pld_operator *op) {
    const pld_product_path *path = pld_cpu_operator_of(executable, op)->path;
    return path ? path->name : "";
}

static const pld_operator_code *const code[PLD_OPERATOR_KINDS] = {
    [PLD_OPERATOR_LINEAR] = &pld_cpu_product,
    [PLD_OPERATOR_CONV] = &pld_cpu_product,
    [PLD_OPERATOR_GROUP_NORM] = &pld_cpu_group_norm,
    [PLD_OPERATOR_GROUP_NORM_FACTORS] = &pld_cpu_group_norm_factors,
    [PLD_OPERATOR_LAYER_NORM] = &pld_cpu_token_norm,
    [PLD_OPERATOR_RMS_NORM] = &pld_cpu_token_norm,
    [PLD_OPERATOR_ROTATION] = &pld_cpu_rotation,
    [PLD_OPERATOR_ACTIVATION] = &pld_cpu_activation,
    [PLD_OPERATOR_GATE] = &pld_cpu_gate,
    [PLD_OPERATOR_GATED_ADD] = &pld_cpu_gated_add,
    [PLD_OPERATOR_ATTENTION] = &pld_cpu_attention,
    [PLD_OPERATOR_LINEAR_ATTENTION] = &pld_cpu_linear_attention,
    [PLD_OPERATOR_DEPTHWISE] = &pld_cpu_depthwise,
    [PLD_OPERATOR_CONCAT] = &pld_cpu_concat,
    [PLD_OPERATOR_CONCAT_TOKENS] = &pld_cpu_concat_tokens,
    [PLD_OPERATOR_PAD_TOKENS] = &pld_cpu_pad_tokens,
    [PLD_OPERATOR_UPSAMPLE] = &pld_cpu_upsample,
    [PLD_OPERATOR_COPY] = &pld_cpu_copy,
    [PLD_OPERATOR_COPY_ROWS] = &pld_cpu_copy_rows,
    [PLD_OPERATOR_JOIN_ROWS] = &pld_cpu_join_rows,
    [PLD_OPERATOR_TAKE] = &pld_cpu_take,
    [PLD_OPERATOR_TAKE_CHANNELS] = &pld_cpu_take_channels,
    [PLD_OPERATOR_PATCHIFY] = &pld_cpu_patchify,
    [PLD_OPERATOR_UNPATCHIFY] = &pld_cpu_unpatchify,
    [PLD_OPERATOR_PIXEL_SHUFFLE] = &pld_cpu_pixel_shuffle,
    [PLD_OPERATOR_PIXEL_UNSHUFFLE] = &pld_cpu_pixel_unshuffle,
    [PLD_OPERATOR_EMBED] = &pld_cpu_embed,
    [PLD_OPERATOR_TIMESTEP] = &pld_cpu_timestep,
    [PLD_OPERATOR_ADD_TABLE] = &pld_cpu_add_table,
    [PLD_OPERATOR_ADD_CONSTANT] = &pld_cpu_add_constant,
    [PLD_OPERATOR_ADD_MIDDLE] = &pld_cpu_add_middle,
    [PLD_OPERATOR_ADD_OUTSIDE] = &pld_cpu_add_outside,
    [PLD_OPERATOR_TAKE_OUTSIDE] = &pld_cpu_take_outside,
    [PLD_OPERATOR_RELATIVE_BIAS] = &pld_cpu_relative_bias,
    [PLD_OPERATOR_POOL] = &pld_cpu_pool,
    [PLD_OPERATOR_FREEU] = &pld_cpu_freeu,
    [PLD_OPERATOR_TAP] = &pld_cpu_tap,
};

const pld_backend pld_backend_cpu = {
    .name = "cpu",
    .open = open_cpu,
    .close = close_cpu,
    .allocate = allocate,
    .free = free_memory,
    .map = map,
    .write = write_numbers,
    .read = read_numbers,
    .begin = begin,
    .settle = pld_cpu_round_values,
    .rest = rest,
    .end = end,
    .code = code,
    .implementation = implementation,
};
