# SPDX-License-Identifier: Apache-2.0
"""Guidance methods and PLADIS's ablations, written from their papers, on the tiny models, in float64.

    python tools/reference/guidance_cases.py tests/data/reference/models tests/data/guidance

writes cases.json and cases.safetensors. Each branch is a forward of its own with the attention rules of that branch, and
the loop around it is written out, so nothing is shared with the program's way (one batch, one table of variants).
APG and CFG-Zero* are diffusers' guiders, FreeU is diffusers' enable_freeu; the rest is here. `sensitivity` is the relative
change of the final latents when every model output is disturbed by noise of relative size 1e-6; `float32_error` (of GAG,
which amplifies rounding inside the network) is that of the same computation with a float32 network.

Tensors of a case: NAME/latents, and NAME/noise_pred.II for the first call and the last (after guidance). statistics/SITE
[heads, 3] are those of attention in the case "cfg".
"""
import json
import logging
import math
import sys
from pathlib import Path

import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler, StableDiffusionPipeline
from diffusers.guiders import AdaptiveProjectedGuidance, ClassifierFreeZeroStarGuidance
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).parent))
from oracle.attention import blur_queries, entmax_alpha, join_heads, split_heads  # noqa: E402

PROMPT, NEGATIVE = "a photo of a red fox sitting in deep snow, sharp focus", "blurry, low quality, watermark"
HEIGHT, WIDTH, STEPS, SEED = 64, 96, 4, 42
NUDGE = 1e-6
ALL = ("unconditional", "conditional", "perturbed")


def chosen(name, layers):
    """A site by block kind, "all", or a name cut at a dot."""
    return any(layer == "all" or (layer in ("down", "mid", "up") and name.startswith(layer + "_")) or
               name == layer or name.startswith(layer + ".") for layer in layers)


def weights(z, rule):
    """Rows of logits to weights: dense, PLADIS, or PLADIS with a tempered softmax in place of entmax."""
    dense = z.softmax(-1)
    if not rule.get("lambda"):
        return dense
    sparse = (z / rule["temperature"]).softmax(-1) if rule.get("temperature") else entmax_alpha(z, rule["alpha"])
    return dense + rule["lambda"] * (sparse - dense)


def geometry_aware(z, v, gag):
    """GAG on outputs, head by head: only the part of (sparse - dense) along the sparse output is amplified."""
    sparse, dense = entmax_alpha(z, gag["alpha"]).to(v) @ v, z.softmax(-1) @ v
    r = sparse - dense
    along = (r * sparse).sum(-1, keepdim=True) / (sparse * sparse).sum(-1, keepdim=True) * sparse
    norm = along.norm(dim=-1, keepdim=True)
    return sparse + gag["scale"] * along * torch.clamp(gag["eta"] / norm, max=1)


def statistics(z, alpha=1.5):
    """[heads, 3]: share of exact zeros of alpha-entmax, and the entropies of its rows and of the dense ones, in nats."""
    def entropy(w):
        return -torch.where(w > 0, w * w.clamp_min(1e-300).log(), 0).sum(-1).mean((0, 2))

    sparse = entmax_alpha(z, alpha)
    zeros = (sparse == 0).double().mean((0, 2, 3))
    return torch.stack([zeros, entropy(sparse), entropy(z.softmax(-1))], dim=1)


