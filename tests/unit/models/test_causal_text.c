/* SPDX-License-Identifier: Apache-2.0 */
/** Configurations of Gemma 2 and Qwen3, in the words of transformers 4 and 5, and what tensors tell of them. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/memory.h"
#include "models/families/rows.h"
#include "models/gemma2/gemma2.h"
#include "models/layouts/layouts.h"
#include "models/qwen3/qwen3.h"
#include "temporary_folder.h"

#define GEMMA "\"architectures\": [\"Gemma2Model\"], \"model_type\": \"gemma2\""
#define QWEN  "\"architectures\": [\"Qwen3ForCausalLM\"], \"model_type\": \"qwen3\""

static pld_causal_config read_config(const pld_part_class *class, const char *text) {
    pld_error error = {0};
    pld_causal_config config;
    memset(&config, 0, sizeof config);
    if (pld_json_read_file(write_text("config.json", text), class->read, &config, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    return config;
}

static void expect_refusal(const pld_part_class *class, const char *text, pld_status wanted,
                           const char *said) {
    pld_error error = {0};
    pld_causal_config config;
    const pld_status status =
        pld_json_read_file(write_text("config.json", text), class->read, &config, &error);
    if (status != wanted || !strstr(error.message, said)) {
        fail_msg("%s: expected %s with '%s', found %s: %s", text, pld_status_text(wanted), said,
                 pld_status_text(status), error.message);
    }
}

static void both_words_mean_the_same(void **state) {
    (void)state;
    const pld_causal_config old =
        read_config(&pld_class_gemma2,
                    "{" GEMMA ", \"num_hidden_layers\": 4, \"rope_theta\": 20000, \"sliding_window\": 24}");
    const pld_causal_config new = read_config(
        &pld_class_gemma2,
        "{" GEMMA ", \"num_hidden_layers\": 4, \"sliding_window\": 24, \"rope_parameters\": "
        "{\"rope_type\": \"default\", \"rope_theta\": 20000}, \"layer_types\": [\"sliding_attention\", "
        "\"full_attention\", \"sliding_attention\", \"full_attention\"]}");
    assert_true(old.theta == 20000 && new.theta == 20000);
    assert_memory_equal(old.slides, new.slides, sizeof old.slides);
    assert_true(old.slides[0] && !old.slides[1] && old.slides[2] && old.window == 24);
    assert_true(old.head_size == 256 && old.key_heads == 4 && old.soft_cap == 50 && old.query_scalar == 256);
}

static void windows_are_where_they_are_asked_for(void **state) {
    (void)state;
    pld_causal_config c = read_config(&pld_class_qwen3, "{" QWEN ", \"sliding_window\": 8}");
    assert_true(c.window == 0 && !c.slides[30]);
    c = read_config(&pld_class_qwen3, "{" QWEN ", \"use_sliding_window\": true, \"sliding_window\": 8, "
                                      "\"num_hidden_layers\": 3, \"max_window_layers\": 2}");
    assert_true(c.window == 8 && !c.slides[1] && c.slides[2]);
    c = read_config(&pld_class_gemma2,
                    "{" GEMMA ", \"sliding_window\": null, \"attn_logit_softcapping\": null}");
    assert_true(c.window == 0 && !c.slides[0] && c.soft_cap == 0);
}

static void other_networks_are_refused(void **state) {
    (void)state;
    const pld_part_class *gemma = &pld_class_gemma2, *qwen = &pld_class_qwen3;
    expect_refusal(qwen, "{" GEMMA "}", PLD_ERROR_UNSUPPORTED, "belongs to another family");
    expect_refusal(qwen, "{\"architectures\": [\"Qwen3MoeForCausalLM\"]}", PLD_ERROR_UNSUPPORTED, "Qwen3Moe");
    expect_refusal(qwen, "{" QWEN ", \"rope_scaling\": {\"rope_type\": \"yarn\", \"factor\": 4.0}}",
                   PLD_ERROR_UNSUPPORTED, "'yarn'");
    expect_refusal(qwen, "{" QWEN ", \"attention_bias\": true}", PLD_ERROR_UNSUPPORTED, "attention_bias");
    expect_refusal(qwen, "{" QWEN ", \"hidden_act\": \"gelu\"}", PLD_ERROR_UNSUPPORTED, "hidden_act");
    expect_refusal(qwen, "{" QWEN ", \"num_attention_heads\": 6, \"num_key_value_heads\": 4}",
                   PLD_ERROR_FORMAT, "num_key_value_heads");
    expect_refusal(qwen, "{" QWEN ", \"head_dim\": 7}", PLD_ERROR_FORMAT, "head_dim");
    expect_refusal(qwen, "{" QWEN ", \"rms_norm_eps\": 0}", PLD_ERROR_FORMAT, "rms_norm_eps");
    expect_refusal(qwen, "{" QWEN ", \"rope_theta\": 0.5}", PLD_ERROR_FORMAT, "rope_theta");
    expect_refusal(qwen, "{" QWEN ", \"num_hidden_layers\": 257}", PLD_ERROR_FORMAT, "num_hidden_layers");
    expect_refusal(gemma, "{" GEMMA ", \"layer_types\": [\"full_attention\"]}", PLD_ERROR_FORMAT,
                   "layer_types");
    expect_refusal(gemma, "{" GEMMA ", \"num_hidden_layers\": 1, \"layer_types\": [\"linear_attention\"]}",
                   PLD_ERROR_UNSUPPORTED, "linear_attention");
    expect_refusal(gemma, "{" GEMMA ", \"use_bidirectional_attention\": true}", PLD_ERROR_UNSUPPORTED,
                   "use_bidirectional_attention");
    expect_refusal(gemma, "{" GEMMA ", \"query_pre_attn_scalar\": -1}", PLD_ERROR_FORMAT,
                   "query_pre_attn_scalar");
}

/** A header of one encoder's tensors, whose numbers lie in a hole of the file. */
typedef struct made_file {
    char header[8192];
    size_t used;
    uint64_t end;
} made_file;

