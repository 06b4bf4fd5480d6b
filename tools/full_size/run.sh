#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compare full-size models of Stable Diffusion with diffusers: run.sh PLADIS [WORK_FOLDER]. SANA, SANA-Sprint and Anima are
# compared by compare_transformer.py, which takes any diffusers folder of theirs; make_model.py writes none.
# PYTHON is the interpreter that has the packages of tools/full_size/requirements.txt, PLADIS_FULL_FAMILIES the list of
# families, and PLADIS_FULL_SIZE the size of the pictures in pixels. sdxl is compared only if it is listed, because it needs
# 7 GB of disk and 15 GB of memory. Models (2 GB each) that are not yet in the work folder, by default build/full-size, are
# written there.
set -eu
if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    echo "usage: $0 PLADIS [WORK_FOLDER]" >&2
    exit 2
fi
tools=$(cd "$(dirname "$0")" && pwd)
program=$1
work=${2:-$tools/../../build/full-size}
python=${PYTHON:-python3}

"$python" -c 'import diffusers, entmax, torch, transformers' || {
    echo "$0: $python lacks modules; install $tools/requirements.txt and set PYTHON" >&2
    exit 1
}
mkdir -p "$work"
status=0
for family in ${PLADIS_FULL_FAMILIES:-sd15 sd21}; do
    case $family in
    sd15) size=512 ;;
    sd21) size=768 ;;
    sdxl) size=512 ;; # at its own size, 1024, each side takes half an hour
    *)
        echo "$0: unknown family $family in PLADIS_FULL_FAMILIES; expected sd15, sd21 or sdxl" >&2
        exit 2
        ;;
    esac
    size=${PLADIS_FULL_SIZE:-$size}
    # The folder gets its final name when it is complete.
    if [ ! -d "$work/$family" ]; then
        rm -rf "$work/$family.part"
        "$python" "$tools/make_model.py" --family "$family" --out "$work/$family.part"
        mv "$work/$family.part" "$work/$family"
    fi
    # The random SDXL amplifies rounding errors, and guidance would multiply them.
    extra=
    [ "$family" != sdxl ] || extra="--noise --scales 0,2 --cfg-scale 1"
    # shellcheck disable=SC2086
    "$python" "$tools/compare.py" --model "$work/$family" --pladis "$program" --width "$size" --height "$size" $extra ||
        status=1
done
exit $status
