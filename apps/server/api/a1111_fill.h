/* SPDX-License-Identifier: Apache-2.0 */
/** A1111's requests as ours. */
#ifndef PLADIS_SERVER_API_A1111_FILL_H
#define PLADIS_SERVER_API_A1111_FILL_H

#include "fields/submission.h"

extern const field_rules a1111_rules;

/** Fill `request`, which has options, from what was sent: to txt2img, or to img2img (`from_picture`). False: `problem` says
 *  why. */
bool a1111_fill(const field_reader *reader, const submission *read, bool from_picture, job_request *request,
                field_problem *problem);

#endif
