#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Presets: by name, by what a folder states, by names of files; what is asked for comes first.
# shellcheck source=tests/cli/common.sh
. "$(dirname "$0")/common.sh"
sdxl=$source/tests/data/reference/models/sdxl
small="-p fox -W 64 -H 64 --no-metadata"

# draw MODEL NAME ARGUMENTS...: a picture, with its report in NAME.json.
draw() {
    folder=$1
    name=$2
    shift 2
    # shellcheck disable=SC2086
    expect 0 generate -m "$folder" $small -o "$name.png" --report "$name.json" "$@"
}
has() {
    grep -q "$2" "$1.json" || fail "$1.json lacks $2"
}

# By name; steps, sampler and CFG scale that are asked for come first.
draw "$sdxl" four --preset dmd2-4
has four '"preset": "dmd2-4"'
has four '"evaluations": 4'
has four '"sampling_method": "lcm"'
draw "$sdxl" again --timesteps 999,749,499,249 --sampling-method lcm --cfg-scale 1
cmp -s four.png again.png || fail "the preset differs from its options"
draw "$sdxl" two --preset dmd2-4 --steps 2
has two '"evaluations": 2'
draw "$sdxl" guided --preset lightning-4 --cfg-scale 5 --sampling-method ddim
has guided '"evaluations": 8'
has guided '"sampling_method": "ddim"'
has guided '"spacing": "trailing"'
grep -q 'warning: preset lightning-4' "$place/err" || fail "no warning about the CFG scale"
draw "$sdxl" negative --preset turbo -n blurry
grep -q 'warning: the negative prompt has no effect' "$place/err" || fail "no warning about the negative prompt"
draw "$sdxl" less --preset none --cfg-scale 0.5 --steps 1
grep -q 'warning: a cfg-scale of 0.5 has no effect' "$place/err" || fail "no warning about a scale below 1"
draw "$sdxl" plain --steps 1
has plain '"preset": "none"'
! grep -q preset "$place/err" || fail "a plain model gets a preset"

# By the names of a folder and of a LoRA, with a notice; none turns it off.
ln -s "$sdxl" sdxl_lightning_2step
draw sdxl_lightning_2step named -b 2
has named '"preset": "lightning-2"'
[ "$(grep -c 'note: preset lightning-2, because of the name sdxl_lightning_2step' "$place/err")" -eq 1 ] || fail "no single notice"
draw sdxl_lightning_2step off --preset none --steps 1
has off '"preset": "none"'
cp "$source/tests/data/loras/files/kohya.safetensors" Hyper-SD15-2steps-lora.safetensors
draw "$model" lora --lora Hyper-SD15-2steps-lora.safetensors
has lora '"preset": "hyper-2"'
draw "$model" lora --lora Hyper-SD15-2steps-lora.safetensors:0 --steps 1
has lora '"preset": "none"'

# By a folder's scheduler.
# state CLASS FIELDS FOLDER: FOLDER with another scheduler.
state() {
    rm -rf "$3"
    mkdir "$3" "$3/scheduler"
    for part in "$4"/*; do
        [ "$(basename "$part")" = scheduler ] || ln -s "$part" "$3/"
    done
    echo "{\"_class_name\": \"$1\", \"beta_start\": 0.00085, \"beta_end\": 0.012, \"beta_schedule\": \"scaled_linear\"$2}" \
        >"$3/scheduler/scheduler_config.json"
}
trailing=', "timestep_spacing": "trailing"'
state EulerAncestralDiscreteScheduler "$trailing" folder "$sdxl"
draw folder stated
has stated '"preset": "turbo"'
grep -q 'because of the scheduler EulerAncestralDiscreteScheduler' "$place/err" || fail "no notice of the scheduler"
expect 0 info folder
said '512 x 512, 4 steps, CFG scale 1'
said 'preset  *turbo'
state LCMScheduler '' folder "$sdxl"
draw folder stated
has stated '"preset": "lcm"'
state EulerDiscreteScheduler "$trailing" folder "$model"
draw folder stated
has stated '"preset": "sd-turbo"'
for fields in '' "$trailing, \"prediction_type\": \"v_prediction\"" "$trailing, \"rescale_betas_zero_snr\": true"; do
    state EulerDiscreteScheduler "$fields" folder "$model"
    draw folder stated --steps 1 --prediction v
    has stated '"preset": "none"'
done
state EulerDiscreteScheduler "$trailing" folder "$sdxl"
draw folder stated --steps 1
has stated '"preset": "none"'
