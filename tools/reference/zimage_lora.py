# SPDX-License-Identifier: Apache-2.0
"""LoRAs of Z-Image in three styles of names, and its transformer under each of them.

    python tools/reference/zimage_lora.py tests/data/reference

Reads models/z-image and the inputs of cases/z-image-forward. Writes files/z-image-lora-{kohya,peft,authors}.safetensors, rank 2 in
float16: kohya on the fused matrices of the original names with alpha, PEFT's as diffusers saves them, and the authors' names behind
diffusion_model. as other trainers do; and cases/z-image-lora with output.STYLE.S, the first row of the inputs with PLADIS (2, 1.5)
and W + S·(alpha/rank)·B·A. PEFT's own layers and diffusers' loader are asked, too, and must agree.
"""
import json
import sys
from pathlib import Path

import torch
from diffusers import ZImageTransformer2DModel
from peft import LoraConfig, inject_adapter_in_model, set_peft_model_state_dict
from safetensors.torch import load_file, save_file

sys.path.insert(0, str(Path(__file__).resolve().parent))
from oracle.attention import joint_pladis_weights  # noqa: E402

RANK, ALPHA, SCALES = 2, 1.0, (1.0, 0.6)
MODULES = ("layers.0", "layers.2", "noise_refiner.1", "context_refiner.0")
PARTS = ("attention.to_q", "attention.to_k", "attention.to_v", "attention.to_out.0", "feed_forward.w1", "feed_forward.w2",
         "feed_forward.w3", "adaLN_modulation.0")
OTHERS = ("cap_embedder.1", "all_x_embedder.2-1", "t_embedder.mlp.0", "all_final_layer.2-1.linear")


class Pladis:
    """Rows of image tokens share out the mass of their caption; image first, both filled up to multiples of 32."""

    def __init__(self, image, caption):
        self.image, self.caption = image, caption

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, freqs_cis=None):
        def rotated(x):
            pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)))
            return torch.view_as_real(pairs * freqs_cis.unsqueeze(2)).flatten(3)
        q, k, v = (to(hidden_states).unflatten(-1, (attn.heads, -1)) for to in (attn.to_q, attn.to_k, attn.to_v))
        q, k, v = (x.transpose(1, 2) for x in (rotated(attn.norm_q(q)), rotated(attn.norm_k(k)), v))
        z = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        w = z.double().softmax(-1)
        rows = torch.cat([z[:, :, :self.image, self.image:], z[:, :, :self.image, :self.image]], -1)
        mixed = joint_pladis_weights(rows, self.caption, 2.0, 1.5)
        w[:, :, :self.image] = torch.cat([mixed[..., self.caption:], mixed[..., :self.caption]], -1)
        return attn.to_out[0]((w.float() @ v).transpose(1, 2).flatten(2))


def filled(tokens):
    return tokens + -tokens % 32


