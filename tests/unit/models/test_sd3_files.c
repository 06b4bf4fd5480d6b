/* SPDX-License-Identifier: Apache-2.0 */
/** Files of Stable Diffusion 3 in full size, of which only the header is real: what is read off, and how names lead from one
 *  layout to the other. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "models/sd3/files.h"
#include "pladis/pladis.h"
#include "temporary_folder.h"

/** A header while it is made. */
typedef struct header {
    json_t *tensors;
    json_int_t end;
} header;

/** A tensor of a shape, whose array is taken over. */
static void add(header *h, const char *name, json_t *shape) {
    json_int_t elements = 1;
    size_t i;
    json_t *side;
    json_array_foreach(shape, i, side) {
        elements *= json_integer_value(side);
    }
    const json_int_t end = h->end + 2 * elements;
    json_object_set_new(
        h->tensors, name,
        json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F16", "shape", shape, "data_offsets", h->end, end));
    h->end = end;
}

/** A linear layer with its bias. */
static void add_linear(header *h, const char *name, json_int_t rows, json_int_t columns) {
    char whole[160];
    snprintf(whole, sizeof whole, "%s.weight", name);
    add(h, whole, json_pack("[I, I]", rows, columns));
    snprintf(whole, sizeof whole, "%s.bias", name);
    add(h, whole, json_pack("[I]", rows));
}

/** A published model. */
typedef struct published_size {
    const char *title;
    int layers, heads, dual;
    json_int_t places;
    bool normed;
    uint64_t parameters;
} published_size;

enum { HEAD = 64, SINUSOIDS = 256, POOLED = 2048, STATES = 4096, CHANNELS = 16, PATCH = 2 };

/** One attention's layers of a stream; the last text's has no way back. */
static void add_attention(header *h, const published_size *m, const char *at, bool projects) {
    const json_int_t width = (json_int_t)m->heads * HEAD;
    char name[128];
    snprintf(name, sizeof name, "%s.qkv", at);
    add_linear(h, name, 3 * width, width);
    if (projects) {
        snprintf(name, sizeof name, "%s.proj", at);
        add_linear(h, name, width, width);
    }
    for (int i = 0; m->normed && i < 2; i++) {
        snprintf(name, sizeof name, "%s.ln_%c.weight", at, "qk"[i]);
        add(h, name, json_pack("[i]", HEAD));
    }
}

static void add_block(header *h, const published_size *m, int block) {
    static const char *const streams[] = {"x", "context"};
    const json_int_t width = (json_int_t)m->heads * HEAD;
    for (int i = 0; i < 2; i++) {
        const bool last = i == 1 && block + 1 == m->layers, dual = i == 0 && block < m->dual;
        char at[64], name[128];
        snprintf(at, sizeof at, "model.diffusion_model.joint_blocks.%d.%s_block", block, streams[i]);
        snprintf(name, sizeof name, "%s.adaLN_modulation.1", at);
        add_linear(h, name, (last ? 2 : dual ? 9 : 6) * width, width);
        snprintf(name, sizeof name, "%s.attn", at);
        add_attention(h, m, name, !last);
        if (dual) {
            snprintf(name, sizeof name, "%s.attn2", at);
            add_attention(h, m, name, true);
        }
        for (int j = 1; !last && j <= 2; j++) {
            snprintf(name, sizeof name, "%s.mlp.fc%d", at, j);
            add_linear(h, name, j == 1 ? 4 * width : width, j == 1 ? width : 4 * width);
        }
    }
}

static const char *write_transformer(const published_size *m) {
    const json_int_t width = (json_int_t)m->heads * HEAD;
    header h = {json_object(), 0};
#define INSIDE(name) "model.diffusion_model." name
    add(&h, INSIDE("pos_embed"), json_pack("[i, I, I]", 1, m->places * m->places, width));
    add(&h, INSIDE("x_embedder.proj.weight"), json_pack("[I, i, i, i]", width, CHANNELS, PATCH, PATCH));
    add(&h, INSIDE("x_embedder.proj.bias"), json_pack("[I]", width));
    add_linear(&h, INSIDE("context_embedder"), width, STATES);
    add_linear(&h, INSIDE("t_embedder.mlp.0"), width, SINUSOIDS);
    add_linear(&h, INSIDE("t_embedder.mlp.2"), width, width);
    add_linear(&h, INSIDE("y_embedder.mlp.0"), width, POOLED);
    add_linear(&h, INSIDE("y_embedder.mlp.2"), width, width);
    for (int block = 0; block < m->layers; block++) {
        add_block(&h, m, block);
    }
    add_linear(&h, INSIDE("final_layer.adaLN_modulation.1"), 2 * width, width);
    add_linear(&h, INSIDE("final_layer.linear"), CHANNELS * PATCH * PATCH, width);
    char *text = json_dumps(h.tensors, JSON_COMPACT);
    const char *path = write_safetensors("sd3", text, 0, 0);
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(truncate(path, facts.st_size + h.end), 0);
    free(text);
    json_decref(h.tensors);
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

/** Numbers of parameters are those of diffusers' networks with the published configurations. */
static void full_size_files_are_described(void **state) {
    (void)state;
    static const published_size rows[] = {{"Stable Diffusion 3.5 medium", 24, 24, 13, 384, true, 2469663936},
                                          {"Stable Diffusion 3.5 large", 38, 38, 0, 192, true, 8146280768},
                                          {"Stable Diffusion 3 medium", 24, 24, 0, 192, false, 2084951104}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pld_file_info *info = inspect(write_transformer(&rows[i]));
        assert_string_equal(info->title, rows[i].title);
        assert_string_equal(info->family, "sd3");
        assert_string_equal(info->layout, "Stability AI");
        assert_string_equal(info->prediction_type, "flow_prediction");
        assert_int_equal(info->part_count, 1);
        assert_string_equal(info->parts[0]->name, "transformer");
        assert_int_equal(info->parts[0]->parameters, rows[i].parameters);
        assert_int_equal(info->site_count, rows[i].layers + rows[i].dual);
        int joint = 0;
        for (size_t site = 0; site < info->site_count; site++) {
            assert_int_equal(info->sites[site]->heads, rows[i].heads);
            joint += strcmp(info->sites[site]->kind, "joint") == 0;
        }
        assert_int_equal(joint, rows[i].layers);
        assert_int_equal(info->note_count, 4); /* it lacks text encoders and autoencoder */
        pld_file_info_destroy(&info);
    }
}

static void places_are_a_square(void **state) {
    (void)state;
    static const char text[] =
        "{\"joint_blocks.0.x_block.attn.qkv.weight\":{\"dtype\":\"F32\",\"shape\":[12,4],\"data_offsets\":[0,"
        "192]},"
        "\"joint_blocks.0.x_block.adaLN_modulation.1.weight\":{\"dtype\":\"F32\",\"shape\":[24,4],\"data_"
        "offsets\":[192,576]},"
        "\"pos_embed\":{\"dtype\":\"F32\",\"shape\":[1,5,4],\"data_offsets\":[576,656]},"
        "\"x_embedder.proj.weight\":{\"dtype\":\"F32\",\"shape\":[4,1,2,2],\"data_offsets\":[656,720]},"
        "\"context_embedder.weight\":{\"dtype\":\"F32\",\"shape\":[4,4],\"data_offsets\":[720,784]},"
        "\"y_embedder.mlp.0.weight\":{\"dtype\":\"F32\",\"shape\":[4,4],\"data_offsets\":[784,848]},"
        "\"final_layer.linear.weight\":{\"dtype\":\"F32\",\"shape\":[4,4],\"data_offsets\":[848,912]}}";
    pld_file_info *info = inspect(write_safetensors("places", text, 0, 912));
    bool told = false;
    for (size_t note = 0; note < info->note_count; note++) {
        told = told || strstr(info->notes[note], "expected the places of a square, found 5");
    }
    assert_true(told);
    pld_file_info_destroy(&info);
}

/** The last block's text has two parts of a modulation, and in the other order; no other block's has. */
static void the_last_block_is_another(void **state) {
    (void)state;
    enum { LAST = 3 };
    pld_renamed found[PLD_MOST_RENAMED], back;
    for (int block = 0; block <= LAST; block++) {
        char original[96], name[96];
        snprintf(original, sizeof original, "joint_blocks.%d.context_block.adaLN_modulation.1.bias", block);
        snprintf(name, sizeof name, "transformer_blocks.%d.norm1_context.linear.bias", block);
        assert_int_equal(pld_names_to_diffusers(pld_sd3_names, LAST, original, found), 1);
        assert_string_equal(found[0].name, name);
        assert_int_equal(found[0].form, block == LAST ? PLD_FORM_ROWS : PLD_FORM_SAME);
        assert_int_equal(found[0].rows.first, block == LAST);
        assert_true(pld_names_to_original(pld_sd3_names, LAST, name, NULL, NULL, &back));
        assert_string_equal(back.name, original);
        assert_int_equal(back.form, found[0].form);
    }
}

/** All parts of a fused matrix lead to diffusers' names and back. */
static void fused_matrices_have_parts(void **state) {
    (void)state;
    static const struct {
        const char *original, *parts[3];
    } rows[] = {{"x_block.attn.qkv", {"attn.to_q", "attn.to_k", "attn.to_v"}},
                {"x_block.attn2.qkv", {"attn2.to_q", "attn2.to_k", "attn2.to_v"}},
                {"context_block.attn.qkv", {"attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"}}};
    pld_renamed found[PLD_MOST_RENAMED], back;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        char original[96];
        snprintf(original, sizeof original, "joint_blocks.7.%s.weight", rows[row].original);
        assert_int_equal(pld_names_to_diffusers(pld_sd3_names, 23, original, found), 3);
        for (int i = 0; i < 3; i++) {
            char name[96];
            snprintf(name, sizeof name, "transformer_blocks.7.%s.weight", rows[row].parts[i]);
            assert_string_equal(found[i].name, name);
            assert_int_equal(found[i].rows.first, i);
            assert_int_equal(found[i].rows.of, 3);
            assert_true(pld_names_to_original(pld_sd3_names, 23, name, NULL, NULL, &back));
            assert_string_equal(back.name, original);
            assert_int_equal(back.rows.first, i);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_size_files_are_described),
        cmocka_unit_test(places_are_a_square),
        cmocka_unit_test(the_last_block_is_another),
        cmocka_unit_test(fused_matrices_have_parts),
    };
    return cmocka_run_group_tests(tests, make_temporary_folder, remove_temporary_folder);
}
