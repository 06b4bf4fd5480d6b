/* SPDX-License-Identifier: Apache-2.0 */
/** Where the words of a prompt act, as pictures. */
#ifndef PLADIS_SERVER_DRAW_MAPS_H
#define PLADIS_SERVER_DRAW_MAPS_H

#include "jobs/job.h"

/** What a job's request asks for; NULL in `*maps`: nothing. */
pld_status job_maps_make(const job_request *request, pld_attention_maps **maps, pld_error *error);

/** Give a job the maps of the picture that was drawn last. */
pld_status job_maps_note(pld_attention_maps *maps, job *noted, pld_error *error);

#endif
