/* SPDX-License-Identifier: Apache-2.0 */
/** What transformers share in which the tokens of a picture and of a text, each with weights of their own, attend to each
 *  other in one softmax (Esser et al. 2024, arXiv 2403.03206: "MMDiT"). Names are those of diffusers' modules. */
#ifndef PLD_MODELS_BLOCKS_JOINT_H
#define PLD_MODELS_BLOCKS_JOINT_H

#include "models/blocks/place_rotation.h"
#include "nn/build.h"

/** Parts of the modulation of a stream, `width` numbers each (Peebles & Xie 2023, arXiv 2212.09748). */
enum {
    PLD_JOINT_SHIFT,
    PLD_JOINT_SCALE,
    PLD_JOINT_GATE,
    PLD_JOINT_ATTENTION_PARTS, /**< as many has a block without a feed-forward layer of its own */
    PLD_JOINT_SHIFT_MLP = PLD_JOINT_ATTENTION_PARTS,
    PLD_JOINT_SCALE_MLP,
    PLD_JOINT_GATE_MLP,
    PLD_JOINT_PARTS
};

/** Of a last norm, which diffusers stores the other way round. */
enum { PLD_JOINT_LAST_SCALE, PLD_JOINT_LAST_SHIFT, PLD_JOINT_LAST_PARTS };

/** A network of this kind on its way into a plan. */
typedef struct pld_joint {
    pld_builder b;
    int64_t width, heads;        /**< of a token, and how many heads it has */
    int64_t text, rows, columns; /**< tokens of the text, and of the picture */
    bool image_first;            /**< the picture's tokens stand in front of the text's */
    bool bias;                   /**< the layers of the blocks have biases */
    bool norms_heads;            /**< an RMS norm of the heads of queries and keys */
    double epsilon;              /**< of every norm */
    pld_places places; /**< how heads turn; its tokens are filled in here; axis_count 0: they do not */
    int64_t mlp_width; /**< of pld_joint_feed_forward */
    pld_value_id time; /**< [B, 1, width]: SiLU of the embedding of timestep, guidance and pooled text */
} pld_joint;

/** Both streams on their way through the blocks, [B, T, width], with their modulations, [B, 1, parts·width]. */
typedef struct pld_joint_streams {
    pld_value_id image, text, by_image, by_text;
} pld_joint_streams;

/** Queries, keys and values of some tokens, [B, T, width] each. */
typedef struct pld_joint_projections {
    pld_value_id query, key, value;
} pld_joint_projections;

/** Whose tokens a value has. */
typedef enum pld_joint_tokens { PLD_JOINT_IMAGE, PLD_JOINT_TEXT, PLD_JOINT_BOTH } pld_joint_tokens;

/** NAME.linear_1 and NAME.linear_2 of sinusoids, with SiLU between them; what a prompt or a guidance scale adds follows from
 * outside with `outside`. Shown as TAP; its SiLU becomes j->time. */
void pld_joint_embed_time(pld_joint *j, const char *tap, const char *name, pld_value_id sinusoids,
                          bool outside);

/** Layer NAME of j->time → [B, 1, parts·width]. */
pld_value_id pld_joint_modulation(pld_joint *j, const char *name, int parts);

/** norm(x)·(1 + scale) + shift, by two parts of a modulation. */
pld_value_id pld_joint_modulated(pld_joint *j, pld_value_id x, pld_value_id by, int scale, int shift);

/** x += gate·NAME(y), by a part of a modulation. */
void pld_joint_add_gated(pld_joint *j, const char *name, pld_value_id y, pld_value_id x, pld_value_id by,
                         int gate);

/** Norm NAME of the heads of queries or keys x, and their rotation, where the network has them. Returns x. */
pld_value_id pld_joint_prepare_heads(pld_joint *j, const char *norm, pld_value_id x, pld_joint_tokens tokens);

/** Those of x by to_q, to_k and to_v, or add_q_proj, add_k_proj and add_v_proj of a text. */
pld_joint_projections pld_joint_project(pld_joint *j, pld_value_id x, pld_joint_tokens tokens);

/** The tokens of both in their order; the picture's may have fewer rows. */
pld_value_id pld_joint_join(pld_joint *j, pld_value_id image, pld_value_id text);

/** The picture's tokens [B, rows, columns, width] out of those of both. */
pld_value_id pld_joint_image_of(pld_joint *j, pld_value_id both);

/** Attention of all tokens to each other: where PLADIS acts, on the text's columns in the picture's rows. */
pld_value_id pld_joint_attend(pld_joint *j, pld_joint_projections of);

/** After an attention that gave `out`, all that follows has as many rows, of the picture perhaps fewer: `image_out`. So each
 * row is computed alike, alone and beside others. */
void pld_joint_part_rows(pld_joint *j, pld_joint_streams *s, pld_value_id out, pld_value_id image_out);

/** image += gate·attn.to_out.0(…), text += gate·attn.to_add_out(…) of the attention of both. Of the last block's text nothing
 * is wanted but its keys and values (context_pre_only), and its modulation is a last norm's. */
void pld_joint_attend_to_both(pld_joint *j, pld_joint_streams *s, bool text_ends);

/** x += gate·NAME.net.2(gelu(NAME.net.0.proj(norm(x)))), with the tanh approximation of GELU. */
void pld_joint_feed_forward(pld_joint *j, const char *name, pld_value_id x, pld_value_id by);

/** Show both streams behind double block `index`, as diffusers returns them: the text's first, unless it ended there. */
void pld_joint_tap_streams(pld_joint *j, int64_t index, const pld_joint_streams *s, bool text_ends);

/** The last norm, norm_out, and layer proj_out of the picture's tokens → [.., channels]. */
pld_value_id pld_joint_output(pld_joint *j, pld_value_id x, int64_t channels);

#endif
