/* SPDX-License-Identifier: Apache-2.0 */
/** Folders that are broken in one way each: pld_model_open refuses with a message that names the place, and
 * lack of memory at any point ends in an error or a result, never in a crash. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/memory.h"
#include "io/json/read.h"
#include "io/tensors/safetensors_write.h"
#include "io/tensors/tensor_file.h"
#include "pladis/pladis.h"
#include "temporary_folder.h"

#define WHOLE     PLADIS_TEST_DATA "/reference/models/sd15"
#define WHOLE_XL  PLADIS_TEST_DATA "/reference/models/sdxl"
#define UNET_FILE "unet/diffusion_pytorch_model.safetensors"
#define VAE_FILE  "vae/diffusion_pytorch_model.safetensors"
#define TEXT_FILE "text_encoder/model.safetensors"

static pld_engine *engine;

/* ---- a copy of the model */

static void copy_file(const char *from, const char *to) {
    static unsigned char block[1 << 16];
    FILE *in = fopen(from, "rb");
    FILE *out = fopen(to, "wb");
    assert_non_null(in);
    assert_non_null(out);
    for (size_t size; (size = fread(block, 1, sizeof block, in)) > 0;) {
        assert_int_equal(fwrite(block, 1, size, out), size);
    }
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

static void copy_tree(const char *from, const char *to) {
    DIR *directory = opendir(from);
    assert_non_null(directory);
    assert_int_equal(mkdir(to, 0700), 0);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char source[1024];
        char target[1024];
        struct stat facts;
        if (entry->d_name[0] == '.') {
            continue;
        }
        snprintf(source, sizeof source, "%s/%s", from, entry->d_name);
        snprintf(target, sizeof target, "%s/%s", to, entry->d_name);
        assert_int_equal(stat(source, &facts), 0);
        (S_ISDIR(facts.st_mode) ? copy_tree : copy_file)(source, target);
    }
    closedir(directory);
}

/** A place inside the copy; one of four rotating buffers. */
static const char *in_model(const char *name) {
    char inside[256];
    snprintf(inside, sizeof inside, "model/%s", name);
    return in_folder(inside);
}

static int copy_model(void **state) {
    (void)state;
    remove_tree(in_folder("model"));
    copy_tree(WHOLE, in_folder("model"));
    return 0;
}

static int copy_sdxl(void **state) {
    (void)state;
    remove_tree(in_folder("model"));
    copy_tree(WHOLE_XL, in_folder("model"));
    return 0;
}

/* ---- ways to break it */

/** Put `json` in place of a field of a JSON file; NULL removes it. */
static void set_field(const char *file, const char *field, const char *json) {
    json_t *document = json_load_file(in_model(file), 0, NULL);
    assert_non_null(document);
    json_t *value = json ? json_loads(json, JSON_DECODE_ANY, NULL) : NULL;
    assert_int_equal(value ? json_object_set_new(document, field, value) : json_object_del(document, field),
                     0);
    assert_int_equal(json_dump_file(document, in_model(file), 0), 0);
    json_decref(document);
}

/** Tensors of a file on their way into another. */
typedef struct tensor_list {
    pld_tensor_file *file;
    pld_tensor_entry *entries;
    size_t count;
} tensor_list;

static tensor_list read_tensors(const char *name) {
    tensor_list list = {0};
    assert_int_equal(pld_tensor_file_open(in_model(name), &list.file, NULL), PLD_OK);
    list.count = pld_tensor_file_count(list.file);
    list.entries = pld_allocate(list.count + 1, sizeof *list.entries);
    for (size_t i = 0; i < list.count; i++) {
        const pld_stored_tensor *stored = pld_tensor_file_at(list.file, i);
        void *data = pld_allocate(stored->bytes, 1);
        assert_int_equal(pld_tensor_file_read(list.file, stored, 0, stored->bytes, data, NULL), PLD_OK);
        list.entries[i] =
            (pld_tensor_entry){stored->name, {.dtype = stored->dtype, .rank = stored->rank, .data = data}};
        memcpy(list.entries[i].tensor.shape, stored->shape, sizeof stored->shape);
    }
    return list;
}

