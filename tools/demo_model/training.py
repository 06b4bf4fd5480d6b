"""What every training stage shares: the optimiser, the clock-driven schedule, averages and checkpoints."""
import json
import math
import os
import time
from pathlib import Path

import torch


def orthogonalised(batch, steps=4):
    """Newton-Schulz iteration: matrices (n, rows, columns) pushed towards their nearest orthogonal ones."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = batch.shape[1] > batch.shape[2]
    x = batch.transpose(1, 2) if tall else batch
    x = x / (x.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
    for _ in range(steps):
        gram = x @ x.transpose(1, 2)
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.transpose(1, 2) if tall else x


class Muon:
    """Momentum, orthogonalised, for weight matrices and convolutions; Adam for everything else.

    The matrix step is scaled by 0.2 * sqrt(longer side), so that both halves take the same learning rate.
    """

    def __init__(self, named_parameters, lr, momentum=0.95, betas=(0.9, 0.99), decay=0.01, adam_names=()):
        self.lr, self.momentum, self.betas, self.decay = lr, momentum, betas, decay
        self.groups, self.others, self.steps = {}, [], 0
        for name, p in named_parameters:
            if p.ndim >= 2 and min(p.shape[0], p[0].numel()) >= 16 and not any(a in name for a in adam_names):
                self.groups.setdefault((p.shape[0], p[0].numel()), []).append(p)
            else:
                self.others.append(p)
        self.velocity = {key: torch.zeros(len(ps), *key) for key, ps in self.groups.items()}
        self.first = [torch.zeros_like(p) for p in self.others]
        self.second = [torch.zeros_like(p) for p in self.others]

    @torch.no_grad()
    def step(self, factor):
        """One step at `factor` times the learning rate; gradients are cleared."""
        lr, self.steps = self.lr * factor, self.steps + 1
        for (rows, columns), parameters in self.groups.items():
            gradient = torch.stack([p.grad.reshape(rows, columns) for p in parameters])
            velocity = self.velocity[rows, columns].lerp_(gradient, 1 - self.momentum)
            update = orthogonalised(gradient.lerp(velocity, self.momentum))
            for p, u in zip(parameters, update):
                p.mul_(1 - lr * self.decay).add_(u.reshape(p.shape), alpha=-lr * 0.2 * math.sqrt(max(rows, columns)))
        b1, b2 = self.betas
        gradients = [p.grad for p in self.others]
        torch._foreach_lerp_(self.first, gradients, 1 - b1)
        torch._foreach_mul_(self.second, b2)
        torch._foreach_addcmul_(self.second, gradients, gradients, 1 - b2)
        size = torch._foreach_sqrt(torch._foreach_div(self.second, 1 - b2 ** self.steps))
        torch._foreach_add_(size, 1e-8)
        torch._foreach_addcdiv_(self.others, self.first, size, -lr / (1 - b1 ** self.steps))
        for parameters in (*self.groups.values(), self.others):
            for p in parameters:
                p.grad = None

    def state_dict(self):
        return {"velocity": self.velocity, "first": self.first, "second": self.second, "steps": self.steps}

    def load_state_dict(self, state):
        self.velocity, self.first, self.second = state["velocity"], state["first"], state["second"]
        self.steps = state["steps"]


class Average:
    """Exponential moving average of a module's parameters."""

    def __init__(self, module, horizon):
        self.horizon, self.steps = horizon, 0
        self.values = [p.detach().clone() for p in module.parameters()]

    @torch.no_grad()
    def update(self, module):
        self.steps += 1
        weight = max(1 / self.horizon, 1 / (self.steps / 8 + 1))
        torch._foreach_lerp_(self.values, [p.detach() for p in module.parameters()], weight)

    @torch.no_grad()
    def store(self, module):
        for p, v in zip(module.parameters(), self.values):
            p.copy_(v)

    def state_dict(self):
        return {"values": self.values, "steps": self.steps}

    def load_state_dict(self, state):
        self.values, self.steps = state["values"], state["steps"]


def rate_factor(progress, warmup, decay_share=0.35):
    """Of the learning rate at a share of the training: a short linear rise over the share `warmup`, a plateau, a
    linear fall to nothing over the last `decay_share`."""
    return max(min(progress / warmup, 1.0, (1 - progress) / decay_share), 1e-3)


class Clock:
    """Training time in minutes, kept across restarts; the learning rate follows it."""

    def __init__(self, minutes, spent=0.0, warmup=0.5, decay_share=0.35):
        self.minutes, self.start = minutes, time.time() - 60 * spent
        self.warmup, self.decay_share = warmup, decay_share

    @property
    def spent(self):
        return (time.time() - self.start) / 60

    @property
    def over(self):
        return self.spent >= self.minutes

    def factor(self):
        return rate_factor(self.spent / self.minutes, self.warmup / self.minutes, self.decay_share)


def save_atomically(value, path):
    temporary = Path(f"{path}.part")
    torch.save(value, temporary)
    os.replace(temporary, path)


def log_line(**values):
    print(json.dumps({k: round(v, 5) if isinstance(v, float) else v for k, v in values.items()}), flush=True)
