#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Memory runs out at one allocation after the other, in whole runs of the commands; see sweep.c for what must come of
# it. PLADIS_FAULT_MOST: how many places of each command ("ways": each way to an allocation, about half an hour; "all":
# each allocation, hours).
# usage: test_fault.sh INJECTOR SWEEP PLADIS SOURCE_FOLDER
set -eu
injector=$(realpath "$1")
sweep=$(realpath "$2")
pladis=$(realpath "$3")
source=$(realpath "$4")
most=${PLADIS_FAULT_MOST:-14}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
model=$source/tests/data/reference/models/sd15
loras=$source/tests/data/loras/files
export OMP_WAIT_POLICY=passive
cd "$place"
mkdir runs

# What the commands read.
small="--steps 1 -W 16 -H 16 -t 1 -q"
# shellcheck disable=SC2086
"$pladis" generate -m "$model" -p "a red fox" $small -o drawn.png
# shellcheck disable=SC2086
"$pladis" generate -m "$model" -p "a red fox" $small --no-metadata -o plain.png
"$pladis" generate -p "a red star" --steps 1 -t 1 -q -o star.png
"$pladis" convert "$model" -o file.safetensors -q
# shellcheck disable=SC2086
"$pladis" generate -m "$model" -p "a fox <lora:kohya:0.5>" --lora-dir "$loras" $small -o tagged.png
# Another program's picture: its settings as that one writes them, with a value in quotes and one that is left out.
python3 - <<'END' || exit 77
import struct, zlib
def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
text = "a (red:1.2) fox\nNegative prompt: blurry\nSteps: 1, Sampler: DPM++ 2M Karras, CFG scale: 5.5, Seed: 7, Size: 16x16, " \
       "Model: sd15, Hires prompt: \"a, b: c\", Clip skip: 2"
exif = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x112, 3, 1, 6, 0, 0)
open("foreign.png", "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 2, 0, 0, 0)) +
    chunk(b"eXIf", exif) + chunk(b"zTXt", b"parameters\0\0" + zlib.compress(text.encode())) +
    chunk(b"IDAT", zlib.compress(b"\0\1\2\3\4\5\6")) + chunk(b"IEND", b""))
END
printf 'a red star\n{"caption": "two hearts", "category": "counting"}\n' >captions.txt
printf 'a red fox\na blue ring\n' >prompts.txt

wrong=0
try() {
    "$sweep" "$injector" "$most" "$place/runs" "$pladis" "$@" || wrong=$((wrong + 1))
}
# shellcheck disable=SC2086
{
    try generate -m "$model" -p "a (red:1.25) fox" $small -o x.png --report r.json --attention-stats s.json \
        --attention-maps fox --profile p.json --dump d.safetensors --preview-file y.png
    try generate -m "$model" -p "a fox <lora:kohya:0.5>" --lora-dir "$loras" --lora "$loras/peft.safetensors:0.5" \
        --lora "$loras/lokr.safetensors" --lora "$loras/dora-rows.safetensors" $small -o x.png --report r.json
    try generate -m "$model" -p x $small -i "$place/plain.png" --mask "$place/plain.png" --strength 1 -o x.png \
        --attention-stats s.csv
    try generate --from "$place/drawn.png" -m "$model" -t 1 -q -o x.png
    try generate --from "$place/foreign.png" -m "$model" -t 1 -q -o x.png --report r.json
    try generate --from "$place/tagged.png" -m "$model" --lora "$loras/kohya.safetensors:0.2" -t 1 -q -o x.png
    try generate -m "$model" -p x $small -i "$place/foreign.png" --strength 1 -o -
    try generate -m "$place/file.safetensors" --config "$model" -p x $small --compare --guidance pag:scale=3 -o x.png
    try generate -m "$model" --prompt-file "$place/prompts.txt" --sheet $small -o x.png
    try generate -m "$model" --prompt-file "$place/prompts.txt" -b 2 --compare pladis=0,1 --attention-maps a $small -o %d.png \
        --attention-maps-output m%d.png
    try grid -m "$model" -p x $small --x cfg-scale=1,3 --y pladis=0,1 -o g.png --csv g.csv
    try evaluate -m demo --prompts "$place/captions.txt" --steps 1 -t 1 -j 1 -q --grid "pladis=0,1" -o e
    try evaluate -m demo --prompts "$place/captions.txt" --steps 1 -t 1 -j 1 -q --grid "pladis=0,1 cfg-scale=1,3" \
        --keep-pictures --select pladis -o e
    try convert "$model" -o x.safetensors -q
    try convert "$place/file.safetensors" --config "$model" -o x -q
    try info "$model"
    try info "$model" --json
    try info "$place/file.safetensors" --config "$model" --json
    try info "$loras/kohya.safetensors"
    try info "$loras/kohya.safetensors" --json
    try info "$place/drawn.png"
    try info "$place/drawn.png" --json
    try info "$place/foreign.png"
    try info "$place/foreign.png" --json
    try score "$place/star.png" -p "a red star" --json
    try score "$place/star.png" "$place/star.png" --prompts "$place/captions.txt"
    try tokenize -m "$model" "a (red:1.25) fox"
    try tokenize -m "$model" --json "a (red:1.25) fox"
    try list
    try bench kernels --only silu --repeats 3 -t 1 --json -
}
[ "$wrong" -eq 0 ] || {
    echo "$wrong commands went wrong"
    exit 1
}
