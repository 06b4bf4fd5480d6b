#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Stable Diffusion 3.5 as people have it: its authors' file without text encoders, files of those in any order, a file of everything
# with and without T5, LoRAs, the turbo's name.
# usage: sd3_files.sh PLADIS SOURCE_FOLDER
. "$2/tests/cli/common.sh"
reference=$source/tests/data/reference
model=$reference/models/sd35
file=$reference/files/sd35-no-text.f16.safetensors
lora=$reference/files/sd35-lora-kohya.safetensors

# draw OUTPUT ARGUMENTS...: a small picture of the model that the arguments name.
draw() {
    output=$1
    shift
    expect 0 generate "$@" -W 64 -H 48 --steps 2 --max-tokens 16 -q --no-metadata -p 'two cats' -o "$output"
}
draw folder.png -m "$model"

# What the file is; a network as small as this needs its configuration.
expect 0 info "$file" --config "$model"
for what in 'Stable Diffusion 3.5 medium' 'Stability AI' 'it contains no text encoder (CLIP-L); give one with --text-encoder FILE' \
    'it contains no second text encoder (CLIP-G)' 'it contains no third text encoder (T5)' AutoencoderKL; do
    grep -q "$what" "$place/out" || fail "info of the transformer's file lacks $what"
done
if grep -q 'contains no autoencoder' "$place/out"; then fail "the file's autoencoder is not seen"; fi
refused 1 'contains no text encoder (CLIP-L)' generate -m "$file" -p x -q
draw file.png -m "$file" --config "$model"
cmp file.png folder.png || fail "the transformer's file draws another picture"

# Everything in one file: what was published is written again, and read again.
expect 0 convert "$model" -o whole.safetensors -q
draw whole.png -m whole.safetensors --config "$model"
cmp whole.png folder.png || fail "the file that was written draws another picture"
expect 0 info whole.safetensors --config "$model"
for what in checkpoint text_encoder_2 text_encoder_3 T5EncoderModel CLIPTextModel SD3Transformer2DModel; do
    grep -q "$what" "$place/out" || fail "info of the whole model lacks $what"
done
if grep -q 'it contains no' "$place/out"; then fail "the whole model lacks a part"; fi
python3 - "$file" whole.safetensors <<'END' || fail "tensors are not written as they were published"
import struct, sys
from tensors import read, write
published, written = read(sys.argv[1]), read(sys.argv[2])
# the folder's transformer is bf16, the published file f16
def numbers(row):
    dtype, _, data = row
    if dtype == "BF16":
        return [struct.unpack("<f", b"\0\0" + data[i:i + 2])[0] for i in range(0, len(data), 2)]
    return list(struct.unpack(f"<{len(data) // 2}e", data))
for name, row in published.items():
    assert name in written and written[name][1] == row[1], name
    a, b = numbers(row), numbers(written[name])
    assert all(abs(x - y) <= 2e-4 * abs(y) + 1e-7 for x, y in zip(a, b)), name
# as ComfyUI's users hold it: files of the text encoders, a whole file whose CLIP-L has no projection, or without T5
def part(prefix, new=""):
    return {new + name.removeprefix(prefix): row for name, row in written.items() if name.startswith(prefix)}
clip_l = part("text_encoders.clip_l.transformer.")
write("clip_l.safetensors", clip_l)
write("clip_g.safetensors", part("text_encoders.clip_g.", "text_encoders.clip_g."))
write("t5.safetensors", part("text_encoders.t5xxl.transformer."))
write("plain.safetensors", {name: row for name, row in written.items() if name != "text_encoders.clip_l.transformer.text_projection.weight"})
write("no_t5.safetensors", {name: row for name, row in written.items() if not name.startswith("text_encoders.t5xxl.")})
scaled = dict(written)
scaled["model.diffusion_model.scaled_fp8"] = ("F8_E4M3", [0], b"")
name = "model.diffusion_model.joint_blocks.0.x_block.attn.proj"
scaled[name + ".scale_weight"] = ("F32", [1], struct.pack("<f", 2))
write("scaled.safetensors", scaled)
control = dict(published)
control["model.diffusion_model.pos_embed_input.proj.weight"] = ("F16", [1], b"\0\0")
write("control.safetensors", control)
END
refused 1 'scaled fp8 weights' generate -m scaled.safetensors -p x -q
refused 1 'a ControlNet, which is not supported' generate -m control.safetensors -p x -q

