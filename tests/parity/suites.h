/* SPDX-License-Identifier: Apache-2.0 */
/** The groups of tests that main.c runs by name; each returns how many tests failed. */
#ifndef PLD_TESTS_SUITES_H
#define PLD_TESTS_SUITES_H

int parity_attention_maps(void);
int parity_autoencoders(void);
int parity_conditioners(void);
int parity_denoisers(void);
int parity_generations(void);
int parity_guidance(void);
int parity_loras(void);
int parity_model_files(void);
int parity_pictures(void);
int parity_prompts(void);
int parity_split_files(void);
int parity_text_encoders(void);

#endif
