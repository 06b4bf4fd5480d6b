/* SPDX-License-Identifier: Apache-2.0 */
/** A job as JSON, and its events. */
#ifndef PLADIS_SERVER_API_JOB_JSON_H
#define PLADIS_SERVER_API_JOB_JSON_H

#include "context.h"

/** How far a job is; with its pictures' settings and maps where it is over. NULL: memory is out. */
json_t *job_json(struct server *server, job *told);

#endif
