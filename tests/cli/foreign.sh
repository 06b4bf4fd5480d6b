#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Pictures of other programs: named, and taken over where their settings are written as A1111 writes them.
. "$2/tests/cli/common.sh"

export PLADIS_MODEL_DIR="$source/tests/data/reference/models"
python3 - <<'END' || fail "making pictures"
import struct, zlib
def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
def png(name, *extra):
    open(name, "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)) + b"".join(extra) +
                           chunk(b"IDAT", zlib.compress(b"\0\1\2\3")) + chunk(b"IEND", b""))
def text(key, value):
    return chunk(b"tEXt", key.encode() + b"\0" + value.encode("latin-1"))
def comment(value):
    data = b"UNICODE\0" + value.encode("utf-16-be")
    return chunk(b"eXIf", b"MM\0*" + struct.pack(">IHHHIIIHHHIII", 8, 1, 0x8769, 4, 1, 26, 0, 1, 0x9286, 7, len(data), 44, 0) + data)
graph = '{"3": {"class_type": "KSampler", "inputs": {"seed": 5}}}'
foreign = [("ComfyUI", text("prompt", graph) + text("workflow", '{"nodes": []}')), ("ComfyUI", text("workflow", '{"nodes": []}')),
           ("ComfyUI", comment("prompt:" + graph)), ("InvokeAI", text("invokeai_metadata", '{"seed": 5}')),
           ("InvokeAI", text("sd-metadata", "{}")), ("InvokeAI", text("Dream", '"a fox" -s 20')),
           ("NovelAI", text("Title", "AI generated image") + text("Software", "NovelAI") + text("Comment", '{"steps": 28}')),
           ("SwarmUI", text("parameters", '{"sui_image_params": {"prompt": "a fox", "steps": 20}}')),
           ("Fooocus", text("fooocus_scheme", "fooocus") + text("parameters", '{"prompt": "a fox"}')),
           ("Easy Diffusion", text("prompt", "a fox") + text("use_stable_diffusion_model", "sd-v1-5")),
           ("Midjourney", text("Description", "a fox --v 6 Job ID: 0000")),
           ("A1111", text("parameters", "a fox without settings")), ("GIMP 2.10", text("Software", "GIMP 2.10")),
           ("another program", text("Author", "somebody"))]
with open("cases.txt", "w") as cases:
    for i, (program, chunks) in enumerate(foreign):
        png("foreign-%02d.png" % i, chunks)
        cases.write("foreign-%02d.png %s\n" % (i, program))
settings = "Steps: 3, Sampler: %s, CFG scale: 5.5, Seed: 7, Size: 64x64, Model hash: abc, Model: sd15, %sVersion: v1.10.1"
prompt = "a (red:1.2) fox, snow\nsecond line\nNegative prompt: blurry,\nbad\n"
png("a1111.png", text("parameters", prompt + settings % ("DPM++ 2M", "Schedule type: Karras, ")))
png("older.png", text("parameters", prompt + settings % ("DPM++ 2M Karras", "Hires upscale: 2, Hires prompt: \"a, b: c\", Clip skip: 2, ")))
png("comment.png", comment(prompt + settings % ("DPM++ 2M", "Schedule type: Karras, ")))
png("both.png", text("prompt", graph), text("parameters", prompt + settings % ("DPM++ 2M", "Schedule type: Karras, ")))
png("unknown.png", text("parameters", "a fox\n" + settings % ("DPM adaptive", "")))
png("bare.png", text("parameters", "a fox\nSteps: 3, Sampler: Euler, CFG scale: 5.5, Seed: 7, Size: 64x64"))
png("folder.png", text("parameters", "a fox\nSteps: 3, Sampler: Euler, Seed: 7, Size: 64x64, Model: ../../sd15"))
png("zero.png", chunk(b"tEXt", b"pladis\0{}\0{}"))
png("bomb.png", chunk(b"zTXt", b"workflow\0\0" + zlib.compress(bytes(17 << 20))))
END
while read -r file program; do
    refused 1 "written by another program" generate --from "$file" -o never.png
    grep -q -e "$program" "$place/err" || fail "$file: $program is not named"
    expect 0 info "$file"
    expect 0 info "$file" --json
done <cases.txt
expect 0 info foreign-00.png
said 'PNG, 1 x 1, written by ComfyUI'

# What is damaged or too long is said, and hinders nobody who wants the pixels.
refused 1 "zero.png: text 'pladis': found a zero byte" generate --from zero.png
refused 1 "bomb.png: text 'workflow': expected at most 16777216 bytes" generate --from bomb.png
expect 0 info bomb.png
grep -q "note: bomb.png: text 'workflow': expected at most 16777216 bytes .*; it is left out" "$place/err" || fail "info is silent"
expect 0 generate -m sd15 -W 64 -H 64 --steps 2 -p 'a fox' -i bomb.png -q -o out.png

# A1111's text: new, older, in EXIF, beside a graph of ComfyUI; the same picture as from options.
expect 0 generate -m sd15 -W 64 -H 64 --steps 3 --cfg-scale 5.5 -s 7 --sampling-method dpm++2m --scheduler karras \
    -p 'a (red:1.2) fox, snow
second line' -n 'blurry,
bad' -q -o wanted.png
for file in a1111 older comment both; do
    expect 0 generate --from $file.png -o $file-out.png
    cmp wanted.png $file-out.png || fail "$file.png is not drawn as its text says"
    [ "$(grep -c 'note: .*settings of .* are used' "$place/err")" -eq 1 ] || fail "$file.png: no notice"
done
expect 0 generate --from older.png -o out.png
grep -q 'left out: Hires upscale 2, Hires prompt a, b: c, Clip skip 2$' "$place/err" || fail "what is left out is not said"
expect 0 generate --from unknown.png -o out.png
grep -q 'left out: Sampler DPM adaptive$' "$place/err" || fail "an unknown sampler is not said to be left out"
expect 0 generate --from a1111.png -s 8 --steps 2 -q -o given.png
[ ! -s "$place/err" ] || fail "--quiet does not silence the notice"
expect 0 info given.png
said 'seed:  *8'
refused 2 "bare.png does not name a model; give one with -m" generate --from bare.png
expect 0 generate --from bare.png -m sd15 -q -o out.png
expect 0 generate --from folder.png -q -o out.png

# Our own text does where the entry beside it was removed.
python3 - <<'END' || fail "removing an entry"
data = open("wanted.png", "rb").read()
at = data.index(b"tEXtpladis") - 4
size = int.from_bytes(data[at:at + 4], "big") + 12
open("stripped.png", "wb").write(data[:at] + data[at + size:])
END
expect 0 generate --from stripped.png -o out.png
cmp wanted.png out.png || fail "the picture is not drawn again from its parameters"
