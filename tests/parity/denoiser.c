/* SPDX-License-Identifier: Apache-2.0 */
#include "denoiser.h"

#include <string.h>

#include "core/memory.h"

/** Fill what the network is told beside the text of row `row`. */
static void tell(const denoiser_fixture *f, int row, float *told) {
    pld_picture_facts picture = {.distilled_guidance = json_field(f->c->info, "guidance", 0)};
    const char *embedding = case_has(f->c, "pooled_projections") ? "pooled_projections" : "text_embeds";
    float *pooled = case_has(f->c, embedding) ? case_values(f->c, embedding, NULL) : NULL;
    if (case_has(f->c, "time_ids")) {
        float *all = case_values(f->c, "time_ids", NULL);
        const float *ids = all + row * case_tensor(f->c, "time_ids")->shape[1];
        picture = (pld_picture_facts){.original_height = (int64_t)ids[0],
                                      .original_width = (int64_t)ids[1],
                                      .crop_top = (int64_t)ids[2],
                                      .crop_left = (int64_t)ids[3],
                                      .target_height = (int64_t)ids[4],
                                      .target_width = (int64_t)ids[5]};
        pld_free(all);
    }
    if (case_has(f->c, "resolution")) {
        float *resolution = case_values(f->c, "resolution", NULL);
        picture.height = (int64_t)resolution[2 * row];
        picture.width = (int64_t)resolution[2 * row + 1];
        pld_free(resolution);
    }
    if (case_has(f->c, "guidance")) { /* SANA's times guidance_embeds_scale, as the network is told */
        float *guidance = case_values(f->c, "guidance", NULL);
        picture.distilled_guidance = (double)guidance[row] / (f->facts.text_joins_sample ? 1 : 0.1);
        pld_free(guidance);
    }
    f->network.class->denoiser->tell(
        f->network.config, pooled ? pooled + (int64_t)row * f->facts.pooled_width : NULL, &picture, told);
    pld_free(pooled);
}

/** What is added to the time embedding, the first offer of a condition, against the case's rows of it. */
static void check_added(const denoiser_fixture *f, int row, const pld_plan *condition) {
    const pld_stored_tensor *tensor = pld_tensor_file_find(f->c->tensors, "add_embedding");
    if (tensor) {
        const size_t width = (size_t)tensor->shape[1];
        float *expected = case_values(f->c, "add_embedding", NULL);
        check_error(f->c->name, "add_embedding",
                    relative_error(pld_plan_map(condition, condition->offers[0]),
                                   expected + (size_t)row * width, width),
                    parity_tolerance(f->c->name, "add_embedding", f->inside));
        pld_free(expected);
    }
}

/** States of row `row` of `name` [rows, T, width] in front of those that are zeros. */
static int64_t tokens_before_zeros(const parity_case *c, const char *name, int row) {
    const pld_stored_tensor *shape = case_tensor(c, name);
    const int64_t width = shape->shape[shape->rank - 1], length = shape->shape[shape->rank - 2];
    float *all = case_values(c, name, NULL);
    const float *states = all + row * length * width;
    int64_t floats = length * width;
    while (floats > 0 && states[floats - 1] == 0) {
        floats--;
    }
    pld_free(all);
    return (floats + width - 1) / width;
}

/** What the text of row `row` gives: its live tokens alone, which come first. */
static void make_condition(denoiser_fixture *f, int row, stored_text text) {
    pld_error error = {0};
    pld_condition_values io;
    const pld_denoiser *denoiser = f->network.class->denoiser;
    const pld_stored_tensor *shape = case_tensor(f->c, text.states);
    const bool masked = text.mask && case_has(f->c, text.mask);
    const int64_t live = masked ? case_live_tokens(f->c, text.mask, text.row)
                                : tokens_before_zeros(f->c, text.states, text.row);
    const int64_t tokens = text.most > 0 && text.most < live ? text.most : live;
    const int64_t zeros = masked || text.most > 0 ? 0 : shape->shape[shape->rank - 2] - tokens;
    const int64_t multiple = f->facts.text_multiple > 0 ? f->facts.text_multiple : 1;
    float *states = case_rows(f->c, text.states, text.row, tokens);
    const pld_condition_request request = {tokens, f->plan.sites, f->plan.site_count};
    pld_plan *plan = &f->conditions[row];
    pld_plan_init(plan, f->network.parameters);
    check_status(denoiser->condition(plan, f->network.config, &request, &io, &error), &error);
    assert_int_equal(plan->offer_count, f->plan.outside_count);
    pld_run run = forced_run(plan);
    run.settings.bf16 = run.settings.split = forced_bf16();
    run.tap = f->tap;
    run.tap_user = f->tap_user;
    check_status(pld_plan_prepare(&run, &error), &error);
    memcpy(pld_plan_map(plan, io.states), states,
           (size_t)(tokens * shape->shape[shape->rank - 1]) * sizeof *states);
    if (io.told != PLD_NO_VALUE) {
        tell(f, row, pld_plan_map(plan, io.told));
    }
    check_status(pld_plan_run(&run, &error), &error);
    check_added(f, row, plan);
    f->contexts[row] = (pld_context){
        .tokens = (tokens + multiple - 1) / multiple * multiple, .zero_keys = zeros, .plan = plan};
    f->rows[row] = &f->contexts[row];
    pld_free(states);
}

