/* SPDX-License-Identifier: Apache-2.0 */
/* The list of presets. Figures are those of the models' own publications:
 *
 *      turbo      Sauer et al. 2023, arXiv 2311.17042          lightning  Lin et al. 2024, arXiv 2402.13929
 *      hyper      Ren et al. 2024, arXiv 2404.13686            dmd2       Yin et al. 2024, arXiv 2405.14867
 *      lcm        Luo et al. 2023, arXiv 2311.05556            tcd        Zheng et al. 2024, arXiv 2402.19159
 *      sana-sprint Chen et al. 2025, arXiv 2503.09641           schnell    Black Forest Labs 2024, FLUX.1-schnell's card
 *      sd3.5-turbo Stability AI 2024, SD 3.5 large turbo's card
 *      klein      Black Forest Labs 2026, FLUX.2-klein's card
 *      z-image-turbo Z-Image Team 2025, arXiv 2511.22699
 */
#include "sampling/preset.h"

#include <math.h>
#include <string.h>

#include "core/text.h"

static const double dmd2_four[] = {999, 749, 499, 249};
static const double dmd2_one[] = {399};
static const double hyper_one[] = {800};

#define TIMESTEPS(list) .timesteps = (list), .timestep_count = sizeof(list) / sizeof *(list)
#define DISTILLED       .cfg_scale = 1, .eta = NAN

static const pld_preset turbo = {
    "turbo",
    "SDXL-Turbo: euler_a trailing, 4 steps (1 to 4), no CFG, 512 x 512 (arXiv 2311.17042)",
    "euler_a",
    "trailing",
    .steps = 4,
    DISTILLED,
    .size = 512,
    .words = "turbo|xl turbo|sdxl turbo",
    .scheduler_class = "EulerAncestralDiscreteScheduler"};
static const pld_preset sd_turbo = {
    "sd-turbo",
    "SD-Turbo: euler trailing, 4 steps (1 to 4), no CFG, 512 x 512 (arXiv 2311.17042)",
    "euler",
    "trailing",
    .steps = 4,
    DISTILLED,
    .size = 512,
    .words = "sd turbo",
    .scheduler_class = "EulerDiscreteScheduler",
    .family = "stable-diffusion"};

#define LIGHTNING(row, count, names)                                                                         \
    static const pld_preset row = {"lightning-" #count,                                                      \
                                   "SDXL-Lightning: euler trailing, " #count                                 \
                                   " steps, no CFG (arXiv 2402.13929)",                                      \
                                   "euler",                                                                  \
                                   "trailing",                                                               \
                                   .steps = (count),                                                         \
                                   DISTILLED,                                                                \
                                   .words = names}
static const pld_preset lightning_1 = {
    "lightning-1",
    "SDXL-Lightning, 1 step: euler trailing, predicts x0, no CFG (arXiv 2402.13929)",
    "euler",
    "trailing",
    .prediction = "x0",
    .steps = 1,
    DISTILLED,
    .words = "lightning 1step"};
LIGHTNING(lightning_2, 2, "lightning 2step");
LIGHTNING(lightning_4, 4, "lightning 4step|lightning");
LIGHTNING(lightning_8, 8, "lightning 8step");

