"""The program's scorer (pladis score) against the truth and against score.py.

    python agreement.py --pladis build/apps/cli/pladis [--renders 500] [--model models/demo] [--evaluated FOLDER]

 1. true pictures of every category: how many are accepted (at least 99 % of each, or the exit code is 1);
 2. the same pictures under other captions: how many are accepted although the caption is wrong for the scene;
 3. with --model, their reconstructions by its autoencoder;
 4. with --evaluated, the pictures that `pladis evaluate --pictures all` left there;
 and for all of these where pladis score and score.py differ.

    python agreement.py --write tests/data/scoring      writes the few true pictures of the unit test
"""
import argparse
import collections
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import captions
import score
import world

ASPECTS = ("count", "background", "shape", "colour", "binding", "all")


def quantised(picture):
    return np.rint(picture * 255).astype(np.uint8)


def true_pictures(seed, each):
    rng, rows, pictures, scenes = np.random.default_rng(seed), [], [], []
    for category in world.CATEGORIES:
        for _ in range(each):
            spec = world.random_spec(rng, category)
            scene = world.random_scene(rng, spec)
            rows.append({"caption": captions.caption_of(rng, spec), "category": category, "scene": spec})
            pictures.append(quantised(world.render(scene)))
            scenes.append(scene)
    return rows, pictures, scenes


def satisfies(scene, spec):
    """Whether a scene, known exactly, is what a spec says."""
    things = [{"shape": o["shape"], "colour": o["colour"], "x": o["x"], "y": o["y"], "r": o["r"]}
              for o in scene["objects"]]
    return score.judge({"background": scene["background"], "things": things}, spec)["all"]


def in_c(program, folder, rows, files):
    """What `pladis score` says of each picture."""
    (folder / "captions.jsonl").write_text("".join(json.dumps({k: r[k] for k in ("caption", "category")}) + "\n"
                                                   for r in rows))
    out = subprocess.run([program, "score", "--json", "--prompts", folder / "captions.jsonl", *files], check=True,
                         capture_output=True, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]



def compare(program, name, rows, pictures):
    """Score pictures in both languages, print accepted shares and disagreements; the C verdicts and their number."""
    with tempfile.TemporaryDirectory() as folder:
        folder, files = Path(folder), []
        for i, picture in enumerate(pictures):
            files.append(folder / f"{i}.png")
            Image.fromarray(picture).save(files[-1], compress_level=1)
        said = in_c(program, folder, rows, files)
    accepted, differing = collections.defaultdict(list), 0
    for row, picture, c in zip(rows, pictures, said):
        seen = score.look(picture)
        python = score.judge(seen, row["scene"])
        accepted[row["category"]].append(c["verdict"]["all"])
        mine = {k: True if c["verdict"][k] is None and k == "background" else c["verdict"][k] for k in ASPECTS}
        different = [k for k in ASPECTS if mine[k] is not None and mine[k] != python[k]]
        if different:
            differing += 1
            print(f"  differ: {row['caption']!r}: {different}, C {c['seen']}, Python {seen}", file=sys.stderr)
    shares = {k: f"{100 * np.mean(v):.1f} %" for k, v in accepted.items()}
    print(f"{name}: {len(rows)} pictures, accepted {shares}; C and Python differ on {differing}")
    return said, {k: float(np.mean(v)) for k, v in accepted.items()}, differing


def mismatched(program, rows, pictures, scenes, rounds, seed):
    """Every picture under captions drawn from others: of those that are wrong for the scene, the share accepted."""
    rng, wrong, accepted, missed, right = np.random.default_rng(seed), 0, 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        folder, files = Path(folder), []
        for i, picture in enumerate(pictures):
            files.append(folder / f"{i}.png")
            Image.fromarray(picture).save(files[-1], compress_level=1)
        by_category = collections.defaultdict(list)
        for i, row in enumerate(rows):
            by_category[row["category"]].append(i)
        for r in range(rounds):
            # half of the rounds within the category, where captions are nearest to each other
            order = [int(rng.choice(by_category[row["category"]])) if r % 2 else int(rng.integers(len(rows)))
                     for row in rows]
            chosen = [rows[i] for i in order]
            for c, row, scene in zip(in_c(program, folder, chosen, files), chosen, scenes):
                if satisfies(scene, row["scene"]):
                    right += 1
                    missed += not c["verdict"]["all"]
                else:
                    wrong += 1
                    accepted += c["verdict"]["all"]
                    if c["verdict"]["all"]:
                        print(f"  accepted: {row['caption']!r} for {scene}", file=sys.stderr)
    print(f"other captions: {accepted} of {wrong} wrong ones accepted, {missed} of {right} right ones refused")
    return accepted


