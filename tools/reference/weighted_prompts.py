#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Text states of weighted and long prompts, by transformers, for tests/parity/prompts.c.

    weighted_prompts.py --model DIR --out DIR

DIR of the model is a diffusers folder with text_encoder/ and tokenizer/; OUT gets cases.json and tensors.safetensors.
Where it has text_encoder_2/ and tokenizer_2/ too it is an SDXL: fewer cases, the states of both side by side, counted
from the penultimate and without the final norm, and the pooled embedding of the second's first chunk, unweighted.
The parts of each prompt (text and weight, or BREAK) are written here by hand, so that the parser has no part in them.
Rules, as src/text/prompt/chunks.h states them: each part is tokenised by itself, tokens fill chunks of 75, BREAK ends a
chunk even when it is empty (commas and a BREAK at the end, which no prompt here has near the end of a chunk, are the
matter of webui_prompts.py); each chunk is encoded by itself, each state is multiplied by its token's weight, and the
chunk by old mean / new mean; chunks are joined along the tokens. The means are taken in float64.
"""
import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

BREAK = None
UP, DOWN = 1.1, 1 / 1.1
WORDS = "red blue green star ring cat photo of a small house on the hill at night "

PROMPTS = {
    "empty": ("", [("", 1)]),
    "plain": ("a photo of a cat", [("a photo of a cat", 1)]),
    "round": ("a (red) cat", [("a ", 1), ("red", UP), (" cat", 1)]),
    "square": ("a [red] cat", [("a ", 1), ("red", DOWN), (" cat", 1)]),
    "number": ("a (red:1.5) cat, (dog:0.25)", [("a ", 1), ("red", 1.5), (" cat, ", 1), ("dog", 0.25)]),
    "nested": ("((red) [cat (dog:2)])", [("red", UP * UP), (" ", UP), ("cat ", UP * DOWN), ("dog", UP * DOWN * 2)]),
    "negative": ("a cat (red:-0.5) house", [("a cat ", 1), ("red", -0.5), (" house", 1)]),
    "zero": ("a (cat:0) house", [("a ", 1), ("cat", 0), (" house", 1)]),
    "escaped": (r"a \(cat\) (house:1.3)", [("a (cat) ", 1), ("house", 1.3)]),
    "break": ("red cat BREAK (blue:1.4) house", [("red cat", 1), BREAK, ("blue", 1.4), (" house", 1)]),
    "break_first": ("BREAK red cat", [BREAK, ("red cat", 1)]),
    "long": (WORDS * 13, [(WORDS * 13, 1)]),
    "long_weighted": (f"{WORDS * 4}({WORDS * 3}:1.6)", [(WORDS * 4, 1), (WORDS * 3, 1.6)]),
}

# name, prompt, negative prompt, clip-skip: both sides of each case are compared.
CASES = [
    ("plain", "plain", "empty", 1),
    ("brackets", "round", "square", 1),
    ("numbers", "number", "nested", 1),
    ("signs", "negative", "zero", 1),
    ("escaped", "escaped", "plain", 1),
    ("break", "break", "plain", 1),
    ("break-first", "break_first", "empty", 1),
    ("long", "long", "plain", 1),
    ("long-negative", "round", "long_weighted", 1),
    ("long-both", "long_weighted", "break", 1),
    ("clip-skip", "plain", "number", 2),
    ("clip-skip-long", "long_weighted", "break", 2),
]


XL_CASES = [
    ("numbers", "number", "nested", 1),
    ("long-both", "long_weighted", "break", 1),
]


class Encoder:
    def __init__(self, folder, number=1):
        mark = f"_{number}" if number > 1 else ""
        kind = CLIPTextModelWithProjection if number > 1 else CLIPTextModel
        files = {"variant": "fp16"} if list((folder / f"text_encoder{mark}").glob("*.fp16.safetensors")) else {}
        self.xl = (folder / "text_encoder_2").is_dir()
        self.tokenizer = CLIPTokenizer.from_pretrained(folder / f"tokenizer{mark}")
        self.model = kind.from_pretrained(folder / f"text_encoder{mark}", **files).float().eval()
        self.content = self.model.config.max_position_embeddings - 2

    def tokens(self, text):
        return self.tokenizer(text, add_special_tokens=False).input_ids

    def chunks(self, parts):
        """Lists of (id, weight), each at most as long as a chunk's content."""
        chunks = [[]]
        for part in parts:
            if part is BREAK:
                chunks.append([])
                continue
            text, weight = part
            for token in self.tokens(text):
                if len(chunks[-1]) == self.content:
                    chunks.append([])
                chunks[-1].append((token, weight))
        return chunks

    def states(self, ids, clip_skip):
        # transformers 5 has no inner module, transformers 4 one called text_model
        inner = getattr(self.model, "text_model", self.model)
        out = self.model(torch.tensor([ids]), output_hidden_states=True)
        if self.xl:
            return out.hidden_states[-1 - clip_skip][0]
        return inner.final_layer_norm(out.hidden_states[-clip_skip])[0]

    def ids(self, chunk):
        t = self.tokenizer
        padding = self.content - len(chunk)
        return [t.bos_token_id] + [token for token, _ in chunk] + [t.eos_token_id] + [t.pad_token_id] * padding

    def pooled(self, parts):
        return self.model(torch.tensor([self.ids(self.chunks(parts)[0])])).text_embeds

    def encode_chunk(self, chunk, clip_skip):
        ids, padding = self.ids(chunk), self.content - len(chunk)
        weights = [1.0] + [weight for _, weight in chunk] + [1.0] * (padding + 1)
        states = self.states(ids, clip_skip).double()
        if all(weight == 1 for weight in weights):
            return states
        weighted = states * torch.tensor(weights, dtype=torch.float64)[:, None]
        mean = weighted.mean()
        return weighted * (states.mean() / mean) if mean != 0 else weighted

    def encode(self, parts, clip_skip):
        return torch.cat([self.encode_chunk(chunk, clip_skip) for chunk in self.chunks(parts)])[None].float()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    encoders = [Encoder(options.model)]
    if encoders[0].xl:
        encoders.append(Encoder(options.model, 2))
    cases, tensors = [], {}
    with torch.no_grad():
        for name, prompt, negative, clip_skip in XL_CASES if encoders[0].xl else CASES:
            text, parts = PROMPTS[prompt]
            negative_text, negative_parts = PROMPTS[negative]
            cases.append({"name": name, "prompt": text, "negative": negative_text, "clip_skip": clip_skip})
            for side, wanted in (("", parts), ("negative_", negative_parts)):
                states = [encoder.encode(wanted, clip_skip) for encoder in encoders]
                tensors[f"{name}.{side}prompt_embeds"] = torch.cat(states, -1)
                if encoders[0].xl:
                    tensors[f"{name}.{side}pooled_prompt_embeds"] = encoders[1].pooled(wanted)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, options.out / "tensors.safetensors")


if __name__ == "__main__":
    main()
