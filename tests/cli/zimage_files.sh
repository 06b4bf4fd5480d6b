#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Z-Image as people have it: a folder, its authors' file, ComfyUI's three files, a file of everything, LoRAs.
# usage: zimage_files.sh PLADIS SOURCE_FOLDER
. "$2/tests/cli/common.sh"
reference=$source/tests/data/reference
model=$reference/models/z-image
file=$reference/files/z-image-diffusion_model.bf16.safetensors
small="-W 96 -H 64 --steps 2 --cfg-scale 3 -n blurry --shift 3 -q --no-metadata"

# draw OUTPUT ARGUMENTS...: a small picture of the model that the arguments name.
draw() {
    output=$1
    shift
    # shellcheck disable=SC2086
    expect 0 generate "$@" $small -p 'two cats' -o "$output"
}
draw folder.png -m "$model"

# What each file is; Turbo has the same tensors, and is told by the name.
expect 0 info "$file" --config "$model"
for what in 'is *Z-Image$' 'layout *Z-Image' 'it contains no text encoder (Qwen3-4B); give one with --text-encoder FILE' \
    'it contains no autoencoder'; do
    grep -q "$what" "$place/out" || fail "info of the transformer's file lacks $what"
done
cp "$file" z_image_turbo_bf16.safetensors
expect 0 info z_image_turbo_bf16.safetensors --config "$model"
said 'is *Z-Image-Turbo$'
expect 0 generate -m z_image_turbo_bf16.safetensors --config "$model" -W 64 -H 64 -p x --report report.json -o turbo.png
grep -q '"steps": *8' report.json || fail "not eight steps"
refused 1 'contains no text encoder (Qwen3-4B); give one with --text-encoder FILE' generate -m "$file" -p x -q

# The authors' names hold the folder's transformer; a network as small as this needs its configuration.
draw own.png -m "$file" --config "$model"
cmp own.png folder.png || fail "the transformer's file draws another picture"
draw parts.png -m "$file" --config "$model" --vae "$model/vae" --text-encoder "$model/text_encoder"
cmp parts.png folder.png || fail "folders of parts draw another picture"

# Everything in one file, there and back, in ComfyUI's layout.
expect 0 convert "$model" -o whole.safetensors -q
draw whole.png -m whole.safetensors --config "$model"
cmp whole.png folder.png || fail "the file that was written draws another picture"
expect 0 info whole.safetensors --config "$model"
if grep -q 'it contains no' "$place/out"; then fail "the whole model lacks a part"; fi
expect 0 convert whole.safetensors --config "$model" -o again -q
draw again.png -m again
cmp again.png folder.png || fail "the folder draws another picture once converted"

# One file for each part, as ComfyUI has them: the text encoder in transformers' names, the autoencoder in its authors'.
python3 - "$file" whole.safetensors <<'END' || fail "the transformer is not written as it was published"
import sys
from tensors import assert_same, behind, read, write
published, whole = read(sys.argv[1]), read(sys.argv[2])
written = behind(whole, "model.diffusion_model.")
assert_same(published, written)
write("qwen_3_4b.safetensors", behind(whole, "text_encoders.qwen3_4b.transformer."))
write("ae.safetensors", behind(whole, "vae."))
# what each of diffusers' loaders would write: a file of the transformer alone, with and without a prefix
write("prefixed.safetensors", {"diffusion_model." + name: row for name, row in published.items()})
END
expect 0 info qwen_3_4b.safetensors
said Qwen3Model
for order in '--text-encoder qwen_3_4b.safetensors --vae ae.safetensors' '--vae ae.safetensors --text-encoder qwen_3_4b.safetensors'; do
    # shellcheck disable=SC2086
    draw three.png -m prefixed.safetensors --config "$model" $order
    cmp three.png folder.png || fail "three files draw another picture"
done