def evaluate(model, inputs):
    latents, caption = inputs["latents"][0], inputs["caption.0"]
    image = filled(latents.shape[-2] // 2 * (latents.shape[-1] // 2))
    for layer in model.layers:
        layer.attention.set_processor(Pladis(image, filled(len(caption))))
    return model([latents[:, None]], inputs["timestep"][:1], [caption], return_dict=False)[0][0][None]


def make(model, names, generator):
    """{module: (A, B)} whose product is half as large as the weight."""
    made = {}
    for name in names:
        weight = model.get_submodule(name).weight
        down = torch.randn(RANK, weight.shape[1], generator=generator) / weight.shape[1] ** 0.5
        up = torch.randn(weight.shape[0], RANK, generator=generator)
        up *= 0.5 * weight.norm() / (up @ down).norm()
        made[name] = (down.half(), up.half())
    return made


def fuse(made):
    """The modules of the original names: queries, keys and values are one, whose A is common to all."""
    fused = {}
    for name, (down, up) in made.items():
        if name.endswith(("to_k", "to_v")):
            continue
        if name.endswith("to_q"):
            ups = [made[name[:-1] + part][1] for part in "qkv"]
            fused[name.replace("to_q", "qkv")] = (down, torch.cat(ups))
            continue
        for ours, theirs in (("attention.to_out.0", "attention.out"), ("all_x_embedder.2-1", "x_embedder"),
                             ("all_final_layer.2-1", "final_layer")):
            name = name.replace(ours, theirs)
        fused[name] = (down, up)
    return fused


def share_downs(made):
    for name in list(made):
        if name.endswith(("to_k", "to_v")):
            made[name] = (made[name[:-1] + "q"][0], made[name][1])


def merged(folder, made, scale):
    model = ZImageTransformer2DModel.from_pretrained(folder, torch_dtype=torch.float32).eval()
    for name, (down, up) in made.items():
        model.get_submodule(name).weight.data += scale * (up.float() @ down.float())
    return model


def by_peft(folder, state, names, scale):
    """What PEFT's layers give, loaded as diffusers loads them."""
    model = ZImageTransformer2DModel.from_pretrained(folder, torch_dtype=torch.float32).eval()
    inject_adapter_in_model(LoraConfig(r=RANK, lora_alpha=RANK * scale, target_modules=list(names)), model)
    result = set_peft_model_state_dict(model, {k.removeprefix("transformer."): v.float() for k, v in state.items()})
    assert not result.unexpected_keys, result.unexpected_keys
    return model


@torch.no_grad()
def main():
    out = Path(sys.argv[1])
    folder = out / "models" / "z-image" / "transformer"
    inputs = load_file(out / "cases" / "z-image-forward" / "tensors.safetensors")
    model = ZImageTransformer2DModel.from_pretrained(folder, torch_dtype=torch.float32).eval()
    present = dict(model.named_modules())
    names = [f"{m}.{p}" for m in MODULES for p in PARTS if f"{m}.{p}" in present] + list(OTHERS)
    made = make(model, names, torch.Generator().manual_seed(9))
    share_downs(made)
    fused = fuse(made)
    files = {
        "kohya": {f"lora_unet_{n.replace('.', '_')}.{key}": value for n, (down, up) in fused.items() for key, value in
                  (("lora_down.weight", down), ("lora_up.weight", up), ("alpha", torch.tensor(ALPHA).half()))},
        "peft": {f"transformer.{n}.lora_{key}.weight": value for n, (down, up) in made.items()
                 for key, value in (("A", down), ("B", up))},
        "authors": {f"diffusion_model.{n}.lora_{key}.weight": value for n, (down, up) in fused.items()
                    for key, value in (("A", down), ("B", up))},
    }
    tensors, settings = {"output.base": evaluate(model, inputs)}, []
    for style, state in files.items():
        path = out / "files" / f"z-image-lora-{style}.safetensors"
        save_file({k: v.clone() for k, v in state.items()}, path, {"format": "pt"})
        factor = ALPHA / RANK if style == "kohya" else 1.0
        scales = SCALES if style == "peft" else SCALES[:1]
        for scale in scales:
            tensors[f"output.{style}.{scale}"] = evaluate(merged(folder, made, factor * scale), inputs)
            again = evaluate(by_peft(folder, files["peft"], names, factor * scale), inputs)
            found = tensors[f"output.{style}.{scale}"]
            error = ((found - again).norm() / found.norm()).item()
            print(f"{style} at {scale}: {error:.1e} from PEFT's layers, changes the output by "
                  f"{((found - tensors['output.base']).norm() / found.norm()).item():.2f}")
            assert error < 1e-5
        settings.append({"style": style, "file": f"files/{path.name}", "alpha_over_rank": factor, "scales": list(scales),
                         "bytes": path.stat().st_size})
    case = out / "cases" / "z-image-lora"
    case.mkdir(exist_ok=True)
    save_file({k: v.contiguous() for k, v in tensors.items()}, case / "tensors.safetensors")
    (case / "case.json").write_text(json.dumps({
        "name": "z-image-lora", "kind": "lora", "model": "z-image", "inputs_from": "z-image-forward", "settings": settings,
        "pladis": {"lambda": 2.0, "alpha": 1.5, "blocks": "all"},
        "note": "output.STYLE.S: the first row of inputs_from, alone, with W + S·(alpha/rank)·B·A"}, indent=1) + "\n")


if __name__ == "__main__":
    main()
