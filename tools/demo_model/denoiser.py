"""The U-Net: noise prediction ("v") on the latents, conditioned on the frozen text tower by cross-attention."""
import tempfile
import time

import numpy as np
import torch
import torch.distributed as dist
from diffusers import UNet2DConditionModel
from PIL import Image

import autoencoder
import captions
import dataset
import score
import text
import tokenizer as bpe
import world
from training import Average, Muon, log_line, rate_factor, save_atomically

STEPS, BETAS, OFFSET = 1000, (0.00085, 0.012), 1
CELL, WINDOW = 8, 8                             # pixels a latent cell, latent cells a side of a crop
WORDINGS = 4                                    # captions for each picture
BATCH = {"frames": 64, "crops": 64}
CROPS_ONLY, CROPS_LATER = 0.25, 0.10            # the share of samples that are crops alone; the share of steps after it
WARMUP = 1000                                   # samples over which the learning rate rises
TEST_EVERY, SAVE_EVERY = 40000, 5000            # samples
SHEET_WEIGHTS = {"cream": 1.0, "light blue": 1.8, "grey": 1.8, "dark": 3.4}   # what is hard is drawn more often
CATEGORY_WEIGHTS = {"single_object": 1.6, "position": 1.4, "color_attr": 1.2}
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
        self.weight = np.array([SHEET_WEIGHTS[scene["background"]] * CATEGORY_WEIGHTS.get(spec["category"], 1.0)
                                for scene, spec in zip(data["scenes"], specs)])
        self.crops, words = [], []
        for i, scene in enumerate(data["scenes"]):
            for row, column, thing in crop_windows(scene):
                spec = crop_spec(rng, scene, thing)
                if spec:
                    self.crops.append((i, row, column))
                    words.append(captions.caption_of(rng, spec))
        self.crops, self.crop_captions = np.array(self.crops), bpe.ids_of(tokenizer, words)

    def frames(self, count, simple_weight):
        weight = np.where(self.simple, simple_weight, 1.0) * self.weight
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
    """Mostly the noise levels at which shapes are settled, the higher ones of places, some of every other."""
    which = rng.random(count)
    bell = 1 / (1 + np.exp(-np.where(which < 0.6, rng.normal(0.35, 0.9, count), rng.normal(1.3, 0.7, count))))
    return torch.from_numpy(np.where(which < 0.8, bell, rng.random(count)) * STEPS).long().clamp(0, 999)


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

class Group:
    """The processes that train together, one thread each: every step ends with the mean of their gradients.

    On cores that other work shares this is several times as fast as one process of as many threads, whose threads
    wait for each other at every operator.
    """

    def __init__(self, rank, size, meeting):
        self.rank, self.size = rank, size
        if size > 1:
            torch.set_num_threads(1)
            dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=size)

    def average(self, parameters):
        """Gradients to their mean over the group."""
        if self.size == 1:
            return
        flat = torch.cat([p.grad.flatten() for p in parameters])
        dist.all_reduce(flat)
        flat /= self.size
        for p, part in zip(parameters, flat.split([p.numel() for p in parameters])):
            p.grad.copy_(part.view_as(p.grad))

    def gathered(self, value):
        values = [value] * self.size
        if self.size > 1:
            dist.all_gather_object(values, value)
        return values


