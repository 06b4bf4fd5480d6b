#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# PixArt: a transformer instead of a U-Net, T5 instead of CLIP.
# usage: pixart.sh PLADIS SOURCE_FOLDER
. "$2/tests/cli/common.sh"
model=$source/tests/data/reference/models/pixart
small="-m $model -W 64 -H 64 --steps 1 -q"

expect 0 info "$model"
grep -q 'family *pixart' "$place/out" || fail "no family"
grep -q '300 text positions' "$place/out" || fail "no limit of texts"
expect 0 info "$source/tests/data/reference/models/pixart-alpha"
grep -q '120 text positions' "$place/out" || fail "PixArt-alpha has its own limit"
grep -q '6 attention sites, 3 of them cross-attention' "$place/out" || fail "no sites"

# Blocks have numbers.
# shellcheck disable=SC2086
draw() { expect 0 generate $small -p 'a red fox' --no-metadata "$@"; }
draw -o all.png
draw --pladis-blocks 0-2 -o range.png
cmp all.png range.png || fail "0-2 is not all"
draw --pladis-blocks 0,transformer_blocks.1,2 -o list.png
cmp all.png list.png || fail "numbers and names are not all"
draw --pladis-blocks 1 -o one.png
if cmp -s all.png one.png; then fail "one block is as good as all"; fi
for names in 3 0-3x 2-1 mid 1- -1; do
    # shellcheck disable=SC2086
    refused 2 "pladis-blocks: '.*' matches no cross-attention.*numbers of blocks from 0 to 2" generate $small -p x --pladis-blocks="$names"
done

# PAG and SEG change block 1, as diffusers' pipelines do; FreeU has nothing to act on.
draw --guidance pag:scale=3 -o pag.png
draw --guidance pag:scale=3,layers=1 -o pag_1.png
cmp pag.png pag_1.png || fail "PAG does not change block 1 by itself"
draw --guidance seg:scale=3,layers=0-2 --guidance nag:scale=3 --guidance gag:scale=3 -o more.png
# shellcheck disable=SC2086
refused 1 'guidance freeu: .*up blocks of a U-Net.*none' generate $small -p x --guidance freeu

# What is given in place of the transformer or the autoencoder takes that place, or is refused.
models=$source/tests/data/reference/models
# shellcheck disable=SC2086
{
    refused 1 'sd15/unet.*this is a U-Net, which cannot take the place of the transformer' generate $small -p x --unet "$models/sd15/unet"
    refused 1 'this is a U-Net' grid $small -p x --x seed=1,2 --unet "$models/sd15/unet"
    refused 1 'expected the weights of a U-Net or transformer, found .*a transformer like PixArt' generate $small -p x --unet "$model/transformer"
    refused 1 'an autoencoder (VAE), found those of the U-Net' generate $small -p x --vae "$models/sd15/unet"
    refused 1 'a U-Net or transformer, found those of the autoencoder' generate $small -p x --unet "$models/sd15/vae"
}
refused 1 'this is a U-Net' convert "$model" --unet "$models/sd15/unet" -o converted
[ ! -e converted ] || fail "a refused conversion left a folder"

# Parts that do not belong together are named by this class's own fields.
cp -r "$model" other
sed 's/"caption_channels": 24/"caption_channels": 32/' "$model/transformer/config.json" >other/transformer/config.json
refused 1 'width 32 (caption_channels), but those of the text encoders have 24' info other
cp "$model/transformer/config.json" other/transformer/config.json
sed 's/"tokenizer_class": "T5Tokenizer"/"tokenizer_class": "XTokenizer"/' "$model/tokenizer/tokenizer_config.json" >other/tokenizer/tokenizer_config.json
refused 1 'spiece.model: tokenizer_class XTokenizer is not supported' generate -m other -p x -q

# A text is read as it is, small letters first, and cut at the end.
draw -o small.png
expect 0 generate -m "$model" -W 64 -H 64 --steps 1 --no-metadata -p '  A Red FOX ' -o capital.png
cmp small.png capital.png || fail "capital letters make another picture"
expect 0 generate -m "$model" -W 64 -H 64 --steps 1 -p 'a (red:1.3) fox' -o weights.png
grep -q 'reads a prompt as plain text' "$place/err" || fail "no word about weights"
expect 0 generate -m "$model" -W 64 -H 64 --steps 1 -p 'a red fox in deep snow' --max-tokens 4 -o cut.png
grep -q 'tokens do not fit' "$place/err" || fail "no word about what was cut off"
expect 0 generate --from cut.png -m "$model" -q -o again.png
cmp cut.png again.png || fail "the picture does not remember the limit"

