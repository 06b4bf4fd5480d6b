"""The autoencoder: 128x128 pictures to 16x16x4 latents, trained on crops dense with things, then full frames."""
import math

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL

import world
from training import Average, Clock, Muon, log_line, save_atomically

SCALING = 0.18215


def build():
    return AutoencoderKL(
        in_channels=3, out_channels=3, latent_channels=4, sample_size=world.PIXELS, scaling_factor=SCALING,
        block_out_channels=(16, 32, 64, 64), layers_per_block=1, norm_num_groups=8, act_fn="silu",
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4)


def dense_scene(rng, size=64, things=4):
    """Things thrown anywhere on a small sheet, over each other too: every pixel of it teaches something."""
    names, sheets = list(world.COLOURS), list(world.BACKGROUNDS)
    return {"background": sheets[rng.integers(len(sheets))], "objects": [
        {"shape": world.SHAPES[rng.integers(len(world.SHAPES))], "colour": names[rng.integers(len(names))],
         "x": rng.uniform(0, size), "y": rng.uniform(0, size), "r": rng.uniform(12, 26)} for _ in range(things)]}


def to_tensor(pictures):
    """uint8 (n, h, w, 3) to float (n, 3, h, w) in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def quantised(picture):
    return (picture * 255 + 0.5).astype(np.uint8)


def full_frames(rng, count):
    return np.stack([quantised(world.render(world.random_scene(rng, world.random_spec(
        rng, world.CATEGORIES[i % len(world.CATEGORIES)])))) for i in range(count)])


def edges(x):
    return x[..., 1:, :] - x[..., :-1, :], x[..., :, 1:] - x[..., :, :-1]


def loss_of(model, x):
    posterior = model.encode(x).latent_dist
    y = model.decode(posterior.sample()).sample
    d = y - x
    edge = sum((a - b).abs().mean() for a, b in zip(edges(y), edges(x)))
    kl = 0.5 * (posterior.mean ** 2 + posterior.var - 1 - posterior.logvar).mean()
    mse = d.square().mean()
    return d.abs().mean() + 4 * mse + 0.5 * edge + 2e-4 * kl, mse


@torch.no_grad()
def psnr(model, pictures):
    x = to_tensor(pictures)
    y = torch.cat([model(part).sample for part in x.split(16)]).clamp(-1, 1)
    return 10 * math.log10(4 / (y - x).square().mean().item())


def train(work, minutes, seed, resume=True):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    dense = np.stack([quantised(world.render(dense_scene(rng), 64)) for _ in range(6000)])
    frames = full_frames(rng, 4000)
    check = full_frames(np.random.default_rng(seed + 1), 96)
    model = build().to(memory_format=torch.channels_last)
    optimiser, average, clock = Muon(model.named_parameters(), 2e-3), Average(model, 400), Clock(minutes)
    checkpoint, step = work / "autoencoder.pt", 0
    if resume and checkpoint.exists():
        state = torch.load(checkpoint, weights_only=False)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        average.load_state_dict(state["average"])
        rng.bit_generator.state, step, clock = state["rng"], state["step"], Clock(minutes, state["spent"])
    last = -1

    def save():
        save_atomically({"model": model.state_dict(), "optimiser": optimiser.state_dict(), "step": step,
                         "average": average.state_dict(), "rng": rng.bit_generator.state, "spent": clock.spent},
                        checkpoint)

    while not clock.over:
        crops = clock.spent < 0.6 * minutes
        source, batch = (dense, 12) if crops else (frames, 4)
        x = to_tensor(source[rng.integers(len(source), size=batch)]).contiguous(memory_format=torch.channels_last)
        loss, mse = loss_of(model, x)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step(clock.factor())
        average.update(model)
        step += 1
        if step % 50 == 0:
            log_line(stage="autoencoder", step=step, minutes=clock.spent, loss=loss.item(),
                     psnr=10 * math.log10(4 / mse.item()))
        if int(clock.spent / 2) > last:
            last = int(clock.spent / 2)
            save()
    save()
    average.store(model)
    log_line(stage="autoencoder", step=step, minutes=clock.spent, psnr_full_frames=psnr(model, check))
    fold_whitening(model, frames[:1500])
    save_atomically(model.state_dict(), work / "autoencoder_final.pt")
    return model


@torch.no_grad()
def fold_whitening(model, pictures):
    """Give each latent channel mean 0 and deviation 1/SCALING by changing quant_conv and post_quant_conv only."""
    z = torch.cat([model.encode(part).latent_dist.mean for part in to_tensor(pictures).split(32)])
    mean, gain = z.mean((0, 2, 3)), 1 / (SCALING * z.std((0, 2, 3)))
    quant, post = model.quant_conv, model.post_quant_conv
    quant.weight[:4] *= gain[:, None, None, None]
    quant.bias[:4] = (quant.bias[:4] - mean) * gain
    quant.bias[4:] += 2 * gain.log()
    post.bias += (post.weight[:, :, 0, 0] * mean).sum(1)
    post.weight /= gain[None, :, None, None]


def load(work):
    model = build()
    model.load_state_dict(torch.load(work / "autoencoder_final.pt"))
    return model.eval().requires_grad_(False)
