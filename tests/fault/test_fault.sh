#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Memory runs out at one allocation after the other, in whole runs of the commands, and a thread cannot be made; see
# sweep.c for what must come of it. Then threads are few, and the address space. PLADIS_FAULT_MOST: how many places of each command ("ways": each way to an allocation, about half an hour; "all":
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
models=$source/tests/data/reference/models
anima=$source/tests/data/reference/files/anima-split
flux=$source/tests/data/reference/files/flux-dev
zimage=$source/tests/data/reference/files/z-image
long='a list of what the picture should not show, from blurred edges to wrong hands and too many fingers'
flux2=$source/tests/data/reference/files/flux2-klein
sd35=$source/tests/data/reference/files/sd35
cd "$place"
mkdir runs

# What the commands read.
small="--steps 1 -W 16 -H 16 -t 1 -q"
split="--vae $anima-vae.safetensors --text-encoder $anima-text.safetensors --tokenizer $models/anima"
# shellcheck disable=SC2086
"$pladis" generate -m "$model" -p "a red fox" $small -o drawn.png
# shellcheck disable=SC2086
"$pladis" generate -m "$model" -p "a red fox" $small --no-metadata -o plain.png
"$pladis" generate -p "a red star" --steps 1 -t 1 -q -o star.png
"$pladis" convert "$model" -o file.safetensors -q
"$pladis" convert "$models/flux-dev" -o int8.safetensors --type int8 -q
# shellcheck disable=SC2086
"$pladis" generate -m "$models/flux2-klein" -p x --max-tokens 24 $small --dump embeds.safetensors -o embeds.png
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
# A transformer of so many layers that a budget of 54 MiB holds a part of its weights, beside the tables of the injector.
cp -r "$models/flux-dev" deep
rm deep/transformer/*.safetensors
PYTHONPATH=$source/tests/cli python3 - "$flux-bfl.bf16.safetensors" <<'END'
import json, sys
from tensors import read, write_gguf
LAYERS = 150
flux = read(sys.argv[1])
for name, row in list(flux.items()):
    for kind in ("double_blocks", "single_blocks"):
        for layer in range(LAYERS if name.startswith(kind + ".0.") else 0):
            flux[name.replace(kind + ".0.", f"{kind}.{layer}.")] = row
config = json.load(open("deep/transformer/config.json"))
config["num_layers"] = config["num_single_layers"] = LAYERS
json.dump(config, open("deep/transformer/config.json", "w"))
write_gguf("deep.gguf", flux)
END
streamed="generate -m $place/deep.gguf --config $place/deep -p x --cfg-scale 1 --max-tokens 16 -W 32 -H 32 --steps 2 -q --no-metadata --max-memory"
# shellcheck disable=SC2086
"$pladis" $streamed 1G -t 1 -o whole.png
# shellcheck disable=SC2086
LD_PRELOAD=$injector PLADIS_FAULT_AT=999999999 "$pladis" $streamed 50M -t 1 -o part.png --report part.json
cmp whole.png part.png
python3 -c 'import json; assert json.load(open("part.json"))["memory"]["streamed_bytes_per_call"] > 0'
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
    try generate -m "$model" -p x --steps 1 -W 64 -H 64 -t 3 -q -o x.png
    try generate -m "$model" -p x --dtype int8 $small -o x.png
    try generate --from "$place/drawn.png" -m "$model" -t 1 -q -o x.png
    try generate --from "$place/foreign.png" -m "$model" -t 1 -q -o x.png --report r.json
    try generate --from "$place/tagged.png" -m "$model" --lora "$loras/kohya.safetensors:0.2" -t 1 -q -o x.png
    try generate -m "$model" -p x $small -i "$place/foreign.png" --strength 1 -o -
    try generate -m "$place/file.safetensors" --config "$model" -p x $small --compare --guidance pag:scale=3 -o x.png
    try generate -m "$model" --prompt-file "$place/prompts.txt" --sheet $small -o x.png
    try generate -m "$model" --prompt-file "$place/prompts.txt" -b 2 --compare pladis=0,1 --attention-maps a $small -o %d.png \
        --attention-maps-output m%d.png
    try generate -m "$models/sana-text" -p "a red fox" --complex-instruction "Draw: " --steps 1 -W 64 -H 64 -t 1 -q -o x.png \
        --attention-stats s.json
    try generate -m "$models/sana-sprint" -p "a red fox" --complex-instruction none --distilled-guidance 3 --steps 1 -W 64 -H 64 \
        -t 1 -q -o x.png
    try generate -m "$models/anima" -p "two cats" -n "" --empty-prompt token $small -o x.png --attention-maps cats \
        --lora "$source/tests/data/reference/files/anima-lora-comfy.safetensors"
    try generate -m "$models/flux-dev" -p "a red fox" --max-tokens 16 --distilled-guidance 3 $small -o x.png --attention-maps fox \
        --attention-stats s.json --dump d.safetensors --dump-steps
    try generate -m "$flux-bfl.bf16.safetensors" --config "$models/flux-dev" --text-encoder "$flux-t5xxl.fp8.safetensors" \
        --text-encoder-2 "$models/flux-dev/text_encoder" --lora "$flux-lora-kohya.safetensors" -p "two cats" $small -o x.png
    try generate -m "$flux-fp8-scaled.safetensors" --config "$models/flux-dev" -p "two cats" --max-tokens 16 $small -o x.png
    try generate -m "$models/z-image" -p "a red fox" -n "$long" --cfg-scale 3 --guidance cfg-normalization $small -o x.png \
        --attention-maps fox --attention-stats s.json --dump d.safetensors --dump-steps
    try generate -m "$zimage-diffusion_model.bf16.safetensors" --config "$models/z-image" --text-encoder "$models/z-image/text_encoder" \
        --lora "$zimage-lora-kohya.safetensors" -p "two cats" $small -o x.png
    try generate -m "$models/flux2-klein" -p "a red fox" --max-tokens 24 $small -o x.png --attention-maps fox --dump d.safetensors \
        --lora "$flux2-lora-kohya.safetensors"
    try generate -m "$flux2-bfl.bf16.safetensors" --config "$models/flux2-klein" --prompt-embeds "$place/embeds.safetensors" \
        $small -o x.png
    try generate -m "$models/sd35" -p "a red fox" --max-tokens 16 --cfg-scale 3 --guidance slg:layers=1,stop=1,start=0 --steps 2 \
        -W 16 -H 16 -t 1 -q -o x.png --attention-maps fox --attention-stats s.json --dump d.safetensors --dump-steps
    try generate -m "$sd35-no-text.f16.safetensors" --config "$models/sd35" --text-encoder "$models/sd35/text_encoder_3" \
        --lora "$sd35-lora-kohya.safetensors" -p "two cats" --max-tokens 16 --cfg-scale 1 $small -o x.png
    try generate -m "$anima-dit.safetensors" $split -p "two cats" -i "$place/plain.png" --strength 1 $small -o x.png
    try grid -m "$model" -p x $small --x cfg-scale=1,3 --y pladis=0,1 -o g.png --csv g.csv
    try evaluate -m demo --prompts "$place/captions.txt" --steps 1 -t 1 -j 1 -q --grid "pladis=0,1" -o e
    try evaluate -m demo --prompts "$place/captions.txt" --steps 1 -t 1 -j 1 -q --grid "pladis=0,1 cfg-scale=1,3" \
        --keep-pictures --select pladis -o e
    try convert "$model" -o x.safetensors -q
    try convert "$place/file.safetensors" --config "$model" -o x -q
    try convert "$models/sana-text" -o x --dtype f16 -q
    try convert "$models/anima" -o x -q
    try convert "$models/flux-dev" -o x.safetensors -q
    try convert "$models/z-image" -o x.safetensors -q
    try convert "$models/flux2-klein" -o x.safetensors -q
    try convert "$models/sd35" -o x.safetensors -q
    try convert "$anima-dit.safetensors" $split -o x -q
    try convert "$models/flux-dev" -o x.gguf --type q4_k -q
    try convert "$models/sd15" -o x.gguf --layout single --type q8_0 -q
    try convert "$flux-bfl.bf16.safetensors" --config "$models/flux-dev" -o x.safetensors --layout denoiser --type int8 -q
    try generate -m "$place/int8.safetensors" --config "$models/flux-dev" -p "two cats" --max-tokens 16 $small -o x.png
    try info "$model"
    try info "$model" --json
    try info "$place/file.safetensors" --config "$model" --json
    try info "$models/sana-sprint" --json
    try info "$models/anima"
    try info "$anima-dit.safetensors"
    try info "$zimage-diffusion_model.bf16.safetensors"
    try info "$flux-all-in-one.fp8.safetensors"
    try info "$source/tests/data/reference/files/flux-gguf.Q4_K.gguf" --json
    try info "$sd35-no-text.f16.safetensors"
    try $streamed 54M -t 1 -o x.png --report r.json
    try $streamed 54M -t 1 --lora "$flux-lora-kohya.safetensors" -o x.png
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
    try tokenize -m "$models/sana-text" --complex-instruction "Draw: " "a red fox"
    try tokenize -m "$models/anima" --json "two cats"
    try list
    try bench kernels --only silu --repeats 3 -t 1 --json -
}

# However few threads can be made, the same comes of it.
evaluation="evaluate -m demo --prompts $place/captions.txt --steps 1 -t 4 -j 2 -q --grid pladis=0,1"
for threads in 0 1 2 3 9; do
    # shellcheck disable=SC2086
    LD_PRELOAD=$injector PLADIS_FAULT_THREADS=$threads "$pladis" $streamed 50M -t 4 -o part.png && cmp whole.png part.png || {
        echo "with $threads threads that can be made streamed weights draw something else"
        wrong=$((wrong + 1))
    }
    # shellcheck disable=SC2086
    PLADIS_FAULT_THREADS=$threads LD_PRELOAD=$injector "$pladis" $evaluation -o "e$threads" &&
        PLADIS_FAULT_THREADS=$threads LD_PRELOAD=$injector "$pladis" generate -m demo -p "a red star" --steps 2 -t 4 -q \
            -o "threads$threads.png" &&
        cmp "threads$threads.png" threads0.png &&
        sed 1d "e$threads/results.jsonl" | sed 's/seconds":[0-9.e-]*//g' | sort >"lines$threads" &&
        cmp "lines$threads" lines0 || {
        echo "with $threads threads that can be made something else comes"
        wrong=$((wrong + 1))
    }
done

# However small the address space, the picture comes, or a sentence about memory; the loader's own where the program
# does not start.
for mebibytes in 10 14 18 22 26 30 34 40 46 52 58 64 72 80 90 100 120 140 160 200 300 400; do
    code=0
    (
        ulimit -v $((mebibytes * 1024))
        exec "$pladis" generate -m demo -p "a red star" --steps 2 -t 4 -q -o limited.png
    ) 2>said || code=$?
    case $code in
    0) cmp limited.png threads0.png || code=bad ;;
    1) grep -q 'memory' said && [ ! -e limited.png ] || code=bad ;;
    127) grep -q 'shared object' said || code=bad ;;
    *) code=bad ;;
    esac
    [ "$code" != bad ] || {
        echo "in $mebibytes MiB of address space:"
        cat said
        wrong=$((wrong + 1))
    }
    rm -f limited.png
done
[ "$code" = 0 ] || {
    echo "no picture in any address space"
    wrong=$((wrong + 1))
}
[ "$wrong" -eq 0 ] || {
    echo "$wrong commands went wrong"
    exit 1
}
