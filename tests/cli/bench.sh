#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# pladis bench: what it writes has its fields and adds up, a comparison finds what changed, wrong input is refused.
. "$2/tests/cli/common.sh"

json() {
    python3 -c "import json, sys
data = json.load(open(sys.argv[1]))
results = data['results']
by_name = {(r['group'], r['name']): r for r in results}
assert $2, json.dumps(results)[:2000]" "$1" || fail "$2"
}

# Attention: alternating rules, core and layer.
expect 0 bench attention --only 'sd15 512 cross 8x8' --repeats 2 -t 1 --json=attention.json
said 'GFLOP/s'
said 'pladis 1.5, layer'
json attention.json 'set(data["machine"]) >= {"cpu", "isa", "threads", "peak_gflops"} and data["machine"]["threads"] == 1'
json attention.json 'data["commit"] and data["version"] and len(results) == 10'
json attention.json 'all(set(r) >= {"group", "name", "shape", "median", "spread", "unit", "fraction_of_peak"} for r in results)'
json attention.json 'all(r["median"] > 0 and r["unit"] == "s" and r["repeats"] == 2 for r in results)'
json attention.json 'all(r["quartiles"][0] <= r["median"] <= r["quartiles"][1] for r in results)'
# Nine significant digits are written: each of the three is within 5e-9 of its own size, the upper quartile the largest.
json attention.json 'all(abs(r["spread"] - r["quartiles"][1] + r["quartiles"][0]) < 1.5e-8 * r["quartiles"][1] for r in results)'
json attention.json 'sum("ratio" in r for r in results) == 8'
json attention.json 'all(abs(r["gflops"] * r["median"] * 1e9 / (4 * 1280 * 64 * 77) - 1) < 1e-6 for r in results if "core" in r["name"])'
json attention.json 'data["machine"]["peak_gflops"] is None or all(abs(r["fraction_of_peak"] * data["machine"]["peak_gflops"] / r["gflops"] - 1) < 1e-6 for r in results)'
! grep -q 'NaN\|Infinity' attention.json || fail "a figure is no number"

# Standard output carries the JSON alone.
expect 0 bench kernels --repeats 1 --json
cp "$place/out" kernels.json
json kernels.json '{"row, softmax", "row, pladis 1.5", "silu", "layer_norm", "f16_to_f32", "panel_product", "pair_product"} <= {r["name"] for r in results}'
expect 0 bench --json kernels --repeats 1 --only silu
cp "$place/out" kernels.json
json kernels.json 'all("silu" in r["name"] for r in results) and results'

# Operators: one line for each different one, as often as the network has it, with the name of what ran.
expect 0 bench operators -m "random:$model" --repeats 1 --json=operators.json
json operators.json '{"conv", "linear", "group_norm", "cross_attention", "self_attention", "layer_norm"} <= {r["name"].split(", ")[1].split()[0] for r in results}'
json operators.json 'len({(r["name"], r["shape"]) for r in results}) >= 0.8 * len(results)'
json operators.json 'any(r.get("implementation") for r in results) and max(r["count"] for r in results) > 1'
expect 0 bench operators -m "random:$model" --repeats 1 --isa scalar --only unet --json=scalar.json
json scalar.json 'data["machine"]["isa"] == "scalar" and data["machine"]["peak_gflops"] is None'
json scalar.json 'all(r["fraction_of_peak"] is None for r in results)'

expect 1 bench kernels --only "no such kernel"
grep -q "no such kernel" "$place/err" || fail "why nothing is measured"

# The table of paths: every 3x3 convolution both ways, and from how many tiles on Winograd is the faster.
for type in f32 bf16; do
    expect 0 bench tune -m "random:$model" --repeats 1 --dtype $type --only unet --json=tune.json
    json tune.json '{r["name"].split(", ")[-1] for r in results if r["unit"] == "s"} == {"direct", "winograd"}'
    json tune.json "[r['unit'] for r in results if ', $type: winograd from' in r['name']] == ['tiles']"
done

