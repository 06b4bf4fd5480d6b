#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# FLUX.1 as people have it: a folder, its authors' file, a file of everything, files of text encoders in any order, LoRAs.
# usage: flux_files.sh PLADIS SOURCE_FOLDER
. "$2/tests/cli/common.sh"
reference=$source/tests/data/reference
model=$reference/models/flux-dev
files=$reference/files/flux-dev
clip=$files-clip_l.f16.safetensors
t5=$files-t5xxl.fp8.safetensors
small="-W 48 -H 32 --steps 2 -q --no-metadata"

# draw OUTPUT ARGUMENTS...: a small picture of the model that the arguments name.
draw() {
    output=$1
    shift
    # shellcheck disable=SC2086
    expect 0 generate "$@" $small -p 'two cats' -o "$output"
}
draw folder.png -m "$model"

# What each file is.
expect 0 info "$files-bfl.bf16.safetensors" --config "$model"
for what in 'FLUX.1 dev' 'Black Forest Labs' 'it contains no text encoder (CLIP-L); give one with --text-encoder FILE' \
    'it contains no second text encoder (T5); give one with --text-encoder FILE' 'it contains no autoencoder'; do
    grep -q "$what" "$place/out" || fail "info of the transformer's file lacks $what"
done
expect 0 info "$files-all-in-one.fp8.safetensors" --config "$model"
for what in checkpoint text_encoder_2 T5EncoderModel CLIPTextModel FluxTransformer2DModel AutoencoderKL; do
    grep -q "$what" "$place/out" || fail "info of the whole model lacks $what"
done
if grep -q 'it contains no' "$place/out"; then fail "the whole model lacks a part"; fi
expect 0 info "$t5"
said T5EncoderModel
expect 0 info "$clip"
said CLIPTextModel
refused 1 'contains no text encoder (CLIP-L); give one with --text-encoder FILE' generate \
    -m "$files-bfl.bf16.safetensors" -p x -q
refused 1 'no second text encoder (T5)' generate -m "$files-bfl.bf16.safetensors" --text-encoder "$clip" -p x -q
refused 1 'contains no denoising network' generate -m "$t5" -p x -q
expect 0 info "$files-fp8-scaled.safetensors"
said 'it contains scaled fp8 weights'
refused 1 'scaled fp8 weights' generate -m "$files-fp8-scaled.safetensors" -p x -q

# Networks that look like it: by their names, by what they say of themselves.
cp "$files-bfl.bf16.safetensors" flux1-Kontext-dev.safetensors
refused 1 'found FLUX Kontext, a network that edits pictures' generate -m flux1-Kontext-dev.safetensors -p x -q
expect 0 info flux1-Kontext-dev.safetensors
said 'cannot be used to draw: .*FLUX Kontext'

# The authors' names hold the folder's transformer; a network as small as this needs its configuration.
draw bfl.png -m "$files-bfl.bf16.safetensors" --config "$model"
cmp bfl.png folder.png || fail "the transformer's file draws another picture"

# Text encoders in any order, as files and as folders.
with="-m $files-bfl.bf16.safetensors --config $model"
# shellcheck disable=SC2086
draw one.png $with --text-encoder "$clip" --text-encoder-2 "$t5"
# shellcheck disable=SC2086
draw other.png $with --text-encoder "$t5" --text-encoder-2 "$clip"
cmp one.png other.png || fail "the order of the text encoders counts"
if cmp -s one.png folder.png; then fail "a T5 in 8 bits changes nothing"; fi
# shellcheck disable=SC2086
draw folders.png $with --text-encoder "$model/text_encoder_2" --text-encoder-2 "$model/text_encoder" --vae "$model/vae"
cmp folders.png folder.png || fail "folders of parts draw another picture"
# shellcheck disable=SC2086
draw t5.png $with --text-encoder "$t5"
cmp t5.png one.png || fail "the folder's CLIP is not the file's"
# shellcheck disable=SC2086
refused 1 'leave out --text-encoder' generate $with --text-encoder "$clip" --text-encoder-2 "$clip" -p x -q
refused 1 'leave out --text-encoder' generate -m "$reference/models/sd15" --text-encoder "$t5" -p x -q

