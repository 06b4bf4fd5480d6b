/* SPDX-License-Identifier: Apache-2.0 */
/** The server's options. */
#include "pipeline/options/row.h"

#define WHAT   .commands = "serve", .group = "what to serve"
#define WHERE  .commands = "serve", .group = "who may ask"
#define LIMITS .commands = "serve", .group = "limits"

static const pld_option_row rows[] = {
    {.about = {PLD_OPTION(TEXTS, "model"), .letter = 'm', WHAT, .argument = "MODEL", .is_file = true,
               .maximum = 256, .otherwise = "demo, unless --models-dir has some",
               .help = "diffusers folder, checkpoint, or name of a model that ships with the program; "
                       "repeatable; the first is "
                       "what clients get that name none"}},
    {.about = {PLD_OPTION(TEXT, "models-dir"), WHAT, .argument = "DIR", .is_file = true,
               .help = "folder whose models clients can name",
               .details = "Diffusers folders, .safetensors and .gguf files, autoencoders and text encoders "
                          "among them. What is "
                          "put there later is found, too."}},
    {.about = {PLD_OPTION(TEXT, "lora-dir"), .aliases = "lora-model-dir", WHAT, .argument = "DIR",
               .is_file = true,
               .help = "folder whose LoRAs clients can name, as a field or in a prompt as <lora:NAME:W>"}},
    {.about = {PLD_OPTION(TEXT, "output-dir"), WHAT, .argument = "DIR", .is_file = true,
               .otherwise = "pladis/history in the folder for data of the user",
               .help = "folder of the history: every picture, as a PNG that tells how it was made",
               .details = "The last 2000 are kept. Only files that the server has named are shown, given "
                          "away or removed."}},
    {.about = {PLD_OPTION(FLAG, "no-history"), WHAT, .help = "keep no pictures"}},
    {.about =
         {PLD_OPTION(TEXT, "host"), .aliases = "listen", WHERE, .argument = "ADDRESS",
          .fallback = "127.0.0.1",
          .help = "address to listen on; 0.0.0.0 lets other machines in, which needs an API key to be safe"}},
    {.about = {PLD_OPTION(INTEGER, "port"), WHERE, .argument = "N", PLD_RANGE(0, 65535), .fallback = "7860",
               .help = "port to listen on; 0 is any that is free"}},
    {.about = {PLD_OPTION(TEXT, "api-key-file"), WHERE, .argument = "FILE", .is_file = true,
               .otherwise = "PLADIS_API_KEY, or else no key",
               .help = "file whose first line is the key that clients must give, as a Bearer token"}},
    {.about = {PLD_OPTION(TEXTS, "allowed-host"), WHERE, .argument = "HOST", .maximum = 64,
               .help = "name by which the server may be reached besides localhost and addresses, as that of "
                       "a proxy; repeatable",
               .details = "Requests whose Host header has another name, and pages of another origin, are "
                          "refused: a foreign page "
                          "could otherwise use the browser of somebody who may ask."}},
    {.about = {PLD_OPTION(INTEGER, "queue"), LIMITS, .argument = "N", PLD_RANGE(1, 10000), .fallback = "32",
               .help = "jobs that may wait; more are refused with status 429",
               .details = "A quarter more places are kept for clients that have no job waiting, and clients "
                          "take turns."}},
    {.about = {PLD_OPTION(INTEGER, "max-pixels"), LIMITS, .argument = "N", PLD_RANGE(1, 268435456),
               .fallback = "4194304", .help = "largest picture, in pixels, that is drawn or accepted"}},
    {.about = {PLD_OPTION(INTEGER, "max-steps"), LIMITS, .argument = "N", PLD_RANGE(1, 1000),
               .fallback = "150", .help = "most steps of a picture"}},
};

const pld_option_rows pld_rows_of_serve = PLD_ROWS(rows);
