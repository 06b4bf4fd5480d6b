/* SPDX-License-Identifier: Apache-2.0 */
/** Linear layers and convolutions with bfloat16 operands, under e->settings.bf16, and with split ones,
 * under e->settings.split: the two paths differ in what they accept and in the type of the panels. */
#include "kernels/convolution.h"

#include "backends/cpu/product.h"

/** A linear layer whose weights are kept in blocks, of which bfloat16 would take two to six times the memory. */
static bool keeps_blocks(const pld_operator *op) {
    return op->product.problem.kernel == 0 && op->product.weight &&
           pld_panels_scaled(pld_parameter_kept_dtype(op->product.weight)) &&
           pld_product_stored_panels(op).type == PLD_PANEL_STORED;
}

bool pld_product_takes_bf16(const pld_product_settings *settings, const pld_operator *op) {
    enum { FEWEST = 8 };
    const pld_product_problem *p = &op->product.problem;
    const bool few = p->in_channels < FEWEST || p->out_channels < FEWEST;
    return settings->bf16 && !op->product.f32 && p->height * p->width > 1 && !(p->kernel > 1 && few) &&
           !keeps_blocks(op);
}

static bool kernel_fits(const pld_executable *e, const pld_product_problem *p) {
    return p->kernel * p->kernel <= PLD_CONVOLUTION_MOST_TAPS &&
           !(p->kernel > 1 && e->settings.conv == PLD_CONV_WINOGRAD);
}

static bool accepts_bf16(const pld_executable *e, const pld_operator *op) {
    const pld_product_problem *p = &op->product.problem;
    return pld_product_takes_bf16(&e->settings, op) && kernel_fits(e, p) &&
           (p->kernel <= 1 || !pld_product_winograd.accepts(e, op));
}

/** What the type leaves to float32, but for single tokens and few channels, which are little work. */
static bool accepts_split(const pld_executable *e, const pld_operator *op) {
    enum { FEWEST = 16 };
    const pld_product_problem *p = &op->product.problem;
    return e->settings.split && p->height * p->width > 1 && p->in_channels >= FEWEST && kernel_fits(e, p) &&
           !keeps_blocks(op);
}

static pld_convolution convolution_of(const pld_executable *e, const pld_operator *op) {
    const pld_product_problem *p = &op->product.problem;
    const bool split = pld_cpu_operator_of(e, op)->path == &pld_product_split;
    const pld_panels weights = {.type = split ? PLD_PANEL_SPLIT : PLD_PANEL_PAIRS,
                                .columns = p->out_channels,
                                .depth = p->in_channels,
                                .taps = p->kernel ? p->kernel * p->kernel : 1,
                                .halves = op->product.glu.on};
    if (p->kernel == 0) {
        /* rows of all pictures are one, unless each picture has a gate of its own */
        const int64_t pictures = op->product.gate.value == PLD_NO_VALUE ? 1 : p->batch;
        const int64_t rows = p->batch * p->height * p->width / pictures;
        return (pld_convolution){.weights = weights,
                                 .gating = pld_product_gating(op),
                                 .from_pairs = pld_cpu_is_rounded(e, op->in),
                                 .to_pairs = pld_cpu_is_rounded(e, op->out),
                                 .kernel = 1,
                                 .stride = 1,
                                 .batch = pictures,
                                 .height = rows,
                                 .width = 1,
                                 .out_height = rows,
                                 .out_width = 1,
                                 .source_height = rows,
                                 .source_width = 1};
    }
    const pld_value *source = pld_value_at(e, op->in);
    return (pld_convolution){.weights = weights,
                             .kernel = p->kernel,
                             .stride = p->stride,
                             .pad_before = p->pad_before,
                             .batch = p->batch,
                             .height = p->height,
                             .width = p->width,
                             .out_height = p->out_height,
                             .out_width = p->out_width,
                             .source_height = source->height,
                             .source_width = source->width,
                             .input = pld_product_input(op)};
}

static int threads_of(const pld_executable *e, const pld_convolution *conv) {
    const double work = (double)(conv->batch * conv->out_height * conv->out_width) *
                        (double)conv->weights.columns * (double)(conv->weights.depth * conv->weights.taps);
    return pld_product_threads(e, work);
}

static pld_status prepare(pld_executable *e, const pld_operator *op, pld_error *error) {
    const pld_convolution conv = convolution_of(e, op);
    return pld_product_pack(e, op, &conv.weights, error);
}

static size_t scratch(const pld_executable *e, const pld_operator *op) {
    const pld_convolution conv = convolution_of(e, op);
    return pld_convolution_scratch(pld_cpu_kernels(e), &conv, threads_of(e, &conv));
}

static pld_status run_pairs(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    const pld_convolution conv = convolution_of(e, op);
    const pld_convolution_operands operands = pld_product_operands(e, op);
    pld_convolution_run(pld_cpu_kernels(e), &conv, threads_of(e, &conv), &operands);
    return PLD_OK;
}

const pld_product_path pld_product_bf16 = {"bf16", false, accepts_bf16, prepare, scratch, run_pairs};
const pld_product_path pld_product_split = {"split", false, accepts_split, prepare, scratch, run_pairs};
