/* SPDX-License-Identifier: Apache-2.0 */
/** What of an attention tells of the text: all of it, or of a joint one the text's keys in the rows of the picture;
 * and how many keys there are. */
#ifndef PLD_PIPELINE_OBSERVE_TEXT_PART_H
#define PLD_PIPELINE_OBSERVE_TEXT_PART_H

#include "pladis/attention.h"

/** Keys and zero keys. */
static inline int64_t pld_all_keys(const pld_attention_problem *problem) {
    return problem->key_count + problem->zero_keys;
}

/** The same problem with the queries of the picture and the keys of the text alone. Softmax over these keys is what the
 * text's weights are of a joint attention once they are divided by their sum. */
static inline pld_attention_problem pld_text_part(const pld_attention_problem *problem) {
    pld_attention_problem part = *problem;
    if (problem->joint_text_keys > 0) {
        part.query += problem->joint_first_image_query * problem->query_token_stride;
        part.query_count = problem->joint_image_queries;
        part.key += problem->joint_first_text_key * problem->key_token_stride;
        part.key_count = problem->joint_text_keys;
    }
    return part;
}

#endif
