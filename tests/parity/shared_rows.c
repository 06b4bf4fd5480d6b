/* SPDX-License-Identifier: Apache-2.0 */
#include "shared_rows.h"

#include <string.h>

#include "core/memory.h"
#include "denoiser.h"

/** Branches that every family here has. */
enum { ROWS = 4 };

/** What the branches of a model do; all have the case's first setting of PLADIS. */
typedef struct sharing_row {
    const char *kind, *model;
    int groups;                   /**< rows of the input */
    const char *first, *identity; /**< the variant of the third branch and its layers */
    const char *second, *layers;  /**< the variant of the fourth branch and its layers */
} sharing_row;

static const sharing_row models[] = {
    {"pladis_sweep", "sd15", 1, "identity", "mid+up", "blur", "down_blocks.1"},
    {"pladis_sweep", "sd21", 1, "identity", "mid+up", "blur", "down_blocks.1"},
    {"pladis_sweep", "sdxl", 2, "identity", "mid+up", "blur",
     "down_blocks.1"}, /* the text joins the time embedding */
    /* not pixart-alpha, whose case has rows that are told of different sizes */
    {"transformer_forward", "pixart", 1, "identity", "2", "blur", "1"},
    {"transformer_forward", "sana-text", 1, "identity", "1", "identity",
     "0"}, /* linear attention has nothing to blur */
    {"transformer_forward", "sd35", 2, "identity", "0", "blur", "1"}, /* of the blocks' second attentions */
    {"transformer_forward", "flux-dev", 2, "gag", "1", "gag", "3"},   /* there is no self-attention */
    {"transformer_forward", "flux2-klein", 2, "gag", "1", "gag", "3"},
    {"transformer_forward", "z-image", 2, "identity", "noise_refiner.0", "blur", "noise_refiner.1"},
};

/** One evaluation of `run`'s rows [4] of the fixture's first latents → [4, h, w, channels]. `sharing`: NULL
 * computes each row by itself. `groups`: rows of the input. */
static float *evaluate_rows(denoiser_fixture *f, pld_run run, const pld_row_sharing *sharing, int groups,
                            size_t *count) {
    pld_error error = {0};
    pld_plan plan;
    pld_denoiser_values io;
    const pld_value *one = &f->plan.values[f->io.sample];
    const size_t picture = pld_value_floats(one) / (size_t)one->batch;
    const pld_denoiser_shape shape = {ROWS, one->height, one->width, sharing, f->contexts[0].tokens};
    pld_plan_init(&plan, f->network.parameters);
    check_status(f->network.class->denoiser->build(&plan, f->network.config, &shape, &io, &error), &error);
    run.plan = &plan;
    check_status(pld_plan_prepare(&run, &error), &error);
    assert_int_equal(plan.values[io.sample].batch, groups);
    for (int i = 0; i < groups; i++) {
        memcpy(pld_plan_map(&plan, io.sample) + (size_t)i * picture, pld_plan_map(&f->plan, f->io.sample),
               picture * sizeof(float));
    }
    check_status(pld_plan_run(&run, &error), &error);
    const pld_value *output = &plan.values[io.output];
    assert_int_equal(output->batch, ROWS);
    *count = pld_value_floats(output);
    float *copy = pld_allocate(*count, sizeof *copy);
    assert_non_null(copy);
    memcpy(copy, pld_plan_map(&plan, io.output), *count * sizeof *copy);
    pld_plan_free(&plan);
    return copy;
}

/** Put a variant on some sites of one branch. */
static void put_variant(denoiser_fixture *f, const char *variant, const char *layers, pld_branch branch) {
    const pld_attention_effect effect = {.variant = variant,
                                         .layers = layers,
                                         .branches = PLD_BRANCH_BIT(branch),
                                         .sigma = 1,
                                         .alpha = 1.5,
                                         .scale = 5,
                                         .limit = 15};
    pld_error error = {0};
    int sites = 0;
    check_status(pld_variant_table_add_effect(&f->table, &effect, "test", &sites, &error), &error);
}

/** All branches on the same latents and timestep, computed once while they are equal, against each by itself:
 * the same bytes where all convolutions are our own; oneDNN may compute another number of rows in another
 * way. */
static void compare_shared_rows(const parity_case *c, const parity_row *row, void *user) {
    static const pld_branch branches[ROWS] = {PLD_BRANCH_UNCONDITIONAL, PLD_BRANCH_CONDITIONAL,
                                              PLD_BRANCH_IDENTITY, PLD_BRANCH_BLURRED};
    const sharing_row *of = user;
    denoiser_fixture f;
    pld_error error = {0};
    if (!denoiser_open(&f, c, row)) {
        return;
    }
    denoiser_set_pladis(&f, json_array_get(json_object_get(c->info, "settings"), 0));
    put_variant(&f, of->first, of->identity, PLD_BRANCH_IDENTITY);
    put_variant(&f, of->second, of->layers, PLD_BRANCH_BLURRED);
    const double timesteps[] = {f.timesteps[0], f.timesteps[0], f.timesteps[0], f.timesteps[0]};
    const pld_context *contexts[] = {f.rows[0], f.rows[1], f.rows[1], f.rows[1]};
    pld_run run = f.run;
    run.branch_of_row = branches;
    run.timesteps = timesteps;
    run.contexts = contexts;
    const pld_row_sharing_request request = {.branches = branches,
                                             .rows = ROWS,
                                             .tables = {&f.table, &f.table},
                                             .text_joins_time = f.facts.text_joins_time};
    pld_row_sharing sharing;
    size_t count = 0;
    check_status(pld_row_sharing_init(&sharing, &request, &error), &error);
    float *alone = evaluate_rows(&f, run, NULL, ROWS, &count);
    float *found = evaluate_rows(&f, run, &sharing, of->groups, &count);
    const size_t one = count / ROWS;
    for (int i = 0; i < ROWS; i++) {
        for (int j = 0; j < i; j++) {
            assert_memory_not_equal(alone + (size_t)i * one, alone + (size_t)j * one, one * sizeof *alone);
        }
    }
    check_error(c->name, "shared rows", relative_error(found, alone, count),
                run.settings.conv == PLD_CONV_WINOGRAD ? 0 : f.tolerance);
    pld_free(alone);
    pld_free(found);
    pld_row_sharing_free(&sharing);
    denoiser_close(&f);
}

void shared_rows(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        sharing_row row = models[i];
        compare_cases_of(row.kind, row.model, compare_shared_rows, &row);
    }
}
