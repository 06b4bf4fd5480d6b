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
import sys
from tensors import assert_same, behind, read
assert_same(read(sys.argv[1]), behind(read(sys.argv[2]), "model.diffusion_model."))
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
import sys
from tensors import lora_in_authors_names, lora_of_ones
lora_in_authors_names(sys.argv[1], sys.argv[2], "", "authors.safetensors")
lora_of_ones("t5.safetensors", "lora_te3_encoder_block_0_layer_0_SelfAttention_q", 24, 32)
END
draw kohya.png -m "$model" --lora "$files-lora-kohya.safetensors"
draw authors.png -m "$model" --lora authors.safetensors
cmp kohya.png authors.png || fail "the authors' names draw another picture"
expect 0 generate -m "$model" -W 48 -H 32 --steps 2 -p 'two cats' --no-metadata --lora t5.safetensors -o t5.png
grep -q 'applied 1 of 1 modules' "$place/err" || fail "T5's module has no place"
if cmp -s t5.png folder.png; then fail "a LoRA of T5 changes nothing"; fi
