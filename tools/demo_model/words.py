"""Write the words of the captions into a model's pladis.json, from which the program knows what it was not trained on.

    python tools/demo_model/words.py --model models/demo

The words are read off captions as the training draws them, cut as the tokenizer cuts them. The program shows the first
ones to people, so shapes and colours stand first, then what the rest of the grammar says.
"""
import argparse
import json
import pathlib
import re

import numpy as np

import captions
import world

WORD = re.compile(r"[a-z]+|[0-9]")          # captions have no other letters


def words_of(text):
    return WORD.findall(text.lower())


def trained_words(seed=0, each=4000):
    """The distinct words of captions of the training split."""
    rng = np.random.default_rng(seed)
    found = set()
    for category in world.CATEGORIES:
        for _ in range(each):
            found.update(words_of(captions.caption_of(rng, world.spec_of_split(rng, category, "train"))))
    named = [*world.SHAPES, *world.COLOURS, *captions.PLURALS.values()]
    for table in (captions.SIZE_WORDS, captions.RELATION_WORDS, captions.NUMBERS, captions.SHEET_WORDS):
        named += [text for texts in table.values() for text in texts]
    order = list(dict.fromkeys(word for text in named for word in words_of(text)))
    missing = set(order) - found
    assert not missing, f"more captions must be drawn to meet {sorted(missing)}"
    return order + sorted(found - set(order))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    path = parser.parse_args().model / "pladis.json"
    settings = json.loads(path.read_text()) if path.exists() else {}
    settings["trained_words"] = trained_words()
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in settings.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(len(settings["trained_words"]), "words")


if __name__ == "__main__":
    main()
