/* SPDX-License-Identifier: Apache-2.0 */
/** What configurations may say: null in every field of every part, as diffusers and transformers take it
 *  (tools/reference/configuration_cases.py made the list), and the names of classes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "models/classes.h"
#include "models/clip/clip.h"
#include "models/kl/kl.h"
#include "models/unet/config.h"
#include "sampling/scheduler_config.h"

static json_t *nulls; /* part → field → "same", "differs" or "error" */

static const char unet_base[] =
    "{\"block_out_channels\": [32, 64], \"down_block_types\": [\"CrossAttnDownBlock2D\", \"DownBlock2D\"],"
    " \"up_block_types\": [\"UpBlock2D\", \"CrossAttnUpBlock2D\"], \"cross_attention_dim\": 16,"
    " \"attention_head_dim\": 8, \"layers_per_block\": 1}";
static const char vae_base[] =
    "{\"block_out_channels\": [32, 32], \"down_block_types\": [\"DownEncoderBlock2D\", "
    "\"DownEncoderBlock2D\"],"
    " \"up_block_types\": [\"UpDecoderBlock2D\", \"UpDecoderBlock2D\"], \"layers_per_block\": 1}";

/** Any part's configuration. */
typedef union any_config {
    pld_unet_config unet;
    pld_kl_config vae;
    pld_clip_config text;
} any_config;

/** Numbers that tell a configuration from others of its kind. */
static void print_unet(const any_config *c, char *text, size_t size) {
    snprintf(text, size, "%d %d %d %g %d %d %d %d", (int)c->unet.mid, c->unet.flip_sin_to_cos,
             c->unet.linear_projection, c->unet.frequency_shift, (int)c->unet.sample_size,
             (int)c->unet.pooled_width, (int)c->unet.heads[0], (int)c->unet.groups);
}

static void print_vae(const any_config *c, char *text, size_t size) {
    snprintf(text, size, "%d %d %d %g %g", c->vae.mid_attention, c->vae.quant_conv, c->vae.post_quant_conv,
             c->vae.scaling_factor, c->vae.shift_factor);
}

static void print_text(const any_config *c, char *text, size_t size) {
    snprintf(text, size, "%d %d %d", (int)c->text.width, (int)c->text.layers, (int)c->text.eos_token_id);
}

/** How a part's configuration is read. */
typedef struct part_reader {
    const char *part, *base;
    pld_json_reader parse;
    void (*print)(const any_config *config, char *text, size_t size);
    const char *unread; /* a field that is never read, since no picture depends on it */
} part_reader;

static const part_reader readers[] = {
    {"unet", unet_base, pld_unet_config_parse, print_unet, "dropout"},
    {"vae", vae_base, pld_kl_config_parse, print_vae, "sample_size"},
    {"text_encoder", "{}", pld_clip_config_parse, print_text, ""},
};

/** Read the part's base with null at `field`, or without it. */
static pld_status read_with(const part_reader *reader, const char *field, bool null, char *text, size_t size,
                            pld_error *error) {
    any_config config = {0};
    pld_json top;
    json_t *document = json_loads(reader->base, 0, NULL);
    assert_non_null(document);
    json_object_del(document, field);
    if (null) {
        json_object_set_new(document, field, json_null());
    }
    assert_int_equal(pld_json_top(document, "config.json", &top, error), PLD_OK);
    const pld_status status = reader->parse(&config, &top, error);
    if (status == PLD_OK) {
        reader->print(&config, text, size);
    }
    json_decref(document);
    return status;
}

static void check_null(const part_reader *reader, const char *field, const char *outcome) {
    char null[256] = "";
    char absent[256] = "";
    pld_error error = {0};
    const pld_status status = read_with(reader, field, true, null, sizeof null, &error);
    bool right = true;
    if (strcmp(outcome, "error") == 0) {
        right = strcmp(field, reader->unread) == 0 || (status != PLD_OK && strstr(error.message, field));
    } else {
        pld_error ignored;
        const pld_status without = read_with(reader, field, false, absent, sizeof absent, &ignored);
        const bool same = without == PLD_OK && strcmp(null, absent) == 0;
        right = status == PLD_OK && same == (strcmp(outcome, "same") == 0);
    }
    if (!right) {
        fail_msg("%s: '%s' null (%s): found '%s', %s and %s", reader->part, field, outcome, error.message,
                 null, absent);
    }
}

