/* SPDX-License-Identifier: Apache-2.0 */
/** OpenAI's requests as ours. */
#ifndef PLADIS_SERVER_API_OPENAI_FILL_H
#define PLADIS_SERVER_API_OPENAI_FILL_H

#include "fields/submission.h"

enum { OPENAI_MOST_PARTIAL = 3 };

/** What a client wants of the answer. */
typedef struct openai_wishes {
    bool url, stream;
    int partial_images;
} openai_wishes;

extern const field_rules openai_rules;

/** Fill `request`, which has options, from what was sent; an edit needs a picture. False: `problem` says why. */
bool openai_fill(const field_reader *reader, const submission *read, bool needs_picture, job_request *request,
                 openai_wishes *wishes, field_problem *problem);

#endif
