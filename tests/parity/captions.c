/* SPDX-License-Identifier: Apache-2.0 */
#include "captions.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"

bool has_captions(const parity_case *c) {
    return case_has(c, "caption.0");
}

/** One row of a case on its way through the network. */
typedef struct captions_row {
    const captions_request *request;
    int64_t row;
    int compared;
} captions_row;

static const char *caption_name(int64_t row, char name[32]) {
    snprintf(name, 32, "caption.%d", (int)row);
    return name;
}

/** Tokens in front of this row's in a tensor [all rows' tokens, C], where every row's are filled up. */
static int64_t tokens_before(const captions_row *r, const pld_stored_tensor *tensor, bool of_text) {
    enum { MULTIPLE = 32 };
    const int64_t rows = case_tensor(r->request->inputs, "timestep")->shape[0];
    int64_t before = of_text ? 0 : r->row * (tensor->shape[0] / rows);
    for (int64_t i = 0; of_text && i < r->row; i++) {
        char name[32];
        const int64_t tokens = case_tensor(r->request->inputs, caption_name(i, name))->shape[0];
        before += (tokens + MULTIPLE - 1) / MULTIPLE * MULTIPLE;
    }
    return before;
}

/** What passes by at a tap, [1, T, C], against the first T tokens of the row in a tensor [rows, most tokens, C], in which all
 * rows are filled up, or against the row's share of [tokens, C]. */
static void watch_row(void *user, const char *name, const pld_value *value, const float *data) {
    captions_row *r = user;
    const parity_case *c = r->request->inputs;
    if (!case_has(c, name)) {
        return;
    }
    const pld_stored_tensor *tensor = case_tensor(c, name);
    const size_t floats = pld_value_floats(value);
    const int64_t before = tensor->rank == 3 ? r->row * tensor->shape[1]
                                             : tokens_before(r, tensor, strncmp(name, "cap_", 4) == 0);
    float *expected = case_values(c, name, NULL);
    assert_int_equal(value->batch, 1);
    assert_int_equal(value->channels, tensor->shape[tensor->rank - 1]);
    check_error(c->name, name, relative_error(data, expected + before * value->channels, floats),
                parity_tolerance(c->name, name, r->request->inside));
    r->compared++;
    pld_free(expected);
}

/** The output [1, h, w, C] against a row of [rows, C, 1, h, w]. */
static void compare_output(const denoiser_fixture *f, const captions_row *r) {
    const captions_request *request = r->request;
    const pld_value *value = &f->plan.values[f->io.output];
    const size_t floats = pld_value_floats(value);
    size_t count = 0;
    char what[96];
    float *expected = case_values(request->outputs, request->output, &count);
    float *found = pld_allocate(floats, sizeof *found);
    assert_non_null(found);
    assert_true((size_t)(r->row + 1) * floats <= count);
    forced_kernels()->nhwc_to_nchw(pld_plan_map(&f->plan, f->io.output), value->channels,
                                   value->height * value->width, found);
    snprintf(what, sizeof what, "%s, row %d", request->output, (int)r->row);
    check_error(request->outputs->name, what,
                relative_error(found, expected + (size_t)r->row * floats, floats), request->tolerance);
    pld_free(expected);
    pld_free(found);
}

static int compare_row(const captions_request *request, int64_t row) {
    captions_row r = {request, row, 0};
    denoiser_fixture f = {.c = request->inputs, .network = *request->network};
    pld_error error = {0};
    char name[32];
    if (request->inside > 0) {
        f.tap = watch_row;
        f.tap_user = &r;
    }
    denoiser_prepare_rows(&f, &(stored_text){caption_name(row, name), NULL, 0, 0}, 1, (int)row);
    denoiser_set_pladis(&f, request->pladis);
    f.run.tap = f.tap;
    f.run.tap_user = f.tap_user;
    check_status(pld_plan_run(&f.run, &error), &error);
    compare_output(&f, &r);
    denoiser_drop(&f);
    return r.compared;
}

int captions_compare(const captions_request *request) {
    const int64_t rows = case_tensor(request->outputs, request->output)->shape[0];
    int compared = 0;
    for (int64_t row = 0; row < rows; row++) {
        const int taps = compare_row(request, row);
        assert_true(row == 0 || taps == compared);
        compared = taps;
    }
    return compared;
}

void captions_compare_forward(const parity_case *c, const parity_row *row) {
    static const char *const inputs[] = {"latents", "timestep", "output.dense", NULL};
    pld_error error = {0};
    network n;
    size_t i;
    json_t *setting;
    if (!case_has_all(c, inputs) || !network_open(c, "transformer", &n)) {
        return;
    }
    captions_request request = {.inputs = c,
                                .network = &n,
                                .outputs = c,
                                .output = "output.dense",
                                .tolerance = parity_forward_tolerance(row),
                                .inside = parity_forward_tolerance(row)};
    assert_int_equal(captions_compare(&request), row->taps);
    check_status(pld_parameters_check_all_used(n.parameters, &error), &error);
    request.inside = 0;
    json_array_foreach(json_object_get(c->info, "settings"), i, setting) {
        request.pladis = setting;
        request.output = json_text(setting, "output");
        captions_compare(&request);
    }
    network_close(&n);
}