# Heat maps and statistics of attention change nothing; their blocks are called by number.
draw --attention-maps 'fox,red fox' --attention-maps-blocks 0,2 -o words.png
cmp all.png words.png || fail "--attention-maps changes the picture"
[ -s words-attention.png ] || fail "no heat maps"
# shellcheck disable=SC2086
refused 2 "attention-maps-blocks: 'mid' matches no cross-attention.*numbers of blocks from 0 to 2" \
    generate $small -p 'a red fox' --attention-maps fox --attention-maps-blocks mid
# shellcheck disable=SC2086
refused 2 "'wolf' is not in the prompt, whose tokens are:" generate $small -p 'a red fox' --attention-maps wolf
draw --attention-stats stats.json -o watched.png
cmp all.png watched.png || fail "--attention-stats changes the picture"
draw --attention-stats stats.csv -o watched.png
python3 - <<'END' || fail "the statistics"
import csv, json
stats = json.load(open("stats.json"))
assert list(stats["blocks"]) == ["0", "1", "2"], stats["blocks"]
assert [site["name"] for site in stats["sites"]] == [f"transformer_blocks.{i}.attn2" for i in range(3)]
heads = [head["zeros"] for head in stats["sites"][1]["heads"]]
assert abs(sum(heads) / len(heads) - stats["blocks"]["1"]["zeros"]) < 1e-6
assert {row["block"] for row in csv.DictReader(open("stats.csv", newline=""))} == {"0", "1", "2"}
END

# Several settings in one picture.
draw --compare -o off-on.png
draw --compare 'pladis-blocks=all;0-1;2' -o blocks.png
# shellcheck disable=SC2086
expect 0 grid $small -p 'a red fox' --x pladis-alpha=1.25,1.5,2 --y cfg-scale=1,4.5 -o grid.png
# shellcheck disable=SC2086
expect 0 grid $small -p 'a red fox' --x 'pladis-blocks=all;0-2;0;1' --y width=64,96 -o sizes.png
python3 - <<'END' || fail "the sizes of pages"
import csv, struct
size = lambda name: struct.unpack(">II", open(name, "rb").read(24)[16:])
assert size("off-on.png")[0] > 2 * 64 and size("blocks.png")[0] > 3 * 64
assert size("grid.png")[0] > 3 * 64 and size("grid.png")[1] > 2 * 64
rows = list(csv.DictReader(open("grid.csv", newline="")))
assert [row["evaluations"] for row in rows] == ["1"] * 3 + ["2"] * 3
rows = list(csv.DictReader(open("sizes.csv", newline="")))
changes = [float(row["mean_difference_from_first"]) for row in rows[:4]]
assert changes[:2] == [0, 0] and min(changes[2:]) > 0, changes
END

# What is for other kinds of model is named where it has no effect.
# no_effect OPTION VALUE: the picture is the one without it, and a warning says so.
no_effect() {
    expect 0 generate -m "$model" -W 64 -H 64 --steps 1 -p 'a red fox' --no-metadata "$1" "$2" -o without.png
    grep -q "${1#--} has no effect on this model" "$place/err" || fail "no word about $1"
    cmp all.png without.png || fail "$1 has an effect"
}
no_effect --clip-skip 2
no_effect --original-size 32x32
no_effect --target-size 32x32
no_effect --crop 1,1
# shellcheck disable=SC2086
refused 2 "guidance seg: layers: 'up' matches no self-attention" generate $small -p x --guidance seg:layers=up

# It takes no instruction, but nothing is lost by saying so.
# shellcheck disable=SC2086
refused 2 'complex-instruction: models of the family pixart take no instruction' generate $small -p x --complex-instruction 'Draw: '
draw --complex-instruction none -o no_instruction.png
cmp all.png no_instruction.png || fail "none is not none"

# Other layouts, other types.
expect 0 convert "$model" -o folder --dtype f16
draw -m folder -o converted.png
refused 1 'no layout of one file' convert "$model" -o file.safetensors
[ ! -e file.safetensors ] || fail "a refused conversion left a file"
for size in 72 8 100; do
    # shellcheck disable=SC2086
    refused 2 'width: expected a multiple of 16' generate $small -p x -W $size
    # shellcheck disable=SC2086
    refused 2 'height: expected a multiple of 16' generate $small -p x -H $size
done