# Text encoders in any order. T5 may be missing.
with="-m $file --config $model"
# shellcheck disable=SC2086
{
    draw one.png $with --text-encoder clip_l.safetensors --text-encoder-2 clip_g.safetensors --text-encoder-3 t5.safetensors
    draw other.png $with --text-encoder t5.safetensors --text-encoder-2 clip_l.safetensors --text-encoder-3 clip_g.safetensors
    draw third.png $with --text-encoder-3 clip_l.safetensors --text-encoder t5.safetensors --text-encoder-2 clip_g.safetensors
}
cmp one.png folder.png || fail "files of text encoders draw another picture"
cmp one.png other.png || fail "the order of the text encoders counts"
cmp one.png third.png || fail "the order of the text encoders counts"
# shellcheck disable=SC2086
refused 1 'leave out --text-encoder' generate $with --text-encoder t5.safetensors --text-encoder-3 t5.safetensors -p x -q
cp -r "$model" small
rm -r small/text_encoder_3 small/tokenizer_3
sed -i '/"text_encoder_3": \[/,/\]/c\ "text_encoder_3": [null, null],' small/model_index.json
sed -i '/"tokenizer_3": \[/,/\]/c\ "tokenizer_3": [null, null],' small/model_index.json
expect 0 generate -m no_t5.safetensors --config small -W 64 -H 48 --steps 1 --max-tokens 16 --no-metadata -p x -o no_t5.png
grep -q 'there is no third text encoder (T5)' "$place/err" || fail "T5's absence is silent"
expect 0 convert no_t5.safetensors --config small -o no_t5 -q
[ ! -e no_t5/text_encoder_3 ] || fail "an encoder was made of nothing"
grep -q '"text_encoder_3"' no_t5/model_index.json || fail "the pipeline is not told that it has no T5"
expect 0 generate -m no_t5 -W 64 -H 48 --steps 1 --max-tokens 16 --no-metadata -p x -q -o again.png
cmp no_t5.png again.png || fail "the folder without T5 draws another picture"

# A CLIP-L without projection means none, and a folder, whose readers know no such rule, gets the identity.
draw plain.png -m plain.safetensors --config "$model"
if cmp -s plain.png folder.png; then fail "the projection changes nothing"; fi
expect 0 convert plain.safetensors --config "$model" -o plain -q
draw again.png -m plain
cmp again.png plain.png || fail "the folder draws another picture once converted"
python3 - plain/text_encoder/model.safetensors <<'END' || fail "the projection in the folder is not the identity"
import json, struct, sys
data = open(sys.argv[1], "rb").read()
length = struct.unpack("<Q", data[:8])[0]
row = json.loads(data[8:8 + length])["text_projection.weight"]
size = row["shape"][0]
assert row["shape"] == [size, size] and row["dtype"] == "F16"
begin, end = row["data_offsets"]
numbers = struct.unpack(f"<{size * size}e", data[8 + length + begin:8 + length + end])
assert all(x == (i // size == i % size) for i, x in enumerate(numbers))
END

# LoRAs of fused matrices, of both CLIPs, and in the authors' names.
expect 0 generate -m "$model" -W 64 -H 48 --steps 2 --max-tokens 16 -p 'two cats' --no-metadata --lora "$lora" -o lora.png
grep -q 'applied \([0-9]*\) of \1 modules' "$place/err" || fail "some modules have no place"
if cmp -s lora.png folder.png; then fail "the LoRA changes nothing"; fi
draw again.png -m whole.safetensors --config "$model" --lora "$lora"
cmp lora.png again.png || fail "a file's LoRA draws another picture"
python3 - "$lora" "$file" <<'END'
import sys
from tensors import lora_in_authors_names
lora_in_authors_names(sys.argv[1], sys.argv[2], "model.diffusion_model.", "authors.safetensors")
END
draw authors.png -m "$model" --lora authors.safetensors
cmp lora.png authors.png || fail "the authors' names draw another picture"
expect 0 info "$lora"
grep -q 'Stable Diffusion 3' "$place/out" || fail "info does not know whose LoRA it is"

# The turbo is told by its name: four steps, without CFG.
cp whole.safetensors sd3.5_large_turbo.safetensors
expect 0 generate -m sd3.5_large_turbo.safetensors --config "$model" -W 64 -H 48 --max-tokens 16 -p x --report report.json --no-metadata -o turbo.png
grep -q 'preset sd3.5-turbo, because of the name' "$place/err" || fail "no preset"
grep -q '"evaluations": *4' report.json || fail "not four steps without CFG"
