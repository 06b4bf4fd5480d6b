/* SPDX-License-Identifier: Apache-2.0 */
/** A run that draws pictures with one model: what generate and grid share. */
#ifndef PLADIS_CLI_RUN_RUN_H
#define PLADIS_CLI_RUN_RUN_H

#include <limits.h>

#include "files/model_path.h"
#include "pictures/lora_set.h"
#include "pictures/picture.h"
#include "run/preview.h"
#include "run/report.h"

/** What a run holds open. Zero at the start. */
typedef struct picture_run {
    const generate_request *request;
    char model_path[PATH_MAX], model_name[256];
    picture_list pictures;
    pld_engine *engine;
    pld_model *base;  /**< as it was opened */
    pld_model *model; /**< with the LoRAs of the picture that is drawn */
    lora_set loras;   /**< of `model` */
    pld_session *session;
    pld_attention_maps *maps; /**< NULL without --attention-maps */
    preview preview;
    pld_profile *profile; /**< NULL without --profile */
    run_facts facts;
    bool announced; /**< what is drawn was told */
} picture_run;

/** Find and open the model of the request; the pictures' λ become known. Gives the exit code. */
int run_open(picture_run *run);

/** What can be known of all pictures before the first is drawn: that the library takes their options, and
 * that their parameters can be written down. Their images get their sizes, and no pixels yet. Gives the
 * exit code. */
int run_check(picture_run *run);

/** The session for a picture, and the picture's LoRAs in words. Gives the exit code. */
int run_prepare(picture_run *run, picture *wanted);

/** The pictures that a picture begins with; free both. Gives the exit code. */
int run_read_pictures(const generate_request *settings, pld_image *init_image, pld_image *mask);

/** Draw picture `index` into the list. Gives the exit code. */
int run_draw(picture_run *run, size_t index);

/** The summary and --report. Gives the exit code. */
int run_report(picture_run *run);

/** Close everything, the pictures included. */
void run_close(picture_run *run);

/** The engine that a request asks for. */
void run_engine_options(const generate_request *request, pld_engine_options *options);

/** The files that make up its model; `found` holds the places of those that are installed. */
void run_model_options(const generate_request *request, vocabularies *found, pld_model_options *options);

#endif
