#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a PNG says of itself: printed by info, drawn again by --from to the byte, refused politely when damaged.
. "$2/tests/cli/common.sh"

export PLADIS_MODEL_DIR="$source/tests/data/reference/models"
small="-m sd15 -W 64 -H 64 --steps 3"
same() {
    cmp "$1" "$2" || fail "$1 and $2 differ"
}
again() {
    # shellcheck disable=SC2086
    expect 0 generate "$@" -q -o first.png
    expect 0 generate --from first.png -o second.png
    ! grep -q -E "warning|note" "$place/err" || fail "drawing again warns: $*"
    same first.png second.png
}

# The same bytes, for every sampler and for numbers that have no short form.
# shellcheck disable=SC2086
{
    for sampler in $("$pladis" list samplers | awk '$1 != "scm" { print $1 }'); do
        again $small -p 'a fox' --sampling-method "$sampler"
    done
    again $small -p 'a "fox", (red:1.3): \ {x}' -n '' --cfg-scale 3.1234567890123457 --cfg-rescale 0.1 -s 4294967299
    again $small -p 'żółć 🦊 狐' -n 'a
second line' --pladis 1.7000000000000002 --pladis-alpha 1.3333333333333333 --pladis-blocks down,up --pladis-end 0.7
    again $small -p 'a fox' --literal-prompt --sampling-method tcd --clip-skip 2 --eta 0
    again -m sd15 -W 64 -H 64 -p 'a fox' --timesteps 900,600,300 --sampling-method euler --scheduler discrete
    again -m sd15 -W 64 -H 64 -p '' --steps 3 --no-pladis --cfg-scale 1 --prediction v --sampling-method dpm++2m --scheduler karras
    again $small -p 'a fox' --guidance pag:scale=3,layers=mid --guidance rescale
    again $small -p 'a fox' --guidance freeu:b1=1.1,b2=1.2,s1=0.9,s2=0.2 --pladis-sites all --pladis-branches conditional
    expect 0 generate $small -p 'a fox' --guidance seg:scale=2,layers=mid -q -o wanted.png
    expect 0 generate --from first.png --pladis-sites cross --pladis-branches all --guidance seg:scale=2,layers=mid -q -o second.png
    same wanted.png second.png
    again -m sd21 -W 64 -H 64 -p 'a fox' --steps 2
    again -m sdxl -W 64 -H 64 -p 'a fox' --steps 2
    again -m sdxl -W 64 -H 64 -p 'a fox' -n '' --steps 2 --original-size 768x1344 --crop 8,0 --target-size 64x96

    # Options override; a sampler brings its own schedule.
    expect 0 generate $small -p 'a fox' -q -o first.png
    expect 0 generate $small -p 'a hare' -s 7 --sampling-method euler -q -o wanted.png
    expect 0 generate --from first.png -p 'a hare' -s 7 --sampling-method euler -q -o second.png
    same wanted.png second.png
    expect 0 generate $small -p 'a fox' -b 2 -q -o batch.png
    expect 0 generate --from first.png -b 2 -q -o other.png
    same batch-2.png other-2.png
    expect 0 grid --from first.png --x pladis=0,1 -q -o grid.png
    expect 0 generate --from grid.png --from-picture 2 -q -o second.png
    expect 0 generate $small -p 'a fox' --pladis 1 -q -o wanted.png
    same wanted.png second.png
    expect 0 generate $small -p 'a fox' -t 2 -q -o two.png
    expect 0 generate --from two.png -t 1 -o second.png
    if grep -q "last bits may differ" "$place/err"; then fail "a note about threads, which change nothing"; fi
    if "$pladis" list isa | grep avx2 | grep -qv lacks; then
        expect 0 generate --from two.png --isa scalar -o second.png
        grep -q "last bits may differ" "$place/err" || fail "no note about the instruction set"
    fi
    expect 0 generate $small -p 'a fox' --no-metadata -q -o bare.png

    # ... and so does whatever decides about the same thing, on the command line and as a value of an axis.
    given() {
        expect 0 generate --from first.png "$@" --no-metadata -q -o second.png
    }
    wanted() {
        expect 0 generate -m sd15 -W 64 -H 64 -p 'a fox' "$@" --no-metadata -q -o wanted.png
        same wanted.png second.png
    }
    expect 0 generate -m sd15 -W 64 -H 64 -p 'a fox' --timesteps 900,600,300 --sampling-method euler --scheduler discrete -q -o first.png
    given --steps 2
    wanted --steps 2 --sampling-method euler --scheduler discrete
    given --timesteps 800,400
    wanted --timesteps 800,400 --sampling-method euler --scheduler discrete
    given --preset lcm
    wanted --preset lcm
    expect 0 grid --from first.png --x steps=2,4 -q -o grid.png
    expect 0 generate --from grid.png --from-picture 1 --no-metadata -q -o second.png
    wanted --steps 2 --sampling-method euler --scheduler discrete
    expect 0 generate $small -p 'a fox' --guidance pag:scale=3,layers=mid --pladis-temperature 0.5 -q -o first.png
    given --guidance rescale --guidance seg:scale=2,layers=mid
    wanted --steps 3 --guidance rescale --guidance seg:scale=2,layers=mid --pladis-temperature 0.5
    given --pladis-alpha 1.25
    wanted --steps 3 --guidance pag:scale=3,layers=mid --pladis-alpha 1.25
    expect 0 grid --from first.png --x 'guidance=rescale;seg:scale=2,layers=mid' -q -o grid.png
    expect 0 generate --from grid.png --from-picture 2 --no-metadata -q -o second.png
    wanted --steps 3 --guidance seg:scale=2,layers=mid --pladis-temperature 0.5
    # Another model predicts what it predicts.
    expect 0 generate $small -p 'a fox' --sampling-method ddim --cfg-scale 5 -q -o first.png
    given -m sd21
    expect 0 generate -m sd21 -W 64 -H 64 --steps 3 -p 'a fox' --sampling-method ddim --cfg-scale 5 --no-metadata -q -o wanted.png
    same wanted.png second.png
    expect 0 generate $small -p 'a fox' -q -o first.png
    expect 0 grid --from first.png --x pladis=0,1 -q -o grid.png
}

