#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# FLUX.2 klein as people have it: a folder, a file of the transformer, files of the text encoder and the autoencoder, a whole model,
# LoRAs.
# usage: flux2_files.sh PLADIS SOURCE_FOLDER
. "$2/tests/cli/common.sh"
reference=$source/tests/data/reference
model=$reference/models/flux2-klein
files=$reference/files/flux2-klein
bfl=$files-bfl.bf16.safetensors
small="-W 48 -H 32 --steps 2 --max-tokens 40 -q --no-metadata"

# draw OUTPUT ARGUMENTS...: a small picture of the model that the arguments name.
draw() {
    output=$1
    shift
    # shellcheck disable=SC2086
    expect 0 generate "$@" $small -p 'two cats' -o "$output"
}
draw folder.png -m "$model"

# What each file is.
expect 0 info "$bfl" --config "$model"
for what in 'FLUX.2 klein' 'Black Forest Labs' 'it contains no text encoder (Qwen3); give one with --text-encoder FILE' \
    'it contains no autoencoder'; do
    grep -q "$what" "$place/out" || fail "info of the transformer's file lacks $what"
done
refused 1 'contains no text encoder (Qwen3); give one with --text-encoder FILE' generate -m "$bfl" -p x -q
cp "$bfl" flux-2-klein-base-4b.safetensors
expect 0 info flux-2-klein-base-4b.safetensors
said 'FLUX.2 klein base'

# The authors' names hold the folder's transformer; a network as small as this needs its configuration.
draw bfl.png -m "$bfl" --config "$model"
cmp bfl.png folder.png || fail "the transformer's file draws another picture"
draw parts.png -m "$bfl" --config "$model" --text-encoder "$model/text_encoder" --vae "$model/vae"
cmp parts.png folder.png || fail "folders of parts draw another picture"

# Files of the autoencoder in its authors' names, and of the text encoder in ComfyUI's.
python3 - "$model" <<'END'
import re, sys
from tensors import read_header, write_header
header, data = read_header(sys.argv[1] + "/vae/diffusion_pytorch_model.safetensors")
names, levels = {}, 4
for name in header:
    new = name
    for old, its in (("mid_block.resnets.0", "mid.block_1"), ("mid_block.resnets.1", "mid.block_2"), ("conv_shortcut", "nin_shortcut"),
                     ("mid_block.attentions.0.group_norm", "mid.attn_1.norm"), ("mid_block.attentions.0.to_out.0", "mid.attn_1.proj_out"),
                     ("mid_block.attentions.0.to_", "mid.attn_1."), ("conv_norm_out", "norm_out"), ("down_blocks", "down"),
                     ("resnets", "block"), ("downsamplers.0", "downsample"), ("upsamplers.0", "upsample")):
        new = new.replace(old, its)
    new = re.sub(r"up_blocks\.(\d)", lambda m: f"up.{levels - 1 - int(m[1])}", new)
    new = new.replace("post_quant_conv", "decoder.post_quant_conv") if new.startswith("post") else new
    names[name] = "encoder." + new if new.startswith("quant_conv") else new
for name, row in header.items():
    if ".attn_1." in names.get(name, "") and names[name].endswith("weight") and len(row["shape"]) == 2:
        row["shape"] += [1, 1]
write_header("ae.safetensors", {names.get(n, n): r for n, r in header.items()}, data)
header, data = read_header(sys.argv[1] + "/text_encoder/model.safetensors")
write_header("qwen_3.safetensors", {n if n.startswith("model.") or n == "__metadata__" else "model." + n: r for n, r in header.items()}, data)
END
expect 0 info ae.safetensors
said AutoencoderKLFlux2
expect 0 info qwen_3.safetensors
said Qwen3
draw files.png -m "$bfl" --config "$model" --text-encoder qwen_3.safetensors --vae ae.safetensors
cmp files.png folder.png || fail "the files of the parts draw another picture"
refused 1 'cannot take the place of' generate -m "$reference/models/sd15" --vae ae.safetensors -p x -q

# Everything in one file, there and back.
expect 0 convert "$model" -o whole.safetensors -q
draw whole.png -m whole.safetensors --config "$model"
cmp whole.png folder.png || fail "the file that was written draws another picture"
expect 0 convert whole.safetensors --config "$model" -o again -q
draw again.png -m again
cmp again.png folder.png || fail "the folder draws another picture once converted"
python3 - "$bfl" whole.safetensors <<'END' || fail "the transformer is not written as it was published"
import sys
from tensors import assert_same, behind, read
assert_same(read(sys.argv[1]), behind(read(sys.argv[2]), "model.diffusion_model."))
END

# LoRAs of fused matrices, in the authors' names and in diffusers', and one of Qwen3.
for style in kohya bfl diffusers; do
    expect 0 generate -m "$model" -W 48 -H 32 --steps 2 --max-tokens 40 -p 'two cats' --no-metadata \
        --lora "$files-lora-$style.safetensors" -o lora.png
    grep -q 'applied \([0-9]*\) of \1 modules' "$place/err" || fail "$style: some modules have no place"
    if cmp -s lora.png folder.png; then fail "$style changes nothing"; fi
    expect 0 info "$files-lora-$style.safetensors"
    grep -q 'FLUX' "$place/out" || fail "$style: info does not know whose LoRA it is"
done
python3 -c 'from tensors import lora_of_ones as make; make("qwen.safetensors", "lora_te_layers_0_self_attn_q_proj", 16, 24)'
expect 0 generate -m "$model" -W 48 -H 32 --steps 2 --max-tokens 40 -p 'two cats' --no-metadata --lora qwen.safetensors -o qwen.png
grep -q 'applied 1 of 1 modules' "$place/err" || fail "Qwen3's module has no place"
if cmp -s qwen.png folder.png; then fail "a LoRA of Qwen3 changes nothing"; fi
