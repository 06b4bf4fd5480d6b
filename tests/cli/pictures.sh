#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Pictures as input: image to image and inpainting from any PNG.
. "$2/tests/cli/common.sh"

export PLADIS_MODEL_DIR="$source/tests/data/reference/models"
draw() {
    expect 0 generate -m sd15 -W 64 -H 64 --steps 4 -p 'a fox' "$@"
}
differ() {
    ! cmp -s "$1" "$2" || fail "$1 and $2 are the same"
}

# One picture in every kind of PNG: the same gradient, so the same result for those that keep it.
python3 - <<'END' || fail "making pictures"
import struct, zlib
def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
def png(name, depth, colour, rows, extra=b"", width=64, height=64):
    open(name, "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
                           + extra + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))) + chunk(b"IEND", b""))
level = lambda x, y: (x * 3 + y) & 255
png("grey.png", 8, 0, [bytes(level(x, y) for x in range(64)) for y in range(64)])
png("rgb.png", 8, 2, [bytes(level(x, y) for x in range(64) for _ in range(3)) for y in range(64)])
png("rgba.png", 8, 6, [bytes(v for x in range(64) for v in [level(x, y)] * 3 + [x]) for y in range(64)])
png("grey-alpha.png", 8, 4, [bytes(v for x in range(64) for v in (level(x, y), 9)) for y in range(64)])
png("grey16.png", 16, 0, [bytes(v for x in range(64) for v in [level(x, y)] * 2) for y in range(64)])
png("palette.png", 8, 3, [bytes(level(x, y) for x in range(64)) for y in range(64)],
    chunk(b"PLTE", bytes(v for i in range(256) for v in (i, i, i))))
png("bits.png", 1, 0, [bytes([0xf0]) * 8 for y in range(64)])
png("half.png", 8, 0, [bytes([255 * (x < 32) for x in range(64)]) for y in range(64)])
png("wide.png", 8, 0, [bytes(range(200)) for y in range(50)], width=200, height=50)
png("black.png", 8, 0, [bytes(64) for y in range(64)])
END
for kind in rgb grey rgba grey-alpha grey16 palette; do
    draw -i $kind.png --strength 0.5 --no-metadata -q -o out-$kind.png
    cmp out-rgb.png out-$kind.png || fail "$kind is read otherwise than rgb"
done
draw -i bits.png -q -o bits-out.png
draw -i wide.png -o wide-out.png
grep -q "note: wide.png, 200 x 50, was stretched to 64 x 64" "$place/err" || fail "no note about stretching"

# Strength, masks and PLADIS act; what is kept is kept.
draw --no-metadata -q -o from-noise.png
draw -i rgb.png --strength 1 --no-metadata -q -o all.png
draw -i rgb.png --strength 0.5 --mask half.png --no-metadata -q -o masked.png
draw -i rgb.png --strength 0.5 --no-pladis --no-metadata -q -o dense.png
draw --init-image rgb.png --no-metadata -q -o default.png
draw -i rgb.png --strength 0.75 --no-metadata -q -o three-quarters.png
cmp default.png three-quarters.png || fail "the strength is not 0.75 by itself"
differ out-rgb.png from-noise.png
differ out-rgb.png all.png
differ out-rgb.png masked.png
differ out-rgb.png dense.png
draw -i rgb.png --strength 0.5 -q --report report.json -o first.png
grep -q '"calls": 3' report.json || grep -q '"calls": 2' report.json || fail "half of the steps are not half of the calls"
grep -q -a "Denoising strength: 0.5" first.png || fail "the parameters lack the strength"
! grep -q -a "$place" first.png || fail "a path is in the PNG"
expect 0 generate --from first.png -q -o second.png
cmp first.png second.png || fail "a picture from a picture is not drawn again"
draw -i rgb.png --compare strength=0.25,0.5,1 -q -o strengths.png
expect 0 grid --from first.png --x 'mask=half.png,rgb.png' --y seed=1,2 -q -o masks.png

# Refusals.
refused 2 "strength needs --init-img" generate -p x --strength 0.5
refused 2 "mask needs --init-img" generate -p x --mask half.png
refused 2 "strength: found \"0\"" generate -p x -i rgb.png --strength 0
refused 2 "strength: found \"1.1\"" generate -p x -i rgb.png --strength 1.1
refused 2 "less than one step" generate -m sd15 -p x -i rgb.png --strength 0.1 --steps 4 -W 64 -H 64
refused 2 "nothing in it is light" generate -m sd15 -p x -i rgb.png --mask black.png -W 64 -H 64
refused 1 "none.png" generate -m sd15 -p x -i none.png
printf '\377\330\377\340' >photo.jpg
refused 1 "a JPEG picture; convert it" generate -m sd15 -p x -i photo.jpg
head -c 200 rgb.png >short.png
refused 1 "short.png: damaged" generate -m sd15 -p x -i short.png
mkdir elsewhere
cp first.png elsewhere
cd elsewhere
refused 1 "rgb.png" generate --from first.png
