#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# FLUX.1: joint attention, T5's text without a mask, CLIP's pooled alone.
# usage: flux.sh PLADIS SOURCE_FOLDER
. "$2/tests/cli/common.sh"
models=$source/tests/data/reference/models
dev=$models/flux-dev
schnell=$models/flux-schnell
small="-m $dev -W 64 -H 64 --steps 1 --max-tokens 16 -q"

expect 0 info "$dev"
grep -q 'family *flux' "$place/out" || fail "no family"
grep -q '4 attention sites, 4 of them joint' "$place/out" || fail "no sites"
expect 0 info --json "$dev"
grep -q '"kind": *"joint"' "$place/out" || fail "joint attention is not called that"
expect 0 list families
said 'flux .*joint attention'

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
# shellcheck disable=SC2086
refused 2 "pladis-blocks: '4' matches no joint attention.*numbers of blocks from 0 to 3" generate $small -p x --pladis-blocks 4

# Guidance: what changes attention to a text acts; there is no self-attention that could be perturbed.
draw --guidance gag:scale=3 -o gag.png
if cmp -s all.png gag.png; then fail "GAG changes nothing"; fi
draw --cfg-scale 3 -n 'a blue cat' -o cfg.png
if cmp -s all.png cfg.png; then fail "CFG changes nothing"; fi
draw --cfg-scale 3 -n 'a blue cat' --guidance apg -o more.png
draw -n 'a blue cat' --guidance nag -o nag.png --report nag.json
if cmp -s all.png nag.png; then fail "NAG changes nothing"; fi
grep -q '"evaluations": 2,' nag.json || fail "NAG does not evaluate the negative prompt beside the prompt"
draw -n 'a blue cat' --guidance nag:scale=1 -o nag.png
cmp all.png nag.png || fail "NAG at its neutral scale is another picture"
# shellcheck disable=SC2086
{
    refused 1 'guidance pag: layers.*text and picture share one attention' generate $small -p x --guidance pag:scale=3
    refused 1 'guidance seg: layers.*text and picture share one attention' generate $small -p x --guidance seg:scale=3
    refused 1 'pladis-sites self.*text and picture share one attention' generate $small -p x --pladis-sites self
    refused 1 'guidance freeu: .*up blocks of a U-Net.*none' generate $small -p x --guidance freeu
    refused 2 'width: expected a multiple of 16' generate $small -p x -W 72
}

# The embedded scale is 3.5 unless another is asked for.
draw --distilled-guidance 3.5 -o stated.png
cmp all.png stated.png || fail "3.5 is not the model's own scale"
draw --guidance 2 -o two.png
if cmp -s all.png two.png; then fail "the scale changes nothing"; fi

# Padding is text: more of it is another picture. Weights are words here, as in diffusers.
draw --max-tokens 24 -o longer.png
if cmp -s all.png longer.png; then fail "padding does not count"; fi
# shellcheck disable=SC2086
expect 0 generate $small -p 'a (red:1.5) fox' --no-metadata -o weights.png
# shellcheck disable=SC2086
expect 0 generate $small -p 'a (red:1.5) fox' --literal-prompt --no-metadata -o literal.png
cmp weights.png literal.png || fail "weights act"
expect 0 tokenize -m "$dev" --json 'a red fox'
grep -q '"tokenizer_2"' "$place/out" || fail "T5's tokens are not shown"
grep -q '"tokenizer"' "$place/out" || fail "CLIP's tokens are not shown"

# Sides that are multiples of 16, from a picture, within a mask.
draw -W 80 -H 48 -o odd.png
draw --steps 4 --init-img all.png --strength 0.5 -o from.png
draw --steps 4 --init-img all.png --mask all.png --strength 0.5 -o within.png

# Attention of the picture to the text can be looked at, word by word and in numbers.
draw --attention-maps red,fox -o words.png
# shellcheck disable=SC2086
refused 2 "attention-maps: 'cat' is not in the prompt" generate $small -p 'a red fox' --attention-maps cat
draw --attention-stats statistics.json -o statistics.png
grep -q '"kind": *"joint"' statistics.json || fail "no statistics of joint attention"
grep -q '"keys": *16' statistics.json || fail "keys other than the text's are counted"

# Schnell: a preset by its schedule, without an embedded scale, and shorter texts.
expect 0 generate -m "$schnell" -W 64 -H 64 -p 'a red fox' --report report.json --no-metadata -o schnell.png
grep -q 'preset schnell, because of the scheduler FlowMatchEulerDiscreteScheduler without a shift' "$place/err" || fail "no preset"
grep -q '"steps": *4' report.json || fail "not four steps"
grep -q '"evaluations": *4' report.json || fail "CFG for a distilled model"
expect 0 generate -m "$schnell" -W 64 -H 64 -p 'a red fox' --max-tokens 256 -q --no-metadata -o stated_length.png
cmp schnell.png stated_length.png || fail "schnell's texts do not have 256 tokens"
refused 2 'distilled-guidance: this model is not told of a guidance scale' generate -m "$schnell" -p x -q --distilled-guidance 4
expect 0 generate -m "$dev" -W 32 -H 32 -p x -q --report report.json -o twenty_eight.png
grep -q '"steps": *28' report.json || fail "not dev's steps"

# A converted folder draws the same picture.
expect 0 convert "$dev" -o folder --dtype f32
draw -m folder -o converted.png
cmp all.png converted.png || fail "float32 of the same numbers draws another picture"

# Relatives that take more than the latents are refused by name.
cp -r "$dev" other
for row in '384 FLUX Fill, which also takes a mask' '128 FLUX Control, which also takes edges or depth'; do
    sed "s/\"in_channels\": 64/\"in_channels\": ${row%% *}/; s/\"out_channels\": null/\"out_channels\": 64/" "$dev/transformer/config.json" >other/transformer/config.json
    refused 1 "in_channels.*${row#* }" info other
done
cp "$dev/transformer/config.json" other/transformer/config.json
for row in 'FluxFillPipeline FLUX Fill' 'FluxKontextPipeline FLUX Kontext' 'FluxPriorReduxPipeline FLUX Redux' 'FluxControlPipeline FLUX Control'; do
    sed "s/\"FluxPipeline\"/\"${row%% *}\"/" "$dev/model_index.json" >other/model_index.json
    refused 1 "${row#* }" info other
done
cp "$dev/model_index.json" other/model_index.json
sed 's/"joint_attention_dim": 24/"joint_attention_dim": 32/' "$dev/transformer/config.json" >other/transformer/config.json
refused 1 'width 32 (joint_attention_dim), but those of the text encoders have 24' info other
sed 's/"pooled_projection_dim": 32/"pooled_projection_dim": 16/' "$dev/transformer/config.json" >other/transformer/config.json
refused 1 'width 16 (pooled_projection_dim), but the text encoders return 32' info other
tr -d ' \n' <"$dev/transformer/config.json" | sed 's/\[4,6,6\]/[6,6,6]/' >other/transformer/config.json
refused 1 "axes_dims_rope': expected 3 even numbers whose sum is attention_head_dim (16)" info other
