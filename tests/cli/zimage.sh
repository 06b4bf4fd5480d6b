#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Z-Image: a caption before the picture in one stream, texts of other lengths in evaluations of their own, time that runs on.
# usage: zimage.sh PLADIS SOURCE_FOLDER
. "$2/tests/cli/common.sh"
model=$source/tests/data/reference/models/z-image
small="-m $model -W 96 -H 64 --steps 1 --max-tokens 64 -q"
long='a very long list of what the picture should not show, from blurred edges to wrong hands and too many fingers'

expect 0 info "$model"
grep -q 'family *z-image' "$place/out" || fail "no family"
grep -q '5 attention sites, 3 of them joint' "$place/out" || fail "no sites"
expect 0 list families
said 'z-image .*joint attention'

# Blocks of both kinds of tokens have numbers; those in front of them have none, and are never PLADIS's.
# shellcheck disable=SC2086
draw() { expect 0 generate $small -p 'a red fox' --no-metadata "$@"; }
draw -o all.png
draw --pladis-blocks 0-2 -o range.png
cmp all.png range.png || fail "0-2 is not all"
draw --pladis-blocks 1 -o one.png
draw --pladis-blocks layers.1 -o name.png
cmp one.png name.png || fail "1 is not layers.1"
draw --no-pladis -o dense.png
if cmp -s all.png dense.png; then fail "PLADIS changes nothing"; fi
draw --pladis 0 -o zero.png
cmp dense.png zero.png || fail "λ = 0 is not plain attention"
# shellcheck disable=SC2086
{
    refused 2 "pladis-blocks: '3' matches no joint attention.*numbers of blocks from 0 to 2" generate $small -p x --pladis-blocks 3
    refused 2 "pladis-blocks: 'noise_refiner' matches no joint attention" generate $small -p x --pladis-blocks noise_refiner
    refused 2 'width: expected a multiple of 16' generate $small -p x -W 72
    refused 2 'distilled-guidance: this model is not told of a guidance scale' generate $small -p x --distilled-guidance 4
}

# CFG with negative prompts of as many tokens, and of more: each is computed alone then, with PLADIS or without.
for scale in 2 0; do
    draw --cfg-scale 3 -n 'a blue cat' --pladis $scale -o short.png
    draw --cfg-scale 3 -n "$long" --pladis $scale -o long.png
    if cmp -s short.png long.png; then fail "the negative prompt changes nothing"; fi
done
expect 0 generate $small -p "$long" -n 'a blue cat' --cfg-scale 3 --report report.json --no-metadata -o turned.png
grep -q '"evaluations": *2' report.json || fail "not two evaluations"
# A scale of 1 is the prompt alone, whatever stands beside it.
draw --cfg-scale 1 -n "$long" -o off.png
draw --cfg-scale 1 -o alone.png
cmp off.png alone.png || fail "CFG of 1 is not off"
# A bound on the norm of what guidance makes.
draw --cfg-scale 6 -n "$long" --guidance cfg-normalization -o bounded.png
draw --cfg-scale 6 -n "$long" -o unbounded.png
draw --cfg-scale 6 -n "$long" --guidance cfg-normalization:limit=100 -o loose.png
if cmp -s bounded.png unbounded.png; then fail "a bound on the norm changes nothing"; fi
cmp loose.png unbounded.png || fail "a loose bound changes something"

# Guidance inside the network: GAG and, for texts of one length, NAG act on joint attention, PAG and SEG on the picture's own blocks if they are named.
draw --guidance gag:scale=3 -o gag.png
if cmp -s all.png gag.png; then fail "GAG changes nothing"; fi
draw --guidance nag:scale=3 -n 'a blue cat' -o nag.png
if cmp -s all.png nag.png; then fail "NAG changes nothing"; fi
draw --guidance pag:scale=3,layers=noise_refiner.0 -o pag.png
draw --guidance seg:scale=3,layers=noise_refiner.0 -o seg.png
# shellcheck disable=SC2086
{
    refused 1 'guidance pag: layers.*text and picture share one attention' generate $small -p x --guidance pag:scale=3
    refused 2 'guidance nag: the prompt fills 32 tokens of this model and the negative prompt 64' generate $small -p x --guidance nag:scale=3 -n "$long"
    refused 1 'guidance freeu: .*up blocks of a U-Net.*none' generate $small -p x --guidance freeu
}

