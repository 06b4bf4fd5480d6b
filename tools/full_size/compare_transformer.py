#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compare text, one evaluation and the decode of a full-size SANA, SANA-Sprint, Anima, FLUX.1, FLUX.2 klein,
Stable Diffusion 3.5 or Z-Image with diffusers, on the same files.

    compare_transformer.py --model DIR --pladis BIN [--width 1024 --height 1024] [--scales 0,2] [--dtype f32]

DIR is any diffusers folder of these families, such as a published one. pladis draws one picture for each λ of --scales
(α = 1.5), without CFG, and dumps what happened. diffusers then gets, network after network and in float32, what
pladis's own networks were given: the ids of the prompt, the states and the noise, the latents. Each error is therefore
that of one network alone. Relative errors are ‖a−b‖/‖b‖ over the tensor; the exit code is 1 when one is beyond its
tolerance. Networks that float32 does not fit (FLUX.2's) stay as they are stored, and each block is widened while it runs; what
that takes is left out of the seconds. With --noise the evaluation is repeated without oneDNN, and twice what that changes is granted to it.
"""
import argparse
import gc
import json
import subprocess
import sys
import tempfile
import types
from pathlib import Path

import diffusers
import torch
import transformers
from safetensors.torch import load_file

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "reference"))
from compare import peak_bytes, relative, timed  # noqa: E402
from oracle.attention import pladis_weights  # noqa: E402

PROMPT = "a photo of a red fox sitting in deep snow, sharp focus"
ALPHA, SEED = 1.5, 42
# One forward in float32 on the tiny models; nothing wider is granted unless --noise shows that PyTorch differs from itself.
TOLERANCES = {"prompt_embeds": 2e-5, "noise_pred": 2e-5, "decoded": 2e-5}


def part(kind, folder):
    key = "dtype" if kind.__module__.startswith("transformers") else "torch_dtype"
    return kind.from_pretrained(folder, **{key: torch.float32}).eval()


class CrossPladis:
    """PLADIS for modules of diffusers that norm query and key over all heads or over each, or not at all."""

    def __init__(self, scale):
        self.scale = scale

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, **_):
        rows = []
        for x, to, norm in ((hidden_states, attn.to_q, attn.norm_q), (encoder_hidden_states, attn.to_k, attn.norm_k),
                            (encoder_hidden_states, attn.to_v, None)):
            y = to(x)
            over_all = norm is not None and norm.weight.numel() == y.shape[-1]
            y = (norm(y) if over_all else y).unflatten(-1, (attn.heads, -1))
            rows.append((norm(y) if norm is not None and not over_all else y).transpose(1, 2))
        logits = rows[0] @ rows[1].transpose(-1, -2) / rows[0].shape[-1] ** 0.5
        out = pladis_weights(logits, self.scale, ALPHA).float() @ rows[2]
        return attn.to_out[1](attn.to_out[0](out.transpose(1, 2).flatten(2)))


def stand_in_for_torchvision():
    """What diffusers' Cosmos transformer wants of torchvision: the padding mask, zeros here, at the size of the latents."""
    from diffusers.models.transformers import transformer_cosmos
    resize = types.SimpleNamespace(resize=lambda mask, size, interpolation: mask.new_zeros(*mask.shape[:-2], *size))
    transformer_cosmos.transforms = types.SimpleNamespace(
        functional=resize, InterpolationMode=types.SimpleNamespace(NEAREST=None))


def install(network, scale):
    for name, module in network.named_modules():
        if name.endswith("attn2"):
            module.set_processor(CrossPladis(scale))


class Sana:
    """SANA, and SANA-Sprint, whose network is told a guidance scale and predicts trigflow's velocity after all."""
    OPTIONS = ["--complex-instruction", "none"]

    def __init__(self, folder):
        self.folder = folder
        self.sprint = "SCM" in (folder / "scheduler" / "scheduler_config.json").read_text()

    def encode(self):
        tokenizer = transformers.AutoTokenizer.from_pretrained(self.folder / "tokenizer")
        encoder = part(transformers.Gemma2Model, self.folder / "text_encoder")
        ids = torch.tensor([tokenizer(PROMPT).input_ids])
        return timed(lambda: encoder(ids)[0])

    def network(self):
        return part(diffusers.SanaTransformer2DModel, self.folder / "transformer")

    def evaluate(self, network, dump):
        t, noise, states = dump["timesteps"][:1].float(), dump["latents_init"], dump["prompt_embeds"]
        mask = torch.ones(states.shape[:2])
        if not self.sprint:
            return network(noise, states, timestep=t, encoder_attention_mask=mask).sample
        guidance = torch.tensor([4.5]) * network.config.guidance_embeds_scale
        s = t.sin() / (t.cos() + t.sin())
        norm = (s ** 2 + (1 - s) ** 2).sqrt()
        x = noise * norm
        y = network(x, states, timestep=s, guidance=guidance, encoder_attention_mask=mask).sample
        return ((1 - 2 * s) * x + (1 - 2 * s + 2 * s ** 2) * y) / norm * 0.5

    def decode(self, latents):
        vae = part(diffusers.AutoencoderDC, self.folder / "vae")
        return timed(lambda: vae.decode(latents / vae.config.scaling_factor).sample)


class Anima:
    """Anima: Qwen3 and the conditioner give the states; one frame of the Qwen-Image autoencoder is the picture."""
    OPTIONS = []

    def __init__(self, folder):
        self.folder = folder

    def encode(self):
        ids, encoder = {}, part(transformers.Qwen3Model, self.folder / "text_encoder")
        for name in ("tokenizer", "t5_tokenizer"):
            tokenizer = transformers.AutoTokenizer.from_pretrained(self.folder / name)
            ids[name] = torch.tensor([tokenizer(PROMPT).input_ids])
        conditioner = part(diffusers.AnimaTextConditioner, self.folder / "text_conditioner")

        def run():
            states = encoder(ids["tokenizer"])[0]
            return conditioner(source_hidden_states=states, target_input_ids=ids["t5_tokenizer"])

        states, seconds = timed(run)
        return states[:, :ids["t5_tokenizer"].shape[1]], seconds

    def network(self):
        stand_in_for_torchvision()
        return part(diffusers.CosmosTransformer3DModel, self.folder / "transformer")

    def evaluate(self, network, dump):
        noise, states = dump["latents_init"][:, :, None], dump["prompt_embeds"]
        states = torch.nn.functional.pad(states, (0, 0, 0, 512 - states.shape[1]))
        height, width = noise.shape[-2:]
        return network(hidden_states=noise, encoder_hidden_states=states, timestep=dump["timesteps"][:1].float() / 1000,
                       padding_mask=torch.zeros(1, 1, 8 * height, 8 * width)).sample[:, :, 0]

    def decode(self, latents):
        vae = part(diffusers.AutoencoderKLQwenImage, self.folder / "vae")
        mean, std = (torch.tensor(x).view(1, -1, 1, 1) for x in (vae.config.latents_mean, vae.config.latents_std))
        return timed(lambda: vae.decode((latents * std + mean)[:, :, None]).sample[:, :, 0])


class JointPladis:
    """PLADIS on the text's columns of a joint attention, in the picture's rows: each keeps its dense share of the text."""

    def __init__(self, scale, text, text_first=True):
        self.scale, self.text, self.text_first = scale, text, text_first

    @staticmethod
    def rotate(x, angles):
        """[B, T, H, D], neighbours being pairs, by (cosines, sines) [T, D]."""
        cosine, sine = (a[None, :, None, :].to(x.dtype) for a in angles)
        turned = torch.stack([-x[..., 1::2], x[..., ::2]], -1).flatten(-2)
        return x * cosine + turned * sine

    def places(self, tokens):
        """Where the text's tokens stand, and the picture's."""
        return (slice(self.text), slice(self.text, None)) if self.text_first else (
            slice(tokens - self.text, None), slice(tokens - self.text))

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, image_rotary_emb=None, **_):
        def project(x, names, norms):
            rows = [getattr(attn, name)(x).unflatten(-1, (attn.heads, -1)) for name in names]
            return [norm(y) if norm is not None else y for y, norm in zip(rows, norms)]

        rows = project(hidden_states, ("to_q", "to_k", "to_v"), (attn.norm_q, attn.norm_k, None))
        if encoder_hidden_states is not None:
            text = project(encoder_hidden_states, ("add_q_proj", "add_k_proj", "add_v_proj"),
                           (attn.norm_added_q, attn.norm_added_k, None))
            rows = [torch.cat(pair if self.text_first else pair[::-1], 1) for pair in zip(text, rows)]
        query, key = (x if image_rotary_emb is None else self.rotate(x, image_rotary_emb) for x in rows[:2])
        query, key, value = (x.transpose(1, 2) for x in (query, key, rows[2]))
        out = torch.empty_like(query)
        for head in range(query.shape[1]):  # a map of all tokens for one head at a time
            logits = query[:, head] @ key[:, head].transpose(-1, -2) / query.shape[-1] ** 0.5
            weights = logits.softmax(-1)
            if self.scale:
                text, picture = self.places(query.shape[2])
                part = weights[:, picture, text]
                mass = part.sum(-1, keepdim=True)
                part.copy_(mass * pladis_weights(logits[:, picture, text], self.scale, ALPHA).to(part.dtype))
            out[:, head] = weights @ value[:, head]
        out = out.transpose(1, 2).flatten(2)
        if encoder_hidden_states is None:
            return out
        text, picture = self.places(out.shape[1])
        return (attn.to_out[1](attn.to_out[0](out[:, picture])),
                None if getattr(attn, "context_pre_only", False) else attn.to_add_out(out[:, text]))


