/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "models/clip/clip.h"
#include "models/kl/kl.h"
#include "models/unet/unet.h"

/** One pair of names, which must be found from either side. */
typedef struct name_pair {
    const pld_name_rule *rules;
    const char *original, *diffusers;
    pld_name_form form;
} name_pair;

static const name_pair pairs[] = {
    {pld_unet_names, "input_blocks.0.0.weight", "conv_in.weight", PLD_FORM_SAME},
    {pld_unet_names, "input_blocks.1.0.in_layers.2.bias", "down_blocks.0.resnets.0.conv1.bias",
     PLD_FORM_SAME},
    {pld_unet_names, "input_blocks.3.0.op.weight", "down_blocks.0.downsamplers.0.conv.weight", PLD_FORM_SAME},
    {pld_unet_names, "input_blocks.8.1.transformer_blocks.9.attn2.to_k.weight",
     "down_blocks.2.attentions.1.transformer_blocks.9.attn2.to_k.weight", PLD_FORM_SAME},
    {pld_unet_names, "middle_block.2.skip_connection.weight", "mid_block.resnets.1.conv_shortcut.weight",
     PLD_FORM_SAME},
    {pld_unet_names, "output_blocks.11.0.emb_layers.1.weight", "up_blocks.3.resnets.2.time_emb_proj.weight",
     PLD_FORM_SAME},
    {pld_unet_names, "output_blocks.5.2.conv.weight", "up_blocks.1.upsamplers.0.conv.weight", PLD_FORM_SAME},
    {pld_unet_names, "label_emb.0.2.bias", "add_embedding.linear_2.bias", PLD_FORM_SAME},
    {pld_unet_names, "out.2.weight", "conv_out.weight", PLD_FORM_SAME},
    {pld_kl_names, "decoder.up.3.block.2.nin_shortcut.weight",
     "decoder.up_blocks.0.resnets.2.conv_shortcut.weight", PLD_FORM_SAME},
    {pld_kl_names, "decoder.up.1.upsample.conv.bias", "decoder.up_blocks.2.upsamplers.0.conv.bias",
     PLD_FORM_SAME},
    {pld_kl_names, "encoder.mid.attn_1.proj_out.weight", "encoder.mid_block.attentions.0.to_out.0.weight",
     PLD_FORM_CONV_1X1},
    {pld_kl_names, "encoder.mid.attn_1.norm.weight", "encoder.mid_block.attentions.0.group_norm.weight",
     PLD_FORM_SAME},
    {pld_open_clip_names, "positional_embedding", "text_model.embeddings.position_embedding.weight",
     PLD_FORM_SAME},
    {pld_open_clip_names, "text_projection", "text_projection.weight", PLD_FORM_TRANSPOSED},
    {pld_open_clip_names, "transformer.resblocks.23.mlp.c_proj.weight",
     "text_model.encoder.layers.23.mlp.fc2.weight", PLD_FORM_SAME},
    {pld_clip_names, "text_model.final_layer_norm.bias", "text_model.final_layer_norm.bias", PLD_FORM_SAME},
    {pld_diffusers_kl_names, "decoder.anything", "decoder.anything", PLD_FORM_SAME},
};

static void names_match_in_both_directions(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        pld_renamed found[PLD_MOST_RENAMED];
        assert_int_equal(pld_names_to_diffusers(pairs[i].rules, 3, pairs[i].original, found), 1);
        assert_string_equal(found[0].name, pairs[i].diffusers);
        assert_int_equal(found[0].form, pairs[i].form);
        assert_true(pld_names_to_original(pairs[i].rules, 3, pairs[i].diffusers, NULL, NULL, found));
        assert_string_equal(found[0].name, pairs[i].original);
        assert_int_equal(found[0].form, pairs[i].form);
    }
}

