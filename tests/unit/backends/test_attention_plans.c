/* SPDX-License-Identifier: Apache-2.0 */
/* Attentions as networks describe them, and what stands around them in transformers, as small plans on the CPU against
 * their definitions in double. Bounds: those of checkasm for attention (1e-5 of values up to 1, twice that for λ = 2);
 * 1e-5 of numbers of order one for norms, rotations and products; 2^-7 of a product's size with operands in bfloat16. */
#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backends/executor.h"
#include "core/memory.h"
#include "nn/build.h"
#include "oracle.h"
#include "temporary_folder.h"

enum {
    BATCH = 2,
    HEIGHT = 5,
    WIDTH = 7,
    TOKENS = HEIGHT * WIDTH,
    HEADS = 4,
    HEAD = 8,
    CHANNELS = HEADS * HEAD
};

static pld_device *device;

static void check(pld_status status, const pld_error *error) {
    if (status != PLD_OK) {
        fail_msg("%s", error->message);
    }
}

/** Numbers in ±size that depend on nothing but how many were drawn before. */
static void fill(float *numbers, size_t count, float size) {
    static uint32_t drawn = 1;
    for (size_t i = 0; i < count; i++) {
        drawn = drawn * 1664525U + 1013904223U;
        numbers[i] = size * ((float)(drawn >> 8) / 8388608.0F - 1);
    }
}

static float *fill_value(const pld_plan *plan, pld_value_id id, float size) {
    float *numbers = pld_plan_map(plan, id);
    fill(numbers, pld_value_floats(&plan->values[id]), size);
    return numbers;
}

static void check_near(const char *what, const float *found, const double *expected, size_t count,
                       double bound) {
    for (size_t i = 0; i < count; i++) {
        if (!(fabs((double)found[i] - expected[i]) <= bound)) {
            fail_msg("%s: number %zu is %.9g, not %.9g", what, i, (double)found[i], expected[i]);
        }
    }
}

/* ---- attention ---- */

typedef struct attention_case {
    const char *what;
    pld_attention_description as; /* without its values */
    int64_t keys;                 /* 0: those of the queries' tokens */
    bool bias, mask, pladis;
} attention_case;

static const attention_case cases[] = {
    {.what = "self", .as = {.kind = PLD_SITE_SELF}, .pladis = true}, /* which PLADIS leaves as it is */
    {.what = "grouped heads", .as = {.kind = PLD_SITE_SELF, .key_heads = 2}},
    {.what = "scale", .as = {.kind = PLD_SITE_SELF, .scale = 0.7F}},
    {.what = "soft cap", .as = {.kind = PLD_SITE_SELF, .soft_cap = 1.5F}},
    {.what = "causal", .as = {.kind = PLD_SITE_SELF, .causal = true}},
    {.what = "window",
     .as = {.kind = PLD_SITE_SELF, .causal = true, .window = 4, .soft_cap = 3, .key_heads = 1}},
    {.what = "causal, valid keys",
     .as = {.kind = PLD_SITE_SELF, .causal = true, .valid_keys = 9, .key_heads = 2}},
    {.what = "relative bias", .as = {.kind = PLD_SITE_SELF, .scale = 1}, .bias = true},
    {.what = "causal with a bias", .as = {.kind = PLD_SITE_SELF, .causal = true}, .bias = true, .mask = true},
    {.what = "mask", .as = {.kind = PLD_SITE_SELF}, .mask = true},
    {.what = "valid keys", .as = {.kind = PLD_SITE_SELF, .valid_keys = 9}},
    {.what = "zero keys", .as = {.kind = PLD_SITE_SELF, .zero_keys = 11}},
    {.what = "cross", .as = {.kind = PLD_SITE_CROSS}, .keys = 13},
    {.what = "cross, pladis", .as = {.kind = PLD_SITE_CROSS, .key_heads = 2}, .keys = 13, .pladis = true},
    {.what = "cross, pladis, masked",
     .as = {.kind = PLD_SITE_CROSS, .soft_cap = 2},
     .keys = 13,
     .mask = true,
     .pladis = true},
    {.what = "cross, pladis, valid keys",
     .as = {.kind = PLD_SITE_CROSS, .valid_keys = 6},
     .keys = 13,
     .pladis = true},
    {.what = "cross, pladis, zero keys",
     .as = {.kind = PLD_SITE_CROSS, .zero_keys = 7},
     .keys = 13,
     .pladis = true},
    {.what = "joint", .as = {.kind = PLD_SITE_JOINT, .text_tokens = 6, .image_columns = 1}},
    {.what = "joint, pladis, text first",
     .as = {.kind = PLD_SITE_JOINT, .text_tokens = 6, .image_columns = 1},
     .pladis = true},
    {.what = "joint, pladis, text last",
     .as = {.kind = PLD_SITE_JOINT,
            .text_tokens = 6,
            .image_columns = 1,
            .first_text_token = TOKENS - 6,
            .key_heads = 2},
     .pladis = true},
    {.what = "joint, pladis, masked",
     .as = {.kind = PLD_SITE_JOINT, .text_tokens = 9, .image_columns = 1},
     .mask = true,
     .pladis = true},
};

