# SPDX-License-Identifier: Apache-2.0
"""Guidance methods on the joint attention of the tiny FLUX.1, in float64: guidance_cases.py around another network.

    python tools/reference/joint_guidance.py tests/data/reference/models tests/data/flux

writes guidance.json and guidance.safetensors. NAG is that of its authors' FLUX pipelines (arXiv 2505.21179) with the paper's L1
norm: the negative prompt's tokens go through the network beside the prompt's, the picture's tokens are one in the double
blocks, under the prompt's modulation, and what both attentions give the picture becomes one in every block. Without it the
forward written out here is asserted to be diffusers' own.
"""
import json
import logging
import sys
from pathlib import Path

import torch
from diffusers import FluxPipeline
from diffusers.models.embeddings import apply_rotary_emb
from diffusers.pipelines.flux.pipeline_flux import calculate_shift
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).resolve().parent))
from guidance_cases import HEIGHT, NEGATIVE, NUDGE, PROMPT, SEED, STEPS, WIDTH  # noqa: E402
from oracle.attention import entmax_alpha, joint_pladis_weights  # noqa: E402

LENGTH, GUIDANCE = 24, 3.5


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


class Flux:
    """One evaluation of a prompt, beside which a negative one may stand: two lanes [2, T, C]."""

    def __init__(self, pipe, spec, nudge):
        self.model, self.spec = pipe.transformer, spec
        self.generator = torch.Generator().manual_seed(0) if nudge else None

    def attend(self, block, query, key, value):
        """Joint attention of all lanes [L, heads, T, D] → [L, T, C]; text first."""
        z = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        pladis, gag = self.spec.get("pladis"), self.spec.get("gag")
        out = z.softmax(-1).to(value) @ value
        picture = z[..., self.text:, :]
        if gag:
            sparse = joint_pladis_weights(picture, self.text, 1.0, gag["alpha"]).to(value) @ value
            out[..., self.text:, :] = geometry_aware(sparse, out[..., self.text:, :], gag)
        elif pladis and block in pladis.get("blocks", range(99)):
            weights = joint_pladis_weights(picture, self.text, pladis["lambda"], pladis["alpha"])
            out[..., self.text:, :] = weights.to(value) @ value
        out = out.transpose(1, 2).flatten(2)
        nag = self.spec.get("nag")
        if len(out) == 2 and block in nag.get("layers", range(99)):
            out[:, self.text:] = normalised(out[:1, self.text:], out[1:, self.text:], nag)
        return out

    @staticmethod
    def project(attn, x, names, norms):
        query, key, value = (getattr(attn, name)(x).unflatten(-1, (attn.heads, -1)).transpose(1, 2) for name in names)
        return norms[0](query), norms[1](key), value

    def turned(self, query, key):
        return apply_rotary_emb(query, self.places), apply_rotary_emb(key, self.places)

    def double_block(self, index, block, text, image, temb):
        """The picture has one lane as long as both are the same."""
        of_image, gate, shift_mlp, scale_mlp, gate_mlp = block.norm1(image, emb=temb[:len(image)])
        of_text, c_gate, c_shift_mlp, c_scale_mlp, c_gate_mlp = block.norm1_context(text, emb=temb)
        attn = block.attn
        rows = self.project(attn, of_image, ("to_q", "to_k", "to_v"), (attn.norm_q, attn.norm_k))
        words = self.project(attn, of_text, ("add_q_proj", "add_k_proj", "add_v_proj"), (attn.norm_added_q, attn.norm_added_k))
        query, key, value = (torch.cat([w, r.expand(len(w), -1, -1, -1)], 2) for w, r in zip(words, rows))
        out = self.attend(index, *self.turned(query, key), value)
        of_image = out[:, self.text:]
        if len(image) == 1 and len(out) == 2 and torch.equal(of_image[0], of_image[1]):
            of_image = of_image[:1]
        lanes = len(of_image)
        gate, shift_mlp, scale_mlp, gate_mlp = (x.expand(lanes, -1) for x in (gate, shift_mlp, scale_mlp, gate_mlp))
        image = image + gate[:, None] * attn.to_out[0](of_image)
        image = image + gate_mlp[:, None] * block.ff(block.norm2(image) * (1 + scale_mlp[:, None]) + shift_mlp[:, None])
        text = text + c_gate[:, None] * attn.to_add_out(out[:, :self.text])
        text = text + c_gate_mlp[:, None] * block.ff_context(
            block.norm2_context(text) * (1 + c_scale_mlp[:, None]) + c_shift_mlp[:, None])
        return text, image

    def single_block(self, index, block, x, temb):
        y, gate = block.norm(x, emb=temb)
        attn = block.attn
        query, key, value = self.project(attn, y, ("to_q", "to_k", "to_v"), (attn.norm_q, attn.norm_k))
        out = self.attend(index, *self.turned(query, key), value)
        return x + gate[:, None] * block.proj_out(torch.cat([out, block.act_mlp(block.proj_mlp(y))], 2))

    def __call__(self, x, t, states, pooled, places):
        """x [1, tokens, C], states [lanes, T, C] with pooled [lanes, C] → the prediction of the first lane."""
        model, dtype = self.model, self.model.dtype
        lanes, self.text = states.shape[:2]
        self.places = model.pos_embed(torch.cat([torch.zeros(self.text, 3), places]))
        time = (t.to(dtype) * 1000).expand(lanes)
        guidance = [torch.full((lanes,), GUIDANCE * 1000, dtype=dtype)] if model.config.guidance_embeds else []
        temb = model.time_text_embed(time, *guidance, pooled.to(dtype))
        image, text = model.x_embedder(x.to(dtype)), model.context_embedder(states.to(dtype))
        for index, block in enumerate(model.transformer_blocks):
            text, image = self.double_block(index, block, text, image, temb)
        both = torch.cat([text, image.expand(lanes, -1, -1)], 1)
        for index, block in enumerate(model.single_transformer_blocks, len(model.transformer_blocks)):
            both = self.single_block(index, block, both, temb)
        y = model.proj_out(model.norm_out(both[:1, self.text:], temb[:1])).double()
        if self.generator:
            y = y + torch.randn(y.shape, generator=self.generator).double() * (NUDGE * y.std())
        return y


