#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What model files say of themselves, in marks, metadata and numbers.
. "$2/tests/cli/common.sh"
. "$2/tests/cli/model_files.sh"

# ---- A mark in the U-Net's file counts beside a folder, beside --config, and in what convert writes.
model=$models/sdxl
unet=$model/unet/diffusion_pytorch_model.fp16.safetensors
rewrite "$unet" v.safetensors 'add("v_pred")'
rewrite "$unet" zv.safetensors 'add("v_pred"); add("ztsnr")'
rewrite "$unet" meta.safetensors 'header["__metadata__"] = {"modelspec.prediction_type": "v"}'
copy sdxl
draw -m "$model" && mv latents eps
set_field sdxl/scheduler/scheduler_config.json prediction_type '"v_prediction"'
draw -m sdxl && mv latents v
set_field sdxl/scheduler/scheduler_config.json rescale_betas_zero_snr true
set_field sdxl/scheduler/scheduler_config.json timestep_spacing '"trailing"'
draw -m sdxl && mv latents zv
other eps v "v draws as noise"
other v zv "zero terminal signal changes nothing"
for name in v meta; do
    draw -m "$model" --unet $name.safetensors
    same latents v "--unet $name.safetensors is not drawn as v"
done
draw -m "$model" --unet zv.safetensors
same latents zv "--unet zv.safetensors is not drawn with zero terminal signal"
expect 0 generate -m "$model" --unet v.safetensors -p x --steps 1 -W 64 -H 64 -o p.png
grep -q "note: v.safetensors: predicts v_prediction .*mark 'v_pred'.* takes precedence over .*scheduler_config.json" "$place/err" ||
    fail "no note that the file counts"
draw -m "$model" --unet v.safetensors --prediction eps
same latents eps "--prediction does not go first"
# the folder of another network: its own training does not count for one that says otherwise
draw -m sdxl --unet "$unet" && same latents zv "a file that says nothing changes the folder's prediction"
rewrite "$unet" eps.safetensors 'header["__metadata__"] = {"modelspec.prediction_type": "epsilon"}'
set_field sdxl/scheduler/scheduler_config.json timestep_spacing '"leading"'
draw -m sdxl --unet eps.safetensors && same latents eps "--unet with metadata of noise is not drawn so"
# converted, in both layouts
for name in v zv; do
    expect 0 convert "$model" --unet $name.safetensors -o made -q
    draw -m made && same latents $name "$name: the converted folder predicts something else"
    expect 0 convert "$model" --unet $name.safetensors -o made.safetensors -q
    expect 0 info made.safetensors --json
    said '"prediction_type": "v_prediction"'
    draw -m made.safetensors --config "$model" && same latents $name "$name: --config goes before the file's mark"
    expect 0 convert made.safetensors --config "$model" -o again -q
    draw -m again && same latents $name "$name: file to folder loses the prediction"
    rm -rf made again made.safetensors
done
# zero terminal signal outlives a single file of any family, and so does x0
copy sd15
set_field sd15/scheduler/scheduler_config.json prediction_type '"sample"'
expect 0 convert sd15 -o x0.safetensors -q
expect 0 info x0.safetensors --config "$models/sd15" --json
said '"prediction_type": "sample"'
copy sd21
set_field sd21/scheduler/scheduler_config.json rescale_betas_zero_snr true
expect 0 convert sd21 -o z.safetensors -q
expect 0 convert z.safetensors --config "$models/sd21" -o z -q
grep -q '"rescale_betas_zero_snr": true' z/scheduler/scheduler_config.json || fail "zero terminal signal is lost"
rm -rf z z.safetensors x0.safetensors
# what a folder states counts for a file that says nothing
rewrite "$unet" bare.safetensors 'pass'
expect 0 info bare.safetensors --config sdxl
said 'v_prediction (stated in sdxl/scheduler/scheduler_config.json)'

