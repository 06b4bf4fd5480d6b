/* SPDX-License-Identifier: Apache-2.0 */
#include "network.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "models/layouts/layouts.h"

/** The class that a config.json names, NULL: this program has none of it. */
static pld_status read_class(void *target, const pld_json *top, pld_error *error) {
    const pld_part_class **class = target;
    const char *name = NULL;
    pld_json list, first;
    PLD_TRY(pld_json_get_string(top, "_class_name", PLD_JSON_OPTIONAL, &name, error));
    if (!name) {
        PLD_TRY(pld_json_array(top, "architectures", PLD_JSON_REQUIRED, &list, error));
        pld_json_element(&list, 0, &first);
        name = json_string_value(first.value);
    }
    *class = name ? pld_part_class_find(name) : NULL;
    return PLD_OK;
}

/** The weights of a part: of the single file that the case names, else of the model's folder. */
static pld_weight_files *open_weights(const parity_case *c, const char *part, const pld_part_class *class) {
    pld_error error = {0};
    pld_weight_files *files = NULL, *whole = NULL;
    const char *single = json_text(c->info, "file");
    if (single) {
        pld_layout_contents contents;
        check_status(pld_weight_files_open_file(reference_path(c->root, "%s", single), &whole, &error),
                     &error);
        pld_layout_detect(whole, &contents);
        const pld_layout_part *found = pld_layout_find(&contents, part, class);
        assert_non_null(found);
        check_status(pld_layout_view(whole, found->layout, 0, &files, &error), &error);
        pld_weight_files_close(&whole);
    } else {
        const char *stem = class->role == PLD_ROLE_TEXT_ENCODER ? "model" : "diffusion_pytorch_model";
        check_status(pld_weight_files_open(case_model_path(c, part), stem, &files, &error), &error);
    }
    return files;
}

bool network_open(const parity_case *c, const char *part, network *n) {
    pld_error error = {0};
    char config[64];
    *n = (network){0};
    snprintf(config, sizeof config, "%s/config.json", part);
    check_status(pld_json_read_file(case_model_path(c, config), read_class, &n->class, &error), &error);
    if (!n->class) {
        reference_pass_over(c->root, c->name, "its network is of no class of this program's");
        return false;
    }
    n->config = pld_allocate(1, n->class->config_bytes);
    assert_non_null(n->config);
    check_status(pld_json_read_file(case_model_path(c, config), n->class->read, n->config, &error), &error);
    check_status(pld_parameters_create(open_weights(c, part, n->class), &forced_device()->weights,
                                       &n->parameters, &error),
                 &error);
    return true;
}

void network_close(network *n) {
    pld_parameters_destroy(&n->parameters);
    pld_free(n->config);
}

/** Whether a tensor is [B, C, H, W], or [B, C, 1, H, W] of one frame; else channels come last. */
static bool is_channel_major(const pld_stored_tensor *tensor, const pld_value *v) {
    return tensor->rank == 4 ||
           (tensor->rank == 5 && tensor->shape[2] == 1 && tensor->shape[1] == v->channels);
}

double network_error(const parity_case *c, const char *name, const pld_value *v, const float *data) {
    size_t count = 0;
    float *expected = case_values(c, name, &count);
    const float *found = data;
    float *nchw = NULL;
    assert_int_equal(count, pld_value_floats(v));
    if (is_channel_major(case_tensor(c, name), v)) {
        const int64_t picture = v->height * v->width * v->channels;
        found = nchw = pld_allocate(count, sizeof *nchw);
        assert_non_null(nchw);
        for (int64_t b = 0; b < v->batch; b++) {
            forced_kernels()->nhwc_to_nchw(data + b * picture, v->channels, v->height * v->width,
                                           nchw + b * picture);
        }
    }
    const double error = relative_error(found, expected, count);
    pld_free(nchw);
    pld_free(expected);
    return error;
}

void check_value(const parity_case *c, const char *tensor, const pld_plan *plan, pld_value_id value,
                 const char *of, double tolerance) {
    check_error(c->name, of, network_error(c, tensor, &plan->values[value], pld_plan_map(plan, value)),
                tolerance);
}

float *case_rows(const parity_case *c, const char *name, int64_t row, int64_t count) {
    const pld_stored_tensor *tensor = case_tensor(c, name);
    const int64_t tokens = tensor->shape[tensor->rank - 2];
    const size_t width = (size_t)tensor->shape[tensor->rank - 1];
    float *all = case_values(c, name, NULL);
    float *rows = pld_allocate((size_t)count, width * sizeof *rows);
    assert_true((tensor->rank == 3 || (tensor->rank == 2 && row == 0)) && rows && count <= tokens);
    memcpy(rows, all + (size_t)(row * tokens) * width, (size_t)count * width * sizeof *rows);
    pld_free(all);
    return rows;
}

int64_t case_live_tokens(const parity_case *c, const char *name, int64_t row) {
    const int64_t length = case_tensor(c, name)->shape[1];
    float *mask = case_values(c, name, NULL);
    int64_t live = 0;
    for (int64_t i = 0; i < length; i++) {
        live += mask[row * length + i] != 0;
    }
    pld_free(mask);
    return live;
}

void watch(void *user, const char *name, const pld_value *value, const float *data) {
    watcher *w = user;
    if (case_has(w->c, name)) {
        const double tolerance = strcmp(name, "output") == 0 ? w->output : w->tolerance;
        check_error(w->c->name, name, network_error(w->c, name, value, data),
                    parity_tolerance(w->c->name, name, tolerance));
        w->compared++;
    }
}

void text_encoder_run(const network *n, const pld_text_request *request, const int32_t *ids, watcher *w,
                      pld_plan *plan, pld_text_values *values) {
    pld_error error = {0};
    pld_plan_init(plan, n->parameters);
    check_status(n->class->text_encoder->build(plan, n->config, request, values, &error), &error);
    pld_run run = forced_run(plan);
    run.ids = ids;
    run.tap = w ? watch : NULL;
    run.tap_user = w;
    check_status(pld_plan_prepare(&run, &error), &error);
    check_status(pld_plan_run(&run, &error), &error);
}

void text_encoder_check_streamed(const network *n, const pld_text_request *request, const int32_t *ids,
                                 const float *states) {
    pld_error error = {0};
    pld_plan plan;
    pld_text_values values;
    pld_plan_init(&plan, n->parameters);
    check_status(n->class->text_encoder->build(&plan, n->config, request, &values, &error), &error);
    pld_run run = forced_run(&plan);
    run.ids = ids;
    run.settings.streamed = true;
    check_status(pld_plan_prepare(&run, &error), &error);
    check_status(pld_plan_run(&run, &error), &error);
    assert_memory_equal(pld_plan_map(&plan, values.states), states,
                        pld_value_floats(&plan.values[values.states]) * sizeof *states);
    pld_plan_free(&plan);
}
