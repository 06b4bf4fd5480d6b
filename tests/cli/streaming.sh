#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --max-memory: a budget that is kept, the same bytes within it, and files that change while they are read.
# usage: streaming.sh PLADIS SOURCE_FOLDER
. "$2/tests/cli/common.sh"
reference=$source/tests/data/reference
models=$reference/models

# What is no size is refused.
for size in x 0 -1 8GG 1.5.2G '' G 1e9 9999999999T 0.0001; do
    refused 2 'max-memory: found ".*", expected bytes, as 8G' generate -m "$model" -p x --max-memory "$size" -q -o x.png
done
for size in 900G 900GiB '900 GB' 900g 1.5T 966367641600; do
    expect 0 generate -m "$model" -p x -W 32 -H 32 --steps 1 --max-memory "$size" -q --report size.json -o x.png
done
rm -f x.png

# What a sanitizer keeps for itself counts against a budget, too: how much of it streams is no longer known.
if grep -q -a __asan_init "$pladis" 2>/dev/null; then
    echo "a program with a sanitizer: budgets are not tried"
    exit 0
fi

# least ARGUMENTS...: draw to streamed.png in the smallest budget that is accepted, $budget; it lies in the noise of what the
# process itself takes, so it is looked for from what the refusal says.
least() {
    refused 1 'needs at least [0-9]* MiB of memory, .*(.* for buffers, .* for the largest weight, .*), but 1 MiB are allowed' \
        generate "$@" -q --max-memory 1M --report r.json -o streamed.png
    [ ! -e streamed.png ] || fail "a picture came of what was refused"
    budget=$(sed 's/.*at least \([0-9]*\) MiB.*/\1/' "$place/err")
    budget=$(((budget - 3) * 1024))
    until "$pladis" generate "$@" -q --max-memory "${budget}K" --report r.json -o streamed.png 2>"$place/err"; do
        grep -q 'needs at least' "$place/err" || fail "with $budget KiB"
        budget=$((budget + 64))
        [ "$budget" -lt 100000 ] || fail "no budget is enough"
    done
}
# streams: the last run streamed, and stayed within its budget.
streams() {
    python3 - <<'END' || fail "the report of a budget of $budget KiB"
import json
report = json.load(open("r.json"))
memory = report["memory"]
assert memory["streamed_bytes_per_call"] > 0, memory
assert memory["wait_seconds"] > 0, memory
assert report["peak_memory_bytes"] <= memory["budget_bytes"], (report["peak_memory_bytes"], memory)
END
}
# same ARGUMENTS...: streamed and resident are one picture.
same() {
    expect 0 generate "$@" -q -o resident.png
    least "$@"
    streams
    cmp resident.png streamed.png || fail "streamed weights draw another picture: $*"
    rm -f resident.png streamed.png
}
# A transformer of many layers, so that its weights are most of what the process takes: as they are, and in 8 bits.
cp -r "$models/flux-dev" deep
rm deep/transformer/*.safetensors
python3 - "$reference/files/flux-dev-bfl.bf16.safetensors" <<'END'
import json, re, sys
from tensors import read, write_gguf
LAYERS = 40
flux = read(sys.argv[1])
for name, row in list(flux.items()):
    for kind in ("double_blocks", "single_blocks"):
        for layer in range(LAYERS):
            if name.startswith(kind + ".0."):
                flux[name.replace(kind + ".0.", f"{kind}.{layer}.")] = row
config = json.load(open("deep/transformer/config.json"))
config["num_layers"] = config["num_single_layers"] = LAYERS
json.dump(config, open("deep/transformer/config.json", "w"))
write_gguf("flux.gguf", flux)
write_gguf("flux-q8.gguf", flux, [name for name, row in flux.items() if "_blocks" in name and len(row[1]) == 2 and row[1][1] % 32 == 0])
END
small="--config deep -p fox --cfg-scale 1 --steps 2 -t 2 --max-tokens 16 --no-metadata -W 48 -H 32"
lora="--lora $reference/files/flux-dev-lora-kohya.safetensors"
for file in flux.gguf flux-q8.gguf; do
    # shellcheck disable=SC2086
    {
        same -m $file $small --dtype f32
        same -m $file $small --dtype bf16
        same -m $file $small $lora
        # a room for some of them
        expect 0 generate -m $file $small -o resident.png
        expect 0 generate -m $file $small --max-memory $((budget + 1024))K -v -o some.png --report r.json
        grep -q 'of its packed weights stay in memory, .* are read from the file each time they are used' "$place/err" ||
            fail "nothing says what is streamed"
        cmp resident.png some.png || fail "some streamed weights draw another picture"
        # the texts of guidance differ in length, so each has a plan of its own
        same -m $file $small --cfg-scale 2 -n "one two three" --max-tokens 24
    }
done
rm -f *.png *.json

# Buffers of the picture before are no reason to refuse one: each fits by itself.
PLADIS_MODEL_DIR=$source/models
export PLADIS_MODEL_DIR
expect 0 generate -p 'a red star' -W 512 -H 512 --steps 1 -t 2 -q -o from.png
expect 0 generate -p 'a red star' -W 512 -H 512 --steps 2 -t 2 -q -i from.png -b 2 --max-memory 90M -o 'again-%d.png'
expect 0 grid -p 'a red star' -H 512 --x width=512,448 --steps 1 -t 2 -q --max-memory 90M -o grid.png
rm -f *.png *.csv

# A file that changes while pictures are drawn: what is drawn stays, and the run ends with a sentence about it. A file that
# another takes the name of is read on.
file=flux.gguf
whole="-m $file $small"
# shellcheck disable=SC2086
least $whole -b 4
streams
rm -f streamed*.png
budget=$((budget + 2048)) # what the heap keeps differs from run to run
mkdir drawn

# during COMMAND...: draw 150 pictures, run the command behind the first one; $found gets the exit code.
during() {
    rm -f drawn/*.png
    # shellcheck disable=SC2086
    "$pladis" generate $whole -q -b 150 --max-memory "${budget}K" -o 'drawn/%03d.png' 2>"$place/err" >"$place/out" &
    run=$!
    tries=0
    until [ -e drawn/001.png ] || [ -e drawn/000.png ]; do
        sleep 0.02
        tries=$((tries + 1))
        [ "$tries" -lt 1000 ] && kill -0 "$run" 2>/dev/null || fail "no first picture"
    done
    "$@"
    found=0
    wait "$run" || found=$?
}
# ended PATTERN: with an error that names the file and a tensor, and the first picture there.
ended() {
    [ "$found" -eq 1 ] || fail "exit code $found after $1"
    grep -q "^pladis: error: .*flux.gguf: .*$1" "$place/err" || fail "the error does not say \"$1\""
    [ "$(ls drawn | wc -l)" -lt 150 ] || fail "all was drawn before the file changed"
    for picture in drawn/*.png; do
        tail -c 12 "$picture" | grep -q IEND || fail "half a picture"
    done
}
size=$(wc -c <"$file")
cp "$file" copy.gguf
during truncate -s $((size / 2)) "$file"
ended '[a-z_0-9.]*\(weight\|bias\).*file was \(changed\|cut short\) while in use: restore it and run again'
cp copy.gguf "$file"
during touch -d '2020-01-01' "$file"
ended '[a-z_0-9.]*\(weight\|bias\).*: expected the file as it was opened, found one that was written since'
during truncate -s $((size + 1)) "$file"
ended '[a-z_0-9.]*\(weight\|bias\).*: expected a file of .* bytes, as it was opened, found .*'
cp copy.gguf "$file"

# A LoRA is read again with the weights that it changes.
cp "$reference/files/flux-dev-lora-kohya.safetensors" lora.safetensors
before=$whole
whole="$whole --lora lora.safetensors"
budget=$((budget + 1024))
during touch -d '2020-01-01' lora.safetensors
[ "$found" -eq 1 ] || fail "exit code $found after a LoRA changed"
grep -q '^pladis: error: .*lora.safetensors: .*as it was opened' "$place/err" || fail "the error does not name the LoRA"
whole=$before

# Another file of this name, and none: the run goes on with what it has opened, and the pictures are the same.
mkdir right
# shellcheck disable=SC2086
expect 0 generate $whole -b 150 -s 7 -o 'right/%03d.png'
whole="$whole -s 7"
during mv copy.gguf "$file"
[ "$found" -eq 0 ] || fail "a file of the same name ends a run"
for picture in drawn/*.png; do
    cmp "$picture" "right/${picture#drawn/}" || fail "a file of the same name changes a picture"
done

# Cancelled while weights are read.
interrupt() {
    kill -INT "$run"
}
during interrupt
[ "$found" -eq 130 ] || fail "a cancelled run ends with exit code $found"
