# SPDX-License-Identifier: Apache-2.0
"""Small LoRA files in every style and kind, what the tiny SD 1.5 gives with them, and malformed twins.

    python tools/reference/lora_cases.py tests/data/reference/models/sd15 tests/data/loras

Writes files/*.safetensors, malformed/*.safetensors, and case.json with tensors.safetensors: the U-Net's output and the
text encoder's states in front of its final norm for each row of `settings`. LoRA itself is W + s · alpha/rank · B A;
LoHa, LoKr, Tucker's forms and DoRA by columns come from LyCORIS' functions (package lycoris-lora), DoRA by rows from the
paper's equation 5. Adapters of PEFT (lora_adapters.py) are PEFT's own, and diffusers' loader confirms what it can read.
"""
import json
import sys
import tempfile
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file

from lora_adapters import adapters, malformed_adapters
from lycoris.functional import loha, lokr
from lycoris.functional.general import apply_dora_scale, tucker_weight_from_conv
from oracle.attention import set_pladis
from oracle.ldm import unet_key, unet_names
from oracle.lora import product

PROMPTS = ["a photo of a red fox sitting in deep snow", "two cats playing chess"]
PLADIS = {"lambda": 2.0, "alpha": 1.5, "blocks": "all"}
RANK = 2
UNET = [
    "conv_in", "time_embedding.linear_1",
    "down_blocks.0.attentions.0.proj_in", "down_blocks.0.downsamplers.0.conv", "down_blocks.1.resnets.0.conv1",
    "down_blocks.1.attentions.1.transformer_blocks.0.attn1.to_q",
    "down_blocks.1.attentions.1.transformer_blocks.0.attn2.to_k",
    "mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0",
    "up_blocks.1.attentions.0.transformer_blocks.0.ff.net.0.proj",
    "up_blocks.2.resnets.1.time_emb_proj",
]
TEXT = ["text_model.encoder.layers.0.self_attn.q_proj", "text_model.encoder.layers.1.mlp.fc1"]
ATTENTION = [m for m in UNET if "attn" in m]


