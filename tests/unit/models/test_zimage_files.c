/* SPDX-License-Identifier: Apache-2.0 */
/** Files of Z-Image in full size, of which only the header is real: what is read off, and what only looks like it. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "models/zimage/files.h"
#include "pladis/pladis.h"
#include "temporary_folder.h"

/** A header while it is made. */
typedef struct header {
    json_t *tensors;
    json_int_t end;
    const char *prefix;
} header;

/** A tensor [rows, columns], or [rows] with columns 0. */
static void add(header *h, const char *name, json_int_t rows, json_int_t columns) {
    char whole[160];
    const json_int_t end = h->end + 2 * rows * (columns ? columns : 1);
    json_t *shape = columns ? json_pack("[I, I]", rows, columns) : json_pack("[I]", rows);
    snprintf(whole, sizeof whole, "%s%s", h->prefix, name);
    json_object_set_new(
        h->tensors, whole,
        json_pack("{s:s, s:o, s:[I, I]}", "dtype", "BF16", "shape", shape, "data_offsets", h->end, end));
    h->end = end;
}

/** A linear layer with its bias. */
static void add_linear(header *h, const char *name, json_int_t rows, json_int_t columns) {
    char whole[128];
    snprintf(whole, sizeof whole, "%s.weight", name);
    add(h, whole, rows, columns);
    snprintf(whole, sizeof whole, "%s.bias", name);
    add(h, whole, rows, 0);
}

enum { WIDTH = 3840, HEAD = 128, HIDDEN = 10240, TIME = 256, STATES = 2560, LAYERS = 30, REFINERS = 2 };

static void add_block(header *h, const char *group, int block, bool modulated) {
    static const struct {
        const char *name;
        json_int_t rows, columns;
    } tensors[] = {{"attention.qkv", 3 * WIDTH, WIDTH},
                   {"attention.out", WIDTH, WIDTH},
                   {"attention.q_norm", HEAD, 0},
                   {"attention.k_norm", HEAD, 0},
                   {"feed_forward.w1", HIDDEN, WIDTH},
                   {"feed_forward.w2", WIDTH, HIDDEN},
                   {"feed_forward.w3", HIDDEN, WIDTH},
                   {"attention_norm1", WIDTH, 0},
                   {"attention_norm2", WIDTH, 0},
                   {"ffn_norm1", WIDTH, 0},
                   {"ffn_norm2", WIDTH, 0}};
    char name[96];
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
        snprintf(name, sizeof name, "%s.%d.%s.weight", group, block, tensors[i].name);
        add(h, name, tensors[i].rows, tensors[i].columns);
    }
    if (modulated) {
        snprintf(name, sizeof name, "%s.%d.adaLN_modulation.0", group, block);
        add_linear(h, name, 4 * WIDTH, TIME);
    }
}

/** What a file has beside Z-Image's tensors, or lacks. */
typedef struct kind {
    const char *file, *prefix, *title;
    bool padded;       /* captions are filled up */
    const char *extra; /* a further tensor */
} kind;

static const char *write_transformer(const kind *k) {
    header h = {json_object(), 0, k->prefix};
    add_linear(&h, "x_embedder", WIDTH, 64);
    add(&h, "cap_embedder.0.weight", STATES, 0);
    add_linear(&h, "cap_embedder.1", WIDTH, STATES);
    add_linear(&h, "t_embedder.mlp.0", 1024, TIME);
    add_linear(&h, "t_embedder.mlp.2", TIME, 1024);
    if (k->padded) {
        add(&h, "x_pad_token", 1, WIDTH);
        add(&h, "cap_pad_token", 1, WIDTH);
    }
    for (int i = 0; i < REFINERS; i++) {
        add_block(&h, "noise_refiner", i, true);
        add_block(&h, "context_refiner", i, false);
    }
    for (int i = 0; i < LAYERS; i++) {
        add_block(&h, "layers", i, true);
    }
    add_linear(&h, "final_layer.adaLN_modulation.1", WIDTH, TIME);
    add_linear(&h, "final_layer.linear", 64, WIDTH);
    if (k->extra) {
        add(&h, k->extra, WIDTH, 0);
    }
    if (k->title) {
        json_object_set_new(h.tensors, "__metadata__", json_pack("{s:s}", "modelspec.title", k->title));
    }
    char *text = json_dumps(h.tensors, JSON_COMPACT);
    const char *path = write_safetensors(k->file, text, 0, 0);
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(truncate(path, facts.st_size + h.end), 0);
    free(text);
    json_decref(h.tensors);
    return path;
}

