#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SANA and SANA-Sprint: linear self-attention, Gemma-2, DC-AE.
# usage: sana.sh PLADIS SOURCE_FOLDER
. "$2/tests/cli/common.sh"
models=$source/tests/data/reference/models
model=$models/sana-text
sprint=$models/sana-sprint
small="-m $model -W 64 -H 64 --steps 1 -q --complex-instruction none"

expect 0 info "$model"
grep -q 'family *sana' "$place/out" || fail "no family"
grep -q '300 text positions' "$place/out" || fail "no limit of texts"
grep -q '4 attention sites, 2 of them cross-attention' "$place/out" || fail "no sites"
expect 0 info --json "$model"
grep -q '"kind": *"linear"' "$place/out" || fail "linear self-attention is not called that"

# Parts that do not belong together are refused by the names of their fields.
cp -r "$model" other
sed -i 's/"caption_channels": *[0-9]*/"caption_channels": 16/' other/transformer/config.json
refused 1 'expects text states of width 16 (caption_channels), but those of the text encoders have 24' info other

# A folder of the family without a text encoder is refused with a sentence.
refused 1 "field 'tokenizer': expected" info "$models/sana"

# Parts that do not belong together are named by this class's own fields.
cp -r "$model" other
sed 's/"caption_channels": 24/"caption_channels": 32/' "$model/transformer/config.json" >other/transformer/config.json
refused 1 'width 32 (caption_channels), but those of the text encoders have 24' info other

# Blocks have numbers.
# shellcheck disable=SC2086
draw() { expect 0 generate $small -p 'a red fox' --no-metadata "$@"; }
draw -o all.png
draw --pladis-blocks 0-1 -o range.png
cmp all.png range.png || fail "0-1 is not all"
draw --pladis-blocks 1 -o one.png
if cmp -s all.png one.png; then fail "one block is as good as all"; fi
draw --no-pladis -o dense.png
if cmp -s all.png dense.png; then fail "PLADIS changes nothing"; fi
# shellcheck disable=SC2086
refused 2 "pladis-blocks: '2' matches no cross-attention.*numbers of blocks from 0 to 1" generate $small -p x --pladis-blocks 2

# PAG changes block 0, as diffusers' pipeline does. What needs a map of tokens by tokens is refused with that reason.
draw --guidance pag:scale=3 -o pag.png
draw --guidance pag:scale=3,layers=0 -o pag_0.png
cmp pag.png pag_0.png || fail "PAG does not change block 0 by itself"
if cmp -s pag.png all.png; then fail "PAG changes nothing"; fi
draw --guidance nag:scale=3 --guidance gag:scale=3 -o more.png
# shellcheck disable=SC2086
{
    refused 1 'guidance seg: layers.*self-attention of this model is linear' generate $small -p x --guidance seg:scale=3
    refused 1 'pladis-sites self.*self-attention of this model is linear' generate $small -p x --pladis-sites self
    refused 1 'guidance freeu: .*up blocks of a U-Net.*none' generate $small -p x --guidance freeu
    refused 2 'distilled-guidance: this model is not told of a guidance scale' generate $small -p x --distilled-guidance 4
    refused 2 'width: expected a multiple of 32' generate $small -p x -W 80
    refused 2 'guidance cfg++: .*no sampler of flow models' generate $small -p x --guidance cfg++ --sampling-method euler
    refused 1 "found a transformer like SANA's alone, which is no model" generate $small -p x --unet "$models/sana/transformer"
}
draw -W 96 -H 160 -o odd.png

# Attention of the text can be looked at, word by word, behind an instruction too; words that were cut off are none of it.
expect 0 generate -m "$model" -W 64 -H 64 --steps 1 -p 'a red fox' --complex-instruction 'Draw: ' --attention-maps a,Red,fox -q -o w.png
# shellcheck disable=SC2086
refused 2 "attention-maps: 'fox' is not in the prompt, whose tokens are: a ▁red" generate $small -p 'a red fox' --max-tokens 3 --attention-maps fox
draw --attention-stats statistics.json -o statistics.png
grep -q attn2 statistics.json || fail "no statistics of cross-attention"
if grep -q attn1 statistics.json; then fail "linear attention has no rows to count"; fi

