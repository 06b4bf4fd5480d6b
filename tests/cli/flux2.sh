#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# FLUX.2: klein with three states of Qwen3, whose padding is text, and dev by embeddings from a file.
# usage: flux2.sh PLADIS SOURCE_FOLDER
. "$2/tests/cli/common.sh"
models=$source/tests/data/reference/models
klein=$models/flux2-klein
small="-m $klein -W 64 -H 48 --steps 1 --max-tokens 40 -q"

expect 0 info "$klein"
grep -q 'family *flux2' "$place/out" || fail "no family"
grep -q '4 attention sites, 4 of them joint' "$place/out" || fail "no sites"
grep -q 'defaults *1024 x 1024, 4 steps, CFG scale 1' "$place/out" || fail "not the defaults of a distilled model"
expect 0 list families
said 'flux2 .*Qwen3'
said 'flux2-dev .*prompt-embeds'

# Blocks have numbers, the double ones first.
# shellcheck disable=SC2086
draw() { expect 0 generate $small -p 'a red fox' --no-metadata "$@"; }
draw -o all.png
draw --pladis-blocks 0-3 -o range.png
cmp all.png range.png || fail "0-3 is not all"
draw --pladis-blocks 0-1 -o double.png
draw --pladis-blocks transformer_blocks -o name.png
cmp double.png name.png || fail "0 and 1 are not the double blocks"
if cmp -s all.png double.png; then fail "the single blocks change nothing"; fi
draw --no-pladis -o dense.png
if cmp -s all.png dense.png; then fail "PLADIS changes nothing"; fi
draw --pladis 0 -o zero.png
cmp dense.png zero.png || fail "λ = 0 is not plain attention"
# shellcheck disable=SC2086
refused 2 "pladis-blocks: '4' matches no joint attention.*numbers of blocks from 0 to 3" generate $small -p x --pladis-blocks 4

# Guidance, with rows for texts of their own.
draw --guidance gag:scale=3 -o gag.png
if cmp -s all.png gag.png; then fail "GAG changes nothing"; fi
draw --cfg-scale 3 -o empty.png
draw --cfg-scale 3 -n '' -o stated.png
cmp empty.png stated.png || fail "no negative prompt is not the empty one"
draw --cfg-scale 3 -n 'a blue cat' -o cfg.png
if cmp -s empty.png cfg.png; then fail "the negative prompt changes nothing"; fi
draw -n 'a blue cat' --guidance nag -o nag.png
if cmp -s all.png nag.png; then fail "NAG changes nothing"; fi
# shellcheck disable=SC2086
{
    refused 1 'guidance pag: layers.*text and picture share one attention' generate $small -p x --guidance pag:scale=3
    refused 2 'width: expected a multiple of 16' generate $small -p x -W 72
    refused 2 'distilled-guidance: this model is not told of a guidance scale' generate $small -p x --distilled-guidance 4
}

# Padding is text: more of it is another picture. The template stands around the prompt, and weights are words.
draw --max-tokens 48 -o longer.png
if cmp -s all.png longer.png; then fail "padding does not count"; fi
expect 0 tokenize -m "$klein" --json ''
for piece in im_start im_end think; do
    grep -q "$piece" "$place/out" || fail "no $piece around the prompt"
done

# Sides that are multiples of 16, from a picture, within a mask.
draw -W 80 -H 48 -o odd.png
draw --steps 4 --init-img all.png --strength 0.5 -o from.png
if cmp -s all.png from.png; then fail "a picture to begin with changes nothing"; fi
draw --steps 4 --init-img all.png --mask all.png --strength 0.5 -o within.png

# Words stand within the template.
draw --attention-maps red,fox -o words.png
# shellcheck disable=SC2086
refused 2 "attention-maps: 'cat' is not in the prompt" generate $small -p 'a red fox' --attention-maps cat
draw --attention-stats statistics.json -o statistics.png
grep -q '"kind": *"joint"' statistics.json || fail "no statistics of joint attention"
grep -q '"keys": *40' statistics.json || fail "keys other than the text's are counted"

# klein that was distilled says so, and has four steps; without the word it has its base's.
expect 0 generate -m "$klein" -W 32 -H 32 -p x --report report.json -o four.png
grep -q 'preset klein, because of model_index.json, in which is_distilled is true' "$place/err" || fail "no preset"
grep -q '"steps": *4' report.json || fail "not four steps"
grep -q '"evaluations": *4' report.json || fail "CFG for a distilled model"
cp -r "$klein" base
sed 's/"is_distilled": true/"is_distilled": false/' "$klein/model_index.json" >base/model_index.json
expect 0 info base
grep -q '50 steps, CFG scale 4' "$place/out" || fail "not the defaults of klein base"

