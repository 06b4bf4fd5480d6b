# SPDX-License-Identifier: Apache-2.0
"""Guidance methods and PLADIS on PixArt's transformer, in float64: guidance_cases.py around another network.

    python tools/reference/pixart_guidance.py tests/data/reference/models tests/data/pixart

writes guidance.json and guidance.safetensors. The texts are the tokens that T5 has of them, without padding and mask. The cases
NAME-pipeline are what diffusers' PixArtSigmaPipeline and PixArtSigmaPAGPipeline draw by themselves; the formulas here must
agree with them. Resolution binning is off: a picture has the size that was asked for.
"""
import functools
import json
import logging
import sys
from pathlib import Path

import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler, PixArtSigmaPAGPipeline, PixArtSigmaPipeline
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).resolve().parent))
from guidance_cases import HEIGHT, NEGATIVE, NUDGE, PROMPT, SEED, STEPS, WIDTH, Rule, evaluations, run, stored  # noqa: E402
from pixart_cases import added, encode, load  # noqa: E402

LENGTH = 40


class Network:
    """The transformer under the rules of one branch."""

    def __init__(self, pipe, spec, texts, nudge):
        self.model, self.spec, self.texts = pipe.transformer, spec, texts
        self.generator = torch.Generator().manual_seed(0) if nudge else None

    def __call__(self, x, t, branch, perturbation=None):
        dtype, rules = self.model.dtype, {}
        negative = self.model.caption_projection(self.texts["negative"].to(dtype))
        for name in self.model.attn_processors:
            rules[name] = Rule(name.removesuffix(".processor"), self.spec, branch, negative)
            rules[name].perturbation = perturbation
        self.model.set_attn_processor(rules)
        text = self.texts["negative" if branch == "unconditional" else "positive"]
        more = {k: v if v is None else v.to(dtype)
                for k, v in added(self.model, 1, *self.spec.get("size", (HEIGHT, WIDTH))).items()}
        y = self.model(x.to(dtype), text.to(dtype), timestep=t.to(dtype).expand(1), added_cond_kwargs=more,
                       return_dict=False)[0][:, :4].double()
        if self.generator:
            y = y + torch.randn(y.shape, generator=self.generator).double() * (NUDGE * y.std())
        return y


