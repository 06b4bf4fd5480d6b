/* SPDX-License-Identifier: Apache-2.0 */
/** From the fields of a request to a job. The library's table of options says which fields there are: every option that it opens
 *  to clients is one, under its own name. What another interface calls differently, or has and we do not, is a row of that
 *  interface's table of rules. */
#ifndef PLADIS_SERVER_FIELDS_FIELDS_H
#define PLADIS_SERVER_FIELDS_FIELDS_H

#include "base/json.h"
#include "jobs/job.h"
#include "shelf/shelf.h"

/** What becomes of a field that is no option of ours by its name. */
typedef enum field_action {
    FIELD_OPTION,  /**< it is the option `option` */
    FIELD_NEUTRAL, /**< values of `neutral` are accepted without effect, others refused */
    FIELD_IGNORED, /**< accepted without effect: it says nothing of the picture */
    FIELD_TAKEN    /**< the interface has looked at it itself */
} field_action;

typedef struct field_rule {
    const char *name;
    field_action action;
    const char *option;
    const char *neutral; /**< a list as JSON text */
    const char *about;   /**< for the description of the interface */
    const char
        *schema; /**< likewise, as JSON text, of a field that the interface looks at itself; NULL: anything */
} field_rule;

/** Rules of an interface; its names go before those of options. */
typedef struct field_rules {
    const field_rule *rows;
    size_t count;
} field_rules;

/** A file that came as a part of a form. */
typedef struct field_upload {
    const char *name; /**< of the field */
    const void *bytes;
    size_t size;
} field_upload;

/** What the server allows. */
typedef struct field_limits {
    int64_t max_pixels, max_steps;
} field_limits;

/** What a request is read by. */
typedef struct field_reader {
    const field_rules *rules;
    shelf *things;
    field_limits limits;
} field_reader;

/** What is wrong with a request. */
typedef struct field_problem {
    char field[64]; /**< the one that it is about, or "" */
    pld_error error;
} field_problem;

/** Fill `request` (its options are there, and may be set already) with the fields of an object and with uploads. On failure
 *  `problem` says why; the request may be half filled, and is the caller's to free. */
bool fields_read(const field_reader *reader, const json_t *object, const field_upload *uploads,
                 size_t upload_count, job_request *request, field_problem *problem);

/** Set one option to a JSON value, with the same checks. */
bool fields_set(const field_reader *reader, const char *option, const json_t *value, job_request *request,
                field_problem *problem);

/** After all fields: names are looked up, limits checked, a random seed drawn where none was given. */
bool fields_settle(const field_reader *reader, job_request *request, field_problem *problem);

/** Whether clients may give an option, as part of a job. */
bool field_is_open(const pld_option *option);

/** Say what is wrong; gives false. */
bool field_refuse(field_problem *problem, const char *field, pld_status status, const char *format, ...)
    PLD_PRINTF(4, 5);

#endif
