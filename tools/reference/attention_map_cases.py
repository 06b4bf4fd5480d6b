# SPDX-License-Identifier: Apache-2.0
"""Heat maps of cross-attention: the weights that diffusers' attention layers compute, by word of the prompt.

    python tools/reference/attention_map_cases.py tests/data/reference/models tests/data/attention_maps

A row of cases.json is one run; NAME.dense and NAME.sparse in maps.safetensors are [words, h, w]: the share of
attention that goes to a word's tokens (softmax, and alpha-entmax of the same logits), averaged over heads, over the
calls in the chosen steps (conditional half of the batch) and over the chosen layers, coarse layers enlarged by
torch's bilinear interpolation. tests/parity/attention_maps.c does the same in C and compares.
"""
import json
import math
import sys
from pathlib import Path

import diffusers
import torch
import torch.nn.functional as F
from diffusers.models.embeddings import apply_rotary_emb
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).resolve().parent))
from oracle.attention import PladisProcessor, entmax_alpha, split_heads  # noqa: E402

CASES = [
    {"name": "all-layers", "model": "sd15", "words": ["fox", "deep snow"], "blocks": "all", "start": 0, "end": 1,
     "pladis": 2.0, "alpha": 1.5, "cfg": 5.0},
    {"name": "some-steps", "model": "sd15", "words": ["fox"], "blocks": "down,mid", "start": 0.4, "end": 0.8,
     "pladis": 2.0, "alpha": 2.0, "cfg": 1.0},
    {"name": "without-pladis", "model": "sd21", "words": ["a", "snow"], "blocks": "up", "start": 0, "end": 1,
     "pladis": 0.0, "alpha": 1.25, "cfg": 5.0},
    {"name": "transformer", "model": "pixart", "words": ["fox", "deep snow"], "blocks": "all", "start": 0, "end": 1,
     "pladis": 2.0, "alpha": 1.5, "cfg": 4.5},
    {"name": "transformer-blocks", "model": "pixart-alpha", "words": ["hare"], "blocks": "0,2", "start": 0.2, "end": 0.8,
     "pladis": 1.5, "alpha": 2.0, "cfg": 1.0},
    {"name": "behind-an-instruction", "model": "sana-text", "words": ["a", "Fox", "deep snow"], "blocks": "all",
     "start": 0, "end": 1, "pladis": 2.0, "alpha": 1.5, "cfg": 4.5, "sampler": "dpm++2m",
     "instruction": "Draw what is asked for.\nUser Prompt: "},
    {"name": "joint", "model": "flux-dev", "words": ["fox", "deep snow"], "blocks": "0,1,3", "start": 0.2, "end": 1,
     "pladis": 2.0, "alpha": 1.5, "cfg": 1.0, "sampler": "euler", "tokens": 24},
    {"name": "captioned", "model": "z-image", "words": ["a", "fox", "deep snow"], "blocks": "0,2", "start": 0.2, "end": 1,
     "pladis": 2.0, "alpha": 1.5, "cfg": 1.0, "sampler": "euler"},
]
PLAIN = {"use_resolution_binning": False, "clean_caption": False}  # what PixArt's pipelines are told
PROMPT, STEPS, WIDTH, HEIGHT, SEED = "a red fox and a hare in deep snow", 5, 128, 64, 11


class Watching(PladisProcessor):
    """The processor of the other cases, with the maps of its cross-attention kept for each call."""

    def __init__(self, lam, alpha, kept):
        super().__init__(lam, alpha)
        self.kept = kept

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, **more):
        if encoder_hidden_states is not None and self.kept is not None:
            q = split_heads(attn.to_q(hidden_states), attn.heads)[-1]
            k = split_heads(attn.to_k(encoder_hidden_states), attn.heads)[-1]
            if attention_mask is not None:  # a bias, far below 0 at padding
                k = k[:, attention_mask[-1].reshape(-1) > -1]
            z = (q.double() @ k.double().transpose(-1, -2)) / math.sqrt(q.shape[-1])
            self.kept.append((z.softmax(-1).mean(0), entmax_alpha(z, self.alpha).mean(0)))
        return super().__call__(attn, hidden_states, encoder_hidden_states, attention_mask=attention_mask, **more)


