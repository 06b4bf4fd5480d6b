/* SPDX-License-Identifier: Apache-2.0 */
/** The registry of presets, and which of them the names of published files suggest. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sampling/preset.h"
#include "sampling/sampler.h"

static void names(void **state) {
    (void)state;
    static const struct {
        const char *file, *preset;
    } rows[] = {
        {"sd_xl_turbo_1.0_fp16.safetensors", "turbo"},
        {"sdxl-turbo", "turbo"},
        {"sd_turbo.safetensors", "sd-turbo"},
        {"dreamshaperXL_v21TurboDPMSDE.safetensors", "turbo"},
        {"sdxl_lightning_4step_lora.safetensors", "lightning-4"},
        {"sdxl_lightning_8step.safetensors", "lightning-8"},
        {"sdxl_lightning_2step_unet.safetensors", "lightning-2"},
        {"sdxl_lightning_1step_x0.safetensors", "lightning-1"},
        {"SDXL-Lightning-4-Steps", "lightning-4"},
        {"juggernautXL_v9Rdphoto2Lightning.safetensors", "lightning-4"},
        {"realvisxlV50_lightningBakedvae.safetensors", "lightning-4"},
        {"Hyper-SDXL-4steps-lora.safetensors", "hyper-4"},
        {"Hyper-SD15-8steps-lora.safetensors", "hyper-8"},
        {"Hyper-SDXL-8steps-CFG-lora.safetensors", "hyper-cfg-8"},
        {"Hyper-SDXL-1step-Unet.safetensors", "hyper-1"},
        {"Hyper-SDXL-1step-lora.safetensors", "hyper-unified"},
        {"dmd2_sdxl_4step_lora_fp16.safetensors", "dmd2-4"},
        {"dmd2_sdxl_1step_unet.safetensors", "dmd2-1"},
        {"lcm-lora-sdxl.safetensors", "lcm"},
        {"LCM_Dreamshaper_v7_4k.safetensors", "lcm"},
        {"TCD-SDXL-LoRA.safetensors", "tcd"},
        {"sd_xl_base_1.0.safetensors", NULL},
        {"v1-5-pruned-emaonly.safetensors", NULL},
        {"hyperrealism_v3.safetensors", NULL},
        {"turbofan_style.safetensors", NULL},
        {"lightningrod.safetensors", NULL},
        {"calcmodel.safetensors", NULL},
        {"14step_hyper.safetensors", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const pld_preset *found = pld_preset_suggested(rows[i].file);
        const char *wanted = rows[i].preset ? rows[i].preset : "(none)";
        if (strcmp(found ? found->name : "(none)", wanted) != 0) {
            fail_msg("%s: found %s, expected %s", rows[i].file, found ? found->name : "(none)", wanted);
        }
    }
}

static void registry(void **state) {
    (void)state;
    static const char *const wanted[] = {"turbo",       "lightning-1", "lightning-2", "lightning-4",
                                         "lightning-8", "hyper-1",     "hyper-2",     "hyper-4",
                                         "hyper-8",     "dmd2-1",      "dmd2-4",      "lcm"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        assert_non_null(pld_preset_find(wanted[i]));
    }
    assert_null(pld_preset_find("none"));
    for (const pld_preset *const *row = pld_presets(); *row; row++) {
        const pld_preset *p = *row;
        const pld_sampler_kind *kind = pld_sampler_kind_find(p->sampling_method);
        assert_ptr_equal(pld_preset_find(p->name), p);
        assert_non_null(kind);
        assert_true(!p->spacing ||
                    (pld_spacing_find(p->spacing) && kind->fields & PLD_FIELD_BIT(TIMESTEP_SPACING)));
        assert_true(!p->timesteps || (kind->accepts_timesteps && (int)p->timestep_count == p->steps));
        assert_true(isnan(p->eta) || kind->honours_eta);
        assert_true(p->steps >= 1 && p->cfg_scale >= 1 && p->description[0] && p->words[0]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(names), cmocka_unit_test(registry)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
