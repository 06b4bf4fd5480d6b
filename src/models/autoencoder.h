/* SPDX-License-Identifier: Apache-2.0 */
/** What the pipeline knows of an autoencoder: pictures [B, H, W, 3] in −1…1 ↔ latents [B, h, w, channels]. */
#ifndef PLD_MODELS_AUTOENCODER_H
#define PLD_MODELS_AUTOENCODER_H

#include "models/part.h"
#include "nn/build.h"

enum { PLD_MOST_LATENT_CHANNELS = 128 };

/** What is known of an autoencoder by its configuration. Denoisers work on scale·(x − shift) of its latents x. */
typedef struct pld_autoencoder_facts {
    int64_t factor;   /**< pixels of a side for one of latents */
    int64_t channels; /**< of the latents */
    float scale[PLD_MOST_LATENT_CHANNELS], shift[PLD_MOST_LATENT_CHANNELS]; /**< of each channel */
    int64_t
        patch; /**< side of the patches of which the channels are made, [C/p², p, p] each; 0: they are not */
    bool no_moments; /**< the encoder gives latents, of which nothing is drawn */
    bool takes_mean; /**< of the encoder's moments the mean alone is taken, and nothing is drawn */
    bool clamped;    /**< a decoded picture is cut off at −1 and 1 */
    const double (
        *latent_rgb)[3]; /**< [channels + 1] for previews: red, green, blue of each scaled channel and what is
                                      added, in −1…1; NULL: not known */
} pld_autoencoder_facts;

typedef struct pld_autoencoder_values {
    pld_value_id
        in; /**< decoder: latents [B, h, w, channels], scaling undone; encoder: picture [B, H, W, 3] in −1…1 */
    pld_value_id
        out; /**< decoder: picture [B, H, W, 3]; encoder: moments [B, h, w, 2·channels]: mean, log-variance; or latents
                           [B, h, w, channels] */
} pld_autoencoder_values;

/** A network for `batch` inputs of `height`, `width`: latents for a decoder, pixels for an encoder. */
typedef pld_status (*pld_autoencoder_build)(pld_plan *plan, const void *config, int64_t batch, int64_t height,
                                            int64_t width, pld_autoencoder_values *values, pld_error *error);

/** One scale and shift for all channels. */
static inline void pld_autoencoder_scale_all(pld_autoencoder_facts *facts, double scale, double shift) {
    for (int64_t c = 0; c < facts->channels; c++) {
        facts->scale[c] = (float)scale;
        facts->shift[c] = (float)shift;
    }
}

/** Functions of an autoencoder; `config` is its class's configuration. */
struct pld_autoencoder {
    void (*facts)(const void *config, pld_autoencoder_facts *facts);
    pld_autoencoder_build decoder, encoder;
    /** Take scale and shift from statistics that the weights hold, once those have been bound; NULL: the configuration states
     * them. Random weights leave them as they are. */
    pld_status (*read_statistics)(const void *config, pld_parameters *parameters,
                                  pld_autoencoder_facts *facts, pld_error *error);
};

#endif