static pld_tensor_entry *find_tensor(const tensor_list *list, const char *name) {
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->entries[i].name, name) == 0) {
            return &list->entries[i];
        }
    }
    fail_msg("no tensor %s", name);
    return NULL;
}

static void write_tensors(const char *name, tensor_list *list) {
    pld_error error = {0};
    assert_int_equal(pld_safetensors_write(in_model(name), list->entries, list->count, NULL, &error), PLD_OK);
    for (size_t i = 0; i < list->count; i++) {
        pld_free(list->entries[i].tensor.data);
    }
    pld_free(list->entries);
    pld_tensor_file_close(&list->file);
}

/* ---- what must come of it */

/** Opening `path` fails so, with a message that holds each of the words (NULL: no word). */
static void expect_refusal_of(const char *path, pld_status wanted, const char *first, const char *second) {
    pld_model *model = NULL;
    pld_error error = {0};
    pld_status status = pld_model_open(engine, path, &model, &error);
    if (status == PLD_OK) {
        pld_model_destroy(&model);
        fail_msg("%s was opened; expected a message with '%s'", path, first);
    }
    assert_null(model);
    if (status != wanted || !strstr(error.message, first) || (second && !strstr(error.message, second))) {
        fail_msg("expected %s with '%s' and '%s', found %s: %s", pld_status_text(wanted), first,
                 second ? second : "", pld_status_text(status), error.message);
    }
}

static void expect_refusal(pld_status wanted, const char *first, const char *second) {
    expect_refusal_of(in_folder("model"), wanted, first, second);
}

static void a_copy_opens(void **state) {
    (void)state;
    pld_model *model = NULL;
    pld_error error = {0};
    if (pld_model_open(engine, in_folder("model"), &model, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    pld_model_destroy(&model);
}

/* ---- paths */

static void paths_without_a_model(void **state) {
    (void)state;
    expect_refusal_of(in_folder("nothing"), PLD_ERROR_MISSING, "nothing", "no such model");
    expect_refusal_of("", PLD_ERROR_MISSING, "no such model", NULL);
    expect_refusal_of(in_model(UNET_FILE), PLD_ERROR_MISSING, UNET_FILE, "no text encoder");
    expect_refusal_of(in_model("unet"), PLD_ERROR_MISSING, "unet/model_index.json",
                      "give a diffusers folder");
    char longest[5000];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    expect_refusal_of(longest, PLD_ERROR_MISSING, "aaa", NULL);
}

static void missing_parts(void **state) {
    (void)state;
    static const char *const parts[] = {"unet", "vae", "text_encoder", "tokenizer", "scheduler"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        assert_int_equal(rename(in_model(parts[i]), in_folder("aside")), 0);
        expect_refusal(PLD_ERROR_MISSING, parts[i], NULL);
        assert_int_equal(rename(in_folder("aside"), in_model(parts[i])), 0);
    }
    static const char *const files[] = {UNET_FILE, VAE_FILE, TEXT_FILE, "unet/config.json",
                                        "model_index.json"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        assert_int_equal(rename(in_model(files[i]), in_folder("aside")), 0);
        expect_refusal(PLD_ERROR_MISSING, i < 3 ? "safetensors" : files[i], NULL);
        assert_int_equal(rename(in_folder("aside"), in_model(files[i])), 0);
    }
}

/* ---- weights */

static void missing_tensor(void **state) {
    (void)state;
    tensor_list list = read_tensors(UNET_FILE);
    find_tensor(&list, "mid_block.resnets.0.conv1.weight")->name = "mid_block.resnets.0.conv9.weight";
    write_tensors(UNET_FILE, &list);
    expect_refusal(PLD_ERROR_MISSING, UNET_FILE, "'mid_block.resnets.0.conv1.weight'");
}

static void extra_tensor(void **state) {
    (void)state;
    static float value = 1;
    tensor_list list = read_tensors(VAE_FILE);
    float *data = pld_allocate(1, sizeof *data);
    *data = value;
    list.entries[list.count++] = (pld_tensor_entry){
        "decoder.surplus", {.dtype = PLD_DTYPE_F32, .rank = 1, .shape = {1}, .data = data}};
    write_tensors(VAE_FILE, &list);
    expect_refusal(PLD_ERROR_FORMAT, VAE_FILE, "'decoder.surplus'");
}

static void misshapen_tensor(void **state) {
    (void)state;
    tensor_list list = read_tensors(UNET_FILE);
    pld_tensor *tensor = &find_tensor(&list, "conv_in.weight")->tensor;
    tensor->shape[0] /= 2;
    tensor->shape[1] *= 2;
    write_tensors(UNET_FILE, &list);
    expect_refusal(PLD_ERROR_FORMAT, UNET_FILE, "'conv_in.weight'");
}

static void integers_in_place_of_numbers(void **state) {
    (void)state;
    tensor_list list = read_tensors(VAE_FILE);
    find_tensor(&list, "decoder.conv_in.bias")->tensor.dtype = PLD_DTYPE_I16;
    write_tensors(VAE_FILE, &list);
    expect_refusal(PLD_ERROR_FORMAT, "'decoder.conv_in.bias'", "i16");
}

static void files_cut_short(void **state) {
    (void)state;
    static const char *const files[] = {TEXT_FILE, UNET_FILE, VAE_FILE};
    static const long sizes[] = {0, 7, 8, 100, 20000, -1};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
            struct stat facts;
            copy_file(in_model(files[i]), in_folder("aside"));
            assert_int_equal(stat(in_folder("aside"), &facts), 0);
            assert_int_equal(truncate(in_model(files[i]), sizes[j] < 0 ? facts.st_size - 1 : sizes[j]), 0);
            expect_refusal(PLD_ERROR_FORMAT, files[i], NULL);
            copy_file(in_folder("aside"), in_model(files[i]));
        }
    }
    expect_refusal_of(in_folder("aside"), PLD_ERROR_MISSING, "aside", "no denoising network");
}

