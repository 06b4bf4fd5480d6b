/* SPDX-License-Identifier: Apache-2.0 */
/** Files that complete or replace parts of a model. */
#include "pipeline/options/row.h"

#define OPENING .commands = "generate grid evaluate convert"
#define MODEL   .group = "model files", .is_file = true

static const pld_option_row rows[] = {
    {.about = {PLD_OPTION(TEXT, "vae"), OPENING, MODEL, .argument = "FILE", .remote = PLD_REMOTE_NAME,
               .otherwise = "the model's own", .help = "autoencoder to use instead, file or folder"},
     PLD_MODEL(vae)},
    {.about = {PLD_OPTION(TEXT, "unet"), OPENING, MODEL, .argument = "FILE", .remote = PLD_REMOTE_NAME,
               .otherwise = "the model's own", .help = "denoising network to use instead, file or folder"},
     PLD_MODEL(unet)},
    {.about = {PLD_OPTION(TEXT, "text-encoder"), OPENING, MODEL, .argument = "FILE",
               .remote = PLD_REMOTE_NAME, .otherwise = "the model's own",
               .help = "text encoder to use, file or folder, with a denoiser's file that has none"},
     PLD_MODEL(text_encoder)},
    {.about = {PLD_OPTION(TEXT, "text-encoder-2"), OPENING, MODEL, .argument = "FILE",
               .remote = PLD_REMOTE_NAME, .otherwise = "the model's own",
               .help = "the other one of a model that has two; their order does not count"},
     PLD_MODEL(text_encoder_2)},
    {.about = {PLD_OPTION(TEXT, "text-encoder-3"), OPENING, MODEL, .argument = "FILE",
               .remote = PLD_REMOTE_NAME, .otherwise = "the model's own",
               .help = "the third one of a model that has three; their order does not count"},
     PLD_MODEL(text_encoder_3)},
    {.about =
         {PLD_OPTION(TEXT, "tokenizer"), .commands = "generate grid evaluate convert tokenize", MODEL,
          .argument = "PATH", .otherwise = "the model's own, or else the installed one",
          .help = "for a single-file checkpoint: a tokenizer folder, or CLIP's bpe_simple_vocab_16e6.txt.gz"},
     PLD_MODEL(tokenizer)},
    {.about = {PLD_OPTION(TEXT, "config"), .commands = "generate grid evaluate convert tokenize info", MODEL,
               .argument = "DIR",
               .help = "diffusers folder that describes an unusual single-file checkpoint"},
     PLD_MODEL(config)},
};

const pld_option_rows pld_rows_of_model = PLD_ROWS(rows);
