#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hard prompts and the ids that transformers' CLIPTokenizer gives them, as JSON for test_clip_tokenizer.

    tokenizer_cases.py --tokenizer DIR [--tokenizer DIR …] --out FILE [--count N] [--seed S] [--fixed-only | --bytes]

Each case is {"folder", "text", "ids"}; ids include start and end token and are not cut. "folder" is the base
name of DIR. The prompts are generated: fixed ones for known traps, then random mixtures of scripts, marks, signs,
spaces, contractions and special tokens. With --bytes they are bytes that are not UTF-8, as {"folder", "bytes": hex
digits, "text", "ids"}: the text is what Python's decoder makes of them with U+FFFD for what it cannot decode.
"""
import argparse
import json
import random
import unicodedata
from pathlib import Path

from transformers import CLIPTokenizer

FIXED = [
    "", " ", "\t\n\r\v\f", "\u0000", "a\u0000b", "\x1c\x1d\x1e\x1f", "\u0085\u00a0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000",
    "a\u180eb", "a\u200bb", "\ufeffa", "a\u2060b", "\u00adsoft", "İSTANBUL", "ΑΣ ΣΑΣ Σ", "STRAßE ẞ", "ǅ ǈ ǋ ǲ", "ŉ ǰ ΐ",
    "\u1e9b\u0323", "e\u0301", "\u0065\u0323\u0307 e\u0307\u0323", "A\u030a \u212b \u00c5", "\u2126 \u212a", "ﬁ ﬃ", "①②③ Ⅷ ⅷ ½ ²",
    "가각힣", "\u1100\u1161\u11a8", "\u1112\u1161\u11ab\u1100\u1173\u11af", "ภาษาไทย ๑๒๓", "日本語のテキスト、漢字", "한국어 텍스트", "हिन्दी क्षेत्र १२३",
    "العَرَبِيَّة ١٢٣", "עִבְרִית", "ⓐⒶ", "👩‍👩‍👧‍👦 👍🏽 🏳️‍🌈 🇩🇪", "✂︎✂️", "a\u0300\u0301\u0302\u0303" + "\u0304" * 40, "\u0301\u0301x", "\u0327\u0301\u0328",
    "it's I'm we're they've she'll he'd don't", "IT'S I'M WE'RE", "'s't're've'm'll'd", "''s '''t", "’s ‘t", "a'sb", "''", "'", "' s",
    "<|startoftext|>", "<|endoftext|>", "<|ENDOFTEXT|>", "<|StartOfText|> x", "a<|endoftext|>b", "<<|endoftext|>>", "<|endoftext|>'s", "<|endoftext|", "<|endoftext |>",
    "<|endo\u0301ftext|>", "<|endoftext|><|startoftext|><|endoftext|>", "<|startoftext|>" * 5, "!", "!!", "a!b", "!!!?!", "! !", "hello!world", "!\u0301", "\uff01",
    "a&amp;b &lt;i&gt;", "<i>x</i> </w>", "a</w>b", "http://example.com/?q=1&r=2#top", "user@example.com", "C:\\path\\file.txt", "f(x)=x^2+1;", "#hashtag @name",
    "3.14159 1,000,000 10:30 50%", "a_b-c.d", "CamelCaseWORDS", "ALL CAPS TEXT", "ÀÉÎÕÜ ÿŸ", "ĲĳŒœÆæ", "Привет МИР", "ЁЙ ё\u0306", "Ελληνικά ΆΈΉΊΌΎΏ",
    "𝒜𝓑𝔠 𝟘𝟙𝟚", "𐐀𐐨 𞤀𞤢", "Ᏸ ᏸ Ꮿ", "Ⴀ ა Ა", "\ua7cb\ua7cc\ua7da\ua7dc", "\u1c89\u1c8a", "\U00010d50\U00010d65", "\U0002ebf0\U00031350", "\U0001e030\U0001e4d0",
    "\U00016ea0\U00016eb8", "\U00010d40\U00011f50", "\u0378\u0379", "\U000e0001\U000e0041", "\ue000\uf8ff\U000f0000", "\ufffd\uffff\ufffe", "\U0010ffff",
    "x" * 300, "ab" * 200, "😀" * 60, "日" * 100, "1" * 100, "a1" * 60, "- " * 90, "." * 200, "a." * 80,
]

RANGES = [
    (0x20, 0x7E), (0x20, 0x7E), (0x61, 0x7A), (0x41, 0x5A), (0x30, 0x39), (0x21, 0x2F), (0xA0, 0xFF), (0x100, 0x24F), (0x250, 0x2AF),
    (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x531, 0x58F), (0x591, 0x5F4), (0x600, 0x6FF), (0x900, 0x97F), (0xE00, 0xE7F),
    (0xF00, 0xFFF), (0x1000, 0x109F), (0x10A0, 0x10FF), (0x1100, 0x11FF), (0x13A0, 0x13FF), (0x1AB0, 0x1AFF), (0x1C80, 0x1CBF),
    (0x1DC0, 0x1DFF), (0x1E00, 0x1FFF), (0x2000, 0x206F), (0x2070, 0x209F), (0x20D0, 0x20FF), (0x2100, 0x218F), (0x2460, 0x24FF),
    (0x2600, 0x27BF), (0x2C00, 0x2DFF), (0x3000, 0x30FF), (0x3131, 0x318E), (0x4E00, 0x4FFF), (0xA640, 0xA69F), (0xA720, 0xA7FF),
    (0xAC00, 0xAFFF), (0xF900, 0xFAFF), (0xFB00, 0xFB4F), (0xFE00, 0xFE2F), (0xFF00, 0xFFEF), (0x10400, 0x104FF), (0x10D40, 0x10D8F),
    (0x11F00, 0x11F5F), (0x1D100, 0x1D1FF), (0x1D400, 0x1D7FF), (0x1E000, 0x1E0FF), (0x1E900, 0x1E95F), (0x1F300, 0x1FAFF), (0x20000, 0x20100),
    (0x2F800, 0x2FA1F), (0x0, 0x10FFFF),
]

PIECES = [
    " ", "  ", "\t", "\n", "'s", "'T", "'re", "'VE", "'m", "'LL", "'d", "'", "''", "<|endoftext|>", "<|startoftext|>", "<|ENDOFTEXT|>", "<|", "|>",
    "!", "!!", "\u200d", "\ufe0f", "\u0301", "\u0323", "\u0327", "\u0345", "\u3099", "\u1100\u1161", "İ", "ς", "Σ", "ß", "ẞ", "Ǆ", "ǅ", "\u00a0", "\u0085", "\u180e", "\u2028", "\x1f",
    "a photo of", "cat", "THE", "of", "the", "ing", "in", "red fox", "masterpiece", "1girl", "4k", ",", ", ", ".", "-", "_", "&amp;", "👩‍🚀",
]


BYTES = [
    b"caf\xe9", b"\xe9", b"a \xff b", b"\xfe\xff", b"\xff\xfea\x00", b"\x80", b"\xbf\xbf", b"\xc3", b"\xc3(", b"a\xe2\x82", b"\xe2\x82a", b"\xe2(\xa1",
    b"\xf0\x9f\x98", b"\xf0\x9f\x98a", b"\xf0\x9f", b"\xf0(\x8c\xbc",
    b"\xc0\x80", b"\xc1\xbf", b"\xe0\x80\x80", b"\xe0\x9f\xbf", b"\xf0\x80\x80\x80", b"\xf0\x8f\xbf\xbf", b"\xc0\xaf etc",      # overlong
    b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xed\xa0\xbd\xed\xb8\x80 smile", b"\xed\x9f\xbf \xee\x80\x80", b"a\xed\xb0\x80b",         # surrogates, CESU-8
    b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80", b"\xf4\x8f\xbf\xbf",         # beyond
    b"a\x00b", b"\x00", b"\xef\xbb\xbfa", b"a\xef\xbb\xbfb", b"\xef\xbf\xbd", b"\xef\xbf\xbe\xef\xbf\xbf", b"\xef\xb7\x90", b"\xf0\x9f\xbf\xbe",
    b"na\xefve caf\xe9 fa\xe7ade", "наивный".encode("cp1251"), "赤い星".encode("shift-jis"), "a “quoted” word".encode("cp1252"), "é".encode("utf-16"),
    b"<|endoftext|>\xff<|endoftext|>", b"it\xe9's", b"1\xff2", b"\xff,\xff", b"A\xffB", b"\xcc\x81\xff\xcc\x81",
]


def random_bytes(source):
    text = random_prompt(source).encode()
    for _ in range(source.randint(1, 3)):
        place = source.randint(0, len(text))
        text = text[:place] + bytes([source.randint(0x80, 0xFF)]) + text[place + source.randint(0, 2):]
    return text


def random_character(source):
    while True:
        value = source.randint(*source.choice(RANGES))
        if not 0xD800 <= value < 0xE000:
            return chr(value)


def random_prompt(source):
    parts = []
    for _ in range(source.randint(1, 14)):
        kind = source.random()
        if kind < 0.35:
            parts.append(source.choice(PIECES))
        elif kind < 0.6:
            low, high = source.choice(RANGES[:-1])
            parts.append("".join(chr(source.randint(low, high)) for _ in range(source.randint(1, 8))))
        elif kind < 0.75:
            marks = [chr(source.choice([0x300, 0x323, 0x327, 0x328, 0x345, 0x5B0, 0x64B, 0x653, 0x3099, 0x1D165, 0x302A, 0x20D0])
                         + source.choice([0, 0, 0, 1, 2])) for _ in range(source.randint(1, 5))]
            parts.append(source.choice("aeoAEOsnεΩиが가क") + "".join(marks))
        else:
            parts.append(random_character(source))
    text = "".join(parts)
    return unicodedata.normalize("NFD", text) if source.random() < 0.2 else text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokenizer", action="append", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--count", type=int, default=150, help="random prompts per tokenizer (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fixed-only", action="store_true")
    parser.add_argument("--bytes", action="store_true")
    options = parser.parse_args()
    source = random.Random(options.seed)
    cases = []
    for folder in options.tokenizer:
        tokenizer = CLIPTokenizer.from_pretrained(folder)
        if options.bytes:
            for data in BYTES + [random_bytes(source) for _ in range(options.count)]:
                text = data.decode("utf-8", errors="replace")
                cases.append({"folder": Path(folder).name, "bytes": data.hex(), "text": text,
                              "ids": tokenizer(text)["input_ids"]})
            continue
        prompts = FIXED + ([] if options.fixed_only else [random_prompt(source) for _ in range(options.count)])
        for text in prompts:
            cases.append({"folder": Path(folder).name, "text": text, "ids": tokenizer(text)["input_ids"]})
    rows = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    Path(options.out).write_text('{"cases":[\n' + rows + "\n]}\n")


if __name__ == "__main__":
    main()