static void null_is_what_diffusers_takes_it_for(void **state) {
    (void)state;
    size_t checked = 0;
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        const char *field = NULL;
        json_t *outcome = NULL;
        json_object_foreach(json_object_get(nulls, readers[i].part), field, outcome) {
            check_null(&readers[i], field, json_string_value(outcome));
            checked++;
        }
    }
    assert_true(checked > 70);
}

/** Field → the worst that null comes to in any scheduler that has it. */
static json_t *worst_outcomes(void) {
    const char *part = NULL;
    json_t *fields = NULL;
    json_t *worst = json_object();
    json_object_foreach(nulls, part, fields) {
        const char *field = NULL;
        json_t *outcome = NULL;
        json_object_foreach(strstr(part, "Scheduler") ? fields : NULL, field, outcome) {
            if (!json_object_get(worst, field) || strcmp(json_string_value(outcome), "error") == 0) {
                json_object_set(worst, field, outcome);
            }
        }
    }
    return worst;
}

/** Whether null at `field` of a scheduler is read as false. */
static bool reads_false(const char *field, pld_status *status, pld_error *error) {
    pld_scheduler_config config;
    json_t *document = json_pack("{s:n}", field);
    bool is_false = false;
    *status = pld_scheduler_config_read(document, "s.json", NULL, &config, error);
    for (int row = 0; *status == PLD_OK && row < PLD_FIELD_COUNT; row++) {
        char text[64];
        if (config.stated >> row & 1) {
            assert_string_equal(pld_scheduler_field_name((pld_scheduler_field)row), field);
            is_false = strcmp(pld_scheduler_field_text(&config, (pld_scheduler_field)row, text, sizeof text),
                              "false") == 0;
            assert_true(is_false);
        }
    }
    if (*status == PLD_OK) {
        pld_scheduler_config_clear(&config);
    }
    json_decref(document);
    return is_false;
}

/** Truth values are false, wherever diffusers takes them so; what some scheduler fails on is refused. */
static void null_in_schedulers(void **state) {
    (void)state;
    json_t *worst = worst_outcomes();
    const char *field = NULL;
    json_t *outcome = NULL;
    size_t flags = 0;
    json_object_foreach(worst, field, outcome) {
        const bool is_error = strcmp(json_string_value(outcome), "error") == 0;
        pld_error error = {0};
        pld_status status = PLD_OK;
        if (reads_false(field, &status, &error)) {
            flags++;
        } else if (is_error != (status != PLD_OK) || (is_error && !strstr(error.message, field))) {
            fail_msg("'%s' null (%s): found '%s'", field, json_string_value(outcome), error.message);
        }
    }
    assert_true(flags >= 12);
    json_decref(worst);
}

