# SPDX-License-Identifier: Apache-2.0
"""PixArt from a picture, and under an adapter of PEFT.

    python tools/reference/pixart_cases.py tests/data/reference/models tests/data/pictures tests/data/pixart

diffusers has no pipeline that begins at a picture with PixArt, so the loop here is that of its image-to-image pipelines for
Stable Diffusion, around PixArt's transformer. Reads init.png of picture_cases.py. Writes cases.json and cases.safetensors
with the tensors that picture_cases.py names, and lora/: an adapter that PEFT saved, with output.lora and output.base in
lora.safetensors, which PEFT's own model and the bare one give for the inputs beside them.
"""
import json
import sys
from pathlib import Path

import diffusers
import numpy
import torch
from peft import LoraConfig, get_peft_model
from PIL import Image
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).resolve().parent))
from oracle.attention import PladisProcessor  # noqa: E402
from oracle.generation import nudge, relative  # noqa: E402

SIDE = 64


def load(folder):
    cls = getattr(diffusers, json.loads((folder / "model_index.json").read_text())["_class_name"])
    return cls.from_pretrained(folder, torch_dtype=torch.float32)


def install(model, lam):
    model.set_attn_processor({name: PladisProcessor(lam, 1.5) for name in model.attn_processors})


def encode(pipe, texts, length):
    got = pipe.tokenizer([t.lower().strip() for t in texts], padding="max_length", max_length=length, truncation=True,
                         return_tensors="pt")
    return pipe.text_encoder(got.input_ids, attention_mask=got.attention_mask)[0], got.attention_mask


def added(model, rows, height, width):
    if not model.config.use_additional_conditions:
        return {"resolution": None, "aspect_ratio": None}
    return {"resolution": torch.tensor([[float(height), float(width)]]).repeat(rows, 1),
            "aspect_ratio": torch.tensor([[height / width]]).repeat(rows, 1)}


def run(pipe, case, picture):
    """Image-to-image: noise on the picture's latents, then the last part of the steps."""
    model, vae = pipe.transformer, pipe.vae
    install(model, case["pladis"])
    scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config)
    scheduler.set_timesteps(case["steps"])
    begin = case["steps"] - min(int(case["steps"] * case["strength"]), case["steps"])
    g = torch.Generator("cpu").manual_seed(case["seed"])
    pixels = numpy.asarray(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS), dtype=numpy.float32) / 255
    pixels = torch.from_numpy(pixels).permute(2, 0, 1)[None] * 2 - 1
    clean = vae.encode(pixels).latent_dist.sample(g) * vae.config.scaling_factor
    noise = torch.randn(clean.shape, generator=g)
    times = scheduler.timesteps[begin:]
    scheduler.set_begin_index(begin)
    x = scheduler.add_noise(clean, noise, times[:1])
    context, mask = encode(pipe, [case["negative"], case["prompt"]], case["length"])
    first = None
    for t in times:
        y = model(torch.cat([x, x]), context, timestep=t.expand(2), encoder_attention_mask=mask,
                  added_cond_kwargs=added(model, 2, SIDE, SIDE), return_dict=False)[0][:, :4]
        y = y[:1] + case["cfg"] * (y[1:] - y[:1])
        x = scheduler.step(y, t, x, return_dict=False)[0]
        first = x if first is None else first
    return {"image_latents": clean, "latents_init": noise, "latents.first": first, "latents": x}


def adapter(pipe, out, length):
    """Query, key and value of both attentions, the way out of one and both feed-forward layers, at alpha / rank = 2."""
    g = torch.Generator().manual_seed(7)
    context, mask = encode(pipe, ["a red fox in deep snow", "two cats"], length)
    inputs = {"sample": torch.randn(2, 4, 8, 6, generator=g), "timestep": torch.tensor([801.0, 421.0]),
              "encoder_hidden_states": context, "encoder_attention_mask": mask}

    def forward(model):
        bare = pipe.transformer
        return model(inputs["sample"], context, timestep=inputs["timestep"], encoder_attention_mask=mask,
                     added_cond_kwargs=added(bare, 2, 64, 48), return_dict=False)[0]

    install(pipe.transformer, 2.0)
    tensors = {**{k: v.float() if v.is_floating_point() else v for k, v in inputs.items()}}
    tensors["output.base"] = forward(pipe.transformer)
    config = LoraConfig(r=4, lora_alpha=8, target_modules=["to_q", "to_k", "to_v", "attn2.to_out.0", "net.0.proj", "net.2"])
    adapted = get_peft_model(pipe.transformer, config)
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
    for model, length in (("pixart", 300), ("pixart-alpha", 120)):
        pipe = load(models / model)
        for strength in (0.4, 0.7):
            case = {"model": model, "sampler": "dpm++2m", "strength": strength, "inpaint": False,
                    "pladis": 2.0, "steps": 6, "cfg": 4.5, "seed": 12, "prompt": "a red fox in deep snow",
                    "negative": "blurry", "length": length, "name": f"{model}-{strength}-img2img"}
            found = run(pipe, case, picture)
            hook = nudge(pipe.transformer)
            case["sensitivity"] = relative(run(pipe, case, picture)["latents"], found["latents"])
            hook.remove()
            print(case["name"], case["sensitivity"], flush=True)
            cases.append(case)
            tensors.update({f"{case['name']}.{key}": value.contiguous().float() for key, value in found.items()})
    (out / "cases.json").write_text(json.dumps(cases, indent=0) + "\n")
    save_file(tensors, out / "cases.safetensors")
    adapter(load(models / "pixart"), out, 300)


if __name__ == "__main__":
    main()
