# SPDX-License-Identifier: Apache-2.0
"""The nodes of python/comfyui in a checkout of ComfyUI, on tiny models and without a server.

The networks are ComfyUI's own, with the reference's weights, and run through apply_model in float32 on the CPU; outputs are compared with what
diffusers computed. Wan, of which the reference has none, is compared with an attention written here, in float64, with entmax by bisection.
The environment: PLADIS_COMFYUI, the checkout; PLADIS_REFERENCE_CASES, a folder with cases/, models/ and files/.
The file is long because ComfyUI's detection knows published sizes only: each tiny network is told its own.
usage: test_comfyui.py SOURCE_FOLDER [unittest's arguments]"""
import asyncio
import glob
import importlib.util
import json
import logging
import math
import os
import re
import subprocess
import sys
import tempfile
import unittest
from contextlib import contextmanager
from types import SimpleNamespace
from unittest import mock

SOURCE = os.path.abspath(sys.argv[1])
COMFYUI = os.environ.get("PLADIS_COMFYUI", "")
REFERENCE = os.environ.get("PLADIS_REFERENCE_CASES") or os.path.join(SOURCE, "tests", "data", "reference")
PACK = os.path.join(SOURCE, "python", "comfyui")
if not os.path.isfile(os.path.join(COMFYUI, "comfy", "model_patcher.py")):
    print("skipped: PLADIS_COMFYUI names no checkout of ComfyUI")
    sys.exit(77)
try:
    import torch
    from safetensors.torch import load_file
except ImportError as missing:
    print(f"skipped: {missing.name} is not here")
    sys.exit(77)

torch.set_num_threads(1)
torch.set_grad_enabled(False)
sys.path.insert(0, COMFYUI)
given, sys.argv = sys.argv, [sys.argv[0], "--cpu"]
try:
    import comfy.options
    comfy.options.enable_args_parsing()
    import comfy.latent_formats
    import comfy.ldm.anima.model
    import comfy.ldm.flux.model
    import comfy.ldm.krea2.model
    import comfy.ldm.lumina.model
    import comfy.ldm.modules.attention
    import comfy.ldm.pixart.pixartms
    import comfy.ldm.qwen_image.model
    import comfy.ldm.wan.model
    import comfy.model_base
    import comfy.model_detection
    import comfy.model_patcher
    import comfy.model_sampling
    import comfy.ops
    import comfy.sample
    import comfy.sampler_helpers
    import comfy.supported_models_base
    import comfy.utils
    from comfy.ldm.modules.diffusionmodules import mmdit
    from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel, timestep_embedding
except ImportError as missing:
    print(f"skipped: ComfyUI needs {missing.name}, which is not here")
    sys.exit(77)
sys.argv = given
logging.getLogger().setLevel(logging.ERROR)


def load_pack():
    name = "pladis_comfyui_under_test"
    spec = importlib.util.spec_from_file_location(name, os.path.join(PACK, "__init__.py"), submodule_search_locations=[PACK])
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


pack = load_pack()
attention = sys.modules[pack.__name__ + ".attention"]
sites = sys.modules[pack.__name__ + ".sites"]
choose = sys.modules[pack.__name__ + ".blocks"].choose
TINY = 2e-5  # one forward in float32, by the reference's README


class Bare(torch.nn.Module):
    """A model sampling with which apply_model gives the network's own output."""

    def calculate_input(self, sigma, x):
        return x

    def timestep(self, sigma):
        return sigma

    def calculate_denoised(self, sigma, output, x):
        return output

    def percent_to_sigma(self, percent):
        return 1 - percent


class Groups(comfy.ops.disable_weight_init):
    """ComfyUI's operations, with norms of 8 groups, which tiny widths need."""

    @staticmethod
    def GroupNorm(num_groups, num_channels, **kwargs):
        return comfy.ops.disable_weight_init.GroupNorm(8, num_channels, **kwargs)


def make_model(kind, settings, weights, operations=comfy.ops.disable_weight_init, *, base=None):
    """A ModelPatcher of a network of class `kind` with every one of its weights, or random ones."""

    class Config(comfy.supported_models_base.BASE):
        unet_extra_config = {}
        latent_format = comfy.latent_formats.SD15
        memory_usage_factor = 1.0

    config = Config({**settings, "dtype": torch.float32})
    config.custom_operations, config.manual_cast_dtype = operations, None
    model = (base or comfy.model_base.BaseModel)(config, comfy.model_base.ModelType.EPS, torch.device("cpu"), unet_model=kind)
    if weights is None:
        generator = torch.Generator().manual_seed(5)
        for p in model.diffusion_model.parameters():
            p.copy_(torch.randn(p.shape, generator=generator) / math.sqrt(max(1, p.shape[-1])) * (1 if p.ndim > 1 else 0.5) + (p.ndim == 1))
    else:
        own = dict(model.diffusion_model.named_parameters())
        unknown = [k for k in weights if k not in model.diffusion_model.state_dict()]
        absent = [k for k in own if k not in weights and "y_embedding" not in k]
        assert not unknown and not absent, (unknown[:5], absent[:5])
        model.diffusion_model.load_state_dict({k: w.float() for k, w in weights.items()}, strict=False)
    if base is None:
        model.model_sampling = Bare()
    return comfy.model_patcher.ModelPatcher(model.eval(), torch.device("cpu"), torch.device("cpu"))


def run(patcher, x, t, options=None, **conds):
    """apply_model as sampling calls it, with the patcher's options and wrappers."""
    model_options = comfy.model_patcher.create_model_options_clone(patcher.model_options)
    comfy.sampler_helpers.prepare_model_patcher(patcher, {}, model_options)
    return patcher.model.apply_model(x, t, transformer_options={**model_options["transformer_options"], **(options or {})}, **conds)


def with_pladis(patcher, scale=2.0, alpha=1.5, blocks="all", *, start=0.0, end=1.0):
    return pack.PladisNode().patch(model=patcher, scale=scale, alpha=alpha, blocks=blocks, start_percent=start, end_percent=end)[0]


def relative(a, b):
    return ((a.double() - b.double()).norm() / b.double().norm()).item()


# The networks of the reference. Each function gives the ModelPatcher, the calls as (x, t, conds), and what makes the reference's output of theirs.

def tensors(case):
    return load_file(os.path.join(REFERENCE, "cases", case, "tensors.safetensors"))


def description(case):
    with open(os.path.join(REFERENCE, "cases", case, "case.json"), encoding="utf-8") as file:
        return json.load(file)


