#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Anima: a modular folder or three files, a conditioner with a tokenizer of its own, texts filled up with zeros that count.
# usage: anima.sh PLADIS SOURCE_FOLDER
. "$2/tests/cli/common.sh"
reference=$source/tests/data/reference
model=$reference/models/anima
files=$reference/files/anima
split="--vae $files-split-vae.safetensors --text-encoder $files-split-text.safetensors --tokenizer $model"
small="-W 48 -H 32 --steps 2 -q"

expect 0 info "$model"
for what in 'family *anima' 'prediction *flow (the class' '512 text positions' '6 attention sites, 3 of them cross-attention' 'text_conditioner'; do
    grep -q "$what" "$place/out" || fail "info lacks $what"
done
expect 0 info "$files-split-dit.safetensors"
for what in Anima transformer text_conditioner 'it contains no text encoder (Qwen3-0.6B); give one with --text-encoder FILE' \
    'it contains no autoencoder'; do
    grep -q "$what" "$place/out" || fail "info of the denoiser's file lacks $what"
done

# Parts that do not belong together are named by the fields of their classes.
cp -r "$model" other
sed 's/"source_dim": 32/"source_dim": 40/' "$model/text_conditioner/config.json" >other/text_conditioner/config.json
refused 1 'width 40 (source_dim), but those of the text encoders have 32' info other

# Both tokenizers; Qwen's puts nothing around a text.
expect 0 tokenize -m "$model" 'two cats'
grep -q t5_tokenizer "$place/out" || fail "tokenize lacks the conditioner's tokenizer"
expect 0 tokenize -m "$model" --json ''
python3 - "$place/out" <<'END' || fail "tokens of an empty prompt"
import json, sys
rows = {row["tokenizer"] if "tokenizer" in row else row["name"]: row for row in json.load(open(sys.argv[1]))["tokenizers"]}
count = lambda row: sum(len(chunk["ids"]) for chunk in row["chunks"])
assert count(rows["tokenizer"]) == 0 and count(rows["t5_tokenizer"]) == 1, rows
END

# shellcheck disable=SC2086
draw() { expect 0 generate -m "$model" $small -p 'two cats' --no-metadata "$@"; }
draw -o all.png
draw --pladis-blocks 0-2 -o range.png
cmp all.png range.png || fail "0-2 is not all"
draw --pladis-blocks 1 -o one.png
if cmp -s all.png one.png; then fail "one block is as good as all"; fi
# shellcheck disable=SC2086
refused 2 'numbers of blocks from 0 to 2' generate -m "$model" $small -p x --pladis-blocks 3

# The three files are the folder; their order does not count, nor what stands before the names.
# shellcheck disable=SC2086
expect 0 generate -m "$files-split-dit.safetensors" $split $small -p 'two cats' -n blurry --no-metadata -o files.png
draw -n blurry -o folder.png
cmp files.png folder.png || fail "the files draw another picture"
python3 - "$files-split-dit.safetensors" <<'END'
import json, struct, sys
data = open(sys.argv[1], "rb").read()
length = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + length])
for i, prefix in enumerate(["model.diffusion_model.", "diffusion_model.", ""]):
    renamed = {prefix + name.removeprefix("net.") if name != "__metadata__" else name: row for name, row in header.items()}
    text = json.dumps(renamed).encode()
    open(f"prefix{i}.safetensors", "wb").write(struct.pack("<Q", len(text)) + text + data[8 + length:])
END
for i in 0 1 2; do
    # shellcheck disable=SC2086
    expect 0 generate -m prefix$i.safetensors $split $small -p 'two cats' -n blurry --no-metadata -o prefix.png
    cmp prefix.png folder.png || fail "prefix$i draws another picture"
done
# shellcheck disable=SC2086
expect 0 generate -m "$files-split-dit.safetensors" --vae "$model/vae" --text-encoder "$model/text_encoder" --tokenizer "$model" \
    $small -p 'two cats' -n blurry --no-metadata -o folders.png
cmp folders.png folder.png || fail "folders of parts draw another picture"
refused 1 'contains no text encoder (Qwen3-0.6B); give one with --text-encoder FILE' generate -m "$files-split-dit.safetensors" -p x -q
refused 1 'expected the weights of a text encoder' generate -m "$files-split-dit.safetensors" \
    --text-encoder "$files-split-vae.safetensors" -p x -q
