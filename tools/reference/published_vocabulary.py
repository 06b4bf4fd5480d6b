#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A tokenizer folder (vocab.json, merges.txt, tokenizer_config.json) from CLIP's published list of merges.

    published_vocabulary.py bpe_simple_vocab_16e6.txt.gz DIR [PAD_TOKEN]

For tools/reference/tokenizer_cases.py, which asks transformers' CLIPTokenizer in DIR for the ids that the program
must find from the list itself.
"""
import gzip
import json
import sys
from pathlib import Path

SPECIAL = 2
BYTES = 256
TOKENS = 49152


def letters():
    """The letters that stand for bytes, in the order of their ids: printable ones first."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(BYTES) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(BYTES + i) for i in range(len(others))]


def main():
    source, folder = sys.argv[1], Path(sys.argv[2])
    lines = gzip.open(source, "rt", encoding="utf-8").read().split("\n")
    merges = lines[1:TOKENS - BYTES - SPECIAL + 1]
    pieces = letters()
    pieces += [piece + "</w>" for piece in pieces]
    pieces += [merge.replace(" ", "") for merge in merges]
    pieces += ["<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({piece: i for i, piece in enumerate(pieces)}, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "bos_token": "<|startoftext|>",
        "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "pad_token": sys.argv[3] if len(sys.argv) > 3 else "<|endoftext|>"}))


if __name__ == "__main__":
    main()
