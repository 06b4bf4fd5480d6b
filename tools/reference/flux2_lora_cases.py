#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""LoRAs of FLUX.2 klein in three namings, and what the tiny klein computes under each.

    flux2_lora_cases.py --reference tests/data/reference

writes files/flux2-klein-lora-{kohya,bfl,diffusers}.safetensors and the case flux2-klein-lora, whose inputs are those of
flux2-klein-forward. kohya's and Black Forest Labs' names are of the fused matrices of the original file; diffusers' are of
its own modules, of which the single blocks' are fused, too. The change of a weight is S·(alpha/rank)·B·A of a matrix under
the original names, cut into diffusers' parts; for diffusers' naming the result is compared with load_lora_weights.
"""
import argparse
import json
import re
from pathlib import Path

import torch
from diffusers import Flux2KleinPipeline, Flux2Transformer2DModel
from safetensors.torch import load_file, save_file

from oracle.attention import pladis_weights

RANK, ALPHA, SCALES, SEED, LAMBDA, SHARPNESS = 2, 1.0, (1.0, 0.6), 7, 2.0, 1.5
MODEL = "flux2-klein"
DOUBLE = {"img_attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
          "txt_attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"), "img_attn.proj": ("attn.to_out.0",),
          "txt_attn.proj": ("attn.to_add_out",), "img_mlp.0": ("ff.linear_in",), "img_mlp.2": ("ff.linear_out",),
          "txt_mlp.0": ("ff_context.linear_in",), "txt_mlp.2": ("ff_context.linear_out",)}
SINGLE = {"linear1": ("attn.to_qkv_mlp_proj",), "linear2": ("attn.to_out",)}
TOP = {"img_in": ("x_embedder",), "txt_in": ("context_embedder",), "single_stream_modulation.lin": ("single_stream_modulation.linear",),
       "double_stream_modulation_img.lin": ("double_stream_modulation_img.linear",)}


class Joint:
    """PLADIS in the picture's rows on the text's columns, which keep their dense share."""

    def __init__(self, text):
        self.text = text

    def attend(self, query, key, value, angles):
        cosine, sine = (a[None, :, None] for a in angles)

        def rotate(x):
            return x * cosine + torch.stack([-x[..., 1::2], x[..., ::2]], -1).flatten(-2) * sine
        query, key, value = (x.transpose(1, 2) for x in (rotate(query), rotate(key), value))
        logits = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        weights = logits.softmax(-1)
        part = weights[..., self.text:, :self.text]
        sparse = pladis_weights(logits[..., self.text:, :self.text], LAMBDA, SHARPNESS).to(part.dtype)
        part.copy_(part.sum(-1, keepdim=True) * sparse)
        return (weights @ value).transpose(1, 2).flatten(2)

    def __call__(self, attn, x, *rest):
        heads = lambda y: y.unflatten(-1, (-1, attn.head_dim))  # noqa: E731
        if hasattr(attn, "to_qkv_mlp_proj"):
            _, angles = rest
            query, key, value, mlp = attn.to_qkv_mlp_proj(x).split([attn.inner_dim] * 3 + [2 * attn.mlp_hidden_dim], -1)
            out = self.attend(attn.norm_q(heads(query)), attn.norm_k(heads(key)), heads(value), angles)
            return attn.to_out(torch.cat([out, attn.mlp_act_fn(mlp)], -1))
        text, _, angles = rest
        query = torch.cat([attn.norm_added_q(heads(attn.add_q_proj(text))), attn.norm_q(heads(attn.to_q(x)))], 1)
        key = torch.cat([attn.norm_added_k(heads(attn.add_k_proj(text))), attn.norm_k(heads(attn.to_k(x)))], 1)
        out = self.attend(query, key, torch.cat([heads(attn.add_v_proj(text)), heads(attn.to_v(x))], 1), angles)
        return attn.to_out[0](out[:, self.text:]), attn.to_add_out(out[:, :self.text])


def modules(model):
    """(original name, diffusers' names) of every matrix that a LoRA changes."""
    rows = [(a, b) for a, b in TOP.items()]
    for i in range(len(model.transformer_blocks)):
        rows += [(f"double_blocks.{i}.{a}", tuple(f"transformer_blocks.{i}.{m}" for m in b)) for a, b in DOUBLE.items()]
    for i in range(len(model.single_transformer_blocks)):
        rows += [(f"single_blocks.{i}.{a}", tuple(f"single_transformer_blocks.{i}.{m}" for m in b)) for a, b in SINGLE.items()]
    return rows


def factors(model, names, generator):
    weights = [model.get_submodule(n).weight for n in names]
    down = torch.randn(RANK, weights[0].shape[1], generator=generator) / weights[0].shape[1] ** 0.5
    up = torch.randn(sum(w.shape[0] for w in weights), RANK, generator=generator) * 0.5
    return down.half(), up.half()


def changes(names, down, up, factor, model):
    """diffusers' weight → what is added to it."""
    parts = (up.float() @ down.float() * factor).split([model.get_submodule(n).weight.shape[0] for n in names])
    return {f"{n}.weight": p for n, p in zip(names, parts)}


def run(folder, inputs, changed):
    model = Flux2Transformer2DModel.from_pretrained(folder, torch_dtype=torch.float32).eval()
    state = model.state_dict()
    model.load_state_dict({k: v + changed[k] if k in changed else v for k, v in state.items()})
    for block in [*model.transformer_blocks, *model.single_transformer_blocks]:
        block.attn.processor = Joint(inputs["encoder_hidden_states"].shape[1])
    return model(**inputs).sample


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--reference", type=Path, required=True)
    root = parser.parse_args().reference
    folder = root / "models" / MODEL / "transformer"
    model = Flux2Transformer2DModel.from_pretrained(folder, torch_dtype=torch.float32)
    case = load_file(root / "cases" / f"{MODEL}-forward" / "tensors.safetensors")
    inputs = {k: case[k] for k in ("hidden_states", "encoder_hidden_states", "timestep", "img_ids", "txt_ids")}
    g, tensors, settings = torch.Generator().manual_seed(SEED), {"output.base": run(folder, inputs, {})}, []
    for style in ("kohya", "bfl", "diffusers"):
        file, all_changes = {}, {}
        factor = ALPHA / RANK if style == "kohya" else 1.0
        rows = modules(model)
        if style == "kohya":  # diffusers reads none of modulations there
            rows = [row for row in rows if "modulation" not in row[0]]
        if style == "diffusers":
            rows = [(n, (n,)) for _, names in rows for n in names]
        for name, names in rows:
            down, up = factors(model, names, g)
            if style == "kohya":
                key = "lora_unet_" + name.replace(".", "_")
                file |= {f"{key}.lora_down.weight": down, f"{key}.lora_up.weight": up, f"{key}.alpha": torch.tensor(ALPHA).half()}
            else:
                key = ("diffusion_model." if style == "bfl" else "transformer.") + name
                file |= {f"{key}.lora_A.weight": down, f"{key}.lora_B.weight": up}
            all_changes |= changes(names, down, up, factor, model)
        path = f"files/{MODEL}-lora-{style}.safetensors"
        save_file(file, root / path, {"format": "pt"})
        for scale in SCALES:
            tensors[f"output.{style}.{scale}"] = run(folder, inputs, {k: scale * v for k, v in all_changes.items()})
        settings.append({"style": style, "file": path, "alpha_over_rank": factor, "scales": list(SCALES),
                         "bytes": (root / path).stat().st_size})
        state = Flux2KleinPipeline.lora_state_dict({k: v.clone() for k, v in file.items()})
        state = state[0] if isinstance(state, tuple) else state
        stock = Flux2Transformer2DModel.from_pretrained(folder, torch_dtype=torch.float32).eval()
        wanted = {re.sub(r"^transformer\.|\.lora_[AB]\.weight$", "", k) for k in state if "lora_" in k}
        found = {}
        for n in wanted:
            a, b = state[f"transformer.{n}.lora_A.weight"].float(), state[f"transformer.{n}.lora_B.weight"].float()
            alpha = state.get(f"transformer.{n}.alpha")
            found[f"{n}.weight"] = b @ a * (alpha / a.shape[0] if alpha is not None else 1)
        assert set(found) == set(all_changes) and all(stock.state_dict()[k].shape == v.shape for k, v in found.items()), style
        worst = max(((found[k] - v).norm() / v.norm()).item() for k, v in all_changes.items())
        print(f"{style}: {len(rows)} modules; diffusers' own reading of the file differs by {worst:.1e}")
        assert worst < 2e-3
    target = root / "cases" / f"{MODEL}-lora"
    target.mkdir(exist_ok=True)
    save_file({k: v.contiguous() for k, v in tensors.items()}, target / "tensors.safetensors", {"format": "pt"})
    (target / "case.json").write_text(json.dumps({
        "name": f"{MODEL}-lora", "kind": "lora", "model": MODEL, "inputs_from": f"{MODEL}-forward", "settings": settings,
        "pladis": {"lambda": LAMBDA, "alpha": SHARPNESS, "blocks": "all"},
        "note": "output.STYLE.S: the transformer with W + S·(alpha/rank)·B·A on the inputs of inputs_from"}, indent=1) + "\n")


if __name__ == "__main__":
    main()