/** What the description means, in the words of the public interface: sizes and rules. */
static pld_attention_problem problem_of(const pld_attention_description *as, int64_t keys, bool pladis) {
    const int key_heads = as->key_heads ? as->key_heads : HEADS;
    pld_attention_problem p;
    pld_attention_problem_init(&p, sizeof p);
    p.batch = BATCH;
    p.heads = HEADS;
    p.key_heads = key_heads;
    p.head_size = HEAD;
    p.query_count = TOKENS;
    p.key_count = as->valid_keys ? as->valid_keys : keys;
    p.query_batch_stride = (int64_t)TOKENS * CHANNELS;
    p.key_batch_stride = p.value_batch_stride = keys * key_heads * HEAD;
    p.query_token_stride = CHANNELS;
    p.key_token_stride = p.value_token_stride = (int64_t)key_heads * HEAD;
    p.query_head_stride = p.key_head_stride = p.value_head_stride = HEAD;
    p.causal = as->causal;
    p.window = as->window;
    p.scale = as->scale;
    p.soft_cap = as->soft_cap;
    p.zero_keys = as->zero_keys;
    if (pladis && as->kind != PLD_SITE_SELF) {
        p.rows = PLD_ROWS_PLADIS;
        p.lambda = 2;
        p.alpha = 1.5F;
    }
    if (as->kind == PLD_SITE_JOINT) {
        p.joint_text_keys = as->text_tokens;
        p.joint_first_text_key = as->first_text_token;
        p.joint_first_image_query = as->first_text_token ? 0 : as->text_tokens;
        p.joint_image_queries = TOKENS - as->text_tokens;
    }
    return p;
}

static void put_pladis(const pld_plan *plan, pld_variant_table *table) {
    const pld_pladis_request request = {.lambda = 2, .alpha = 1.5, .blocks = "all"};
    pld_error error = {0};
    int sites = 0;
    check(pld_variant_table_init(table, plan->sites, plan->site_count, &error), &error);
    (void)pld_variant_table_add_pladis(table, &request, &sites, NULL); /* a plan may have no site for it */
}

