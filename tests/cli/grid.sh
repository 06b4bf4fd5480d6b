#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Several settings in one picture: --compare and pladis grid.
. "$2/tests/cli/common.sh"

draw() {
    expect 0 "$@"
}
small="-m $model -W 64 -H 64 --steps 2 -p fox"

# Comparisons: both forms of the option, three panels, and as many pictures as values.
# shellcheck disable=SC2086
{
    draw generate $small --compare -o off-on.png
    ! grep '^cost' "$place/err" || fail "a cost is told from two steps"
    draw generate $small --compare=pladis=0,2 -o values.png
    draw generate $small --compare pladis-alpha=1.25,1.5,2 -o alphas.png
    draw generate $small --compare 'pladis-blocks=all;down,up' -b 2 -o blocks.png
    draw generate $small --compare width=64,128 -o sizes.png
    refused 2 "unknown option \"ladis\"" generate $small --compare ladis=0,2
    refused 2 "output cannot be varied" generate $small --compare output=a,b
    refused 2 "model cannot be varied" generate $small --compare model=a,b
    refused 2 "found one value of pladis" generate $small --compare pladis=1
    refused 2 "found \"pladis\"" generate $small --compare=pladis
    refused 2 "found \"x\", expected a number" generate $small --compare pladis=0,x
    refused 2 "expected an option and its values" generate $small --compare ''=3
    refused 2 "cannot be used together" generate $small --compare --sheet
    refused 2 "needs --sheet" generate $small --compare --columns 3
    refused 2 "compare" generate $small --compare --no-pladis
}

# A grid: one PNG, one table, the pictures of single runs.
# shellcheck disable=SC2086
{
    draw grid $small --x cfg-scale=1,4 --y pladis=0..2 -o grid.png
    grep -q '^drawing   6 pictures, sd15, seed 42, 64 × 64, .*; varies: CFG scale, λ$' "$place/err" || fail "no line at the start"
    grep -q '^varies    CFG scale 1 / 4; λ 0 / 1 / 2$' "$place/err" || fail "the summary does not say what varies"
    grep -q '^seed      42$' "$place/err" || fail "the summary does not say what is common"
    ! grep -q 'scale 4)\|scale 2,' "$place/err" || fail "the summary shows one picture's settings as if they were all's"
    draw grid $small --x 'negative-prompt=blue;red, round' -o negative.png
    grep -q '^varies    negative prompt blue / red, round$' "$place/err" || fail "an option without a column of its own varies unseen"
    draw grid $small --x steps=1..12 -o many.png
    grep -q '^varies    steps 1 / 2 / .* / 8 / … / 12$' "$place/err" || fail "many values"
    draw grid $small --x seed=1..3 -o seeds.png --csv seeds-table.csv
    draw grid -m "$model" -W 64 -H 64 --steps 2 --x 'prompt=a fox;a hare, running' --y steps=1..3:2 -q -o prompts.png
    [ ! -s "$place/err" ] || fail "-q printed something"
    draw grid $small --x sampling-method=ddim,euler -o - --no-metadata
    [ ! -f -.csv ] || fail "a table without a name"
    draw generate $small --cfg-scale 4 --pladis 1 -o single.png
    draw generate $small --no-pladis -o without.png
    draw generate $small -o with.png
    refused 2 "found no --x" grid $small
    refused 2 "unknown option \"foo\"" grid $small --x foo=1,2
    refused 2 "threads cannot be varied" grid $small --x threads=1,2
    refused 2 "seed is already varied by --x" grid $small --x seed=1,2 --y seed=3,4
    refused 2 "expected A..B or A..B:STEP" grid $small --x seed=5..1
    refused 2 "expected A..B or A..B:STEP" grid $small --x seed=1..100000
    refused 2 "found \"5\", expected a number from 0 to 1" grid $small --x pladis-end=0.5,5
    refused 2 "pladis-start" grid $small --x pladis-start=0,0.9 --y pladis-end=0.5,1
    refused 2 "vary the seed" grid $small --x pladis=0,1 -b 2
    refused 2 "vary the prompt" grid $small --x pladis=0,1 --prompt-file f
    refused 2 "expected a prompt" grid -m "$model" --x pladis=0,1
    refused 1 "nowhere" grid $small --x pladis=0,1 --csv nowhere/t.csv
    refused 1 "no such model" grid -m ./none -p x --x pladis=0,1
}
draw grid --help
said '\-\-x NAME'
said 'examples'

python3 - <<'END' || fail "pictures or tables"
import csv, json, struct, zlib

