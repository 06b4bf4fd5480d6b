/* SPDX-License-Identifier: Apache-2.0 */
/** Jobs that wait: so many at most, and each client in turn. */
#ifndef PLADIS_SERVER_JOBS_QUEUE_H
#define PLADIS_SERVER_JOBS_QUEUE_H

#include "jobs/job.h"

typedef struct job_queue job_queue;

typedef enum queue_answer { QUEUE_TAKEN, QUEUE_FULL, QUEUE_CLOSED } queue_answer;

/** For `limit` waiting jobs, and a quarter more of clients who have none waiting, so that nobody is kept out by another's
 *  jobs. NULL: memory is out. */
job_queue *job_queue_create(size_t limit);
void job_queue_destroy(job_queue **queue);

/** Let a job wait, of which the queue holds a reference then. One that is refused has a place in a line: when it is sent again, it goes
 *  before all that were refused later, or come for the first time. It keeps that place for `patience` seconds, and as long again
 *  with each try. */
queue_answer job_queue_add(job_queue *queue, job *added, double patience);

/** The next job, with the queue's reference: of the clients that have some waiting that one's which was served longest ago, its
 *  oldest. Waits; NULL: the queue is closed and empty. */
job *job_queue_take(job_queue *queue);

/** End a job that waits as cancelled, and ask one that does not to end. */
void job_queue_cancel(job_queue *queue, job *cancelled);

/** How many jobs go before this one, this one included, as things stand; 0: it does not wait. */
size_t job_queue_place(job_queue *queue, const job *asked);
size_t job_queue_length(job_queue *queue);

/** Take no more jobs; those that wait end as cancelled where `drop`. */
void job_queue_close(job_queue *queue, bool drop);

#endif
