#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everything about outputs is asked before the work, of every command; what is written is whole and nothing else is touched.
. "$2/tests/cli/common.sh"
# So many steps that a run which draws does not end in time.
slow="generate -m $model -W 512 -H 512 --steps 900 -p fox"
small="generate -m $model -W 64 -H 64 --steps 1 -p fox -q"

is_png() {
    [ "$(head -c 4 "$1" | tail -c 3)" = PNG ] || fail "$1 is no PNG"
    tail -c 8 "$1" | grep -q -a IEND || fail "$1 has no end"
}
# name LENGTH ENDING: a name of so many bytes.
name() {
    printf "n%.0s" $(seq $(($1 - ${#2})))
    printf '%s' "$2"
}

# Names as long as the file system has them, new and replaced, and one byte more.
# shellcheck disable=SC2086
for length in 248 252 255; do
    png=$(name $length .png)
    expect 0 $small -o "$png"
    is_png "$png"
    expect 0 $small -o "$png" # in place of the first
    is_png "$png"
    expect 0 $small -o "a$length.png" --report "$(name $length .json)" --dump "$(name $length .safetensors)" \
        --attention-stats "$(name $length .csv)" --profile "$(name $length .trace.json)" --preview-file "$(name $length p.png)"
    expect 0 grid -m "$model" -W 64 -H 64 --steps 1 -p fox -q --x seed=1,2 -o "$(name $length g.png)" --csv "$(name $length g.csv)"
    expect 0 convert "$model" -o "$(name $length .whole)" -q
    expect 0 convert "$model" -o "$(name $length .whole)/" --overwrite -q
    expect 0 convert "$model" -o "$(name $length m.safetensors)" -q
    [ "$(find . -mindepth 1 -maxdepth 1 | wc -l)" -eq 11 ] || fail "11 outputs expected, found $(ls -A)"
    rm -r ./*
done
# shellcheck disable=SC2086
{
    refused 1 'too long; choose a shorter name' $slow -o "$(name 256 .png)"
    refused 1 'report: .*choose a shorter name' $slow --report "$(name 256 .json)"
    refused 1 'output: .*choose a shorter name' $slow -b 12 -o "$(name 253 .png)"
    refused 1 'choose a shorter name' convert "$model" -o "$(name 256 .x)"
    refused 1 'choose a shorter name' convert "$model" -o "$(name 256 .safetensors)"
    refused 1 'choose a shorter name' bench kernels --json="$(name 256 .json)"
    refused 1 'csv: .*choose a shorter name' grid -m "$model" -p x --x seed=1,2 -o "$(name 255 .png)" --csv "$(name 256 .csv)"
}
empty_folder

# Endings that promise another format.
# shellcheck disable=SC2086
{
    for ending in jpg JPEG webp gif bmp tif avif svg pdf safetensors json zip; do
        refused 2 "output: out.v1.$ending would be .* name it out.v1.png" $slow -o "out.v1.$ending"
    done
    refused 2 'output: out-%d.jpg would be JPEG' $slow -b 2 -o 'out-%d.jpg'
    refused 2 'preview-file: p.webp would be WebP' $slow --preview-file p.webp
    refused 2 'attention-maps-output: m.jpg' $slow --attention-maps fox --attention-maps-output m.jpg
    refused 2 'report: r.csv would be CSV, judging by its name.*name it r.json' $slow --report r.csv
    refused 2 'report: r.json.gz would be compressed' $slow --report r.json.gz
    refused 2 'profile: t.html would be HTML' $slow --profile t.html
    refused 2 'dump: d.pt would be a Python pickle.*name it d.safetensors' $slow --dump d.pt
    refused 2 'dump: d.npz would be NumPy' $slow --dump d.npz
    refused 2 'attention-stats: s.xlsx would be a spreadsheet' $slow --attention-stats s.xlsx
    refused 2 'csv: t.json would be JSON' grid -m "$model" -p x --x seed=1,2 --csv t.json
    refused 2 'json: b.csv would be CSV' bench kernels --json=b.csv
    refused 2 'profile: p.svg would be SVG' bench stages --profile p.svg
    refused 2 'output: results.csv would be CSV.*a folder' evaluate -o results.csv
    refused 2 'output: x.ckpt would be a Python pickle' convert "$model" -o x.ckpt --layout single
    refused 2 'layout diffusers writes a folder' convert "$model" -o x.safetensors --layout diffusers
    empty_folder
    # Those that promise nothing get a note; devices and pipes none.
    for output in plain fox.final v1.5; do
        expect 0 generate -m "$model" -W 64 -H 64 --steps 1 -p fox -o "$output"
        is_png "$output"
        grep -q "note: --output: $output does not end in .png, but PNG is written" "$place/err" || fail "no note about $output"
    done
    expect 0 generate -m "$model" -W 64 -H 64 --steps 1 -p fox -o /dev/null --report OUT.JSON --attention-stats OUT.CSV
    ! grep -q 'note: .*does not end in' "$place/err" || fail "a note about what is right"
    grep -q '^site,kind' OUT.CSV || fail "statistics in OUT.CSV are no CSV"
    expect 0 convert "$model" -o WHOLE.SAFETENSORS -q
    [ -f WHOLE.SAFETENSORS ] || fail "WHOLE.SAFETENSORS is no file"
}
rm -f ./*

# One file for two outputs, also by other names and links; an output that is an input.
mkdir sub
ln -s a.png link.png
# shellcheck disable=SC2086
{
    refused 2 'preview-file: sub/../a.png is also what --output writes' $slow -o a.png --preview-file sub/../a.png
    refused 2 'preview-file: link.png is also what --output writes' $slow -o a.png --preview-file link.png
    refused 2 'attention-maps-output: .* is also what --output writes' $slow -o a.png --attention-maps fox --attention-maps-output a.png
    refused 2 'profile: ./r.json is also what --report writes' $slow --report r.json --profile ./r.json
    refused 2 'dump: d is also what --report writes\|report: d is also what --dump writes' $slow -q --dump d --report d
    refused 2 'report: /dev/stdout is also what --output writes' $slow -q -o - --report /dev/stdout
    refused 2 'csv: g is also what --report writes\|report: g is also what --csv writes' grid -m "$model" -p x -q --x seed=1,2 --csv g --report g
    refused 2 'profile: ./b.json is also what --json writes' bench stages --json=b.json --profile ./b.json
    expect 0 $small -o in.png
    expect 0 $small -o /dev/null --dump noise.safetensors
    cp in.png before.png
    printf 'fox\n' >prompts.txt
    refused 2 'output: ./in.png is also what --init-img reads' $slow -i in.png -o ./in.png
    refused 2 'output: in.png is also what --mask reads' $slow -i before.png --mask in.png -o in.png
    refused 2 'output: in.png is also what --from reads' generate --from in.png -s 7 -o in.png
    refused 2 'dump: noise.safetensors is also what --init-noise reads' $slow --init-noise noise.safetensors --dump noise.safetensors
    refused 2 'report: prompts.txt is also what --prompt-file reads' generate -m "$model" -q --prompt-file prompts.txt --report prompts.txt
    refused 2 'output: in.png is also what --init-img reads' grid -m "$model" -p x --x 'init-img=before.png,in.png' -o in.png
    cmp in.png before.png || fail "an input was replaced"
    expect 0 $small -o /dev/null --report /dev/null --dump /dev/null
    expect 0 bench kernels --only silu --repeats 1 --json=b.json
    refused 2 'json: b.json is also what --compare reads' bench kernels --only silu --compare b.json --json=b.json
}
rm -r ./*

# Pictures of pictures that would be too large, by every way; what fits by a pixel's breadth is drawn.
# shellcheck disable=SC2086
{
    refused 2 'the sheet of 32084 x .* too large, expected at most 16384' $slow --sheet -b 60 --columns 60
    refused 2 'the sheet of .* too large' generate -m "$model" -p x --steps 900 -W 256 -H 256 --sheet -b 1000 --zoom 3
    refused 2 'the comparison of .* too large' $slow --compare -b 40
    refused 2 'the comparison of .* too large' $slow --compare seed=1..40
    refused 2 'the sheet of maps of .* too large' $slow --attention-maps fox --zoom 16
    refused 2 'the sheet of maps of .* too large' generate -m "$model" -W 512 -H 512 --steps 900 \
        --attention-maps "$(printf 'a%.0s,' $(seq 40))a" -p a
    refused 2 'the grid of .* too large' grid -m "$model" -W 512 -H 512 --steps 900 -p fox --x seed=1..40
    refused 2 'the grid of .* too large' grid -m "$model" --steps 900 -p fox --x seed=1,2 --y width=4096,8192 --zoom 2
    empty_folder
    expect 0 generate -m "$model" -W 624 -H 8 --steps 1 -p fox -q --sheet -b 2 --columns 2 --zoom 13 -o wide.png
    is_png wide.png
    [ "$(od -An -tu1 -j16 -N4 wide.png | tr -d ' ')" = 00640 ] || fail "a sheet 16384 pixels wide expected"
    refused 2 'the sheet of 16592 x .* too large' generate -m "$model" -W 632 -H 8 --steps 1 -p fox --sheet -b 2 --columns 2 --zoom 13
    refused 2 'the sheet of 17300 x .* too large' generate -m "$model" -W 64 -H 64 --steps 1 -p fox --sheet -b 20 --columns 20 --zoom 13
    # A variant that the library refuses is found before the first is drawn.
    refused 2 'heun' grid -m "$model" -W 512 -H 512 --steps 900 -p fox --guidance cfg++ --x sampling-method=ddim,heun
    refused 2 'width: expected a multiple' generate -m "$model" -H 512 --steps 900 -p fox --compare width=512,511
}
rm -f ./*

# Names that are no text.
odd=$(printf 'caf\351')
cp -r "$model" "$odd"
expect 0 generate -m "$model" -W 64 -H 64 --steps 1 -p fox -q -o "$odd.png"
# shellcheck disable=SC2086
{
    refused 2 'is not UTF-8 and cannot.*--no-metadata' generate -m "./$odd" -W 512 -H 512 --steps 900 -p fox
    refused 2 'init-img: the name ' $slow -i "$odd.png"
    refused 2 'init-img: the name ' $slow -i "$odd.png" --no-metadata --report report.json
    expect 0 $small -n "$odd" --seed 3 -o plain.png # drawn as U+FFFD, and told so in the metadata
    expect 0 $small -i "$odd.png" --strength 1 --no-metadata -o plain.png
}
rm -r ./*

# Links, permissions, descriptors: what stands there is replaced and nothing around it.
mkdir far
ln -s far/second first.png
ln -s third.png far/second
# shellcheck disable=SC2086
{
    expect 0 $small -o first.png
    { [ -L first.png ] && [ -L far/second ]; } || fail "a link was replaced"
    is_png far/third.png
    expect 0 $small -o first.png --no-metadata
    { [ -L first.png ] && [ -L far/second ]; } || fail "a link was replaced"
    ln -s round.png round.png
    refused 1 'a link that leads back to itself' $slow -o round.png
    ln -s none/out.png lost.png
    refused 1 'create the folder first' $slow -o lost.png
    printf x >private.png
    chmod 600 private.png
    expect 0 $small -o private.png
    [ "$(stat -c %a private.png)" = 600 ] || fail "a replaced file has other permissions"
    printf 'before\n' >log
    "$pladis" $small -o /dev/stdout >>log
    "$pladis" $small -o /dev/fd/3 3>>log
    [ "$(head -n 1 log)" = before ] || fail "what was redirected with >> was replaced"
    [ "$(tr -d '\0' <log | grep -a -c IHDR)" -eq 2 ] || fail "two pictures expected in the log"
    # Devices and pipes have one name for all pictures, and no table beside them.
    expect 0 generate -m "$model" -W 64 -H 64 --steps 1 -p fox -q -b 2 -o /dev/null --dump /dev/null
    expect 0 grid -m "$model" -W 64 -H 64 --steps 1 -p fox -q --x seed=1,2 -o /dev/null
    { [ ! -e /dev/null-1 ] && [ ! -e /dev/null.csv ]; } || fail "files were made beside /dev/null"
    refused 2 'needs --attention-maps-output' $slow -o /dev/null --attention-maps fox
    # - is standard output everywhere.
    expect 0 $small -o dash.png --report -
    python3 -c 'import json, sys; json.load(open(sys.argv[1]))["parameters"]' "$place/out" || fail "no report on standard output"
    expect 0 grid -m "$model" -W 64 -H 64 --steps 1 -p fox -q --x seed=1,2 -o dash.png --csv -
    said '^row,column,x:seed'
    [ ! -e ./- ] || fail "a file of the name -"
    if [ "$(id -u)" -ne 0 ]; then
        chmod 400 private.png
        refused 1 'write-protected' $slow -o private.png
    fi
    refused 1 'is a folder' $slow --report far
    refused 1 'add a file name' $slow -o new/
    refused 1 'create the folder first' $slow --attention-stats none/s.csv
    refused 1 'create the folder first' $slow --preview-file none/p.png
    refused 1 'output: /proc/none.png' $slow -o /proc/none.png
    refused 1 '/dev/fd/77' $slow -o /dev/fd/77
}
rm -r ./*

# A pipe gets the bytes of the file.
mkfifo pipe
# shellcheck disable=SC2086
{
    expect 0 $small -o file.png
    cat pipe >read.png &
    expect 0 $small -o pipe
    wait
    cmp file.png read.png || fail "another picture through a pipe"
    head -c 10 pipe >/dev/null &
    refused 1 'pipe: cannot be written: Broken pipe' generate -m "$model" -W 512 -H 512 --steps 1 -p fox -q -o pipe
    wait
}
rm -f ./*

# Closed descriptors: output that was asked for fails, and nothing that is printed ends up in a file.
# closed CODE REDIRECTIONS ARGUMENTS...
closed() {
    wanted=$1
    redirections=$2
    shift 2
    found=0
    eval "\"\$pladis\" \"\$@\" $redirections" || found=$?
    [ "$found" -eq "$wanted" ] || fail "pladis $* with $redirections: exit code $found, expected $wanted"
}
# shellcheck disable=SC2016,SC2086
{
    closed 0 '<&- >&- 2>&-' $small -o nothing.png
    is_png nothing.png
    closed 0 '>"$place/out" 2>&-' generate -m "$model" -W 64 -H 64 --steps 1 -p fox -o spoken.png --report spoken.json
    is_png spoken.png
    python3 -c 'import json; json.load(open("spoken.json"))' || fail "a report with messages inside"
    closed 1 '>&- 2>"$place/err"' $slow -o -
    grep -q '^pladis: error: --output: standard output' "$place/err" || fail "a closed output is not told"
    closed 1 '>&- 2>"$place/err"' list samplers
    closed 1 '>&- 2>"$place/err"' bench kernels --only silu --repeats 1 --json
    closed 1 '>&- 2>"$place/err"' bench generate -m random:sd15
    closed 1 '>&- 2>"$place/err"' evaluate --pladis 0,1 --select pladis -o selected
    printf 'a star\n' >prompts.txt
    closed 0 '>&- 2>&-' evaluate --prompts prompts.txt --steps 1 -t 1 --resamples 100 -o results
    python3 -c 'import json
assert len([json.loads(line) for line in open("results/results.jsonl")]) == 2' || fail "results with messages inside"
}
rm -r ./*

# evaluate asks for all its files at the start.
printf 'a star\n' >prompts.txt
mkdir -p blocked/summary.csv
refused 1 'blocked/summary.csv.*is a folder' evaluate --prompts prompts.txt --steps 1 -q -o blocked
mkdir -p blocked/alignment.svg && rmdir blocked/summary.csv
refused 1 'blocked/alignment.svg.*is a folder' evaluate --prompts prompts.txt --steps 1 -q -o blocked --pladis 0,1
[ ! -e blocked/results.jsonl ] || fail "an evaluation began whose tables cannot be written"
mkdir input
cp prompts.txt input/results.csv
refused 2 'results.csv is also what --prompts reads' evaluate --prompts input/results.csv --steps 1 -q -o input
cmp prompts.txt input/results.csv || fail "the prompts were replaced"
# A contact sheet larger than a picture can be is left out, and nothing else.
expect 0 evaluate --prompts prompts.txt --steps 1 -t 1 --resamples 100 --pladis 0,1 -o wide
[ -s wide/pictures.png ] || fail "no contact sheet"
rm wide/pictures.png wide/summary.md
python3 - <<'END_OF_SCRIPT'
import struct, zlib
def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
for setting in range(2):
    open("wide/pictures/p00000-r000-s%04d.png" % setting, "wb").write(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 9000, 8, 8, 0, 0, 0, 0)) +
        chunk(b"IDAT", zlib.compress(bytes(9001 * 8))) + chunk(b"IEND", b""))
END_OF_SCRIPT
expect 0 evaluate --prompts prompts.txt --steps 1 -t 1 --resamples 100 --pladis 0,1 -o wide
[ ! -e wide/pictures.png ] || fail "a contact sheet that is too large"
grep -q 'note: no contact sheet' "$place/err" || fail "no note about a contact sheet"
[ -s wide/summary.md ] || fail "no tables beside a contact sheet that is too large"
rm -r ./*

# Full disks: a limit on the size of files, whose signal must not end the program, and a small file system.
# limited CODE PATTERN ARGUMENTS...
limited() {
    wanted=$1
    pattern=$2
    shift 2
    found=0
    (
        ulimit -f 1
        "$pladis" "$@" 2>&1 >/dev/null </dev/null
    ) | cat >"$place/err"
    grep -q "$pattern" "$place/err" || fail "pladis $*: no \"$pattern\""
}
# shellcheck disable=SC2086
{
    limited 1 'a.png: cannot be written: File too large' $small -o a.png
    limited 1 'd.safetensors: cannot be written: File too large' $small -o /dev/null --dump d.safetensors
    limited 1 's.json: cannot be written: File too large' $small -o /dev/null --attention-stats s.json
    limited 1 'r.json: cannot be written: File too large' $small -o /dev/null --report r.json
    limited 1 't.json: cannot be written: File too large' $small -o /dev/null --profile t.json
    limited 1 'cannot be written: File too large' grid -m "$model" -W 64 -H 64 --steps 1 -p fox -q --x seed=1..9 -o /dev/null --csv c.csv
    limited 1 'cannot be written: File too large' convert "$model" -o m.safetensors -q
    limited 1 'cannot be written: File too large' convert "$model" -o m -q
}
empty_folder
cat >"$place/full.sh" <<'END_OF_SCRIPT'
set -eu
mount -t tmpfs -o size=64k none "$place/work"
cd "$place/work"
for arguments in "convert $model -o m" "convert $model -o m.safetensors" \
    "generate -m $model -W 64 -H 64 --steps 1 -p fox -q -o /dev/null --dump d.safetensors --dump-steps" \
    "generate -m $model -W 512 -H 512 --steps 1 -p fox -q -o p.png"; do
    found=0
    "$pladis" $arguments >/dev/null 2>"$place/err" || found=$?
    if [ "$found" -ne 1 ] || ! grep -q 'free some space' "$place/err" || [ -n "$(ls -A .)" ]; then
        echo "pladis $arguments on a full file system: exit code $found, $(cat "$place/err"), files: $(ls -A .)"
        exit 1
    fi
done
END_OF_SCRIPT
cat >"$place/mounted.sh" <<'END_OF_SCRIPT'
cd "$place/work"
printf x >one.png
mount --bind one.png one.png
"$pladis" generate -m "$model" -W 512 -H 512 --steps 900 -p fox -o one.png >/dev/null 2>"$place/err" && exit 1
grep -q 'mounted by itself' "$place/err" || { cat "$place/err"; exit 1; }
umount one.png
rm one.png
END_OF_SCRIPT
export place pladis model
if unshare -rm true 2>/dev/null; then
    unshare -rm sh "$place/full.sh" >"$place/out" || fail "$(cat "$place/out")"
    unshare -rm sh "$place/mounted.sh" >"$place/out" || fail "a file that is mounted by itself: $(cat "$place/out")"
else
    echo "note: no file system of its own could be made, so none was filled"
fi

# A single file that does not tell all says so, and how it is used; one that does is silent.
expect 0 convert "$model" -o alone.safetensors
grep -Eq "warning: alone.safetensors: (cannot be used|draws different pictures) by itself.*--config $model" "$place/err" ||
    fail "no word about --config"
expect 0 generate -m alone.safetensors --config "$model" -W 64 -H 64 --steps 1 -p fox -q -o alone.png
vocabulary=$source/.cache/vocabulary/bpe_simple_vocab_16e6.txt.gz
if [ -f "$vocabulary" ]; then
    cp -r "$model" grown
    chmod -R u+w grown
    python3 - <<'END_OF_SCRIPT' || fail "making a model with the published vocabulary"
import json, struct
path = "grown/text_encoder/model.safetensors"
data = open(path, "rb").read()
size, = struct.unpack("<Q", data[:8])
header, body = json.loads(data[8:8 + size]), data[8 + size:]
metadata = header.pop("__metadata__", None)
out, blob = {}, b""
for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
    begin, end = entry["data_offsets"]
    part = body[begin:end]
    if name.endswith("token_embedding.weight"):
        rows, width = entry["shape"]
        part = (part * (49408 // rows + 1))[:len(part) // rows * 49408]
        entry["shape"] = [49408, width]
    out[name] = dict(entry, data_offsets=[len(blob), len(blob) + len(part)])
    blob += part
text = json.dumps(out).encode()
open(path, "wb").write(struct.pack("<Q", len(text)) + text + blob)
config = json.load(open("grown/text_encoder/config.json"))
config["vocab_size"] = 49408
config["eos_token_id"] = 2
json.dump(config, open("grown/text_encoder/config.json", "w"))
END_OF_SCRIPT
    expect 0 convert grown --tokenizer "$vocabulary" -o first.safetensors
    expect 0 convert first.safetensors -o described -q
    expect 0 convert described -o second.safetensors
    [ ! -s "$place/err" ] || fail "a file that tells all is said not to"
    # The same with what only the folder says: another schedule, other preferences, another network.
    sed -i 's/"steps_offset": *[0-9]*/"steps_offset": 7/' described/scheduler/scheduler_config.json
    printf '{"steps": 3}' >described/pladis.json
    expect 0 convert described -o third.safetensors
    grep -q 'warning: third.safetensors: draws different pictures by itself.*lost: sampler or schedule, preferred settings (pladis.json).*--config described' \
        "$place/err" || fail "nothing is said of what is lost: $(cat "$place/err")"
fi