# Numbers of 8 bits with scales beside them: a power of two as scale, so that nothing is rounded twice. Other formats are named.
python3 - "$file" <<'END'
import struct, sys
from tensors import read, write
tensors = read(sys.argv[1])
plain, scaled, other = dict(tensors), dict(tensors), dict(tensors)
for name in ("layers.0.attention.qkv", "layers.0.feed_forward.w1"):
    _, shape, data = tensors[name + ".weight"]
    for file in (plain, scaled, other):
        file[name + ".weight"] = ("F8_E4M3", shape, bytes(b & 0x9f for b in data[::2]))
    for file, scale, format in ((scaled, 0.5, "float8_e4m3fn"), (other, 0.5, "int8_tensorwise")):
        text = f'{{"format": "{format}"}}'.encode()
        file[name + ".weight_scale"] = ("F32", [], struct.pack("<f", scale))
        file[name + ".comfy_quant"] = ("U8", [len(text)], text)
write("plain8.safetensors", plain)
write("scaled.safetensors", scaled)
write("other.safetensors", other)
scaled["layers.0.attention.qkv.weight_scale"] = ("F32", [2], bytes(8))
write("rows.safetensors", scaled)
# int8 as ComfyUI has it, whose columns were rotated
for name in ("layers.0.attention.qkv", "layers.0.feed_forward.w1"):
    text = b'{"format": "int8_tensorwise", "convrot": true}'
    other[name + ".weight"] = ("I8", other[name + ".weight"][1], other[name + ".weight"][2])
    other[name + ".comfy_quant"] = ("U8", [len(text)], text)
write("int8.safetensors", other)
END
expect 0 info scaled.safetensors
said 'it contains scaled fp8 weights (2 matrices)'
draw scaled.png -m scaled.safetensors --config "$model"
draw plain8.png -m plain8.safetensors --config "$model"
if cmp -s scaled.png plain8.png; then fail "a scale changes nothing"; fi
expect 0 convert scaled.safetensors --config "$model" -o scaled16.safetensors -q
draw scaled16.png -m scaled16.safetensors --config "$model"
cmp scaled16.png scaled.png || fail "the widened scales draw another picture"
refused 1 "'layers.0.attention.qkv.comfy_quant': expected the format \"float8_e4m3fn\", as the matrix is stored, found \"int8_tensorwise\"" \
    generate -m other.safetensors --config "$model" -p x -q
refused 1 "'layers.0.attention.qkv.comfy_quant': the columns of the matrix were rotated (int8 ConvRot)" \
    generate -m int8.safetensors --config "$model" -p x -q
refused 1 "'layers.0.attention.qkv.weight_scale': expected one number that scales a matrix, found f32 of shape \[2\]" \
    generate -m rows.safetensors --config "$model" -p x -q

# LoRAs of fused matrices, of diffusers' modules and in the authors' names, of which the last two are the same numbers.
for style in kohya peft authors; do
    # shellcheck disable=SC2086
    expect 0 generate -m "$model" -W 96 -H 64 --steps 2 --shift 3 --cfg-scale 3 -n blurry -p 'two cats' --no-metadata \
        --lora "$reference/files/z-image-lora-$style.safetensors" -o $style.png
    grep -q 'applied \([0-9]*\) of \1 modules' "$place/err" || fail "$style: some modules have no place"
    if cmp -s $style.png folder.png; then fail "$style changes nothing"; fi
    expect 0 info "$reference/files/z-image-lora-$style.safetensors"
    grep -q 'Z-Image' "$place/out" || fail "$style: info does not know whose LoRA it is"
done
cmp peft.png authors.png || fail "the authors' names draw another picture"
python3 - "$reference/files/z-image-lora-peft.safetensors" <<'END'
import sys
from tensors import behind, read, write
blocks = {name: row for name, row in behind(read(sys.argv[1]), "transformer.").items() if name.startswith(("layers", "noise", "context"))}
write("bare.safetensors", blocks)
write("blocks.safetensors", {"transformer." + name: row for name, row in blocks.items()})
END
draw bare.png -m "$model" --lora bare.safetensors
draw blocks.png -m "$model" --lora blocks.safetensors
cmp blocks.png bare.png || fail "an adapter of the transformer alone draws another picture"
if cmp -s bare.png folder.png; then fail "an adapter of the transformer alone changes nothing"; fi
