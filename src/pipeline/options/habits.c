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

#define CPU_ONLY   "everything runs on the CPU in any case"
#define ATTENTION  "attention never stores its whole matrix here, so there is nothing to turn on"
#define NO_NETWORK "not available in this version: networks of this kind are not supported"

#define WHOLE_MODEL                                                                                          \
    "not available in this version: give --model a folder or file that also contains the text encoders"

static const pld_option_row rows[] = {
    {.about = {PLD_OPTION(HABIT, "mode"), DRAWING, .letter = 'M', .argument = "MODE",
               .choices = "img_gen txt2img img2img",
               .help = "the command says what to do: generate draws pictures from text or, with --init-img, "
                       "from a picture; convert converts models"}},
    HABIT("diffusion-fa", ATTENTION),
    HABIT("fa", ATTENTION),
    HABIT("xformers", ATTENTION),
    HABIT("opt-sdp-attention", ATTENTION),
    HABIT("vae-on-cpu", CPU_ONLY),
    HABIT("clip-on-cpu", CPU_ONLY),
    HABIT("control-net-cpu", CPU_ONLY),
    HABIT("offload-to-cpu", CPU_ONLY),
    HABIT("use-cpu", CPU_ONLY),
    HABIT("no-half", "use --dtype f32 for that; float32 is the default unless the CPU is faster at bfloat16"),
    HABIT("no-half-vae", "the parts of the autoencoder that need float32 always use it"),
    HABIT("diffusion-conv-direct",
          "the shape of a convolution decides how it is computed; --conv changes that"),
    HABIT("vae-conv-direct", "the shape of a convolution decides how it is computed; --conv changes that"),
    HABIT("mmap", "weight files are always memory-mapped"),
    HABIT("medvram", "use --low-memory, which keeps one network in memory at a time"),
    HABIT("lowvram", "use --low-memory, which keeps one network in memory at a time"),
    HABIT("color", "the output has no colours to turn on"),
    MISSING("vae-tiling", "not available in this version: the picture is decoded in one piece"),
    MISSING("clip-l", WHOLE_MODEL),
    MISSING("clip-g", WHOLE_MODEL),
    MISSING("t5xxl", WHOLE_MODEL),
    MISSING("skip-layers", "not available in this version: skip-layer guidance is for transformers, which "
                           "are not supported yet"),
    MISSING("slg-scale", "not available in this version: skip-layer guidance is for transformers, which are "
                         "not supported yet"),
    MISSING("taesd", NO_NETWORK),
    MISSING("control-net", NO_NETWORK),
    MISSING("control-image", NO_NETWORK),
    MISSING("upscale-model", NO_NETWORK),
    MISSING("embd-dir", "not available in this version: textual inversion is not supported"),
    MISSING("hires-fix",
            "not available in this version: draw a small picture, then use it with --init-img, a larger "
            "--width and --height, and --strength 0.5"),
};

const pld_option_rows pld_rows_of_habits = PLD_ROWS(rows);
