/* SPDX-License-Identifier: Apache-2.0 */
/** From a request of any interface to a job, and back to its client. */
#ifndef PLADIS_SERVER_API_SUBMIT_H
#define PLADIS_SERVER_API_SUBMIT_H

#include "context.h"
#include "fields/submission.h"
#include "http/exchange.h"

/** The fields of a JSON body, or of a form, whose values are texts, or lists of them where a name comes twice. False: the
 *  exchange is answered. Free with submission_free. */
bool submission_read(exchange *asked, submission *read);
void submission_free(submission *freed);

/** A request that has options and a client. False: the exchange is answered. */
bool submission_begin(exchange *asked, const submission *read, job_request *request);

/** The fields by the rules of an interface, then all that is checked once they are there. False: the exchange is answered. */
bool submission_fill(exchange *asked, const submission *read, const field_rules *rules, job_request *request);

/** Answer with what is wrong with a request. */
void submission_refuse(exchange *asked, const field_problem *problem);

/** Let a job wait for its turn; `request` is taken over. With a reference for the caller; NULL: the exchange is answered. */
job *submission_queue(exchange *asked, job_request *request);

/** Wait until a job is over. It is cancelled when its client goes away, or the server ends. */
job_progress submission_wait(exchange *asked, job *awaited);

/** Answer with why a job did not end well; false: it did. */
bool submission_failed(exchange *asked, const job_progress *progress);

#endif