/** Prepare, fill what is read, run; `keys` are the numbers of the case's keys, masks and so on. */
static void run_case(const attention_case *c) {
    static const pld_branch branches[BATCH] = {PLD_BRANCH_UNCONDITIONAL, PLD_BRANCH_CONDITIONAL};
    const int64_t keys = c->keys ? c->keys : TOKENS;
    const int64_t key_width = c->as.key_heads ? (int64_t)c->as.key_heads * HEAD : CHANNELS;
    pld_error error = {0};
    pld_plan plan;
    pld_builder b;
    pld_plan_init(&plan, NULL);
    pld_builder_init(&b, &plan, &error);
    pld_attention_description as = c->as;
    as.heads = HEADS;
    as.query = pld_input(&b, BATCH, HEIGHT, WIDTH, CHANNELS);
    as.key = pld_input(&b, BATCH, keys, 1, key_width);
    as.value = pld_input(&b, BATCH, keys, 1, key_width);
    as.relative_bias = c->bias ? pld_input(&b, 1, HEADS, 1, 2 * TOKENS - 1) : PLD_NO_VALUE;
    as.mask = c->mask ? pld_input(&b, BATCH, 1, 1, keys) : PLD_NO_VALUE;
    const pld_value_id out = pld_attend(&b, as);
    pld_keep(&b, out);
    check(b.status, &error);

    pld_variant_table table;
    put_pladis(&plan, &table);
    pld_run run = {.plan = &plan, .device = device, .branch_of_row = branches};
    run.variants = c->pladis ? &table : NULL;
    check(pld_plan_prepare(&run, &error), &error);
    pld_attention_problem p = problem_of(&as, keys, c->pladis);
    p.query = fill_value(&plan, as.query, 4);
    p.key = fill_value(&plan, as.key, 2);
    p.value = fill_value(&plan, as.value, 1);
    uint8_t counts[BATCH * TOKENS];
    if (c->bias) {
        p.bias = fill_value(&plan, as.relative_bias, 2) + TOKENS - 1;
        p.bias_batch_stride = PLD_STRIDE_SHARED;
        p.bias_head_stride = 2 * TOKENS - 1;
        p.bias_query_stride = -1;
    }
    if (c->mask) {
        float *mask = fill_value(&plan, as.mask, 1);
        for (int64_t i = 0; i < BATCH * keys; i++) {
            mask[i] = mask[i] > -0.4F ? 1 : 0;
            counts[i] = mask[i] != 0;
        }
        p.key_mask = counts;
        p.key_mask_batch_stride = keys;
    }
    check(pld_plan_run(&run, &error), &error);
    static double expected[BATCH * TOKENS * CHANNELS];
    oracle_attention(&p, expected);
    check_near(c->what, pld_plan_map(&plan, out), expected, sizeof expected / sizeof *expected, 2e-5);
    pld_variant_table_free(&table);
    pld_plan_free(&plan);
}

static void every_form(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run_case(&cases[i]);
    }
}

/** Texts of different lengths and paddings, one a row, under PLADIS. */
static void keys_from_outside(void **state) {
    (void)state;
    static const pld_branch branches[BATCH] = {PLD_BRANCH_UNCONDITIONAL, PLD_BRANCH_CONDITIONAL};
    static const int64_t tokens[BATCH] = {3, 17}, zeros[BATCH] = {5, 0};
    pld_error error = {0};
    pld_plan plan, texts[BATCH];
    pld_context contexts[BATCH];
    const pld_context *rows[BATCH];
    pld_builder b;
    for (int row = 0; row < BATCH; row++) {
        pld_plan_init(&texts[row], NULL);
        pld_builder_init(&b, &texts[row], &error);
        pld_offer(&b, pld_input(&b, 1, tokens[row], 1, CHANNELS));
        pld_offer(&b, pld_input(&b, 1, tokens[row], 1, CHANNELS));
        check(b.status, &error);
        check(pld_plan_prepare(&(pld_run){.plan = &texts[row], .device = device}, &error), &error);
        fill_value(&texts[row], texts[row].offers[0], 2);
        fill_value(&texts[row], texts[row].offers[1], 1);
        contexts[row] = (pld_context){tokens[row], zeros[row], &texts[row]};
        rows[row] = &contexts[row];
    }
    pld_plan_init(&plan, NULL);
    pld_builder_init(&b, &plan, &error);
    const pld_value_id query = pld_input(&b, BATCH, HEIGHT, WIDTH, CHANNELS);
    pld_attention_description as = pld_cross_attention(query, HEADS);
    as.zero_keys = 2;
    const pld_value_id out = pld_attend(&b, as);
    pld_keep(&b, out);
    check(b.status, &error);
    pld_variant_table table;
    put_pladis(&plan, &table);
    pld_run run = {.plan = &plan, .device = device, .branch_of_row = branches, .variants = &table};
    run.contexts = rows;
    check(pld_plan_prepare(&run, &error), &error);
    const float *queries = fill_value(&plan, query, 4);
    check(pld_plan_run(&run, &error), &error);
    for (int row = 0; row < BATCH; row++) {
        static double expected[TOKENS * CHANNELS];
        pld_attention_problem p = problem_of(&as, tokens[row], true);
        p.batch = 1;
        p.query = queries + row * TOKENS * CHANNELS;
        p.key = pld_plan_map(&texts[row], texts[row].offers[0]);
        p.value = pld_plan_map(&texts[row], texts[row].offers[1]);
        p.zero_keys += zeros[row];
        oracle_attention(&p, expected);
        check_near("keys from outside", pld_plan_map(&plan, out) + row * TOKENS * CHANNELS, expected,
                   sizeof expected / sizeof *expected, 2e-5);
        pld_plan_free(&texts[row]);
    }
    pld_variant_table_free(&table);
    pld_plan_free(&plan);
}