# Everything in one file, there and back.
draw all.png -m "$files-all-in-one.fp8.safetensors" --config "$model"
expect 0 convert "$model" -o whole.safetensors -q
draw whole.png -m whole.safetensors --config "$model"
cmp whole.png folder.png || fail "the file that was written draws another picture"
expect 0 convert whole.safetensors --config "$model" -o again -q
draw again.png -m again
cmp again.png folder.png || fail "the folder draws another picture once converted"
expect 0 convert "$files-all-in-one.fp8.safetensors" --config "$model" --dtype f16 -o wide.safetensors -q
draw wide.png -m wide.safetensors --config "$model"
cmp wide.png all.png || fail "the widened file draws another picture"
python3 - "$files-bfl.bf16.safetensors" whole.safetensors <<'END' || fail "the transformer is not written as it was published"
import json, struct, sys
def read(path, prefix):
    data = open(path, "rb").read()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    return {name.removeprefix(prefix): (row["dtype"], row["shape"], data[8 + length:][slice(*row["data_offsets"])])
            for name, row in header.items() if name.startswith(prefix) and name != "__metadata__"}
published, written = read(sys.argv[1], ""), read(sys.argv[2], "model.diffusion_model.")
assert published == written, [name for name in published | written if published.get(name) != written.get(name)]
END

# LoRAs of fused matrices and of diffusers' modules.
for style in kohya peft; do
    expect 0 generate -m "$model" -W 48 -H 32 --steps 2 -p 'two cats' --no-metadata \
        --lora "$files-lora-$style.safetensors" -o lora.png
    grep -q 'applied \([0-9]*\) of \1 modules' "$place/err" || fail "$style: some modules have no place"
    if cmp -s lora.png folder.png; then fail "$style changes nothing"; fi
    expect 0 info "$files-lora-$style.safetensors"
    grep -q 'FLUX' "$place/out" || fail "$style: info does not know whose LoRA it is"
done

# The same LoRA in the authors' names, and one of T5, which trainers call the third text encoder.
python3 - "$files-lora-kohya.safetensors" "$files-bfl.bf16.safetensors" <<'END'
import json, struct, sys
def read(path):
    data = open(path, "rb").read()
    length = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:8 + length]), data[8 + length:]
def write(path, header, data):
    text = json.dumps(header).encode()
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + data)
lora, data = read(sys.argv[1])
modules = {"lora_unet_" + name.rpartition(".")[0].replace(".", "_"): "diffusion_model." + name.rpartition(".")[0]
           for name in read(sys.argv[2])[0] if name != "__metadata__"}
ends = {"lora_down.weight": "lora_A.weight", "lora_up.weight": "lora_B.weight", "alpha": "alpha"}
renamed = {}
for name, row in lora.items():
    module, _, end = name.partition(".")
    renamed[f"{modules[module]}.{ends[end]}" if module in modules else name] = row
assert sum(name.startswith("diffusion_model.") for name in renamed) > 50
write("authors.safetensors", renamed, data)
q = "lora_te3_encoder_block_0_layer_0_SelfAttention_q"
write("t5.safetensors", {f"{q}.lora_down.weight": {"dtype": "F32", "shape": [1, 24], "data_offsets": [0, 96]},
                         f"{q}.lora_up.weight": {"dtype": "F32", "shape": [32, 1], "data_offsets": [96, 224]},
                         f"{q}.alpha": {"dtype": "F32", "shape": [], "data_offsets": [224, 228]}},
      struct.pack("<57f", *[0.5] * 56, 1))
END
draw kohya.png -m "$model" --lora "$files-lora-kohya.safetensors"
draw authors.png -m "$model" --lora authors.safetensors
cmp kohya.png authors.png || fail "the authors' names draw another picture"
expect 0 generate -m "$model" -W 48 -H 32 --steps 2 -p 'two cats' --no-metadata --lora t5.safetensors -o t5.png
grep -q 'applied 1 of 1 modules' "$place/err" || fail "T5's module has no place"
if cmp -s t5.png folder.png; then fail "a LoRA of T5 changes nothing"; fi