def file_of(name):
    return load_file(os.path.join(REFERENCE, "files", name + ".safetensors"))


def folder_of(model, part="transformer"):
    """Weights and config.json of a part of a diffusers folder."""
    folder = os.path.join(REFERENCE, "models", model, part)
    weights = {k: w for path in glob.glob(os.path.join(folder, "*.safetensors")) for k, w in load_file(path).items()}
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        return weights, json.load(file)


def without(prefix, weights):
    return {k[len(prefix):]: w for k, w in weights.items() if k.startswith(prefix)}


class Times(int):
    """A factor whose product with anything is itself: the tiny widths are no multiples of the first."""

    def __mul__(self, _):
        return int(self)

    __rmul__ = __mul__


def unet(model, file, case):
    t, config = tensors(case), folder_of(model, "unet")[1]
    weights = without("model.diffusion_model.", file_of(file))
    found = comfy.model_detection.detect_unet_config(weights, "")
    settings = {**found, "num_heads": 1, "channel_mult": [Times(width) for width in config["block_out_channels"]]}
    if model == "sd15":
        settings["num_heads"] = config["attention_head_dim"]
    patcher = make_model(UNetModel, settings, weights, comfy.ops.disable_weight_init if config["norm_num_groups"] == 32 else Groups)
    if isinstance(config["attention_head_dim"], list):
        heads = dict(zip(config["block_out_channels"], config["attention_head_dim"], strict=True))
        for name, block in patcher.model.diffusion_model.named_modules():
            if isinstance(block, comfy.ldm.modules.attention.CrossAttention):
                width = block.to_q.weight.shape[0]
                block.heads = heads[width]
                assert name.endswith(("attn1", "attn2"))
    conds = {"c_crossattn": t["encoder_hidden_states"]}
    if "text_embeds" in t:
        ids = timestep_embedding(t["time_ids"].flatten(), config["addition_time_embed_dim"]).reshape(len(t["time_ids"]), -1)
        conds["y"] = torch.cat((t["text_embeds"], ids), 1)
    return patcher, [(t["sample"], t["timestep"], conds)], lambda out: out[0]


def sd35(_, file, case):
    t, config = tensors(case), folder_of("sd35")[1]

    class Depth(int):
        """A number of heads for which ComfyUI's 64 times it is the tiny width."""

        def __rmul__(self, other):
            return config["attention_head_dim"] * int(self)

    weights = without("model.diffusion_model.", file_of(file))
    settings = dict(input_size=None, patch_size=config["patch_size"], in_channels=config["in_channels"], depth=Depth(config["num_attention_heads"]),
                    num_blocks=config["num_layers"], adm_in_channels=config["pooled_projection_dim"], qk_norm="rms", mlp_ratio=4.0,
                    context_embedder_config={"target": "torch.nn.Linear", "params": {
                        "in_features": config["joint_attention_dim"], "out_features": config["caption_projection_dim"]}},
                    pos_embed_max_size=config["pos_embed_max_size"], num_patches=config["pos_embed_max_size"] ** 2,
                    x_block_self_attn_layers=config["dual_attention_layers"])
    patcher = make_model(mmdit.OpenAISignatureMMDITWrapper, settings, weights)
    for module in patcher.model.diffusion_model.modules():
        if isinstance(getattr(module, "num_heads", None), Depth):
            module.num_heads = int(module.num_heads)
    conds = {"c_crossattn": t["encoder_hidden_states"], "y": t["pooled_projections"]}
    return patcher, [(t["hidden_states"], t["timestep"], conds)], lambda out: out[0]


def unpacked(tokens, height, width, patch):
    """[B, h·w, c·p·p] to [B, c, h·p, w·p]."""
    x = tokens.unflatten(1, (height, width)).unflatten(3, (-1, patch, patch))
    return x.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)


def packed(x, patch):
    x = x.unflatten(3, (-1, patch)).unflatten(2, (-1, patch))
    return x.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


def flux(model, file, case):
    t, config = tensors(case), folder_of(model)[1]
    second = "flux2" in model
    patch = 1 if second else 2
    settings = dict(
        image_model=None, in_channels=config["in_channels"] // patch ** 2, out_channels=config["in_channels"] // patch ** 2,
        vec_in_dim=None if second else config["pooled_projection_dim"], context_in_dim=config["joint_attention_dim"],
        hidden_size=config["attention_head_dim"] * config["num_attention_heads"], mlp_ratio=config.get("mlp_ratio", 4.0),
        num_heads=config["num_attention_heads"], depth=config["num_layers"], depth_single_blocks=config["num_single_layers"],
        axes_dim=config["axes_dims_rope"], theta=config.get("rope_theta", 10000), patch_size=patch, qkv_bias=not second,
        guidance_embed=config["guidance_embeds"], txt_ids_dims=[3] if second else [])
    if second:
        settings |= dict(global_modulation=True, mlp_silu_act=True, ops_bias=False, default_ref_method="index", ref_index_scale=10.0)
    weights = {k.replace("_norm.scale", "_norm.weight"): w for k, w in file_of(file).items()}
    ids = t["img_ids"].reshape(-1, t["img_ids"].shape[-1])
    height, width = (int(ids[:, i].max()) + 1 for i in (1, 2))
    conds = {"c_crossattn": t["encoder_hidden_states"], "y": t.get("pooled_projections")}
    if "guidance" in t:
        conds["guidance"] = t["guidance"]
    call = (unpacked(t["hidden_states"], height, width, patch), t["timestep"], conds)
    return make_model(comfy.ldm.flux.model.Flux, settings, weights), [call], lambda out: packed(out[0], patch)


def z_image(_, file, case):
    t, (__, config) = tensors(case), folder_of("z-image")
    wide = config["dim"]
    settings = dict(patch_size=2, in_channels=config["in_channels"], dim=wide, n_layers=config["n_layers"], n_heads=config["n_heads"],
                    n_refiner_layers=config["n_refiner_layers"], n_kv_heads=config["n_kv_heads"], multiple_of=1, ffn_dim_multiplier=8 / 3,
                    norm_eps=config["norm_eps"], qk_norm=True, cap_feat_dim=config["cap_feat_dim"], axes_dims=config["axes_dims"],
                    rope_theta=config["rope_theta"], z_image_modulation=True, time_scale=config["t_scale"], pad_tokens_multiple=32)
    real = mmdit.TimestepEmbedder

    def embedder(_, output_size=None, **rest):  # always 1024 wide with 256 values here, in ComfyUI at most as wide as the model
        return real(1024, output_size=min(output_size, wide), **rest)

    with mock.patch.object(comfy.ldm.lumina.model, "TimestepEmbedder", embedder):
        patcher = make_model(comfy.ldm.lumina.model.NextDiT, settings, file_of(file))
    for name, module in patcher.model.diffusion_model.named_modules():
        if name.endswith(("q_norm", "k_norm")):  # ComfyUI's own is float32's, 1.2e-7, which is 2.4e-5 away in these cases
            module.eps = config["norm_eps"]
    calls = [(t["latents"][i:i + 1], 1 - t["timestep"][i:i + 1], {"c_crossattn": t[f"caption.{i}"][None], "num_tokens": len(t[f"caption.{i}"])})
             for i in range(len(t["latents"]))]
    return patcher, calls, lambda out: -torch.cat(out).unsqueeze(2)