def reconstructions(model, pictures):
    import torch
    import autoencoder
    from diffusers import AutoencoderKL
    vae = AutoencoderKL.from_pretrained(model / "vae", torch_dtype=torch.float32)
    again = []
    with torch.no_grad():
        for start in range(0, len(pictures), 32):
            x = autoencoder.to_tensor(np.stack(pictures[start:start + 32]))
            y = vae.decode(vae.encode(x).latent_dist.mean).sample
            again += list((y / 2 + 0.5).clamp(0, 1).mul(255).round().byte().permute(0, 2, 3, 1).numpy())
    return again


def evaluated(folder, prompts):
    """The pictures of an evaluation with the captions that they were drawn from."""
    rows, pictures = [], []
    known = [json.loads(line) for line in prompts.read_text().splitlines()]
    by_caption = {r["caption"]: r for r in known}
    for path in sorted((folder / "pictures").glob("*.png")):
        picture = Image.open(path)
        row = by_caption.get(picture.text.get("Title", ""))
        if row:
            rows.append(row)
            pictures.append(np.array(picture.convert("RGB")))
    return rows, pictures


def write_test_pictures(folder):
    """A sheet of 16 x 6 true pictures, a category in each row, and what score.py says of them."""
    rows, pictures, scenes = true_pictures(2026, 16)
    folder.mkdir(parents=True, exist_ok=True)
    side = world.PIXELS
    sheet = np.zeros((6 * side, 16 * side, 3), np.uint8)
    for i, picture in enumerate(pictures):
        y, x = divmod(i, 16)
        sheet[y * side:(y + 1) * side, x * side:(x + 1) * side] = picture
    Image.fromarray(sheet).save(folder / "true.png", optimize=True)
    with open(folder / "true.jsonl", "w") as file:
        for i, (row, picture) in enumerate(zip(rows, pictures)):
            seen = score.look(picture)
            row["scene"] = {k: row["scene"][k] for k in ("objects", "count", "relation", "background")}
            row["seen"] = {"background": seen["background"],
                           "things": [{**t, "r": round(t["r"], 6), "iou": round(t["iou"], 6)} for t in seen["things"]]}
            row["previous_holds"] = i > 0 and satisfies(scenes[i], rows[i - 1]["scene"])
            row["verdict"] = {k: bool(v) for k, v in score.judge(seen, row["scene"]).items()}
            file.write(json.dumps(row) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pladis", default="build/apps/cli/pladis")
    parser.add_argument("--renders", type=int, default=500, help="true pictures per category (%(default)s)")
    parser.add_argument("--rounds", type=int, default=4, help="other captions for each picture (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--evaluated", type=Path)
    parser.add_argument("--prompts", type=Path, default=Path("models/demo/prompts/heldout.jsonl"))
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    if options.write:
        write_test_pictures(options.write)
        return 0
    rows, pictures, scenes = true_pictures(options.seed, options.renders)
    _, accepted, _ = compare(options.pladis, "true pictures", rows, pictures)
    good = all(share >= 0.99 for share in accepted.values())
    mismatched(options.pladis, rows, pictures, scenes, options.rounds, options.seed)
    if options.model:
        compare(options.pladis, "reconstructions", rows, reconstructions(options.model, pictures))
    if options.evaluated:
        rows, pictures = evaluated(options.evaluated, options.prompts)
        compare(options.pladis, "drawn pictures", rows, pictures)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
