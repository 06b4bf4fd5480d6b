/* SPDX-License-Identifier: Apache-2.0 */
/** A picture with what is told of it. */
#ifndef PLADIS_SERVER_DRAW_PICTURE_TEXTS_H
#define PLADIS_SERVER_DRAW_PICTURE_TEXTS_H

#include "draw/lora_list.h"
#include "jobs/job.h"

/** Fill in PNG, parameters and settings of `picture`, whose seed is the one it was drawn with; nothing is left on failure. */
pld_status picture_texts_encode(const pld_engine *engine, const job_request *request, const lora_list *loras,
                                const pld_model *model, const pld_report *report, const pld_image *image,
                                job_picture *picture, pld_error *error);

#endif