class Cases:
    def __init__(self, model, out):
        self.pipe = StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32)
        self.unet, self.text = self.pipe.unet, self.pipe.text_encoder
        self.out, self.g = out, torch.Generator().manual_seed(20)
        self.tensors, self.settings = {}, []
        self.files = {}
        self.ids = self.pipe.tokenizer(PROMPTS, padding="max_length", max_length=77, truncation=True,
                                       return_tensors="pt").input_ids
        self.x = {"sample": torch.randn(2, 4, 8, 8, generator=self.g), "timestep": torch.tensor([801.0, 441.0]),
                  "encoder_hidden_states": self.text(self.ids).last_hidden_state}
        self.tensors.update(self.x)
        self.tensors["output.base"] = self.output()

    def module(self, path):
        if path in TEXT:
            known = dict(self.text.named_modules())
            return known.get(path) or known[path.removeprefix("text_model.")]
        return dict(self.unet.named_modules())[path]

    def noise(self, *shape):
        return torch.randn(*shape, generator=self.g)

    def half(self, path, delta, *factors):
        """The factors rounded to half, the last one scaled so that the change is 0.4 of the weight."""
        scale = 0.4 * self.module(path).weight.norm() / delta.norm()
        return [f.half().float() for f in factors[:-1]] + [(factors[-1] * scale).half().float()]

    def pair(self, path):
        w = self.module(path).weight
        down = self.noise(RANK, *w.shape[1:])
        up = self.noise(w.shape[0], RANK, *([1] * (w.ndim - 2)))
        return self.half(path, product(down, up), down, up)

    def output(self, unet=None):
        unet = unet or self.unet
        set_pladis(unet, PLADIS["lambda"], PLADIS["alpha"])
        return unet(self.x["sample"], self.x["timestep"], self.x["encoder_hidden_states"]).sample

    def write(self, name, tensors, metadata=None):
        (self.out / "files").mkdir(parents=True, exist_ok=True)
        self.files[name] = (tensors, metadata)
        save_file({k: v.contiguous() if v.ndim == 0 or v.dtype != torch.float32 else v.half().contiguous()
                   for k, v in tensors.items()}, self.out / "files" / f"{name}.safetensors", metadata)

    def case(self, tag, loras, with_text=False):
        """`loras`: (file, scale, {path: function of weight and scale -> new weight, or of a bias})."""
        saved = []
        for _, scale, changes in loras:
            for (path, kind), change in changes.items():
                parameter = getattr(self.module(path), kind)
                saved.append((parameter, parameter.data.clone()))
                parameter.data = change(parameter.data.clone(), scale)
        self.tensors[f"output.{tag}"] = self.output()
        if with_text:
            states = self.text(self.ids, output_hidden_states=True).hidden_states[-1]
            self.tensors[f"text_encoder.{tag}"] = states
        for parameter, data in reversed(saved):
            parameter.data = data
        assert torch.equal(self.output(), self.tensors["output.base"])
        change = relative(self.tensors[f"output.{tag}"], self.tensors["output.base"])
        print(f"{tag}: changes the output by {change:.2f}")
        assert change > 0.005
        self.settings.append({"tag": tag, "files": [f"files/{f}.safetensors" for f, _, _ in loras],
                              "scales": [s for _, s, _ in loras],
                              "modules": [len({p for p, _ in c}) for _, _, c in loras]})

    def confirm(self, tag, name, scale=1.0):
        """Diffusers' loader on the U-Net's part of a file."""
        tensors, metadata = self.files[name]
        only = {k: v.half() for k, v in tensors.items() if not k.startswith(("lora_te", "text_encoder"))}
        if metadata and "lora_adapter_metadata" in metadata:
            kept = json.loads(metadata["lora_adapter_metadata"])
            metadata = {"lora_adapter_metadata": json.dumps({k: v for k, v in kept.items() if k[:5] == "unet."})}
        config, weights = self.unet.config, self.unet.state_dict()
        copy = type(self.unet).from_config(config).eval()
        copy.load_state_dict(weights)
        parts = {**self.pipe.components, "unet": copy}
        pipe = StableDiffusionPipeline(**{k: v for k, v in parts.items() if k != "image_encoder"},
                                       requires_safety_checker=False)
        with tempfile.TemporaryDirectory() as folder:
            save_file(only, Path(folder) / "lora.safetensors", metadata)
            pipe.load_lora_weights(folder, weight_name="lora.safetensors", adapter_name="a")
        pipe.set_adapters("a", scale)
        error = relative(self.output(copy), self.tensors[f"output.{tag}"])
        print(f"   diffusers' loader differs by {error:.1e}")
        assert error < 2e-5


def relative(a, b):
    return ((a - b).norm() / b.norm()).item()


def add(delta):
    return lambda w, s: w + s * delta.reshape(w.shape)


def flat(path):
    return path.replace(".", "_")


