/* SPDX-License-Identifier: Apache-2.0 */
/** Models that are open. One is opened when a job first wants it; where memory is short, those that were used longest ago are given
 *  back. All belongs to the thread that draws, but for the list of names. */
#ifndef PLADIS_SERVER_DRAW_MODELS_H
#define PLADIS_SERVER_DRAW_MODELS_H

#include "base/counters.h"
#include "draw/lora_list.h"
#include "jobs/job.h"
#include "shelf/shelf.h"

typedef struct open_models open_models;

/** What models are opened with; outlives what is made of it. */
typedef struct models_setting {
    pld_engine *engine;
    const pld_model_options *files; /**< vocabularies */
    shelf *things;
    uint64_t max_memory; /**< 0: what there is */
    server_counters *counters;
} models_setting;

open_models *open_models_create(const models_setting *setting); /**< NULL: memory is out */
void open_models_destroy(open_models **models);

/** A model that is ready to draw. */
typedef struct model_in_use {
    pld_model *model;
    pld_session *session;
} model_in_use;

/** The model of a request with these LoRAs, open until the next call. */
pld_status open_models_use(open_models *models, const job_request *request, const lora_list *loras,
                           model_in_use *used, pld_error *error);

/** Give all of them back. */
void open_models_close(open_models *models);

/** Call `visit` with the name of each; from any thread. */
void open_models_each(open_models *models, void (*visit)(void *user, const char *name), void *user);

#endif
