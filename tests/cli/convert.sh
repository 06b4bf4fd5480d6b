#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Models in other layouts and types, and what is told of single files.
. "$2/tests/cli/common.sh"

# Folder to file and back: the same weights, and the same picture.
for name in sd15 sd21; do
    model=$source/tests/data/reference/models/$name
    expect 0 convert "$model" -o "$name.safetensors" -q
    [ ! -s "$place/err" ] || fail "convert -q says something"
    expect 0 convert "$name.safetensors" --config "$model" -o "$name" -q
    expect 0 convert "$name" -o "$name.again.safetensors" -q
    cmp "$name.safetensors" "$name.again.safetensors" || fail "$name: not the same file again"
    expect 0 generate -m "$model" -p "a red fox" --steps 2 -W 64 -H 64 --no-metadata -q -o folder.png
    expect 0 generate -m "$name" -p "a red fox" --steps 2 -W 64 -H 64 --no-metadata -q -o converted.png
    expect 0 generate -m "$name.safetensors" --config "$model" -p "a red fox" --steps 2 -W 64 -H 64 --no-metadata -q -o file.png
    cmp folder.png converted.png || fail "$name: another picture from the converted folder"
    cmp folder.png file.png || fail "$name: another picture from the file"
    expect 0 tokenize -m "$name.safetensors" --config "$model" --json "a (red:1.2) fox"
    mv "$place/out" "$place/tokens"
    expect 0 tokenize -m "$model" --json "a (red:1.2) fox"
    cmp "$place/out" "$place/tokens" || fail "$name: other tokens"
done

# The VAE and the U-Net from elsewhere.
expect 0 generate -m sd21 --vae sd21.safetensors --unet sd21/unet -p "a red fox" --steps 2 -W 64 -H 64 --no-metadata -q -o parts.png
cmp parts.png folder.png || fail "another picture with the model's own parts given by hand"
refused 1 'autoencoder' generate -m sd21 --vae sd21/unet -p x
refused 1 'U-Net' generate -m sd21 --unet sd21/vae -p x

# What is told.
expect 0 info sd15.safetensors --config "$source/tests/data/reference/models/sd15"
said 'Stable Diffusion 1'
said 'latent diffusion'
said 'down_blocks.0.attentions.0.transformer_blocks.0.attn2'
expect 0 info sd21.safetensors --json
said '"prediction_type": "v_prediction"'
said 'modelspec.prediction_type'
expect 0 info sd15/vae/diffusion_pytorch_model.safetensors
said 'autoencoder'
printf 'PK\003\004 and so on' >model.ckpt
refused 1 'never read' info model.ckpt
printf 'GGUF and so on' >model.gguf
refused 1 'GGUF' info model.gguf
rm model.ckpt model.gguf

# Types: half the size, and small errors only.
expect 0 convert sd15 -o narrow --dtype bf16 -q
expect 0 info narrow
said 'bf16'
expect 0 convert narrow -o wide.safetensors --dtype f32 -q
expect 0 info wide.safetensors
said 'f32'

# A folder has the permissions that the user gives new ones.
(umask 027 && "$pladis" convert sd15 -o masked -q)
[ "$(stat -c %a masked)" = 750 ] || fail "a converted folder has the permissions $(stat -c %a masked)"
rm -r masked

# Nothing is replaced by accident, and nothing is left behind.
rm -rf narrow ./*.png
refused 1 'overwrite' convert sd15 -o wide.safetensors
refused 1 'overwrite' convert sd21 -o sd15
expect 0 convert sd15 -o wide.safetensors --overwrite -q
expect 0 convert sd15 -o sd21 --overwrite -q
cmp sd15/unet/diffusion_pytorch_model.safetensors sd21/unet/diffusion_pytorch_model.safetensors || fail "not replaced"
mkdir mine
refused 1 'not replaced' convert sd15 -o mine --overwrite
refused 1 . convert sd15 -o no/such/folder
refused 1 . convert sd15 -o no/such/file.safetensors
refused 1 'denoising network' convert sd15/vae/diffusion_pytorch_model.safetensors -o x
refused 2 'convert' convert sd15
refused 2 'f8' convert sd15 -o x --dtype f8
head -c 100000 wide.safetensors >cut.safetensors
refused 1 'cut short' convert cut.safetensors -o x
[ "$(ls -A | tr '\n' ' ')" = "cut.safetensors mine sd15 sd15.again.safetensors sd15.safetensors sd21 sd21.again.safetensors sd21.safetensors wide.safetensors " ] ||
    fail "files were left: $(ls -A)"
