/* SPDX-License-Identifier: Apache-2.0 */
/** The text that A1111's web interface writes into its pictures, and many programs after it. */
#ifndef PLD_PIPELINE_METADATA_A1111_READ_H
#define PLD_PIPELINE_METADATA_A1111_READ_H

#include "io/json/build.h"

/** The picture that `text` tells of in the form of our own metadata, {"model", "pictures": [{…}]}, as far as it can be taken
 *  over; the caller gives it back. "model" is absent where none is named. `left_out`, an array, gets the fields that cannot, in
 *  words. NULL: the text tells no settings, or a step of the builder failed. */
json_t *pld_metadata_read_a1111(pld_json_builder *builder, const char *text, json_t *left_out);

#endif
