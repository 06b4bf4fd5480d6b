"""Pictures of the training split, rendered and encoded once: latents, foreground shares and what they show."""
import numpy as np
import torch

import autoencoder
import world
from training import log_line, save_atomically

SHARES = {"single_object": 0.10, "colors": 0.18, "counting": 0.18, "two_objects": 0.15, "position": 0.19,
          "color_attr": 0.20}


def make(work, count, seed):
    rng = np.random.default_rng(seed + 1000)
    model = autoencoder.load(work)
    categories = rng.choice(list(SHARES), size=count, p=list(SHARES.values()))
    specs = [world.spec_of_split(rng, c, "train") for c in categories]
    scenes = [world.random_scene(rng, s) for s in specs]
    latents, masks = [], []
    with torch.no_grad():
        for start in range(0, count, 32):
            pictures = np.stack([autoencoder.quantised(world.render(s)) for s in scenes[start:start + 32]])
            latents.append(model.encode(autoencoder.to_tensor(pictures)).latent_dist.mean * autoencoder.SCALING)
            if start % 1600 == 0:
                log_line(stage="dataset", pictures=start)
    masks = torch.from_numpy(np.stack([world.foreground(s) for s in scenes]))
    save_atomically({"latents": torch.cat(latents).half(), "masks": masks.half(), "specs": specs, "scenes": scenes},
                    work / "dataset.pt")


def load(work):
    data = torch.load(work / "dataset.pt", weights_only=False)
    return {**data, "latents": data["latents"].float(), "masks": data["masks"].float()}
