# SPDX-License-Identifier: Apache-2.0
"""pladis.diffusers against the reference: one forward of each family, whole generations, and what it must get along with.
usage: test_diffusers.py SOURCE_FOLDER [unittest's arguments]; PLADIS_REFERENCE_CASES: a folder with cases/ and models/"""
import json
import os
import sys
import types
import unittest
import warnings

SOURCE = sys.argv[1]
sys.path.insert(0, os.path.join(SOURCE, "python"))
os.environ.setdefault("HF_HUB_OFFLINE", "1")
warnings.filterwarnings("ignore")
try:
    import diffusers
    import torch
    import transformers
    from safetensors.torch import load_file
except ImportError as problem:
    print(f"skipped: {problem}")
    sys.exit(77)

import pladis.diffusers  # noqa: E402
from pladis.torch_rows import pladis_weights  # noqa: E402

REFERENCE = os.environ.get("PLADIS_REFERENCE_CASES") or os.path.join(SOURCE, "tests", "data", "reference")
diffusers.utils.logging.set_verbosity_error()
diffusers.utils.logging.disable_progress_bar()
transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
torch.set_grad_enabled(False)


def tensors_of(name):
    folder = os.path.join(REFERENCE, "cases", name)
    with open(os.path.join(folder, "case.json"), encoding="utf-8") as file:
        return load_file(os.path.join(folder, "tensors.safetensors")), json.load(file)


def skip_unless_here(*parts, kind=None):
    if kind is not None and not hasattr(diffusers, kind):
        raise unittest.SkipTest(f"diffusers {diffusers.__version__} has no {kind}")
    if not os.path.exists(os.path.join(REFERENCE, *parts)):
        raise unittest.SkipTest(f"{'/'.join(parts)} is not in the reference data here")


def stub_torchvision():
    """Anima's network resizes its padding mask, which is zero, by torchvision."""
    module = sys.modules[diffusers.CosmosTransformer3DModel.__module__]
    module.transforms = types.SimpleNamespace(InterpolationMode=types.SimpleNamespace(NEAREST=0), functional=types.SimpleNamespace(
        resize=lambda x, size, interpolation=None: torch.zeros(*x.shape[:-2], *size)))


def network_of(model, kind, folder="transformer"):
    skip_unless_here("models", model, folder, kind=kind)
    if kind.startswith("Cosmos"):
        stub_torchvision()
    return getattr(diffusers, kind).from_pretrained(os.path.join(REFERENCE, "models", model), subfolder=folder, torch_dtype=torch.float32).eval()


def relative(a, b):
    return ((a - b).abs().max() / b.abs().max()).item()


def some(*names):
    return lambda t: {name: t[name] for name in names}


