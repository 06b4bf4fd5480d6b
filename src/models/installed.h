/* SPDX-License-Identifier: Apache-2.0 */
/** What models need and many of their files lack, and the program's set-up installs (tools/fetch_vocabularies.sh). */
#ifndef PLD_MODELS_INSTALLED_H
#define PLD_MODELS_INSTALLED_H

typedef struct pld_installed {
    const char *what;    /**< for people: "CLIP's vocabulary" */
    const char *inside;  /**< its place in a folder of such files */
    const char *package; /**< of Python, in which it is published */
} pld_installed;

extern const pld_installed pld_installed_clip, pld_installed_t5, pld_installed_qwen3;

/** The text that SANA's pipelines put in front of every prompt, with which the model was trained. */
extern const pld_installed pld_installed_sana_instruction;

#endif
