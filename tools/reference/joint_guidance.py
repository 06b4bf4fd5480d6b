# SPDX-License-Identifier: Apache-2.0
"""Guidance methods in the joint attention of the tiny FLUX.1, SD 3.5 and FLUX.2, in float64: guidance_cases.py around other networks.

    python tools/reference/joint_guidance.py tests/data/reference/models tests/data/joint

writes guidance.json and guidance.safetensors. The forwards are diffusers' own; what is written out here takes the place of its
attention. NAG is that of its authors' FLUX and SD 3 pipelines (arXiv 2505.21179) with the paper's L1 norm: the negative prompt's
tokens go through the network beside the prompt's, as a second lane. In every block what both attentions give the picture
becomes one, and where the picture's tokens have a modulation of their own, that of both lanes is the prompt's.
"""
import json
import logging
import sys
from pathlib import Path

import torch
from diffusers import Flux2KleinPipeline, FluxPipeline, StableDiffusion3Pipeline
from diffusers.models.transformers import transformer_flux, transformer_flux2
from diffusers.pipelines.flux2.pipeline_flux2_klein import compute_empirical_mu
from diffusers.pipelines.flux.pipeline_flux import calculate_shift
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).resolve().parent))
from guidance_cases import HEIGHT, NEGATIVE, NUDGE, PROMPT, SEED, STEPS, WIDTH  # noqa: E402
from oracle.attention import joint_pladis_weights  # noqa: E402

LENGTH, GUIDANCE = 48, 3.5


def geometry_aware(sparse, dense, gag):
    """GAG on outputs [B, heads, T, D]: only the part of (sparse - dense) along the sparse output is amplified."""
    r = sparse - dense
    along = (r * sparse).sum(-1, keepdim=True) / (sparse * sparse).sum(-1, keepdim=True) * sparse
    return sparse + gag["scale"] * along * torch.clamp(gag["eta"] / along.norm(dim=-1, keepdim=True), max=1)


def normalised(positive, negative, nag):
    """NAG of tokens [B, T, C]."""
    guided = nag["scale"] * positive - (nag["scale"] - 1) * negative
    ratio = guided.abs().sum(-1, keepdim=True) / positive.abs().sum(-1, keepdim=True)
    guided = guided * torch.minimum(ratio, torch.full_like(ratio, nag["tau"])) / ratio
    return nag["alpha"] * guided + (1 - nag["alpha"]) * positive


class Joint:
    """Attention of all lanes of an evaluation; blocks are counted as they come. `lanes` 1 or, with a negative prompt, 2."""

    def __init__(self, spec, pixels, text_first):
        self.spec, self.pixels, self.text_first = spec, pixels, text_first

    def begin(self):
        self.block = -1

    def ordered(self, weights_of, z):
        """Weights of rows z [..., keys], whose text's columns come first for `weights_of`."""
        text = z.shape[-1] - self.pixels
        if self.text_first:
            return weights_of(z, text)
        w = weights_of(torch.cat([z[..., self.pixels:], z[..., :self.pixels]], -1), text)
        return torch.cat([w[..., text:], w[..., :text]], -1)

    def __call__(self, query, key, value):
        """[L, heads, T, D] each → the same."""
        z = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        out = z.softmax(-1).to(value) @ value
        if key.shape[-2] == self.pixels:  # of the picture alone
            return out
        self.block += 1
        first = key.shape[-2] - self.pixels if self.text_first else 0
        rows = slice(first, first + self.pixels)
        pladis, gag, nag = (self.spec.get(name) for name in ("pladis", "gag", "nag"))
        if gag:
            sparse = self.ordered(lambda z, text: joint_pladis_weights(z, text, 1.0, gag["alpha"]), z[..., rows, :])
            out[..., rows, :] = geometry_aware(sparse.to(value) @ value, out[..., rows, :], gag)
        elif pladis:
            weights = self.ordered(lambda z, text: joint_pladis_weights(z, text, pladis["lambda"], pladis["alpha"]), z[..., rows, :])
            out[..., rows, :] = weights.to(value) @ value
        if len(out) == 2 and self.block in nag.get("layers", range(99)):
            tokens = out[:, :, rows].transpose(1, 2)
            guided = normalised(*tokens.flatten(2).split(1), nag)
            out[:, :, rows] = guided.unflatten(-1, tokens.shape[2:]).transpose(1, 2)
        return out