typedef struct picture_size {
    int64_t height, width;
} picture_size;

/** Size of latents [.., C, h, w], or of packed ones [B, tokens, C·p·p], whose places img_ids [.., tokens, axes] has: row and
 * column are axes 1 and 2. */
static picture_size size_of(const denoiser_fixture *f, const char *latents) {
    const pld_stored_tensor *tensor = case_tensor(f->c, latents);
    if (tensor->rank != 3) {
        return (picture_size){tensor->shape[tensor->rank - 2], tensor->shape[tensor->rank - 1]};
    }
    picture_size last = {0, 0};
    const pld_stored_tensor *places = case_tensor(f->c, "img_ids");
    const int64_t axes = places->shape[places->rank - 1];
    float *ids = case_values(f->c, "img_ids", NULL);
    for (int64_t i = 0; i < tensor->shape[1]; i++) {
        const int64_t row = (int64_t)ids[axes * i + 1], column = (int64_t)ids[axes * i + 2];
        last.height = row > last.height ? row : last.height;
        last.width = column > last.width ? column : last.width;
    }
    pld_free(ids);
    return (picture_size){(last.height + 1) * f->facts.packed, (last.width + 1) * f->facts.packed};
}

/** The patches of a value [B, h, w, C] whose tokens a case has packed. */
static pld_patch_grid patches_of(const denoiser_fixture *f, pld_value_id id) {
    const pld_value *value = &f->plan.values[id];
    return (pld_patch_grid){.channels = value->channels,
                            .height = value->height,
                            .width = value->width,
                            .patch = f->facts.packed,
                            .channels_last = true};
}

/** Write a picture of a case, [C, h, w] or packed, to the sample. */
static void write_picture(const denoiser_fixture *f, const float *picture, int64_t row) {
    const pld_value *sample = &f->plan.values[f->io.sample];
    const int64_t area = sample->height * sample->width;
    float *to = pld_plan_map(&f->plan, f->io.sample) + row * area * sample->channels;
    if (f->facts.packed) {
        const pld_patch_grid patches = patches_of(f, f->io.sample);
        forced_kernels()->unpatchify(&patches, picture, to);
    } else {
        forced_kernels()->nchw_to_nhwc(picture, sample->channels, area, to);
    }
}

void denoiser_prepare_for(denoiser_fixture *f, const char *latents, const stored_text *texts, int rows) {
    static const pld_branch branches[] = {PLD_BRANCH_UNCONDITIONAL, PLD_BRANCH_CONDITIONAL};
    pld_error error = {0};
    const pld_denoiser *denoiser = f->network.class->denoiser;
    assert_true(rows <= MOST_ROWS);
    denoiser->facts(f->network.config, &f->facts);
    const picture_size size = size_of(f, latents);
    const pld_stored_tensor *first = case_tensor(f->c, texts[0].states);
    const int64_t length = first->shape[first->rank - 2];
    const pld_denoiser_shape shape = {rows, size.height, size.width, NULL,
                                      texts[0].most > 0 && texts[0].most < length ? texts[0].most : length};
    pld_plan_init(&f->plan, f->network.parameters);
    check_status(denoiser->build(&f->plan, f->network.config, &shape, &f->io, &error), &error);
    for (int row = 0; row < rows; row++) {
        make_condition(f, row, texts[row]);
    }
    f->run = forced_run(&f->plan);
    f->run.settings.bf16 = f->run.settings.split = forced_bf16();
    f->run.settings.int8 = forced_int8();
    f->run.contexts = f->rows;
    f->run.timesteps = f->timesteps;
    f->run.branch_of_row = branches;
    f->run.variants = &f->table;
    check_status(pld_variant_table_init(&f->table, f->plan.sites, f->plan.site_count, &error), &error);
    check_status(pld_plan_prepare(&f->run, &error), &error);
}