static pld_file_info *inspect(const kind *k) {
    pld_file_info *info = NULL;
    pld_error error = {0};
    if (pld_file_inspect(write_transformer(k), NULL, &info, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    return info;
}

/** Turbo has the same tensors, and is told by what a file is called or says of itself. */
static void full_size_files_are_described(void **state) {
    (void)state;
    static const struct {
        kind kind;
        const char *title;
    } rows[] = {{{"z_image_bf16", "", NULL, true, NULL}, "Z-Image"},
                {{"z_image_turbo_bf16", "model.diffusion_model.", NULL, true, NULL}, "Z-Image-Turbo"},
                {{"a", "diffusion_model.", "Some Turbo Mix", true, "norm_final.weight"}, "Z-Image-Turbo"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pld_file_info *info = inspect(&rows[i].kind);
        assert_string_equal(info->title, rows[i].title);
        assert_string_equal(info->family, "z-image");
        assert_string_equal(info->layout, "Z-Image");
        assert_string_equal(info->prediction_type, "flow_prediction");
        assert_int_equal(info->part_count, 1);
        assert_string_equal(info->parts[0]->name, "transformer");
        assert_int_equal(info->parts[0]->parameters, 6154908736);
        assert_int_equal(info->site_count, REFINERS + LAYERS);
        for (size_t site = 0; site < info->site_count; site++) {
            assert_int_equal(info->sites[site]->heads, WIDTH / HEAD);
        }
        pld_file_info_destroy(&info);
    }
}

static void others_are_named(void **state) {
    (void)state;
    static const struct {
        kind kind;
        const char *found;
    } rows[] = {{{"b", "", NULL, false, NULL}, "Lumina-Image 2.0"},
                {{"c", "", NULL, true, "siglip_embedder.0.weight"}, "Z-Image Omni"},
                {{"d", "", NULL, true, "control_layers.0.attention_norm1.weight"}, "ControlNet"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pld_error error = {0};
        pld_file_info *info = NULL;
        bool told = false;
        if (pld_file_inspect(write_transformer(&rows[i].kind), NULL, &info, &error) != PLD_OK) {
            told = strstr(error.message, rows[i].found);
        }
        for (size_t note = 0; info && note < info->note_count; note++) {
            told = told || strstr(info->notes[note], rows[i].found);
        }
        told = told || (info && strstr(info->title, rows[i].found));
        if (!told) {
            fail_msg("%s is not named: %s", rows[i].found, error.message);
        }
        pld_file_info_destroy(&info);
    }
}

/** All parts of a fused matrix lead to diffusers' names and back. */
static void fused_matrices_have_parts(void **state) {
    (void)state;
    static const char *const names[] = {"to_q", "to_k", "to_v"};
    const pld_name_rule *rules = pld_zimage_layouts[0].names;
    pld_renamed found[PLD_MOST_RENAMED], back;
    assert_int_equal(pld_names_to_diffusers(rules, 0, "context_refiner.1.attention.qkv.weight", found), 3);
    for (int i = 0; i < 3; i++) {
        char name[96];
        snprintf(name, sizeof name, "context_refiner.1.attention.%s.weight", names[i]);
        assert_string_equal(found[i].name, name);
        assert_int_equal(found[i].rows.first, i);
        assert_int_equal(found[i].rows.of, 3);
        assert_true(pld_names_to_original(rules, 0, name, NULL, NULL, &back));
        assert_string_equal(back.name, "context_refiner.1.attention.qkv.weight");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_size_files_are_described),
        cmocka_unit_test(others_are_named),
        cmocka_unit_test(fused_matrices_have_parts),
    };
    return cmocka_run_group_tests(tests, make_temporary_folder, remove_temporary_folder);
}