# ---- Networks of the EDM formulation.
rewrite "$unet" edm.safetensors 'add("edm_mean", "F32", [1], bytes(4)); add("edm_std", "F32", [1], bytes(4))'
rewrite "$unet" cosxl.safetensors 'add("edm_vpred.sigma_max", "F32", [1], bytes(4))'
for name in edm cosxl; do
    refused 1 "$name.safetensors: .*EDM" generate -m "$model" --unet $name.safetensors -p x
    refused 1 "$name.safetensors: .*EDM" generate -m $name.safetensors --config "$model" -p x
    refused 1 "$name.safetensors: .*EDM" convert "$model" --unet $name.safetensors -o made
done

# ---- The configuration beside weights that are named is theirs.
for name in mid-none mid-resnet; do
    copy sd15
    rm -r sd15/unet
    cp -r "$models/$name/unet" sd15/unet
    chmod -R u+w sd15
    set_field sd15/unet/config.json cross_attention_dim 48
    refused 1 "attn2.to_k.weight" generate -m "$models/sd15" --unet sd15/unet -p x
done
copy sd15
set_field sd15/unet/config.json _class_name '"ControlNetModel"'
refused 1 "sd15/unet/config.json: .*_class_name.*ControlNetModel (a ControlNet)" generate -m "$models/sd15" --unet sd15/unet -p x
set_field sd15/vae/config.json _class_name '"AutoencoderTiny"'
refused 1 "sd15/vae/config.json: .*AutoencoderTiny" generate -m "$models/sd15" --vae sd15/vae -p x

# ---- Weights that are zero, and weights that are not finite.
unet=$models/sd15/unet/diffusion_pytorch_model.safetensors
[ -f "$unet" ] || unet=$(ls "$models"/sd15/unet/*.safetensors | head -n 1)
rewrite "$unet" zero.safetensors 'data = {n: bytearray(len(d)) for n, d in data.items()}'
expect 0 generate -m "$models/sd15" --unet zero.safetensors -p x --steps 1 -W 64 -H 64 -o p.png
grep -q "warning: zero.safetensors: .* weights of the unet contain only zeros ('.*weight'" "$place/err" ||
    fail "no warning that the weights are zero"
rewrite "$unet" one.safetensors 'n = "mid_block.resnets.0.conv1.weight"; data[n] = bytearray(len(data[n]))'
expect 0 generate -m "$models/sd15" --unet one.safetensors -p x --steps 1 -W 64 -H 64 -o p.png
grep -q "warning: one.safetensors: 1 of the .*mid_block.resnets.0.conv1.weight" "$place/err" ||
    fail "no warning that a weight is zero"
expect 0 generate -m "$models/sd15" -p x --steps 1 -W 64 -H 64 -o p.png
! grep -q zeros "$place/err" || fail "a warning of zeros for honest weights"
rewrite "$unet" nan.safetensors 'd = data["conv_out.bias"]; d[:] = b"\xff" * len(d)'
refused 1 "denoise .*not finite, because in nan.safetensors tensor 'conv_out.bias' of the unet" \
    generate -m "$models/sd15" --unet nan.safetensors -p x --steps 1 -W 64 -H 64

# ---- info on any file in the format.
for row in 'F4 8 4' 'F6_E2M3 4 3' 'F8_E8M0 4 4' 'F8_E5M2FNUZ 4 4' 'C64 2 16'; do
    set -- $row
    rewrite "$unet" type.safetensors "data.clear(); header = {'__metadata__': None}; add('a.scale', '$1', [$2], bytes($3))"
    expect 0 info type.safetensors
    expect 0 info type.safetensors --json
    rewrite "$unet" type.safetensors "add('conv_out.bias', '$1', [$2], bytes($3))"
    expect 0 info type.safetensors
done
refused 1 "type.safetensors: tensor 'conv_out.bias': expected" generate -m "$models/sd15" --unet type.safetensors -p x
rewrite "$unet" scaled.safetensors 'add("conv_out.weight_scale", "F32", [], bytes(4)); add("conv_in.weight", "F8_E4M3", [1], b"8")'
expect 0 info scaled.safetensors
said "scaled fp8 weights (marked by 'weight_scale')"
refused 1 "scaled.safetensors: .*scaled fp8 weights (marked by 'weight_scale').*f16" \
    generate -m "$models/sd15" --unet scaled.safetensors -p x