class WatchingJoint:
    """FLUX's attention with PLADIS on the text's columns of the picture's rows, which keep the text's mass; text first."""

    def __init__(self, lam, alpha, tokens, kept):
        self.lam, self.alpha, self.tokens, self.kept = lam, alpha, tokens, kept

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, image_rotary_emb=None):
        def heads(x):
            return x.unflatten(-1, (attn.heads, -1))
        text, t = encoder_hidden_states, self.tokens
        q, k, v = heads(attn.to_q(hidden_states)), heads(attn.to_k(hidden_states)), heads(attn.to_v(hidden_states))
        q, k = attn.norm_q(q), attn.norm_k(k)
        if text is not None:
            q = torch.cat([attn.norm_added_q(heads(attn.add_q_proj(text))), q], 1)
            k = torch.cat([attn.norm_added_k(heads(attn.add_k_proj(text))), k], 1)
            v = torch.cat([heads(attn.add_v_proj(text)), v], 1)
        q, k = (apply_rotary_emb(x, image_rotary_emb, sequence_dim=1) for x in (q, k))
        q, k, v = (x.transpose(1, 2) for x in (q, k, v))
        z = (q.double() @ k.double().transpose(-1, -2)) / math.sqrt(q.shape[-1])
        weights = z.softmax(-1)
        dense = weights[:, :, t:, :t].clone()
        sparse = dense.sum(-1, keepdim=True) * entmax_alpha(z[:, :, t:, :t].flatten(0, 1), self.alpha).reshape(dense.shape)
        if self.kept is not None:
            self.kept.append((dense[-1].mean(0), sparse[-1].mean(0)))
        weights[:, :, t:, :t] = dense + self.lam * (sparse - dense)
        out = (weights.float() @ v).transpose(1, 2).flatten(2)
        if text is None:
            return out
        return attn.to_out[1](attn.to_out[0](out[:, t:])), attn.to_add_out(out[:, :t])


