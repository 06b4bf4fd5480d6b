/* SPDX-License-Identifier: Apache-2.0 */
/** Single files of full size, of which only the header is real (the data is a hole): every name against
 *  diffusers' converters, what is recognised and read off, and what each defect comes to.
 *  tools/reference/layout_names.py made the lists. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "models/kl/kl.h"
#include "models/layouts/layouts.h"
#include "models/unet/unet.h"
#include "pladis/pladis.h"
#include "temporary_folder.h"

static json_t *lists; /* family → [[original, shape, diffusers or null], …] */
static pld_engine *engine;

/* ---- names */

static bool is_listed(const void *user, const char *name) {
    return json_object_get(user, name) != NULL;
}

static const pld_name_rule *rules_of(const char *name, const char **behind) {
    static const char unet[] = "model.diffusion_model.";
    static const char vae[] = "first_stage_model.";
    const bool is_unet = strncmp(name, unet, sizeof unet - 1) == 0;
    *behind = name + (is_unet ? sizeof unet - 1 : sizeof vae - 1);
    return is_unet ? pld_unet_names : pld_kl_names;
}

static void names_are_those_of_diffusers(void **state) {
    (void)state;
    const char *family = NULL;
    json_t *rows = NULL;
    json_object_foreach(lists, family, rows) {
        size_t i = 0;
        size_t compared = 0;
        json_t *row = NULL;
        json_t *names = json_object();
        json_array_foreach(rows, i, row) {
            const char *diffusers = json_string_value(json_array_get(row, 2));
            if (diffusers) {
                json_object_set_new(names, diffusers, json_true());
            }
        }
        json_array_foreach(rows, i, row) {
            const char *original = json_string_value(json_array_get(row, 0));
            const char *diffusers = json_string_value(json_array_get(row, 2));
            pld_renamed found[PLD_MOST_RENAMED];
            const char *behind = NULL;
            if (!diffusers) {
                continue;
            }
            const pld_name_rule *rules = rules_of(original, &behind);
            assert_int_equal(pld_names_to_diffusers(rules, 3, behind, found), 1);
            assert_string_equal(found[0].name, diffusers);
            assert_true(pld_names_to_original(rules, 3, diffusers, is_listed, names, found));
            assert_string_equal(found[0].name, behind);
            compared++;
        }
        json_decref(names);
        assert_true(compared > 900);
    }
}

/* ---- files */

typedef bool (*row_filter)(const char *name);

static json_int_t elements_of(const json_t *shape) {
    json_int_t elements = 1;
    size_t i = 0;
    json_t *size = NULL;
    json_array_foreach((json_t *)shape, i, size) {
        elements *= json_integer_value(size);
    }
    return elements;
}

static json_int_t add_tensor(json_t *header, const char *name, const json_t *shape, json_int_t at) {
    const json_int_t end = at + 2 * elements_of(shape);
    json_object_set_new(
        header, name,
        json_pack("{s:s, s:O, s:[I, I]}", "dtype", "F16", "shape", shape, "data_offsets", at, end));
    return end;
}

/** A file NAME with the tensors of `family` that `keep` accepts (NULL: all), more tensors
 *  ({"name": shape}), and metadata; "extra" replaces listed ones of the same name. */
static const char *write_file(const char *name, const char *family, row_filter keep, json_t *extra,
                              json_t *metadata) {
    json_t *header = json_object();
    json_int_t end = 0;
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(json_object_get(lists, family), i, row) {
        const char *tensor = json_string_value(json_array_get(row, 0));
        if ((!keep || keep(tensor)) && !json_object_get(extra, tensor)) {
            end = add_tensor(header, tensor, json_array_get(row, 1), end);
        }
    }
    const char *tensor = NULL;
    json_t *shape = NULL;
    json_object_foreach(extra, tensor, shape) {
        end = add_tensor(header, tensor, shape, end);
    }
    if (metadata) {
        json_object_set_new(header, "__metadata__", metadata);
    }
    char *text = json_dumps(header, JSON_COMPACT);
    const char *path = write_safetensors(name, text, 0, 0);
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(truncate(path, facts.st_size + end), 0);
    free(text);
    json_decref(header);
    json_decref(extra);
    return path;
}