class Flux:
    """FLUX.1: T5's states, filled up without a mask, and CLIP's pooled one."""
    OPTIONS = ["--sampling-method", "euler"]
    TOKENS, GUIDANCE = 512, 3.5

    def __init__(self, folder):
        self.folder = folder

    def encode(self):
        clip = part(transformers.CLIPTextModel, self.folder / "text_encoder")
        tokenizer = transformers.AutoTokenizer.from_pretrained(self.folder / "tokenizer")
        ids = tokenizer([PROMPT], padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
        self.pooled = clip(ids).pooler_output
        t5 = part(transformers.T5EncoderModel, self.folder / "text_encoder_2")
        tokenizer = transformers.AutoTokenizer.from_pretrained(self.folder / "tokenizer_2")
        ids = tokenizer([PROMPT], padding="max_length", max_length=self.TOKENS, truncation=True, return_tensors="pt").input_ids
        return timed(lambda: t5(ids)[0])

    def network(self):
        return part(diffusers.FluxTransformer2DModel, self.folder / "transformer")

    def install(self, network, scale):
        """Without PLADIS diffusers' own attention stays."""
        for name, module in network.named_modules():
            if scale and name.endswith(".attn"):
                module.set_processor(JointPladis(scale, self.TOKENS))

    def evaluate(self, network, dump):
        noise = dump["latents_init"]
        height, width = self.places = noise.shape[-2] // 2, noise.shape[-1] // 2
        packed = noise.unflatten(-1, (width, 2)).unflatten(-3, (height, 2)).permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)
        places = torch.zeros(height, width, 3)
        places[..., 1] = torch.arange(height)[:, None]
        places[..., 2] = torch.arange(width)[None]
        return network(hidden_states=packed, encoder_hidden_states=dump["prompt_embeds"], pooled_projections=self.pooled,
                      timestep=dump["timesteps"][:1].float() / 1000, img_ids=places.flatten(0, 1),
                      txt_ids=torch.zeros(self.TOKENS, 3), guidance=torch.tensor([self.GUIDANCE])).sample
    def decode(self, latents):
        vae = part(diffusers.AutoencoderKL, self.folder / "vae")
        x = latents.unflatten(1, self.places).unflatten(-1, (-1, 2, 2)).permute(0, 3, 1, 4, 2, 5).flatten(4).flatten(2, 3)
        return timed(lambda: vae.decode(x / vae.config.scaling_factor + vae.config.shift_factor).sample)


