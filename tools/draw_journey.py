#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draw docs/images/journey.svg: what becomes of a prompt, stage by stage, with shapes.

usage: tools/draw_journey.py [docs/images/journey.svg]

White boxes are data with their shapes; coloured words on arrows are the code that makes one from the other.
"""
import sys
from html import escape

WIDTH = 1180
LEFT = 24
INK, FAINT = "#1f2733", "#5b6675"
SANS = "font-family='Inter, Helvetica, Arial, sans-serif'"
MONO = "font-family='DejaVu Sans Mono, Menlo, Consolas, monospace'"
COLOURS = {  # band, frame and words on arrows
    "resolve": ("#eef1f6", "#8d9bb3", "#44587a"),
    "text": ("#e8f4ec", "#7db493", "#23693f"),
    "denoise": ("#fdf0e3", "#dba56c", "#97540f"),
    "attention": ("#fff9f2", "#dba56c", "#97540f"),
    "decode": ("#f1ecf9", "#a690cf", "#5c3f96"),
}

picture = []


def put(line):
    picture.append(line)


def text(x, y, words, size=13, colour=INK, anchor="start", font=SANS, weight=400):
    put(f"<text x='{x}' y='{y}' {font} font-size='{size}' font-weight='{weight}' fill='{colour}' "
        f"text-anchor='{anchor}'>{escape(words)}</text>")


def rectangle(x, y, width, height, fill, stroke, radius=8, dash=""):
    put(f"<rect x='{x}' y='{y}' width='{width}' height='{height}' rx='{radius}' fill='{fill}' stroke='{stroke}'"
        f"{dash and f' stroke-dasharray={chr(39)}{dash}{chr(39)}'}/>")


def band(stage, y, height, number, title, code):
    """A stage across the whole picture."""
    fill, frame, words = COLOURS[stage]
    rectangle(LEFT, y, WIDTH - 2 * LEFT, height, fill, frame, 12)
    put(f"<circle cx='{LEFT + 24}' cy='{y + 25}' r='12' fill='{words}'/>")
    text(LEFT + 24, y + 29.5, number, 13, "#ffffff", "middle", weight=700)
    text(LEFT + 45, y + 30, title, 16, INK, weight=700)
    text(WIDTH - LEFT - 16, y + 29, code, 11, words, "end", MONO)


def data(stage, x, y, width, title, *lines, height=0):
    """A box of data: what it is, then its shape and notes. Gives its middle height."""
    height = height or 26 + 17 * len(lines)
    rectangle(x, y, width, height, "#ffffff", COLOURS[stage][1])
    top = y + (height - 17 * len(lines)) / 2 + (4.5 if lines else 5)
    text(x + width / 2, top, title, 13, INK, "middle", weight=600)
    for i, line in enumerate(lines):
        shape = line.startswith("[")
        text(x + width / 2, top + 17 * (i + 1), line, 12 if shape else 11.5, INK if shape else FAINT, "middle",
             MONO if shape else SANS)
    return y + height / 2


def arrow(stage, points, *labels, at=None, anchor="middle"):
    """A line through points with a head at its end; labels stand above one another at `at`."""
    colour = COLOURS[stage][2]
    path = "M" + " L".join(f"{x} {y}" for x, y in points)
    put(f"<path d='{path}' fill='none' stroke='{colour}' stroke-width='1.6' stroke-linejoin='round' "
        f"marker-end='url(#{stage})'/>")
    if labels:
        (x0, y0), (x1, y1) = points[0], points[1]
        x, y = at or ((x0 + x1) / 2, (y0 + y1) / 2 - 7)
        for i, label in enumerate(reversed(labels)):
            text(x, y - 14 * i, label, 11, colour, anchor, MONO if "/" in label or "_" in label else SANS)


def heads():
    put("<defs>")
    for stage, (_, _, colour) in COLOURS.items():
        put(f"<marker id='{stage}' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' markerHeight='7' orient='auto'>"
            f"<path d='M0 0 L8 4 L0 8 z' fill='{colour}'/></marker>")
    put("</defs>")


def resolve(y):
    band("resolve", y, 146, "1", "resolve", "pipeline/generate/resolve.c")
    row = y + 54
    line = row + 30
    data("resolve", 48, row, 190, "request", "options of the caller,", "the preset, the family", height=60)
    data("resolve", 400, row, 210, "settings in force", "steps, sizes, guidance,", "type of products", height=60)
    data("resolve", 690, row, 150, "sampler", "levels of all calls", height=60)
    data("resolve", 920, row, 212, "variants[site][branch]", "what each attention does", "at each row", height=60)
    arrow("resolve", [(238, line), (400, line)], "checked against", "the model's facts", at=(319, line - 8))
    arrow("resolve", [(610, line), (690, line)])
    arrow("resolve", [(650, line), (650, row + 74), (880, row + 74), (880, line), (920, line)])


def encode(y):
    band("text", y, 162, "2", "text, once a prompt", "pipeline/session/text.c")
    row = y + 54
    data("text", 48, row, 176, "prompt", "a red fox, (snow:1.2)", "and a negative one", height=60)
    data("text", 330, row, 150, "ids", "[chunks, 77]", "and a weight each", height=60)
    data("text", 586, row, 176, "states", "[1, 77·chunks, 768]", "of all encoders, joined", height=60)
    data("text", 880, row, 252, "keys and values", "[77·chunks, 320 … 1280]", "of each of 16 cross-attentions", height=60)
    line = row + 30
    arrow("text", [(224, line), (330, line)], "text/prompt/", at=(277, line - 8))
    text(277, line + 16, "text/clip/", 11, COLOURS["text"][2], "middle", MONO)
    arrow("text", [(480, line), (586, line)], "models/clip/", at=(533, line - 8))
    text(533, line + 16, "models/t5/", 11, COLOURS["text"][2], "middle", MONO)
    arrow("text", [(762, line), (880, line)], "to_k, to_v", at=(821, line - 8))
    text(821, line + 16, "condition.c", 11, COLOURS["text"][2], "middle", MONO)
    text(48, row + 88, "No step changes the text, so what it gives to every step is computed here: "
         "values from outside the denoiser's plan.", 12, FAINT)


def denoise(y):
    band("denoise", y, 474, "3", "denoise, for each call of the sampler", "pipeline/generate/generate.c")
    row = y + 54
    line = row + 30
    data("denoise", 48, row, 150, "latents", "[4, 64, 64]", "at first noise", height=60)
    data("denoise", 318, row, 168, "sample", "[B, 64, 64, 4]", "B branches of guidance", height=60)
    data("denoise", 664, row, 168, "output", "[B, 64, 64, 4]", "a prediction a branch", height=60)
    data("denoise", 980, row, 152, "noise_pred", "[4, 64, 64]", "one prediction", height=60)
    arrow("denoise", [(198, line), (318, line)], "scaled, copied", at=(258, line - 8))
    arrow("denoise", [(486, line), (664, line)], "models/unet/", "run by backends/", at=(575, line - 8))
    arrow("denoise", [(832, line), (980, line)], "sampling/guidance/", at=(906, line - 8))
    arrow("denoise", [(1056, row + 60), (1056, row + 92), (123, row + 92), (123, row + 60)], "a step: sampling/samplers/",
          at=(320, row + 86))

    # Inside the evaluation: one transformer block, then its cross-attention.
    inner = y + 180
    _, frame, words = COLOURS["attention"]
    put(f"<path d='M575 {line + 6} L575 {inner}' stroke='{words}' stroke-width='1.4' stroke-dasharray='2 4'/>")
    rectangle(48, inner, 1084, 270, COLOURS["attention"][0], frame, 10, "5 4")
    text(66, inner + 27, "inside: one of the U-Net's 16 transformer blocks", 14, INK, weight=700)
    text(1114, inner + 26, "models/unet/transformer.c", 11, words, "end", MONO)
    steps = inner + 46
    boxes = [(66, 118, "hidden", "[G, H·W, C]"), (286, 118, "hidden", "[G, H·W, C]"), (566, 118, "hidden", "[G, H·W, C]"),
             (846, 118, "hidden", "[G, H·W, C]")]
    for x, width, title, shape in boxes:
        data("attention", x, steps, width, title, shape)
    line = steps + 21
    arrow("attention", [(184, line), (286, line)], "self-attention", at=(235, line - 8))
    arrow("attention", [(404, line), (566, line)], "cross-attention", at=(485, line - 8))
    arrow("attention", [(684, line), (846, line)], "feed-forward: GEGLU", at=(765, line - 8))
    text(980, line - 3, "G ≤ B: rows that are still", 11.5, FAINT)
    text(980, line + 13, "equal are computed once", 11.5, FAINT)
    put(f"<path d='M485 {line + 6} L485 {steps + 80}' stroke='{words}' stroke-width='1.4' stroke-dasharray='2 4'/>")

    core = steps + 80
    rectangle(66, core, 1048, 128, "#ffffff", frame, 10, "5 4")
    text(82, core + 24, "inside: attention in tiles, a head at a time", 13, INK, weight=700)
    text(1098, core + 23, "kernels/attention.c", 11, words, "end", MONO)
    row = core + 44
    data("attention", 82, row, 150, "queries", "[H·W, d]")
    data("attention", 330, row, 176, "logits of a tile", "[queries, keys]")
    data("attention", 624, row, 176, "weights of a tile", "[queries, keys]")
    data("attention", 900, row, 140, "out", "[H·W, d]")
    line = row + 21
    arrow("attention", [(232, line), (330, line)], "Q·Kᵀ / √d", at=(281, line - 8))
    arrow("attention", [(506, line), (624, line)], "row of the", "variant", at=(565, line - 8))
    arrow("attention", [(800, line), (900, line)], "· V", at=(850, line - 8))
    text(82, row + 67, "PLADIS is such a row:  weights = dense + λ·(sparse − dense),  dense = softmax(logits),  "
         "sparse = α-entmax(logits).  No map is ever stored.", 12, INK)


def decode(y):
    band("decode", y, 138, "4", "decode", "pipeline/session/session.c")
    row = y + 54
    data("decode", 48, row, 150, "latents", "[4, 64, 64]", height=60)
    data("decode", 420, row, 176, "pixels", "[3, 512, 512]", "−1 … 1", height=60)
    data("decode", 760, row, 150, "picture", "[512, 512, 3]", "8 bit", height=60)
    data("decode", 1010, row, 122, "fox.png", "with its settings", height=60)
    line = row + 30
    arrow("decode", [(198, line), (420, line)], "scale undone,  models/kl/", at=(309, line - 8))
    arrow("decode", [(596, line), (760, line)], "rounded", at=(678, line - 8))
    arrow("decode", [(910, line), (1010, line)], "io/pictures/", at=(960, line - 8))


def main():
    bands = [(resolve, 146), (encode, 162), (denoise, 474), (decode, 138)]
    gap = 34
    height = 24 + sum(size for _, size in bands) + gap * (len(bands) - 1) + 24
    put(f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height}' viewBox='0 0 {WIDTH} {height}'>")
    put("<title>The journey of a prompt, with shapes at SD 1.5 and 512×512</title>")
    heads()
    put(f"<rect width='{WIDTH}' height='{height}' fill='#ffffff'/>")
    tops = [24]
    for _, size in bands:
        tops.append(tops[-1] + size + gap)
    for (draw, _), y in zip(bands, tops):
        draw(y)
    # What a stage gives to the next.
    arrow("text", [(1006, tops[1] + 114), (1006, tops[2])])
    text(1016, tops[2] - 12, "into every evaluation", 12, COLOURS["text"][2])
    arrow("denoise", [(170, tops[2] + 474), (170, tops[3] + 54)])
    text(180, tops[3] - 12, "after the last step", 12, COLOURS["denoise"][2])
    put("</svg>")
    path = sys.argv[1] if len(sys.argv) > 1 else "docs/images/journey.svg"
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(picture) + "\n")


main()