class Rule:
    """Attention processor of one branch."""

    def __init__(self, name, spec, branch, negative):
        self.name, self.spec, self.branch, self.negative = name, spec, branch, negative

    def out(self, attn, q, context, cross):
        k, v = split_heads(attn.to_k(context), attn.heads), split_heads(attn.to_v(context), attn.heads)
        z = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        gag, pladis = self.spec.get("gag"), self.spec.get("pladis", {})
        if cross and self.branch == "conditional" and "statistics" in self.spec:
            self.spec["statistics"].setdefault(self.name, []).append(statistics(z))
        if cross and gag:
            return join_heads(geometry_aware(z, v, gag))
        acts = ("cross" if cross else "self") in pladis.get("sites", ("cross",))
        acts = acts and chosen(self.name, pladis.get("blocks", ("all",)))
        acts = acts and self.branch in pladis.get("branches", ALL)
        return join_heads(weights(z, pladis if acts else {}) @ v)

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, temb=None, **_):
        cross = encoder_hidden_states is not None
        context = encoder_hidden_states if cross else hidden_states
        q = split_heads(attn.to_q(hidden_states), attn.heads)
        perturbed = self.spec.get(self.perturbation) if self.branch == "perturbed" and not cross else None
        if perturbed and chosen(self.name, perturbed["layers"]):
            if self.perturbation == "pag":
                return attn.to_out[0](attn.to_v(hidden_states))
            height, width = grid(q.shape[2], *self.spec.get("size", (HEIGHT, WIDTH)))
            q = blur_queries(q, height, width, float(perturbed["sigma"]))
        out = self.out(attn, q, context, cross)
        nag = self.spec.get("nag")
        if cross and nag and self.branch != "unconditional":
            other = self.out(attn, q, self.negative, True)
            guided = nag["scale"] * out - (nag["scale"] - 1) * other
            ratio = guided.abs().sum(-1, keepdim=True) / out.abs().sum(-1, keepdim=True)
            guided = guided * torch.minimum(ratio, torch.full_like(ratio, nag["tau"])) / ratio
            out = nag["alpha"] * guided + (1 - nag["alpha"]) * out
        return attn.to_out[0](out)


def grid(tokens, height, width):
    """Rows and columns of the tokens of a picture."""
    h, w = height // 8, width // 8
    while h * w > tokens:
        h, w = (h + 1) // 2, (w + 1) // 2
    assert h * w == tokens
    return h, w


class Network:
    """The U-Net under the rules of one branch."""

    def __init__(self, unet, spec, texts, nudge):
        self.unet, self.spec, self.texts = unet, spec, texts
        self.generator = torch.Generator().manual_seed(0) if nudge else None
        unet.disable_freeu()
        if "freeu" in spec:
            unet.enable_freeu(**spec["freeu"])

    def __call__(self, x, t, branch, perturbation=None):
        dtype = self.unet.dtype
        rules = {}
        for name in self.unet.attn_processors:
            site = name.removesuffix(".processor")
            rules[name] = Rule(site, self.spec, branch, self.texts["negative"].to(dtype))
            rules[name].perturbation = perturbation
        self.unet.set_attn_processor(rules)
        text = self.texts["negative" if branch == "unconditional" else "positive"]
        y = self.unet(x.to(dtype), t.to(dtype), encoder_hidden_states=text.to(dtype)).sample.double()
        if self.generator:
            y = y + torch.randn(y.shape, generator=self.generator).double() * (NUDGE * y.std())
        return y


def guided(spec, network, x, t, step, guider):
    """The prediction, and the one to add noise back with."""
    first, last = spec.get("interval", (0.0, 1.0))
    active = int(first * STEPS) <= step < int(last * STEPS)
    c = network(x, t, "conditional")
    if not active:
        return c, c
    main, scale = spec["main"], spec.get("scale")
    u = network(x, t, "unconditional") if main != "none" else None
    if main == "none":
        y = c
    elif main in ("cfg", "cfg++"):
        y = u + scale * (c - u)
    else:
        guider.set_state(step, STEPS, t)
        guider._step == 0 and guider.prepare_inputs({})  # makes the momentum buffer
        y = guider.forward(c, u).pred
        if main == "cfg-zero" and step < spec["zero"]:
            return y, y
    for name in ("pag", "seg"):
        if name in spec:
            y = y + spec[name]["scale"] * (c - network(x, t, "perturbed", name))
    if "rescale" in spec:
        y = spec["rescale"] * y * (c.std() / y.std()) + (1 - spec["rescale"]) * y
    return y, u if main == "cfg++" else y