# Stages and generations of a model with weights, and of one whose folder has none.
expect 0 bench stages generate -m "$model" --steps 2 --repeats 1 --json=stages.json --profile trace.json
json stages.json '("stages", "sd15, evaluation, pladis 1.5, 2 rows") in by_name and ("stages", "sd15, decode") in by_name'
json stages.json '("stages", "sd15, cost of pladis 1.5, 2 rows") in by_name'
json stages.json 'by_name[("stages", "sd15, text_encoder, 1 prompt")]["median"] > 0'
json stages.json 'by_name[("generate", "sd15, open to picture")]["median"] > by_name[("generate", "sd15, open to first step")]["median"]'
json stages.json 'all(r["median"] > 1 << 20 for r in results if r["unit"] == "bytes")'
json stages.json 'all(r["median"] >= 2 * by_name[("stages", "sd15, cross-attention of an evaluation, softmax, 1 row")]["median"] for r in results if ", evaluation, " in r["name"])'
grep -q 'cross_attention' "$place/err" || fail "no profile is printed"
python3 -c 'import json
names = {event.get("cat") for event in json.load(open("trace.json"))["traceEvents"]}
assert {"stage", "network", "operator"} <= names, names' || fail "the trace"
expect 0 bench stages -m "$model" --repeats 1 --only 'softmax, 2 rows' --only decode --json=only.json
json only.json '{r["name"].split(", ", 1)[1] for r in results} == {"evaluation, softmax, 2 rows", "cross-attention of an evaluation, softmax, 2 rows", "decode", "peak memory, decode"}'
json only.json 'by_name[("stages", "sd15, evaluation, softmax, 2 rows")]["ratio"] > 0'
mkdir bare
(cd "$model" && tar cf - --exclude='*.safetensors' .) | tar xf - -C bare
expect 0 bench stages -m random:bare --repeats 1 --json=bare.json
json bare.json '("stages", "bare, decode") in by_name'
refused 1 'safetensors' bench stages -m ./bare --repeats 1
expect 0 bench operators -m random:sd15 -W 64 -H 64 --repeats 1 --only timestep --json=sd15.json
json sd15.json 'results[0]["name"].startswith("sd15 64x64 unet")'

# A comparison with the file itself made faster.
python3 - <<'END'
import json
data = json.load(open("attention.json"))
for result in data["results"]:
    for key in ("median", "spread"):
        result[key] /= 1000
    result["quartiles"] = [value / 1000 for value in result["quartiles"]]
data["results"][0]["name"] = "gone"
json.dump(data, open("old.json", "w"))
END
expect 0 bench attention --only 'sd15 512 cross 8x8' --repeats 2 -t 1 --compare old.json
said 'now/old'
said '9 of 10 results are in both'
[ "$(grep -c 'x \*$' "$place/out")" -eq 9 ] || fail "what lies beyond the spread is not marked"
sed 's/"threads": 1/"threads": 99/' attention.json >other.json
expect 0 bench attention --only 'sd15 512 cross 8x8' --repeats 1 -t 1 --compare other.json
grep -q 'note: other.json was measured on' "$place/err" || fail "another machine is not noted"

# Wrong input.
refused 2 'expected one of' bench speed
refused 2 'repeats' bench --repeats 0
refused 2 'at most 8 of them' bench kernels $(printf -- '--only x%.0s ' 1 2 3 4 5 6 7 8 9)
refused 2 'isa' bench --isa mmx
refused 1 'no/such' bench stages -m no/such
refused 1 'no such model' bench stages -m random:nothing
refused 1 'no/such/x.json' bench kernels --json=no/such/x.json
refused 1 'no/such.json' bench kernels --compare no/such.json
printf '{"results": [' >broken.json
refused 1 'broken.json: line 1' bench kernels --compare broken.json
printf '[]' >broken.json
refused 1 'machine' bench kernels --compare broken.json
printf '{"machine": {}, "results": [{"name": "x"}]}' >broken.json
refused 1 'results\[0\]' bench kernels --compare broken.json
refused 2 'multiples' bench operators -m "random:$model" -W 65
expect 0 bench --help
said 'random:sd15'
said 'pladis bench attention'

# PyTorch's side is given texts of as many tokens as the prompt has here, by the small tokenizers of models without files.
prompt=$(sed -n 's/.*"\(a red fox [^"]*\), %d".*/\1/p' "$source/bench/generation.c")
[ -n "$prompt" ] || fail "the bench's prompt is not where it was"
for name in PixArt:pixart-sigma Sana:sana-1.6b Sana:sana-sprint-0.6b Anima:anima; do
    expect 0 tokenize -m "$source/bench/models/${name#*:}" --json --complex-instruction none "$prompt, 1"
    python3 - "$place/out" "$source/tools/bench_torch.py" "${name%:*}" <<'END' || fail "${name#*:}: tokens of bench_torch.py"
import json, re, sys
tokenizers = json.load(open(sys.argv[1]))["tokenizers"]
found = [sum(len(chunk["ids"]) for chunk in row["chunks"]) for row in tokenizers]
body = open(sys.argv[2]).read().split(f"class {sys.argv[3]}:")[1]
stated = [int(x) for x in re.search(r"TOKENS.* = ([0-9, ]+)", body).group(1).split(", ")]
assert stated[:len(found)] == found, (stated, found)
END
done
