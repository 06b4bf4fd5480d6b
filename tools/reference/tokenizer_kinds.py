#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cases for test_tokenizers, with the ids of the tokenizers library and of sentencepiece.

    tokenizer_kinds.py kinds FILE                 small tokenizers of every option, with their files
    tokenizer_kinds.py published FOLDER FILE      prompts for FOLDER/qwen3 and FOLDER/t5 as ./dev setup fetches them

"kinds": {"tokenizers": [{"name", "json" or "model" (base64), "configuration", "cases": [{"text", "ids"}]}]};
"published": {"qwen3": [{"text", "ids"}], "t5": […]}. Ids are without what goes before and behind a text.
"""
import base64
import gzip
import json
import struct
import sys
from pathlib import Path

import sentencepiece
from tokenizers import Tokenizer

MARK = "\u2581"
TEXTS = [
    "", " ", "a", "ab", "abab ab", " ab  ab ", "aaaa aaa", "ba\tab\nab", "xyz", "x aé b", "é", "日本 ab", "😀", "a😀😀b", "<s>", "a <s> b", "a<s>b", "<mask> ab", "ab <mask>",
    "ab<word>ab", "ab <word> ab", "AB ab Ab", "<low> a <LOW>", "it's ab's 12 345", "ab,ab. ab!", MARK + "ab", MARK + MARK + " ab", "a" + MARK + "b", "\u00a0ab\u2003", "e\u0301", "éx e\u0301x", "ﬁ ①",
    "a" * 40, "  a   b  ", "ab\r\nab", "\u0085", "<0x41>", "ab <s><s> ab", "\u0301a", "-ab--ab-", "a-b", "--", "\uff21\u0301 \uff1cs\uff1e", "<t><t>", "<t", "t> ab",
]
LETTERS = list("ab xt<>-sé,.'") + [MARK]


def byte_letters():
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {**{b: chr(b) for b in printable}, **{b: chr(0x100 + i) for i, b in enumerate(others)}}


def added(identity, content, **flags):
    return {"id": identity, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
            "special": True, **flags}


def document(model, normalizer=None, pre_tokenizer=None, tokens=()):
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": list(tokens), "normalizer": normalizer,
            "pre_tokenizer": pre_tokenizer, "post_processor": None, "decoder": None, "model": model}


def bpe(pieces, merges, **options):
    return {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
            "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, **options,
            "vocab": {piece: i for i, piece in enumerate(pieces)}, "merges": merges}


def unigram(scores, **options):
    return {"type": "Unigram", "unk_id": 0, "byte_fallback": False, **options, "vocab": scores}


def sequence(kind, *steps):
    return {"type": "Sequence", kind: list(steps)}


def split(pattern, behavior, invert=False, literal=False):
    return {"type": "Split", "pattern": {"String" if literal else "Regex": pattern}, "behavior": behavior, "invert": invert}


def replace(pattern, content, literal=True):
    return {"type": "Replace", "pattern": {"String" if literal else "Regex": pattern}, "content": content}


BYTES = list(byte_letters().values())
BYTE_PIECES = [f"<0x{i:02X}>" for i in range(256)]
BYTE_MERGES = [["a", "b"], ["Ġ", "ab"], ["a", "a"], ["aa", "aa"], ["aa", "a"], ["1", "2"]]
BYTE_VOCABULARY = BYTES + ["".join(m) for m in BYTE_MERGES] + ["abab"]
CHARACTERS = ["<unk>"] + LETTERS
CHARACTER_MERGES = ["a b", MARK + " ab", "a a", "aa a", "a aa", "aa aa", MARK + " " + MARK, "ab ab"]
CHARACTER_VOCABULARY = CHARACTERS + sorted({m.replace(" ", "") for m in CHARACTER_MERGES})
SCORES = [["<unk>", 0.0], ["<s>", 0.0], [MARK, -2.5], ["a", -3.1], ["b", -3.3], [MARK + "a", -4.0], ["ab", -4.2], [MARK + "ab", -4.9], ["aa", -5.0],
          ["-", -6.0], ["é", -6.5], ["x", -7.25], ["aaaa", -7.5], ["'", -8.0], [",", -8.125], ["fi", -9.0], ["1", -9.5], ["A", -10.0], ["<", -11.0], [">", -11.0], ["s", -9.0], [" ", -7.0]]
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}


def metaspace(scheme, splits=True):
    return {"type": "Metaspace", "replacement": MARK, "prepend_scheme": scheme, "split": splits}


def kinds():
    n = len(BYTE_VOCABULARY)
    flags = [added(n, "<s>"), added(n + 1, "<mask>", lstrip=True), added(n + 2, "<word>", single_word=True, special=False),
             added(n + 3, "<t>", rstrip=True), added(n + 4, "<tt>"), added(n + 5, "e\u0301x", normalized=True, special=False)]
    c = len(CHARACTER_VOCABULARY)
    yield "byte_flags", document(bpe(BYTE_VOCABULARY, BYTE_MERGES), {"type": "NFC"}, sequence("pretokenizers", split(r"\p{L}+|\s+", "Isolated"), BYTE_LEVEL), flags)
    yield "byte_regex", document(bpe(BYTE_VOCABULARY, BYTE_MERGES), None, {**BYTE_LEVEL, "use_regex": True}, flags[:1])
    yield "byte_prefix", document(bpe(BYTE_VOCABULARY, BYTE_MERGES, ignore_merges=True), None, {**BYTE_LEVEL, "use_regex": True, "add_prefix_space": True}, flags[:2])
    yield "byte_missing", document(bpe(["<unk>", "a", "b", "ab"], [["a", "b"]], unk_token="<unk>"), None, BYTE_LEVEL)
    yield "byte_missing_fused", document(bpe(["<unk>", "a", "b", "ab"], [["a", "b"]], unk_token="<unk>", fuse_unk=True), None, BYTE_LEVEL)
    for behavior in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"):
        for invert in (False, True):
            yield f"split_{behavior}_{invert}", document(bpe(CHARACTER_VOCABULARY, CHARACTER_MERGES, unk_token="<unk>"), replace(" ", MARK), split("-", behavior, invert, True))
    yield "spm_fused", document(bpe(CHARACTER_VOCABULARY, CHARACTER_MERGES, unk_token="<unk>", fuse_unk=True), replace(" ", MARK), None, [added(c, "<s>"), added(CHARACTER_VOCABULARY.index(MARK + MARK), MARK + MARK, special=False)])
    yield "spm_no_unknown", document(bpe(CHARACTER_VOCABULARY, CHARACTER_MERGES), None, metaspace("first"), [added(c, "<s>")])
    yield "spm_bytes", document(bpe(CHARACTER_VOCABULARY + BYTE_PIECES, CHARACTER_MERGES, unk_token="<unk>", fuse_unk=True, byte_fallback=True), sequence("normalizers", {"type": "Prepend", "prepend": MARK}, replace(" ", MARK)))
    yield "spm_some_bytes", document(bpe(CHARACTER_VOCABULARY + BYTE_PIECES[0xC0:0xE8] + BYTE_PIECES[0x80:0xB0], CHARACTER_MERGES, unk_token="<unk>", byte_fallback=True), None, None)
    yield "spm_ignore_merges", document(bpe(CHARACTER_VOCABULARY + ["abx"], CHARACTER_MERGES, unk_token="<unk>", ignore_merges=True), None, {"type": "WhitespaceSplit"})
    for scheme in ("always", "first", "never"):
        for splits in (True, False):
            yield f"unigram_{scheme}_{splits}", document(unigram(SCORES), None, metaspace(scheme, splits), [added(1, "<s>")])
    yield "unigram_words", document(unigram(SCORES), {"type": "Strip", "strip_left": True, "strip_right": True}, sequence("pretokenizers", {"type": "WhitespaceSplit"}, metaspace("always")), [added(1, "<s>")])
    yield "unigram_bytes", document(unigram(SCORES + [[p, 0.0] for p in BYTE_PIECES], byte_fallback=True), replace(" {2,}", MARK, False), metaspace("always"))


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def model(pieces, kind, **flags):
    """A SentencePiece model; pieces are (text, score, type)."""
    out = bytearray()
    for text, score, kind_of_piece in pieces:
        out += field(1, field(1, text.encode()) + varint(2 << 3 | 5) + struct.pack("<f", score) + varint(3 << 3) + varint(kind_of_piece))
    trainer = {3: kind, 35: flags.get("byte_fallback", 0), 40: 0, 41: 1, 42: 2, 43: -1}
    out += field(2, b"".join(varint(k << 3) + varint(v) for k, v in trainer.items()))
    out += field(3, b"".join(varint(k << 3) + varint(flags.get(n, 1)) for k, n in ((3, "prefix"), (4, "extra"), (5, "escape"))))
    return bytes(out)


def models():
    special = [("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3)]
    letters = [(c, -20.0 - i, 1) for i, c in enumerate([MARK, *"abxsté,.-'<>"])]
    merged = [("ab", -1.0, 1), (MARK + "ab", -2.0, 1), ("aa", -3.0, 1), ("aaa", -0.5, 1), ("abab", -4.0, 1), (MARK + MARK, -5.0, 1)]
    data = [(f"<0x{i:02X}>", 0, 6) for i in range(256)]
    yield "plain_bpe", special + letters + merged, 2, {}
    yield "plain_bpe_bytes", special + data + letters + merged, 2, {"byte_fallback": 1}
    yield "plain_bpe_spaces", special + letters + merged, 2, {"extra": 0}
    yield "plain_unigram", special + letters + merged, 1, {}
    yield "plain_unigram_bytes", special + data + letters + merged, 1, {"byte_fallback": 1, "extra": 0}


def write_kinds(path):
    rows = []
    for name, described in kinds():
        tokenizer = Tokenizer.from_str(json.dumps(described))
        rows.append({"name": name, "json": described, "cases": [{"text": t, "ids": tokenizer.encode(t, add_special_tokens=False).ids} for t in TEXTS]})
    for name, pieces, kind, flags in models():
        data = model(pieces, kind, **flags)
        processor = sentencepiece.SentencePieceProcessor(model_proto=data)
        cases = [{"text": t, "ids": processor.encode(t)} for t in TEXTS if "<s>" not in t and "<0x" not in t]  # transformers finds special pieces in texts
        rows.append({"name": name, "model": base64.b64encode(data).decode(), "configuration": {"tokenizer_class": "PreTrainedTokenizerFast"}, "cases": cases})
    path.write_text(json.dumps({"tokenizers": rows}, ensure_ascii=False))


PROMPTS = [
    "", " ", "a photo of a red fox sitting in deep snow", "an oil painting of an old harbour, 1894, niño & café!", "A  B\t\tC\n\nD\r\n\r\nE", "it's I'M we'Re THEY'LL", "12345 3.14 1,000",
    "日本語のテキスト、漢字", "한국어 텍스트", "العَرَبِيَّة ١٢٣", "हिन्दी क्षेत्र", "ภาษาไทย", "Привет, МИР!", "👩‍👩‍👧‍👦 👍🏽 🇩🇪", "e\u0301 \u1e9b\u0323 ﬁ ① Ａ\u0301", "<|im_start|>user\nhi<|im_end|>", "<think>\n\n</think>\n\nx", "<|IM_START|>",
    "</s> <pad> <unk> <extra_id_0> a<extra_id_99>b", "\u2581a\u2581\u2581b", "   leading and trailing   ", "\u00a0\u3000\u200b\u2028", "masterpiece, best quality, 1girl, (detailed:1.3), [hair|eyes]", "https://example.com/?q=1&r=2#top",
    "def f(x):\n    return x**2  # comment\n", "a" * 200, "ab " * 50, "!" * 100, "\u0085next", "\x00\x01\x7f", "“quotes” — dashes… ‘x’", "ÀÉÎÕÜ ß ẞ ŉ", "𝒜𝓑𝔠 𝟘𝟙", "supercalifragilisticexpialidocious antidisestablishmentarianism",
    "MiXeD CaSe WORDS andCamelCase", "1 girl, 2 cats; 3 dogs: 4 birds", "x\u0323\u0307y\u0307\u0323", "\ufeffbom", "tab\tnew\nline\u000bvt\u000cff", "{\"json\": [1, 2.5, null]}", "C:\\path\\file.txt $HOME `cmd`", "é" * 60,
]


def write_published(folder, path):
    result = {}
    for name, file in (("qwen3", "qwen3/tokenizer.json.gz"), ("t5", "t5/tokenizer.json")):
        data = (folder / file).read_bytes()
        tokenizer = Tokenizer.from_str((gzip.decompress(data) if file.endswith(".gz") else data).decode())
        result[name] = [{"text": t, "ids": tokenizer.encode(t, add_special_tokens=False).ids} for t in PROMPTS]
    path.write_text(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    if sys.argv[1] == "kinds":
        write_kinds(Path(sys.argv[2]))
    else:
        write_published(Path(sys.argv[2]), Path(sys.argv[3]))