class StableDiffusion3:
    """Stable Diffusion 3.5: the states of both CLIPs side by side, T5's behind them; the picture's tokens stand first."""
    OPTIONS = ["--sampling-method", "euler"]
    TOKENS, CLIP_TOKENS = 256, 77

    def __init__(self, folder):
        self.folder = folder

    def ids(self, name, length):
        tokenizer = transformers.AutoTokenizer.from_pretrained(self.folder / name)
        return tokenizer([PROMPT], padding="max_length", max_length=length, truncation=True, return_tensors="pt").input_ids

    def encode(self):
        clips = [part(transformers.CLIPTextModelWithProjection, self.folder / f"text_encoder{i}") for i in ("", "_2")]
        t5 = part(transformers.T5EncoderModel, self.folder / "text_encoder_3")
        ids = [self.ids(f"tokenizer{i}", self.CLIP_TOKENS) for i in ("", "_2")] + [self.ids("tokenizer_3", self.TOKENS)]

        def run():
            found = [clip(i, output_hidden_states=True) for clip, i in zip(clips, ids)]
            beside, behind = torch.cat([x.hidden_states[-2] for x in found], -1), t5(ids[2])[0]
            beside = torch.nn.functional.pad(beside, (0, behind.shape[-1] - beside.shape[-1]))
            return torch.cat([beside, behind], 1)

        return timed(run)

    def network(self):
        return part(diffusers.SD3Transformer2DModel, self.folder / "transformer")

    def install(self, network, scale):
        """Without PLADIS diffusers' own attention stays."""
        for name, module in network.named_modules():
            if scale and name.endswith(".attn"):
                module.set_processor(JointPladis(scale, self.CLIP_TOKENS + self.TOKENS, text_first=False))

    def evaluate(self, network, dump):
        return network(hidden_states=dump["latents_init"], encoder_hidden_states=dump["prompt_embeds"],
                       pooled_projections=dump["pooled_prompt_embeds"], timestep=dump["timesteps"][:1].float()).sample

    def decode(self, latents):
        vae = part(diffusers.AutoencoderKL, self.folder / "vae")
        return timed(lambda: vae.decode(latents / vae.config.scaling_factor + vae.config.shift_factor).sample)