/* ---- configurations */

typedef struct broken_field {
    const char *file, *field, *json;
    pld_status status;
    const char *first, *second; /* in the message */
} broken_field;

static const broken_field broken_fields[] = {
    {"unet/config.json", "attention_head_dim", "3", PLD_ERROR_FORMAT, "divided into 3 heads",
     "down_blocks.0"},
    {"unet/config.json", "attention_head_dim", "0", PLD_ERROR_FORMAT, "unet/config.json",
     "attention_head_dim"},
    {"unet/config.json", "norm_num_groups", "7", PLD_ERROR_FORMAT, "7 norm groups", UNET_FILE},
    {"unet/config.json", "cross_attention_dim", "64", PLD_ERROR_FORMAT, "width 64 (cross_attention_dim)",
     "have 48"},
    {"unet/config.json", "block_out_channels", "[16384,16384,16384,16384]", PLD_ERROR_FORMAT, UNET_FILE,
     "16384"},
    {"unet/config.json", "block_out_channels", "[99999,32,64,32]", PLD_ERROR_FORMAT, "unet/config.json",
     "block_out_channels"},
    {"unet/config.json", "block_out_channels", "[]", PLD_ERROR_FORMAT, "unet/config.json",
     "block_out_channels"},
    {"unet/config.json", "block_out_channels", "[32,32]", PLD_ERROR_FORMAT, "unet/config.json",
     "down_block_types"},
    {"unet/config.json", "block_out_channels", "\"wide\"", PLD_ERROR_FORMAT, "unet/config.json",
     "block_out_channels"},
    {"unet/config.json", "block_out_channels", NULL, PLD_ERROR_FORMAT, "unet/config.json",
     "block_out_channels"},
    {"unet/config.json", "layers_per_block", "3", PLD_ERROR_MISSING, UNET_FILE, "down_blocks.0"},
    {"unet/config.json", "layers_per_block", "1", PLD_ERROR_FORMAT, UNET_FILE, NULL},
    {"unet/config.json", "transformer_layers_per_block", "64", PLD_ERROR_MISSING, UNET_FILE,
     "transformer_blocks.1"},
    {"unet/config.json", "down_block_types", "[\"CrossAttnDownBlock2D\",\"A\",\"B\",\"C\"]",
     PLD_ERROR_UNSUPPORTED, "down_block_types", "'A'"},
    {"unet/config.json", "mid_block_type", "\"UNetMidBlock2DSimpleCrossAttn\"", PLD_ERROR_UNSUPPORTED,
     "unet/config.json", "mid_block_type"},
    {"unet/config.json", "mid_block_type", "\"UNetMidBlock2D\"", PLD_ERROR_FORMAT, UNET_FILE,
     "mid_block.attentions.0"},
    {"unet/config.json", "mid_block_type", "null", PLD_ERROR_FORMAT, UNET_FILE, "mid_block."},
    {"unet/config.json", "class_embed_type", "\"timestep\"", PLD_ERROR_UNSUPPORTED, "unet/config.json",
     "class_embed_type"},
    {"unet/config.json", "addition_embed_type", "\"image\"", PLD_ERROR_UNSUPPORTED, "unet/config.json",
     "addition_embed_type"},
    {"unet/config.json", "addition_embed_type", "\"text_time\"", PLD_ERROR_FORMAT, "unet/config.json",
     "addition_time_embed_dim"},
    {"unet/config.json", "act_fn", "\"gelu\"", PLD_ERROR_UNSUPPORTED, "unet/config.json", "act_fn"},
    {"unet/config.json", "in_channels", "9", PLD_ERROR_UNSUPPORTED, "9 channels", "inpainting"},
    {"unet/config.json", "freq_shift", "16", PLD_ERROR_FORMAT, "unet/config.json", "freq_shift"},
    {"unet/config.json", "norm_eps", "0", PLD_ERROR_FORMAT, "unet/config.json", "norm_eps"},
    {"vae/config.json", "norm_num_groups", "5", PLD_ERROR_FORMAT, "5 norm groups", VAE_FILE},
    {"vae/config.json", "act_fn", "\"gelu\"", PLD_ERROR_UNSUPPORTED, "vae/config.json", "act_fn"},
    {"vae/config.json", "block_out_channels", "[16384,16384,16384,16384]", PLD_ERROR_FORMAT, VAE_FILE,
     "16384"},
    {"vae/config.json", "latent_channels", "16", PLD_ERROR_UNSUPPORTED, "16", "channels"},
    {"vae/config.json", "scaling_factor", "0", PLD_ERROR_FORMAT, "vae/config.json", "scaling_factor"},
    {"vae/config.json", "latents_mean", "[0,0,0,0]", PLD_ERROR_UNSUPPORTED, "vae/config.json",
     "latents_mean"},
    {"vae/config.json", "mid_block_add_attention", "false", PLD_ERROR_FORMAT, VAE_FILE, "attentions.0"},
    {"text_encoder/config.json", "hidden_size", "16384", PLD_ERROR_FORMAT, "16384", "cross_attention_dim"},
    {"text_encoder/config.json", "num_attention_heads", "5", PLD_ERROR_FORMAT, "text_encoder/config.json",
     "5 heads"},
    {"text_encoder/config.json", "hidden_act", "\"relu\"", PLD_ERROR_UNSUPPORTED, "text_encoder/config.json",
     "hidden_act"},
    {"text_encoder/config.json", "vocab_size", "100", PLD_ERROR_FORMAT, "tokenizer", "100"},
    {"text_encoder/config.json", "vocab_size", "1000000", PLD_ERROR_FORMAT, TEXT_FILE, "1000000"},
    {"text_encoder/config.json", "max_position_embeddings", "4096", PLD_ERROR_FORMAT, TEXT_FILE, "4096"},
    {"text_encoder/config.json", "num_hidden_layers", "200", PLD_ERROR_MISSING, TEXT_FILE, "layers.3"},
    {"scheduler/scheduler_config.json", "_class_name", "\"FutureScheduler\"", PLD_ERROR_UNSUPPORTED,
     "scheduler_config.json", "FutureScheduler"},
    {"scheduler/scheduler_config.json", "num_train_timesteps", "-1", PLD_ERROR_FORMAT,
     "scheduler_config.json", "num_train_timesteps"},
    {"model_index.json", "_class_name", "\"FuturePipeline\"", PLD_ERROR_UNSUPPORTED, "model_index.json",
     "FuturePipeline"},
    {"model_index.json", "_class_name", "\"StableDiffusionXLPipeline\"", PLD_ERROR_MISSING,
     "text_encoder_2/config.json", NULL},
    {"model_index.json", "_class_name", NULL, PLD_ERROR_FORMAT, "model_index.json", "_class_name"},
    {"model_index.json", "_class_name", "7", PLD_ERROR_FORMAT, "model_index.json", "_class_name"},
};

