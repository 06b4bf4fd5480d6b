/* SPDX-License-Identifier: Apache-2.0 */
/** What people paste from command lines of other programs (stable-diffusion.cpp, A1111, diffusers): taken without
 * effect where nothing is lost by that, else refused with the reason. A value that a habit does not name among its
 * choices is refused with the same sentence. */
#include "pipeline/options/row.h"

#define DRAWING .commands = "generate grid evaluate"
#define HABIT(name_, why)                                                                                    \
    {                                                                                                        \
        .about = { PLD_OPTION(HABIT, name_), DRAWING, .help = (why) }                                        \
    }
#define MISSING(name_, why)                                                                                  \
    {                                                                                                        \
        .about = { PLD_OPTION(MISSING, name_), DRAWING, .help = (why) }                                      \
    }

#define CPU_ONLY   "everything runs on the CPU here"
#define ATTENTION  "attention never holds its whole matrix in memory here, so there is nothing to turn on"
#define NO_NETWORK "not available in this version: networks of this kind are not run"

#define WHOLE_MODEL                                                                                          \
    "not available in this version: give a folder or a file that holds the text encoders, too, to --model"

static const pld_option_row rows[] = {
    {.about =
         {PLD_OPTION(HABIT, "mode"), DRAWING, .letter = 'M', .argument = "MODE",
          .choices = "img_gen txt2img img2img",
          .help =
              "the command says what is done: generate draws pictures, from text or with --init-img from a "
              "picture, and convert converts"}},
    HABIT("diffusion-fa", ATTENTION),
    HABIT("fa", ATTENTION),
    HABIT("xformers", ATTENTION),
    HABIT("opt-sdp-attention", ATTENTION),
    HABIT("vae-on-cpu", CPU_ONLY),
    HABIT("clip-on-cpu", CPU_ONLY),
    HABIT("control-net-cpu", CPU_ONLY),
    HABIT("offload-to-cpu", CPU_ONLY),
    HABIT("use-cpu", CPU_ONLY),
    HABIT("no-half",
          "--dtype f32 says so here; float32 is the default where the CPU is not faster at bfloat16"),
    HABIT("no-half-vae", "what of the autoencoder must stay float32 does so here"),
    HABIT("diffusion-conv-direct",
          "how convolutions are computed is chosen by their shape; --conv changes it"),
    HABIT("vae-conv-direct", "how convolutions are computed is chosen by their shape; --conv changes it"),
    HABIT("mmap", "files of weights are always mapped"),
    HABIT("medvram", "--low-memory keeps one network in memory at a time"),
    HABIT("lowvram", "--low-memory keeps one network in memory at a time"),
    HABIT("color", "there are no colours to turn on"),
    MISSING("distilled-guidance",
            "not available in this version: guidance-distilled transformers are not run yet; use "
            "--cfg-scale"),
    MISSING("vae-tiling", "not available in this version: the picture is decoded whole"),
    MISSING("clip-l", WHOLE_MODEL),
    MISSING("clip-g", WHOLE_MODEL),
    MISSING("t5xxl", WHOLE_MODEL),
    MISSING(
        "skip-layers",
        "not available in this version: skip-layer guidance belongs to transformers, which are not run yet"),
    MISSING(
        "slg-scale",
        "not available in this version: skip-layer guidance belongs to transformers, which are not run yet"),
    MISSING("taesd", NO_NETWORK),
    MISSING("control-net", NO_NETWORK),
    MISSING("control-image", NO_NETWORK),
    MISSING("upscale-model", NO_NETWORK),
    MISSING("embd-dir", "not available in this version: textual inversion is not run"),
    MISSING("hires-fix",
            "not available in this version: draw small, then take the picture with --init-img, a larger "
            "--width and --height and --strength 0.5"),
};

const pld_option_rows pld_rows_of_habits = PLD_ROWS(rows);
