/* SPDX-License-Identifier: Apache-2.0 */
#include "models/installed.h"

const pld_installed pld_installed_clip = {"CLIP's vocabulary (bpe_simple_vocab_16e6.txt.gz)",
                                          "bpe_simple_vocab_16e6.txt.gz", "open_clip_torch"};
const pld_installed pld_installed_t5 = {"T5's vocabulary", "t5/tokenizer.json", "invokeai"};
const pld_installed pld_installed_qwen3 = {"Qwen3's vocabulary", "qwen3/tokenizer.json.gz", "invokeai"};
const pld_installed pld_installed_sana_instruction = {"SANA's instruction", "sana/complex_instruction.txt",
                                                      "diffusers"};
