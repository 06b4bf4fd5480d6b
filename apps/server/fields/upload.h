/* SPDX-License-Identifier: Apache-2.0 */
/** Files that clients send. */
#ifndef PLADIS_SERVER_FIELDS_UPLOAD_H
#define PLADIS_SERVER_FIELDS_UPLOAD_H

#include "fields/fields.h"

/** Whether a file is a PNG of no more than `max_pixels` pixels, told by its header before anything of it is unpacked. */
bool upload_check_png(const char *field, const void *bytes, size_t size, int64_t max_pixels,
                      field_problem *problem);

/** Where the file of an upload option is kept; NULL: there is no such option. */
job_bytes *upload_place(job_request *request, const char *option);

/** Keep a copy of a file, or the bytes of a base64 text, as the value of an upload option. */
bool upload_keep(const pld_option *option, const void *bytes, size_t size, int64_t max_pixels,
                 job_request *request, field_problem *problem);
bool upload_keep_base64(const pld_option *option, const char *text, int64_t max_pixels, job_request *request,
                        field_problem *problem);

#endif
