"""Score an exported folder: python assess.py --model FOLDER [--split heldout] [--guidance 3 5] [--sheet FILE]."""
import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

import autoencoder
import captions
import denoiser
import export
import score
import world


def prompts_of(folder, split, each):
    rows = [json.loads(line) for line in (folder / "prompts" / f"{split}.jsonl").read_text().splitlines()]
    kept = {}
    for row in rows:
        kept.setdefault(row["category"], []).append(row)
    return [row for group in kept.values() for row in group[:each]]


def renders(seed, each):
    """The scorer on pictures that are right by construction: (rows, uint8 pictures)."""
    rng, rows, pictures = np.random.default_rng(seed), [], []
    for category in world.CATEGORIES:
        for _ in range(each):
            spec = world.random_spec(rng, category)
            rows.append({"category": category, "caption": captions.caption_of(rng, spec), "scene": spec})
            pictures.append(autoencoder.quantised(world.render(world.random_scene(rng, spec))))
    return rows, np.stack(pictures)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--split", default="heldout")
    parser.add_argument("--each", type=int, default=1000, help="use at most this many prompts per category")
    parser.add_argument("--guidance", type=float, nargs="*", default=[3.0, 5.0])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--renders", type=int, default=0, help="check the scorer on this many true pictures per category")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    vae, unet, tower, tokenizer = export.read(options.model)
    if options.renders:
        rows, pictures = renders(options.seed, options.renders)
        x = autoencoder.to_tensor(pictures)
        with torch.no_grad():
            z = torch.cat([vae.encode(p).latent_dist.mean for p in x.split(32)]) * autoencoder.SCALING
        again = denoiser.pictures_of(vae, z)
        error = ((again.astype(float) - pictures) ** 2).mean()
        for name, shown in (("renders", pictures), ("reconstructions", again)):
            print(name, score.table(rows, [score.judge(score.look(p), r["scene"]) for p, r in zip(shown, rows)]))
        print(f"reconstruction {10 * np.log10(255 ** 2 / error):.2f} dB")
    rows = prompts_of(options.model, options.split, options.each)
    for guidance in options.guidance:
        start = time.time()
        result = denoiser.examine(unet, vae, tower, tokenizer, rows, guidance, options.sheet, options.seed,
                                  options.steps)
        print(json.dumps({"guidance": guidance, "steps": options.steps, "prompts": len(rows),
                          "seconds": round(time.time() - start, 1), **result}), flush=True)


if __name__ == "__main__":
    main()