# case: (model, class, arguments of a call of its tensors, tolerance as the reference states it)
FORWARDS = {
    "sd15-unet-pladis": ("sd15", "UNet2DConditionModel", some("sample", "timestep", "encoder_hidden_states"), 2e-5),
    "pixart-forward": ("pixart", "PixArtTransformer2DModel", lambda t: {
        "hidden_states": t["sample"], **some("timestep", "encoder_hidden_states", "encoder_attention_mask")(t),
        "added_cond_kwargs": {"resolution": None, "aspect_ratio": None}}, 2e-5),
    "sana-forward": ("sana", "SanaTransformer2DModel", lambda t: {
        "hidden_states": t["sample"], **some("timestep", "encoder_hidden_states", "encoder_attention_mask")(t)}, 2e-5),
    "sana-sprint-forward": ("sana-sprint", "SanaTransformer2DModel", lambda t: {
        "hidden_states": t["sample"], **some("timestep", "guidance", "encoder_hidden_states", "encoder_attention_mask")(t)}, 2e-5),
    "anima-forward": ("anima", "CosmosTransformer3DModel", lambda t: {
        **some("hidden_states", "timestep", "encoder_hidden_states")(t), "padding_mask": torch.zeros(1, 1, 48, 80)}, 2e-5),
    "flux-dev-forward": ("flux-dev", "FluxTransformer2DModel", some(
        "hidden_states", "timestep", "guidance", "pooled_projections", "encoder_hidden_states", "img_ids", "txt_ids"), 2e-5),
    "flux2-klein-forward": ("flux2-klein", "Flux2Transformer2DModel", some(
        "hidden_states", "timestep", "encoder_hidden_states", "img_ids", "txt_ids"), 2e-5),
    "flux2-dev-forward": ("flux2-dev", "Flux2Transformer2DModel", some(
        "hidden_states", "timestep", "guidance", "encoder_hidden_states", "img_ids", "txt_ids"), 5e-5),
    "sd35-forward": ("sd35", "SD3Transformer2DModel", some(
        "hidden_states", "timestep", "pooled_projections", "encoder_hidden_states"), 2e-5),
    "qwen-image-forward": ("qwen-image", "QwenImageTransformer2DModel", lambda t: {
        **some("hidden_states", "timestep", "encoder_hidden_states")(t), "encoder_hidden_states_mask": t["encoder_hidden_states_mask"].bool(),
        "img_shapes": [[(1, 4, 7)]] * 2, **({"txt_seq_lens": [43, 43]} if diffusers.__version__ < "0.37" else {})}, 2e-5),
    "krea2-forward": ("krea2", "Krea2Transformer2DModel", lambda t: {
        **some("hidden_states", "timestep", "encoder_hidden_states", "position_ids")(t),
        "encoder_attention_mask": t["encoder_attention_mask"].bool()}, 2e-5),
    "z-image-forward": ("z-image", "ZImageTransformer2DModel", lambda t: {
        "x": [row[:, None] for row in t["latents"]], "t": t["timestep"], "cap_feats": [t["caption.0"], t["caption.1"]]}, 2e-5),
}


class Forwards(unittest.TestCase):
    """One evaluation of each family, dense and with every setting of its case."""


def add_forward(name, row):
    model, kind, arguments, tolerance = row

    def test(self):
        skip_unless_here("cases", name)
        tensors, case = tensors_of(name)
        network, call = network_of(model, kind, "unet" if kind.startswith("UNet") else "transformer"), arguments(tensors)

        def run():
            out = network(**call, return_dict=False)[0]
            return torch.stack(out) if isinstance(out, list) else out
        dense = run()
        if "output.dense" in tensors:
            self.assertLess(relative(dense, tensors["output.dense"]), tolerance)
        for setting in case.get("settings") or [{"output": "output", "lambda": 2.0, "alpha": 1.5}]:
            count = pladis.diffusers.enable(network, setting["lambda"], setting["alpha"], setting.get("blocks", "all"))
            self.assertGreater(count, 0)
            error = relative(run(), tensors[setting["output"]])
            print(f"{name} {setting.get('blocks', 'all')}: {count} sites, {error:.1e}", flush=True)
            self.assertLess(error, tolerance)
        # In PyTorch's operations, as on another device.
        kernels = pladis.diffusers._kernels
        pladis.diffusers._kernels = lambda: None
        try:
            self.assertLess(relative(run(), tensors[setting["output"]]), tolerance)
        finally:
            pladis.diffusers._kernels = kernels
        pladis.diffusers.enable(network, scale=0)
        self.assertTrue(torch.equal(run(), dense))
        pladis.diffusers.disable(network)
        self.assertTrue(torch.equal(run(), dense))

    setattr(Forwards, "test_" + name.replace("-", "_"), test)


for name_, row_ in FORWARDS.items():
    add_forward(name_, row_)


def with_text(case):
    return {"prompt": case["prompt"], "negative_prompt": case.get("negative")}


def sana_text(case):
    return {"prompt": case["prompt"], "clean_caption": False, "use_resolution_binning": False,
            "complex_human_instruction": case["complex_human_instruction"], "max_sequence_length": case["max_sequence_length"]}


def with_length(case):
    return {"prompt": case["prompt"], "max_sequence_length": case["max_sequence_length"]}


