"""The trained parts as a Stable Diffusion 1.x folder in f16, with the prompt sets beside it."""
import json
import shutil

import numpy as np
import torch
from safetensors.torch import load_file, save_file

import autoencoder
import captions
import denoiser
import text
import tokenizer as bpe

VERSION = "0.30.0"      # a diffusers version that reads every field below


def write_json(value, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n")


def write_weights(state, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.detach().half().contiguous() for name, value in state.items()
               if value.is_floating_point()}, path, metadata={"format": "pt"})


def diffusers_config(model):
    hidden = ("_use_default_values", "_name_or_path")
    return {"_class_name": type(model).__name__, "_diffusers_version": VERSION,
            **{k: v for k, v in model.config.items() if not k.startswith("_") and k not in hidden}}


def text_state(tower):
    """The tower's weights under the names of the published checkpoints, which all begin with text_model."""
    return {name if name.startswith("text_model.") else f"text_model.{name}": value
            for name, value in tower.state_dict().items() if not name.endswith("position_ids")}


def text_config(tower):
    c = tower.config
    return {"architectures": ["CLIPTextModel"], "attention_dropout": 0.0, "bos_token_id": c.bos_token_id,
            "dropout": 0.0, "eos_token_id": c.eos_token_id, "hidden_act": c.hidden_act, "hidden_size": c.hidden_size,
            "initializer_factor": 1.0, "initializer_range": 0.02, "intermediate_size": c.intermediate_size,
            "layer_norm_eps": c.layer_norm_eps, "max_position_embeddings": c.max_position_embeddings,
            "model_type": "clip_text_model", "num_attention_heads": c.num_attention_heads,
            "num_hidden_layers": c.num_hidden_layers, "pad_token_id": c.pad_token_id,
            "projection_dim": c.projection_dim, "torch_dtype": "float16", "vocab_size": c.vocab_size}


SCHEDULER = {
    "_class_name": "DDIMScheduler", "_diffusers_version": VERSION, "beta_end": denoiser.BETAS[1],
    "beta_schedule": "scaled_linear", "beta_start": denoiser.BETAS[0], "clip_sample": False,
    "num_train_timesteps": denoiser.STEPS, "prediction_type": "v_prediction", "set_alpha_to_one": False,
    "steps_offset": denoiser.OFFSET, "timestep_spacing": "leading", "trained_betas": None}
INDEX = {
    "_class_name": "StableDiffusionPipeline", "_diffusers_version": VERSION, "feature_extractor": [None, None],
    "image_encoder": [None, None], "requires_safety_checker": False, "safety_checker": [None, None],
    "scheduler": ["diffusers", "DDIMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"]}


def write(work, out):
    tower, _ = text.load(work)
    vae, unet = autoencoder.load(work), denoiser.load(work)
    write_json(INDEX, out / "model_index.json")
    write_json(SCHEDULER, out / "scheduler" / "scheduler_config.json")
    shutil.copytree(work / "tokenizer", out / "tokenizer", dirs_exist_ok=True)
    write_json(text_config(tower), out / "text_encoder" / "config.json")
    write_weights(text_state(tower), out / "text_encoder" / "model.safetensors")
    for name, model in (("unet", unet), ("vae", vae)):
        write_json(diffusers_config(model), out / name / "config.json")
        write_weights(model.state_dict(), out / name / "diffusion_pytorch_model.safetensors")
    for split, each in (("development", 30), ("heldout", 110)):
        rows = captions.prompt_set(np.random.default_rng(7 if split == "heldout" else 8), split, each)
        (out / "prompts").mkdir(exist_ok=True)
        (out / "prompts" / f"{split}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))


def read(folder):
    """(vae, unet, tower, tokenizer) from an exported folder, in f32 from its f16 weights."""
    tokenizer = bpe.load(folder / "tokenizer")
    vae, unet, tower = autoencoder.build(), denoiser.build(), text.build(len(tokenizer))
    for model, path, prefix in ((vae, "vae/diffusion_pytorch_model.safetensors", ""),
                                (unet, "unet/diffusion_pytorch_model.safetensors", ""),
                                (tower, "text_encoder/model.safetensors", "text_model.")):
        whole = {k: v.float() for k, v in load_file(folder / path).items()}
        if not next(iter(model.state_dict())).startswith(prefix):
            whole = {k.removeprefix(prefix): v for k, v in whole.items()}
        model.load_state_dict(whole)
        model.eval().requires_grad_(False)
    return vae, unet.to(memory_format=torch.channels_last), tower, tokenizer


def unpack(folder, work):
    """The parts of an exported folder as what the training stages leave behind, to go on from."""
    vae, unet, tower, _ = read(folder)
    torch.save(vae.state_dict(), work / "autoencoder_final.pt")
    torch.save(tower.state_dict(), work / "text_final.pt")
    torch.save(unet.state_dict(), work / "denoiser_start.pt")
    shutil.copytree(folder / "tokenizer", work / "tokenizer", dirs_exist_ok=True)


def check(folder):
    """The folder through StableDiffusionPipeline against the training code: the largest difference of a pixel."""
    from diffusers import StableDiffusionPipeline
    pipe = StableDiffusionPipeline.from_pretrained(folder, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    vae, unet, tower, tokenizer = read(folder)
    prompts = ["a large red star above a small blue ring", "three green hearts"]
    states, empty = text.states_of(tower, tokenizer, prompts), text.states_of(tower, tokenizer, [""])
    noise = torch.randn(2, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    theirs = pipe(prompts, latents=noise, num_inference_steps=20, guidance_scale=4.0, output_type="np").images
    ours = denoiser.pictures_of(vae, denoiser.sample(unet, states, empty, 4.0))
    return float(np.abs(theirs * 255 - ours).max())
