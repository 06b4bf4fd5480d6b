"""The text tower, taught on captions alone to lay out what they ask for.

Every position after the end token (the padding, which cross-attention reads too) is asked for one thing of the
picture in reading order, position p for thing p mod 4, by linear heads on the final states. The heads are thrown away.
"""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel

import captions
import tokenizer as bpe
import world
from training import Clock, Muon, log_line, save_atomically

WIDTH, SLOTS = 128, 4
COLOURS, SIZES, SHEETS = list(world.COLOURS), list(world.SIZES), list(world.BACKGROUNDS)
# What the heads of a slot answer: name -> number of classes; the last two are about the whole picture.
QUESTIONS = {"shape": len(world.SHAPES) + 1, "colour": len(COLOURS) + 2, "size": 3 + 1, "layout": 5 + 1,
             "count": 5, "sheet": len(SHEETS)}


def build(tokens):
    return CLIPTextModel(CLIPTextConfig(
        vocab_size=tokens, hidden_size=WIDTH, intermediate_size=4 * WIDTH, num_hidden_layers=3, num_attention_heads=4,
        max_position_embeddings=bpe.POSITIONS, hidden_act="quick_gelu", projection_dim=WIDTH,
        bos_token_id=tokens - 2, eos_token_id=tokens - 1, pad_token_id=tokens - 1))


def answers(spec):
    """Class numbers (SLOTS, questions) of a spec; a slot without a thing answers with class 0 of the first four."""
    things = world.reading_order(spec)
    layout = 0
    if len(things) == 2:
        layout = {"left of": 1, "right of": 1, "above": 2, "below": 2, None: 3}[spec["relation"]]
    elif len(things) > 2:
        layout = 4
    sheet = SHEETS.index(spec["background"] or world.DEFAULT_BACKGROUND)
    rows = []
    for slot in range(SLOTS):
        if slot < len(things):
            o = things[slot]
            rows.append([1 + world.SHAPES.index(o["shape"]), 2 + COLOURS.index(o["colour"]) if o["colour"] else 1,
                         2 + SIZES.index(o["size"]) if o["size"] else 1, 1 + layout, len(things), sheet])
        else:
            rows.append([0, 0, 0, 0, len(things), sheet])
    return rows


class Examiner(nn.Module):
    """The heads."""

    def __init__(self):
        super().__init__()
        self.heads = nn.ModuleDict({name: nn.Linear(WIDTH, classes) for name, classes in QUESTIONS.items()})

    def forward(self, states, ids, end, truth):
        """(mean cross entropy, share of slots with every answer right)."""
        after = (ids == end).cumsum(1) > 1
        slots = torch.arange(ids.shape[1]) % SLOTS
        wanted = truth[:, slots][after]
        loss, right = 0.0, torch.ones(len(wanted), dtype=torch.bool)
        for i, head in enumerate(self.heads.values()):
            logits = head(states[after])
            loss = loss + F.cross_entropy(logits, wanted[:, i])
            right &= logits.argmax(1) == wanted[:, i]
        return loss / len(self.heads), right.float().mean().item()


def train(work, minutes, seed):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    bpe.write(work / "tokenizer")
    tokenizer = bpe.load(work / "tokenizer")
    model, examiner = build(len(tokenizer)), Examiner()
    named = [*model.named_parameters(), *((f"heads.{n}", p) for n, p in examiner.named_parameters())]
    optimiser = Muon(named, 2e-3, adam_names=("embedding", "heads"))
    clock, step, end = Clock(minutes, warmup=0.1, decay_share=0.5), 0, len(tokenizer) - 1

    def examples(split, count):
        specs = [world.spec_of_split(rng, world.CATEGORIES[i % 6], split) for i in range(count)]
        return (bpe.ids_of(tokenizer, [captions.caption_of(rng, s) for s in specs]),
                torch.tensor([answers(s) for s in specs]))

    ids, truth = examples("train", 40000)
    held_ids, held_truth = examples("heldout", 600)
    while not clock.over:
        batch = torch.from_numpy(rng.integers(len(ids), size=64))
        loss, right = examiner(model(ids[batch]).last_hidden_state, ids[batch], end, truth[batch])
        loss.backward()
        optimiser.step(clock.factor())
        step += 1
        if step % 50 == 0:
            with torch.no_grad():
                _, held = examiner(model(held_ids).last_hidden_state, held_ids, end, held_truth)
            log_line(stage="text", step=step, minutes=clock.spent, loss=loss.item(), right=right, heldout_right=held)
    save_atomically(model.state_dict(), work / "text_final.pt")
    return model


def load(work):
    tokenizer = bpe.load(work / "tokenizer")
    model = build(len(tokenizer))
    model.load_state_dict(torch.load(work / "text_final.pt"))
    return model.eval().requires_grad_(False), tokenizer


@torch.no_grad()
def states_of(model, tokenizer, texts):
    return torch.cat([model(part).last_hidden_state for part in bpe.ids_of(tokenizer, texts).split(256)])