class WatchingCaption:
    """The same for Z-Image, whose picture stands first and whose caption is filled up to a multiple of 32."""

    def __init__(self, lam, alpha, kept):
        self.lam, self.alpha, self.kept = lam, alpha, kept

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, freqs_cis=None):
        def turned(x):
            return torch.view_as_real(torch.view_as_complex(x.unflatten(-1, (-1, 2))) * freqs_cis.unsqueeze(2)).flatten(3)
        q, k, v = (to(hidden_states).unflatten(-1, (attn.heads, -1)) for to in (attn.to_q, attn.to_k, attn.to_v))
        q, k, v = (x.transpose(1, 2) for x in (turned(attn.norm_q(q)), turned(attn.norm_k(k)), v))
        z = (q.double() @ k.double().transpose(-1, -2)) / math.sqrt(q.shape[-1])
        t = (WIDTH // 16) * (HEIGHT // 16)  # a multiple of 32, so that the picture has no padding
        weights = z.softmax(-1)
        dense = weights[:, :, :t, t:].clone()
        sparse = dense.sum(-1, keepdim=True) * entmax_alpha(z[:, :, :t, t:].flatten(0, 1), self.alpha).reshape(dense.shape)
        if self.kept is not None:
            self.kept.append((dense[-1].mean(0), sparse[-1].mean(0)))
        weights[:, :, :t, t:] = dense + self.lam * (sparse - dense)
        return attn.to_out[0]((weights.float() @ v).transpose(1, 2).flatten(2))


def captioned_positions(tokenizer, word):
    """Keys of a word in the chat template: as it stands, and behind a blank; of the prompt's own tokens."""
    before, after = (tokenizer(x)["input_ids"] for x in ("<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n"))
    own = tokenizer(f"<|im_start|>user\n{PROMPT}<|im_end|>\n<|im_start|>assistant\n")["input_ids"][len(before):-len(after)]
    pieces = [tokenizer(b + word)["input_ids"] for b in (" ", "")]
    return sorted({len(before) + i + j for piece in pieces for i in range(len(own)) if own[i:i + len(piece)] == piece
                   for j in range(len(piece))})


def positions(tokenizer, word, instruction):
    """Keys of a word. Of an instruction the first token and the last are keys, too, and the word may be one with a blank."""
    ids = tokenizer((instruction or "") + PROMPT)["input_ids"]
    pieces = [tokenizer(word, add_special_tokens=False)["input_ids"]]
    if instruction:
        ids = ids[:1] + ids[len(tokenizer.encode(instruction)) - 1:]
        pieces = [tokenizer(b + word.lower(), add_special_tokens=False)["input_ids"] for b in (" ", "")]
    return sorted({i + j for piece in pieces for i in range(len(ids)) if ids[i:i + len(piece)] == piece
                   for j in range(len(piece))})


def run(pipe, case):
    kept = {}
    chosen = [b.strip() for b in case["blocks"].split(",")]
    begins = tuple(f"transformer_blocks.{b}." if b.isdigit() else b + "_" for b in chosen)
    network = pipe.components.get("transformer") or pipe.unet
    processors = {}
    captioned = case["name"] == "captioned"
    for i, layer in enumerate(network.layers if captioned else []):
        kept.update({i: []} if str(i) in chosen else {})
        layer.attention.set_processor(WatchingCaption(case["pladis"], case["alpha"], kept.get(i)))
    attentions = {} if captioned else network.attn_processors
    numbers = {name: i for i, name in enumerate(sorted(attentions, key=lambda n: (n[0] == "s", n)))}
    for name in attentions:
        if "tokens" in case:  # joint attention: the double blocks, then the single ones
            watch = str(numbers[name]) in chosen
            kept.update({name: []} if watch else {})
            processors[name] = WatchingJoint(case["pladis"], case["alpha"], case["tokens"], kept.get(name))
            continue
        if case.get("instruction") and "attn2" not in name:  # linear attention, which PLADIS leaves alone
            processors[name] = network.attn_processors[name]
            continue
        watch = "attn2" in name and (chosen == ["all"] or name.startswith(begins))
        kept.update({name: []} if watch else {})
        processors[name] = Watching(case["pladis"], case["alpha"], kept.get(name))
    if not captioned:
        network.set_attn_processor(processors)
    more = PLAIN if "transformer" in pipe.components else {}
    if case.get("instruction"):
        more = {**PLAIN, "complex_human_instruction": case["instruction"].split("\n")}
    if "tokens" in case:
        more = {"max_sequence_length": case["tokens"]}
    if captioned:
        more = {}
    scale = 0 if captioned else 3.5 if "tokens" in case else case["cfg"]
    pipe(PROMPT, height=HEIGHT, width=WIDTH, num_inference_steps=STEPS, guidance_scale=scale,
         generator=torch.Generator("cpu").manual_seed(SEED), output_type="latent", **more)
    scale, tokenizer = pipe.vae_scale_factor, pipe.components.get("tokenizer_2", pipe.tokenizer)
    first, end = math.floor(case["start"] * STEPS), math.floor(case["end"] * STEPS)
    out = {}
    for kind, name in enumerate(("dense", "sparse")):
        maps = []
        for word in case["words"]:
            total = 0
            for calls in kept.values():
                keys = (captioned_positions(tokenizer, word) if captioned else
                        positions(tokenizer, word, case.get("instruction")))
                share = sum(call[kind][:, keys].sum(-1) for call in calls[first:end])
                share = share / (end - first)
                h = round(math.sqrt(share.numel() * HEIGHT / WIDTH))
                grid = share.reshape(1, 1, h, -1)
                total = total + F.interpolate(grid, size=(HEIGHT // scale, WIDTH // scale),
                                              mode="bilinear", align_corners=False)[0, 0]
            maps.append(total / len(kept))
        out[f"{case['name']}.{name}"] = torch.stack(maps).float().contiguous()
    return out


@torch.no_grad()
def main():
    models, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    tensors = {}
    for case in CASES:
        pipe = diffusers.DiffusionPipeline.from_pretrained(models / case["model"], torch_dtype=torch.float32)
        if "sampler" not in case:
            pipe.scheduler = diffusers.DDIMScheduler.from_config(pipe.scheduler.config)
        tensors.update(run(pipe, case))
        case.update(prompt=PROMPT, steps=STEPS, width=WIDTH, height=HEIGHT, seed=SEED)
        case.setdefault("sampler", "ddim")
    (out / "cases.json").write_text(json.dumps(CASES, indent=1) + "\n")
    save_file(tensors, out / "maps.safetensors")


if __name__ == "__main__":
    main()
