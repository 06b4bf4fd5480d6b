/* SPDX-License-Identifier: Apache-2.0 */
/** A picture's own metadata as the request that draws it again. */
#ifndef PLADIS_CLI_REQUEST_RECALL_H
#define PLADIS_CLI_REQUEST_RECALL_H

#include "request/generate_options.h"

/** Values that the request's strings point into. Free with recalled_free after the request was used. */
typedef struct recalled_picture recalled_picture;

/** Store in `request` what picture `number` (from 1; 0: the only one) of the PNG was drawn with, by this
 * program or by one whose metadata can be read; `model` is NULL where that names none. Only options of
 * pictures are set, whatever the file says. Not OPTIONS_RUN after an error line. */
options_result recall_picture(const char *path, int64_t number, generate_request *request);

/** The same from the text of the PNG's "pladis" entry; `path` stands for the file in messages. */
options_result recall_text(const char *path, const char *text, int64_t number, generate_request *request);

/** A note where another program drew the picture: what of its settings counts, and what is missing. */
void recall_note_program(const generate_request *request);

/** A note where the instruction set is not the one that the picture was drawn with. */
void recall_compare_machine(const generate_request *request, const char *isa);

/** The name of the model that the picture was drawn with; "" where it is not known. */
const char *recalled_model(const recalled_picture *recalled);

/** A copy of `text`, UTF-8, that lives as long as `recalled`; NULL: out of memory. */
const char *recalled_keep(recalled_picture *recalled, const char *text);

void recalled_free(recalled_picture **recalled);

#endif
