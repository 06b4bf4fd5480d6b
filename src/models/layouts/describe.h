/* SPDX-License-Identifier: Apache-2.0 */
/** Configurations that a single file leaves unsaid, read off the shapes of its tensors and written as the
 *  JSON documents that a diffusers folder would have. What shapes do not tell (heads, groups, scaling,
 *  schedule) is that of the family's published models.
 */
#ifndef PLD_MODELS_LAYOUTS_DESCRIBE_H
#define PLD_MODELS_LAYOUTS_DESCRIBE_H

#include <jansson.h>

#include "io/weight_files.h"

/** What the published models of a family have in common. */
typedef struct pld_single_family {
    const char *name;      /**< "sd1", "sd2", "sdxl" */
    const char *title;     /**< "Stable Diffusion 1" */
    const char *pipeline;  /**< diffusers' class, which names the family in the registry */
    int64_t heads;         /**< of every attention of the U-Net; 0: one for each 64 channels */
    int64_t sample_size;   /**< side of the latents that it was trained at */
    int64_t sample_size_v; /**< the same where it predicts v */
    double scaling_factor;
    bool drops_last_block;             /**< of its OpenCLIP tower, which files hold and nobody uses */
    bool marks_v;                      /**< v networks carry the empty tensor v_pred */
    const char *scheduler;             /**< scheduler_config.json */
    const char *tokenizers[2];         /**< folders; NULL where there is no second one */
    const char *pad_tokens[2];         /**< of each */
    const char *text_encoder_kinds[2]; /**< classes */
} pld_single_family;

/** What tells what a network predicts, the weakest first. */
typedef enum pld_teller {
    PLD_TOLD_BY_NOTHING,   /**< it is the usual one of the family */
    PLD_TOLD_BY_STATISTIC, /**< the spread of a bias, which is likely and not said */
    PLD_TOLD_BY_SCHEDULER, /**< a folder's scheduler_config.json */
    PLD_TOLD_BY_METADATA,
    PLD_TOLD_BY_MARK /**< an empty tensor */
} pld_teller;

/** What a network predicts, as far as a file tells. */
typedef struct pld_told_prediction {
    const char *type; /**< "epsilon", "v_prediction" or "sample" */
    char reason[192]; /**< for people */
    pld_teller teller;
    bool zero_snr; /**< trained to zero terminal signal (arXiv 2305.08891) */
} pld_told_prediction;

/** The family of a U-Net under diffusers' names; networks that resemble a family and are none are refused by
 *  name. */
pld_status pld_single_family_find(const pld_weight_files *unet, const pld_single_family **family,
                                  pld_error *error);

/** NULL-terminated. */
extern const pld_single_family *const pld_single_families[];

/** config.json of each part, from its tensors under diffusers' names; the caller owns `*config`. `drop_last`:
 *  the tower has one block more than the family uses. */
pld_status pld_describe_unet(const pld_weight_files *unet, const pld_single_family *family,
                             const pld_told_prediction *prediction, json_t **config, pld_error *error);
pld_status pld_describe_vae(const pld_weight_files *vae, const pld_single_family *family, json_t **config,
                            pld_error *error);
pld_status pld_describe_text_encoder(const pld_weight_files *encoder, const char *kind, bool is_open_clip,
                                     bool drop_last, json_t **config, pld_error *error);

/** model_index.json and scheduler_config.json. */
pld_status pld_describe_pipeline(const pld_single_family *family, const pld_told_prediction *prediction,
                                 json_t **index, json_t **scheduler, pld_error *error);

/** What the network predicts, from marks in the whole file `files`, its metadata, and for SD 2 the U-Net.
 *  `family` may be NULL: unknown. Networks of the EDM formulation are refused. */
pld_status pld_tell_prediction(const pld_weight_files *files, const pld_weight_files *unet,
                               const pld_single_family *family, pld_told_prediction *prediction,
                               pld_error *error);

/* ---- for describe_*.c */

/** Axis `axis` of the tensor called by printf's rules; 0 when there is no such tensor or axis. */
int64_t pld_shape_of(const pld_weight_files *files, int axis, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** PLD_ERROR_FORMAT: the tensor from which something is read off is missing. */
pld_status pld_describe_missing(const pld_weight_files *files, const char *tensor, pld_error *error);

/** Take over `*document`, or fail where it is NULL. */
pld_status pld_described(json_t *document, json_t **target, pld_error *error);

#endif