def check_forward(pipe, x, t, texts, places):
    """Without guidance the forward above is diffusers' own."""
    states, pooled = texts["positive"]
    dtype = pipe.transformer.dtype
    guidance = torch.tensor([GUIDANCE], dtype=dtype) if pipe.transformer.config.guidance_embeds else None
    wanted = pipe.transformer(hidden_states=x.to(dtype), encoder_hidden_states=states.to(dtype), pooled_projections=pooled.to(dtype),
                              timestep=t.to(dtype).expand(1), img_ids=places, txt_ids=torch.zeros(states.shape[1], 3),
                              guidance=guidance).sample
    found = Flux(pipe, {}, False)(x, t, states, pooled, places)
    assert ((found - wanted).norm() / wanted.norm()) < 1e-6, (found - wanted).norm() / wanted.norm()


@torch.no_grad()
def run(pipe, texts, spec, nudge=False):
    height, width = HEIGHT // 16, WIDTH // 16
    noise = torch.randn(1, 16, HEIGHT // 8, WIDTH // 8, generator=torch.Generator().manual_seed(SEED))
    x = FluxPipeline._pack_latents(noise, 1, 16, HEIGHT // 8, WIDTH // 8).double()
    places = torch.zeros(height, width, 3)
    places[..., 1], places[..., 2] = torch.arange(height)[:, None], torch.arange(width)[None]
    places = places.flatten(0, 1)
    config = pipe.scheduler.config
    shift = calculate_shift(x.shape[1], config.base_image_seq_len, config.max_image_seq_len, config.base_shift, config.max_shift)
    pipe.scheduler.set_timesteps(sigmas=torch.linspace(1, 1 / STEPS, STEPS).numpy(), mu=shift)
    sigmas, network, tensors = pipe.scheduler.sigmas.double(), Flux(pipe, spec, nudge), {}
    check_forward(pipe, x, sigmas[0], texts, places)
    lanes = ("positive", "negative") if "nag" in spec else ("positive",)
    both = [torch.cat([texts[lane][i] for lane in lanes]) for i in range(2)]
    for i in range(STEPS):
        y = network(x, sigmas[i].float(), *both, places)
        if spec.get("scale", 1) > 1:
            u = network(x, sigmas[i].float(), *texts["negative"], places)
            y = u + spec["scale"] * (y - u)
        x = x + (sigmas[i + 1] - sigmas[i]) * y
        if i in (0, STEPS - 1):
            tensors[f"noise_pred.{i:02d}"] = y
    return {**tensors, "latents": x}


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


def evaluations(spec):
    return STEPS * (1 + (spec.get("scale", 1) > 1) + ("nag" in spec))


def float32_error(pipe, texts, spec, exact):
    """Worst relative error of any tensor when the network computes in float32."""
    pipe.transformer.float()
    rough = run(pipe, texts, spec)
    pipe.transformer.double()
    return float(f"{max(((rough[k] - v).norm() / v.norm()).item() for k, v in exact.items()):.2e}")


@torch.no_grad()
def main(models, out):
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    rows, tensors = [], {}
    for model in ("flux-dev",):
        pipe = FluxPipeline.from_pretrained(Path(models) / model, torch_dtype=torch.float32)
        texts = {}
        for key, text in (("positive", PROMPT), ("negative", NEGATIVE)):
            states, pooled, _ = pipe.encode_prompt(text, None, max_sequence_length=LENGTH)
            texts[key] = states.double(), pooled.double()
        pipe.transformer.double()
        for name, (guidance, spec, sparse) in METHODS.items():
            for pladis in (None, SPARSE) if sparse else (None,):
                spec = dict(spec, **({"pladis": pladis} if pladis else {}))
                found, nudged = run(pipe, texts, spec), run(pipe, texts, spec, nudge=True)
                change = (nudged["latents"] - found["latents"]).norm() / found["latents"].norm()
                row = dict(name=f"{model}-{name}" + ("-pladis" if pladis else ""), model=model, sampler="euler", guidance=guidance,
                           pladis=pladis["lambda"] if pladis else 0.0, evaluations=evaluations(spec),
                           sensitivity=float(f"{change.item():.2e}"))
                if "gag" in spec:
                    row["float32_error"] = float32_error(pipe, texts, spec, found)
                rows.append(row)
                tensors.update({f"{row['name']}/{k}": v.float().contiguous() for k, v in found.items()})
                print(row, flush=True)
    head = dict(prompt=PROMPT, negative=NEGATIVE, width=WIDTH, height=HEIGHT, steps=STEPS, seed=SEED, length=LENGTH, cases=rows)
    Path(out).mkdir(parents=True, exist_ok=True)
    Path(out, "guidance.json").write_text(json.dumps(head, indent=1) + "\n")
    save_file(tensors, str(Path(out, "guidance.safetensors")))


if __name__ == "__main__":
    main(*sys.argv[1:])
