"""A byte-level BPE in CLIP's format, learnt from the captions until every word of them is one token."""
import collections
import json
import re

import numpy as np
import regex
from transformers import CLIPTokenizer

import captions
import world

START, END = "<|startoftext|>", "<|endoftext|>"
POSITIONS = 32
SPLIT = regex.compile(r"\p{L}+|\p{N}|[^\s\p{L}\p{N}]+")


def byte_alphabet():
    """byte -> printable character, printable bytes first, as CLIP orders them."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    table = {b: chr(b) for b in printable}
    rest = [b for b in range(256) if b not in table]
    table.update({b: chr(256 + i) for i, b in enumerate(rest)})
    return table


def joined(word, pair):
    out, i = [], 0
    while i < len(word):
        step = 2 if word[i:i + 2] == pair else 1
        out.append("".join(word[i:i + step]))
        i += step
    return tuple(out)


def learn(corpus):
    """(vocabulary, merges) under which no word of the corpus is split."""
    table, words = byte_alphabet(), collections.Counter()
    for line in corpus:
        for token in SPLIT.findall(re.sub(r"\s+", " ", line).strip().lower()):
            symbols = [table[b] for b in token.encode()]
            words[(*symbols[:-1], symbols[-1] + "</w>")] += 1
    vocabulary = list(table.values()) + [c + "</w>" for c in table.values()]
    merges = []
    while pairs := sum((collections.Counter({p: n for p in zip(w, w[1:])}) for w, n in words.items()),
                       collections.Counter()):
        best = max(pairs, key=lambda p: (pairs[p], p))
        merges.append(best)
        if "".join(best) not in vocabulary:
            vocabulary.append("".join(best))
        words = collections.Counter({joined(w, best): n for w, n in words.items()})
    return {token: i for i, token in enumerate([*vocabulary, START, END])}, merges


def corpus(seed=0, each=700):
    rng = np.random.default_rng(seed)
    return [captions.caption_of(rng, world.random_spec(rng, c)) for c in world.CATEGORIES for _ in range(each)]


def write(folder):
    """The four files of a published Stable Diffusion tokenizer folder."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary, merges = learn(corpus())
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges), encoding="utf-8")

    def special(content):
        return {"content": content, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False}

    roles = {"bos_token": START, "eos_token": END, "unk_token": END}
    (folder / "special_tokens_map.json").write_text(json.dumps(
        {**{role: special(token) for role, token in roles.items()}, "pad_token": END}, indent=2) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "add_prefix_space": False, **{r: {"__type": "AddedToken", **special(t)} for r, t in roles.items()},
        "do_lower_case": True, "errors": "replace", "model_max_length": POSITIONS, "pad_token": END,
        "tokenizer_class": "CLIPTokenizer"}, indent=2) + "\n")


def load(folder):
    return CLIPTokenizer.from_pretrained(folder)


def ids_of(tokenizer, texts):
    """Token ids (n, POSITIONS), padded with the end token as the pipeline pads them."""
    return tokenizer(list(texts), padding="max_length", max_length=POSITIONS, truncation=True,
                     return_tensors="pt").input_ids