def qwen_image(_, __, case):
    t, (weights, config) = tensors(case), folder_of("qwen-image")
    settings = {k: config[k] for k in ("patch_size", "in_channels", "out_channels", "num_layers", "attention_head_dim", "num_attention_heads",
                                       "joint_attention_dim", "axes_dims_rope")}
    patcher = make_model(comfy.ldm.qwen_image.model.QwenImageTransformer2DModel, settings, weights)

    def centred(args):  # the middle of an odd side n is (n + 1)/2 for diffusers and (n − 1)/2 for ComfyUI
        odd = [0] + [args["img_ids"][..., axis].unique().numel() % 2 for axis in (1, 2)]
        return {**args, "img_ids": args["img_ids"] - torch.tensor(odd)}

    patcher.set_model_post_input_patch(centred)
    tokens = t["hidden_states"].shape[1]
    conds = {"c_crossattn": t["encoder_hidden_states"], "attention_mask": t["encoder_hidden_states_mask"].long()}
    sizes = [(h, tokens // h) for h in range(1, tokens + 1) if tokens % h == 0]

    def at(size):  # the case does not say which size it has: that with which the dense output fits
        return unpacked(t["hidden_states"], *size, 2).unsqueeze(2), t["timestep"], conds

    def distance(size):
        x, time, c = at(size)
        return relative(packed(run(patcher, x, time, **c)[:, :, 0], 2), t["output.dense"])

    return patcher, [at(min(sizes, key=distance))], lambda out: packed(out[0][:, :, 0], 2)


def krea2(_, file, case):
    t, config = tensors(case), folder_of("krea2")[1]
    settings = dict(features=config["attention_head_dim"] * config["num_attention_heads"], tdim=config["timestep_embed_dim"],
                    txtdim=config["text_hidden_dim"], heads=config["num_attention_heads"], kvheads=config["num_key_value_heads"],
                    layers=config["num_layers"], channels=config["in_channels"] // 4, theta=config["rope_theta"],
                    txtlayers=config["num_text_layers"], txtheads=config["text_num_attention_heads"],
                    txtkvheads=config["text_num_key_value_heads"])
    patcher = make_model(comfy.ldm.krea2.model.SingleStreamDiT, settings, file_of(file))
    height, width = (int(t["position_ids"][:, i].max()) + 1 for i in (1, 2))
    calls = []
    for i, live in enumerate(t["encoder_attention_mask"].bool()):
        text = t["encoder_hidden_states"][i:i + 1, live].flatten(2)
        calls.append((unpacked(t["hidden_states"][i:i + 1], height, width, 2), t["timestep"][i:i + 1], {"c_crossattn": text}))
    return patcher, calls, lambda out: packed(torch.cat(out), 2)


def anima(_, file, case):
    t, config = tensors(case), folder_of("anima")[1]
    settings = dict(max_img_h=240, max_img_w=240, max_frames=128, in_channels=config["in_channels"], out_channels=config["out_channels"],
                    patch_spatial=2, patch_temporal=1, concat_padding_mask=True, num_blocks=config["num_layers"],
                    model_channels=config["attention_head_dim"] * config["num_attention_heads"], num_heads=config["num_attention_heads"],
                    crossattn_emb_channels=config["text_embed_dim"], pos_emb_cls="rope3d", pos_emb_learnable=True, use_adaln_lora=True,
                    adaln_lora_dim=config["adaln_lora_dim"], rope_h_extrapolation_ratio=config["rope_scale"][1],
                    rope_w_extrapolation_ratio=config["rope_scale"][2], rope_t_extrapolation_ratio=config["rope_scale"][0],
                    rope_enable_fps_modulation=False)
    weights = {k: w for k, w in without("net.", file_of(file)).items() if not k.startswith("llm_adapter.")}
    with mock.patch.object(comfy.ldm.anima.model, "LLMAdapter", lambda **_: torch.nn.Identity()):  # of fixed size; the case has its output
        patcher = make_model(comfy.ldm.anima.model.Anima, settings, weights)
    return patcher, [(t["hidden_states"], t["timestep"], {"c_crossattn": t["encoder_hidden_states"]})], lambda out: out[0]


def pixart(model, _, case):
    t, (weights, config) = tensors(case), folder_of(model)
    wide = config["attention_head_dim"] * config["num_attention_heads"]
    settings = dict(patch_size=config["patch_size"], in_channels=config["in_channels"], hidden_size=wide, depth=config["num_layers"],
                    num_heads=config["num_attention_heads"], caption_channels=config["caption_channels"],
                    micro_condition=config["use_additional_conditions"], pe_interpolation=max(config["sample_size"] // 64, 1))
    by_default = comfy.utils.pixart_to_diffusers
    with mock.patch.object(comfy.utils, "pixart_to_diffusers", lambda c, **rest: by_default({**c, "hidden_size": wide}, **rest)):
        weights = comfy.model_detection.convert_diffusers_mmdit({k: w.float() for k, w in weights.items()})
    patcher = make_model(comfy.ldm.pixart.pixartms.PixArtMS, settings, weights)
    calls = []
    for i, live in enumerate(t["encoder_attention_mask"].bool()):
        conds = {"c_crossattn": t["encoder_hidden_states"][i:i + 1, live]}
        if "resolution" in t:
            conds |= {"c_size": t["resolution"][i:i + 1], "c_ar": t["aspect_ratio"][i:i + 1]}
        calls.append((t["sample"][i:i + 1], t["timestep"][i:i + 1], conds))
    return patcher, calls, torch.cat


@contextmanager
def small_positions(model):
    """PixArt's table of positions for pictures of fewer than 32 latents, where ComfyUI's rounded size is 0."""
    module = comfy.ldm.pixart.pixartms
    real, config = module.get_2d_sincos_pos_embed_torch, folder_of(model)[1]
    with mock.patch.object(module, "get_2d_sincos_pos_embed_torch",
                           lambda *args, base_size, **rest: real(*args, base_size=config["sample_size"] // config["patch_size"], **rest)):
        yield


ROWS = [  # case, model, file, what makes it, tolerance
    ("sd15-unet-pladis", "sd15", "sd15.f16", unet, TINY),
    ("sd15-pladis-sweep", "sd15", "sd15.f16", unet, TINY),
    ("sd21-unet-pladis", "sd21", "sd21.f16", unet, TINY),
    ("sd21-pladis-sweep", "sd21", "sd21.f16", unet, TINY),
    ("sdxl-unet-pladis", "sdxl", "sdxl.f16", unet, 5e-5),
    ("sdxl-pladis-sweep", "sdxl", "sdxl.f16", unet, 5e-5),
    ("sd35-forward", "sd35", "sd35-no-text.f16", sd35, TINY),
    ("flux-dev-forward", "flux-dev", "flux-dev-bfl.bf16", flux, TINY),
    ("flux2-klein-forward", "flux2-klein", "flux2-klein-bfl.bf16", flux, TINY),
    ("flux2-klein-base-forward", "flux2-klein-base", "flux2-klein-base-dit", flux, TINY),
    ("flux2-dev-forward", "flux2-dev", "flux2-dev-dit", flux, 5e-5),
    ("z-image-forward", "z-image", "z-image-diffusion_model.bf16", z_image, TINY),
    ("qwen-image-forward", "qwen-image", "", qwen_image, TINY),
    ("krea2-forward", "krea2", "krea2-dit", krea2, TINY),
    ("anima-forward", "anima", "anima-split-dit", anima, TINY),
    ("pixart-forward", "pixart", "", pixart, TINY),
    ("pixart-alpha-forward", "pixart-alpha", "", pixart, TINY),
]


def present(case, model, file):
    parts = [f"cases/{case}", f"models/{model}"] + ([f"files/{file}.safetensors"] if file else [])
    return all(os.path.exists(os.path.join(REFERENCE, part)) for part in parts)


def settings_of(case):
    """(name of the output, λ, α, blocks) of a case."""
    told = description(case)
    rows = told["settings"] if "settings" in told else [{"output": "output", **told["pladis"]}]
    blocks = [r.get("blocks", "all") for r in rows]
    return [(r["output"], r["lambda"], r["alpha"], b if isinstance(b, str) else ",".join(b)) for r, b in zip(rows, blocks, strict=True)]


class Reference(unittest.TestCase):
    """Every family of the reference, dense and with PLADIS."""

    def test_forwards(self):
        tried = 0
        for case, model, file, make, tolerance in ROWS:
            if not present(case, model, file):
                print(f"{case}: not in {REFERENCE}")
                continue
            with self.subTest(case):
                self.compare(case, model, file, make, tolerance)
                tried += 1
        print(f"{tried} of {len(ROWS)} cases of the reference")

    def compare(self, case, model, file, make, tolerance):
        with small_positions(model) if make is pixart else mock.patch.dict({}):
            patcher, calls, join = make(model, file, case)
            wanted = tensors(case)
            if make is pixart:  # its learned variance is dropped
                wanted = {k: w[:, :4] for k, w in wanted.items() if k.startswith("output")}

            def forward(patched):
                return join([run(patched, x, t, **conds) for x, t, conds in calls])

            dense, worst = forward(patcher), 0.0
            if "output.dense" in wanted:
                error = relative(dense, wanted["output.dense"])
                self.assertLess(error, tolerance, "dense")
                print(f"{case}: dense {error:.1e}", end=", ")
            else:
                print(case, end=": ")
            for name, scale, alpha, blocks in settings_of(case):
                out = forward(with_pladis(patcher, scale, alpha, blocks))
                if scale:
                    self.assertGreater(relative(out, dense), 1e-3, f"{name}: nothing changed")
                worst = max(worst, relative(out, wanted[name]))
                self.assertLess(relative(out, wanted[name]), tolerance, f"{name}: scale {scale}, alpha {alpha}, blocks {blocks}")
            print(f"PLADIS {worst:.1e}")
            self.assertTrue(torch.equal(forward(with_pladis(patcher, 0.0)), dense), "scale 0")
            self.assertTrue(torch.equal(forward(patcher), dense), "the model itself was changed")


# An attention and a weighting written once more.

def exact_entmax(z, alpha):
    z = z * (alpha - 1)
    low, high = z.amax(-1, keepdim=True) - 1, z.amax(-1, keepdim=True)
    for _ in range(100):
        middle = (low + high) / 2
        above = ((z - middle).clamp_min(0) ** (1 / (alpha - 1))).sum(-1, keepdim=True) >= 1
        low, high = torch.where(above, middle, low), torch.where(above, high, middle)
    w = (z - low).clamp_min(0) ** (1 / (alpha - 1))
    return w / w.sum(-1, keepdim=True)


def split(x, heads):
    return x.double().unflatten(-1, (heads, -1)).transpose(1, 2)


def exact_attention(q, k, v, heads, *, scale, alpha, live=None):
    """q [B, L, H·D], k and v [B, S, H·D], live [B, S]."""
    q, k, v = (split(x, heads) for x in (q, k, v))
    z = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    if live is not None:
        z = z.masked_fill(~live[:, None, None], -1e30)
    dense = z.softmax(-1)
    return ((dense + scale * (exact_entmax(z, alpha) - dense)) @ v).transpose(1, 2).flatten(2)


def tiny_wan(kind=comfy.ldm.wan.model.WanModel, model_type="t2v"):
    settings = dict(model_type=model_type, dim=48, ffn_dim=64, freq_dim=32, text_dim=24, in_dim=4, out_dim=4, num_heads=4, num_layers=3,
                    cross_attn_norm=True, text_len=12)
    patcher = make_model(kind, settings, None)
    for block in patcher.model.diffusion_model.blocks:  # spread logits
        block.cross_attn.norm_q.weight.mul_(3)
    return patcher


class Wan(unittest.TestCase):
    """Text to video and image to video, against cross-attention in float64."""

    def setUp(self):
        g = torch.Generator().manual_seed(3)
        self.x, self.t = torch.randn(2, 4, 2, 4, 6, generator=g), torch.tensor([0.9, 0.9])
        self.text, self.picture = torch.randn(2, 12, 24, generator=g), torch.randn(2, 5, 1280, generator=g)

    def exact(self, patcher, scale, alpha, numbers, **conds):
        """The network with each chosen cross-attention to the text in float64; its attention to a picture stays."""
        network, real = patcher.model.diffusion_model, comfy.ldm.wan.model.optimized_attention
        chosen = []

        def forward_of(block, number, inner):
            def forward(*args, **kwargs):
                chosen.append(number in numbers)
                try:
                    return inner(*args, **kwargs)
                finally:
                    chosen.pop()
            return forward

        def attend(q, k, v, heads, **kwargs):
            if chosen and chosen[-1] and k.shape[1] == self.text.shape[1]:
                return exact_attention(q, k, v, heads, scale=scale, alpha=alpha).float()
            return real(q, k, v, heads, **kwargs)

        with mock.patch.object(comfy.ldm.wan.model, "optimized_attention", attend):
            for number, block in enumerate(network.blocks):
                block.cross_attn.forward = forward_of(block, number, block.cross_attn.forward)
            try:
                return run(patcher, self.x, self.t, c_crossattn=self.text, **conds)
            finally:
                for block in network.blocks:
                    del block.cross_attn.forward

    def test_text_to_video(self):
        patcher = tiny_wan()
        dense = run(patcher, self.x, self.t, c_crossattn=self.text)
        for scale, alpha, blocks, numbers in ((2.0, 1.5, "all", {0, 1, 2}), (1.5, 2.0, "0-1", {0, 1}), (1.0, 1.25, "0,2", {0, 2})):
            out = run(with_pladis(patcher, scale, alpha, blocks), self.x, self.t, c_crossattn=self.text)
            error = relative(out, self.exact(patcher, scale, alpha, numbers))
            print(f"Wan, blocks {blocks}: {error:.1e}; changed by {relative(out, dense):.2f}")
            self.assertLess(error, 5e-6)
            self.assertGreater(relative(out, dense), 1e-3)

    def test_image_to_video(self):
        patcher = tiny_wan(model_type="i2v")
        conds = {"clip_fea": self.picture}
        dense = run(patcher, self.x, self.t, c_crossattn=self.text, **conds)
        out = run(with_pladis(patcher), self.x, self.t, c_crossattn=self.text, **conds)
        self.assertLess(relative(out, self.exact(patcher, 2.0, 1.5, {0, 1, 2}, **conds)), 5e-6)
        self.assertGreater(relative(out, dense), 1e-3)


def tiny_unet(base=None):
    """A U-Net with random weights: attention at two resolutions, below and above."""
    settings = dict(image_size=8, in_channels=4, out_channels=4, model_channels=32, num_res_blocks=[1, 1], channel_mult=[1, 2], num_heads=4,
                    use_spatial_transformer=True, transformer_depth=[1, 1], transformer_depth_output=[1, 1, 1, 1], transformer_depth_middle=1,
                    context_dim=24, legacy=False, use_linear_in_transformer=False)
    patcher = make_model(UNetModel, settings, None, base=base)
    for name, module in patcher.model.diffusion_model.named_modules():
        if name.endswith("attn2"):
            module.to_q.weight.mul_(6)
    return patcher


class Behaviour(unittest.TestCase):
    """What the nodes do with a model, whatever its family."""

    def setUp(self):
        g = torch.Generator().manual_seed(11)
        self.x, self.t, self.text = torch.randn(2, 4, 8, 8, generator=g), torch.tensor([0.6, 0.6]), torch.randn(2, 77, 24, generator=g)
        self.model = tiny_unet()
        self.dense = self.run_on(self.model)

    def run_on(self, patcher, t=None, text=None, **more):
        return run(patcher, self.x, self.t if t is None else t, c_crossattn=self.text if text is None else text, **more)

    def assert_same(self, a, b):
        self.assertTrue(torch.equal(a, b))

    def test_scale_0_and_the_model_itself(self):
        patched = with_pladis(self.model)
        self.assertIsNot(patched, self.model)
        self.assertGreater(relative(self.run_on(patched), self.dense), 1e-2)
        self.assert_same(self.run_on(self.model), self.dense)
        self.assert_same(self.run_on(with_pladis(self.model, 0.0)), self.dense)
        self.assert_same(self.run_on(with_pladis(patched, 0.0)), self.dense)
        self.assertFalse(any("forward" in m.__dict__ for m in self.model.model.modules()))

    def test_an_error_in_the_network_leaves_nothing(self):
        with self.assertRaisesRegex(RuntimeError, "shapes"):
            self.run_on(with_pladis(self.model), text=torch.randn(2, 5, 23))
        self.assertFalse(any("forward" in m.__dict__ for m in self.model.model.modules()))
        self.assert_same(self.run_on(self.model), self.dense)

    def test_a_second_node_replaces_the_first_at_its_sites(self):
        self.assert_same(self.run_on(with_pladis(with_pladis(self.model, 3.0, 2.0), 1.0, 1.25)), self.run_on(with_pladis(self.model, 1.0, 1.25)))
        whole = self.run_on(with_pladis(self.model))
        parts = with_pladis(with_pladis(with_pladis(self.model, blocks="down"), blocks="mid"), blocks="up")
        self.assert_same(self.run_on(parts), whole)
        self.assert_same(self.run_on(with_pladis(with_pladis(self.model), 0.0, blocks="down,up")), self.run_on(with_pladis(self.model, blocks="mid")))
        first = with_pladis(self.model, blocks="down")
        before = self.run_on(first)
        with_pladis(first, 5.0)
        self.assert_same(self.run_on(first), before)

    def test_blocks(self):
        names = sites.family_of(self.model.model.diffusion_model).names(self.model.model.diffusion_model)
        self.assertTrue(all(name.endswith("attn2") for name in names))
        self.assertEqual(len(names), 2 + 1 + 4)
        self.assertEqual(len(choose(names, "down")), 2)
        self.assertEqual(len(choose(names, " down, up ")), 6)
        self.assertEqual(choose(names, "output_blocks.3"), [n for n in names if n.startswith("output_blocks.3.")])
        numbered = [f"blocks.{i}.attn" for i in range(12)]
        self.assertEqual(choose(numbered, "0-2,11"), [numbered[i] for i in (0, 1, 2, 11)])
        self.assertEqual(choose(numbered, "blocks.1"), [numbered[1]])
        for wrong in ("", "sideways", "3", "down,,up"):
            with self.assertRaisesRegex(ValueError, "expected all.*down, mid, up"):
                with_pladis(self.model, blocks=wrong)
        for wrong in ("12", "down", "1-2-3", "a"):
            with self.assertRaisesRegex(ValueError, "0-11"):
                choose(numbered, wrong)

    def test_start_and_end(self):
        whole, early = self.run_on(with_pladis(self.model)), with_pladis(self.model, start=0.0, end=0.4)
        late = with_pladis(self.model, start=0.4, end=1.0)  # Bare: sigma is 1 − percent
        for sigma, is_early in ((1.0, True), (0.61, True), (0.59, False), (0.1, False), (0.0, False)):
            t = torch.full((2,), sigma)
            dense, sparse = self.run_on(self.model, t), self.run_on(with_pladis(self.model), t)
            self.assert_same(self.run_on(early, t), sparse if is_early else dense)
            self.assert_same(self.run_on(late, t), dense if is_early else sparse)
        both = with_pladis(with_pladis(self.model, blocks="down", end=0.3), blocks="mid,up", start=0.3)
        self.assert_same(self.run_on(both), self.run_on(with_pladis(self.model, blocks="mid,up")))
        self.assertFalse(torch.equal(self.run_on(both), whole))
        for start, end in ((0.5, 0.4), (-0.1, 1), (0, 1.1)):
            with self.assertRaises(ValueError):
                with_pladis(self.model, start=start, end=end)
        with self.assertRaises(ValueError):
            with_pladis(self.model, alpha=1.0)

    def test_start_and_end_are_of_the_sampling_in_force(self):
        seen = []

        class Other(Bare):
            def percent_to_sigma(self, percent):
                seen.append(percent)
                return 10 - 9 * percent

        patched = with_pladis(self.model, end=0.5)
        dense = self.dense
        self.assertFalse(torch.equal(self.run_on(patched), dense))
        with mock.patch.object(self.model.model, "model_sampling", Other()):
            self.assert_same(self.run_on(patched), dense)
        self.assertEqual(seen, [0.5])

    def test_another_override_stays_in_force(self):
        calls = []

        def other(func, q, k, v, heads, *args, **kwargs):
            calls.append(k.shape[1])
            return 0.5 * func(q, k, v, heads, *args, **kwargs)

        def override(patcher):
            clone = patcher.clone()
            clone.model_options["transformer_options"]["optimized_attention_override"] = other
            return clone

        plain = self.run_on(override(self.model))
        dense_calls, calls[:] = calls[:], []
        self.assertEqual(len(dense_calls), 14)
        sparse = self.run_on(override(with_pladis(self.model)))
        self.assertEqual(calls, dense_calls)
        self.assertGreater(relative(sparse, plain), 1e-2)
        calls.clear()
        self.assert_same(self.run_on(with_pladis(override(self.model))), sparse)
        self.assertEqual(calls, dense_calls)

    def test_self_attention_is_not_touched(self):
        seen = []

        def spy(func, *args, **kwargs):
            seen.append((args, func(*args, **kwargs)))
            return seen[-1][1]

        self.run_on(with_pladis(self.model, blocks="up"), options={"optimized_attention_override": spy})
        self.assertEqual([args[1].shape[1] for args, _ in seen[:2]], [64, 77])
        with_ours = seen[0][1]
        seen.clear()
        self.run_on(self.model, options={"optimized_attention_override": spy})
        self.assert_same(with_ours, seen[0][1])

    def test_repeated_texts_in_one_batch(self):
        """ComfyUI evaluates texts of 77 and 154 tokens in one batch, the shorter one twice."""
        long = torch.randn(1, 154, 24, generator=torch.Generator().manual_seed(1))
        both = torch.cat((self.text[:1].repeat(1, 2, 1), long))
        patched = with_pladis(self.model)
        out = self.run_on(patched, text=both)
        for i, text in enumerate((self.text[:1], long)):
            alone = run(patched, self.x[i:i + 1], self.t[i:i + 1], c_crossattn=text)
            self.assertLess(relative(out[i:i + 1], alone), 5e-6)
        self.assertIsNone(sites.first_copies(self.text))
        self.assertEqual(sites.first_copies(both).sum(1).tolist(), [77, 154])
        self.assertEqual(sites.first_copies(self.text[:, :1].repeat(1, 77, 1)).sum(1).tolist(), [1, 1])

    def test_attention_with_masks(self):
        """A mask of bools, one to be added, fewer heads of keys, both layouts, and chunks of queries."""
        g = torch.Generator().manual_seed(2)
        q, k, v = torch.randn(2, 30, 32, generator=g) * 3, torch.randn(2, 9, 32, generator=g), torch.randn(2, 9, 32, generator=g)
        live = torch.ones(2, 9, dtype=torch.bool)
        live[0, 5:] = False
        wanted = exact_attention(q, k, v, 4, scale=2.0, alpha=1.5, live=live)
        rule, usual = attention.Pladis(2.0, 1.5), comfy.ldm.modules.attention.attention_pytorch
        added = torch.zeros(2, 1, 9).masked_fill(~live[:, None], -torch.finfo(torch.float32).max)
        for mask in (live[:, None], live[:, None, None], added, added.masked_fill(~live[:, None], -math.inf)):
            for budget in (attention.MAP_BYTES, 4 * 9 * 8 * 7, 1):
                with mock.patch.object(attention, "MAP_BYTES", budget):
                    override = attention.Override(rule, attention.Span(), None, lambda: None)
                    self.assertLess(relative(override(usual, q, k, v, 4, mask=mask), wanted), 2e-6)
        heads = [split(x, 4).float() for x in (q, k, v)]
        for options in ({}, {"skip_output_reshape": True}):
            out = override(usual, *heads, 4, mask=live[:, None], skip_reshape=True, **options)
            self.assertLess(relative(out.transpose(1, 2).flatten(2) if options else out, wanted), 2e-6)
        few = [x[:, ::2] for x in heads[1:]]
        wanted = exact_attention(q, *(x.repeat_interleave(2, 1).transpose(1, 2).flatten(2) for x in few), 4, scale=2.0, alpha=1.5)
        self.assertLess(relative(override(usual, heads[0], *few, 4, skip_reshape=True, enable_gqa=True), wanted), 2e-6)
        nothing = torch.zeros(2, 1, 9, dtype=torch.bool)
        self.assert_same(override(usual, q, k, v, 4, mask=nothing).nan_to_num(), usual(q, k, v, 4, mask=nothing).nan_to_num())

    def test_joint_attention(self):
        g = torch.Generator().manual_seed(4)
        q, k, v = (torch.randn(2, 3, 40, 8, generator=g) * s for s in (3, 1, 1))
        z = q.double() @ k.double().transpose(-1, -2) / math.sqrt(8)
        weights = z.softmax(-1)
        mass = weights[..., 12:, :12].sum(-1, keepdim=True)
        dense = z[..., 12:, :12].softmax(-1)
        weights[..., 12:, :12] = mass * (dense + 1.5 * (exact_entmax(z[..., 12:, :12], 2.0) - dense))
        wanted = (weights @ v.double()).transpose(1, 2).flatten(2)
        usual = comfy.ldm.modules.attention.attention_pytorch
        for budget in (attention.MAP_BYTES, 1000):
            with mock.patch.object(attention, "MAP_BYTES", budget):
                override = attention.Override(attention.Pladis(1.5, 2.0), attention.Span(text=12, tokens=40), None, lambda: None)
                out = override(usual, q, k, v, 3, skip_reshape=True)
        self.assertLess(relative(out, wanted), 2e-6)
        self.assert_same(out[:, :12], usual(q, k, v, 3, skip_reshape=True)[:, :12])
        other = attention.Override(attention.Pladis(1.5, 2.0), attention.Span(text=12, tokens=50), None, self.fail)
        self.assert_same(other(usual, q, k, v, 3, skip_reshape=True), usual(q, k, v, 3, skip_reshape=True))

    def test_half_precision(self):
        """The result has the model's type, and is as near as that type allows."""
        g = torch.Generator().manual_seed(6)
        q, k, v = (torch.randn(1, 2, 300, 16, generator=g).to(torch.bfloat16) for _ in range(3))
        usual = comfy.ldm.modules.attention.attention_pytorch
        for span in (attention.Span(), attention.Span(text=77, tokens=300)):
            override = attention.Override(attention.Pladis(2.0, 1.5), span, None, lambda: None)
            out = override(usual, q, k, v, 2, skip_reshape=True)
            self.assertEqual(out.dtype, torch.bfloat16)
            self.assertLess(relative(out, override(usual, q.double(), k.double(), v.double(), 2, skip_reshape=True)), 1e-2)

    def test_gag(self):
        node = pack.GagNode()
        patched = node.patch(model=self.model, scale=10.0, limit=15.0, alpha=1.5, blocks="all", start_percent=0.0, end_percent=1.0)[0]
        self.assertGreater(relative(self.run_on(patched), self.dense), 1e-2)
        g = torch.Generator().manual_seed(8)
        q, k, v = (torch.randn(1, 20, 16, generator=g) * s for s in (3, 1, 1))
        sparse, dense = (split(exact_attention(q, k, v, 2, scale=scale, alpha=1.5), 2) for scale in (1.0, 0.0))
        usual = comfy.ldm.modules.attention.attention_pytorch
        for scale, limit in ((10.0, 15.0), (2.0, 0.05), (0.0, 15.0), (3.0, 0.0)):
            along = ((sparse - dense) * sparse).sum(-1, keepdim=True) / sparse.square().sum(-1, keepdim=True) * sparse
            wanted = sparse + scale * along * (limit / along.norm(dim=-1, keepdim=True)).clamp_max(1)
            out = attention.Override(attention.Gag(scale, 1.5, limit), attention.Span(), None, lambda: None)(usual, q, k, v, 2)
            self.assertLess(relative(split(out, 2), wanted), 1e-5)
        self.assert_same(self.run_on(with_pladis(patched)), self.run_on(with_pladis(self.model)))

    def test_other_models_are_refused(self):
        class Unheard(torch.nn.Module):
            pass

        patcher = SimpleNamespace(model=SimpleNamespace(diffusion_model=Unheard()))
        with self.assertRaisesRegex(TypeError, r"Unheard.*expected one of: Stable Diffusion.*Wan"):
            with_pladis(patcher)
        network = UNetModel(image_size=8, in_channels=4, out_channels=4, model_channels=32, num_res_blocks=[1], channel_mult=[1], num_heads=1,
                            transformer_depth=[0], transformer_depth_output=[0, 0], transformer_depth_middle=-1, use_spatial_transformer=True,
                            context_dim=8, legacy=False)
        with self.assertRaisesRegex(TypeError, "no attention to the text.*UNetModel"):
            with_pladis(SimpleNamespace(model=SimpleNamespace(diffusion_model=network)))

    def test_a_block_that_another_node_replaces(self):
        """Another node's attention stays, a line says that PLADIS did not act, and there is no error."""
        def replaced(q, k, v, extra_options):
            return comfy.ldm.modules.attention.attention_pytorch(q, k, v, extra_options["n_heads"])

        clone = with_pladis(self.model)
        for kind, count in (("input", 6), ("middle", 1), ("output", 6)):
            for number in range(count):
                clone.set_model_attn2_replace(replaced, kind, number)
        with self.assertLogs(level="WARNING") as lines:
            out = self.run_on(clone)
            self.run_on(clone)
        self.assertEqual(len(lines.output), 1)
        self.assertIn("acted at no attention", lines.output[0])
        self.assertLess(relative(out, self.dense), 1e-5)

    def test_sampling(self):
        """Sampled by ComfyUI itself, from conditioning of 77 and 154 tokens, with CFG."""
        patcher = tiny_unet(base=comfy.model_base.BaseModel)
        g = torch.Generator().manual_seed(9)
        noise = torch.randn(1, 4, 8, 8, generator=g)
        conds = [[[torch.randn(1, tokens, 24, generator=g), {}]] for tokens in (154, 77)]

        def sample(model):
            return comfy.sample.sample(model, noise, 4, 3.0, "euler", "normal", *conds, torch.zeros(1, 4, 8, 8), disable_pbar=True, seed=1)

        dense, sparse = sample(patcher), sample(with_pladis(patcher, 1.0))
        self.assertTrue(bool(sparse.isfinite().all()))
        self.assertGreater(relative(sparse, dense), 1e-3)
        self.assert_same(sample(with_pladis(patcher, 0.0)), dense)
        late = sample(with_pladis(patcher, 1.0, start=0.5))
        self.assertFalse(torch.equal(late, dense) or torch.equal(late, sparse))
        halves = sample(with_pladis(with_pladis(patcher, 1.0, blocks="down", start=0.0), 1.0, blocks="mid,up"))
        self.assert_same(halves, sparse)
        self.assert_same(sample(patcher), dense)


class Pack(unittest.TestCase):
    """The folder as ComfyUI and its registry read it."""

    def test_inputs(self):
        self.assertEqual(pack.NODE_CLASS_MAPPINGS.keys(), pack.NODE_DISPLAY_NAME_MAPPINGS.keys())
        for name, node in pack.NODE_CLASS_MAPPINGS.items():
            with self.subTest(name):
                self.assertEqual(node.RETURN_TYPES, ("MODEL",))
                inputs = node.INPUT_TYPES()["required"]
                self.assertEqual(next(iter(inputs.items())), ("model", ("MODEL",)))
                self.assertTrue(callable(getattr(node, node.FUNCTION)))
                for kind, about in (row for field, row in inputs.items() if field != "model"):
                    self.assertIn(kind, ("FLOAT", "STRING"))
                    self.assertTrue(about["tooltip"])
                    if kind == "FLOAT":
                        self.assertTrue(about["min"] <= about["default"] <= about["max"])

    def test_rows_are_the_packages(self):
        """torch_rows.py is python/pladis', so that the folder works where it is copied to."""
        with open(os.path.join(PACK, "torch_rows.py"), "rb") as copy, open(os.path.join(SOURCE, "python", "pladis", "torch_rows.py"), "rb") as own:
            self.assertEqual(copy.read(), own.read(), "copy python/pladis/torch_rows.py to python/comfyui")

    def test_as_a_custom_node(self):
        with mock.patch.object(sys, "argv", [sys.argv[0], "--cpu"]):
            try:
                import nodes
            except ImportError as absent:
                self.skipTest(f"ComfyUI's nodes.py needs {absent.name}")
        self.assertTrue(asyncio.run(nodes.load_custom_node(PACK)))
        self.assertEqual(nodes.NODE_CLASS_MAPPINGS["PLADIS"].__name__, "PladisNode")
        self.known = nodes.NODE_CLASS_MAPPINGS
        for path in sorted(glob.glob(os.path.join(PACK, "example_workflows", "*.json"))):
            with self.subTest(os.path.basename(path)), open(path, encoding="utf-8") as file:
                self.check(json.load(file))

    def test_readme(self):
        """README's lines, run beside a folder ComfyUI, and the chain of nodes that they name."""
        with mock.patch.object(sys, "argv", [sys.argv[0], "--cpu"]):
            try:
                import nodes
            except ImportError as absent:
                self.skipTest(f"ComfyUI's nodes.py needs {absent.name}")
        with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as file:
            (lines,) = [block for block in re.findall(r"```sh\n(.*?)```", file.read(), flags=re.S) if "ComfyUI" in block]
        self.assertLessEqual(lines.count("\n"), 5)
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(os.path.join(SOURCE, "python"), os.path.join(folder, "python"))
            place = os.path.join(folder, "ComfyUI", "custom_nodes")
            os.makedirs(place)
            subprocess.run(["sh", "-e", "-c", lines], cwd=folder, check=True)
            self.assertTrue(asyncio.run(nodes.load_custom_node(os.path.join(place, "pladis"))))
        chain = re.search(r": (.* → .*)", lines).group(1).split(" → ")
        names = {shown: name for name, shown in nodes.NODE_DISPLAY_NAME_MAPPINGS.items()}
        kinds = [nodes.NODE_CLASS_MAPPINGS[names.get(shown, shown)] for shown in chain]
        self.assertEqual(len(kinds), 3)
        for giver, taker in zip(kinds, kinds[1:]):
            self.assertEqual(giver.RETURN_TYPES[0], "MODEL")
            self.assertEqual(taker.INPUT_TYPES()["required"]["model"][0], "MODEL")

    def check(self, workflow):
        """Types, widgets and links of a workflow against what the nodes declare."""
        by_id = {node["id"]: node for node in workflow["nodes"]}
        self.assertIn("PLADIS", {node["type"] for node in by_id.values()})
        links = {link[0]: link for link in workflow["links"]}
        self.assertEqual(workflow["last_node_id"], max(by_id))
        self.assertEqual(workflow["last_link_id"], max(links))
        for number, begin, slot, end, place, kind in links.values():
            out, into = by_id[begin]["outputs"][slot], by_id[end]["inputs"][place]
            self.assertEqual((out["type"], into["type"], into["link"]), (kind, kind, number))
            self.assertIn(number, out["links"])
        for node in by_id.values():
            if node["type"] in ("Note", "MarkdownNote"):
                continue
            self.assertIn(node["type"], self.known)
            self.check_node(node, self.known[node["type"]])

    def check_node(self, node, known):
        declared = known.INPUT_TYPES()
        fields = {**declared.get("required", {}), **declared.get("optional", {})}
        linked = {put["name"]: put for put in node.get("inputs", [])}
        outputs = [o["type"] for o in node.get("outputs", [])]
        self.assertEqual(outputs, list(known.RETURN_TYPES), node["type"])
        widgets = []
        for name, row in fields.items():
            is_widget = isinstance(row[0], (list, tuple)) or row[0] in ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO")
            if is_widget:
                widgets.append((name, row))
                if len(row) > 1 and row[1].get("control_after_generate"):
                    widgets.append(("control_after_generate", (["fixed", "increment", "decrement", "randomize"],)))
            elif name in declared.get("required", {}):
                self.assertEqual(linked[name]["type"], row[0])
                self.assertIsNotNone(linked[name]["link"])
        self.assertEqual(len(node.get("widgets_values", [])), len(widgets), node["type"])
        for value, (name, row) in zip(node.get("widgets_values", []), widgets, strict=True):
            if row[0] in ("INT", "FLOAT"):
                self.assertTrue(row[1].get("min", value) <= value <= row[1].get("max", value), name)
            elif row[0] == "STRING":
                self.assertIsInstance(value, str)
            elif isinstance(row[0], (list, tuple)) and row[0] and not str(value).endswith(".safetensors"):
                self.assertIn(value, row[0], name)

    def test_registry(self):
        try:
            import tomllib
        except ImportError:
            self.skipTest("tomllib is not here")
        with open(os.path.join(PACK, "pyproject.toml"), "rb") as file:
            told = tomllib.load(file)
        self.assertRegex(told["project"]["version"], r"^\d+\.\d+\.\d+$")
        self.assertNotIn("comfyui", told["project"]["name"].lower())
        self.assertIn("Repository", told["project"]["urls"])
        self.assertGreaterEqual(told["tool"]["comfy"].keys(), {"PublisherId", "DisplayName", "Icon"})


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
