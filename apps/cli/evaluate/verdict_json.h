/* SPDX-License-Identifier: Apache-2.0 */
/** What the scorer says, as JSON. */
#ifndef PLADIS_CLI_EVALUATE_VERDICT_JSON_H
#define PLADIS_CLI_EVALUATE_VERDICT_JSON_H

#include <jansson.h>

#include <pladis/scoring.h>

/** {"background": "cream", "things": [{"shape", "colour", "x", "y", "radius", "overlap"}, …]} */
json_t *scene_json(const pld_scene *scene);

/** {"count": true, "position": null, …}: null where the caption does not ask. */
json_t *verdict_json(const int verdict[PLD_ASPECT_COUNT]);

#endif
