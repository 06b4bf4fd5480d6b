/* SPDX-License-Identifier: Apache-2.0 */
/** Jobs by their ids: those that are not over, and for a while those that are. */
#ifndef PLADIS_SERVER_JOBS_STORE_H
#define PLADIS_SERVER_JOBS_STORE_H

#include "jobs/job.h"

typedef struct job_store job_store;

job_store *job_store_create(void);
void job_store_destroy(job_store **store);

/** Keep a reference to a job until it has been over for some minutes, or there are many newer ones. False: memory is out. */
bool job_store_add(job_store *store, job *added);

/** The job of an id, with a reference for the caller; NULL: there is none, or no more. */
job *job_store_find(job_store *store, const char *id);

/** The job that runs, or else the oldest that waits, with a reference; NULL: there is none. */
job *job_store_current(job_store *store);

/** Call `visit` with each job, the oldest first. */
void job_store_each(job_store *store, void (*visit)(void *user, job *visited), void *user);

#endif