class Widened:
    """A network of 16 bits that computes in float32: its blocks are widened while they run, all the rest at once."""

    def __init__(self, network, blocks):
        self.network, self.seconds = network.eval(), 0.0
        inside = {id(p) for block in blocks for p in block.parameters()}
        for tensor in [*network.parameters(), *network.buffers()]:
            if id(tensor) not in inside and tensor.is_floating_point() and tensor.numel() < 1 << 28:  # no table of a vocabulary
                tensor.data = tensor.data.float()
        for block in blocks:
            block.register_forward_pre_hook(lambda module, _: self.change(module.float))
            block.register_forward_hook(lambda module, *_: self.change(module.bfloat16))

    def change(self, change):
        self.seconds += timed(change)[1]


class Flux2Pladis(JointPladis):
    """The same for FLUX.2, whose single blocks have one matrix for all that they read."""

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, image_rotary_emb=None, **_):
        if not hasattr(attn, "to_qkv_mlp_proj"):
            return super().__call__(attn, hidden_states, encoder_hidden_states, None, image_rotary_emb)
        angles = attention_mask if image_rotary_emb is None else image_rotary_emb  # diffusers gives them by place here
        query, key, value, rest = attn.to_qkv_mlp_proj(hidden_states).split([attn.inner_dim] * 3 + [2 * attn.mlp_hidden_dim], -1)
        alone = types.SimpleNamespace(heads=attn.heads, to_q=lambda _: query, to_k=lambda _: key, to_v=lambda _: value,
                                      norm_q=attn.norm_q, norm_k=attn.norm_k)
        out = super().__call__(alone, hidden_states, None, None, angles)
        return attn.to_out(torch.cat([out, attn.mlp_act_fn(rest)], -1))