refused 1 'random weights need a diffusers folder and no other files\|expected the weights' generate -m "$model" \
    --text-encoder "$files-split-vae.safetensors" -p x -q

# An empty prompt: diffusers' rule for folders, ComfyUI's for files.
draw -n '' -o nothing.png
draw -n '' --empty-prompt nothing -o said.png
cmp nothing.png said.png || fail "a folder's rule is not diffusers'"
draw -n '' --empty-prompt token -o token.png
if cmp -s nothing.png token.png; then fail "--empty-prompt changes nothing"; fi
# shellcheck disable=SC2086
expect 0 generate -m "$files-split-dit.safetensors" $split $small -p 'two cats' -n '' -o comfy.png
# shellcheck disable=SC2086
expect 0 generate -m "$files-split-dit.safetensors" $split $small -p 'two cats' -n '' --no-metadata -o files-token.png
cmp files-token.png token.png || fail "the files' rule is not ComfyUI's"
refused 2 'empty-prompt: an empty text has tokens in models of the family stable-diffusion' generate \
    -m "$reference/models/sd15" -W 64 -H 64 --steps 1 -p x -q --empty-prompt token

# Into a folder, which draws the same.
# shellcheck disable=SC2086
expect 0 convert "$files-split-dit.safetensors" $split -o converted
grep -q -e '--empty-prompt token draws as the file did' "$place/err" || fail "no word about the other rule"
for file in modular_model_index.json scheduler/scheduler_config.json tokenizer/tokenizer_config.json t5_tokenizer/tokenizer.json; do
    [ -s "converted/$file" ] || fail "the converted folder lacks $file"
done
# shellcheck disable=SC2086
expect 0 generate -m converted $small -p 'two cats' -n blurry --no-metadata -o converted.png
cmp converted.png folder.png || fail "the converted folder draws another picture"
# shellcheck disable=SC2086
expect 0 generate -m converted -W 48 -H 32 --steps 2 -q -p 'two cats' --no-metadata -n '' --empty-prompt token -o told.png
cmp told.png token.png || fail "the converted folder does not read an empty prompt as it is told"
expect 0 convert "$model" -o again -q
expect 0 generate -m again -W 48 -H 32 --steps 2 -q -p 'two cats' --no-metadata -n blurry -o again.png
cmp again.png folder.png || fail "the folder draws another picture once converted"
refused 1 'no place for its text_encoder; expected a folder' convert "$model" -o whole.safetensors --layout single -q

# LoRAs in three styles, with conditioner and text encoder.
for style in kohya comfy diffusers; do
    expect 0 generate -m "$model" -W 48 -H 32 --steps 2 -p 'two cats' --no-metadata --lora "$files-lora-$style.safetensors" -o lora.png
    grep -q 'applied \([0-9]*\) of \1 modules' "$place/err" || fail "$style: some modules have no place"
    if cmp -s lora.png all.png; then fail "$style changes nothing"; fi
    expect 0 info "$files-lora-$style.safetensors"
    grep -q 'is *Anima' "$place/out" || fail "$style: info does not know whose LoRA it is"
done

# Odd sizes, pictures to begin with, masks, guidance, maps and statistics.
draw -W 80 -H 48 -o odd.png
refused 2 'width: expected a multiple of 16' generate -m "$model" -W 56 -H 32 --steps 1 -p x -q
draw -i odd.png --strength 0.5 -o changed.png
draw -i odd.png --mask odd.png --strength 1 -o masked.png
draw --guidance pag:scale=3 -o pag.png
draw --guidance seg:scale=3,layers=0-2 --guidance nag:scale=3 --guidance gag:scale=3 -o more.png
# shellcheck disable=SC2086
refused 1 'guidance freeu: .*up blocks of a U-Net' generate -m "$model" $small -p x --guidance freeu
draw --attention-maps cats -o words.png
cmp all.png words.png || fail "--attention-maps changes the picture"
draw --attention-stats stats.json -o watched.png
cmp all.png watched.png || fail "--attention-stats changes the picture"
python3 - <<'END' || fail "the statistics"
import json
stats = json.load(open("stats.json"))
assert list(stats["blocks"]) == ["0", "1", "2"], stats["blocks"]
assert all(site["keys"] == 512 for site in stats["sites"]), "zeros count"
END
# shellcheck disable=SC2086
expect 0 grid -m "$model" $small -p 'two cats' --x pladis=0,2 --y cfg-scale=1,4.5 -o grid.png
draw --preset anima-turbo --steps 2 -o turbo.png
