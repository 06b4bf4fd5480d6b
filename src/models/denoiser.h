/* SPDX-License-Identifier: Apache-2.0 */
/** What the pipeline knows of a denoising network.
 *
 *      condition    text states [1, tokens, 1, state_width] and `told` → values that every evaluation takes from outside:
 *                   keys and values of cross-attentions, what joins the time embedding; computed once a prompt
 *      build        sample [B, h, w, channels], timesteps and conditions of the run → output [B, h, w, output channels]
 */
#ifndef PLD_MODELS_DENOISER_H
#define PLD_MODELS_DENOISER_H

#include "models/part.h"
#include "nn/build.h"

/** What is known of a denoiser by its configuration. */
typedef struct pld_denoiser_facts {
    int64_t channels;        /**< of the sample */
    int64_t output_channels; /**< of the output, of which the first are the prediction */
    int64_t multiple;        /**< a side of the sample must be a multiple of this */
    int64_t least_side;      /**< of a sample that the network can be written down for */
    int64_t most_side;       /**< of a sample that it has places for; 0: there is no end */
    int64_t sample_size; /**< side of the sample that it was trained at; 0: its configuration states none */
    int64_t state_width; /**< of the text states that it attends to */
    const char *state_width_field;  /**< of its configuration */
    int64_t pooled_width;           /**< of the pooled text embedding that it is told of; 0: none */
    const char *pooled_width_field; /**< of its configuration, where one says just that; NULL: none does */
    int64_t told;                   /**< numbers that it is told of a picture beside the text; 0: none */
    bool told_sizes;                /**< among them sizes of the picture */
    bool
        text_joins_time; /**< what rows begin with depends on the text, as the time embedding of some or the picture's
                            places of others, so rows of other texts are equal nowhere */
    bool
        text_joins_sample; /**< tokens of the text stand among the sample's, so an evaluation is written down for one
                               number of them */
    int64_t text_tokens; /**< most tokens of a text that it was made for; 0: the pipeline's */
    int64_t
        text_multiple; /**< to a multiple of which it fills texts up that join the sample; 0: it does not */
    int64_t packed; /**< side of the patches as which diffusers hands latents on; 0: it does not pack them */
    bool skips_blocks; /**< its blocks can be left out by some rows */
    char skipped
        [16]; /**< blocks that skip-layer guidance leaves out where nothing else is said; "": unknown */
    char perturbed[8]; /**< self-attentions that PAG and SEG change where nothing else is said: "mid", "14" */
    double timestep_scale;   /**< by which a timestep is multiplied for the network; 0: it is not */
    double timestep_divisor; /**< by which it is divided; 0: it is not */
    double
        timestep_end; /**< from which it is taken first, where time runs from noise to picture; 0: it is not */
    bool negated;     /**< its output points from noise to picture: the prediction is its opposite */
    pld_block_scales freeu; /**< FreeU's published factors; all 0: it has no such blocks */
    double
        distilled_guidance; /**< the embedded guidance scale where nothing else is asked for; 0: it embeds none */
} pld_denoiser_facts;

/** What a denoiser may be told of the picture. Pixels. */
typedef struct pld_picture_facts {
    int64_t width, height;
    int64_t original_width, original_height; /**< before it was scaled for training */
    int64_t crop_left, crop_top;             /**< what was cut off */
    int64_t target_width, target_height;     /**< after scaling and cutting */
    double distilled_guidance;               /**< scale that a guidance-distilled network is told */
} pld_picture_facts;

/** Latents of one evaluation. */
typedef struct pld_denoiser_shape {
    int64_t batch, height, width;
    /** Of `batch` rows that have the same latents and timestep: sample then has a row for each group of them at the
     * input, output for each that is left at the end. NULL: rows have nothing in common. Borrowed while the network is
     * written down. */
    const pld_row_sharing *sharing;
    int64_t text_tokens; /**< of every row's text as it joins the sample, where it does */
} pld_denoiser_shape;

typedef struct pld_denoiser_values {
    pld_value_id sample; /**< input [B, h, w, channels], B rows or groups of them */
    pld_value_id output; /**< likewise [B, h, w, output_channels] */
} pld_denoiser_values;

/** What a condition is made of. */
typedef struct pld_condition_request {
    int64_t tokens;        /**< of the text */
    const pld_site *sites; /**< [site_count] of the network once built */
    size_t site_count;
} pld_condition_request;

typedef struct pld_condition_values {
    pld_value_id states; /**< input [1, tokens, 1, state_width] */
    pld_value_id told;   /**< input [1, 1, 1, told]; PLD_NO_VALUE where it is told of nothing */
} pld_condition_values;

/** Functions of a denoiser; `config` is its class's configuration. */
struct pld_denoiser {
    void (*facts)(const void *config, pld_denoiser_facts *facts);
    /** Write one evaluation down. */
    pld_status (*build)(pld_plan *plan, const void *config, const pld_denoiser_shape *shape,
                        pld_denoiser_values *values, pld_error *error);
    /** Write down what a prompt gives, as offers in the order in which the evaluation takes them. */
    pld_status (*condition)(pld_plan *plan, const void *config, const pld_condition_request *request,
                            pld_condition_values *values, pld_error *error);
    /** Fill the input `told` from a pooled embedding [pooled_width] and the picture; NULL where it is told of nothing. */
    void (*tell)(const void *config, const float *pooled, const pld_picture_facts *picture, float *told);
    /** Name of the published model whose network it is most like, by its tensors under diffusers' names; networks that resemble
     * one and are something else are refused by name. */
    pld_status (*recognise)(const pld_weight_files *weights, const char **published, pld_error *error);
    /** What it predicts, from marks and metadata of the whole `files`, and from its own `weights`. `published` may be NULL:
     * unknown. */
    pld_status (*tell_prediction)(const pld_weight_files *files, const pld_weight_files *weights,
                                  const pld_published *published, pld_told_prediction *told,
                                  pld_error *error);
};

/** pld_denoiser.tell_prediction of networks that are trained on flows alone. */
pld_status pld_tell_flow_prediction(const pld_weight_files *files, const pld_weight_files *weights,
                                    const pld_published *published, pld_told_prediction *told,
                                    pld_error *error);

#endif