# info.
expect 0 info first.png
said 'PNG, 64 x 64'
said 'Steps: 3, Sampler: PLMS, Schedule type: Automatic, CFG scale: '
said 'prompt:  *a fox'
expect 0 info first.png --json
python3 - "$place/out" <<'END' || fail "info --json"
import json, sys
data = json.load(open(sys.argv[1]))
assert data["layout"] == "png" and data["width"] == 64 and data["pladis"]["model"] == "sd15"
assert data["pladis"]["pictures"][0]["prompt"] == "a fox" and data["pladis"]["machine"]["threads"] > 0
assert data["metadata"]["parameters"].startswith("a fox\nSteps: 3, ")
END
expect 0 info bare.png
said 'no metadata'

# Refusals.
refused 1 "expected a picture with metadata, found none" generate --from bare.png
refused 1 "none.png" generate --from none.png
refused 2 "shows 2 pictures" generate --from grid.png
refused 2 "but grid.png shows 2" generate --from grid.png --from-picture 3
refused 2 "needs --from" generate -p x --from-picture 1
printf 'no picture' >text.png
refused 1 "expected a PNG" generate --from text.png

# Damaged metadata: one PNG a case, each refused with one line that says where.
python3 - "$place" <<'END' || fail "making damaged files"
import json, struct, sys, zlib
def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
def png(name, text):
    body = b"" if text is None else chunk(b"iTXt", b"pladis\0\0\0\0\0" + text.encode())
    open(name, "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)) + body +
                           chunk(b"IDAT", zlib.compress(b"\0\1\2\3")) + chunk(b"IEND", b""))
good = {"prompt": "x", "steps": 2, "width": 64, "height": 64}
def case(fields, model="sd15"):
    return json.dumps({"model": model, "pictures": [dict(good, **fields)]})
cases = [("not valid JSON", "{"), ("not valid JSON", "[" * 100000), ("'pictures'", "{}"), ("'pictures'", '{"pictures": 3}'),
         ("'pictures'", '{"model": "sd15", "pictures": ["x"]}'), ("'pictures'", '{"pictures": []}'), ("'model'", case({}, 7)),
         ("'model'", case({}, "/etc/passwd")), ("'model'", case({}, "")), ("'model'", case({}, "..")), ("'model'", case({}, ".")),
         ("'model'", '{"pictures": [{"prompt": "x"}]}'), ("'lora'", case({"lora": ["..:0.5"]})), ("'lora'", case({"lora": ["."]})),
         ("'mask'", case({"mask": ".."})), ("'init-img'", case({"init_img": "../x.png"})), ("not valid JSON", '{"model": "a", "model": "b"}'),
         ("'output'", case({"output": "/tmp/x"})), ("'threads'", case({"threads": 2})), ("'oddity'", case({"oddity": 1})),
         ("'from'", case({"from": "x"})), ("'prompt'", case({"prompt": 5})), ("'prompt'", case({"prompt": {}})),
         ("steps", case({"steps": "many"})), ("steps", case({"steps": 1e300})), ("steps", case({"steps": -1})),
         ("'literal_prompt'", case({"literal_prompt": 1})), ("cfg-scale", case({"cfg_scale": "nan"})),
         ("timesteps", case({"timesteps": [5, 6]})), ("timesteps", case({"timesteps": [5, "x"]})),
         ("'init-noise'", case({"init_noise": "../secret"})), ("sampling-method", case({"sampling_method": "bogus"})),
         ("seed", case({"seed": 1e30})), ("rng", case({"rng": "cuda"})), ("pladis-alpha", case({"pladis_alpha": 3})),
         ("'lora'", case({"lora": -1})), ("'lora'", case({"lora": [1, 2]})), ("'guidance'", case({"guidance": [3.5]})),
         ("'cfg_scale'", case({"cfg_scale": []})), ("'steps'", case({"steps": [2]})), ("'width'", case({"width": {}})),
         ("'sampling_method'", case({"sampling_method": 1})), ("'original_size'", case({"original_size": [1, 2]})),
         ("'timesteps'", case({"timesteps": ["5"]})), ("guidance", case({"guidance": ["bogus"]})), ("lora", case({"lora": ["a:nan"]}))]
with open("cases.txt", "w") as list_:
    for i, (pattern, text) in enumerate(cases):
        png("bad-%02d.png" % i, text)
        list_.write("bad-%02d.png %s\n" % (i, pattern))
png("steered.png", json.dumps({"model": "a\x1b[31m\x9b", "pictures": [{"prompt": "\x1b]0;x\x07", "x\x1b": 1}]}))
END
while read -r file pattern; do
    refused_code=0
    "$pladis" generate --from "$file" -o never.png >"$place/out" 2>"$place/err" </dev/null || refused_code=$?
    [ "$refused_code" -eq 1 ] || fail "$file ($pattern): exit code $refused_code"
    [ "$(wc -l <"$place/err")" -eq 1 ] || fail "$file: expected one line"
    grep -q -e "$file.*$pattern" "$place/err" || fail "$file: the error does not say $pattern"
    [ ! -f never.png ] || fail "$file was drawn"
    expect 0 info "$file"
    expect 0 info "$file" --json
done <cases.txt
expect 0 info steered.png
! grep -q "$(printf '\033')" "$place/out" || fail "control characters reach the terminal"