#define HYPER(row, count)                                                                                    \
    static const pld_preset row = {"hyper-" #count,                                                          \
                                   "Hyper-SD: ddim trailing, " #count " steps, no CFG (arXiv 2404.13686)",   \
                                   "ddim",                                                                   \
                                   "trailing",                                                               \
                                   .steps = (count),                                                         \
                                   DISTILLED,                                                                \
                                   .words = "hyper " #count "step"}
static const pld_preset hyper_1 = {
    "hyper-1",
    "Hyper-SDXL, U-Net for 1 step: lcm at timestep 800, no CFG (arXiv 2404.13686)",
    "lcm",
    TIMESTEPS(hyper_one),
    .steps = 1,
    DISTILLED,
    .words = "hyper 1step"};
HYPER(hyper_2, 2);
HYPER(hyper_4, 4);
HYPER(hyper_8, 8);
static const pld_preset hyper_unified = {
    "hyper-unified",
    "Hyper-SD, unified LoRA: tcd with eta 1, 4 steps (1 to 8), no CFG (arXiv 2404.13686)",
    "tcd",
    .steps = 4,
    .cfg_scale = 1,
    .eta = 1,
    .words = "hyper 1step lora"};
static const pld_preset hyper_cfg_8 = {
    "hyper-cfg-8", "Hyper-SD that keeps CFG: ddim trailing, 8 steps, CFG scale 5 (5 to 8) (arXiv 2404.13686)",
    "ddim",        "trailing",
    .steps = 8,    .cfg_scale = 5,
    .eta = NAN,    .words = "hyper 8step cfg"};

static const pld_preset dmd2_1 = {"dmd2-1",
                                  "DMD2, 1 step: lcm at timestep 399, no CFG (arXiv 2405.14867)",
                                  "lcm",
                                  TIMESTEPS(dmd2_one),
                                  .steps = 1,
                                  DISTILLED,
                                  .words = "dmd2 1step"};
static const pld_preset dmd2_4 = {
    "dmd2-4",
    "DMD2, 4 steps: lcm at timesteps 999, 749, 499, 249, no CFG (arXiv 2405.14867)",
    "lcm",
    TIMESTEPS(dmd2_four),
    .steps = 4,
    DISTILLED,
    .words = "dmd2|dmd2 4step"};
static const pld_preset lcm = {
    "lcm",
    "LCM and LCM-LoRA: lcm, 4 steps (2 to 8), no CFG (or up to 2) (arXiv 2311.05556)",
    "lcm",
    .steps = 4,
    DISTILLED,
    .words = "lcm",
    .scheduler_class = "LCMScheduler"};
static const pld_preset tcd = {"tcd",          "TCD: tcd with eta 0.3, 4 steps, no CFG (arXiv 2402.19159)",
                               "tcd",          .steps = 4,
                               .cfg_scale = 1, .eta = 0.3,
                               .words = "tcd", .scheduler_class = "TCDScheduler"};

static const pld_preset sana_sprint = {
    "sana-sprint",
    "SANA-Sprint: scm, 2 steps (1 to 4), no CFG, embedded guidance (arXiv 2503.09641)",
    "scm",
    .steps = 2,
    DISTILLED,
    .words = "sana sprint",
    .scheduler_class = "SCMScheduler"};

static const pld_preset anima_turbo = {
    "anima-turbo", "Anima under a turbo LoRA, or merged with one: euler, 8 steps (to 12), no CFG",
    "euler",       .steps = 8,
    DISTILLED,     .words = "anima turbo"};

static const pld_preset schnell = {"schnell",
                                   "FLUX.1 schnell: euler, 4 steps (1 to 4), no CFG (its card)",
                                   "euler",
                                   .steps = 4,
                                   DISTILLED,
                                   .words = "schnell|flux schnell",
                                   .scheduler_class = "FlowMatchEulerDiscreteScheduler",
                                   .family = "flux",
                                   .unshifted = true};

static const pld_preset klein = {
    "klein",           "FLUX.2 klein, distilled: euler, 4 steps, no CFG (its card)",
    "euler",           .steps = 4,
    DISTILLED,         .words = "klein distilled|klein 4step",
    .family = "flux2", .distilled = true};

static const pld_preset sd35_turbo = {"sd3.5-turbo",  "SD 3.5 large turbo: euler, 4 steps, no CFG (its card)",
                                      "euler",        .steps = 4,
                                      DISTILLED,      .words = "turbo|large turbo|sd3 large turbo",
                                      .family = "sd3"};

static const pld_preset z_image_turbo = {
    "z-image-turbo",
    "Z-Image-Turbo: euler, 8 steps, levels shifted by 3, no CFG (arXiv 2511.22699)",
    "euler",
    .steps = 8,
    DISTILLED,
    .words = "z image turbo|zimage turbo|turbo",
    .scheduler_class = "FlowMatchEulerDiscreteScheduler",
    .family = "z-image",
    .shift = 3};

static const pld_preset *const rows[] = {
    &turbo,   &sd_turbo, &lightning_1, &lightning_2,   &lightning_4,   &lightning_8,
    &hyper_1, &hyper_2,  &hyper_4,     &hyper_8,       &hyper_unified, &hyper_cfg_8,
    &dmd2_1,  &dmd2_4,   &lcm,         &tcd,           &sana_sprint,   &anima_turbo,
    &schnell, &klein,    &sd35_turbo,  &z_image_turbo, NULL,
};

const pld_preset *const *pld_presets(void) {
    return rows;
}

const pld_preset *pld_preset_find(const char *name) {
    for (size_t i = 0; rows[i]; i++) {
        if (strcmp(rows[i]->name, name) == 0) {
            return rows[i];
        }
    }
    return NULL;
}

static bool is_separator(char c) {
    return c == '-' || c == '_' || c == ' ' || c == '.';
}

/** Whether a word may begin at text[at]: after a separator, a digit, or where capitals begin. */
static bool begins_word(const char *text, size_t at) {
    if (at == 0 || is_separator(text[at - 1])) {
        return true;
    }
    bool digit = pld_is_digit(text[at]);
    bool after_digit = pld_is_digit(text[at - 1]);
    return digit ? !after_digit : after_digit || (pld_is_upper(text[at]) && !pld_is_upper(text[at - 1]));
}

/** Whether the word[length] stands at text[at]; a separator may follow its digits. */
static bool stands_at(const char *text, size_t at, const char *word, size_t length) {
    if (!begins_word(text, at)) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && pld_is_digit(word[i - 1]) && !pld_is_digit(word[i]) && is_separator(text[at])) {
            at++;
        }
        if (pld_lower(text[at]) != word[i]) {
            return false;
        }
        at++;
    }
    return !pld_is_lower(text[at]) || text[at] == 's';
}

static bool has_word(const char *text, const char *word, size_t length) {
    for (size_t at = 0; text[at]; at++) {
        if (stands_at(text, at, word, length)) {
            return true;
        }
    }
    return false;
}

/** How many words the best alternative has that fits; 0: none does. */
static size_t words_found(const char *words, const char *text) {
    size_t best = 0;
    while (*words) {
        size_t count = 0;
        bool all = true;
        for (; *words && *words != '|'; words += *words == ' ') {
            size_t length = strcspn(words, " |");
            all = all && has_word(text, words, length);
            count++;
            words += length;
        }
        best = all && count > best ? count : best;
        words += *words == '|';
    }
    return best;
}

const pld_preset *pld_preset_suggested(const char *file_name, const char *family) {
    const pld_preset *best = NULL;
    size_t most = 0;
    for (size_t i = 0; rows[i]; i++) {
        const bool others = rows[i]->family && strcmp(rows[i]->family, family) != 0;
        const size_t count = others ? 0 : words_found(rows[i]->words, file_name);
        if (count > most || (count > 0 && count == most && rows[i]->family && !best->family)) {
            best = rows[i];
            most = count;
        }
    }
    return best;
}
