#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What configurations may say: classes, null, and the numbers of pladis.json.
. "$2/tests/cli/common.sh"
. "$2/tests/cli/model_files.sh"

# ---- Classes.
for row in 'unet FooBar' 'unet ControlNetModel' 'unet UNet3DConditionModel' 'unet UNetMotionModel' \
    'vae AutoencoderTiny' 'vae AutoencoderDC' 'vae Foo' 'vae UNet2DConditionModel'; do
    copy sd15
    set_field "sd15/${row% *}/config.json" _class_name "\"${row#* }\""
    refused 1 "${row% *}/config.json: field '_class_name': found .*${row#* }.*; expected" generate -m sd15 -p x
    copy sd15
    set_field sd15/model_index.json "${row% *}" "[\"diffusers\", \"${row#* }\"]"
    refused 1 "model_index.json: field '${row% *}': found .*${row#* }.*; expected" generate -m sd15 -p x
done
for row in 'architectures ["BertModel"]' 'model_type "bert"' 'model_type "foo"' 'architectures ["CLIPTextModel","T5EncoderModel"]'; do
    copy sd15
    set_field sd15/text_encoder/config.json "${row%% *}" "${row#* }"
    refused 1 "text_encoder/config.json: field '${row%% *}': found" generate -m sd15 -p x
done
for row in 'text_encoder BertModel' 'tokenizer T5Tokenizer' 'scheduler FooScheduler' \
    'scheduler EDMDPMSolverMultistepScheduler' 'transformer FluxTransformer2DModel' 'controlnet ControlNetModel'; do
    copy sd15
    set_field sd15/model_index.json "${row% *}" "[\"x\", \"${row#* }\"]"
    refused 1 "model_index.json: field '${row% *}': found .*${row#* }" generate -m sd15 -p x
done
for name in StableDiffusionXLInstructPix2PixPipeline FluxFooPipeline StableDiffusion3FooPipeline \
    StableDiffusionInpaintPipeline FluxFillPipeline FluxKontextPipeline PixArtFooPipeline FooPipeline; do
    copy sd15
    set_field sd15/model_index.json _class_name "\"$name\""
    refused 1 "model_index.json: field '_class_name': found .*$name.*list families" generate -m sd15 -p x
done
copy sd15
set_field sd15/model_index.json _class_name '"PixArtSigmaPipeline"'
refused 1 "field 'text_encoder': found CLIPTextModel, which belongs to another family; expected T5EncoderModel" \
    generate -m sd15 -p x
for name in PixArtControlNetTransformerModel Transformer2DModel FluxTransformer2DModel ControlNetModel FooTransformer2DModel; do
    copy pixart
    set_field pixart/transformer/config.json _class_name "\"$name\""
    refused 1 "transformer/config.json: field '_class_name': found .*$name.*; expected" generate -m pixart -p x
    copy pixart
    set_field pixart/model_index.json transformer "[\"diffusers\", \"$name\"]"
    refused 1 "model_index.json: field 'transformer': found .*$name.*; expected" generate -m pixart -p x
done
copy sd15
set_field sd15/model_index.json unet '[null, null]'
refused 1 "model_index.json: field 'unet': expected .*found no class" generate -m sd15 -p x
set_field sd15/model_index.json unet null
refused 1 "model_index.json: field 'unet'" generate -m sd15 -p x
copy sd15
set_field sd15/scheduler/scheduler_config.json _class_name '"EDMEulerScheduler"'
refused 1 "scheduler_config.json: field '_class_name': found EDMEulerScheduler (.*EDM" generate -m sd15 -p x
copy sd15
set_field sd15/unet/config.json in_channels 9
refused 1 "takes 9 channels.*inpainting" generate -m sd15 -p x
set_field sd15/unet/config.json in_channels 8
refused 1 "takes 8 channels.*InstructPix2Pix" generate -m sd15 -p x

# ---- null is a value of its own.
copy sdxl
set_field sdxl/text_encoder_2/config.json projection_dim null
refused 1 "text_encoder_2/config.json: field 'projection_dim' is null" generate -m sdxl -p x
copy sdxl
set_field sdxl/text_encoder/config.json projection_dim null
set_field sdxl/unet/config.json sample_size null
expect 0 info sdxl
said '1024 x 1024'
set_field sdxl/model_index.json force_zeros_for_empty_prompt null
draw -m sdxl && mv latents encoded
draw -m "$models/sdxl" -n "" && same latents encoded "force_zeros_for_empty_prompt null is not false"
draw -m "$models/sdxl" && other latents encoded "an absent negative prompt is not zeros"

# ---- Numbers of pladis.json.
copy sd15
for row in 'cfg_scale -1e308' 'cfg_scale 1001' 'pladis_scale -1e308' 'pladis_scale 1e9' 'steps 0' 'steps 1001' \
    'latent_rgb [1e300,0,0,0,0,0,0,0,0,0,0,0,0,0,0]'; do
    echo '{}' >sd15/pladis.json
    set_field sd15/pladis.json "${row%% *}" "${row#* }"
    refused 1 "pladis.json: field '${row%% *}" generate -m sd15 -p x
done
rm sd15/pladis.json
