/* SPDX-License-Identifier: Apache-2.0 */
/** What a network predicts, as far as its file tells. */
#ifndef PLD_MODELS_PREDICTION_H
#define PLD_MODELS_PREDICTION_H

#include <stdbool.h>

/** What tells what a network predicts, the weakest first. */
typedef enum pld_teller {
    PLD_TOLD_BY_NOTHING,   /**< it is the usual one of the family */
    PLD_TOLD_BY_STATISTIC, /**< the spread of a bias, which is likely and not said */
    PLD_TOLD_BY_SCHEDULER, /**< a folder's scheduler_config.json */
    PLD_TOLD_BY_METADATA,
    PLD_TOLD_BY_MARK /**< an empty tensor */
} pld_teller;

/** What networks predict that are trained on flows alone. */
#define PLD_FLOW_PREDICTION "flow_prediction"

typedef struct pld_told_prediction {
    const char *type; /**< "epsilon", "v_prediction", "sample" or "flow_prediction" */
    char reason[192]; /**< for people */
    pld_teller teller;
    bool zero_snr; /**< trained to zero terminal signal (arXiv 2305.08891) */
} pld_told_prediction;

#endif
