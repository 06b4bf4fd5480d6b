"""The U-Net: noise prediction ("v") on the latents, conditioned on the frozen text tower by cross-attention."""
import numpy as np
import torch
from diffusers import UNet2DConditionModel
from PIL import Image

import autoencoder
import captions
import dataset
import score
import text
import tokenizer as bpe
import world
from training import Average, Clock, Muon, log_line, save_atomically

STEPS, BETAS, OFFSET = 1000, (0.00085, 0.012), 1
CELL, WINDOW = 8, 8                             # pixels a latent cell, latent cells a side of a crop
WORDINGS = 4                                    # captions for each picture
BATCH = {"frames": 32, "crops": 64}
CROPS_ONLY, CROPS_LATER = 0.15, 0.10            # the share of time on crops alone; the share of steps after it
ALPHAS = torch.cumprod(1 - torch.linspace(BETAS[0] ** 0.5, BETAS[1] ** 0.5, STEPS) ** 2, 0)


def build(channels=(48, 96, 128), groups=16, heads=4):
    levels = len(channels)
    return UNet2DConditionModel(
        sample_size=world.PIXELS // CELL, in_channels=4, out_channels=4, block_out_channels=channels,
        down_block_types=("CrossAttnDownBlock2D",) * levels, up_block_types=("CrossAttnUpBlock2D",) * levels,
        layers_per_block=1, cross_attention_dim=text.WIDTH, attention_head_dim=heads, norm_num_groups=groups)


# ---------------------------------------------------------------- examples

def crop_windows(scene):
    """(row, column, thing) of every window of the latent that shows one thing, whole and alone."""
    for thing in scene["objects"]:
        x, y, r = thing["x"], thing["y"], 1.06 * thing["r"]
        limit = world.PIXELS // CELL - WINDOW
        column = int(np.clip(round(x / CELL - WINDOW / 2), 0, limit))
        row = int(np.clip(round(y / CELL - WINDOW / 2), 0, limit))
        left, top, side = column * CELL, row * CELL, WINDOW * CELL
        whole = x - r >= left and x + r <= left + side and y - r >= top and y + r <= top + side
        alone = all(o is thing or o["x"] + 1.15 * o["r"] < left or o["x"] - 1.1 * o["r"] > left + side
                    or o["y"] + 1.15 * o["r"] < top or o["y"] - 1.1 * o["r"] > top + side for o in scene["objects"])
        if whole and alone:
            yield row, column, thing


def crop_spec(rng, scene, thing):
    """What to say of a thing by itself; None if that combination is not for training."""
    r = thing["r"]
    size = "small" if r <= 14 else "large" if r >= 22 else None
    sheet = scene["background"]
    spec = {"category": "colors", "count": 1, "relation": None,
            "background": None if sheet == world.DEFAULT_BACKGROUND else sheet,
            "objects": [{"shape": thing["shape"], "colour": thing["colour"] if rng.random() < 0.75 else None,
                         "size": size if rng.random() < 0.5 else None}]}
    return spec if world.split_of(spec) == "train" else None


class Examples:
    """Batches of (latents, foreground, token ids), full frames or crops."""

    def __init__(self, data, tokenizer, rng):
        self.data, self.rng = data, rng
        specs = data["specs"]
        self.captions = torch.stack([bpe.ids_of(tokenizer, [captions.caption_of(rng, s) for s in specs])
                                     for _ in range(WORDINGS)], 1)
        self.simple = np.array([s["category"] in ("single_object", "colors", "counting") for s in specs])
        self.tinted = np.array([s["background"] != world.DEFAULT_BACKGROUND for s in data["scenes"]])
        self.crops, words = [], []
        for i, scene in enumerate(data["scenes"]):
            for row, column, thing in crop_windows(scene):
                spec = crop_spec(rng, scene, thing)
                if spec:
                    self.crops.append((i, row, column))
                    words.append(captions.caption_of(rng, spec))
        self.crops, self.crop_captions = np.array(self.crops), bpe.ids_of(tokenizer, words)

    def frames(self, count, simple_weight):
        weight = np.where(self.simple, simple_weight, 1.0) * np.where(self.tinted, 1.8, 1.0)
        chosen = self.rng.choice(len(weight), count, p=weight / weight.sum())
        wording = self.rng.integers(WORDINGS, size=count)
        return self.data["latents"][chosen], self.data["masks"][chosen], self.captions[chosen, wording]

    def windows(self, count):
        chosen = self.rng.integers(len(self.crops), size=count)
        def cut(whole):
            return torch.stack([whole[i, ..., r:r + WINDOW, c:c + WINDOW] for i, r, c in self.crops[chosen]])
        return cut(self.data["latents"]), cut(self.data["masks"]), self.crop_captions[chosen]