class Flux2:
    """FLUX.2 klein: three states of Qwen3 side by side, of all rows; the autoencoder takes the latents as they are dumped."""
    OPTIONS = ["--sampling-method", "euler", "--preset", "none"]
    TOKENS, STATES = 512, (9, 18, 27)

    def __init__(self, folder):
        self.folder = folder

    def encode(self):
        tokenizer = transformers.AutoTokenizer.from_pretrained(self.folder / "tokenizer")
        text = f"<|im_start|>user\n{PROMPT}<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
        got = tokenizer([text], padding="max_length", max_length=self.TOKENS, truncation=True, return_tensors="pt")
        encoder = transformers.Qwen3Model.from_pretrained(self.folder / "text_encoder", dtype=torch.bfloat16)
        encoder.layers, encoder.norm = encoder.layers[:self.STATES[-1]], torch.nn.Identity()
        wide, embeds = Widened(encoder, encoder.layers), encoder.embed_tokens(got.input_ids).float()
        states, seconds = timed(lambda: encoder(inputs_embeds=embeds, attention_mask=got.attention_mask, use_cache=False,
                                                output_hidden_states=True).hidden_states)
        return torch.cat([states[i] for i in self.STATES], -1), seconds - wide.seconds

    def network(self):
        network = diffusers.Flux2Transformer2DModel.from_pretrained(self.folder / "transformer", torch_dtype=torch.bfloat16)
        self.stock = {name: module.processor for name, module in network.named_modules() if name.endswith(".attn")}
        self.wide = Widened(network, [*network.transformer_blocks, *network.single_transformer_blocks])
        return network

    def install(self, network, scale):
        for name, module in network.named_modules():
            if name.endswith(".attn"):
                module.processor = Flux2Pladis(scale, self.TOKENS) if scale else self.stock[name]

    def evaluate(self, network, dump):
        noise = dump["latents_init"]
        places, words = torch.zeros(*noise.shape[-2:], 4), torch.zeros(self.TOKENS, 4)
        places[..., 1] = torch.arange(noise.shape[-2])[:, None]
        places[..., 2] = torch.arange(noise.shape[-1])[None]
        words[:, 3] = torch.arange(self.TOKENS)
        return network(hidden_states=noise.flatten(2).transpose(1, 2).contiguous(), encoder_hidden_states=dump["prompt_embeds"],
                       timestep=dump["timesteps"][:1].float() / 1000, img_ids=places.flatten(0, 1), txt_ids=words).sample

    def decode(self, latents):
        vae = part(diffusers.AutoencoderKLFlux2, self.folder / "vae")
        return timed(lambda: vae.decode(latents).sample)


class ZImagePladis(JointPladis):
    """The same for Z-Image, whose picture comes first; `text` counts the caption's tokens, filled up."""

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, freqs_cis=None):
        angles = (torch.view_as_real(freqs_cis[0]).repeat_interleave(2, -2)[..., i] for i in (0, 1))
        return attn.to_out[0](super().__call__(attn, hidden_states, image_rotary_emb=tuple(angles)))


class ZImage:
    """Z-Image: states of a chat template, a caption and a picture in one stream, an output that points to the picture."""
    OPTIONS = ["--sampling-method", "euler", "--preset", "none"]

    def __init__(self, folder):
        self.folder = folder

    def encode(self):
        tokenizer = transformers.AutoTokenizer.from_pretrained(self.folder / "tokenizer")
        ids = torch.tensor([tokenizer(f"<|im_start|>user\n{PROMPT}<|im_end|>\n<|im_start|>assistant\n").input_ids])
        encoder = transformers.Qwen3Model.from_pretrained(self.folder / "text_encoder", dtype=torch.bfloat16)
        encoder.layers, encoder.norm = encoder.layers[:-1], torch.nn.Identity()
        wide, embeds = Widened(encoder, encoder.layers), encoder.embed_tokens(ids).float()
        states, seconds = timed(lambda: encoder(inputs_embeds=embeds, use_cache=False)[0])
        self.tokens = ids.shape[1] + -ids.shape[1] % 32
        return states, seconds - wide.seconds

    def network(self):
        network = diffusers.ZImageTransformer2DModel.from_pretrained(self.folder / "transformer", torch_dtype=torch.bfloat16)
        self.stock = network.layers[0].attention.processor
        self.wide = Widened(network, [*network.noise_refiner, *network.context_refiner, *network.layers])
        return network

    def install(self, network, scale):
        for layer in network.layers:
            layer.attention.set_processor(ZImagePladis(scale, self.tokens, text_first=False) if scale else self.stock)

    def evaluate(self, network, dump):
        time_left = (1000 - dump["timesteps"][:1].float()) / 1000
        sample = network([dump["latents_init"][0][:, None]], time_left, [dump["prompt_embeds"][0]]).sample[0]
        return -sample[:, 0][None]

    def decode(self, latents):
        vae = part(diffusers.AutoencoderKL, self.folder / "vae")
        return timed(lambda: vae.decode(latents / vae.config.scaling_factor + vae.config.shift_factor).sample)


def family(folder):
    config = json.loads((folder / "transformer" / "config.json").read_text())
    return {"SanaTransformer2DModel": Sana, "CosmosTransformer3DModel": Anima, "FluxTransformer2DModel": Flux,
            "SD3Transformer2DModel": StableDiffusion3, "Flux2Transformer2DModel": Flux2,
            "ZImageTransformer2DModel": ZImage}[config["_class_name"]](folder)