static void fused_projection_has_three_names(void **state) {
    (void)state;
    static const char *const letters[] = {"q", "k", "v"};
    pld_renamed found[PLD_MOST_RENAMED];
    assert_int_equal(
        pld_names_to_diffusers(pld_open_clip_names, 0, "transformer.resblocks.7.attn.in_proj_bias", found),
        3);
    for (int i = 0; i < 3; i++) {
        char name[96];
        snprintf(name, sizeof name, "text_model.encoder.layers.7.self_attn.%s_proj.bias", letters[i]);
        assert_string_equal(found[i].name, name);
        assert_int_equal(found[i].form, PLD_FORM_ROWS);
        assert_int_equal(found[i].rows.first, i);
        assert_int_equal(found[i].rows.of, 3);
        pld_renamed back;
        assert_true(pld_names_to_original(pld_open_clip_names, 0, name, NULL, NULL, &back));
        assert_string_equal(back.name, "transformer.resblocks.7.attn.in_proj_bias");
        assert_int_equal(back.form, PLD_FORM_ROWS);
        assert_int_equal(back.rows.first, i);
    }
}

static bool only_level_one_attends(const void *user, const char *name) {
    (void)user;
    return strcmp(name, "up_blocks.1.attentions.0.norm.weight") == 0;
}

static void upsampler_stands_behind_the_attention(void **state) {
    (void)state;
    pld_renamed found[PLD_MOST_RENAMED];
    assert_true(pld_names_to_original(pld_unet_names, 0, "up_blocks.0.upsamplers.0.conv.bias",
                                      only_level_one_attends, NULL, found));
    assert_string_equal(found[0].name, "output_blocks.2.1.conv.bias");
    assert_true(pld_names_to_original(pld_unet_names, 0, "up_blocks.1.upsamplers.0.conv.bias",
                                      only_level_one_attends, NULL, found));
    assert_string_equal(found[0].name, "output_blocks.5.2.conv.bias");
    assert_int_equal(pld_names_to_diffusers(pld_unet_names, 0, "output_blocks.2.1.conv.bias", found), 1);
    assert_string_equal(found[0].name, "up_blocks.0.upsamplers.0.conv.bias");
}

static void other_spellings_are_read(void **state) {
    (void)state;
    pld_renamed found[PLD_MOST_RENAMED];
    assert_int_equal(pld_names_to_diffusers(pld_clip_names, 0, "encoder.layers.0.mlp.fc1.bias", found), 1);
    assert_string_equal(found[0].name, "text_model.encoder.layers.0.mlp.fc1.bias");
    assert_true(pld_names_to_original(pld_kl_names, 3, "decoder.mid_block.attentions.0.proj_attn.weight",
                                      NULL, NULL, found));
    assert_string_equal(found[0].name, "decoder.mid.attn_1.proj_out.weight");
}

static void unknown_names_are_not_mapped(void **state) {
    (void)state;
    static const char *const names[] = {
        "",
        "input_blocks",
        "input_blocks.",
        "input_blocks.0.0",
        "input_blocks.01.0.in_layers.0.weight",
        "input_blocks.-1.0.in_layers.0.weight",
        "input_blocks.1.0.in_layers.1.weight",
        "input_blocks.99999999999999999999.0.in_layers.0.weight",
        "input_blocks.4.0.op.weight",
        "middle_block.3.weight",
        "out.1.weight",
        "conv_in.weight",
    };
    pld_renamed found[PLD_MOST_RENAMED];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(pld_names_to_diffusers(pld_unet_names, 3, names[i], found), 0);
    }
    assert_int_equal(pld_names_to_diffusers(pld_kl_names, 3, "decoder.up.4.block.0.conv1.bias", found), 0);
    assert_int_equal(pld_names_to_diffusers(pld_open_clip_names, 0, "text_projection.weight", found), 0);
    char longest[PLD_LAYOUT_NAME + 8];
    memset(longest, 'x', sizeof longest - 1);
    memcpy(longest, "text_model.", 11);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(pld_names_to_diffusers(pld_clip_names, 0, longest, found), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_match_in_both_directions),
        cmocka_unit_test(fused_projection_has_three_names),
        cmocka_unit_test(upsampler_stands_behind_the_attention),
        cmocka_unit_test(other_spellings_are_read),
        cmocka_unit_test(unknown_names_are_not_mapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