def anima_pipeline(folder):
    from diffusers.modular_pipelines import AnimaAutoBlocks
    pipe = AnimaAutoBlocks().init_pipeline()
    kinds = {"text_encoder": (transformers, "Qwen3Model"), "tokenizer": (transformers, "AutoTokenizer"), "t5_tokenizer": (transformers, "T5TokenizerFast"),
             "text_conditioner": (diffusers, "AnimaTextConditioner"), "transformer": (diffusers, "CosmosTransformer3DModel"),
             "vae": (diffusers, "AutoencoderKLQwenImage"), "scheduler": (diffusers, "FlowMatchEulerDiscreteScheduler")}
    parts = {name: getattr(module, kind).from_pretrained(os.path.join(folder, name)) for name, (module, kind) in kinds.items()}
    pipe.update_components(**{name: part.float() if isinstance(part, torch.nn.Module) else part for name, part in parts.items()})
    return pipe


# case: arguments of a call of its pipeline beside size, steps, seed; "cfg" and "guidance" are guidance_scale unless they stand here.
GENERATIONS = {
    "sd15-gen-pladis": with_text,
    "sd15-gen-pladis-downup": with_text,
    "sd15-gen-pndm": with_text,
    "sd15-gen-nocfg-pladis": with_text,
    "sd15-gen-rescale-pladis": lambda case: {**with_text(case), "guidance_rescale": case["rescale"]},
    "sd15-gen-freeu-pladis": with_text,
    "sd15-gen-pag-pladis": lambda case: {**with_text(case), "pag_scale": case["pag"]["scale"]},
    "sdxl-gen-pladis": with_text,
    "pixart-gen-pladis": lambda case: {**with_text(case), **with_length(case), "clean_caption": False, "use_resolution_binning": False},
    "sana-text-gen-pladis": lambda case: {**sana_text(case), "negative_prompt": case["negative"]},
    "sana-sprint-gen-4-step-pladis": lambda case: {**sana_text(case), "intermediate_timesteps": None},
    "anima-gen-pladis": with_text,
    "anima-gen-blocks-sparsemax": with_text,
    "flux-dev-gen-pladis": with_length,
    "flux2-klein-gen-pladis": with_length,
    "flux2-klein-gen-base-cfg-pladis": with_length,
    "flux2-dev-gen-pladis": lambda case: {"max_sequence_length": case["max_sequence_length"]},
    "sd35-gen-pladis": lambda case: {**with_text(case), **with_length(case)},
    "z-image-gen-pladis": with_length,
    "z-image-gen-cfg-pladis": lambda case: {**with_length(case), "negative_prompt": case["negative"], "cfg_normalization": False},
    "qwen-image-gen-pladis": lambda case: {**with_text(case), "true_cfg_scale": case["cfg"], "guidance_scale": None},
    "krea2-gen-pladis": lambda case: {**with_text(case), **with_length(case)},
}


class Generations(unittest.TestCase):
    """Pictures of whole pipelines."""


def pipeline_of(case, tensors):
    """The pipeline of a case, and the embeddings that it is called with where it has no text encoder."""
    folder = os.path.join(REFERENCE, "models", case["model"])
    if case["pipeline"] == "AnimaModularPipeline":
        return anima_pipeline(folder), {}
    parts = {}
    with open(os.path.join(folder, "model_index.json"), encoding="utf-8") as file:
        index = json.load(file)
    if "is_distilled" in index and "cfg" in case:
        parts["is_distilled"] = case["cfg"] <= 1
    parts.update({name: None for name, kind in index.items() if isinstance(kind, list) and kind[0] is None})
    if case["model"] == "sdxl":
        skip_unless_here("models", "sdxl", "unet", "diffusion_pytorch_model.fp16.safetensors")
        parts["variant"] = "fp16"
    pipe = getattr(diffusers, case["pipeline"]).from_pretrained(folder, torch_dtype=torch.float32, **parts)
    if hasattr(getattr(getattr(pipe, "text_encoder", None), "config", None), "attn_logit_softcapping"):
        pipe.text_encoder.config._attn_implementation = "eager"  # transformers 4 has sdpa, which leaves the capping out
    spec = case.get("scheduler") or {"class": type(pipe.scheduler).__name__}
    pipe.scheduler = getattr(diffusers, spec["class"]).from_config(pipe.scheduler.config, **spec.get("overrides", {}))
    return pipe, {"prompt_embeds": tensors["prompt_embeds"]} if index.get("text_encoder", [1])[0] is None else {}


