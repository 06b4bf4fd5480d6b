/* SPDX-License-Identifier: Apache-2.0 */
/** One drawn picture in words. */
#ifndef PLD_PIPELINE_METADATA_PICTURE_H
#define PLD_PIPELINE_METADATA_PICTURE_H

#include "io/json/build.h"
#include "pladis/metadata.h"

/** A caller's struct with what he left out. PLD_ERROR_ARGUMENT: options or report are missing. */
pld_status pld_drawn_read(const pld_drawn_picture *given, pld_drawn_picture *picture, pld_error *error);

const char *pld_drawn_prompt(const pld_drawn_picture *picture);
int64_t pld_drawn_seed(const pld_drawn_picture *picture);
double pld_drawn_pladis_scale(const pld_drawn_picture *picture);

/** The value of an option of `generate`. */
const pld_option_value *pld_drawn_value(const pld_drawn_picture *picture, const char *name);

/** A text as JSON, with U+FFFD for what is not UTF-8; null for NULL. */
json_t *pld_metadata_json_text(const char *text);

/** Last part of a path as a new text, released with pld_free; NULL: memory is out. */
char *pld_metadata_base_name(const char *path);

/** Every parameter in force; NULL: memory is out. */
json_t *pld_metadata_json(pld_json_builder *builder, const pld_drawn_picture *picture, bool whole_paths);

/** The text "parameters", released with pld_free; NULL: memory is out. */
char *pld_metadata_a1111(const pld_drawn_picture *picture, const char *model);

#endif