# ---------------------------------------------------------------- diffusion

def random_times(rng, count):
    """Mostly the noise levels at which places and shapes are settled, some of every other."""
    bell = 1 / (1 + np.exp(-rng.normal(0.35, 0.9, count)))
    return torch.from_numpy(np.where(rng.random(count) < 0.75, bell, rng.random(count)) * STEPS).long().clamp(0, 999)


def loss_of(unet, latents, masks, states, rng, generator):
    t = random_times(rng, len(latents))
    a, s = ALPHAS[t].sqrt()[:, None, None, None], (1 - ALPHAS[t]).sqrt()[:, None, None, None]
    noise = torch.randn(latents.shape, generator=generator)
    noisy = (a * latents + s * noise).contiguous(memory_format=torch.channels_last)
    error = (unet(noisy, t, states).sample - (a * noise - s * latents)).square().mean(1)
    weight = 1 + 3 * masks
    return (error * weight).sum() / weight.sum()


@torch.no_grad()
def sample(unet, states, empty, guidance, steps=20, seed=0):
    """DDIM as the pipeline runs it (leading spacing, offset 1): latents for text states (n, positions, width)."""
    n, stride = len(states), STEPS // steps
    side = world.PIXELS // CELL
    x = torch.randn(n, 4, side, side, generator=torch.Generator().manual_seed(seed))
    both = torch.cat([empty.expand(n, -1, -1), states])
    for i in reversed(range(steps)):
        t, before = i * stride + OFFSET, i * stride + OFFSET - stride
        a, b = ALPHAS[t], ALPHAS[max(before, 0)]
        plain, told = unet(torch.cat([x, x]).contiguous(memory_format=torch.channels_last), t, both).sample.chunk(2)
        v = plain + guidance * (told - plain)
        clean, noise = a.sqrt() * x - (1 - a).sqrt() * v, a.sqrt() * v + (1 - a).sqrt() * x
        x = b.sqrt() * clean + (1 - b).sqrt() * noise
    return x


@torch.no_grad()
def pictures_of(vae, latents):
    y = torch.cat([vae.decode(z / autoencoder.SCALING).sample for z in latents.split(16)])
    return (y.clamp(-1, 1).add(1).mul(127.5).round().permute(0, 2, 3, 1)).to(torch.uint8).numpy()