def add_generation(name, arguments):
    def test(self):
        skip_unless_here("cases", name)
        tensors, case = tensors_of(name)
        skip_unless_here("models", case["model"], kind=case["pipeline"])
        if case["model"] == "anima":
            stub_torchvision()
        pipe, embeds = pipeline_of(case, tensors)
        if name.startswith("krea2"): # the prefix of the published tokenizer is as long as this: the tiny one counts otherwise
            pipe.prompt_template_encode_start_idx, pipe.prompt_template_encode_num_suffix_tokens = case["prefix_tokens"], case["suffix_tokens"]
        pipe.set_progress_bar_config(disable=True)
        p = case.get("pladis", {"lambda": 0, "alpha": 1.5, "blocks": "all"})
        sites = pladis.diffusers.enable(pipe, p["lambda"], p["alpha"], p["blocks"])
        if "freeu" in case:
            pipe.enable_freeu(**case["freeu"])
        if "pag" in case:
            pipe.set_pag_applied_layers(case["pag"]["layers"])
        guidance = {"guidance_scale": case.get("cfg", case.get("guidance"))}
        if case["pipeline"] == "AnimaModularPipeline":
            pipe.update_components(guider=diffusers.ClassifierFreeGuidance(guidance_scale=case["cfg"]))
            guidance = {}
        call = {**guidance, **arguments(case), **embeds}
        call = {key: value for key, value in call.items() if value is not None or key == "intermediate_timesteps"}
        size = {"width": case["width"], "height": case["height"], "num_inference_steps": case["steps"]}
        last = {"output": "latents"} if case["pipeline"] == "AnimaModularPipeline" else {"output_type": "latent"}

        def draw():
            out = pipe(**call, **size, generator=torch.Generator("cpu").manual_seed(case["seed"]), **last)
            return out if torch.is_tensor(out) else out.images
        latents = draw()
        error = ((latents - tensors["latents"].reshape(latents.shape)).norm() / tensors["latents"].norm()).item()
        tolerance = 3e-4 if name.startswith("flux2-dev") else max(1e-4, 30 * case["sensitivity"]["latents"])
        print(f"{name}: {sites} sites, {error:.1e} of {tolerance:.1e}", flush=True)
        self.assertLess(error, tolerance)
        if p["lambda"]:
            pladis.diffusers.disable(pipe)
            self.assertGreater((draw() - latents).abs().max().item(), 1e-3)

    setattr(Generations, "test_" + name.replace("-", "_"), test)


for name_, row_ in GENERATIONS.items():
    add_generation(name_, row_)


def quiet(pipe):
    pipe.set_progress_bar_config(disable=True)
    return pipe


def seeded(seed=3):
    return torch.Generator("cpu").manual_seed(seed)