class Denoiser:
    """What one process trains with: the U-Net, its optimiser and average, examples, and where it has come to."""

    def __init__(self, work, seed, lr, channels, group):
        torch.manual_seed(seed)
        self.work, self.channels, self.group = work, channels, group
        self.rng = np.random.default_rng(seed + 2000 + 7919 * group.rank)
        self.generator = torch.Generator().manual_seed(seed + 7919 * group.rank)
        self.tower, self.tokenizer = text.load(work)
        self.unet = build(channels).to(memory_format=torch.channels_last)
        if (work / "denoiser_start.pt").exists():
            self.unet.load_state_dict(torch.load(work / "denoiser_start.pt"))
        self.examples = Examples(dataset.load(work), self.tokenizer, self.rng)
        self.empty = text.states_of(self.tower, self.tokenizer, [""])
        self.parameters = list(self.unet.parameters())
        self.optimiser = Muon(self.unet.named_parameters(), lr, adam_names=("conv_in", "conv_out", "time_emb"))
        self.average, self.step, self.seen = Average(self.unet, 600), 0, 0
        self.checkpoint = work / "denoiser.pt"
        if self.checkpoint.exists():
            self.restore()

    def restore(self):
        state = torch.load(self.checkpoint, weights_only=False)
        self.unet.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.average.load_state_dict(state["average"])
        self.step, self.seen = state["step"], state["seen"]
        if len(state["draws"]) == self.group.size:
            self.rng.bit_generator.state, generator = state["draws"][self.group.rank]
            self.generator.set_state(generator)

    def save(self):
        draws = self.group.gathered((self.rng.bit_generator.state, self.generator.get_state()))
        if self.group.rank == 0:
            save_atomically({"model": self.unet.state_dict(), "optimiser": self.optimiser.state_dict(),
                             "average": self.average.state_dict(), "draws": draws, "step": self.step,
                             "seen": self.seen}, self.checkpoint)

    def train_step(self, crops, simple_weight, factor):
        """One step of the group, at `factor` times the learning rate, on its part of a batch; returns the loss."""
        count = BATCH["crops" if crops else "frames"] // self.group.size
        latents, masks, ids = (self.examples.windows(count) if crops else
                               self.examples.frames(count, simple_weight))
        with torch.no_grad():
            states = self.tower(ids).last_hidden_state
            states[torch.from_numpy(self.rng.random(len(ids)) < 0.1)] = self.empty
        loss = loss_of(self.unet, latents, masks, states, self.rng, self.generator)
        loss.backward()
        self.group.average(self.parameters)
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimiser.step(factor)
        self.average.update(self.unet)
        self.step, self.seen = self.step + 1, self.seen + count * self.group.size
        return loss.item()

    def test(self, vae, prompts):
        """Store the averaged weights; score them on the development prompts."""
        averaged = build(self.channels).to(memory_format=torch.channels_last).eval()
        self.average.store(averaged)
        save_atomically(averaged.state_dict(), self.work / "denoiser_average.pt")
        log_line(stage="test", seen=self.seen, **examine(
            averaged, vae, self.tower, self.tokenizer, prompts, 3.0, self.work / f"sheet_{self.seen // 1000:04d}k.png"))


def train_process(rank, size, meeting, work, samples, seed, lr, crops_only, channels):
    """Train on `samples` samples in all; goes on from its checkpoint if there is one."""
    d = Denoiser(work, seed, lr, channels, Group(rank, size, meeting))
    kinds = np.random.default_rng(seed + 3000 + d.step)     # every process draws the same kind of batch
    vae, prompts = autoencoder.load(work), captions.prompt_set(np.random.default_rng(seed), "development", 12)
    if rank == 0:
        log_line(stage="denoiser", parameters=sum(p.numel() for p in d.parameters),
                 pictures=len(d.examples.simple), crops=len(d.examples.crops), processes=size)
    saved = tested = d.seen
    mark, smooth = (time.time(), d.seen), None
    while d.seen < samples:
        progress = d.seen / samples
        crops = progress < crops_only or kinds.random() < CROPS_LATER
        loss = d.train_step(crops, 2.0 if progress < 0.4 else 1.0, rate_factor(progress, WARMUP / samples))
        smooth = loss if smooth is None else 0.98 * smooth + 0.02 * loss
        if d.step % 50 == 0 and rank == 0:
            now = time.time()
            log_line(stage="denoiser", step=d.step, seen=d.seen, loss=smooth, crops=bool(crops),
                     rate=(d.seen - mark[1]) / (now - mark[0]))
            mark = (now, d.seen)
        if d.seen - saved >= SAVE_EVERY:
            saved = d.seen
            d.save()
        if d.seen - tested >= TEST_EVERY:
            tested = d.seen
            if rank == 0:
                d.test(vae, prompts)
    d.save()
    if rank == 0:
        d.test(vae, prompts)


def train(work, samples, seed, lr=2e-3, crops_only=CROPS_ONLY, channels=(48, 96, 128), processes=1):
    arguments = (work, samples, seed, lr, crops_only, channels)
    if processes == 1:
        return train_process(0, 1, None, *arguments)
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(train_process, (processes, f"{folder}/meeting", *arguments), nprocs=processes)


def load(work, channels=(48, 96, 128)):
    unet = build(channels)
    unet.load_state_dict(torch.load(work / "denoiser_average.pt"))
    return unet.eval().requires_grad_(False).to(memory_format=torch.channels_last)
