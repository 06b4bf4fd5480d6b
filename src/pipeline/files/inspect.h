/* SPDX-License-Identifier: Apache-2.0 */
/** Shared by inspect*.c only: the public view of a file and what it points into. */
#ifndef PLD_PIPELINE_FILES_INSPECT_H
#define PLD_PIPELINE_FILES_INSPECT_H

#include "core/sized.h"
#include "loras/file.h"
#include "models/families.h"
#include "models/layouts/describe.h"
#include "models/layouts/layouts.h"
#include "nn/plan.h"
#include "pladis/pladis.h"

enum { PLD_MOST_NOTES = 16, PLD_MOST_TAGS = 20 };

/** `info` is first, so that one pointer is both. */
typedef struct pld_inspection {
    pld_file_info info;
    char *path;
    pld_weight_files *files;
    pld_layout_contents contents;
    pld_told_prediction prediction;
    pld_model_part parts[PLD_MOST_LAYOUT_PARTS];
    const pld_model_part *public_parts[PLD_MOST_LAYOUT_PARTS]; /* into `parts` */
    pld_plan plan;                                             /* of the U-Net, whose sites are listed */
    pld_attention_site *sites;
    const pld_attention_site **public_sites; /* into `sites` */
    const char **metadata;
    pld_lora_facts lora;
    const char *lora_part_names[PLD_LORA_PART_COUNT];
    size_t lora_part_modules[PLD_LORA_PART_COUNT];
    char *notes[PLD_MOST_NOTES];
    bool note_lost;
    char *tags[PLD_MOST_TAGS];
    uint64_t tag_uses[PLD_MOST_TAGS];
} pld_inspection;

/** Add a sentence; where memory is out the inspection fails in the end. Further ones than there is room for
 * are dropped. */
void pld_inspection_note(pld_inspection *inspection, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Fill in what a file that holds parts of a model is. */
pld_status pld_inspect_parts(pld_inspection *inspection, const char *config, pld_error *error);

/** Fill in the facts of a LoRA; false when the file is none. */
pld_status pld_inspect_lora(pld_inspection *inspection, bool *is_lora, pld_error *error);

/** Collect the most frequent training tags of the metadata `ss_tag_frequency`. A list that cannot be read is
 *  passed over with a note. */
pld_status pld_inspect_tags(pld_inspection *inspection, pld_error *error);

#endif