class Company(unittest.TestCase):
    """What a pipeline may have beside PLADIS."""

    def setUp(self):
        skip_unless_here("models", "sd15")
        self.folder = os.path.join(REFERENCE, "models", "sd15")

    def tensors(self):
        return some("sample", "timestep", "encoder_hidden_states")(tensors_of("sd15-unet-pladis")[0])

    def unet(self):
        return network_of("sd15", "UNet2DConditionModel", "unet")

    def pipe(self, kind="StableDiffusionPipeline", scheduler="EulerDiscreteScheduler", **parts):
        pipe = getattr(diffusers, kind).from_pretrained(self.folder, torch_dtype=torch.float32, **parts)
        pipe.scheduler = getattr(diffusers, scheduler).from_config(pipe.scheduler.config)
        return quiet(pipe)

    def draw(self, pipe, **more):
        call = {"prompt": "a red fox", "width": 64, "height": 64, "num_inference_steps": 5, **more}
        return pipe(**call, generator=seeded(), output_type="latent").images

    def test_wrong_input(self):
        unet = self.unet()
        with self.assertRaisesRegex(TypeError, "Linear: PLADIS is not known for it"):
            pladis.diffusers.enable(torch.nn.Linear(1, 1))
        for more, message in (({"blocks": "left"}, "'left', which no attention of UNet2DConditionModel fits; it has 16 sites"), ({"blocks": "99"}, "'99'"),
                              ({"alpha": 1.0}, "alpha: found 1.0"), ({"scale": float("nan")}, "scale"), ({"start": 0.5}, "expected a pipeline"),
                              ({"start": 0.5, "end": 0.2}, "fractions")):
            with self.assertRaisesRegex(ValueError, message):
                pladis.diffusers.enable(unet, **more)
        pladis.diffusers.disable(unet)
        for processor in unet.attn_processors.values():
            self.assertNotIsInstance(processor, pladis.diffusers.Processor)

    def test_a_processor_without_scaled_dot_product_attention(self):
        unet = self.unet()
        unet.mid_block.attentions[0].transformer_blocks[0].attn2.processor = lambda attn, hidden_states, **_: hidden_states
        pladis.diffusers.enable(unet)
        with self.assertRaisesRegex(RuntimeError, "without scaled_dot_product_attention"):
            unet(**self.tensors())

    def test_enabled_twice_and_for_a_while(self):
        unet, call = self.unet(), self.tensors()
        dense = unet(**call).sample
        pladis.diffusers.enable(unet, 2.0)
        once = unet(**call).sample
        self.assertEqual(pladis.diffusers.enable(unet, 1.0, blocks="up_blocks.1,mid"), 4)
        self.assertEqual(pladis.diffusers.enable(unet, 1.0, blocks=3), 1)
        pladis.diffusers.enable(unet, 2.0)
        self.assertTrue(torch.equal(unet(**call).sample, once))
        pladis.diffusers.disable(unet)
        with pladis.diffusers.enabled(unet, 2.0) as sites:
            self.assertEqual(sites, 16)
            self.assertTrue(torch.equal(unet(**call).sample, once))
        self.assertTrue(torch.equal(unet(**call).sample, dense))

    def test_slicing(self):
        unet, call = self.unet(), self.tensors()
        pladis.diffusers.enable(unet)
        whole = unet(**call).sample
        unet.set_attention_slice("max")
        self.assertLess(relative(unet(**call).sample, whole), 1e-5)
        self.assertIn("Sliced", type(unet.mid_block.attentions[0].transformer_blocks[0].attn2.processor.inner).__name__)

    def test_16_bit(self):
        unet, call = self.unet(), self.tensors()
        pladis.diffusers.enable(unet)
        exact = unet(**call).sample
        for kind, bound in ((torch.bfloat16, 0.1), (torch.float16, 0.02)):
            half = unet.to(kind)(**{k: v.to(kind) if v.is_floating_point() else v for k, v in call.items()}).sample
            self.assertEqual(half.dtype, kind)
            self.assertLess(relative(half.float(), exact), bound)
        unet = unet.float()
        with torch.autocast("cpu", torch.bfloat16):
            self.assertLess(relative(unet(**call).sample.float(), exact), 0.1)

    def test_gradients(self):
        unet, call = self.unet(), self.tensors()
        pladis.diffusers.enable(unet)
        weight = unet.mid_block.attentions[0].transformer_blocks[0].attn2.to_q.weight
        plain = unet(**call).sample
        with torch.enable_grad():
            out = unet(**call).sample
            self.assertLess(relative(out.detach(), plain), 1e-5)
            (slope,) = torch.autograd.grad(out.square().sum(), weight)
        # In float64, against a difference along one direction.
        unet, call = unet.double(), {name: value.double() if torch.is_tensor(value) and value.is_floating_point() else value
                                     for name, value in call.items()}
        weight = unet.mid_block.attentions[0].transformer_blocks[0].attn2.to_q.weight
        with torch.enable_grad():
            (exact,) = torch.autograd.grad(unet(**call).sample.square().sum(), weight)
        self.assertLess(relative(slope.double(), exact), 3e-4)  # found 1.5e-4; of the network without PLADIS 6e-5
        step = torch.randn(weight.shape, generator=seeded(), dtype=torch.double) * weight.std() * 1e-5
        values = []
        for sign in (1, -1):
            weight.data += sign * step
            values.append(unet(**call).sample.square().sum().item())
            weight.data -= sign * step
        self.assertAlmostEqual((values[0] - values[1]) / (2 * (exact * step).sum().item()), 1, delta=1e-4)

    def test_smoothed_energy_guidance(self):
        """Beside SEG's blurred queries of self-attention, the same as processors that make PLADIS' maps."""
        try:
            from diffusers.hooks.smoothed_energy_guidance_utils import SmoothedEnergyGuidanceConfig, _apply_smoothed_energy_guidance_hook
        except ImportError:
            self.skipTest("this diffusers has no SEG")

        class Maps:
            def __call__(self, attn, hidden_states, encoder_hidden_states=None, **_):
                projected = attn.to_q(hidden_states), attn.to_k(encoder_hidden_states), attn.to_v(encoder_hidden_states)
                q, k, v = (x.unflatten(-1, (attn.heads, -1)).transpose(1, 2) for x in projected)
                out = pladis_weights(q @ k.transpose(-1, -2) * attn.scale, 2, 1.5) @ v
                return attn.to_out[0](out.transpose(1, 2).flatten(2))
        unet, call = self.unet(), self.tensors()
        pladis.diffusers.enable(unet)
        sharp = unet(**call).sample
        pladis.diffusers.disable(unet)
        place = SmoothedEnergyGuidanceConfig(indices=[0], fqn="down_blocks.1.attentions.0.transformer_blocks")
        _apply_smoothed_energy_guidance_hook(unet, place, 10.0)
        blurred = unet(**call).sample
        pladis.diffusers.enable(unet, scale=0)
        self.assertTrue(torch.equal(unet(**call).sample, blurred))
        pladis.diffusers.enable(unet)
        both = unet(**call).sample
        pladis.diffusers.disable(unet)
        for name, module in unet.named_modules():
            if name.endswith(".attn2"):
                module.processor = Maps()
        self.assertLess(relative(both, unet(**call).sample), 1e-5)
        self.assertGreater(relative(both, sharp), 1e-4)

    def test_compile(self):
        unet, call = self.unet(), self.tensors()
        pladis.diffusers.enable(unet)
        eager = unet(**call).sample
        faster = torch.compile(unet, backend="aot_eager")
        self.assertLess(relative(faster(**call).sample, eager), 1e-5)
        self.assertEqual(pladis.diffusers.enable(faster, scale=0), 16)
        dense = faster(**call).sample
        pladis.diffusers.disable(faster)
        self.assertLess(relative(dense, unet(**call).sample), 1e-5)
        self.assertGreater(relative(dense, eager), 1e-3)

    def test_image_prompt_adapter(self):
        from diffusers.models.attention_processor import IPAdapterAttnProcessor2_0
        unet = self.unet()
        site = unet.mid_block.attentions[0].transformer_blocks[0].attn2
        width, text = site.to_q.out_features, site.to_k.in_features
        adapter = IPAdapterAttnProcessor2_0(width, text, num_tokens=(4,), scale=[0.7])
        hidden, words, image = (torch.randn(2, n, size, generator=seeded(n)) for n, size in ((9, width), (77, text), (4, text)))

        def run(processor, with_image):
            site.set_processor(processor)
            return site(hidden, encoder_hidden_states=(words, [image[:, None] * with_image]))
        added = run(adapter, 1) - run(adapter, 0) # the image's part
        state = pladis.diffusers._State(2.0, 1.5, 0, 1)
        wrapped = pladis.diffusers._wrapped(adapter, state)
        self.assertLess(relative(run(wrapped, 1) - run(wrapped, 0), added), 1e-4)
        without = run(wrapped, 0)
        site.set_processor(pladis.diffusers._wrapped(diffusers.models.attention_processor.AttnProcessor2_0(), state))
        self.assertLess(relative(without, site(hidden, encoder_hidden_states=words)), 1e-6)

    def test_control_net(self):
        pipe = self.pipe()
        pladis.diffusers.enable(pipe)
        plain = self.draw(pipe)
        control = diffusers.ControlNetModel.from_unet(pipe.unet)
        controlled = self.pipe("StableDiffusionControlNetPipeline", controlnet=control, unet=pipe.unet)
        picture = torch.rand(1, 3, 64, 64, generator=seeded())
        self.assertLess(relative(self.draw(controlled, image=picture, controlnet_conditioning_scale=0.0), plain), 1e-5)

    def test_lora(self):
        try:
            import peft  # noqa: F401
        except ImportError:
            self.skipTest("peft is not here")
        skip_unless_here("files", "sd15-lora-peft.safetensors")
        pipe = self.pipe()
        pladis.diffusers.enable(pipe)
        plain = self.draw(pipe)
        pairs = load_file(os.path.join(REFERENCE, "files", "sd15-lora-peft.safetensors"))
        pipe.load_lora_weights({name: pair for name, pair in pairs.items() if name.startswith("unet.")})
        beside = self.draw(pipe)
        self.assertGreater(relative(beside, plain), 1e-3)
        pipe.fuse_lora()
        self.assertLess(relative(self.draw(pipe), beside), 1e-4)

    def test_perturbed_joint_attention(self):
        skip_unless_here("models", "sd35")
        pipe = quiet(diffusers.StableDiffusion3PAGPipeline.from_pretrained(os.path.join(REFERENCE, "models", "sd35"), torch_dtype=torch.float32))
        config = pipe.transformer.config # diffusers perturbs neither blocks with two attentions nor the last
        processors = diffusers.models.attention_processor
        pipe.set_pag_applied_layers(f"blocks.{max(set(range(config.num_layers - 1)) - set(config.dual_attention_layers))}",
                                    (processors.PAGCFGJointAttnProcessor2_0(), processors.PAGJointAttnProcessor2_0()))
        call = {"prompt": "a red fox", "width": 64, "height": 64, "num_inference_steps": 3, "max_sequence_length": 24, "output_type": "latent"}
        seen = []
        with counted(seen):
            pladis.diffusers.enable(pipe)
            pipe(**call, pag_scale=2.0, generator=seeded())
            pipe(**call, generator=seeded())
        self.assertEqual(len(seen), 2 * 3 * 4)

    def test_which_steps(self):
        for scheduler, steps, start, end, calls in (
                ("EulerDiscreteScheduler", 5, 0.4, 1, 3), ("EulerDiscreteScheduler", 5, 0, 0.5, 2), ("DDIMScheduler", 5, 0.2, 0.8, 3),
                ("HeunDiscreteScheduler", 5, 0.2, 0.6, 4), ("HeunDiscreteScheduler", 5, 0.8, 1, 1), ("PNDMScheduler", 5, 0, 0.2, 2),
                ("PNDMScheduler", 5, 0.2, 1, 4), ("DPMSolverMultistepScheduler", 4, 0.5, 0.5, 0)):
            pipe, seen = self.pipe(scheduler=scheduler), []
            sites = pladis.diffusers.enable(pipe, start=start, end=end)
            for _ in range(2): # the second picture counts anew
                with counted(seen):
                    self.draw(pipe, num_inference_steps=steps)
                self.assertEqual(len(seen), calls * sites, scheduler)
                seen.clear()

    def test_which_steps_from_a_picture(self):
        pipe, seen = self.pipe("StableDiffusionImg2ImgPipeline"), []
        sites = pladis.diffusers.enable(pipe, start=0.5)
        with counted(seen):
            pipe("a red fox", image=torch.rand(1, 3, 64, 64, generator=seeded()), strength=0.5, num_inference_steps=8, generator=seeded(), output_type="latent")
        self.assertEqual(len(seen), 2 * sites)


class counted:
    """Notes in a list every attention that PLADIS computes."""

    def __init__(self, seen):
        self.seen = seen

    def __enter__(self):
        self.attend = pladis.diffusers._attend

        def attend(*args, **kwargs):
            self.seen.append(1)
            return self.attend(*args, **kwargs)
        pladis.diffusers._attend = attend

    def __exit__(self, *_):
        pladis.diffusers._attend = self.attend


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