static void add_tensor(made_file *file, const char *name, int64_t rows, int64_t columns) {
    const uint64_t bytes = 2 * (uint64_t)rows * (uint64_t)(columns ? columns : 1);
    char second[32] = "";
    if (columns) {
        snprintf(second, sizeof second, ", %lld", (long long)columns);
    }
    file->used += (size_t)snprintf(file->header + file->used, sizeof file->header - file->used,
                                   "%s\"%s\": {\"dtype\": \"BF16\", \"shape\": [%lld%s], \"data_offsets\": "
                                   "[%llu, %llu]}",
                                   file->used > 1 ? ", " : "", name, (long long)rows, second,
                                   (unsigned long long)file->end, (unsigned long long)(file->end + bytes));
    file->end += bytes;
}

/** Two layers of a network, with `prefix` before their names. */
static pld_weight_files *make_file(const char *prefix, const char *mark, int64_t mark_size, int64_t width,
                                   int64_t queries, int64_t keys, int64_t intermediate) {
    made_file file = {.header = "{", .used = 1};
    pld_error error = {0};
    pld_weight_files *files = NULL;
    char name[128];
#define ADD(rows, columns, ...)                                                                              \
    snprintf(name, sizeof name, __VA_ARGS__);                                                                \
    add_tensor(&file, name, rows, columns)
    ADD(1000, width, "%sembed_tokens.weight", prefix);
    ADD(width, 0, "%snorm.weight", prefix);
    for (int i = 0; i < 2; i++) {
        ADD(width, 0, "%slayers.%d.input_layernorm.weight", prefix, i);
        ADD(width, 0, "%slayers.%d.post_attention_layernorm.weight", prefix, i);
        ADD(mark_size, 0, "%slayers.%d.%s.weight", prefix, i, mark);
        ADD(queries, width, "%slayers.%d.self_attn.q_proj.weight", prefix, i);
        ADD(keys, width, "%slayers.%d.self_attn.k_proj.weight", prefix, i);
        ADD(intermediate, width, "%slayers.%d.mlp.gate_proj.weight", prefix, i);
    }
#undef ADD
    strcat(file.header, "}");
    const char *path = write_safetensors("made.safetensors", file.header, 0, 0);
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(truncate(path, facts.st_size + (off_t)file.end), 0);
    if (pld_weight_files_open_file(path, &files, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    return files;
}

/** What a file's tensors say, read back. */
static pld_causal_config describe(const pld_weight_files *files, const pld_part_class *class,
                                  const char *prefix) {
    static const pld_published_part no_parts[] = {{0}};
    static const pld_published published = {.name = "none", .parts = no_parts};
    pld_error error = {0};
    pld_layout_contents contents;
    pld_weight_files *view = NULL;
    json_t *config = NULL;
    pld_layout_detect(files, &contents);
    assert_int_equal(contents.count, 1);
    assert_int_equal(contents.unknown, 0);
    assert_ptr_equal(contents.parts[0].class, class);
    assert_string_equal(contents.parts[0].layout->prefix, prefix);
    assert_int_equal(pld_layout_view(files, contents.parts[0].layout, 0, &view, &error), PLD_OK);
    const pld_description description = {
        .weights = view, .layout = contents.parts[0].layout, .published = &published, .part = "text_encoder"};
    if (class->describe(&description, &config, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    char *text = json_dumps(config, 0);
    const pld_causal_config read = read_config(class, text);
    free(text);
    json_decref(config);
    pld_weight_files_close(&view);
    return read;
}

static void tensors_tell_what_a_file_holds(void **state) {
    (void)state;
    static const char *const prefixes[] = {"", "model.", "text_encoders.qwen3_06b.transformer.model."};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        pld_weight_files *files = make_file(prefixes[i], "self_attn.q_norm", 128, 1024, 2048, 1024, 3072);
        const pld_causal_config c = describe(files, &pld_class_qwen3, prefixes[i]);
        assert_true(c.vocabulary == 1000 && c.width == 1024 && c.intermediate == 3072 && c.layers == 2);
        assert_true(c.heads == 16 && c.key_heads == 8 && c.head_size == 128 && c.theta == 1e6);
        pld_weight_files_close(&files);
    }
    pld_weight_files *files = make_file("", "pre_feedforward_layernorm", 2304, 2304, 2048, 1024, 9216);
    pld_causal_config c = describe(files, &pld_class_gemma2, "");
    assert_true(c.heads == 8 && c.key_heads == 4 && c.head_size == 256 && c.query_scalar == 256);
    assert_true(c.slides[0] && !c.slides[1] && c.window == 4096 && c.theta == 10000);
    pld_weight_files_close(&files);
    files = make_file("model.", "pre_feedforward_layernorm", 4608, 4608, 4096, 2048, 36864);
    c = describe(files, &pld_class_gemma2, "model.");
    assert_true(c.heads == 32 && c.key_heads == 16 && c.head_size == 128 && c.query_scalar == 144);
    pld_weight_files_close(&files);
}

static void states_that_are_not_there_are_refused(void **state) {
    (void)state;
    const pld_causal_config c = read_config(
        &pld_class_qwen3, "{" QWEN ", \"num_hidden_layers\": 3, \"vocab_size\": 8, \"hidden_size\": 8, "
                          "\"num_attention_heads\": 2, \"num_key_value_heads\": 1, \"head_dim\": 4, "
                          "\"intermediate_size\": 8}");
    static const int64_t wrong[][2] = {{1, 4}, {2, 2}, {2, 1}, {-1, 1}}, right[] = {0, 3};
    for (size_t i = 0; i < 5; i++) {
        pld_error error = {0};
        pld_plan plan;
        pld_text_values values;
        const pld_text_request request = {
            .batch = 1, .tokens = 4, .states_after = i < 4 ? wrong[i] : right, .state_count = 2};
        pld_plan_init(&plan, NULL);
        const pld_status status = pld_class_qwen3.text_encoder->build(&plan, &c, &request, &values, &error);
        assert_int_equal(status, i < 4 ? PLD_ERROR_ARGUMENT : PLD_OK);
        assert_true(i < 4 || plan.values[values.states].channels == 16);
        pld_plan_free(&plan);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_words_mean_the_same),
        cmocka_unit_test(windows_are_where_they_are_asked_for),
        cmocka_unit_test(other_networks_are_refused),
        cmocka_unit_test(tensors_tell_what_a_file_holds),
        cmocka_unit_test(states_that_are_not_there_are_refused),
    };
    return cmocka_run_group_tests(tests, make_temporary_folder, remove_temporary_folder);
}
