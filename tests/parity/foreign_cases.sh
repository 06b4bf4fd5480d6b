#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Tests that read reference cases choose those that they know: beside cases of families, kinds and samplers of the
# future, and damaged ones, they compare the same as without.
# usage: foreign_cases.sh SOURCE_FOLDER TEST_PROGRAM...
set -eu
reference=$1/tests/data/reference
shift
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
mkdir "$place/cases"
ln -s "$reference/models" "$place/models"
ln -s "$reference"/cases/* "$place/cases"

# foreign NAME JSON [TENSORS]: a case of this case.json and tensors that no reader understands.
foreign() {
    mkdir "$place/cases/$1"
    printf '%s' "$2" >"$place/cases/$1/case.json"
    printf '%s' "${3-no tensors}" >"$place/cases/$1/tensors.safetensors"
}
flow='"scheduler": {"class": "FlowMatchEulerDiscreteScheduler", "sampling_method": "euler", "resolved": {}}'
foreign sd99-gen-dense "{\"kind\": \"generation\", \"model\": \"sd99\", \"seed\": 1, \"steps\": 5, $flow}"
foreign sd15-gen-future '{"kind": "generation", "model": "sd15", "scheduler": {"sampling_method": "future"}}'
foreign sdxl-gen-unnamed '{"kind": "generation", "model": "sdxl", "scheduler": {"class": "Future"}}'
foreign sd21-gen-odd '{"kind": "generation", "model": "sd21", "scheduler": 7}'
foreign sd15-kind '{"kind": "conditioner", "model": "sd15"}'
foreign no-kind '{"model": "sd15"}'
foreign no-model '{"kind": "generation"}'
foreign odd-fields '{"kind": 7, "model": null, "scheduler": []}'
foreign list '["generation"]'
foreign damaged '{"kind": "generation", "model": '
foreign empty ''
foreign "sd15-gen-$(printf '%0150d' 0)" '{"kind": "generation", "model": "a family with a long name"}'
mkdir "$place/cases/without-files" "$place/cases/.hidden"
: >"$place/cases/a-file"

for program in "$@"; do
    PLADIS_REFERENCE_CASES=$place "$program" >"$place/found" 2>&1 || {
        cat "$place/found"
        echo "FAILED: $program beside foreign cases" >&2
        exit 1
    }
    for name in damaged sd15-gen-future; do
        grep -q "passed over: case $name" "$place/found" || [ "${program%networks}" != "$program" ] || {
            echo "FAILED: $program does not say that it passes over the case $name" >&2
            exit 1
        }
    done
done