SPARSE = {"lambda": 2.0, "alpha": 1.5}
ONE = ["transformer_blocks.1"]
# name: sampler, the program's guidance texts, what they mean here; each without and with PLADIS
METHODS = {
    "none": ("euler", ["none"], dict(main="none")),
    "cfg": ("euler", ["cfg:scale=4.5"], dict(main="cfg", scale=4.5)),
    "cfg-weak": ("ddim", ["cfg:scale=1.5"], dict(main="cfg", scale=1.5)),
    "cfg-strong": ("euler", ["cfg:scale=9"], dict(main="cfg", scale=9.0)),
    "cfgpp-euler": ("euler", ["cfg++"], dict(main="cfg++", scale=0.6)),
    "cfgpp-ddim": ("ddim", ["cfg++:scale=0.8"], dict(main="cfg++", scale=0.8)),
    "apg": ("euler", ["apg:scale=6,eta=0.3,norm=2.5,momentum=-0.75"],
            dict(main="apg", scale=6.0, eta=0.3, norm=2.5, momentum=-0.75)),
    "cfg-zero": ("euler", ["cfg-zero:scale=5"], dict(main="cfg-zero", scale=5.0, zero=1)),
    "interval": ("euler", ["cfg:scale=4.5", "interval:start=0.25,end=0.8"],
                 dict(main="cfg", scale=4.5, interval=(0.25, 0.8))),
    "rescale": ("ddim", ["cfg:scale=4.5", "rescale"], dict(main="cfg", scale=4.5, rescale=0.7)),
    "nag": ("euler", ["none", "nag"], dict(main="none", nag=dict(scale=5.0, tau=2.5, alpha=0.25))),
    "nag-cfg": ("euler", ["cfg:scale=3", "nag:scale=11,tau=1.2,alpha=0.5"],
                dict(main="cfg", scale=3.0, nag=dict(scale=11.0, tau=1.2, alpha=0.5))),
    "gag": ("euler", ["cfg:scale=4.5", "gag:scale=2,eta=0.2,alpha=2"],
            dict(main="cfg", scale=4.5, gag=dict(scale=2.0, eta=0.2, alpha=2.0))),
    "pag": ("euler", ["cfg:scale=4.5", "pag:scale=3"], dict(main="cfg", scale=4.5, pag=dict(scale=3.0, layers=ONE))),
    "pag-blocks": ("euler", ["none", "pag:scale=2,layers=0+2"],
                   dict(main="none", pag=dict(scale=2.0, layers=["transformer_blocks.0", "transformer_blocks.2"]))),
    "seg": ("euler", ["cfg:scale=4.5", "seg:scale=3,sigma=0.8"],
            dict(main="cfg", scale=4.5, seg=dict(scale=3.0, sigma=0.8, layers=ONE))),
    "seg-wide": ("euler", ["none", "seg:sigma=7,layers=all"],
                 dict(main="none", seg=dict(scale=3.0, sigma=7.0, layers=["all"]))),
    "seg-mean": ("ddim", ["cfg:scale=3", "seg:scale=2,sigma=inf,layers=0-1"],
                 dict(main="cfg", scale=3.0,
                      seg=dict(scale=2.0, sigma=float("inf"), layers=["transformer_blocks.0"] + ONE))),
    "all-at-once": ("ddim", ["apg:scale=6,eta=0.3,norm=2.5,momentum=-0.75", "pag:scale=1.5", "seg:scale=2,sigma=1.3,layers=2",
                             "rescale:phi=0.5", "nag", "interval:start=0,end=0.75"],
                    dict(main="apg", scale=6.0, eta=0.3, norm=2.5, momentum=-0.75, rescale=0.5, interval=(0.0, 0.75),
                         pag=dict(scale=1.5, layers=ONE), nag=dict(scale=5.0, tau=2.5, alpha=0.25),
                         seg=dict(scale=2.0, sigma=1.3, layers=["transformer_blocks.2"]))),
}
# PLADIS alone, with CFG and PAG: name: what the program is told beside lambda, what that means here
ABLATIONS = {
    "alpha-2": (dict(alpha=2.0), {}),
    "alpha-1.25": (dict(alpha=1.25), {}),
    "alpha-1.75-block-0": (dict(alpha=1.75, blocks="0"), dict(blocks=["transformer_blocks.0"])),
    "blocks-1-2": (dict(alpha=1.5, blocks="1-2"), dict(blocks=ONE + ["transformer_blocks.2"])),
    "blocks-0-and-2": (dict(alpha=2.0, blocks="0,transformer_blocks.2"),
                       dict(blocks=["transformer_blocks.0", "transformer_blocks.2"])),
    "self": (dict(alpha=1.5, sites="self"), dict(sites=("self",))),
    "self-and-cross": (dict(alpha=1.5, sites="all"), dict(sites=("self", "cross"))),
    "conditional": (dict(alpha=1.5, branches="conditional"), dict(branches=("conditional",))),
    "not-perturbed": (dict(alpha=1.5, branches="unconditional,conditional"), dict(branches=("unconditional", "conditional"))),
    "tempered": (dict(alpha=1.5, temperature=0.5), {}),
}
# height and width; multiples of 16 that are not of 32, upright and lying
SIZES = [(48, 80), (112, 48), (16, 144), (80, 80)]


def cases(model):
    """Rows of guidance.json with what they mean here."""
    for name, (sampler, guidance, spec) in METHODS.items():
        for pladis in (None, SPARSE) if "gag" not in spec else (None,):
            row = dict(name=name + ("-pladis" if pladis else ""), sampler=sampler, guidance=guidance,
                       pladis=pladis["lambda"] if pladis else 0.0)
            yield row, dict(spec, sampler=sampler, **({"pladis": pladis} if pladis else {}))
    for name, (told, meant) in ABLATIONS.items():
        row = dict(name="ablation-" + name, sampler="euler", guidance=["cfg:scale=4.5", "pag:scale=2"], pladis=1.5, **told)
        rule = {"lambda": 1.5, "alpha": told["alpha"], "temperature": told.get("temperature"), **meant}
        yield row, dict(main="cfg", scale=4.5, sampler="euler", pladis=rule, pag=dict(scale=2.0, layers=ONE))
    for height, width in SIZES:
        row = dict(name=f"size-{width}x{height}", sampler="euler", guidance=["cfg:scale=4.5", "seg:scale=2,sigma=1.3"],
                   pladis=2.0, width=width, height=height)
        yield row, dict(main="cfg", scale=4.5, sampler="euler", pladis=SPARSE, size=(height, width),
                        seg=dict(scale=2.0, sigma=1.3, layers=ONE))


