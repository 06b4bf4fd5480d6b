/* SPDX-License-Identifier: Apache-2.0 */
/** Files of FLUX.1 in full size, of which only the header is real: what is read off, and what only looks like it. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "header_file.h"
#include "io/tensors/weight_files.h"
#include "models/flux/files.h"
#include "pladis/pladis.h"
#include "temporary_folder.h"

/** A linear layer with its bias. */
static void add_linear(header *h, const char *name, json_int_t rows, json_int_t columns) {
    char whole[128];
    snprintf(whole, sizeof whole, "%s.weight", name);
    add(h, whole, rows, columns);
    snprintf(whole, sizeof whole, "%s.bias", name);
    add(h, whole, rows, 0);
}

enum { WIDTH = 3072, HEAD = 128, HIDDEN = 4 * WIDTH, SINUSOIDS = 256, POOLED = 768, STATES = 4096 };

static void add_double_block(header *h, int block) {
    static const char *const streams[] = {"img", "txt"};
    char name[96];
    for (int i = 0; i < 2; i++) {
        const struct {
            const char *layer;
            json_int_t rows, columns;
        } layers[] = {{"mod.lin", 6 * WIDTH, WIDTH},
                      {"attn.qkv", 3 * WIDTH, WIDTH},
                      {"attn.proj", WIDTH, WIDTH},
                      {"mlp.0", HIDDEN, WIDTH},
                      {"mlp.2", WIDTH, HIDDEN}};
        for (size_t j = 0; j < sizeof layers / sizeof *layers; j++) {
            snprintf(name, sizeof name, "double_blocks.%d.%s_%s", block, streams[i], layers[j].layer);
            add_linear(h, name, layers[j].rows, layers[j].columns);
        }
        snprintf(name, sizeof name, "double_blocks.%d.%s_attn.norm.query_norm.scale", block, streams[i]);
        add(h, name, HEAD, 0);
        snprintf(name, sizeof name, "double_blocks.%d.%s_attn.norm.key_norm.scale", block, streams[i]);
        add(h, name, HEAD, 0);
    }
}

static void add_single_block(header *h, int block) {
    char name[96];
    snprintf(name, sizeof name, "single_blocks.%d.linear1", block);
    add_linear(h, name, 3 * WIDTH + HIDDEN, WIDTH);
    snprintf(name, sizeof name, "single_blocks.%d.linear2", block);
    add_linear(h, name, WIDTH, WIDTH + HIDDEN);
    snprintf(name, sizeof name, "single_blocks.%d.modulation.lin", block);
    add_linear(h, name, 3 * WIDTH, WIDTH);
    snprintf(name, sizeof name, "single_blocks.%d.norm.query_norm.scale", block);
    add(h, name, HEAD, 0);
    snprintf(name, sizeof name, "single_blocks.%d.norm.key_norm.scale", block);
    add(h, name, HEAD, 0);
}

/** A file NAME with the transformer, whose tokens have `inputs` numbers. */
static const char *write_transformer(const char *name, json_int_t inputs, bool guided, const char *title) {
    header h = {json_object(), 0};
    add_linear(&h, "img_in", WIDTH, inputs);
    add_linear(&h, "txt_in", WIDTH, STATES);
    add_linear(&h, "time_in.in_layer", WIDTH, SINUSOIDS);
    add_linear(&h, "time_in.out_layer", WIDTH, WIDTH);
    add_linear(&h, "vector_in.in_layer", WIDTH, POOLED);
    add_linear(&h, "vector_in.out_layer", WIDTH, WIDTH);
    if (guided) {
        add_linear(&h, "guidance_in.in_layer", WIDTH, SINUSOIDS);
        add_linear(&h, "guidance_in.out_layer", WIDTH, WIDTH);
    }
    for (int block = 0; block < 19; block++) {
        add_double_block(&h, block);
    }
    for (int block = 0; block < 38; block++) {
        add_single_block(&h, block);
    }
    add_linear(&h, "final_layer.adaLN_modulation.1", 2 * WIDTH, WIDTH);
    add_linear(&h, "final_layer.linear", 64, WIDTH);
    if (title) {
        json_object_set_new(h.tensors, "__metadata__", json_pack("{s:s}", "modelspec.title", title));
    }
    return write_header(name, &h);
}