static void check_broken_fields(const broken_field *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const broken_field *row = &rows[i];
        copy_file(in_model(row->file), in_folder("aside"));
        set_field(row->file, row->field, row->json);
        expect_refusal(row->status, row->first, row->second);
        copy_file(in_folder("aside"), in_model(row->file));
    }
}

static void fields_that_do_not_fit(void **state) {
    (void)state;
    check_broken_fields(broken_fields, sizeof broken_fields / sizeof *broken_fields);
}

/* ---- SDXL */

static const broken_field broken_sdxl_fields[] = {
    {"unet/config.json", "projection_class_embeddings_input_dim", "61", PLD_ERROR_FORMAT,
     "projection_class_embeddings_input_dim", "projection_dim"},
    {"unet/config.json", "projection_class_embeddings_input_dim", "48", PLD_ERROR_FORMAT, "unet/config.json",
     "projection_class_embeddings_input_dim"},
    {"unet/config.json", "projection_class_embeddings_input_dim", "-1", PLD_ERROR_FORMAT, "unet/config.json",
     "projection_class_embeddings_input_dim"},
    {"unet/config.json", "projection_class_embeddings_input_dim", NULL, PLD_ERROR_FORMAT, "unet/config.json",
     "projection_class_embeddings_input_dim"},
    {"unet/config.json", "addition_time_embed_dim", NULL, PLD_ERROR_FORMAT, "unet/config.json",
     "addition_time_embed_dim"},
    {"unet/config.json", "addition_time_embed_dim", "0", PLD_ERROR_FORMAT, "unet/config.json",
     "addition_time_embed_dim"},
    {"unet/config.json", "addition_time_embed_dim", "9", PLD_ERROR_FORMAT, "pooled", "projection_dim"},
    {"unet/config.json", "addition_embed_type", "null", PLD_ERROR_FORMAT, "pooled", "projection_dim"},
    {"unet/config.json", "addition_embed_type", "7", PLD_ERROR_FORMAT, "unet/config.json",
     "addition_embed_type"},
    {"unet/config.json", "freq_shift", "4", PLD_ERROR_FORMAT, "unet/config.json", "freq_shift"},
    {"unet/config.json", "cross_attention_dim", "16", PLD_ERROR_FORMAT, "width 16 (cross_attention_dim)",
     "those of the text encoders"},
    {"unet/config.json", "transformer_layers_per_block", "[1,1]", PLD_ERROR_FORMAT, "unet/config.json",
     "transformer_layers_per_block"},
    {"unet/config.json", "transformer_layers_per_block", "[1,2,2]", PLD_ERROR_MISSING, "unet",
     "transformer_blocks.1"},
    {"unet/config.json", "transformer_layers_per_block", "[1,1,1]", PLD_ERROR_FORMAT, "unet",
     "transformer_blocks.1"},
    {"unet/config.json", "attention_head_dim", "[1,3,2]", PLD_ERROR_FORMAT, "divided into 3 heads",
     "down_blocks.1"},
    {"text_encoder_2/config.json", "projection_dim", "13", PLD_ERROR_FORMAT, "13", "projection_dim"},
    {"text_encoder_2/config.json", "max_position_embeddings", "76", PLD_ERROR_FORMAT, "text_encoder_2", "76"},
    {"text_encoder_2/config.json", "hidden_size", "16", PLD_ERROR_FORMAT, "text_encoder_2", NULL},
    {"text_encoder_2/config.json", "vocab_size", "100", PLD_ERROR_FORMAT, "tokenizer_2", "100"},
    {"model_index.json", "force_zeros_for_empty_prompt", "7", PLD_ERROR_FORMAT, "model_index.json",
     "force_zeros_for_empty_prompt"},
    {"model_index.json", "_class_name", "\"StableDiffusionPipeline\"", PLD_ERROR_FORMAT, "text states", NULL},
};