/** What cannot be meant is refused when it is written down. */
static void contradictions(void **state) {
    (void)state;
    static const pld_attention_description wrong[] = {
        {.kind = PLD_SITE_SELF, .heads = 3},
        {.kind = PLD_SITE_SELF, .heads = HEADS, .key_heads = 3},
        {.kind = PLD_SITE_SELF, .heads = HEADS, .window = 4},
        {.kind = PLD_SITE_SELF, .heads = HEADS, .causal = true, .zero_keys = 1},
        {.kind = PLD_SITE_SELF, .heads = HEADS, .valid_keys = TOKENS + 1},
        {.kind = PLD_SITE_SELF, .heads = HEADS, .causal = true, .window = 4, .valid_keys = 3},
        {.kind = PLD_SITE_SELF, .heads = HEADS, .text_tokens = 2},
        {.kind = PLD_SITE_JOINT, .heads = HEADS, .image_columns = 1},
        {.kind = PLD_SITE_JOINT, .heads = HEADS, .text_tokens = 4, .first_text_token = 5, .image_columns = 1},
        {.kind = PLD_SITE_JOINT, .heads = HEADS, .text_tokens = 4},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        pld_error error = {0};
        pld_plan plan;
        pld_builder b;
        pld_plan_init(&plan, NULL);
        pld_builder_init(&b, &plan, &error);
        pld_attention_description as = wrong[i];
        as.query = as.key = as.value = pld_input(&b, 1, HEIGHT, WIDTH, CHANNELS);
        as.relative_bias = as.mask = PLD_NO_VALUE;
        assert_int_equal(pld_attend(&b, as), PLD_NO_VALUE);
        assert_true(b.status == PLD_ERROR_FORMAT || b.status == PLD_ERROR_INTERNAL);
        pld_plan_free(&plan);
    }
}

/* ---- what stands around attention, with weights from a file ---- */

enum { UNITS = 24 };

static float up[UNITS * CHANNELS], gate[UNITS * CHANNELS], each[HEAD], all[CHANNELS];

/** A file with these weights, opened. */
static pld_parameters *open_weights(void) {
    static const struct {
        const char *name;
        int rows, columns; /* columns 0: one axis */
        float *values;
    } tensors[] = {{"up.weight", UNITS, CHANNELS, up},
                   {"gate.weight", UNITS, CHANNELS, gate},
                   {"norm_each.weight", HEAD, 0, each},
                   {"norm_all.weight", CHANNELS, 0, all}};
    char header[1024] = "{";
    float data[sizeof up / sizeof *up * 2 + HEAD + CHANNELS];
    size_t used = 0;
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
        const size_t count = (size_t)tensors[i].rows * (size_t)(tensors[i].columns ? tensors[i].columns : 1);
        char shape[32], entry[160];
        snprintf(shape, sizeof shape, tensors[i].columns ? "%d,%d" : "%d", tensors[i].rows,
                 tensors[i].columns);
        snprintf(entry, sizeof entry,
                 "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}", i ? "," : "",
                 tensors[i].name, shape, used * sizeof(float), (used + count) * sizeof(float));
        strcat(header, entry);
        fill(tensors[i].values, count, 1);
        memcpy(data + used, tensors[i].values, count * sizeof *data);
        used += count;
    }
    strcat(header, "}");
    static unsigned char bytes[8 + sizeof header + sizeof data];
    const size_t length = strlen(header);
    for (int i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)((unsigned long long)length >> (8 * i));
    }
    memcpy(bytes + 8, header, length);
    memcpy(bytes + 8 + length, data, used * sizeof *data);
    pld_error error = {0};
    pld_weight_files *files = NULL;
    pld_parameters *parameters = NULL;
    check(pld_weight_files_open_file(
              write_bytes("weights.safetensors", bytes, 8 + length + used * sizeof *data), &files, &error),
          &error);
    check(pld_parameters_create(files, &device->weights, &parameters, &error), &error);
    return parameters;
}

