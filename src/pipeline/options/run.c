/* SPDX-License-Identifier: Apache-2.0 */
/** The machine, and how much is said. */
#include "pipeline/options/row.h"

#define ALL     .commands = "generate grid evaluate serve bench"
#define MACHINE .group = "machine"

static const pld_option_row rows[] = {
    {.about = {PLD_OPTION(INTEGER, "threads"), .letter = 't', ALL, MACHINE, .argument = "N",
               PLD_RANGE(1, 1024), .otherwise = "the physical cores", .help = "number of threads"},
     PLD_ENGINE(threads)},
    {.about = {PLD_OPTION(CHOICE, "isa"), ALL, MACHINE, .argument = "NAME", .choices = "auto",
               PLD_LIST_OF("isa", PLD_LIST_ISA), .otherwise = "auto",
               .help = "highest instruction set to use"},
     PLD_ENGINE(isa)},
    {.about = {PLD_OPTION(CHOICE, "conv"), ALL, MACHINE, .argument = "NAME",
               .choices = "auto direct winograd", .otherwise = "auto",
               .help = "how to compute 3x3 convolutions",
               .details =
                   "winograd needs a quarter of the multiplications and agrees with direct to about 1e-6. "
                   "With --dtype bf16, choosing direct or winograd keeps 3x3 convolutions in float32."},
     PLD_ENGINE(conv)},
    {.about = {PLD_OPTION(FLAG, "low-memory"), ALL, MACHINE,
               .help = "keep one network in memory at a time; the picture is the same",
               .details = "Each network is read again when the next picture needs it; the bytes of the "
                          "picture are the same."},
     PLD_ENGINE(low_memory)},
    {.about =
         {PLD_OPTION(SIZE, "max-memory"), .commands = "generate grid evaluate serve", MACHINE,
          .argument = "SIZE", PLD_RANGE(1, 1e18), .otherwise = "what there is",
          .help =
              "memory that the program may take; weights beyond it are read from the file as they are used",
          .details =
              "As 8G, 1.5G or 800M. Networks take turns, and weights for which there is no room are read "
              "from their files for every evaluation while the ones before them compute; the bytes of the "
              "picture are the same. What cannot fit even so is refused with figures before it begins. "
              "Without it "
              "that is done when memory is short."},
     PLD_ENGINE(max_memory)},
    {.about =
         {PLD_OPTION(CHOICE, "dtype"), .commands = "generate grid evaluate", MACHINE, .argument = "TYPE",
          .of_picture = true, .choices = "auto f32 bf16 int8", .otherwise = "auto",
          .remote = PLD_REMOTE_VALUE,
          .help = "type of the products in denoiser and autoencoder, where auto is bf16 if the CPU is "
                  "faster at it, else f32",
          .details =
              "With bf16, operands are rounded to bfloat16, while sums and everything else stay float32 "
              "(with amx, nearly so). auto is bf16 with amx, and with avx512bf16 on AMD CPUs. Other "
              "CPUs emulate bf16, which is slower than f32. It halves the memory for weights. With int8, "
              "most "
              "layers of the denoiser multiply 8-bit integers, with a scale for each 256 numbers of a row "
              "of weights and of each token, while first and last layers, queries and keys of "
              "cross-attention, modulation and embeddings keep 16 or 32 bit. It is faster on every CPU, "
              "most with avxvnni, avx512vnni and amx, and takes a byte for each weight."},
     PLD_GENERATE(dtype),
     PLD_IN_FORCE(dtype)},
    {.about = {PLD_OPTION(FLAG, "quiet"), .letter = 'q', .commands = "generate grid evaluate convert serve",
               .group = "output", .help = "print errors only"}},
    {.about = {PLD_OPTION(FLAG, "verbose"), .letter = 'v', .commands = "generate grid evaluate",
               .group = "output", .help = "print details of the run"}},
};

const pld_option_rows pld_rows_of_run = PLD_ROWS(rows);
