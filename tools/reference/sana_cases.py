# SPDX-License-Identifier: Apache-2.0
"""SANA and SANA-Sprint from a picture, with PAG, and under an adapter of PEFT.

    python tools/reference/sana_cases.py tests/data/reference/models tests/data/pictures tests/data/sana

diffusers begins at a picture with SANA-Sprint alone; the loop here is that of its pipelines for other families around SANA's
transformer, and SANA-Sprint's own for that. Reads init.png of picture_cases.py and the models sana-text and sana-sprint.
Writes cases.json and cases.safetensors with the tensors that picture_cases.py names, and lora/: an adapter that PEFT saved, with
output.lora, output.base and output.pag in lora.safetensors: what PEFT's own model and the bare one give for the inputs beside
them, and the bare one without PLADIS where diffusers' processor for PAG makes the map of block 0 the identity in the second row.
"""
import json
import sys
from pathlib import Path

import diffusers
import numpy
import torch
from diffusers.models.attention_processor import PAGCFGSanaLinearAttnProcessor2_0
from peft import LoraConfig, get_peft_model
from PIL import Image
from safetensors.torch import save_file
from transformers import AutoTokenizer, Gemma2Model

sys.path.insert(0, str(Path(__file__).resolve().parent))
from oracle.attention import pladis_weights, split_heads, join_heads  # noqa: E402
from oracle.generation import nudge, relative  # noqa: E402

SIDE, LENGTH = 128, 300


class CrossPladis:
    """PLADIS where query and key may be normed over all heads before they are split."""

    def __init__(self, lam):
        self.lam = lam

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, **_):
        q, k, v = attn.to_q(hidden_states), attn.to_k(encoder_hidden_states), attn.to_v(encoder_hidden_states)
        q = q if attn.norm_q is None else attn.norm_q(q)
        k = k if attn.norm_k is None else attn.norm_k(k)
        q, k, v = (split_heads(x, attn.heads) for x in (q, k, v))
        z = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        mask = attn.prepare_attention_mask(attention_mask, k.shape[2], len(q))
        w = pladis_weights(z + mask.view(len(q), attn.heads, -1, mask.shape[-1]), self.lam, 1.5)
        return attn.to_out[1](attn.to_out[0](join_heads(w.to(v.dtype) @ v)))


class Folder:
    """The parts of a folder, in float32."""

    def __init__(self, folder):
        f32 = {"torch_dtype": torch.float32}
        self.transformer = diffusers.SanaTransformer2DModel.from_pretrained(folder / "transformer", **f32).eval()
        self.vae = diffusers.AutoencoderDC.from_pretrained(folder / "vae", **f32).eval()
        self.text = Gemma2Model.from_pretrained(folder / "text_encoder", dtype=torch.float32).eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer")
        stated = json.loads((folder / "scheduler" / "scheduler_config.json").read_text())
        self.scheduler = getattr(diffusers, stated["_class_name"]).from_config(stated)


def install(model, lam):
    for name, module in model.named_modules():
        if name.endswith("attn2"):
            module.set_processor(CrossPladis(lam))


def encode(folder, text):
    """Without an instruction: live rows alone, with a mask of ones."""
    ids = torch.tensor([folder.tokenizer(text.lower().strip()).input_ids[:LENGTH]])
    return folder.text(ids)[0], torch.ones_like(ids)


def pad(states, mask, length):
    return (torch.nn.functional.pad(states, (0, 0, 0, length - states.shape[1])),
            torch.nn.functional.pad(mask, (0, length - mask.shape[1])))


def contexts(folder, texts):
    """One row a text, padded to the longest."""
    found = [encode(folder, text) for text in texts]
    longest = max(mask.shape[1] for _, mask in found)
    found = [pad(*one, longest) for one in found]
    return torch.cat([s for s, _ in found]), torch.cat([m for _, m in found])


def clean_latents(folder, picture):
    pixels = numpy.asarray(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS), dtype=numpy.float32) / 255
    pixels = torch.from_numpy(pixels).permute(2, 0, 1)[None] * 2 - 1
    return folder.vae.encode(pixels).latent * folder.vae.config.scaling_factor


def first_step(case):
    """The rule of diffusers' pipelines of flow models, SanaSprintImg2ImgPipeline among them: what is left out is rounded."""
    return int(max(case["steps"] - min(case["steps"] * case["strength"], case["steps"]), 0))


def run(folder, case, picture):
    """The straight flow: noise on the picture's latents, then the last part of the steps."""
    model, scheduler = folder.transformer, type(folder.scheduler).from_config(folder.scheduler.config)
    install(model, case["pladis"])
    scheduler.set_timesteps(case["steps"])
    begin = first_step(case)
    clean = clean_latents(folder, picture)
    noise = torch.randn(clean.shape, generator=torch.Generator("cpu").manual_seed(case["seed"]))
    times = scheduler.timesteps[begin:]
    scheduler.set_begin_index(begin)
    x = scheduler.add_noise(clean, noise, times[:1])
    context, mask = contexts(folder, [case["negative"], case["prompt"]])
    first = None
    for t in times:
        y = model(torch.cat([x, x]), context, timestep=t.expand(2), encoder_attention_mask=mask, return_dict=False)[0]
        x = scheduler.step(y[:1] + case["cfg"] * (y[1:] - y[:1]), t, x, return_dict=False)[0]
        first = x if first is None else first
    return {"image_latents": clean, "latents_init": noise, "latents.first": first, "latents": x}


