/* SPDX-License-Identifier: Apache-2.0 */
/** What a client sent, before anybody knows what it means. */
#ifndef PLADIS_SERVER_FIELDS_SUBMISSION_H
#define PLADIS_SERVER_FIELDS_SUBMISSION_H

#include "fields/fields.h"

/** What a client sent: an object of fields, and files. */
typedef struct submission {
    json_t *fields;
    field_upload *uploads; /**< [upload_count]; bytes belong to the exchange */
    size_t upload_count;
} submission;

/** The value of a field; NULL: it is not there, or null. */
const json_t *submission_field(const submission *read, const char *name);

/** A field as what it is, in forms, too, where all are texts. False: it is something else; what is not there leaves the result as
 *  it was, but for a text, which becomes NULL. */
bool submission_text(const submission *read, const char *name, const char **text);
bool submission_integer(const submission *read, const char *name, int64_t *number);
bool submission_flag(const submission *read, const char *name);

#endif