static void sdxl_fields_that_do_not_fit(void **state) {
    (void)state;
    check_broken_fields(broken_sdxl_fields, sizeof broken_sdxl_fields / sizeof *broken_sdxl_fields);
}

static void sdxl_missing_parts(void **state) {
    (void)state;
    static const char *const names[] = {"text_encoder_2", "tokenizer_2", "text_encoder",
                                        "text_encoder_2/model.fp16.safetensors"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(rename(in_model(names[i]), in_folder("part_aside")), 0);
        expect_refusal(PLD_ERROR_MISSING, i < 3 ? names[i] : "text_encoder_2", NULL);
        assert_int_equal(rename(in_folder("part_aside"), in_model(names[i])), 0);
    }
}

/** The second encoder without its projection, which the first may lack. */
static void sdxl_without_a_projection(void **state) {
    (void)state;
    tensor_list list = read_tensors("text_encoder_2/model.fp16.safetensors");
    find_tensor(&list, "text_projection.weight")->name = "text_projection.bias";
    write_tensors("text_encoder_2/model.fp16.safetensors", &list);
    expect_refusal(PLD_ERROR_MISSING, "text_encoder_2", "'text_projection.weight'");
}

static void sdxl_without_add_embedding(void **state) {
    (void)state;
    tensor_list list = read_tensors("unet/diffusion_pytorch_model.fp16.safetensors");
    find_tensor(&list, "add_embedding.linear_2.bias")->name = "add_embedding.linear_3.bias";
    write_tensors("unet/diffusion_pytorch_model.fp16.safetensors", &list);
    expect_refusal(PLD_ERROR_MISSING, "unet", "'add_embedding.linear_2.bias'");
}

