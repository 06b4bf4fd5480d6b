#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Tests that read reference cases choose those that they know: beside a folder with cases of families, kinds, samplers and
# parts of the future, and damaged ones, they compare the same as without, and say what they pass over.
# usage: foreign_cases.sh SOURCE_FOLDER TEST_SAMPLERS PARITY
set -eu
reference=$1/tests/data/reference
samplers=$2
parity=$3
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
mkdir "$place/cases" "$place/models"
ln -s "$reference"/models/* "$place/models"

# foreign NAME JSON [TENSORS]: a case of this case.json and tensors, which no reader understands unless they are a file.
foreign() {
    mkdir "$place/cases/$1"
    printf '%s' "$2" >"$place/cases/$1/case.json"
    if [ -f "${3-}" ]; then
        cp "$3" "$place/cases/$1/tensors.safetensors"
    else
        printf '%s' "no tensors" >"$place/cases/$1/tensors.safetensors"
    fi
}
tensors() { echo "$reference/cases/$1/tensors.safetensors"; }
flow='"scheduler": {"class": "FlowMatchEulerDiscreteScheduler", "sampling_method": "euler", "resolved": {}}'
foreign sd99-gen-dense "{\"kind\": \"generation\", \"model\": \"sd99\", \"seed\": 1, \"steps\": 5, $flow}"
foreign sd15-gen-future '{"kind": "generation", "model": "sd15", "scheduler": {"sampling_method": "future"}}' "$(tensors sd15-vae)"
foreign sdxl-gen-unnamed '{"kind": "generation", "model": "sdxl", "scheduler": {"class": "Future"}}' "$(tensors sd15-vae)"
foreign sd21-gen-odd '{"kind": "generation", "model": "sd21", "scheduler": 7}' "$(tensors sd15-vae)"
foreign sd15-kind '{"kind": "conditioner", "model": "sd15"}'
foreign no-kind '{"model": "sd15"}'
foreign no-model '{"kind": "generation"}'
foreign odd-fields '{"kind": 7, "model": null, "scheduler": []}'
foreign list '["generation"]'
foreign damaged '{"kind": "generation", "model": '
foreign empty ''
foreign "sd15-gen-$(printf '%0150d' 0)" '{"kind": "generation", "model": "a family with a long name"}'
# of a kind and a model that are known, and something else in them that is not
foreign sd15-damaged '{"kind": "unet_forward", "model": "sd15"}'
foreign sd15-other-text '{"kind": "text_encoder", "model": "sd15", "part": "text_encoder_9"}' "$(tensors sd15-text-encoder)"
foreign pixart-unmasked '{"kind": "text_encoder", "model": "pixart", "part": "text_encoder"}' "$(tensors sd15-vae)"
foreign pixart-bare '{"kind": "transformer_forward", "model": "pixart"}' "$(tensors sd15-vae)"
foreign sdxl-bare-vae '{"kind": "vae", "model": "sdxl"}' "$(tensors sd15-text-encoder)"
mkdir "$place/cases/without-files" "$place/cases/.hidden"
: >"$place/cases/a-file"
# one of the tree's is not compared twice
cp -R "$reference/cases/sd21-vae" "$place/cases"

# compare WHAT PROGRAM [ARGUMENT]: it succeeds, and says that it passes over the cases WHAT.
compare() {
    names=$1
    shift
    PLADIS_REFERENCE_CASES=$place "$@" >"$place/found" 2>&1 || {
        cat "$place/found"
        echo "FAILED: $* beside foreign cases" >&2
        exit 1
    }
    for name in damaged empty $names; do
        grep -q "passed over: case $name: ." "$place/found" || {
            echo "FAILED: $* does not say that it passes over the case $name" >&2
            exit 1
        }
    done
}
compare sd15-gen-future "$samplers"
compare 'sd15-gen-future sdxl-gen-unnamed sd21-gen-odd sd99-gen-dense no-model' "$parity" generations
compare 'sd15-damaged pixart-bare' "$parity" denoisers
compare 'sd15-other-text pixart-unmasked' "$parity" text_encoders
compare sdxl-bare-vae "$parity" autoencoders
[ "$(grep -c '^error sd21-vae ' "$place/found")" = 2 ] || {
    echo "FAILED: a case of the tree is compared twice" >&2
    exit 1
}
PLADIS_REFERENCE_CASES=$place/nowhere "$parity" autoencoders | grep -q "SKIPPED: reference cases.*$place/nowhere" || {
    echo "FAILED: nothing is said of a folder that is not there" >&2
    exit 1
}