/** Angles of token t, pair i: (first + t)·rate^i. */
typedef struct angles {
    int64_t first, half;
} angles;

static double angle_of(const angles *a, int64_t token, int64_t pair) {
    return (double)(a->first + token) * pow(0.7, (double)pair);
}

static void fill_angles(const void *description, float *table) {
    const angles *a = description;
    for (int64_t i = 0; i < TOKENS * a->half; i++) {
        const double angle = angle_of(a, i / a->half, i % a->half);
        table[i] = (float)cos(angle);
        table[TOKENS * a->half + i] = (float)sin(angle);
    }
}

/** Number `i` of a row after the norm. */
static double normed(const pld_rotation_options *o, const float *row, int64_t i) {
    const int64_t first = o->norm_of_all ? 0 : i / HEAD * HEAD, count = o->norm_of_all ? CHANNELS : HEAD;
    double squares = 0;
    for (int64_t n = first; n < first + count; n++) {
        squares += (double)row[n] * (double)row[n] / (double)count;
    }
    const double weight = (double)(o->norm_of_all ? all : each)[i - first];
    return o->norm ? (double)row[i] / sqrt(squares + o->epsilon) * weight : (double)row[i];
}

/** The same after the rotation: pair p of a head is (real, imaginary)·e^{iθ}. */
static double rotated(const pld_rotation_options *o, const float *row, int64_t token, int64_t i) {
    const int64_t within = i % HEAD, half = o->width / 2;
    if (within >= o->width) {
        return normed(o, row, i);
    }
    const int64_t pair = o->halves ? within % half : within / 2;
    const bool imaginary = o->halves ? within >= half : within % 2 != 0;
    const int64_t apart = o->halves ? half : 1;
    const double angle = angle_of(o->description, token, pair);
    const double other = normed(o, row, imaginary ? i - apart : i + apart);
    return normed(o, row, i) * cos(angle) + (imaginary ? other : -other) * sin(angle);
}

static void rotate(pld_parameters *parameters, const char *what, pld_rotation_options options) {
    const angles description = {3, options.width / 2};
    pld_error error = {0};
    pld_plan plan;
    pld_builder b;
    options.heads = HEADS;
    options.epsilon = 1e-6;
    options.fill = fill_angles;
    options.description = &description;
    options.description_bytes = sizeof description;
    pld_plan_init(&plan, parameters);
    pld_builder_init(&b, &plan, &error);
    const pld_value_id x = pld_input(&b, BATCH, HEIGHT, WIDTH, CHANNELS);
    pld_keep(&b, pld_rotate_heads(&b, x, &options));
    check(b.status, &error);
    pld_run run = {.plan = &plan, .device = device};
    check(pld_plan_prepare(&run, &error), &error);
    const float *row = fill_value(&plan, x, 1);
    static double expected[BATCH * TOKENS * CHANNELS];
    for (int64_t i = 0; i < BATCH * TOKENS * CHANNELS; i++) {
        expected[i] = rotated(&options, row + i / CHANNELS * CHANNELS, i / CHANNELS % TOKENS, i % CHANNELS);
    }
    check(pld_plan_run(&run, &error), &error);
    check_near(what, row, expected, sizeof expected / sizeof *expected, 1e-5);
    pld_plan_free(&plan);
}

