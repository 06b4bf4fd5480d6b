/* SPDX-License-Identifier: Apache-2.0 */
/** OpenAI's events of pictures that form. */
#ifndef PLADIS_SERVER_API_OPENAI_STREAM_H
#define PLADIS_SERVER_API_OPENAI_STREAM_H

#include "api/openai_fill.h"
#include "context.h"
#include "http/exchange.h"

/** Answer with the events of a job; `name` begins their types. The job is cancelled when its client goes away. */
void openai_stream(exchange *asked, job *drawn, const openai_wishes *wishes, const char *name);

#endif