def plain_styles(c):
    pairs = {p: c.pair(p) for p in UNET + TEXT}
    change = lambda scale, paths=UNET + TEXT: {  # noqa: E731
        (p, "weight"): add(scale * product(*pairs[p])) for p in paths}

    def write(name, key, alpha=None, paths=UNET + TEXT, metadata=None, down="lora_down", up="lora_up"):
        tensors = {}
        for p in paths:
            tensors[f"{key(p)}.{down}.weight"], tensors[f"{key(p)}.{up}.weight"] = pairs[p]
            if alpha is not None:
                tensors[f"{key(p)}.alpha"] = torch.tensor(alpha)
        c.write(name, tensors, metadata)

    def prefixed(unet, text):
        return lambda p: text + p if p in TEXT else unet + p

    kohya = lambda p: ("lora_te_" if p in TEXT else "lora_unet_") + flat(p)  # noqa: E731
    names = unet_names(c.unet)
    write("kohya", kohya, alpha=1.0)
    c.case("kohya.1", [("kohya", 1.0, change(0.5))], with_text=True)
    c.confirm("kohya.1", "kohya")
    c.case("kohya.-0.7", [("kohya", -0.7, change(0.5))])
    write("kohya-ldm", lambda p: "lora_unet_" + flat(unet_key(names, p)), alpha=3.0, paths=UNET)
    c.case("kohya-ldm.0.8", [("kohya-ldm", 0.8, change(1.5, UNET))])
    write("diffusers", prefixed("unet.", "text_encoder."), paths=UNET, down="lora.down", up="lora.up")
    c.case("diffusers.1", [("diffusers", 1.0, change(1.0, UNET))])
    c.confirm("diffusers.1", "diffusers")

    special = "down_blocks.1.attentions.1.transformer_blocks.0.attn1.to_q"
    adapter = {"unet.r": RANK, "unet.lora_alpha": 3, "unet.alpha_pattern": {special: 1},
               "unet.target_modules": UNET}
    write("peft", lambda p: "unet." + p, paths=UNET, down="lora_A", up="lora_B",
          metadata={"lora_adapter_metadata": json.dumps(adapter)})
    with_pattern = {**change(1.5, UNET), (special, "weight"): add(0.5 * product(*pairs[special]))}
    c.case("peft.1", [("peft", 1.0, with_pattern)])
    c.confirm("peft.1", "peft")
    adapter = {"unet.r": RANK, "unet.lora_alpha": 1, "unet.use_rslora": True, "unet.target_modules": UNET}
    write("peft-rslora", lambda p: "base_model.model." + p, paths=UNET, down="lora_A.default", up="lora_B.default",
          metadata={"lora_adapter_metadata": json.dumps(adapter)})
    c.case("peft-rslora.1", [("peft-rslora", 1.0, change(RANK ** -0.5, UNET))])

    def old(path, half):
        if path in TEXT:
            return f"text_encoder.{path.replace('q_proj', 'to_q_lora')}.{half}.weight"
        start, name = path.removesuffix(".0").rsplit(".", 1)
        return f"{start}.processor.{name}_lora.{half}.weight"

    chosen = ATTENTION + TEXT[:1]
    c.write("processors", {old(p, half): pairs[p][i] for p in chosen for i, half in enumerate(("down", "up"))})
    c.case("processors.1", [("processors", 1.0, change(1.0, chosen))], with_text=True)
    c.case("two", [("kohya", 0.6, change(0.5)), ("diffusers", -0.4, change(1.0, UNET))])

    # kohya's names with diffusers' prefix for what a model lacks: two modules have no place
    write("partial", kohya, alpha=1.0, paths=UNET[:3])
    tensors, _ = c.files["partial"]
    for extra in ("lora_unet_down_blocks_9_attentions_0_proj_in", "lora_te2_text_model_encoder_layers_0_mlp_fc1"):
        tensors |= {f"{extra}.lora_down.weight": torch.ones(1, 4), f"{extra}.lora_up.weight": torch.ones(4, 1)}
    c.write("partial", tensors | {"bundle_emb.thing.string_to_param.*": torch.ones(1, 4)})