class Network:
    """One evaluation of lanes of texts; the prediction of the first."""

    @staticmethod
    def end(pipe, x):
        return x

    def __init__(self, pipe, spec, nudge):
        self.pipe, self.model = pipe, pipe.transformer
        self.joint = Joint(spec, HEIGHT // 16 * (WIDTH // 16), self.TEXT_FIRST)
        self.generator = torch.Generator().manual_seed(0) if nudge else None

    def attend(self, query, key, value, *_, **__):
        """In place of the function of transformer_flux*.py: [L, T, heads, D]."""
        return self.joint(*(x.transpose(1, 2) for x in (query, key, value))).transpose(1, 2)

    def share_modulation(self):
        """The picture's tokens have the prompt's modulation in both lanes, while they are the same."""
        for block in self.model.transformer_blocks:
            def shared(x, emb, norm=block.norm1):
                return type(norm).forward(norm, x, emb=emb[:1].expand_as(emb) if torch.equal(x[0], x[-1]) else emb)
            block.norm1.forward = shared

    def __call__(self, x, sigma, lanes):
        self.joint.begin()
        y = self.evaluate(x.to(self.model.dtype), sigma, lanes)[:1].double()
        if self.generator:
            y = y + torch.randn(y.shape, generator=self.generator).double() * (NUDGE * y.std())
        return y

    def lanes_of(self, lanes, index):
        return torch.cat([lane[index] for lane in lanes]).to(self.model.dtype)


class Flux(Network):
    PIPELINE, MODULE, TEXT_FIRST = FluxPipeline, transformer_flux, True

    @staticmethod
    def texts(pipe, text):
        return pipe.encode_prompt(text, None, max_sequence_length=LENGTH)[:2]

    @staticmethod
    def begin(pipe, noise):
        config = pipe.scheduler.config
        x = FluxPipeline._pack_latents(noise, 1, 16, HEIGHT // 8, WIDTH // 8)
        shift = calculate_shift(x.shape[1], config.base_image_seq_len, config.max_image_seq_len, config.base_shift, config.max_shift)
        pipe.scheduler.set_timesteps(sigmas=torch.linspace(1, 1 / STEPS, STEPS).numpy(), mu=shift)
        return x

    def evaluate(self, x, sigma, lanes):
        self.share_modulation()
        states = self.lanes_of(lanes, 0)
        guidance = torch.full((len(lanes),), GUIDANCE, dtype=x.dtype) if self.model.config.guidance_embeds else None
        return self.model(hidden_states=x.expand(len(lanes), -1, -1), encoder_hidden_states=states,
                          pooled_projections=self.lanes_of(lanes, 1), timestep=sigma.to(x.dtype).expand(len(lanes)),
                          img_ids=FluxPipeline._prepare_latent_image_ids(1, HEIGHT // 16, WIDTH // 16, "cpu", torch.float32),
                          txt_ids=torch.zeros(states.shape[1], 3), guidance=guidance).sample


class Sd3(Network):
    PIPELINE, MODULE, TEXT_FIRST = StableDiffusion3Pipeline, None, False

    @staticmethod
    def texts(pipe, text):
        states, _, pooled, _ = pipe.encode_prompt(text, None, None, do_classifier_free_guidance=False, max_sequence_length=LENGTH)
        return states, pooled

    @staticmethod
    def begin(pipe, noise):
        pipe.scheduler.set_timesteps(STEPS)
        return noise

    def evaluate(self, x, sigma, lanes):
        self.share_modulation()
        return self.model(hidden_states=x.expand(len(lanes), -1, -1, -1), encoder_hidden_states=self.lanes_of(lanes, 0),
                          pooled_projections=self.lanes_of(lanes, 1), timestep=(sigma * 1000).to(x.dtype).expand(len(lanes))).sample


class Flux2(Network):
    """Its modulation knows no text."""
    PIPELINE, MODULE, TEXT_FIRST = Flux2KleinPipeline, transformer_flux2, True

    @staticmethod
    def texts(pipe, text):
        return (pipe.encode_prompt(text, max_sequence_length=LENGTH)[0],)

    @staticmethod
    def begin(pipe, noise):
        pipe.scheduler.set_timesteps(sigmas=torch.linspace(1, 1 / STEPS, STEPS).numpy(),
                                     mu=compute_empirical_mu(noise.shape[2] * noise.shape[3], STEPS))
        return Flux2KleinPipeline._pack_latents(noise)

    @staticmethod
    def end(pipe, x):
        """What goes into the autoencoder."""
        norm = pipe.vae.bn
        x = x.unflatten(1, (HEIGHT // 16, WIDTH // 16)).permute(0, 3, 1, 2)
        std = torch.sqrt(norm.running_var.double() + pipe.vae.config.batch_norm_eps)
        x = x * std.view(1, -1, 1, 1) + norm.running_mean.double().view(1, -1, 1, 1)
        return Flux2KleinPipeline._unpatchify_latents(x)

    def evaluate(self, x, sigma, lanes):
        states = self.lanes_of(lanes, 0)
        places = Flux2KleinPipeline._prepare_latent_ids(torch.empty(1, 128, HEIGHT // 16, WIDTH // 16))
        return self.model(hidden_states=x.expand(len(lanes), -1, -1), encoder_hidden_states=states,
                          timestep=sigma.to(x.dtype).expand(len(lanes)), img_ids=places, guidance=None,
                          txt_ids=Flux2KleinPipeline._prepare_text_ids(states[:1])).sample


@torch.no_grad()
def run(kind, pipe, texts, spec, nudge=False):
    shape = (1, 128, HEIGHT // 16, WIDTH // 16) if kind is Flux2 else (1, 16, HEIGHT // 8, WIDTH // 8)
    network = kind(pipe, spec, nudge)
    x = kind.begin(pipe, torch.randn(shape, generator=torch.Generator().manual_seed(SEED))).double()
    sigmas, tensors = pipe.scheduler.sigmas, {}
    lanes = [texts[lane] for lane in (("positive", "negative") if "nag" in spec else ("positive",))]
    kept = torch.nn.functional.scaled_dot_product_attention
    if kind.MODULE:
        kind.MODULE.dispatch_attention_fn = network.attend
    else:
        torch.nn.functional.scaled_dot_product_attention = lambda q, k, v, **_: network.joint(q, k, v)
    for i in range(STEPS):
        y = network(x, sigmas[i], lanes)
        if spec.get("scale", 1) > 1:
            u = network(x, sigmas[i], [texts["negative"]])
            y = u + spec["scale"] * (y - u)
        x = x + (sigmas[i + 1].double() - sigmas[i].double()) * y
        if i in (0, STEPS - 1):
            tensors[f"noise_pred.{i:02d}"] = y
    torch.nn.functional.scaled_dot_product_attention = kept
    return {**tensors, "latents": kind.end(pipe, x)}


SPARSE = {"lambda": 2.0, "alpha": 1.5}
NAG = dict(scale=5.0, tau=2.5, alpha=0.25)
# name: the program's guidance texts, what they mean here, whether it is also drawn with PLADIS
METHODS = {
    "cfg": (["cfg:scale=3"], dict(scale=3.0), False),
    "nag": (["none", "nag"], dict(nag=NAG), True),
    "nag-strong": (["none", "nag:scale=11,tau=1.2,alpha=0.5"], dict(nag=dict(scale=11.0, tau=1.2, alpha=0.5)), False),
    "nag-cfg": (["cfg:scale=3", "nag"], dict(scale=3.0, nag=NAG), True),
    "nag-later": (["cfg:scale=3", "nag:layers=1+3"], dict(scale=3.0, nag=dict(NAG, layers=(1, 3))), False),
    "gag": (["none", "gag:scale=2,eta=0.2,alpha=2"], dict(gag=dict(scale=2.0, eta=0.2, alpha=2.0)), False),
    "gag-nag": (["none", "nag", "gag:scale=2,eta=0.2,alpha=1.5"],
                dict(nag=NAG, gag=dict(scale=2.0, eta=0.2, alpha=1.5)), False),
}
MODELS = {"flux-dev": (Flux, METHODS), "sd35": (Sd3, ("nag-cfg", "nag-later", "gag-nag")),
          "flux2-klein": (Flux2, ("nag", "nag-later", "gag-nag"))}


def evaluations(spec):
    return STEPS * (1 + (spec.get("scale", 1) > 1) + ("nag" in spec))


def float32_error(kind, pipe, texts, spec, exact):
    """Worst relative error of any tensor when the network computes in float32."""
    pipe.transformer.float()
    rough = run(kind, pipe, texts, spec)
    pipe.transformer.double()
    return float(f"{max(((rough[k] - v).norm() / v.norm()).item() for k, v in exact.items()):.2e}")


@torch.no_grad()
def main(models, out):
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    rows, tensors = [], {}
    for model, (kind, names) in MODELS.items():
        pipe = kind.PIPELINE.from_pretrained(Path(models) / model, torch_dtype=torch.float32)
        texts = {"positive": kind.texts(pipe, PROMPT), "negative": kind.texts(pipe, NEGATIVE)}
        pipe.transformer.double()
        for name in names:
            guidance, spec, sparse = METHODS[name]
            for pladis in (None, SPARSE) if sparse else (None,):
                spec = dict(spec, **({"pladis": pladis} if pladis else {}))
                found, nudged = run(kind, pipe, texts, spec), run(kind, pipe, texts, spec, nudge=True)
                change = (nudged["latents"] - found["latents"]).norm() / found["latents"].norm()
                row = dict(name=f"{model}-{name}" + ("-pladis" if pladis else ""), model=model, sampler="euler", guidance=guidance,
                           pladis=pladis["lambda"] if pladis else 0.0, evaluations=evaluations(spec),
                           sensitivity=float(f"{change.item():.2e}"))
                if "gag" in spec:
                    row["float32_error"] = float32_error(kind, pipe, texts, spec, found)
                rows.append(row)
                tensors.update({f"{row['name']}/{k}": v.float().contiguous() for k, v in found.items()})
                print(row, flush=True)
    head = dict(prompt=PROMPT, negative=NEGATIVE, width=WIDTH, height=HEIGHT, steps=STEPS, seed=SEED, length=LENGTH, cases=rows)
    Path(out).mkdir(parents=True, exist_ok=True)
    Path(out, "guidance.json").write_text(json.dumps(head, indent=1) + "\n")
    save_file(tensors, str(Path(out, "guidance.safetensors")))


if __name__ == "__main__":
    main(*sys.argv[1:])
