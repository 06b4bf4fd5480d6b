#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# pladis info and pladis tokenize.
. "$2/tests/cli/common.sh"

# json EXPRESSION: standard output of the last run is JSON, and the expression over `data` holds.
json() {
    python3 -c "import json, sys
data = json.load(open(sys.argv[1]))
assert $1, json.dumps(data)[:500]" "$place/out" || fail "$1"
}

expect 0 info "$model"
said 'stable-diffusion'
said 'attn2'
expect 0 info "$model" --json
json 'data["path"].endswith("sd15") and data["layout"] == "diffusers" and data["family"] == "stable-diffusion"'
json 'data["prediction_type"] == "epsilon" and data["reason"]'
json 'all(part["parameters"] > 0 and part["dtype"] and part["bytes"] > 0 for part in data["parts"].values())'
json '{"unet", "vae", "text_encoder"} <= set(data["parts"])'
json '{site["kind"] for site in data["attention_sites"]} == {"self", "cross"}'
json 'all(site["heads"] > 0 and site["head_size"] > 0 and site["name"] for site in data["attention_sites"])'
json '"metadata" in data'

expect 0 tokenize -m "$model" 'a (red:1.5) fox BREAK snow'
expect 0 tokenize -m "$model" --json 'a (red:1.5) fox BREAK snow'
json 'len(data["tokenizers"]) == 1 and len(data["tokenizers"][0]["chunks"]) == 2'
json 'all(len(c["ids"]) == len(c["pieces"]) == len(c["weights"]) for c in data["tokenizers"][0]["chunks"])'
json '1.5 in data["tokenizers"][0]["chunks"][0]["weights"] and data["tokenizers"][0]["dropped"] == []'
expect 0 tokenize -m "$model" --json ''
json 'len(data["tokenizers"][0]["chunks"][0]["ids"]) == 2'

# Each text encoder has its tokenizer.
sdxl=$2/tests/data/reference/models/sdxl
expect 0 info "$sdxl" --json
json 'data["family"] == "stable-diffusion-xl" and {"text_encoder", "text_encoder_2", "unet", "vae"} == set(data["parts"])'
expect 0 tokenize -m "$sdxl" --json 'a (red:1.5) fox BREAK snow'
json '[t["name"] for t in data["tokenizers"]] == ["tokenizer", "tokenizer_2"]'
json 'data["tokenizers"][0]["chunks"] == data["tokenizers"][1]["chunks"] and len(data["tokenizers"][1]["chunks"]) == 2'
expect 0 tokenize -m "$sdxl" 'a fox'
said 'tokenizer_2: 1 chunk'

# Literally: one list, no longer than the model's positions, and what was cut off is named.
long=$(yes '(fox)' | head -n 300 | tr '\n' ' ')
expect 0 tokenize -m "$model" --json --raw "$long"
json 'len(data["tokenizers"][0]["ids"]) == 77 and len(data["tokenizers"][0]["dropped"]) > 0'
expect 0 tokenize -m "$model" --json "$long"
json 'len(data["tokenizers"][0]["chunks"]) > 1 and data["tokenizers"][0]["dropped"] == []'

# Standard input is the same as an argument.
expect 0 tokenize -m "$model" --json 'a red fox'
cp "$place/out" "$place/kept"
printf 'a red fox' | "$pladis" tokenize -m "$model" --json - >"$place/out"
cmp "$place/out" "$place/kept" || fail "standard input gives other tokens"

# A tokenizer folder alone will do.
expect 0 tokenize -m "$model/tokenizer" --json 'a red fox'
cmp "$place/out" "$place/kept" || fail "the tokenizer folder gives other tokens"
# Pieces that end inside a character are still JSON.
expect 0 tokenize -m "$model" --json 'żółć 🦊 狐'
json 'len(data["tokenizers"][0]["chunks"][0]["ids"]) > 2'
empty_folder