def contact_sheet(pictures, path, columns=12):
    pictures = pictures[:len(pictures) // columns * columns]
    n, h, w, _ = pictures.shape
    grid = pictures.reshape(n // columns, columns, h, w, 3).transpose(0, 2, 1, 3, 4)
    Image.fromarray(grid.reshape(n // columns * h, columns * w, 3)).save(path)


def examine(unet, vae, tower, tokenizer, rows, guidance, sheet=None, seed=0, steps=20):
    """Generate a picture for each prompt and score it."""
    states = text.states_of(tower, tokenizer, [r["caption"] for r in rows])
    empty = text.states_of(tower, tokenizer, [""])
    latents = torch.cat([sample(unet, part, empty, guidance, steps, seed + i)
                         for i, part in enumerate(states.split(48))])
    pictures = pictures_of(vae, latents)
    if sheet:
        contact_sheet(pictures, sheet)
    return score.table(rows, [score.judge(score.look(p), r["scene"]) for p, r in zip(pictures, rows)])


# ---------------------------------------------------------------- training

def train(work, minutes, seed, lr=2e-3, every=16.0, crops_only=CROPS_ONLY, channels=(48, 96, 128)):
    """Train until `minutes` of training time have passed in all; goes on from its checkpoint if there is one."""
    torch.manual_seed(seed)
    rng, generator = np.random.default_rng(seed + 2000), torch.Generator().manual_seed(seed)
    tower, tokenizer = text.load(work)
    vae, unet = autoencoder.load(work), build(channels).to(memory_format=torch.channels_last)
    if (work / "denoiser_start.pt").exists():
        unet.load_state_dict(torch.load(work / "denoiser_start.pt"))
    examples = Examples(dataset.load(work), tokenizer, rng)
    empty = text.states_of(tower, tokenizer, [""])
    prompts = captions.prompt_set(np.random.default_rng(seed), "development", 12)
    optimiser = Muon(unet.named_parameters(), lr, adam_names=("conv_in", "conv_out", "time_emb"))
    average, clock, step, seen = Average(unet, 600), Clock(minutes), 0, 0
    checkpoint = work / "denoiser.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=False)
        unet.load_state_dict(state["model"])
        for part, name in ((optimiser, "optimiser"), (average, "average")):
            part.load_state_dict(state[name])
        rng.bit_generator.state, step, seen = state["rng"], state["step"], state["seen"]
        generator.set_state(state["generator"])
        clock = Clock(minutes, state["spent"])
    log_line(stage="denoiser", parameters=sum(p.numel() for p in unet.parameters()), pictures=len(examples.simple),
             crops=len(examples.crops))
    mark, saved, tested, smooth = (clock.spent, seen), clock.spent, clock.spent, None

    def save():
        save_atomically({"model": unet.state_dict(), "optimiser": optimiser.state_dict(),
                         "average": average.state_dict(), "rng": rng.bit_generator.state, "step": step, "seen": seen,
                         "generator": generator.get_state(), "spent": clock.spent}, checkpoint)

    def test():
        averaged = build(channels).to(memory_format=torch.channels_last).eval()
        average.store(averaged)
        save_atomically(averaged.state_dict(), work / "denoiser_average.pt")
        log_line(stage="test", seen=seen, minutes=clock.spent, **examine(
            averaged, vae, tower, tokenizer, prompts, 4.0, work / f"sheet_{seen // 1000:04d}k.png"))

    while not clock.over:
        progress = clock.spent / minutes
        crops = progress < crops_only or rng.random() < CROPS_LATER
        latents, masks, ids = (examples.windows(BATCH["crops"]) if crops else
                               examples.frames(BATCH["frames"], 2.0 if progress < 0.4 else 1.0))
        with torch.no_grad():
            states = tower(ids).last_hidden_state
            states[torch.from_numpy(rng.random(len(ids)) < 0.1)] = empty
        loss = loss_of(unet, latents, masks, states, rng, generator)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(unet.parameters(), 1.0)
        optimiser.step(clock.factor())
        average.update(unet)
        step, seen = step + 1, seen + len(ids)
        smooth = loss.item() if smooth is None else 0.98 * smooth + 0.02 * loss.item()
        if step % 50 == 0:
            rate = (seen - mark[1]) / (clock.spent - mark[0]) / 60
            mark = (clock.spent, seen)
            log_line(stage="denoiser", step=step, seen=seen, minutes=clock.spent, loss=smooth, rate=rate,
                     crops=bool(crops))
        if clock.spent - saved > 3:
            saved = clock.spent
            save()
        if clock.spent - tested > every:
            tested = clock.spent
            test()
            mark = (clock.spent, seen)
    save()
    test()


def load(work, channels=(48, 96, 128)):
    unet = build(channels)
    unet.load_state_dict(torch.load(work / "denoiser_average.pt"))
    return unet.eval().requires_grad_(False).to(memory_format=torch.channels_last)
