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

# A picture that says how it is to be turned is turned wherever one is read.
python3 - <<'END' || fail "turning pictures"
import struct, zlib
def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
def png(name, rows, extra=b""):
    size = struct.pack(">IIBBBBB", len(rows[0]) // 3, len(rows), 8, 2, 0, 0, 0)
    open(name, "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + extra
                           + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))) + chunk(b"IEND", b""))
def exif(value):
    return chunk(b"eXIf", b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0x112, 3, 1, value, 0))
at = lambda x, y: bytes((x * 4 & 255, y * 2 & 255, 255 * (x + y > 70)))
upright = [b"".join(at(x, y) for x in range(64)) for y in range(96)]
# orientation 6 is turned clockwise to be seen: stored is the picture turned the other way
stored = [b"".join(at(64 - 1 - y, x) for x in range(96)) for y in range(64)]
png("upright.png", upright)
png("stored.png", stored, exif(6))
png("profile.png", stored, chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(
    b"\nexif\n 26\n" + (b"Exif\0\0II*\0" + struct.pack("<IHHHIII", 8, 1, 0x112, 3, 1, 6, 0)).hex().encode() + b"\n")))
END
turned() {
    expect 0 generate -m sd15 -W 64 -H 96 --steps 2 -p 'a fox' --no-metadata -q -o "$1" -i "$2" --mask "$3"
}
turned turned-0.png upright.png upright.png
turned turned-1.png stored.png profile.png
cmp turned-0.png turned-1.png || fail "a picture is not turned as it says"
expect 0 info stored.png
grep -q 'PNG, 64 x 96' "$place/out" || fail "info does not turn a picture"
for file in upright stored; do
    expect 0 score $file.png --json
    sed "s/$file//" "$place/out" >scored-$file
done
cmp scored-upright scored-stored || fail "score does not turn a picture"

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
refused 2 "found nothing light" generate -m sd15 -p x -i rgb.png --mask black.png -W 64 -H 64
refused 1 "none.png" generate -m sd15 -p x -i none.png
python3 - <<'END' || fail "making pictures"
import struct, zlib
def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
for name, width, height in (("long", 16385, 8), ("large", 16384, 4097)):
    open(name + ".png", "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
                                    + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
END
refused 1 "long.png: expected .* at most 16384 pixels on each side, found 16385 x 8" generate -m sd15 -p x -i long.png
refused 1 "large.png: expected .* at most 67108864 pixels, found 16384 x 4097" generate -m sd15 -p x -i rgb.png --mask large.png
printf '\377\330\377\340' >photo.jpg
refused 1 "a JPEG picture; convert it" generate -m sd15 -p x -i photo.jpg
head -c 200 rgb.png >short.png
refused 1 "short.png: damaged" generate -m sd15 -p x -i short.png
mkdir elsewhere
cp first.png elsewhere
cd elsewhere
refused 1 "rgb.png" generate --from first.png