/** A scheduler may state what no sampler here has: the folder opens, a drawing names the field. */
static void thresholding_is_refused_when_drawing(void **state) {
    (void)state;
    pld_model *model = NULL;
    pld_session *session = NULL;
    pld_image image;
    pld_error error = {0};
    pld_generate_options options;
    pld_generate_options_init(&options, sizeof options);
    set_field("scheduler/scheduler_config.json", "_class_name", "\"DDIMScheduler\"");
    set_field("scheduler/scheduler_config.json", "thresholding", "true");
    assert_int_equal(pld_model_open(engine, in_folder("model"), &model, &error), PLD_OK);
    assert_int_equal(pld_session_create(model, &session, &error), PLD_OK);
    assert_int_equal(pld_generate(session, &options, &image, NULL, &error), PLD_ERROR_UNSUPPORTED);
    assert_null(image.pixels);
    assert_non_null(strstr(error.message, "thresholding"));
    pld_session_destroy(&session);
    pld_model_destroy(&model);
}

static void files_that_are_no_json_object(void **state) {
    (void)state;
    static const char *const files[] = {"model_index.json", "unet/config.json", "vae/config.json",
                                        "text_encoder/config.json", "scheduler/scheduler_config.json"};
    static const char *const texts[] = {"", "[]", "null", "{", "\xff\xfe", "{\"a\":1,\"a\":2}"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char name[128];
        copy_file(in_model(files[i]), in_folder("aside"));
        snprintf(name, sizeof name, "model/%s", files[i]);
        for (size_t j = 0; j < sizeof texts / sizeof *texts; j++) {
            write_text(name, texts[j]);
            expect_refusal(PLD_ERROR_FORMAT, files[i], NULL);
        }
        copy_file(in_folder("aside"), in_model(files[i]));
    }
}

/* ---- lack of memory */

/** Open, begin a session and draw: the first status that is not PLD_OK. */
static pld_status open_and_draw(const char *path, pld_error *error) {
    pld_model *model = NULL;
    pld_session *session = NULL;
    pld_image image = {0};
    pld_generate_options options;
    pld_generate_options_init(&options, sizeof options);
    options.prompt = "a (red:1.2) cat";
    options.width = 64;
    options.height = 64;
    options.steps = 1;
    options.dump = in_folder("dump.safetensors");
    pld_status status = pld_model_open(engine, path, &model, error);
    if (status == PLD_OK) {
        status = pld_session_create(model, &session, error);
    }
    if (status == PLD_OK) {
        status = pld_generate(session, &options, &image, NULL, error);
        assert_int_equal(status == PLD_OK, image.pixels != NULL);
    }
    pld_image_free(&image);
    pld_session_destroy(&session);
    pld_model_destroy(&model);
    return status;
}

