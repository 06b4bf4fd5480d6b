/* SPDX-License-Identifier: Apache-2.0 */
/** One operator of a network on its own, at the shape it has there.
 *
 * The networks are written down by the model code itself. An operator is then run in a copy of its plan in
 * which it is alone: values that live when it runs keep their size, the others shrink to one number, so
 * whatever the operator reads or writes is there. Weights are the model's, and only those of the operators
 * that run are packed. */
#ifndef PLD_BENCH_LONE_OPERATOR_H
#define PLD_BENCH_LONE_OPERATOR_H

#include "backends/executor.h"
#include "bench/measure.h"

/** What an operator may need from outside, enough for one row of any network here. */
typedef struct bench_surroundings {
    pld_plan text; /* offers keys and values of one site [CONTEXT_TOKENS, widest], for all that is taken */
    pld_context context;
    const pld_context *contexts[1];
    pld_variant_table variants;
    pld_branch branch;
    double timestep;
    int32_t *ids;
} bench_surroundings;

/** A network of a model that is measured, for pictures of a size. */
typedef struct bench_network {
    const bench_model *model;
    const pld_plan *plan;
    bench_surroundings *around;
    int width, height; /* of the picture */
} bench_network;

/** What is to be done with a network. */
typedef struct bench_visitor {
    pld_status (*visit)(bench_run *bench, const bench_network *network, void *user, pld_error *error);
    void *user;
} bench_visitor;

/** Visit each network of a model: text encoders, denoiser, decoder. */
pld_status bench_visit_networks(bench_run *bench, const bench_model *model, const bench_visitor *visitor,
                                pld_error *error);

/** How often operator `index` of the network and its equals run in it; 0 when an equal one came before it. */
int bench_times_in_network(const bench_network *network, int index);

/** "sd15 512x512 unet, conv": names of results begin so. */
void bench_operator_name(const bench_network *network, int index, char name[BENCH_NAME]);

/** What an operator multiplies; NULL: it is no product. */
const pld_product *bench_product(const pld_operator *op);

/** How the products of a network are measured. */
pld_product_settings bench_network_settings(const bench_run *bench, const pld_plan *network);

typedef struct bench_lone_operator {
    pld_plan plan;
    pld_run run;
} bench_lone_operator;

/** Prepare operator `index` alone, with numbers in its inputs. Free lone->plan in any case. */
pld_status bench_isolate(const bench_run *bench, const bench_network *network, int index,
                         pld_conv_choice conv, bench_lone_operator *lone, pld_error *error);

/** The name, shape, work and implementation of a result about operator `index` on its own. */
void bench_describe_operator(const bench_network *network, int index, const bench_lone_operator *lone,
                             bench_result *result);

#endif