def png(name):
    """Size, rows of RGB, texts."""
    data, at, packed, texts = open(name, "rb").read(), 8, b"", {}
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height = struct.unpack(">II", body[:8])
        elif kind == b"IDAT":
            packed += body
        elif kind == b"tEXt":
            key, value = body.split(b"\0", 1)
            texts[key.decode()] = value.decode()
        elif kind == b"iTXt":
            key, rest = body.split(b"\0", 1)
            texts[key.decode()] = rest[2:].split(b"\0", 2)[2].decode()
        at += 12 + length
    raw, rows, previous = zlib.decompress(packed), [], bytearray(3 * width)
    for y in range(height):
        kind, line = raw[y * (3 * width + 1)], bytearray(raw[y * (3 * width + 1) + 1:(y + 1) * (3 * width + 1)])
        for x in range(3 * width):
            a = line[x - 3] if x >= 3 else 0
            b, c = previous[x], previous[x - 3] if x >= 3 else 0
            p = a + b - c
            paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            line[x] = (line[x] + (0, a, b, (a + b) // 2, paeth)[kind]) & 255
        rows.append(bytes(line))
        previous = line
    return width, height, rows, texts

def has(big, small):
    """Whether the picture stands somewhere in the other."""
    first = small[2][0]
    for y in range(big[1] - small[1] + 1):
        x = big[2][y].find(first)
        while x >= 0:
            if all(big[2][y + i][x:x + len(first)] == small[2][i] for i in range(small[1])):
                return True
            x = big[2][y].find(first, x + 1)
    return False

single, grid, three = png("single.png"), png("grid.png"), png("off-on.png")
assert has(grid, single), "a cell of the grid is not the single picture"
assert has(three, png("without.png")) and has(three, png("with.png")), "a panel is not the single picture"
assert three[0] > 3 * 64 and png("alphas.png")[0] > 3 * 64 and png("alphas.png")[1] > 2 * 64
assert len(json.loads(grid[3]["pladis"])["pictures"]) == 6
rows = list(csv.DictReader(open("grid.csv", newline="")))
assert [(r["x:cfg-scale"], r["y:pladis"]) for r in rows] == [(x, y) for y in "012" for x in "14"]
assert [r["pladis"] for r in rows] == list("001122") and rows[0]["mean_difference_from_first"] == "0.000"
assert rows[0]["evaluations"] == "3" and rows[1]["evaluations"] == "6"
assert float(rows[5]["mean_difference_from_first"]) > 0
assert [r["seed"] for r in csv.DictReader(open("seeds-table.csv", newline=""))] == ["1", "2", "3"]
rows = list(csv.DictReader(open("prompts.csv", newline="")))
assert [r["prompt"] for r in rows] == ["a fox", "a hare, running"] * 2 and [r["steps"] for r in rows] == list("1133")
END

# Heat maps of words: three panels a word, the picture itself unchanged, a name of their own.
draw generate -m "$model" -W 64 -H 64 --steps 2 -p 'a red fox' --no-metadata -q -o plain.png
draw generate -m "$model" -W 64 -H 64 --steps 2 -p 'a red fox' --no-metadata --attention-maps 'fox,red fox' -q -o words.png
cmp plain.png words.png || fail "--attention-maps changes the picture"
draw generate -m "$model" -W 64 -H 64 --steps 2 -p 'a red fox' --attention-maps fox --attention-maps-output m.png \
    --attention-maps-blocks mid --attention-maps-end 0.5 --zoom 2 -b 2 -q -o two.png
python3 - <<'END' || fail "the pictures of the maps"
import struct
size = lambda name: struct.unpack(">II", open(name, "rb").read(24)[16:])
assert size("words-attention.png")[0] > 3 * 64 and size("words-attention.png")[1] > 2 * 64
assert size("m-1.png") == size("m-2.png") and size("m-1.png")[0] > 3 * 128
END
refused 2 "'wolf' is not in the prompt, whose tokens are:" generate -m "$model" -W 64 -H 64 --steps 2 -p 'a red fox' --attention-maps wolf
refused 2 "an empty one" generate -m "$model" -p fox --attention-maps 'fox,'
refused 2 "matches no cross-attention" generate -m "$model" -W 64 -H 64 --steps 2 -p fox --attention-maps fox --attention-maps-blocks mod
refused 2 "attention-maps-start: found 0.9" generate -m "$model" -p fox --attention-maps fox --attention-maps-start 0.9 --attention-maps-end 0.5
refused 2 "needs --attention-maps WORD" generate -m "$model" -p fox --attention-maps-output x.png
refused 2 "needs --attention-maps-output" generate -m "$model" -p fox --attention-maps fox -o -
refused 2 "takes one picture" grid -m "$model" -p fox --x pladis=0,1 --attention-maps fox