# The chat template stands around every prompt; weights are words, as in diffusers.
expect 0 tokenize -m "$model" --json 'a red fox'
grep -q '<|im_start|>' "$place/out" || fail "no template"
if grep -q 'think' "$place/out"; then fail "a closed block of thoughts"; fi
# shellcheck disable=SC2086
expect 0 generate $small -p 'a (red:1.5) fox' --no-metadata -o weights.png
# shellcheck disable=SC2086
expect 0 generate $small -p 'a (red:1.5) fox' --literal-prompt --no-metadata -o literal.png
cmp weights.png literal.png || fail "weights act"

# Sizes whose tokens are filled up or not, from a picture, within a mask.
draw -W 128 -H 64 -o full.png
draw -W 80 -H 48 -o odd.png
draw --steps 4 --init-img all.png --strength 0.5 -o from.png
draw --steps 4 --init-img all.png --mask all.png --strength 0.5 -o within.png

# Attention of the picture to the caption, word by word and in numbers; padding of the caption is text.
draw --attention-maps red,fox -o words.png
# shellcheck disable=SC2086
refused 2 "attention-maps: 'cat' is not in the prompt" generate $small -p 'a red fox' --attention-maps cat
draw --attention-stats statistics.json -o statistics.png
grep -q '"kind": *"joint"' statistics.json || fail "no statistics of joint attention"
grep -q '"keys": *32' statistics.json || fail "keys other than the caption's are counted"

# Turbo is told by the shift of its scheduler, or by its folder's name; the model that was distilled has its own steps and scale.
expect 0 generate -m "$model" -W 64 -H 64 -p 'a red fox' --report report.json --no-metadata -o turbo.png
grep -q 'preset z-image-turbo, because of the scheduler FlowMatchEulerDiscreteScheduler with a shift of 3' "$place/err" || fail "no preset"
grep -q '"steps": *8' report.json || fail "not eight steps"
grep -q '"evaluations": *8' report.json || fail "CFG for a distilled model"
cp -r "$model" base
sed 's/"shift": 3.0/"shift": 6.0/' "$model/scheduler/scheduler_config.json" >base/scheduler/scheduler_config.json
expect 0 generate -m base -W 32 -H 32 -p x -q --report report.json -o fifty.png
grep -q '"steps": *50' report.json || fail "not fifty steps"
grep -q '"evaluations": *100' report.json || fail "no CFG"
expect 0 generate -m base -W 64 -H 64 -p 'a red fox' -q --preset z-image-turbo --no-metadata -o asked.png
cmp turbo.png asked.png || fail "the preset has another shift"
cache=hub/models--Tongyi-MAI--Z-Image-Turbo/snapshots
mkdir -p $cache
mv base $cache/f332072aa78be7aecdf3ee76d5c247082da564a6
expect 0 generate -m $cache/f332072aa78be7aecdf3ee76d5c247082da564a6 -W 64 -H 64 -p 'a red fox' --no-metadata -o cached.png
grep -q 'preset z-image-turbo, because of the name models--Tongyi-MAI--Z-Image-Turbo' "$place/err" || fail "no preset by a cache"
cmp turbo.png cached.png || fail "the folder of a download cache does not tell its model"

# A converted folder draws the same picture.
expect 0 convert "$model" -o folder --dtype f32
draw -m folder -o converted.png
cmp all.png converted.png || fail "float32 of the same numbers draws another picture"

# Relatives are refused by name.
cp -r "$model" other
other() { # PART/FILE FROM TO
    tr -d ' \n' <"$model/$1" | sed "s/$2/$3/" >"other/$1"
}
other transformer/config.json '"siglip_feat_dim":null' '"siglip_feat_dim":1152'
refused 1 "siglip_feat_dim.*Z-Image Omni" info other
other transformer/config.json '"n_kv_heads":2' '"n_kv_heads":1'
refused 1 "'n_heads' and 'n_kv_heads': expected equal numbers, found 2 and 1" info other
other transformer/config.json '"all_patch_size":\[2\]' '"all_patch_size":[2,4]'
refused 1 'all_patch_size.*only \[2\] is supported' info other
other transformer/config.json '"qk_norm":true' '"qk_norm":false'
refused 1 'qk_norm.*only true is supported' info other
other transformer/config.json '\[4,4,4\]' '[4,4,6]'
refused 1 "axes_dims': expected 3 even numbers whose sum is dim / n_heads (12)" info other
other transformer/config.json '"cap_feat_dim":32' '"cap_feat_dim":40'
refused 1 'width 40 (cap_feat_dim), but those of the text encoders have 32' info other
cp "$model/transformer/config.json" other/transformer/config.json
for row in 'ZImageOmniPipeline Z-Image Omni' 'ZImageControlNetPipeline Z-Image with a ControlNet'; do
    other model_index.json '"ZImagePipeline"' "\"${row%% *}\""
    refused 1 "${row#* }" info other
done