def run_pladis(args, options, scale, folder):
    """(tensors, report) of a picture in one step with λ = scale."""
    dump, report = folder / "dump.safetensors", folder / "report.json"
    picture = args.keep / f"{Path(args.model).name}-{scale:g}.png" if args.keep else folder / "picture.png"
    subprocess.run([args.pladis, "generate", "-q", "-m", args.model, "-p", PROMPT, "--width", str(args.width), "--height",
                    str(args.height), "--cfg-scale", "1", "--steps", "1", "--seed", str(SEED), "--dtype", args.dtype,
                    "--pladis", str(scale), "--pladis-alpha", str(ALPHA), "--threads", str(args.threads), "--dump", dump,
                    "--dump-steps", "--report", report, "--output", picture, *options, *args.option], check=True)
    return load_file(dump), json.loads(report.read_text())


def run_diffusers(args, model, dumps):
    """For each dump (tensors, seconds by stage, how much --noise changed the evaluation or None)."""
    states, text_seconds = model.encode()
    gc.collect()
    network, found = model.network(), []
    for scale, dump in zip(args.scales, dumps):
        getattr(model, "install", install)(network, scale)
        widened = model.wide.seconds if hasattr(model, "wide") else 0
        noise_pred, seconds = timed(lambda: model.evaluate(network, dump))
        seconds -= model.wide.seconds - widened if hasattr(model, "wide") else 0
        noise = None
        if args.noise:
            with torch.backends.mkldnn.flags(enabled=False):
                noise = relative(model.evaluate(network, dump), noise_pred)
        found.append(({"prompt_embeds": states, "noise_pred": noise_pred}, {"text": text_seconds, "denoise": seconds}, noise))
    del network
    gc.collect()
    for dump, (tensors, seconds, _) in zip(dumps, found):
        tensors["decoded"], seconds["decode"] = model.decode(dump["latents"])
    return found


def print_errors(dump, want, noise):
    """The table of errors; True when all are within their tolerances."""
    good = True
    for name, tolerance in TOLERANCES.items():
        tolerance = max(tolerance, 2 * noise if noise and name == "noise_pred" else 0)
        error = relative(dump["noise_pred.00" if name == "noise_pred" else name], want[name])
        fine = error <= tolerance  # false for NaN too
        good = good and fine
        shape = "x".join(map(str, want[name].shape))
        print(f"{name:16}{shape:>20}{want[name].std().item():10.3f}{error:12.2e}{tolerance:12.1e}"
              f"{'' if fine else '  TOO LARGE'}", flush=True)
    if noise is not None:
        print(f"two orders of summation in PyTorch: noise_pred {noise:.2e}")
    return good


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--pladis", required=True, help="the program")
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--height", type=int, default=1024)
    parser.add_argument("--scales", default="2", type=lambda text: [float(x) for x in text.split(",")],
                        help="values of λ, separated by commas")
    parser.add_argument("--dtype", default="f32", help="pladis's --dtype")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of each side")
    parser.add_argument("--option", action="append", default=[], help="further option of pladis generate")
    parser.add_argument("--keep", type=Path, help="folder for the pictures")
    parser.add_argument("--noise", action="store_true", help="evaluate without oneDNN, too")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model, runs = family(Path(args.model)), []
    for scale in args.scales:
        with tempfile.TemporaryDirectory() as folder:
            runs.append(run_pladis(args, model.OPTIONS, scale, Path(folder)))
    good = True
    for scale, (dump, report), (want, seconds, noise) in zip(args.scales, runs,
                                                             run_diffusers(args, model, [dump for dump, _ in runs])):
        print(f"{args.model}, {args.width}x{args.height}, PLADIS λ {scale:g} α {ALPHA}, {args.dtype}, {report['isa']}, "
              f"{args.threads} threads; sites: {report['attention_sites']}; peak {report['peak_memory_bytes'] / 1e9:.2f} GB, "
              f"PyTorch's {peak_bytes() / 1e9:.2f} GB")
        good = print_errors(dump, want, noise) and good
        print("seconds of pladis:", {k: round(v, 2) for k, v in report["stages"].items()},
              "of PyTorch:", {k: round(v, 2) for k, v in seconds.items()}, flush=True)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
