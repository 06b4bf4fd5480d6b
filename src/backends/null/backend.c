/* SPDX-License-Identifier: Apache-2.0 */
/* Memory and devices of the backend that holds none. */
#include "backends/host_weights.h"
#include "backends/null/check.h"
#include "core/memory.h"

static void to_f32(const void *device, pld_dtype dtype, const void *stored, size_t count, float *out) {
    (void)device;
    const size_t size =
        pld_dtype_size(dtype) / pld_dtype_block(dtype); /* values of blocks are no numbers here */
    for (size_t i = 0; i < count; i++) {
        out[i] = (float)pld_dtype_value(dtype, (const char *)stored + i * size);
    }
}

/** Nothing that this backend does asks for products. */
static pld_status multiply(const void *device, const pld_factor_product *product, float *out,
                           pld_error *error) {
    (void)device;
    (void)product;
    (void)out;
    return pld_fail(error, PLD_ERROR_UNSUPPORTED, "this backend computes nothing");
}

static const pld_weight_functions weight_functions = {pld_host_allocate_weight, pld_host_free_weight, to_f32,
                                                      multiply};

static pld_status open_null(const pld_device_options *options, pld_device **device, pld_error *error) {
    pld_null_device *made = pld_allocate(1, sizeof *made);
    *device = NULL;
    if (!made) {
        return pld_fail_memory(error, sizeof *made, "device");
    }
    made->device = (pld_device){.backend = &pld_backend_null,
                                .weights = {&weight_functions, made, options->threads},
                                .threads = options->threads};
    *device = &made->device;
    return PLD_OK;
}

static void close_null(pld_device **device) {
    pld_free(*device);
    *device = NULL;
}

static bool allocate(pld_device *device, size_t bytes, void **memory) {
    (void)device;
    (void)bytes;
    *memory = NULL;
    return true;
}

static void free_memory(pld_device *device, void *memory) {
    (void)device;
    (void)memory;
}

static void *map(pld_device *device, void *memory) {
    (void)device;
    return memory;
}

static pld_status write_numbers(pld_device *device, void *memory, const pld_transfer *to, const float *from,
                                pld_error *error) {
    (void)device;
    (void)memory;
    (void)to;
    (void)from;
    (void)error;
    return PLD_OK;
}

/** There are no results: what is read stays as it is. */
static pld_status read_numbers(pld_device *device, const void *memory, const pld_transfer *from, float *to,
                               pld_error *error) {
    (void)device;
    (void)memory;
    (void)from;
    (void)to;
    (void)error;
    return PLD_OK;
}

static void end(pld_executable *executable) {
    pld_null_plan *own = executable->state;
    if (own) {
        pld_free(own->lives);
        pld_free(own->written);
        pld_free(own);
        executable->state = NULL;
    }
}

static const char *implementation(const pld_executable *executable, const pld_operator *op) {
    (void)executable;
    (void)op;
    return "";
}

pld_null_counts pld_null_counts_of(const pld_device *device) {
    return ((const pld_null_device *)device)->counts;
}

/* Every kind is checked alike. */
static const pld_operator_code check = {NULL, NULL, pld_null_run};
static const pld_operator_code *const code[PLD_OPERATOR_KINDS] = {
    [PLD_OPERATOR_LINEAR] = &check,        [PLD_OPERATOR_CONV] = &check,
    [PLD_OPERATOR_GROUP_NORM] = &check,    [PLD_OPERATOR_GROUP_NORM_FACTORS] = &check,
    [PLD_OPERATOR_LAYER_NORM] = &check,    [PLD_OPERATOR_RMS_NORM] = &check,
    [PLD_OPERATOR_ROTATION] = &check,      [PLD_OPERATOR_ACTIVATION] = &check,
    [PLD_OPERATOR_GATE] = &check,          [PLD_OPERATOR_GATED_ADD] = &check,
    [PLD_OPERATOR_ATTENTION] = &check,     [PLD_OPERATOR_CONCAT] = &check,
    [PLD_OPERATOR_UPSAMPLE] = &check,      [PLD_OPERATOR_COPY] = &check,
    [PLD_OPERATOR_COPY_ROWS] = &check,     [PLD_OPERATOR_TAKE] = &check,
    [PLD_OPERATOR_PATCHIFY] = &check,      [PLD_OPERATOR_UNPATCHIFY] = &check,
    [PLD_OPERATOR_EMBED] = &check,         [PLD_OPERATOR_TIMESTEP] = &check,
    [PLD_OPERATOR_ADD_TABLE] = &check,     [PLD_OPERATOR_ADD_CONSTANT] = &check,
    [PLD_OPERATOR_ADD_OUTSIDE] = &check,   [PLD_OPERATOR_RELATIVE_BIAS] = &check,
    [PLD_OPERATOR_POOL] = &check,          [PLD_OPERATOR_FREEU] = &check,
    [PLD_OPERATOR_TAP] = &check,           [PLD_OPERATOR_LINEAR_ATTENTION] = &check,
    [PLD_OPERATOR_DEPTHWISE] = &check,     [PLD_OPERATOR_TAKE_CHANNELS] = &check,
    [PLD_OPERATOR_PIXEL_SHUFFLE] = &check, [PLD_OPERATOR_PIXEL_UNSHUFFLE] = &check,
    [PLD_OPERATOR_CONCAT_TOKENS] = &check, [PLD_OPERATOR_TAKE_OUTSIDE] = &check,
    [PLD_OPERATOR_ADD_MIDDLE] = &check,    [PLD_OPERATOR_JOIN_ROWS] = &check,
    [PLD_OPERATOR_PAD_TOKENS] = &check,
};

const pld_backend pld_backend_null = {
    .name = "null",
    .open = open_null,
    .close = close_null,
    .allocate = allocate,
    .free = free_memory,
    .map = map,
    .write = write_numbers,
    .read = read_numbers,
    .begin = pld_null_begin,
    .end = end,
    .code = code,
    .implementation = implementation,
};