/** One countdown; true when nothing was refused any more. */
static bool draw_without(const char *path, long countdown) {
    pld_error error = {0};
    pld_inject_allocation_failure(countdown);
    pld_status status = open_and_draw(path, &error);
    pld_inject_allocation_failure(-1);
    if (status != PLD_OK && (status != PLD_ERROR_MEMORY || !error.message[0])) {
        fail_msg("allocation %ld refused: %s: %s", countdown, pld_status_text(status), error.message);
    }
    return status == PLD_OK;
}

/** Each refused allocation ends in an error; some 5000 are made. Each with PLADIS_FULL=1, else every 29th. */
static void no_memory_anywhere(const char *path) {
    const long step = getenv("PLADIS_FULL") ? 1 : 29;
    pld_error error = {0};
    assert_int_equal(open_and_draw(path, &error), PLD_OK); /* what is made once in a process is made */
    long countdown = 0;
    while (!draw_without(path, countdown)) {
        countdown += step;
    }
    assert_true(countdown > 1000);
}

static void no_memory_anywhere_in_sd15(void **state) {
    (void)state;
    no_memory_anywhere(WHOLE);
}

static void no_memory_anywhere_in_sdxl(void **state) {
    (void)state;
    no_memory_anywhere(WHOLE_XL);
}

/** A session whose drawing failed for lack of memory draws the next time as if nothing had been. */
static void session_survives(void **state) {
    (void)state;
    pld_model *model = NULL;
    pld_session *session = NULL;
    pld_image first = {0};
    pld_error error = {0};
    pld_generate_options options;
    pld_generate_options_init(&options, sizeof options);
    options.prompt = "a cat";
    options.width = 64;
    options.height = 64;
    options.steps = 1;
    assert_int_equal(pld_model_open(engine, WHOLE, &model, &error), PLD_OK);
    assert_int_equal(pld_session_create(model, &session, &error), PLD_OK);
    for (long countdown = 0; countdown < 3000; countdown += 271) {
        pld_image image = {0};
        pld_inject_allocation_failure(countdown);
        (void)pld_generate(session, &options, &image, NULL, &error);
        pld_inject_allocation_failure(-1);
        pld_image_free(&image);
        assert_int_equal(pld_generate(session, &options, &image, NULL, &error), PLD_OK);
        if (first.pixels) {
            assert_memory_equal(first.pixels, image.pixels, 3 * 64 * 64);
            pld_image_free(&image);
        } else {
            first = image;
        }
    }
    pld_image_free(&first);
    pld_session_destroy(&session);
    pld_model_destroy(&model);
}

static int start(void **state) {
    pld_engine_options options;
    pld_engine_options_init(&options, sizeof options);
    options.threads = 1;
    return make_temporary_folder(state) == 0 && pld_engine_create(&options, &engine, NULL) == PLD_OK ? 0 : -1;
}

static int stop(void **state) {
    pld_engine_destroy(&engine);
    return remove_temporary_folder(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_copy_opens, copy_model),
        cmocka_unit_test_setup(paths_without_a_model, copy_model),
        cmocka_unit_test_setup(missing_parts, copy_model),
        cmocka_unit_test_setup(missing_tensor, copy_model),
        cmocka_unit_test_setup(extra_tensor, copy_model),
        cmocka_unit_test_setup(misshapen_tensor, copy_model),
        cmocka_unit_test_setup(integers_in_place_of_numbers, copy_model),
        cmocka_unit_test_setup(files_cut_short, copy_model),
        cmocka_unit_test_setup(fields_that_do_not_fit, copy_model),
        cmocka_unit_test_setup(a_copy_opens, copy_sdxl),
        cmocka_unit_test_setup(sdxl_fields_that_do_not_fit, copy_sdxl),
        cmocka_unit_test_setup(sdxl_missing_parts, copy_sdxl),
        cmocka_unit_test_setup(sdxl_without_a_projection, copy_sdxl),
        cmocka_unit_test_setup(sdxl_without_add_embedding, copy_sdxl),
        cmocka_unit_test_setup(thresholding_is_refused_when_drawing, copy_model),
        cmocka_unit_test_setup(files_that_are_no_json_object, copy_model),
        cmocka_unit_test(no_memory_anywhere_in_sd15),
        cmocka_unit_test(no_memory_anywhere_in_sdxl),
        cmocka_unit_test(session_survives),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