static void classes_are_known_by_name(void **state) {
    (void)state;
    static const struct {
        const char *name;
        pld_class_role role;
        const char *message; /* NULL: supported */
    } cases[] = {
        {"UNet2DConditionModel", PLD_CLASS_DENOISER, NULL},
        {"AutoencoderKL", PLD_CLASS_AUTOENCODER, NULL},
        {"CLIPTextModelWithProjection", PLD_CLASS_TEXT_ENCODER, NULL},
        {"CLIPTokenizerFast", PLD_CLASS_TOKENIZER, NULL},
        {"AutoencoderKL", PLD_CLASS_DENOISER, "which is an autoencoder; expected UNet2DConditionModel"},
        {"FooBar", PLD_CLASS_DENOISER, "'field': found the unknown class 'FooBar'; expected UNet2D"},
        {"UNet2DConditionModelX", PLD_CLASS_DENOISER, "found the unknown class"},
        {"ControlNetModel", PLD_CLASS_DENOISER, "ControlNetModel (a ControlNet), which is not supported"},
        {"UNet3DConditionModel", PLD_CLASS_DENOISER, "(a network for videos)"},
        {"UNetMotionModel", PLD_CLASS_DENOISER, "AnimateDiff"},
        {"FluxTransformer2DModel", PLD_CLASS_DENOISER, NULL},
        {"SD3Transformer2DModel", PLD_CLASS_DENOISER, NULL},
        {"FluxFillPipeline", PLD_CLASS_PIPELINE, "FluxFillPipeline (the inpainting network FLUX Fill)"},
        {"FluxKontextPipeline", PLD_CLASS_PIPELINE, "(FLUX Kontext, a network that edits pictures)"},
        {"FluxKontextInpaintPipeline", PLD_CLASS_PIPELINE, "FLUX Kontext"},
        {"FluxControlNetPipeline", PLD_CLASS_PIPELINE, "(FLUX with a ControlNet)"},
        {"FluxControlNetModel", PLD_CLASS_DENOISER, "(FLUX with a ControlNet)"},
        {"FluxControlPipeline", PLD_CLASS_PIPELINE, "(FLUX Control, which"},
        {"FluxControlNetModel", PLD_CLASS_ANY, "not supported; expected classes of a family that"},
        {"AutoencoderKL", PLD_CLASS_ANY, "which is an autoencoder; expected classes of a family that"},
        {"ZImageTransformer2DModel", PLD_CLASS_DENOISER, NULL},
        {"ZImageControlNetModel", PLD_CLASS_DENOISER, "(Z-Image with a ControlNet)"},
        {"ZImageControlNetInpaintPipeline", PLD_CLASS_PIPELINE, "(Z-Image with a ControlNet)"},
        {"ZImageOmniPipeline", PLD_CLASS_PIPELINE, "(Z-Image Omni, which also takes pictures)"},
        {"ZImageFooPipeline", PLD_CLASS_PIPELINE, "(another class of Z-Image)"},
        {"SD3ControlNetModel", PLD_CLASS_DENOISER, "(Stable Diffusion 3 with a ControlNet)"},
        {"SanaControlNetModel", PLD_CLASS_DENOISER, "(SANA with a ControlNet)"},
        {"QwenImageEditPipeline", PLD_CLASS_PIPELINE, "(Qwen-Image Edit"},
        {"PixArtControlNetTransformerModel", PLD_CLASS_DENOISER, "(PixArt with a ControlNet)"},
        {"PixArtFooPipeline", PLD_CLASS_PIPELINE, "PixArtFooPipeline (another class of PixArt)"},
        {"FooTransformer2DModel", PLD_CLASS_DENOISER, "found the unknown class 'FooTransformer2DModel'"},
        {"FooPipeline", PLD_CLASS_PIPELINE, "found the unknown class 'FooPipeline'"},
        {"PixArtTransformer2DModel", PLD_CLASS_DENOISER, NULL},
        {"SanaTransformer2DModel", PLD_CLASS_DENOISER, NULL},
        {"CosmosTransformer3DModel", PLD_CLASS_DENOISER, NULL},
        {"CosmosControlNetModel", PLD_CLASS_DENOISER, "(Cosmos)"},
        {"SanaVideoTransformer3DModel", PLD_CLASS_DENOISER, "(SANA for videos)"},
        {"SanaFooPipeline", PLD_CLASS_PIPELINE, "(another kind of SANA)"},
        {"AnimaFooPipeline", PLD_CLASS_PIPELINE, "(Anima)"},
        {"AnimaTextConditioner", PLD_CLASS_CONDITIONER, NULL},
        {"AnimaTextConditioner", PLD_CLASS_TEXT_ENCODER,
         "which is a text conditioner; expected CLIPTextModel"},
        {"T5EncoderModel", PLD_CLASS_CONDITIONER, "which is a text encoder; expected AnimaTextConditioner"},
        {"LatteTransformer3DModel", PLD_CLASS_DENOISER, "(Latte)"},
        {"AutoencoderTiny", PLD_CLASS_AUTOENCODER, "TAESD"},
        {"AutoencoderDC", PLD_CLASS_AUTOENCODER, NULL},
        {"AutoencoderKLQwenImage", PLD_CLASS_AUTOENCODER, NULL},
        {"AutoencoderKLWan", PLD_CLASS_AUTOENCODER, "another family"},
        {"BertModel", PLD_CLASS_TEXT_ENCODER, "(BERT)"},
        {"t5", PLD_CLASS_TEXT_ENCODER, NULL},
        {"mt5", PLD_CLASS_TEXT_ENCODER, "(T5)"},
        {"Gemma2Model", PLD_CLASS_TEXT_ENCODER, NULL},
        {"Gemma2ForCausalLM", PLD_CLASS_TEXT_ENCODER, NULL},
        {"Gemma2ForCausalLM", PLD_CLASS_DENOISER, "which is a text encoder"},
        {"gemma2", PLD_CLASS_TEXT_ENCODER, NULL},
        {"gemma3", PLD_CLASS_TEXT_ENCODER, "gemma3 (Gemma), which is not supported"},
        {"Qwen3Model", PLD_CLASS_TEXT_ENCODER, NULL},
        {"Qwen3ForCausalLM", PLD_CLASS_TEXT_ENCODER, NULL},
        {"Qwen3ForSequenceClassification", PLD_CLASS_TEXT_ENCODER,
         "(Qwen), which is not supported; expected CLIPTextModel, CLIPTextModelWithProjection, "
         "T5EncoderModel, Gemma2Model, Gemma2ForCausalLM, Qwen3Model or Qwen3ForCausalLM"},
        {"T5Tokenizer", PLD_CLASS_TOKENIZER, NULL},
        {"GemmaTokenizerFast", PLD_CLASS_TOKENIZER, NULL},
        {"Qwen2Tokenizer", PLD_CLASS_TOKENIZER, NULL},
        {"BertTokenizer", PLD_CLASS_TOKENIZER, "another text encoder"},
        {"FlowMatchEulerDiscreteScheduler", PLD_CLASS_SCHEDULER, "flow-matching schedule"},
        {"EDMEulerScheduler", PLD_CLASS_SCHEDULER, "EDM"},
        {"StableDiffusionXLInstructPix2PixPipeline", PLD_CLASS_PIPELINE, "InstructPix2Pix"},
        {"StableDiffusionInpaintPipeline", PLD_CLASS_PIPELINE, "(an inpainting network)"},
        {"StableDiffusion3FooPipeline", PLD_CLASS_PIPELINE, "(another class of Stable Diffusion 3)"},
        {"FluxFooPipeline", PLD_CLASS_PIPELINE, "(another class of FLUX)"},
        {"FluxPriorReduxPipeline", PLD_CLASS_PIPELINE, "(FLUX Redux, which takes pictures as prompts)"},
        {"AnimateDiffPipeline", PLD_CLASS_PIPELINE, "(AnimateDiff)"},
        {"QwenImagePipeline", PLD_CLASS_PIPELINE, "(Qwen-Image)"},
    };
    const pld_json at = {.file = "config.json"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pld_error error = {0};
        const pld_status status = pld_class_check(&at, "field", cases[i].name, cases[i].role, &error);
        const bool right = cases[i].message ? status == PLD_ERROR_UNSUPPORTED &&
                                                  strstr(error.message, cases[i].message) != NULL
                                            : status == PLD_OK;
        if (!right) {
            fail_msg("%s: found '%s'", cases[i].name, error.message);
        }
    }
}

static int load(void **state) {
    (void)state;
    nulls = json_load_file(PLADIS_TEST_DATA "/configurations/null.json", 0, NULL);
    return nulls ? 0 : -1;
}

static int drop(void **state) {
    (void)state;
    json_decref(nulls);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_is_what_diffusers_takes_it_for),
        cmocka_unit_test(null_in_schedulers),
        cmocka_unit_test(classes_are_known_by_name),
    };
    return cmocka_run_group_tests(tests, load, drop);
}
