/* SPDX-License-Identifier: Apache-2.0 */
/** The text that A1111's web interface writes into its pictures, and many programs after it. */
#ifndef PLADIS_CLI_REQUEST_A1111_PARAMETERS_H
#define PLADIS_CLI_REQUEST_A1111_PARAMETERS_H

#include <jansson.h>

/** The picture that `text` tells of in the form of our own metadata, {"model", "pictures": [{…}]}, as far as
 * it can be taken over; the caller gives it back. "model" is absent where none is named. `left_out`, an
 * array, gets the fields that cannot, in words. NULL: the text tells no settings, or memory is out. */
json_t *a1111_parameters_read(const char *text, json_t *left_out);

#endif