static void norms_and_rotations(void **state) {
    (void)state;
    pld_parameters *parameters = open_weights();
    rotate(parameters, "pairs", (pld_rotation_options){.width = HEAD});
    rotate(parameters, "halves", (pld_rotation_options){.width = HEAD, .halves = true});
    rotate(parameters, "a part of each head", (pld_rotation_options){.width = HEAD - 2, .halves = true});
    rotate(parameters, "norm of each head", (pld_rotation_options){.norm = "norm_each"});
    rotate(parameters, "norm and halves",
           (pld_rotation_options){.norm = "norm_each", .width = HEAD, .halves = true});
    rotate(parameters, "norm of all, and pairs",
           (pld_rotation_options){.norm = "norm_all", .norm_of_all = true, .width = HEAD});
    pld_parameters_destroy(&parameters);
}

static double activated(pld_activation activation, double x) {
    switch (activation) {
    case PLD_SILU:
        return x / (1 + exp(-x));
    case PLD_GELU:
        return x * 0.5 * (1 + erf(x * sqrt(0.5)));
    default: /* PLD_GELU_TANH */
        return x * 0.5 * (1 + tanh(sqrt(2 / acos(-1.0)) * (x + 0.044715 * x * x * x)));
    }
}

/** x·upᵀ · act(x·gateᵀ) */
static void gate_by(pld_parameters *parameters, pld_activation activation, pld_product_settings settings) {
    pld_error error = {0};
    pld_plan plan;
    pld_builder b;
    pld_plan_init(&plan, parameters);
    pld_builder_init(&b, &plan, &error);
    const pld_value_id x = pld_input(&b, BATCH, HEIGHT, WIDTH, CHANNELS);
    const pld_value_id out = pld_linear(&b, "up", x, UNITS, pld_gated_by("gate", activation));
    pld_keep(&b, out);
    check(b.status, &error);
    pld_run run = {.plan = &plan, .device = device, .settings = settings};
    check(pld_plan_prepare(&run, &error), &error);
    const float *row = fill_value(&plan, x, 1);
    check(pld_plan_run(&run, &error), &error);
    static double expected[BATCH * TOKENS * UNITS];
    for (int64_t i = 0; i < BATCH * TOKENS * UNITS; i++) {
        double a = 0, g = 0;
        for (int64_t c = 0; c < CHANNELS; c++) {
            const double number = (double)row[i / UNITS * CHANNELS + c];
            a += number * (double)up[i % UNITS * CHANNELS + c];
            g += number * (double)gate[i % UNITS * CHANNELS + c];
        }
        expected[i] = a * activated(activation, g);
    }
    /* sums of 32 products of numbers up to 1, and then a product of two of them */
    check_near(settings.bf16    ? "bfloat16"
               : settings.split ? "split"
                                : "float32",
               pld_plan_map(&plan, out), expected, sizeof expected / sizeof *expected,
               settings.bf16    ? 0.4
               : settings.split ? 2e-3
                                : 1e-4);
    pld_plan_free(&plan);
}

static void gated_units_of_two_weights(void **state) {
    (void)state;
    static const pld_activation activations[] = {PLD_SILU, PLD_GELU, PLD_GELU_TANH};
    pld_parameters *parameters = open_weights();
    for (int i = 0; i < 3; i++) {
        gate_by(parameters, activations[i], (pld_product_settings){0});
        gate_by(parameters, activations[i], (pld_product_settings){.split = true});
        gate_by(parameters, activations[i], (pld_product_settings){.bf16 = true, .split = true});
    }
    pld_parameters_destroy(&parameters);
}

static int set_up(void **state) {
    const pld_device_options options = {.threads = 2};
    return make_temporary_folder(state) || pld_backend_cpu.open(&options, &device, NULL) != PLD_OK;
}

static int tear_down(void **state) {
    device->backend->close(&device);
    return remove_temporary_folder(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form),
        cmocka_unit_test(keys_from_outside),
        cmocka_unit_test(contradictions),
        cmocka_unit_test(norms_and_rotations),
        cmocka_unit_test(gated_units_of_two_weights),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
