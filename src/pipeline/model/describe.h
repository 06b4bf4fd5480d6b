/* SPDX-License-Identifier: Apache-2.0 */
/** Parts and attentions as the public interface tells of them, for models and files alike. */
#ifndef PLD_PIPELINE_MODEL_DESCRIBE_H
#define PLD_PIPELINE_MODEL_DESCRIBE_H

#include "io/tensors/weight_files.h"
#include "nn/plan.h"
#include "pladis/pladis.h"

/** What pld_model_get_info and pld_file_inspect tell of a part. */
pld_model_part pld_describe_weights(const char *part, const char *class_name, const pld_weight_files *files);

/** Likewise of an attention. */
static inline pld_attention_site pld_describe_site(const pld_site *site) {
    return (pld_attention_site){.struct_size = sizeof(pld_attention_site),
                                .name = site->name,
                                .kind = pld_site_kind_name(site->kind),
                                .heads = site->heads,
                                .head_size = site->head_size};
}

#endif