static void full_size_files_are_described(void **state) {
    (void)state;
    static const struct {
        bool guided;
        const char *title;
        uint64_t parameters;
    } rows[] = {{true, "FLUX.1 dev", 11901408320}, {false, "FLUX.1 schnell", 11891178560}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pld_file_info *info = inspect(write_transformer("flux", 64, rows[i].guided, NULL));
        assert_string_equal(info->title, rows[i].title);
        assert_string_equal(info->family, "flux");
        assert_string_equal(info->layout, "Black Forest Labs");
        assert_string_equal(info->prediction_type, "flow_prediction");
        assert_int_equal(info->part_count, 1);
        assert_string_equal(info->parts[0]->name, "transformer");
        assert_int_equal(info->parts[0]->parameters, rows[i].parameters);
        assert_int_equal(info->site_count, 19 + 38);
        for (size_t site = 0; site < info->site_count; site++) {
            assert_int_equal(info->sites[site]->heads, WIDTH / HEAD);
        }
        assert_int_equal(info->note_count, 3); /* it lacks text encoders and autoencoder */
        pld_file_info_destroy(&info);
    }
}

static void others_are_named(void **state) {
    (void)state;
    static const struct {
        const char *file, *title;
        json_int_t inputs;
        const char *found;
    } rows[] = {{"a", NULL, 384, "FLUX Fill"},
                {"b", NULL, 128, "FLUX Control"},
                {"c", "FLUX.1 Kontext [dev]", 64, "FLUX Kontext"},
                {"flux1-dev-kontext_fp8", NULL, 64, "FLUX Kontext"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pld_file_info *info = inspect(write_transformer(rows[i].file, rows[i].inputs, true, rows[i].title));
        bool told = false;
        for (size_t note = 0; note < info->note_count; note++) {
            told = told || strstr(info->notes[note], rows[i].found);
        }
        assert_true(told);
        pld_file_info_destroy(&info);
    }
}

/** Rows in another order are read in that order, in whatever pieces. */
static void turned_rows_are_read_in_order(void **state) {
    (void)state;
    enum { ROWS = 4, COLUMNS = 3, BYTES = ROWS * COLUMNS * 4 };
    static const char text[] =
        "{\"final_layer.adaLN_modulation.1.weight\":{\"dtype\":\"F32\",\"shape\":[4,3],\"data_offsets\":[0,"
        "48]},"
        "\"double_blocks.0.img_mod.lin.weight\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[48,48]}}";
    unsigned char whole[BYTES], piece[BYTES], expected[BYTES];
    pld_weight_files *files = NULL, *view = NULL;
    pld_weight weight;
    pld_error error = {0};
    assert_int_equal(pld_weight_files_open_file(write_safetensors("turned", text, 0, BYTES), &files, &error),
                     PLD_OK);
    assert_true(pld_weight_files_find(files, "final_layer.adaLN_modulation.1.weight", &weight));
    assert_int_equal(pld_weight_read(&weight, 0, BYTES, whole, &error), PLD_OK);
    memcpy(expected, whole + BYTES / 2, BYTES / 2);
    memcpy(expected + BYTES / 2, whole, BYTES / 2);
    const pld_weight_alias alias = {
        .source = weight.index, .name = "norm_out.linear.weight", .rows = {1, 2, 2}};
    assert_int_equal(pld_weight_files_view(files, &alias, 1, &view, &error), PLD_OK);
    assert_true(pld_weight_files_find(view, "norm_out.linear.weight", &weight));
    assert_int_equal(weight.tensor->shape[0], ROWS);
    for (size_t first = 0; first < BYTES; first += 4) {
        for (size_t bytes = 4; first + bytes <= BYTES; bytes += 4) {
            assert_int_equal(pld_weight_read(&weight, first, bytes, piece, &error), PLD_OK);
            assert_memory_equal(piece, expected + first, bytes);
        }
    }
    assert_int_equal(pld_weight_read(&weight, BYTES - 4, 8, piece, &error), PLD_ERROR_ARGUMENT);
    pld_weight_files_close(&view);
    pld_weight_files_close(&files);
}

/** All parts of a fused matrix lead to diffusers' names and back. */
static void fused_matrices_have_parts(void **state) {
    (void)state;
    static const char *const names[] = {"attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"};
    pld_renamed found[PLD_MOST_RENAMED], back;
    assert_int_equal(pld_names_to_diffusers(pld_flux_names, 0, "single_blocks.7.linear1.bias", found), 4);
    for (int i = 0; i < 4; i++) {
        char name[96];
        snprintf(name, sizeof name, "single_transformer_blocks.7.%s.bias", names[i]);
        assert_string_equal(found[i].name, name);
        assert_int_equal(found[i].rows.first, i);
        assert_int_equal(found[i].rows.count, i < 3 ? 1 : 4);
        assert_int_equal(found[i].rows.of, 7);
        assert_true(pld_names_to_original(pld_flux_names, 0, name, NULL, NULL, &back));
        assert_string_equal(back.name, "single_blocks.7.linear1.bias");
        assert_int_equal(back.rows.first, i);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_size_files_are_described),
        cmocka_unit_test(others_are_named),
        cmocka_unit_test(turned_rows_are_read_in_order),
        cmocka_unit_test(fused_matrices_have_parts),
    };
    return cmocka_run_group_tests(tests, make_temporary_folder, remove_temporary_folder);
}
