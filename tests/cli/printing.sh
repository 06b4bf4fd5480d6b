#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Names of files, tensors, keys, tags, captions and prompts that would steer a terminal: nothing of them reaches it, text
# stays UTF-8 and one line, and JSON stays JSON.
. "$2/tests/cli/common.sh"
command -v python3 >/dev/null || exit 77

# What is printed: lines of UTF-8 without a control character, C1 controls and writing directions included.
cat >"$place/check.py" <<'END'
import json, sys
def plain(name):
    data = open(name, "rb").read()
    text = data.decode("utf-8")
    bad = [c for c in text if (ord(c) < 32 and c not in "\n\t") or 0x7f <= ord(c) < 0xa0 or 0x2028 <= ord(c) <= 0x202e
           or 0x2066 <= ord(c) <= 0x2069]
    assert not bad, (name, bad, text[:400])
    return text
kind, out, err = sys.argv[1:4]
said, errors = plain(out), plain(err)
if kind == "json":
    for line in said.splitlines() if said.startswith('{"') else [said]:
        json.loads(line)
if kind == "error":
    assert said == "" and errors.count("\n") == 1 and errors.startswith("pladis: error: "), errors
END
shown() {
    python3 "$place/check.py" "$1" "$place/out" "$place/err" || fail "$2: not fit for a terminal"
}
shows() {
    expect 0 "$@"
    shown text "$*"
}
shows_json() {
    expect 0 "$@"
    shown json "$*"
}
# refuses ARGUMENTS: exit code 1 or 2 with one line
refuses() {
    code=0
    "$pladis" "$@" >"$place/out" 2>"$place/err" </dev/null || code=$?
    [ "$code" -eq 1 ] || [ "$code" -eq 2 ] || fail "$*: exit code $code"
    shown error "$*"
}

# ESC, BEL, line breaks, DEL, U+009B, bytes that are no UTF-8, a turned direction, a cut letter.
hostile=$(printf 'a\033[31m\007\n\rb\177\302\233c\377\355\240\200\342\200\256d\303')
cp "$source/models/demo/prompts/heldout.jsonl" captions.jsonl
python3 - "$hostile" "$place" <<'END'
import json, os, struct, sys, zlib
hostile = os.fsencode(sys.argv[1])
name = "a\x1b[31m\x07\n\rb\x7f\x9bc\u202ed"
def safetensors(path, tensors, metadata):
    header, at = {"__metadata__": metadata}, 0
    for key, shape in tensors:
        size = 4
        for side in shape:
            size *= side
        header[key] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + bytes(at))
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
def png(path, texts):
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)))
        for key, text in texts:
            file.write(chunk(b"iTXt", key + b"\0\0\0\0\0" + text))
        file.write(chunk(b"IDAT", zlib.compress(b"".join(b"\0" + bytes(192) for _ in range(64)))) + chunk(b"IEND", b""))
beyond = "a\u202ec\u2028d" # names of tensors hold no control characters
pair = "lora_unet_mid_block_attentions_0_proj_in"
safetensors(hostile + b".safetensors",
            [(pair + ".lora_up.weight", [2, 2]), (pair + ".lora_down.weight", [2, 2]), (beyond, [1]), (pair + ".alpha", [])],
            {"ss_output_name": name, name: name, "ss_tag_frequency": json.dumps({name: {name: 3, "tag\x9b2J": 2}})})
safetensors("tensors.safetensors", [(beyond, [1])], {name: name})
png(hostile + b".png", [(b"parameters", name.encode()), (b"Title\xc2\x9b", name.encode()),
                        (b"pladis", json.dumps({"model": name, "pictures": [{name: name, "prompt": name}]}).encode())])
png("unknown.png", [(b"pladis", json.dumps({"model": "demo", "pictures": [{name: name}]}).encode())])
with open("captions.txt", "wb") as file:
    file.write(b"a star\n" + hostile.replace(b"\n", b"") + b"\n")
os.mkdir(hostile + b".model")
with open(hostile + b".model/model_index.json", "w") as file:
    json.dump({"_class_name": name, name: [name, name]}, file)
END
for file in "$hostile.safetensors" tensors.safetensors "$hostile.png"; do
    shows info "$file"
    shows_json info "$file" --json
done
shows tokenize "$hostile"
shows tokenize -m "$model" "a <|$hostile|> fox"
shows_json tokenize --json "$hostile"
shows score "$hostile.png"
shows_json score "$hostile.png" --json
shows_json score "$hostile.png" --json -p "a red star"
for file in "$hostile.safetensors" tensors.safetensors "$hostile.png" "$hostile.model" "$hostile.missing" "$hostile"; do
    refuses generate -m "$file" -p x
    refuses convert "$file" -o "$hostile"
done
refuses info "$hostile.missing"
refuses info "$hostile.model"
refuses "$hostile"
refuses "--$hostile"
refuses generate "--$hostile" -p x
refuses generate -p star --steps "$hostile"
refuses generate -p star --sampling-method "$hostile"
refuses generate -p star --guidance "$hostile"
refuses generate -p star --lora "$hostile.safetensors"
refuses generate -p star --lora "$hostile.missing"
refuses generate -p "star <lora:$hostile:1>" --lora-dir .
refuses generate -p star -i "$hostile.missing"
refuses generate -p star -o "$hostile/x.png"
refuses generate --from "$hostile.png" -o x.png
refuses generate --from unknown.png -o x.png
refuses generate -p star --isa "$hostile"
refuses grid -p star --x "$hostile" -o x.png
refuses score "$hostile.png" --prompts captions.txt
refuses score "$hostile.png" -p "$hostile"
refuses evaluate --prompts captions.txt --steps 1 -o e
refuses evaluate --grid "$hostile" --steps 1 -o e
refuses list "$hostile"
refuses bench "$hostile"

# A run with such names: lines of the summary, the report, metadata, statistics, and reading it back.
# A name that is no text is not one to read back: it is refused before drawing, unless nothing records it.
steering=$(printf 'a\033[31m\007\n\rb\177\302\233c\342\200\256d')
cp -r "$model" "$hostile.tiny"
cp -r "$model" "$steering.tiny"
mkdir out
refuses generate -m "$hostile.tiny" -p "a red fox" --steps 1 -W 16 -H 16 -t 1 -o x.png
expect 0 generate -m "$hostile.tiny" -p "a red fox" --steps 1 -W 16 -H 16 -t 1 -v --no-metadata -o x.png
shown text "generate with a name that is no text"
expect 0 generate -m "$steering.tiny" -p "a red fox" --steps 1 -W 16 -H 16 -t 1 -v -o "out/$hostile.png" --report report.json \
    --attention-stats "out/$hostile.csv" --profile "out/$hostile.json"
shown text "generate with a hostile name"
python3 -c 'import json; r = json.load(open("report.json", encoding="utf-8")); assert "\u202e" in r["model"], r["model"]'
shows info "out/$hostile.png"
shows_json info "out/$hostile.png" --json
expect 0 generate --from "out/$hostile.png" -m "$model" -t 1 -q -o again.png
# Labels of a grid are drawn and written.
expect 0 grid -m "$model" -p "a red fox" --steps 1 -W 16 -H 16 -t 1 --x "negative-prompt=a,$(printf 'b\302\233c')" -o g.png --csv g.csv
shown text "grid with hostile values"
python3 -c 'open("g.csv", encoding="utf-8").read()'
# A text of several tokens that each end inside a letter stays JSON.
shows_json tokenize -m "$model" --json "$(printf '\346\227\245\346\234\254 \360\237\246\212')"