# Sprint: a preset by the scheduler's class, a guidance scale that the network is told, no CFG.
expect 0 generate -m "$sprint" -W 64 -H 64 -p 'a red fox' --complex-instruction none --report report.json -o sprint.png
grep -q 'preset sana-sprint, because of the scheduler SCMScheduler' "$place/err" || fail "no preset"
grep -q '"steps": *2' report.json || fail "not two steps"
grep -q '"evaluations": *2' report.json || fail "CFG for a distilled model"
quick="-m $sprint -W 64 -H 64 -q --no-metadata --complex-instruction none -p"
# shellcheck disable=SC2086
{
    expect 0 generate $quick 'a red fox' -o own.png
    expect 0 generate $quick 'a red fox' --distilled-guidance 4.5 -o stated.png
    cmp own.png stated.png || fail "4.5 is not the model's own scale"
    expect 0 generate $quick 'a red fox' --guidance 2 -o number.png
    expect 0 generate $quick 'a red fox' --distilled-guidance 2 -o two.png
    cmp number.png two.png || fail "a number given to --guidance is another scale"
    if cmp -s own.png two.png; then fail "the scale changes nothing"; fi
    expect 0 generate $quick 'a red fox' --steps 1 -o one_step.png
    expect 0 generate $quick 'a red fox' --steps 4 -o four_steps.png
    refused 1 'needs SCMScheduler' generate $quick x --sampling-method euler
    refused 2 "scheduler 'karras' cannot be used; leave it out" generate $quick x --scheduler karras
    refused 2 'distilled-guidance: ' generate $quick x --distilled-guidance -1
}
expect 0 generate -m "$sprint" -W 64 -H 64 -p 'a red fox' --complex-instruction none --distilled-guidance 2 -q -o told.png
expect 0 generate --from told.png -m "$sprint" -q -o again.png
cmp told.png again.png || fail "the picture does not remember the scale"

# Its own sampler is measured, too.
expect 0 bench generate -m "$sprint" -W 64 -H 64 --steps 2 --repeats 1

# Without an evaluation the prediction is zero, and x0 = cos(t)·x − sin(t)·v of the angle t = 1.5708 with SANA-Sprint's
# velocity v of that: the first step of CFG-Zero.
# shellcheck disable=SC2086
expect 0 generate $quick x --guidance cfg-zero:scale=3 --steps 1 --dump zero.safetensors -o zero.png
python3 - <<'END' || fail "a prediction of zero"
import json, math, struct
data = open("zero.safetensors", "rb").read()
length = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + length])
def read(name):
    begin, end = header[name]["data_offsets"]
    return struct.unpack(f"<{(end - begin) // 4}f", data[8 + length + begin:8 + length + end])
sine, cosine = math.sin(1.5708), math.cos(1.5708)
t = sine / (sine + cosine)
norm = math.hypot(t, 1 - t)
for noise, latent in zip(read("latents_init"), read("latents")):
    velocity = (1 - 2 * t) * (noise * norm) / norm
    assert abs(latent - (cosine * noise - sine * velocity)) < 1e-6, (noise, latent)
END

# From a picture, within a mask, with previews.
expect 0 generate $small -p 'a red fox' --no-metadata --steps 4 --init-img all.png --strength 0.5 -o from.png
expect 0 generate $small -p 'a red fox' --no-metadata --steps 4 --init-img all.png --mask all.png --strength 0.5 -o within.png

# Other types.
expect 0 convert "$model" -o folder --dtype f32
draw -m folder -o converted.png
cmp all.png converted.png || fail "float32 of the same numbers draws another picture"
expect 0 convert "$model" -o halves --dtype bf16
draw -m halves -o halves.png

# A folder is whole: tokenizer and schedule, and the instruction where it has one of its own.
for file in model_index.json scheduler/scheduler_config.json tokenizer/tokenizer.json tokenizer/tokenizer_config.json; do
    [ -s "folder/$file" ] || fail "the converted folder lacks $file"
done
[ ! -e folder/complex_instruction.txt ] || fail "an instruction from nowhere"
expect 0 tokenize -m "$model" --json --complex-instruction 'Draw: ' 'a red fox'
mv "$place/out" "$place/tokens"
expect 0 tokenize -m folder --json --complex-instruction 'Draw: ' 'a red fox'
cmp "$place/out" "$place/tokens" || fail "other tokens in the converted folder"
echo 'Draw what follows: ' >folder/complex_instruction.txt
expect 0 convert folder -o told -q
cmp folder/complex_instruction.txt told/complex_instruction.txt || fail "the instruction is lost"
for name in folder told; do
    expect 0 generate -m $name -W 64 -H 64 --steps 1 -q -p 'a red fox' --no-metadata -o $name.png
done
cmp folder.png told.png || fail "a folder with an instruction draws another picture once converted"
if cmp -s folder.png converted.png; then fail "the folder's instruction changes nothing"; fi
expect 0 convert "$sprint" -o quick -q
expect 0 generate -m quick -W 64 -H 64 -q --no-metadata --complex-instruction none -p 'a red fox' -o quick.png
cmp own.png quick.png || fail "SANA-Sprint draws another picture once converted"
refused 1 'no layout of one file' convert "$model" -o file.safetensors
[ ! -e file.safetensors ] || fail "a refused conversion left a file"