def float32_error(pipe, texts, spec, exact):
    """Worst relative error of any tensor when the network computes in float32."""
    pipe.transformer.float()
    rough = run(pipe, texts, spec, network=Network(pipe, spec, texts, False))
    pipe.transformer.double()
    return float(f"{max(((rough[k] - v).norm() / v.norm()).item() for k, v in exact.items() if v.norm() > 0):.2e}")


def from_pipeline(folder, cls, spec, load, **more):
    """What a pipeline of diffusers gives its scheduler in each step, and the latents it ends with."""
    pipe = cls.from_pretrained(folder, torch_dtype=torch.float32, **load)
    scheduler = {"euler": EulerDiscreteScheduler, "ddim": DDIMScheduler}[spec["sampler"]]
    pipe.scheduler = scheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    tensors, step = {}, pipe.scheduler.step

    @functools.wraps(step)  # the pipeline asks for its parameters
    def watched(noise_pred, *args, **kwargs):
        tensors[f"noise_pred.{len(tensors):02d}"] = noise_pred.clone()
        return step(noise_pred, *args, **kwargs)

    pipe.scheduler.step = watched
    latents = pipe(PROMPT, negative_prompt=NEGATIVE, height=HEIGHT, width=WIDTH, num_inference_steps=STEPS,
                   guidance_scale=spec["scale"], generator=torch.Generator().manual_seed(SEED), max_sequence_length=LENGTH,
                   clean_caption=False, use_resolution_binning=False, output_type="latent", **more).images
    return {**tensors, "latents": latents}


def pipelines(folder, found):
    """Rows of what the pipelines draw, compared with what the formulas gave for the same."""
    rows, tensors = [], {}
    for formula, cls, load, more in (
            ("cfg", PixArtSigmaPipeline, {}, {}),
            ("cfg-weak", PixArtSigmaPipeline, {}, {}),
            ("pag", PixArtSigmaPAGPipeline, dict(pag_applied_layers=["blocks.1"]), dict(pag_scale=3.0))):
        sampler, guidance, spec = METHODS[formula]
        got = from_pipeline(folder, cls, dict(spec, sampler=sampler), load, **more)
        for key, value in got.items():
            wanted = found[f"pixart-{formula}/{key}"]
            error = ((value - wanted).norm() / wanted.norm()).item()
            assert error < 5e-5, (formula, key, error)
        name = f"pixart-{formula}-pipeline"
        tensors.update({f"{name}/{k}": v.float().contiguous() for k, v in got.items()})
        rows.append(dict(name=name, model="pixart", sampler=sampler, guidance=guidance, pladis=0.0,
                         evaluations=evaluations(spec), sensitivity=0.0))
    return rows, tensors


@torch.no_grad()
def main(models, out):
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    rows, tensors = [], {}
    for model in ("pixart", "pixart-alpha"):
        pipe = load(Path(models) / model)
        texts = {}
        for key, text in (("positive", PROMPT), ("negative", NEGATIVE)):
            states, mask = encode(pipe, [text], LENGTH)
            texts[key] = states[:, :int(mask.sum())].double()
        pipe.transformer.double()
        for row, spec in cases(model):
            row = dict(row, name=f"{model}-{row['name']}", model=model)
            if row["name"] == model + "-cfg":  # its statistics at the cross sites, conditional branch, mean of all steps
                spec["statistics"] = {}
                row["statistics"] = f"statistics-{model}/"
            found = run(pipe, texts, spec, network=Network(pipe, spec, texts, False))
            for site, heads in spec.pop("statistics", {}).items():
                tensors[row["statistics"] + site] = torch.stack(heads).mean(0).float().contiguous()
            nudged = run(pipe, texts, spec, network=Network(pipe, spec, texts, True))
            change = (nudged["latents"] - found["latents"]).norm() / found["latents"].norm()
            rows.append(dict(row, evaluations=evaluations(spec), sensitivity=float(f"{change.item():.2e}")))
            if "gag" in spec:
                rows[-1]["float32_error"] = float32_error(pipe, texts, spec, found)
            tensors.update({f"{row['name']}/{k}": v.float().contiguous() for k, v in found.items()})
            print(rows[-1], flush=True)
    more, drawn = pipelines(Path(models) / "pixart", tensors)
    head = dict(prompt=PROMPT, negative=NEGATIVE, width=WIDTH, height=HEIGHT, steps=STEPS, seed=SEED, length=LENGTH,
                cases=rows + more)
    Path(out, "guidance.json").write_text(json.dumps(head, indent=1) + "\n")
    save_file(stored({**tensors, **drawn}), str(Path(out, "guidance.safetensors")))


if __name__ == "__main__":
    main(*sys.argv[1:])
