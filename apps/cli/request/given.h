/* SPDX-License-Identifier: Apache-2.0 */
/** Beside --from: what is given takes the place of what the picture's metadata recorded about the same thing.
 */
#ifndef PLADIS_CLI_REQUEST_GIVEN_H
#define PLADIS_CLI_REQUEST_GIVEN_H

#include "request/generate_options.h"

/** Note that the values of `row` in `request` come from metadata. */
void given_mark_recorded(generate_request *request, const option *row);

/** `row` is given now, on the command line or as a value of an axis: its recorded value is dropped, and so
 * are recorded values that would decide in its place. Called before the value is stored. */
void given_take_place(generate_request *request, const option *row);

/** A prompt of a file is given: recorded LoRAs that it names are dropped from `request`. */
void given_take_prompt(generate_request *request, const char *prompt);

/** After the values are stored: LoRAs that are given, as options or in a prompt, replace recorded ones of the
 * same name in prompt and options, and another model brings what it predicts. False after an error line. */
bool given_settle(generate_request *request);

#endif
