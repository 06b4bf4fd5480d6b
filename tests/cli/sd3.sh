#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Stable Diffusion 3.5: three text encoders, of which T5 may be missing, joint attention with the picture first, a second attention.
# usage: sd3.sh PLADIS SOURCE_FOLDER
. "$2/tests/cli/common.sh"
model=$source/tests/data/reference/models/sd35
small="-W 64 -H 64 --steps 2 --max-tokens 16 -q --no-metadata"

# draw OUTPUT ARGUMENTS...: a small picture.
draw() {
    output=$1
    shift
    # shellcheck disable=SC2086
    expect 0 generate -m "$model" $small -p 'a red fox' -o "$output" "$@"
}

expect 0 info "$model"
said 'family *sd3'
said '6 attention sites, 4 of them joint'
said 'CFG scale 4.5'
expect 0 list families
said 'sd3 .*joint attention'

# Blocks have numbers; PLADIS acts on the text's columns, not on the picture's own attention.
draw all.png
draw range.png --pladis-blocks 0-3
cmp all.png range.png || fail "0-3 is not all"
draw some.png --pladis-blocks 0,2
if cmp -s all.png some.png; then fail "blocks 1 and 3 change nothing"; fi
draw name.png --pladis-blocks transformer_blocks.0,transformer_blocks.2
cmp some.png name.png || fail "names and numbers of blocks differ"
draw dense.png --no-pladis
draw zero.png --pladis 0
cmp dense.png zero.png || fail "a scale of 0 is not plain attention"
if cmp -s all.png dense.png; then fail "PLADIS changes nothing"; fi
draw self.png --pladis-sites self --pladis-blocks 0
if cmp -s self.png dense.png; then fail "the second attention is not touched"; fi
refused 2 'matches no joint attention.*numbers of blocks from 0 to 3' generate -m "$model" -p x -q --pladis-blocks 4

# Guidance inside the network: PAG and SEG on second attentions, NAG and GAG on joint ones, and blocks that are left out.
for guidance in pag:layers=0 seg:layers=1 nag gag apg; do
    draw guided.png -n 'a blue cat' --guidance "$guidance"
    if cmp -s guided.png all.png; then fail "$guidance changes nothing"; fi
done
draw slg.png --guidance slg:layers=1+2,stop=1
if cmp -s slg.png all.png; then fail "slg changes nothing"; fi
draw never.png --guidance slg:layers=1+2
cmp never.png all.png || fail "slg acts in the first of two steps"
draw without.png --guidance slg:layers=1,stop=1 --cfg-scale 1
# shellcheck disable=SC2086
expect 0 generate -m "$model" $small -p x --steps 4 --guidance slg:layers=all,stop=0.6 --report report.json -o skipped.png
grep -q '"evaluations": *10' report.json || fail "slg is not evaluated in two of four steps"
expect 0 generate -m "$model" -W 64 -H 64 --steps 2 --max-tokens 16 -p x --guidance slg:layers=2,stop=1 -v -o skipped.png
grep -q 'transformer_blocks.2.attn\]: unconditional pladis, conditional pladis, perturbed (skipped) skipped' "$place/err" || fail "no word of what is left out"
{
    refused 2 'guidance slg: no blocks are known to be the right ones' generate -m "$model" -p x -q --guidance slg
    refused 2 "guidance slg: layers: '9' matches no" generate -m "$model" -p x -q --guidance slg:layers=9
    refused 2 'guidance slg: start must be below stop' generate -m "$model" -p x -q --guidance slg:layers=1,start=0.5,stop=0.5
    refused 2 'guidance slg: this model has no blocks that can be left out' generate -m "$source/tests/data/reference/models/sd15" \
        -p x -q --guidance slg
    refused 1 "guidance pag: layers: '2'" generate -m "$model" -p x -q --guidance pag:layers=2
    refused 2 'width: expected a multiple of 16 from 16 to 192, found 208; try 192' generate -m "$model" -p x -q -W 208
}

# Another shift is another schedule. T5's padding is text.
draw shifted.png --shift 1.5
if cmp -s shifted.png all.png; then fail "the shift changes nothing"; fi
draw stated.png --shift 3
cmp stated.png all.png || fail "the model's shift is not 3"
draw longer.png --max-tokens 24
if cmp -s longer.png all.png; then fail "padding does not count"; fi
draw skip.png --clip-skip 2
if cmp -s skip.png all.png; then fail "clip-skip changes nothing"; fi
# shellcheck disable=SC2086
expect 0 generate -m "$model" $small -p 'a (red:1.5) fox' -o weights.png
# shellcheck disable=SC2086
expect 0 generate -m "$model" $small -p 'a (red:1.5) fox' --literal-prompt -o literal.png
cmp weights.png literal.png || fail "weights act"
expect 0 tokenize -m "$model" --json 'a red fox'
for part in tokenizer tokenizer_2 tokenizer_3; do
    grep -q "\"$part\"" "$place/out" || fail "the tokens of $part are not shown"
