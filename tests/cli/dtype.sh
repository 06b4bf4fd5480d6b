#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bfloat16 and 8-bit products: chosen, reported, recalled, the same bytes each time, near float32.
. "$2/tests/cli/common.sh"

draw() {
    expect 0 generate -m "$model" -W 64 -H 64 --steps 3 -p 'a red fox' "$@"
}
same() {
    cmp "$1" "$2" || fail "$1 and $2 differ"
}

# The picture is another, the same one in every run, and in a run of several types.
draw --dtype f32 --no-metadata -o f32.png
draw --dtype bf16 --no-metadata -v -o bf16.png
grep -q 'dtype: bf16' "$place/err" || fail "-v does not say the type"
grep -q 'machine .* bf16,' "$place/err" || fail "the summary does not say the type"
draw --dtype bf16 --no-metadata -q -o again.png
[ ! -s "$place/err" ] || fail "-q printed something"
same bf16.png again.png
if cmp -s f32.png bf16.png; then fail "bf16 gives the picture of f32"; fi
draw --dtype bf16 -b 2 --no-metadata -o batch-%d.png
same bf16.png batch-1.png

# Where no instruction does it, it is said, once, and auto does not take it. What auto takes on which CPU is in
# tests/unit/kernels/test_cpu.c; here it draws what the type that it reports draws, on whatever CPU this is.
for instructions in $("$pladis" list isa | grep -v lacks | awk '{ print $1 }'); do
    emulated=0
    case $instructions in scalar | avx2 | avxvnni | avx512 | avx512vnni) emulated=1 ;; esac
    draw --isa "$instructions" --dtype bf16 --no-metadata -b 2 -o "$instructions-%d.png"
    [ "$(grep -c 'dtype bf16: .* emulated' "$place/err")" -eq $emulated ] ||
        fail "$instructions: emulation is not said once where there is one, and only there"
    draw --isa "$instructions" --no-metadata --report "$instructions.json" -o "$instructions.png"
    if grep -q emulated "$place/err"; then fail "$instructions: auto took emulation"; fi
done
draw --no-metadata --report auto.json -o auto.png
same auto.png "$(python3 -c 'import json; print(json.load(open("auto.json"))["parameters"]["dtype"])').png"

# The other paths, with types to compare.
draw --dtype bf16 --conv winograd --low-memory -o winograd.png
draw --compare dtype=f32,bf16 -o compare.png
expect 0 grid -m "$model" -W 64 -H 64 --steps 2 -p fox --x dtype=f32,bf16 -o grid.png

# Reported and recalled.
draw --dtype bf16 --report report.json -o told.png
expect 0 generate -m "$model" --from told.png --no-metadata -o recalled.png
same recalled.png bf16.png
python3 - <<'END' || fail "report"
import json
for name, dtype in ("report", "bf16"), ("scalar", "f32"):
    found = json.load(open(name + ".json"))["parameters"]["dtype"]
    assert found == dtype, found
END

# One evaluation is as near float32 as bfloat16 can be; texts are float32, or split (AMX) and nearly so.
for type in f32 bf16; do
    draw --dtype $type --steps 1 --cfg-scale 1 --dump $type.safetensors --dump-steps -q -o evaluation.png
done
python3 - <<'END' || fail "one evaluation"
import array, json, math, struct
def tensors(path):
    data = open(path, "rb").read()
    size, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + size])
    return {name: array.array("f", data[8 + size + entry["data_offsets"][0]:8 + size + entry["data_offsets"][1]])
            for name, entry in header.items() if name != "__metadata__"}
a, b = tensors("f32.safetensors"), tensors("bf16.safetensors")
def error(name):
    x, y = a[name], b[name]
    return math.sqrt(sum((p - q) ** 2 for p, q in zip(x, y)) / sum(p * p for p in x))
assert error("prompt_embeds") <= 1e-5, error("prompt_embeds")
assert 1e-4 < error("noise_pred.00") <= 2.5e-2, error("noise_pred.00")
END
for type in bf16 int8; do
    expect 0 bench operators -m "$model" --dtype $type --repeats 1 --only unet --json=bench.json
    python3 - $type <<'END' || fail "bench"
import json, sys
results = json.load(open("bench.json"))["results"]
assert {sys.argv[1]} <= {r["implementation"] for r in results if "linear" in r["name"]}, results
END
done

# 8-bit integers: another picture, the same one in every run, with any number of threads and on other paths of convolutions
# near it; under a LoRA, and in transformers with PLADIS in joint attention.
draw --dtype int8 --no-metadata -v -t 1 -o int8.png
grep -q 'dtype: int8' "$place/err" || fail "-v does not say int8"
draw --dtype int8 --no-metadata -t 3 -o again.png
same int8.png again.png
if cmp -s f32.png int8.png; then fail "int8 gives the picture of f32"; fi
draw --dtype int8 --no-metadata --low-memory -o again.png
same int8.png again.png
draw --dtype int8 --conv direct --report report.json -o direct.png
expect 0 generate -m "$model" --from direct.png --conv direct --no-metadata -o recalled.png
python3 -c 'import json; assert json.load(open("report.json"))["parameters"]["dtype"] == "int8"' || fail "report of int8"
if cmp -s int8.png recalled.png; then fail "direct convolutions of integers give the picture of others"; fi
draw --dtype int8 --lora "$2/tests/data/loras/files/kohya.safetensors:0.5" --no-metadata -o lora.png
if cmp -s int8.png lora.png; then fail "a LoRA changes nothing in int8"; fi
for type in f32 int8; do
    expect 0 generate -m "$2/tests/data/reference/models/flux2-klein" -p fox --max-tokens 24 -W 64 -H 64 --steps 1 --dtype $type \
        --dump $type.safetensors --dump-steps -q -o joint.png
done
python3 - <<'END' || fail "one evaluation of integers"
import array, json, math, struct
def numbers(path, name):
    data = open(path, "rb").read()
    size, = struct.unpack("<Q", data[:8])
    begin, end = json.loads(data[8:8 + size])[name]["data_offsets"]
    return array.array("f", data[8 + size + begin:8 + size + end])
def error(name):
    x, y = numbers("f32.safetensors", name), numbers("int8.safetensors", name)
    return math.sqrt(sum((p - q) ** 2 for p, q in zip(x, y)) / sum(p * p for p in x))
assert error("prompt_embeds") == 0, error("prompt_embeds")
assert 1e-4 < error("noise_pred.00") <= 2.5e-2, error("noise_pred.00")
END
