/* SPDX-License-Identifier: Apache-2.0 */
/** Files of FLUX.2 in full size, of which only the header is real: what is read off. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "header_file.h"
#include "models/flux2/files.h"

enum { HEAD = 128, SINUSOIDS = 256, CHANNELS = 128 };

/** A published size. */
typedef struct sizes {
    json_int_t heads, doubles, singles, states;
    bool guided;
} sizes;

static void add_named(header *h, json_int_t rows, json_int_t columns, const char *format, int block) {
    char name[96];
    snprintf(name, sizeof name, format, block);
    add(h, name, rows, columns);
}

static void add_double_block(header *h, int block, json_int_t width) {
    static const char *const streams[] = {"img", "txt"};
    for (int i = 0; i < 2; i++) {
        char format[96];
        const struct {
            const char *layer;
            json_int_t rows, columns;
        } layers[] = {{"attn.qkv.weight", 3 * width, width},   {"attn.proj.weight", width, width},
                      {"attn.norm.query_norm.scale", HEAD, 0}, {"attn.norm.key_norm.scale", HEAD, 0},
                      {"mlp.0.weight", 6 * width, width},      {"mlp.2.weight", width, 3 * width}};
        for (size_t j = 0; j < sizeof layers / sizeof *layers; j++) {
            snprintf(format, sizeof format, "double_blocks.%%d.%s_%s", streams[i], layers[j].layer);
            add_named(h, layers[j].rows, layers[j].columns, format, block);
        }
    }
}

static void add_single_block(header *h, int block, json_int_t width) {
    add_named(h, 9 * width, width, "single_blocks.%d.linear1.weight", block);
    add_named(h, width, 4 * width, "single_blocks.%d.linear2.weight", block);
    add_named(h, HEAD, 0, "single_blocks.%d.norm.query_norm.scale", block);
    add_named(h, HEAD, 0, "single_blocks.%d.norm.key_norm.scale", block);
}

/** A file NAME with the transformer. */
static const char *write_transformer(const char *name, const sizes *s) {
    const json_int_t width = s->heads * HEAD;
    header h = {json_object(), 0};
    add(&h, "img_in.weight", width, CHANNELS);
    add(&h, "txt_in.weight", width, s->states);
    add(&h, "time_in.in_layer.weight", width, SINUSOIDS);
    add(&h, "time_in.out_layer.weight", width, width);
    if (s->guided) {
        add(&h, "guidance_in.in_layer.weight", width, SINUSOIDS);
        add(&h, "guidance_in.out_layer.weight", width, width);
    }
    add(&h, "double_stream_modulation_img.lin.weight", 6 * width, width);
    add(&h, "double_stream_modulation_txt.lin.weight", 6 * width, width);
    add(&h, "single_stream_modulation.lin.weight", 3 * width, width);
    for (int block = 0; block < s->doubles; block++) {
        add_double_block(&h, block, width);
    }
    for (int block = 0; block < s->singles; block++) {
        add_single_block(&h, block, width);
    }
    add(&h, "final_layer.adaLN_modulation.1.weight", 2 * width, width);
    add(&h, "final_layer.linear.weight", CHANNELS, width);
    return write_header(name, &h);
}

/** What was distilled is told by the guidance embedding and by the file's name. */
static void full_size_files_are_described(void **state) {
    (void)state;
    static const struct {
        const char *file;
        sizes sizes;
        const char *title, *family;
        uint64_t parameters;
        size_t notes;
    } rows[] = {
        {"flux-2-klein-4b", {24, 5, 20, 7680, false}, "FLUX.2 klein", "flux2", 3875544576, 2},
        {"flux-2-klein-base-4b", {24, 5, 20, 7680, false}, "FLUX.2 klein base", "flux2", 3875544576, 2},
        {"flux-2-klein-9b", {32, 8, 24, 12288, false}, "FLUX.2 klein", "flux2", 9078581248, 2},
        {"flux2_dev", {48, 8, 48, 15360, true}, "FLUX.2 dev", "flux2-dev", 32223281152, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pld_file_info *info = inspect(write_transformer(rows[i].file, &rows[i].sizes));
        assert_string_equal(info->title, rows[i].title);
        assert_string_equal(info->family, rows[i].family);
        assert_string_equal(info->layout, "Black Forest Labs");
        assert_string_equal(info->prediction_type, "flow_prediction");
        assert_int_equal(info->part_count, 1);
        assert_int_equal(info->parts[0]->parameters, rows[i].parameters);
        assert_int_equal(info->site_count, rows[i].sizes.doubles + rows[i].sizes.singles);
        for (size_t site = 0; site < info->site_count; site++) {
            assert_int_equal(info->sites[site]->heads, rows[i].sizes.heads);
        }
        assert_int_equal(info->note_count, rows[i].notes); /* the parts that it lacks */
        pld_file_info_destroy(&info);
    }
}

/** The fused matrices of double blocks have parts, those of single blocks are diffusers' own. */
static void fused_matrices_have_parts(void **state) {
    (void)state;
    static const char *const names[] = {"attn.to_q", "attn.to_k", "attn.to_v"};
    pld_renamed found[PLD_MOST_RENAMED];
    assert_int_equal(pld_names_to_diffusers(pld_flux2_names, 0, "double_blocks.3.img_attn.qkv.weight", found),
                     3);
    for (int i = 0; i < 3; i++) {
        char name[96];
        snprintf(name, sizeof name, "transformer_blocks.3.%s.weight", names[i]);
        assert_string_equal(found[i].name, name);
        assert_int_equal(found[i].rows.first, i);
        assert_int_equal(found[i].rows.of, 3);
    }
    assert_int_equal(pld_names_to_diffusers(pld_flux2_names, 0, "single_blocks.7.linear1.weight", found), 1);
    assert_string_equal(found[0].name, "single_transformer_blocks.7.attn.to_qkv_mlp_proj.weight");
    assert_int_equal(found[0].form, PLD_FORM_SAME);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_size_files_are_described),
        cmocka_unit_test(fused_matrices_have_parts),
    };
    return cmocka_run_group_tests(tests, make_temporary_folder, remove_temporary_folder);
}
