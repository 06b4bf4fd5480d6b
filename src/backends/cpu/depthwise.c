/* SPDX-License-Identifier: Apache-2.0 */
/** Convolutions with a filter for each channel. */
#include "kernels/depthwise.h"

#include "backends/cpu/operators.h"
#include "core/memory.h"

/** What pack_filters needs to know. */
typedef struct filters_request {
    const pld_kernels *kernels;
    int64_t channels, taps;
} filters_request;

/** [C, taps] → [taps, C] */
static pld_status pack_filters(const void *context, const pld_weight_reader *reader,
                               const pld_weight_reader *partner, void *packed, pld_error *error) {
    (void)partner;
    const filters_request *request = context;
    const size_t count = (size_t)(request->channels * request->taps);
    float *room = pld_allocate_aligned(count, sizeof *room);
    if (!room) {
        return pld_fail_memory(error, count * sizeof *room, "packing");
    }
    const pld_status status = pld_weight_reader_read(reader, 0, count, room, error);
    if (status == PLD_OK) {
        request->kernels->transpose(room, request->taps, request->channels, request->taps, packed,
                                    request->channels);
    }
    pld_free(room);
    return status;
}

static pld_status prepare_depthwise(pld_executable *e, const pld_operator *op, pld_error *error) {
    static const char layout[] = "filters";
    const filters_request request = {pld_cpu_kernels(e), pld_value_at(e, op->in)->channels,
                                     op->depthwise.side * op->depthwise.side};
    const pld_packing packing = {.layout = layout,
                                 .layout_size = sizeof layout,
                                 .bytes = (size_t)(request.channels * request.taps) * sizeof(float),
                                 .pack = pack_filters,
                                 .context = &request};
    PLD_TRY(pld_parameter_packed(op->depthwise.weight, &packing, &pld_cpu_operator_of(e, op)->packed, error));
    return pld_cpu_keep_bias(e, op, op->depthwise.bias, error);
}

static pld_status run_depthwise(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *x = pld_value_at(e, op->in);
    const pld_cpu_operator *own = pld_cpu_operator_of(e, op);
    const pld_depthwise problem = {.batch = x->batch,
                                   .height = x->height,
                                   .width = x->width,
                                   .channels = x->channels,
                                   .gated = op->depthwise.gated,
                                   .side = op->depthwise.side,
                                   .x = pld_cpu_data(e, op->in),
                                   .weights = own->packed.data,
                                   .bias = own->bias,
                                   .out = pld_cpu_data(e, op->out)};
    pld_depthwise_run(pld_cpu_kernels(e), &problem,
                      pld_cpu_threads_for(e, (size_t)x->batch * pld_item_floats(x)));
    return PLD_OK;
}

const pld_operator_code pld_cpu_depthwise = {prepare_depthwise, NULL, run_depthwise};