def run_sprint(folder, case, picture):
    """TrigFlow, as SanaSprintImg2ImgPipeline has it."""
    model, scheduler = folder.transformer, diffusers.SCMScheduler.from_config(folder.scheduler.config)
    install(model, case["pladis"])
    scheduler.set_timesteps(case["steps"], intermediate_timesteps=1.3 if case["steps"] == 2 else None)
    begin = first_step(case)
    scale = scheduler.config.sigma_data
    g = torch.Generator("cpu").manual_seed(case["seed"])
    clean = clean_latents(folder, picture)
    noise = torch.randn(clean.shape, generator=g)
    times = scheduler.timesteps[begin:-1]
    scheduler.set_begin_index(begin)
    x = times[0].cos() * (clean * scale) + times[0].sin() * (noise * scale)
    context, mask = encode(folder, case["prompt"])
    guidance = torch.tensor([4.5]) * model.config.guidance_embeds_scale
    first = None
    for t in times:
        t = t.expand(1)
        s = t.sin() / (t.cos() + t.sin())
        norm = (s ** 2 + (1 - s) ** 2).sqrt()
        inside = x / scale * norm
        y = model(inside, context, timestep=s, guidance=guidance, encoder_attention_mask=mask, return_dict=False)[0]
        y = ((1 - 2 * s) * inside + (1 - 2 * s + 2 * s ** 2) * y) / norm * scale
        x, denoised = scheduler.step(y, t, x, generator=g, return_dict=False)
        first = x if first is None else first
    return {"image_latents": clean, "latents_init": noise, "latents.first": first, "latents": denoised / scale}


def adapter(folder, out):
    """Query, key and value of both attentions, the way out of one, at alpha / rank = 2; and PAG without it."""
    g = torch.Generator().manual_seed(7)
    context, mask = contexts(folder, ["a red fox in deep snow", "two cats"])
    channels = folder.transformer.config.in_channels
    inputs = {"sample": torch.randn(2, channels, 4, 6, generator=g), "timestep": torch.tensor([801.0, 421.0]),
              "encoder_hidden_states": context, "encoder_attention_mask": mask}

    def forward(model, rows=(0, 1)):
        rows = list(rows)
        return model(inputs["sample"][rows], context[rows], timestep=inputs["timestep"][rows],
                     encoder_attention_mask=mask[rows], return_dict=False)[0]

    tensors = {k: v.float() if v.is_floating_point() else v for k, v in inputs.items()}
    install(folder.transformer, 0.0)
    attention = folder.transformer.transformer_blocks[0].attn1
    kept = attention.processor
    attention.set_processor(PAGCFGSanaLinearAttnProcessor2_0())
    tensors["output.pag"] = forward(folder.transformer, (0, 1, 1))[[0, 2]]
    attention.set_processor(kept)
    assert relative(tensors["output.pag"][1], forward(folder.transformer)[1]) > 1e-2
    install(folder.transformer, 2.0)
    tensors["output.base"] = forward(folder.transformer)
    config = LoraConfig(r=4, lora_alpha=8, target_modules=["to_q", "to_k", "to_v", "attn2.to_out.0"])
    adapted = get_peft_model(folder.transformer, config)
    for name, weight in adapted.named_parameters():
        if "lora_" in name:
            weight.copy_(0.15 * torch.randn(weight.shape, generator=g))
    tensors["output.lora"] = forward(adapted)
    change = relative(tensors["output.lora"], tensors["output.base"])
    assert 0.05 < change < 2, change
    adapted.save_pretrained(out / "lora")
    (out / "lora" / "README.md").unlink(missing_ok=True)
    save_file({k: v.contiguous() for k, v in tensors.items()}, out / "lora.safetensors")
    print("adapter changes the output by", change)


@torch.no_grad()
def main():
    models, pictures, out = (Path(a) for a in sys.argv[1:4])
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    diffusers.utils.logging.set_verbosity_error()
    picture, cases, tensors = Image.open(pictures / "init.png").convert("RGB"), [], {}
    for model, draw, steps, strengths, cfg, sampler in (("sana-text", run, 6, (0.4, 0.7), 4.5, "dpm++2m"),
                                                        ("sana-sprint", run_sprint, 2, (0.5,), 1, "scm"),
                                                        ("sana-sprint", run_sprint, 4, (0.75,), 1, "scm")):
        folder = Folder(models / model)
        for strength in strengths:
            case = {"model": model, "sampler": sampler, "strength": strength, "inpaint": False, "pladis": 2.0,
                    "steps": steps, "cfg": cfg, "seed": 12, "prompt": "a red fox in deep snow", "negative": "blurry",
                    "side": SIDE, "complex_instruction": "none", "name": f"{model}-{steps}-{strength}-img2img"}
            found = draw(folder, case, picture)
            hook = nudge(folder.transformer)
            case["sensitivity"] = relative(draw(folder, case, picture)["latents"], found["latents"])
            hook.remove()
            case["first_step"] = first_step(case)
            print(case["name"], case["sensitivity"], flush=True)
            cases.append(case)
            tensors.update({f"{case['name']}.{key}": value.contiguous().float() for key, value in found.items()})
    (out / "cases.json").write_text(json.dumps(cases, indent=0) + "\n")
    save_file(tensors, out / "cases.safetensors")
    adapter(Folder(models / "sana-text"), out)


if __name__ == "__main__":
    main()