# What text encoders make of a prompt can come from a file.
draw --dump made.safetensors -o dumped.png
# shellcheck disable=SC2086
expect 0 generate $small --prompt-embeds made.safetensors --no-metadata -o embeds.png
cmp all.png embeds.png || fail "the dumped states draw another picture"
draw --cfg-scale 3 -n 'a blue cat' --prompt-embeds made.safetensors -o encoded.png
cmp cfg.png encoded.png || fail "a negative prompt is not encoded beside a file"
draw --cfg-scale 3 -n 'a blue cat' --prompt-embeds made.safetensors --max-tokens 48 -o unequal.png
if cmp -s encoded.png unequal.png; then fail "padding of the negative prompt does not count"; fi
# shellcheck disable=SC2086
{
    refused 1 "expected a tensor 'prompt_embeds' \[1, tokens, 48\].*found nothing" generate $small -p x \
        --prompt-embeds "$klein/vae/diffusion_pytorch_model.safetensors"
    refused 1 'none.safetensors' generate $small -p x --prompt-embeds none.safetensors
    refused 2 'attention-maps: words cannot be found in prompt-embeds' generate $small -p x --prompt-embeds made.safetensors \
        --attention-maps x
}

# dev: told of a guidance scale, without a text encoder.
cp -r "$models/flux2-dev" dev
cp -r "$klein/vae" dev/vae
expect 0 info dev
grep -q 'family *flux2-dev' "$place/out" || fail "no family of dev"
sed 's/^  null,$/  "transformers",/; s/^  null$/  "Mistral3ForConditionalGeneration"/' "$models/flux2-dev/model_index.json" >dev/model_index.json
tiny="-m dev -W 64 -H 48 --steps 2 -q --no-metadata"
# shellcheck disable=SC2086
{
    refused 2 'text encoder of dev is not supported; give what it makes of the prompt with --prompt-embeds FILE' generate $tiny -p x
    expect 0 generate $tiny --prompt-embeds made.safetensors -o dev.png
    expect 0 generate $tiny --prompt-embeds made.safetensors --distilled-guidance 4 -o told.png
    cmp dev.png told.png || fail "4 is not dev's own scale"
    expect 0 generate $tiny --prompt-embeds made.safetensors --guidance 2 -o two.png
    if cmp -s dev.png two.png; then fail "the scale changes nothing"; fi
    refused 1 "expected a tensor 'negative_prompt_embeds'" generate $tiny --prompt-embeds made.safetensors --cfg-scale 2
}

# A converted folder draws the same picture.
expect 0 convert "$klein" -o folder --dtype f32
draw -m folder -o converted.png
cmp all.png converted.png || fail "float32 of the same numbers draws another picture"

# What does not fit is refused by name.
cp -r "$klein" other
for row in 'Flux2KleinKVPipeline FLUX.2 klein with pictures as references' 'Flux2FooPipeline another class of FLUX.2'; do
    sed "s/\"Flux2KleinPipeline\"/\"${row%% *}\"/" "$klein/model_index.json" >other/model_index.json
    refused 1 "${row#* }" info other
done
cp "$klein/model_index.json" other/model_index.json
tr -d ' \n' <"$klein/transformer/config.json" | sed 's/\[4,4,4,4\]/[4,4,8]/' >other/transformer/config.json
refused 1 "axes_dims_rope': expected 4 even numbers whose sum is attention_head_dim (16)" info other
sed 's/"joint_attention_dim": 48/"joint_attention_dim": 32/' "$klein/transformer/config.json" >other/transformer/config.json
refused 1 'width 32 (joint_attention_dim), but those of the text encoders have 48' info other
cp "$klein/transformer/config.json" other/transformer/config.json
sed 's/"num_hidden_layers": 29/"num_hidden_layers": 20/' "$klein/text_encoder/config.json" >other/text_encoder/config.json
refused 1 'states after 27 layers of the text_encoder, which has 20' info other
cp "$klein/text_encoder/config.json" other/text_encoder/config.json
sed 's/"decoder_block_out_channels": null/"decoder_block_out_channels": [4, 8, 8, 8]/' "$klein/vae/config.json" >other/vae/config.json
refused 1 "decoder_block_out_channels" info other