def make_guider(spec):
    if spec["main"] == "apg":
        return AdaptiveProjectedGuidance(spec["scale"], spec["momentum"] or None, spec["norm"], eta=spec["eta"])
    return ClassifierFreeZeroStarGuidance(spec["scale"], spec["zero"]) if spec["main"] == "cfg-zero" else None


def split(prediction, kind, x, a, s):
    """x = a*x0 + s*eps with a*a + s*s = 1: both from what the network predicts."""
    if kind == "v_prediction":
        return a * x - s * prediction, a * prediction + s * x
    return (x - s * prediction) / a, prediction


@torch.no_grad()
def run(pipe, texts, spec, nudge=False, network=None):
    """`network`: what predicts, called as Network is; the pipeline's U-Net without one."""
    cls = {"euler": EulerDiscreteScheduler, "ddim": DDIMScheduler}[spec["sampler"]]
    scheduler = cls.from_config(pipe.scheduler.config)
    scheduler.set_timesteps(STEPS)
    kind, guider = scheduler.config.prediction_type, make_guider(spec)
    network = network or Network(pipe.unet, spec, texts, nudge)
    height, width = spec.get("size", (HEIGHT, WIDTH))
    shape = (1, 4, height // 8, width // 8)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(SEED)).double() * float(scheduler.init_noise_sigma)
    tensors = {}
    for i, t in enumerate(scheduler.timesteps):
        if spec["sampler"] == "euler":
            sigma, after = scheduler.sigmas[i].double(), scheduler.sigmas[i + 1].double()
            a = 1 / torch.sqrt(sigma * sigma + 1)
            y, again = guided(spec, network, x * a, t, i, guider)
            x0, _ = split(y, kind, x * a, a, sigma * a)
            _, eps = split(again, kind, x * a, a, sigma * a)
            x = x0 + after * eps
        else:
            before = t - scheduler.config.num_train_timesteps // STEPS
            bar = scheduler.alphas_cumprod[t].double()
            next_bar = (scheduler.alphas_cumprod[before] if before >= 0 else scheduler.final_alpha_cumprod).double()
            y, again = guided(spec, network, x, t, i, guider)
            x0, _ = split(y, kind, x, bar.sqrt(), (1 - bar).sqrt())
            if scheduler.config.clip_sample:  # diffusers' default, which Stable Diffusion's own files turn off
                x0 = x0.clamp(-scheduler.config.clip_sample_range, scheduler.config.clip_sample_range)
            _, eps = split(again, kind, x, bar.sqrt(), (1 - bar).sqrt())
            x = next_bar.sqrt() * x0 + (1 - next_bar).sqrt() * eps
        tensors[f"noise_pred.{i:02d}"] = y
    tensors["latents"] = x
    return tensors


SPARSE = {"lambda": 2.0, "alpha": 1.5}
MID = ["mid"]
# name: model, sampler, the program's guidance texts, what they mean here
METHODS = {
    "none": ("sd15", "euler", ["none"], dict(main="none")),
    "cfg": ("sd15", "euler", ["cfg:scale=5"], dict(main="cfg", scale=5.0)),
    "cfgpp-euler": ("sd15", "euler", ["cfg++"], dict(main="cfg++", scale=0.6)),
    "cfgpp-ddim": ("sd15", "ddim", ["cfg++:scale=0.8"], dict(main="cfg++", scale=0.8)),
    "cfgpp-euler-v": ("sd21", "euler", ["cfg++"], dict(main="cfg++", scale=0.6)),
    "cfgpp-ddim-v": ("sd21", "ddim", ["cfg++"], dict(main="cfg++", scale=0.6)),
    "apg": ("sd15", "euler", ["apg"], dict(main="apg", scale=7.5, eta=0.0, norm=15.0, momentum=-0.5)),
    "apg-diffusers": ("sd15", "euler", ["apg:eta=1,momentum=0,norm=3"],
                      dict(main="apg", scale=7.5, eta=1.0, norm=3.0, momentum=0.0)),
    "apg-bound": ("sd15", "euler", ["apg:scale=12,eta=0.3,norm=2.5,momentum=-0.75"],
                  dict(main="apg", scale=12.0, eta=0.3, norm=2.5, momentum=-0.75)),
    "cfg-zero": ("sd15", "euler", ["cfg-zero"], dict(main="cfg-zero", scale=7.5, zero=1)),
    "cfg-zero-ddim": ("sd15", "ddim", ["cfg-zero:steps=0,scale=5"], dict(main="cfg-zero", scale=5.0, zero=0)),
    "interval": ("sd15", "euler", ["interval:start=0.25,end=0.8"],
                 dict(main="cfg", scale=7.5, interval=(0.25, 0.8))),
    "nag": ("sd15", "euler", ["none", "nag"],
            dict(main="none", nag=dict(scale=5.0, tau=2.5, alpha=0.25))),
    "nag-cfg": ("sd15", "euler", ["cfg:scale=3", "nag:scale=11,tau=1.2,alpha=0.5"],
                dict(main="cfg", scale=3.0, nag=dict(scale=11.0, tau=1.2, alpha=0.5))),
    "gag": ("sd15", "euler", ["gag"], dict(main="cfg", scale=7.5, gag=dict(scale=10.0, eta=15.0, alpha=1.5))),
    "gag-bound": ("sd15", "euler", ["gag:scale=2,eta=0.2,alpha=2"],
                  dict(main="cfg", scale=7.5, gag=dict(scale=2.0, eta=0.2, alpha=2.0))),
    "pag-rescale": ("sd15", "euler", ["pag:scale=2,layers=mid+up_blocks.1", "rescale"],
                    dict(main="cfg", scale=7.5, rescale=0.7, pag=dict(scale=2.0, layers=["mid", "up_blocks.1"]))),
    "pag-seg": ("sd15", "euler", ["pag:scale=1.5", "seg:scale=2,sigma=1.3,layers=down"],
                dict(main="cfg", scale=4.0, pag=dict(scale=1.5, layers=MID),
                     seg=dict(scale=2.0, sigma=1.3, layers=["down"]))),
    "seg-wide": ("sd15", "euler", ["none", "seg:sigma=7,layers=all"],
                 dict(main="none", seg=dict(scale=3.0, sigma=7.0, layers=["all"]))),
    "all-at-once": ("sd15", "ddim", ["apg", "pag", "rescale:phi=0.5", "freeu", "nag", "interval:start=0,end=0.75"],
                    dict(main="apg", scale=7.5, eta=0.0, norm=15.0, momentum=-0.5, rescale=0.5, interval=(0.0, 0.75),
                         pag=dict(scale=3.0, layers=MID), nag=dict(scale=5.0, tau=2.5, alpha=0.25),
                         freeu=dict(b1=1.5, b2=1.6, s1=0.9, s2=0.2))),
}
ABLATIONS = {
    "self": ("self", "all", 0.0, dict(SPARSE, sites=("self",))),
    "self-and-cross": ("all", "all", 0.0, dict(SPARSE, sites=("self", "cross"))),
    "conditional": ("cross", "conditional", 0.0, dict(SPARSE, branches=("conditional",))),
    "not-perturbed": ("cross", "unconditional,conditional", 0.0, dict(SPARSE, branches=("unconditional", "conditional"))),
    "tempered": ("cross", "all", 0.5, dict(SPARSE, temperature=0.5)),
    "tempered-self": ("all", "all", 0.7, {"lambda": 1.0, "alpha": 1.5, "temperature": 0.7, "sites": ("self", "cross")}),
}


def cases():
    """Rows of cases.json with what they mean here."""
    for name, (model, sampler, guidance, spec) in METHODS.items():
        cfg = 4.0 if name == "pag-seg" else None
        for pladis in (None, SPARSE) if "gag" not in spec else (None,):
            row = dict(name=name + ("-pladis" if pladis else ""), model=model, sampler=sampler, guidance=guidance, cfg=cfg,
                       pladis=pladis["lambda"] if pladis else 0.0)
            yield row, dict(spec, sampler=sampler, **({"pladis": pladis} if pladis else {}))
    for name, (sites, branches, temperature, pladis) in ABLATIONS.items():
        row = dict(name="ablation-" + name, model="sd15", sampler="euler", guidance=["pag"], cfg=None, pladis=pladis["lambda"],
                   sites=sites, branches=branches, temperature=temperature)
        yield row, dict(main="cfg", scale=7.5, sampler="euler", pladis=pladis, pag=dict(scale=3.0, layers=MID))


def float32_error(pipe, texts, spec, exact):
    """Worst relative error of any tensor when the network computes in float32."""
    pipe.unet.float()
    rough = run(pipe, texts, spec)
    pipe.unet.double()
    return float(f"{max(((rough[k] - v).norm() / v.norm()).item() for k, v in exact.items() if v.norm() > 0):.2e}")


def stored(tensors):
    """What a file has of them: predictions in between show nothing that the last one does not."""
    left_out = tuple(f"/noise_pred.{i:02d}" for i in range(1, STEPS - 1))
    return {name: value for name, value in tensors.items() if not name.endswith(left_out)}


def evaluations(spec):
    """Rows of the network's batches, summed: the table of the methods, less what a step does not need."""
    rows = (2 if spec["main"] != "none" else 1) + sum(name in spec for name in ("pag", "seg"))
    first, last = spec.get("interval", (0.0, 1.0))
    inside = int(last * STEPS) - int(first * STEPS)
    return inside * rows + (STEPS - inside) - min(spec.get("zero", 0), STEPS) * rows


def main(models, out):
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    rows, tensors, pipes = [], {}, {}
    for row, spec in cases():
        if row["model"] not in pipes:
            pipe = StableDiffusionPipeline.from_pretrained(Path(models) / row["model"], torch_dtype=torch.float32,
                                                           safety_checker=None)
            positive, negative = pipe.encode_prompt(PROMPT, "cpu", 1, True, NEGATIVE)
            pipe.unet.double()
            pipes[row["model"]] = pipe, {"positive": positive.double(), "negative": negative.double()}
        if row["name"] == "cfg":  # its statistics at the cross sites, conditional branch, mean of all steps
            spec["statistics"] = {}
            row["statistics"] = "statistics/"
        found = run(*pipes[row["model"]], spec)
        for site, heads in spec.pop("statistics", {}).items():
            tensors[f"statistics/{site}"] = torch.stack(heads).mean(0).float().contiguous()
        nudged = run(*pipes[row["model"]], spec, nudge=True)
        change = (nudged["latents"] - found["latents"]).norm() / found["latents"].norm()
        rows.append({k: v for k, v in row.items() if v is not None} |
                    dict(evaluations=evaluations(spec), sensitivity=float(f"{change.item():.2e}")))
        if "gag" in spec:
            rows[-1]["float32_error"] = float32_error(*pipes[row["model"]], spec, found)
        tensors.update({f"{row['name']}/{k}": v.float().contiguous() for k, v in found.items()})
        print(rows[-1], flush=True)
    head = dict(prompt=PROMPT, negative=NEGATIVE, width=WIDTH, height=HEIGHT, steps=STEPS, seed=SEED, cases=rows)
    Path(out).mkdir(parents=True, exist_ok=True)
    Path(out, "cases.json").write_text(json.dumps(head, indent=1) + "\n")
    save_file(stored(tensors), str(Path(out, "cases.safetensors")))


if __name__ == "__main__":
    main(*sys.argv[1:])