static pld_file_info *inspect(const char *path) {
    pld_file_info *info = NULL;
    pld_error error = {0};
    if (pld_file_inspect(path, NULL, &info, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    return info;
}

static void full_size_files_are_recognised(void **state) {
    (void)state;
    static const struct {
        const char *family, *title;
        uint64_t unet_parameters;
        size_t parts, sites;
        int first_heads, last_heads;
    } wanted[] = {{"sd15", "Stable Diffusion 1", 859520964, 3, 32, 8, 8},
                  {"sd21", "Stable Diffusion 2", 865910724, 3, 32, 5, 20},
                  {"sdxl", "Stable Diffusion XL", 2567463684, 4, 140, 10, 20}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        pld_file_info *info = inspect(write_file("whole.safetensors", wanted[i].family, NULL, NULL, NULL));
        assert_string_equal(info->kind, "checkpoint");
        assert_string_equal(info->title, wanted[i].title);
        assert_string_equal(info->layout, "latent diffusion");
        assert_string_equal(info->prediction_type, "epsilon");
        /* OpenCLIP's logit_scale is not needed */
        assert_int_equal(info->note_count, strcmp(wanted[i].family, "sd15") != 0);
        assert_int_equal(info->part_count, wanted[i].parts);
        assert_int_equal(info->parts[0]->parameters, wanted[i].unet_parameters);
        assert_int_equal(info->site_count, wanted[i].sites);
        assert_int_equal(info->sites[0]->heads, wanted[i].first_heads);
        assert_int_equal(info->sites[info->site_count / 3]->heads,
                         info->sites[info->site_count / 3 + 1]->heads);
        int most = 0;
        for (size_t j = 0; j < info->site_count; j++) {
            most = info->sites[j]->heads > most ? info->sites[j]->heads : most;
        }
        assert_int_equal(most, wanted[i].last_heads);
        pld_file_info_destroy(&info);
    }
}

static void full_size_files_open(void **state) {
    (void)state;
    const char *named = getenv("PLADIS_VOCABULARY");
    pld_model_options options;
    pld_model_options_init(&options, sizeof options);
    options.vocabulary = named ? named : PLADIS_TEST_VOCABULARY;
    if (access(options.vocabulary, R_OK) != 0) {
        print_message("SKIPPED: %s is not there; './dev setup' fetches CLIP's vocabulary\n",
                      options.vocabulary);
        skip();
    }
    const char *family = NULL;
    json_t *rows = NULL;
    json_object_foreach(lists, family, rows) {
        pld_model *model = NULL;
        pld_error error = {0};
        const char *path = write_file("whole.safetensors", family, NULL, NULL, NULL);
        if (pld_model_open_with(engine, path, &options, &model, &error) != PLD_OK) {
            fail_msg("%s", error.message);
        }
        pld_model_info info = {.struct_size = sizeof info};
        assert_int_equal(pld_model_get_info(model, &info, NULL), PLD_OK);
        assert_int_equal(info.default_width, strcmp(family, "sdxl") == 0 ? 1024 : 512);
        pld_model_destroy(&model);
    }
}

static void prediction_is_told(void **state) {
    (void)state;
    static const struct {
        const char *mark, *key, *value, *type, *reason;
    } cases[] = {{"v_pred", NULL, NULL, "v_prediction", "v_pred"},
                 {NULL, "modelspec.prediction_type", "v", "v_prediction", "metadata"},
                 {NULL, "modelspec.prediction_type", "epsilon", "epsilon", "metadata"},
                 {NULL, "ss_v_parameterization", "True", "v_prediction", "metadata"},
                 {NULL, "modelspec.prediction_type", "sample", "sample", "metadata"},
                 {NULL, "modelspec.prediction_type", "flow", "epsilon", "\"flow\", which is not known"},
                 {NULL, NULL, NULL, "epsilon", "the usual one"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *extra = cases[i].mark ? json_pack("{s:[i]}", cases[i].mark, 0) : NULL;
        json_t *metadata = cases[i].key ? json_pack("{s:s}", cases[i].key, cases[i].value) : NULL;
        pld_file_info *info = inspect(write_file("v.safetensors", "sdxl", NULL, extra, metadata));
        assert_string_equal(info->prediction_type, cases[i].type);
        assert_non_null(strstr(info->prediction_reason, cases[i].reason));
        pld_file_info_destroy(&info);
    }
}

static bool is_unet(const char *name) {
    return strncmp(name, "model.diffusion_model.", 22) == 0;
}

static bool is_vae(const char *name) {
    return strncmp(name, "first_stage_model.", 18) == 0;
}

static bool is_no_vae(const char *name) {
    return !is_vae(name);
}

static bool is_no_text(const char *name) {
    return is_vae(name) || is_unet(name);
}

static void expect_refusal(const char *path, pld_status wanted, const char *part) {
    pld_model *model = NULL;
    pld_error error = {0};
    pld_status status = pld_model_open(engine, path, &model, &error);
    pld_model_destroy(&model);
    if (status != wanted || !strstr(error.message, part)) {
        fail_msg("expected %s with '%s', found %s: %s", pld_status_text(wanted), part,
                 pld_status_text(status), error.message);
    }
}

static void what_is_missing_is_named(void **state) {
    (void)state;
    expect_refusal(write_file("a", "sdxl", is_no_vae, NULL, NULL), PLD_ERROR_MISSING, "--vae");
    expect_refusal(write_file("b", "sdxl", is_no_text, NULL, NULL), PLD_ERROR_MISSING, "text encoder");
    expect_refusal(write_file("c", "sd15", is_vae, NULL, NULL), PLD_ERROR_MISSING, "denoising network");
    expect_refusal(write_file("d", "sd15", NULL, NULL, NULL), PLD_ERROR_MISSING, "--tokenizer");
    expect_refusal(in_folder("d"), PLD_ERROR_MISSING, "'./dev setup' downloads it");
    expect_refusal(in_folder("d"), PLD_ERROR_MISSING, "PyPI package open_clip_torch");
    pld_file_info *info = inspect(in_folder("c"));
    assert_string_equal(info->kind, "autoencoder");
    pld_file_info_destroy(&info);
    info = inspect(write_file("e", "sdxl", is_unet, NULL, NULL));
    assert_string_equal(info->kind, "U-Net");
    assert_int_equal(info->note_count, 3);
    pld_file_info_destroy(&info);
}

static void extra_tensors_are_counted(void **state) {
    (void)state;
    json_t *extra =
        json_pack("{s:[i], s:[i], s:[i], s:[i]}", "model_ema.decay", 1,
                  "model_ema.diffusion_modelinput_blocks00weight", 4, "betas", 1000, "stranger", 3);
    pld_file_info *info = inspect(write_file("extra", "sd15", NULL, extra, NULL));
    assert_int_equal(info->note_count, 2);
    assert_non_null(strstr(info->notes[0], "3 tensors are not needed"));
    assert_non_null(strstr(info->notes[1], "'stranger'"));
    pld_file_info_destroy(&info);
}

/** A ControlNet without prefix has a U-Net's way down, and is none. */
static void other_networks_are_no_parts(void **state) {
    (void)state;
    json_t *tensors = json_pack("{s:[i, i, i, i], s:[i]}", "input_blocks.0.0.weight", 320, 4, 3, 3,
                                "input_hint_block.0.bias", 16);
    pld_file_info *info = inspect(write_file("control", "none", NULL, tensors, NULL));
    assert_string_equal(info->kind, "other");
    assert_non_null(strstr(info->title, "a ControlNet"));
    pld_file_info_destroy(&info);
    tensors = json_pack("{s:[i]}", "control_model.input_hint_block.0.bias", 16);
    info =
        inspect(write_file("both", "sd15", NULL, tensors, NULL)); /* beside a whole checkpoint it is extra */
    assert_string_equal(info->kind, "checkpoint");
    pld_file_info_destroy(&info);
}

/** Each spelling of quantised weights is told by name. */
static void quantised_files_are_told(void **state) {
    (void)state;
    static const char *const spellings[] = {"scale_weight", "weight_scale", "input_scale", "comfy_quant"};
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        char name[96];
        snprintf(name, sizeof name, "double_blocks.0.img_attn.proj.%s", spellings[i]);
        pld_file_info *info = inspect(write_file("q", "none", NULL, json_pack("{s:[i]}", name, 1), NULL));
        bool told = false;
        for (size_t note = 0; note < info->note_count; note++) {
            told = told || strstr(info->notes[note], spellings[i]);
        }
        assert_true(told);
        assert_non_null(strstr(info->title, "FLUX"));
        pld_file_info_destroy(&info);
    }
}

static void defects_are_refused_by_name(void **state) {
    (void)state;
#define BLOCK "cond_stage_model.model.transformer.resblocks.0.attn.in_proj_weight"
    static const char to_k[] =
        "model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight";
    const struct {
        const char *family;
        json_t *extra;
        pld_status status;
        const char *part;
    } cases[] = {
        {"sd21", json_pack("{s:[i, i]}", BLOCK, 3071, 1024), PLD_ERROR_FORMAT, "divisible by 3"},
        {"sd21", json_pack("{s:[i]}", "cond_stage_model.model.text_projection", 9), PLD_ERROR_FORMAT,
         "matrix"},
        {"sd15",
         json_pack("{s:[i, i]}", "cond_stage_model.transformer.embeddings.token_embedding.weight", 1, 1),
         PLD_ERROR_FORMAT, "two tensors"},
        {"sdxl", json_pack("{s:[i]}", "edm_mean", 1), PLD_ERROR_UNSUPPORTED, "EDM"},
        {"sdxl", json_pack("{s:[]}", "edm_vpred.sigma_max"), PLD_ERROR_UNSUPPORTED, "EDM"},
        {"sdxl", json_pack("{s:[]}", "edm_vpred.sigma_min"), PLD_ERROR_UNSUPPORTED, "EDM"},
        {"sdxl", json_pack("{s:[i]}", "scaled_fp8", 0), PLD_ERROR_UNSUPPORTED, "marked by 'scaled_fp8'"},
        {"sdxl", json_pack("{s:[i, i]}", to_k, 640, 1280), PLD_ERROR_UNSUPPORTED, "refiner"},
        {"sd15", json_pack("{s:[i, i, i, i]}", "model.diffusion_model.input_blocks.0.0.weight", 320, 9, 3, 3),
         PLD_ERROR_UNSUPPORTED, "inpainting"},
        {"sdxl", json_pack("{s:[i]}", "model.diffusion_model.out.2.weight_scale", 1), PLD_ERROR_UNSUPPORTED,
         "marked by 'weight_scale'"},
        {"sdxl", json_pack("{s:[i]}", "model.diffusion_model.out.2.input_scale", 1), PLD_ERROR_UNSUPPORTED,
         "marked by 'input_scale'"},
        {"sdxl", json_pack("{s:[i]}", "model.diffusion_model.out.2.comfy_quant", 9), PLD_ERROR_UNSUPPORTED,
         "marked by 'comfy_quant'"},
        {"sd15", json_pack("{s:[i]}", "model.diffusion_model.out.2.scale_weight", 1), PLD_ERROR_UNSUPPORTED,
         "use the f16, bf16 or a GGUF version"},
        {"none",
         json_pack("{s:[i, i, i, i], s:[i]}", "input_blocks.0.0.weight", 320, 4, 3, 3, "zero_convs.0.0.bias",
                   320),
         PLD_ERROR_UNSUPPORTED, "a ControlNet"},
        {"none",
         json_pack("{s:[i], s:[i]}", "down_blocks.0.resnets.0.time_emb_proj.weight", 1,
                   "controlnet_down_blocks.0.weight", 1),
         PLD_ERROR_UNSUPPORTED, "a ControlNet"},
        {"none",
         json_pack("{s:[i], s:[i]}", "down_blocks.0.resnets.0.time_emb_proj.weight", 1,
                   "down_blocks.0.motion_modules.0.norm.weight", 1),
         PLD_ERROR_UNSUPPORTED, "motion modules"},
        {"none",
         json_pack("{s:[i], s:[i]}", "decoder.up.0.block.0.conv1.weight", 1, "quantize.embedding.weight", 1),
         PLD_ERROR_UNSUPPORTED, "vector-quantised"},
        {"sd15", json_pack("{s:[i]}", "model.diffusion_model.input_blocks.1.0.time_stack.x", 1),
         PLD_ERROR_UNSUPPORTED, "Stable Video Diffusion"},
        {"none", json_pack("{s:[i]}", "lora_unet_x.lora_down.weight", 1), PLD_ERROR_UNSUPPORTED, "--lora"},
        {"none", json_pack("{s:[i]}", "double_blocks.0.x", 1), PLD_ERROR_UNSUPPORTED, "the network of FLUX,"},
        {"none", json_pack("{s:[i], s:[i, i]}", "double_blocks.0.x", 1, "img_in.weight", 8, 64),
         PLD_ERROR_UNSUPPORTED, "the network of FLUX,"},
        {"none", json_pack("{s:[i], s:[i, i]}", "double_blocks.0.x", 1, "img_in.weight", 8, 384),
         PLD_ERROR_UNSUPPORTED, "the inpainting network FLUX Fill"},
        {"none", json_pack("{s:[i], s:[i, i]}", "double_blocks.0.x", 1, "img_in.weight", 8, 128),
         PLD_ERROR_UNSUPPORTED, "FLUX Control"},
        {"none", json_pack("{s:[i], s:[i]}", "double_blocks.0.x", 1, "controlnet_blocks.0.bias", 1),
         PLD_ERROR_UNSUPPORTED, "a ControlNet"},
        {"none",
         json_pack("{s:[i], s:[i]}", "transformer_blocks.0.norm1.linear.bias", 1, "controlnet_blocks.0.bias",
                   1),
         PLD_ERROR_UNSUPPORTED, "a ControlNet"},
        {"none", json_pack("{s:[i]}", "redux_up.bias", 1), PLD_ERROR_UNSUPPORTED, "FLUX Redux"},
        {"none", json_pack("{s:[i]}", "joint_blocks.0.x", 1), PLD_ERROR_UNSUPPORTED, "Stable Diffusion 3"},
        {"none", json_pack("{s:[i]}", "blocks.0.cross_attn.kv_linear.bias", 1), PLD_ERROR_UNSUPPORTED,
         "PixArt, which is supported only as a diffusers folder"},
        {"none",
         json_pack("{s:[i], s:[i]}", "blocks.0.cross_attn.kv_linear.bias", 1,
                   "blocks.0.mlp.inverted_conv.conv.bias", 1),
         PLD_ERROR_UNSUPPORTED, "SANA"},
        {"none", json_pack("{s:[i]}", "adaln_single.emb.timestep_embedder.linear_1.bias", 1),
         PLD_ERROR_UNSUPPORTED, "a transformer like PixArt's alone"},
        {"none", json_pack("{s:[i]}", "encoder.block.0.layer.0.SelfAttention.q.weight", 1), PLD_ERROR_MISSING,
         "no denoising network"},
        {"none",
         json_pack("{s:[i], s:[i]}", "encoder.block.0.layer.0.SelfAttention.q.weight", 1,
                   "encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight", 1),
         PLD_ERROR_UNSUPPORTED, "a UMT5 text encoder"},
        {"none", json_pack("{s:[i], s:[i]}", "double_blocks.0.x", 1, "distilled_guidance_layer.x", 1),
         PLD_ERROR_UNSUPPORTED, "Chroma"},
        {"none", json_pack("{s:[i], s:[i]}", "double_blocks.0.x", 1, "double_stream_modulation_img.lin.x", 1),
         PLD_ERROR_UNSUPPORTED, "FLUX.2"},
        {"none", json_pack("{s:[i]}", "anything", 0), PLD_ERROR_UNSUPPORTED, "unknown network"},
        {"none", NULL, PLD_ERROR_UNSUPPORTED, "unknown network"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expect_refusal(write_file("defect", cases[i].family, NULL, cases[i].extra, NULL), cases[i].status,
                       cases[i].part);
    }
}

static int start(void **state) {
    pld_engine_options options;
    const char *base = getenv("PLADIS_TEST_DATA");
    char path[1024];
    snprintf(path, sizeof path, "%s/layouts/names.json.gz", base ? base : PLADIS_TEST_DATA);
    gzFile file = gzopen(path, "rb");
    enum { MOST = 4 << 20 };
    char *text = malloc(MOST);
    int size = file && text ? gzread(file, text, MOST) : 0;
    lists = size > 0 ? json_loadb(text, (size_t)size, 0, NULL) : NULL;
    if (file) {
        gzclose(file);
    }
    free(text);
    pld_engine_options_init(&options, sizeof options);
    return lists && pld_engine_create(&options, &engine, NULL) == PLD_OK ? make_temporary_folder(state) : -1;
}

static int stop(void **state) {
    pld_engine_destroy(&engine);
    json_decref(lists);
    return remove_temporary_folder(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_of_diffusers), cmocka_unit_test(full_size_files_are_recognised),
        cmocka_unit_test(full_size_files_open),         cmocka_unit_test(prediction_is_told),
        cmocka_unit_test(what_is_missing_is_named),     cmocka_unit_test(extra_tensors_are_counted),
        cmocka_unit_test(defects_are_refused_by_name),  cmocka_unit_test(other_networks_are_no_parts),
        cmocka_unit_test(quantised_files_are_told),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