done
long=$(printf 'fox %.0s' $(seq 1 90))
# shellcheck disable=SC2086
expect 0 generate -m "$model" -W 64 -H 64 --steps 1 -p "$long" -o long.png
grep -q 'tokens do not fit the text encoder (CLIP-L)' "$place/err" || fail "no word about what was cut off"

# Without T5 its tokens are zeros, but they stay; its folder need not be there.
cp -r "$model" small
rm -r small/text_encoder_3 small/tokenizer_3
sed -i '/"text_encoder_3": \[/,/\]/c\ "text_encoder_3": [null, null],' small/model_index.json
sed -i '/"tokenizer_3": \[/,/\]/c\ "tokenizer_3": [null, null],' small/model_index.json
# shellcheck disable=SC2086
expect 0 generate -m small -W 64 -H 64 --steps 2 --max-tokens 16 --no-metadata -p 'a red fox' -o no_t5.png
grep -q 'there is no third text encoder (T5); the states of its text are zeros' "$place/err" || fail "T5's absence is silent"
if cmp -s no_t5.png all.png; then fail "T5 changes nothing"; fi
expect 0 generate -m small -W 64 -H 64 --steps 2 --max-tokens 24 --no-metadata -p 'a red fox' -o more.png -q
if cmp -s no_t5.png more.png; then fail "zeros do not count"; fi
expect 0 info small
if grep -q 'text_encoder_3' "$place/out"; then fail "info shows an encoder that is not there"; fi
expect 0 convert small -o smaller -q
[ ! -e smaller/text_encoder_3 ] || fail "an encoder was made of nothing"
expect 0 generate -m smaller -W 64 -H 64 --steps 2 --max-tokens 16 --no-metadata -p 'a red fox' -o converted.png -q
cmp converted.png no_t5.png || fail "the converted folder without T5 draws another picture"
expect 0 tokenize -m small --json 'a red fox'
if grep -q '"tokenizer_3"' "$place/out"; then fail "tokens of an encoder that is not there"; fi
sed -i 's/"text_encoder_2": \[/"text_encoder_2": null, "other": [/' small/model_index.json
refused 1 "field 'text_encoder_2'" info small

# From a picture, within a mask; attention that can be looked at.
draw from.png --steps 4 --init-img all.png --strength 0.5
draw within.png --steps 4 --init-img all.png --mask all.png --strength 0.5
draw words.png --attention-maps red,fox
draw statistics.png --attention-stats statistics.json
grep -q '"keys": *93' statistics.json || fail "keys other than the text's are counted"
refused 2 "attention-maps: 'cat' is not in the prompt" generate -m "$model" -p 'a red fox' -q --attention-maps cat

# A converted folder draws the same picture.
expect 0 convert "$model" -o folder --dtype f32 -q
draw other.png
expect 0 generate -m folder -W 64 -H 64 --steps 2 --max-tokens 16 -q --no-metadata -p 'a red fox' -o converted.png
cmp all.png converted.png || fail "float32 of the same numbers draws another picture"

# What does not fit is refused by field.
cp -r "$model" other
for row in 's/"caption_projection_dim": 32/"caption_projection_dim": 48/ caption_projection_dim.*expected 32' \
    's/"out_channels": 16/"out_channels": 32/ more than the latents' \
    's/"qk_norm": "rms_norm"/"qk_norm": "layer_norm"/ qk_norm.*layer_norm' \
    's/"joint_attention_dim": 64/"joint_attention_dim": 32/ text states of width 32 (joint_attention_dim), but those of the text encoders have' \
    's/"pooled_projection_dim": 52/"pooled_projection_dim": 24/ pooled text embedding of width 24' \
    's/"pos_embed_max_size": 12/"pos_embed_max_size": 13/ pos_embed.pos_embed' \
    's/"num_layers": 4/"num_layers": 3/ transformer_blocks.2'; do
    sed "${row%%/ *}/" "$model/transformer/config.json" >other/transformer/config.json
    refused 1 "${row#*/ }" info other
done