def other_kinds(c):
    conv = "down_blocks.1.resnets.0.conv1"
    linear = "down_blocks.1.attentions.1.transformer_blocks.0.attn2.to_k"
    one = "down_blocks.0.attentions.0.proj_in"
    key = lambda p: "lora_unet_" + flat(p)  # noqa: E731

    def collect(name, made, scale=1.0, alpha=None):
        tensors, changes = {}, {}
        for path, (factors, change) in made.items():
            tensors |= {f"{key(path)}.{k}": v for k, v in factors.items() if v is not None}
            if alpha is not None:
                tensors[f"{key(path)}.alpha"] = torch.tensor(alpha)
            changes[(path, "weight")] = change
        c.write(name, tensors)
        c.case(name, [(name, scale, changes)])

    def locon_tucker(path):
        w = c.module(path).weight
        mid, down, up = c.noise(RANK, RANK, 3, 3), c.noise(RANK, w.shape[1], 1, 1), c.noise(w.shape[0], RANK, 1, 1)
        mid, down, up = c.half(path, tucker_weight_from_conv(up, down, mid), mid, down, up)
        return ({"lora_mid.weight": mid, "lora_down.weight": down, "lora_up.weight": up},
                add(0.5 * tucker_weight_from_conv(up, down, mid)))

    def hadamard(path, tucker=False):
        w = c.module(path).weight
        o, i, *k = w.shape
        if tucker:
            f = [c.noise(RANK, i), c.noise(RANK, o), c.noise(RANK, i), c.noise(RANK, o),
                 c.noise(RANK, RANK, *k), c.noise(RANK, RANK, *k)]
        else:
            f = [c.noise(RANK, w[0].numel()), c.noise(o, RANK), c.noise(RANK, w[0].numel()), c.noise(o, RANK), None, None]
        whole = loha.diff_weight(*f, gamma=torch.tensor(1.0))
        f[3:4] = c.half(path, whole, f[3])
        f = [x if x is None else x.half().float() for x in f]
        delta = loha.diff_weight(*f, gamma=torch.tensor(0.5))
        names = ("hada_w1_b", "hada_w1_a", "hada_w2_b", "hada_w2_a", "hada_t1", "hada_t2")
        return dict(zip(names, f)), add(delta)

    def kronecker(path, form, factor=4):
        w = c.module(path).weight
        o, i, *k = w.shape
        first, second = (factor, 2), (o // factor, i // 2)
        w1, w1a, w1b = (c.noise(*first), None, None) if form != "both" else (
            None, c.noise(first[0], RANK), c.noise(RANK, first[1]))
        w2 = w2a = w2b = t2 = None
        if form == "whole":
            w2 = c.noise(*second, *k)
        elif k and form == "both":
            t2, w2a, w2b = c.noise(RANK, RANK, *k), c.noise(RANK, second[0]), c.noise(RANK, second[1])
        else:
            w2a, w2b = c.noise(second[0], RANK), c.noise(RANK, second[1], *k)
        f = [w1, w1a, w1b, w2, w2a, w2b, t2]
        whole = kron(f, 1.0)
        at = 3 if form == "whole" else 4
        f[at:at + 1] = c.half(path, whole, f[at])
        f = [x if x is None else x.half().float() for x in f]
        names = ("lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2")
        return dict(zip(names, f)), add(kron(f, 1.0 if form == "whole" else 0.5))

    def kron(f, scale):
        if f[5] is not None and f[5].ndim == 2 and f[6] is None:  # LyCORIS' function expects a kernel there
            second = f[4] @ f[5]
            return lokr.make_kron(f[0] if f[0] is not None else f[1] @ f[2], second, scale)
        rank = 1.0 if f[1] is None and f[4] is None else RANK
        return lokr.diff_weight(*f, gamma=scale * rank)

    def dora(path, by_rows):
        w = c.module(path).weight.data
        down, up = c.pair(path)
        delta = 0.5 * product(down, up)
        taps = [1] * (w.ndim - 2)
        if by_rows:
            norm = (w + delta).flatten(1).norm(dim=1)
            magnitude = (norm * (1 + 0.3 * c.noise(*norm.shape))).half().float().reshape(-1, 1, *taps)
            change = lambda x, s: x + s * (  # noqa: E731
                magnitude * (x + delta) / (x + delta).flatten(1).norm(dim=1).reshape(-1, 1, *taps) - x)
        else:
            norm = (w + delta).transpose(0, 1).flatten(1).norm(dim=1)
            magnitude = (norm * (1 + 0.3 * c.noise(*norm.shape))).half().float().reshape(1, -1, *taps)
            change = lambda x, s: apply_dora_scale(x, delta, magnitude, s)  # noqa: E731
        return {"lora_down.weight": down, "lora_up.weight": up, "dora_scale": magnitude}, change

    collect("tucker", {conv: locon_tucker(conv)}, alpha=1.0)
    collect("loha", {p: hadamard(p) for p in (conv, linear, one)}, alpha=1.0)
    collect("loha-tucker", {conv: hadamard(conv, True)}, alpha=1.0)
    collect("lokr", {p: kronecker(p, "factors") for p in (conv, linear, one)}, alpha=1.0)
    collect("lokr-both", {p: kronecker(p, "both") for p in (conv, linear)}, alpha=1.0)
    collect("lokr-whole", {p: kronecker(p, "whole") for p in (conv, linear)}, alpha=1.0)
    collect("dora-rows", {p: dora(p, True) for p in (conv, linear, one)}, scale=0.7, alpha=1.0)
    collect("dora-columns", {p: dora(p, False) for p in (conv, linear, one)}, scale=0.7, alpha=1.0)

    norm = "down_blocks.0.resnets.0.norm1"
    weight, bias = [(0.3 * c.noise(*c.module(norm).weight.shape)).half().float() for _ in range(2)]
    conv_bias = (0.3 * c.noise(*c.module(conv).bias.shape)).half().float()
    c.write("difference", {f"{key(norm)}.diff": weight, f"{key(norm)}.diff_b": bias, f"{key(conv)}.diff_b": conv_bias})
    c.case("difference", [("difference", 0.9, {(norm, "weight"): add(weight), (norm, "bias"): add(bias),
                                               (conv, "bias"): add(conv_bias)})])
    k = "lora_unet_double_blocks_0_img_attn_qkv"
    c.write("other", {f"{k}.lora_down.weight": c.noise(1, 8), f"{k}.lora_up.weight": c.noise(8, 1)})


def malformed(c, out):
    out.mkdir(parents=True, exist_ok=True)
    k = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
    d = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
    n = c.module("down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q").weight.shape[0]
    one = torch.ones
    down, up = {f"{k}.lora_down.weight": one(2, n)}, {f"{k}.lora_up.weight": one(n, 2)}
    rows = {
        "missing-up": down, "missing-down": up,
        "only-alpha": {f"{k}.alpha": torch.tensor(1.0)},
        "rank-mismatch": {**down, f"{k}.lora_up.weight": one(n, 3)},
        "wrong-shape": {f"{k}.lora_down.weight": one(2, n + 1), **up},
        "vector": {f"{k}.lora_down.weight": one(n), **up},
        "alpha-nan": {**down, **up, f"{k}.alpha": torch.tensor(float("nan"))},
        "alpha-infinite": {**down, **up, f"{k}.alpha": torch.tensor(float("inf"))},
        "alpha-zero": {**down, **up, f"{k}.alpha": torch.tensor(0.0)},
        "alpha-list": {**down, **up, f"{k}.alpha": one(3)},
        "zero-size": {f"{k}.lora_down.weight": one(0, n), f"{k}.lora_up.weight": one(n, 0)},
        "whole-numbers": {f"{k}.lora_down.weight": one(2, n, dtype=torch.int32), **up},
        "twice": {**down, **up, f"{d}.lora_A.weight": one(2, n)},
        "mixture": {**down, **up, f"{k}.lokr_w1": one(2, 2)},
        "orthogonal": {f"{k}.oft_blocks": one(2, 4, 4)},
        "lokr-sizes": {f"{k}.lokr_w1": one(3, 5), f"{k}.lokr_w2": one(2, 2)},
        "loha-missing": {f"{k}.hada_w1_a": one(n, 2), f"{k}.hada_w1_b": one(2, n), f"{k}.hada_w2_a": one(n, 2)},
        "magnitude-size": {**down, **up, f"{k}.dora_scale": one(n + 1, 1)},
    }
    for name, tensors in rows.items():
        save_file(tensors, out / f"{name}.safetensors")
    peft = {f"{d}.lora_A.weight": one(2, n), f"{d}.lora_B.weight": one(n, 2)}
    for name, text in (("metadata-json", "{\"unet.r\": 2,"), ("metadata-list", "[1]"),
                       ("metadata-alpha", "{\"unet.lora_alpha\": \"three\"}"),
                       ("metadata-pattern", "{\"unet.alpha_pattern\": {\"attn1.to_q\": {}}}")):
        save_file(peft, out / f"{name}.safetensors", {"lora_adapter_metadata": text})
    whole = (out / "twice.safetensors").read_bytes()
    (out / "truncated.safetensors").write_bytes(whole[:-40])


@torch.no_grad()
def main():
    torch.set_num_threads(1)
    model, out = Path(sys.argv[1]), Path(sys.argv[2])
    c = Cases(model, out)
    plain_styles(c)
    other_kinds(c)
    adapters(c)
    malformed(c, out / "malformed")
    malformed_adapters(c, out / "malformed")
    save_file({k: v.float().contiguous() for k, v in c.tensors.items()}, out / "tensors.safetensors")
    info = {"kind": "lora", "model": "sd15", "prompts": PROMPTS, "pladis": PLADIS, "settings": c.settings}
    (out / "case.json").write_text(json.dumps(info, indent=1) + "\n")


if __name__ == "__main__":
    main()
