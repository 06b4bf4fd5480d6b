# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# Sourced after common.sh by tests that change models.
models=$source/tests/data/reference/models

# copy NAME: a model folder that may be changed, at ./NAME.
copy() {
    rm -rf "$1"
    cp -r "$models/$1" "$1"
    chmod -R u+w "$1"
}

# set FILE FIELD JSON: a field of a JSON document.
set_field() {
    python3 - "$@" <<'END'
import json, sys
file, field, value = sys.argv[1:]
document = json.load(open(file))
document[field] = json.loads(value)
json.dump(document, open(file, "w"))
END
}

# rewrite FROM TO STATEMENTS: a safetensors file, changed. The statements see `header` (name -> entry) and `data`
# (name -> bytearray).
rewrite() {
    python3 - "$@" <<'END'
import json, struct, sys
source, target, statements = sys.argv[1:]
raw = open(source, "rb").read()
length = struct.unpack("<Q", raw[:8])[0]
header = json.loads(raw[8:8 + length])
data = {n: bytearray(raw[8 + length + e["data_offsets"][0]:8 + length + e["data_offsets"][1]])
        for n, e in header.items() if n != "__metadata__"}
def add(name, dtype="F32", shape=[0], content=b""):
    header[name], data[name] = {"dtype": dtype, "shape": shape}, bytearray(content)
exec(statements)
at = 0
for name, content in data.items():
    header[name]["data_offsets"] = [at, at + len(content)]
    at += len(content)
text = json.dumps(header).encode()
open(target, "wb").write(struct.pack("<Q", len(text)) + text + b"".join(data.values()))
END
}

# draw OPTIONS...: latents of two steps at ./latents.
draw() {
    expect 0 generate -p "a red fox" --steps 2 -W 64 -H 64 -s 3 --no-metadata -q --dump latents.safetensors -o p.png "$@"
    rewrite latents.safetensors latents 'data = {"latents": data["latents"]}; header = {"latents": header["latents"]}'
    rm latents.safetensors p.png
}

# same FILE FILE, other FILE FILE
same() { cmp -s "$1" "$2" || fail "$3"; }
other() { ! cmp -s "$1" "$2" || fail "$3"; }
