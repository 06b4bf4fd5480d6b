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
        const char *file, *preset, *family; /* NULL: Stable Diffusion XL */
    } rows[] = {
        {"sd_xl_turbo_1.0_fp16.safetensors", "turbo", NULL},
        {"sdxl-turbo", "turbo", NULL},
        {"sd_turbo.safetensors", "sd-turbo", "stable-diffusion"},
        {"sd_turbo.safetensors", "turbo", "stable-diffusion-xl"},
        {"sd3.5_large_turbo.safetensors", "sd3.5-turbo", "sd3"},
        {"stable-diffusion-3.5-large-turbo", "sd3.5-turbo", "sd3"},
        {"sd3.5_large.safetensors", NULL, "sd3"},
        {"turbo_mix.safetensors", "sd3.5-turbo", "sd3"},
        {"turbo_mix.safetensors", "turbo", NULL},
        {"flux1-schnell.safetensors", "schnell", "flux"},
        {"dreamshaperXL_v21TurboDPMSDE.safetensors", "turbo", NULL},
        {"sdxl_lightning_4step_lora.safetensors", "lightning-4", NULL},
        {"sdxl_lightning_8step.safetensors", "lightning-8", NULL},
        {"sdxl_lightning_2step_unet.safetensors", "lightning-2", NULL},
        {"sdxl_lightning_1step_x0.safetensors", "lightning-1", NULL},
        {"SDXL-Lightning-4-Steps", "lightning-4", NULL},
        {"juggernautXL_v9Rdphoto2Lightning.safetensors", "lightning-4", NULL},
        {"realvisxlV50_lightningBakedvae.safetensors", "lightning-4", NULL},
        {"Hyper-SDXL-4steps-lora.safetensors", "hyper-4", NULL},
        {"Hyper-SD15-8steps-lora.safetensors", "hyper-8", NULL},
        {"Hyper-SDXL-8steps-CFG-lora.safetensors", "hyper-cfg-8", NULL},
        {"Hyper-SDXL-1step-Unet.safetensors", "hyper-1", NULL},
        {"Hyper-SDXL-1step-lora.safetensors", "hyper-unified", NULL},
        {"dmd2_sdxl_4step_lora_fp16.safetensors", "dmd2-4", NULL},
        {"dmd2_sdxl_1step_unet.safetensors", "dmd2-1", NULL},
        {"lcm-lora-sdxl.safetensors", "lcm", NULL},
        {"LCM_Dreamshaper_v7_4k.safetensors", "lcm", NULL},
        {"TCD-SDXL-LoRA.safetensors", "tcd", NULL},
        {"z_image_turbo_bf16.safetensors", "z-image-turbo", "z-image"},
        {"moody_mix_turbo.safetensors", "z-image-turbo", "z-image"},
        {"z_image_bf16.safetensors", NULL, "z-image"},
        {"sd_xl_base_1.0.safetensors", NULL, NULL},
        {"v1-5-pruned-emaonly.safetensors", NULL, NULL},
        {"hyperrealism_v3.safetensors", NULL, NULL},
        {"turbofan_style.safetensors", NULL, NULL},
        {"lightningrod.safetensors", NULL, NULL},
        {"calcmodel.safetensors", NULL, NULL},
        {"14step_hyper.safetensors", NULL, NULL},
        {"", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const pld_preset *found =
            pld_preset_suggested(rows[i].file, rows[i].family ? rows[i].family : "stable-diffusion-xl");
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
