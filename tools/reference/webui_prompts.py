#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What AUTOMATIC1111's web UI makes of prompts: parts with weights, and chunks, for test_prompt_weights and test_prompt_chunks.

    webui_prompts.py --webui DIR --tokenizer DIR --out FILE [--count N] [--seed S]

The first DIR is a checkout of the web UI, of which modules/prompt_parser.py and modules/sd_hijack_clip.py are run; what
else they import is replaced by stand-ins. The second is a CLIP tokenizer whose padding is its end token. Each case is
{"text", "parts": [[text, weight], …], "chunks": [{"ids", "weights"}, …]}: ids with start and end token and without
padding; no weights where all are 1. The settings are the web UI's own: emphasis "Original", comma_padding_backtrack 20.
"""
import argparse
import json
import random
import sys
import types
from pathlib import Path

import torch  # noqa: F401: before the stand-ins, which its import would stumble over
from transformers import CLIPTokenizer

FIXED = [
    "", " ", "a cat", "(cat)", "((cat:1.3))", "( cat : 1.25 )", "(cat: 1.25 )", "(cat :1.25)", "(cat:\\t1.5\\n)", "(cat:)", "(cat: )",
    "(cat:.5)", "(cat:1.)", "(cat:+1.5)", "(cat:-1)", "(cat:0)", "(cat:1e3)", "(cat:1,5)", "(cat:abc)", "(:1.5)", "(1.5)", ":1.5)",
    "[cat:1.2]", "[cat]", "[[cat]]", "[cat", "cat]", "[(cat:1.3)]", "([cat]:1.3)", "[cat (dog] bird:1.2)", "(cat [dog) bird]",
    "(a (b [c (d:1.5)]))", "(((", ")))", "][", "()", "[]", "(())", "(a)(b)", "(a:1.1)(b:1.1)", "[a:b:0.5]", "[a|b]", "[a::0.5]", "time 12:30",
    "\\", "\\\\", "\\\\\\", "a\\", "\\a", "a\\b", "a\\\\b", "\\(cat\\)", "\\[cat\\]", "\\(cat)", "(cat\\)", "(cat\\:1.2)", "\\:", "\\ a", "(a\\)b:1.2)",
    "C:\\path (x:1.2)", "\\\\(cat)", "\\\\\\(cat)", "a_\\(b\\) \\", "(\\)", "[\\]", "\\BREAK", "BREAK\\", "B\\REAK", "(B\\REAK:-1)",
    "BREAK", "a BREAK", "BREAK a", "a BREAK b", "a BREAK BREAK b", "BREAK BREAK", "a BREAK BREAK", "a BREAK ", "a\nBREAK\nb", "aBREAK b", "a_BREAK b",
    "BREAK, a", "a,BREAK,b", "break Break", "BREAKS", "(a BREAK b)", "(a BREAK b:1.2)", "(a BREAK b:1)", "(a BREAK b:-1)", "(a BREAK b:0)",
    "[a BREAK b]", "((a BREAK b:-1):-1)", "[(BREAK)]", "(BREAK:1)", "(BREAK:-1)", "(a) BREAK [b]", "a BREAK (b BREAK c", "(a:1.0) BREAK b", "[(a BREAK b:1.1)]",
]

TAG = ["red", "a small house", "cat", "the blue star on the hill", "masterpiece", "photo of a (ring:1.2)", "[night]", "at 12:30",
       "1girl", "of the a in on of the a in on of the a in on of the", "BREAK", ",", "...", "\\(x\\)"]


def long_prompts(source, count):
    """Commas at every place before the end of a chunk, then tags at random."""
    for behind in (*range(0, 24), 40, 74):
        yield "a " * (74 - behind) + ", " + "of " * (behind + 30)
    yield ", " * 200
    yield "a " * 74 + ", , , b, c"
    yield "a " * 75 + ", b c"
    yield "a " * 70 + "(, of the:1.3) in [of the hill]"
    yield "a, " * 30 + "BREAK " + "a, " * 60
    yield "a " * 60 + ", " + "of " * 15 + "BREAK"
    yield "a " * 60 + ", " + "of " * 15 + "BREAK " + "of " * 80
    yield "a " * 75 + "BREAK"
    for _ in range(count):
        tags = [source.choice(TAG) for _ in range(source.randint(10, 60))]
        yield "".join(tag + source.choice([", ", ", ", ", ", " ", ",", " BREAK "]) for tag in tags)


def random_syntax(source):
    pieces = ["(", ")", "[", "]", ":", "\\", "BREAK", " ", "a", "cat", ",", "1.2", "-1", ":1.3)", ": 0.8 )", "\\(", "\\]", "|", "B", "_", "\n"]
    return "".join(source.choice(pieces) for _ in range(source.randint(1, 14)))


class Anything(types.ModuleType):
    """A stand-in for a module of which nothing is used."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *arguments, **named: None


def load(webui):
    """The web UI's parser, and its tokenize_line on a tokenizer."""
    sys.path.insert(0, str(webui))
    package = types.ModuleType("modules")
    package.__path__ = [str(webui / "modules")]
    sys.modules["modules"] = package
    if "lark" not in sys.modules:
        sys.modules["lark"] = Anything("lark")
    for name in ("devices", "sd_hijack", "sd_emphasis", "shared"):
        sys.modules[f"modules.{name}"] = Anything(f"modules.{name}")
        setattr(package, name, sys.modules[f"modules.{name}"])
    package.shared.opts = types.SimpleNamespace(emphasis="Original", comma_padding_backtrack=20)
    from modules import prompt_parser, sd_hijack_clip
    return prompt_parser.parse_prompt_attention, sd_hijack_clip.FrozenCLIPEmbedderWithCustomWords


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--webui", type=Path, required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=60, help="random prompts, short and long")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    parse, embedder = load(options.webui)
    tokenizer = CLIPTokenizer.from_pretrained(options.tokenizer)
    no_embedding = types.SimpleNamespace(find_embedding_at_position=lambda tokens, place: (None, None))
    encoder = embedder(types.SimpleNamespace(tokenizer=tokenizer), types.SimpleNamespace(embedding_db=no_embedding))
    source = random.Random(options.seed)
    prompts = FIXED + [random_syntax(source) for _ in range(4 * options.count)] + list(long_prompts(source, options.count))
    cases = []
    for text in prompts:
        try:
            parts = parse(text)
        except ValueError:  # a number that is none, at which the web UI gives up
            continue
        chunks = []
        for chunk in encoder.tokenize_line(text)[0]:
            length = len(chunk.tokens)
            while length > 2 and chunk.tokens[length - 2] == tokenizer.eos_token_id:
                length -= 1
            weights = chunk.multipliers[:length]
            chunks.append({"ids": chunk.tokens[:length]} | ({} if all(w == 1 for w in weights) else {"weights": weights}))
        cases.append({"text": text, "parts": parts, "chunks": chunks})
    rows = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    options.out.write_text('{"cases":[\n' + rows + "\n]}\n")
    print(f"{len(cases)} prompts")


if __name__ == "__main__":
    main()