/** Name of the noisy latents, [B, C, h, w] or [B, C, 1, h, w]. */
static const char *input_of(const parity_case *c) {
    return case_has(c, "hidden_states") ? "hidden_states" : case_has(c, "latents") ? "latents" : "sample";
}

void denoiser_prepare_rows(denoiser_fixture *f, const stored_text *texts, int rows, int first) {
    const char *input = input_of(f->c);
    const int64_t batch = case_tensor(f->c, input)->shape[0];
    size_t count = 0;
    denoiser_prepare_for(f, input, texts, rows);
    float *time = case_values(f->c, "timestep", NULL), *noise = case_values(f->c, input, &count);
    for (int64_t b = 0; b < rows; b++) {
        f->timesteps[b] = time[first + b];
        write_picture(f, noise + (first + b) * ((int64_t)count / batch), b);
    }
    pld_free(time);
    pld_free(noise);
}

/** Texts of a case whose rows have texts of their own lengths are cut to a length that they all have. */
void denoiser_prepare(denoiser_fixture *f) {
    enum { SHORT = 24 };
    static const stored_text texts[MOST_ROWS] = {{"encoder_hidden_states", "encoder_attention_mask", 0, 0},
                                                 {"encoder_hidden_states", "encoder_attention_mask", 1, 0}};
    static const stored_text captions[MOST_ROWS] = {{"caption.0", NULL, 0, SHORT},
                                                    {"caption.1", NULL, 0, SHORT - 1}};
    denoiser_prepare_rows(f, case_has(f->c, "caption.0") ? captions : texts,
                          (int)case_tensor(f->c, input_of(f->c))->shape[0], 0);
}

bool denoiser_open(denoiser_fixture *f, const parity_case *c, const parity_row *row) {
    const char *const inputs[] = {input_of(c), "timestep",
                                  case_has(c, "caption.0") ? "caption.1" : "encoder_hidden_states", NULL};
    pld_error error = {0};
    memset(f, 0, sizeof *f);
    f->c = c;
    f->tolerance = parity_forward_tolerance(row);
    f->inside = forced_bf16() && row->bf16_inside > 0 ? row->bf16_inside : f->tolerance;
    const char *part = strcmp(row->kind, "transformer_forward") == 0 ? "transformer" : "unet";
    if (!case_has_all(c, inputs) || !network_open(c, part, &f->network)) {
        return false;
    }
    denoiser_prepare(f);
    check_status(pld_parameters_check_all_used(f->network.parameters, &error), &error);
    return true;
}

void denoiser_drop(denoiser_fixture *f) {
    pld_variant_table_free(&f->table);
    pld_plan_free(&f->plan);
    for (int i = 0; i < MOST_ROWS; i++) {
        pld_plan_free(&f->conditions[i]);
    }
}

void denoiser_close(denoiser_fixture *f) {
    denoiser_drop(f);
    network_close(&f->network);
}

void denoiser_set_pladis(denoiser_fixture *f, const json_t *setting) {
    pld_error error = {0};
    int sites = 0;
    const char *blocks = json_text(setting, "blocks");
    const pld_pladis_request request = {.lambda = json_field(setting, "lambda", 0),
                                        .alpha = json_field(setting, "alpha", 1.5),
                                        .blocks = blocks ? blocks : "all"};
    pld_variant_table_free(&f->table);
    check_status(pld_variant_table_init(&f->table, f->plan.sites, f->plan.site_count, &error), &error);
    check_status(pld_variant_table_add_pladis(&f->table, &request, &sites, &error), &error);
    assert_true(request.lambda == 0 ? sites == 0 : sites > 0);
}

void denoiser_compare(denoiser_fixture *f, const char *output, const char *what, double tolerance) {
    pld_error error = {0};
    check_status(pld_plan_run(&f->run, &error), &error);
    if (!f->facts.packed) {
        check_value(f->c, output, &f->plan, f->io.output, what, tolerance);
        return;
    }
    const pld_value *value = &f->plan.values[f->io.output];
    const size_t floats = pld_value_floats(value) / (size_t)value->batch;
    const pld_patch_grid patches = patches_of(f, f->io.output);
    size_t count = 0;
    float *expected = case_values(f->c, output, &count);
    float *found = pld_allocate(count, sizeof *found);
    assert_non_null(found);
    assert_int_equal(count, pld_value_floats(value));
    for (size_t b = 0; b < (size_t)value->batch; b++) {
        forced_kernels()->patchify(&patches, pld_plan_map(&f->plan, f->io.output) + b * floats,
                                   found + b * floats);
    }
    check_error(f->c->name, what, relative_error(found, expected, count), tolerance);
    pld_free(expected);
    pld_free(found);
}
