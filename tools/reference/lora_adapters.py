# SPDX-License-Identifier: Apache-2.0
"""Adapters that PEFT and diffusers write, with what PEFT's own layers give; part of lora_cases.py.

Where a trainer other than PEFT writes the same adapter under other names (ai-toolkit's DoRA), the tensors are PEFT's and
the names that trainer's.
"""
import copy
import json
import shutil
import tempfile
from pathlib import Path

import torch
from peft import (LoHaConfig, LoKrConfig, LoraConfig, PeftModel, get_peft_model,
                  get_peft_model_state_dict)
from peft.tuners.tuners_utils import BaseTunerLayer
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from oracle.lora import product

RANK = 2
CONV = "down_blocks.1.resnets.0.conv1"
SQUARE = "down_blocks.0.attentions.0.proj_in"
QUERY = "down_blocks.1.attentions.1.transformer_blocks.0.attn1.to_q"
KEY = "down_blocks.1.attentions.1.transformer_blocks.0.attn2.to_k"
MIDDLE = "mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0"
FEED = "up_blocks.1.attentions.0.transformer_blocks.0.ff.net.0.proj"
LAST = ("lora_B.", "hada_w1_a.", "lokr_w2.", "lokr_w2_a.")


def half(x):
    return x.half().float()


def fill(c, network):
    """Random factors, rounded to half, whose change is 0.4 of each weight; magnitudes up to about 1.3 of the norms."""
    for module in network.modules():
        if not isinstance(module, BaseTunerLayer):
            continue
        named = {k: p for k, p in module.named_parameters() if "base_layer" not in k}
        for name, p in named.items():
            noise = c.noise(*p.shape)
            p.data = half(p.data * (1 + 0.3 * noise) if "magnitude" in name else noise)
        last = next(p for k, p in named.items() if k.startswith(LAST))
        last.data = half(last.data * 0.4 * module.get_base_layer().weight.norm() / module.get_delta_weight("a").norm())


def adapted(c, config, network=None):
    """A copy of the network with the adapter "a"."""
    model = copy.deepcopy(network or c.unet)
    model.add_adapter(config, adapter_name="a") if network is None else model
    fill(c, model)
    return model.eval()


def tensors_of(model):
    return {k: v.clone() for k, v in get_peft_model_state_dict(model, adapter_name="a").items()}


def fields(model):
    known = model.peft_config["a"].to_dict()
    return {k: sorted(v) if isinstance(v, set) else v for k, v in known.items()}


def metadata(model):
    return {"lora_adapter_metadata": json.dumps({f"unet.{k}": v for k, v in fields(model).items()})}


def record(c, tag, file, output, modules, text=None):
    c.tensors[f"output.{tag}"] = output
    if text is not None:
        c.tensors[f"text_encoder.{tag}"] = text
    change = (output - c.tensors["output.base"]).norm() / c.tensors["output.base"].norm()
    print(f"{tag}: changes the output by {change:.2f}")
    assert change > 0.005
    c.settings.append({"tag": tag, "files": [file], "scales": [1.0], "modules": [modules]})


def folder(c, name, config, network):
    """What PeftModel.save_pretrained writes, in half, and the model that PEFT makes of it. It writes the fields in the
    order of their names, and keys of patterns count in the order of the file."""
    model = get_peft_model(copy.deepcopy(network), config, adapter_name="a").eval()
    fill(c, model)
    out = c.out / "files" / name
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as place:
        model.save_pretrained(place)
        tensors = load_file(Path(place) / "a" / "adapter_model.safetensors")
        save_file({k: v.half() for k, v in tensors.items()}, out / "adapter_model.safetensors", {"format": "pt"})
        stated = json.loads((Path(place) / "a" / "adapter_config.json").read_text())
        stated["target_modules"] = sorted(stated["target_modules"])  # a set
        (out / "adapter_config.json").write_text(json.dumps(stated, indent=1) + "\n")
    return PeftModel.from_pretrained(copy.deepcopy(network), out, adapter_name="a").eval()


def doras(c):
    config = LoraConfig(r=RANK, lora_alpha=3, use_dora=True, target_modules=[CONV, SQUARE, QUERY, KEY])
    model = adapted(c, config)
    tensors = tensors_of(model)
    assert tensors[f"{CONV}.lora_magnitude_vector"].shape[1] > 1
    c.write("dora-peft", {f"unet.{k}": v for k, v in tensors.items()}, metadata(model))
    record(c, "dora-peft", "files/dora-peft.safetensors", c.output(model), 4)
    raw = {f"unet.{k}": v for k, v in model.state_dict().items() if ".lora_" in k}
    assert any(".lora_A.a.weight" in k for k in raw) and any("vector.a.weight" in k for k in raw)
    raw |= {f"unet.{m}.alpha": torch.tensor(3.0) for m in (CONV, SQUARE, QUERY, KEY)}
    c.write("dora-adapter-name", raw)
    record(c, "dora-adapter-name", "files/dora-adapter-name.safetensors", c.output(model), 4)

    model = adapted(c, LoraConfig(r=RANK, lora_alpha=3, use_dora=True, target_modules=[QUERY, KEY, MIDDLE]))
    tensors = {}
    for name, value in tensors_of(model).items():
        for theirs, ours in ((".lora_A.", ".lora_down."), (".lora_B.", ".lora_up."),
                             (".lora_magnitude_vector", ".magnitude")):
            if theirs in name:
                module = name.split(theirs)[0]
                flat = "lora_unet_" + module.replace(".", "_")
                tensors |= {name.replace(theirs, ours).replace(module, flat): value, f"{flat}.alpha": torch.tensor(3.0)}
    c.write("dora-ai-toolkit", tensors)
    record(c, "dora-ai-toolkit", "files/dora-ai-toolkit.safetensors", c.output(model), 3)


def patterns(c):
    paths = [CONV, QUERY, KEY, MIDDLE, FEED]
    alphas = {"down_blocks.*to_q": 5, r"attn\d\.to_[qk]": 7, "^mid_block.*": 1.5, "net.0.(?:proj|other)": 4, "to_q": 99}
    config = LoraConfig(r=RANK, lora_alpha=3, target_modules=paths, alpha_pattern=alphas,
                        rank_pattern={r"(?<=0\.)conv[12]": 4, "net.0.proj": 1, "o_q": 6})
    model = adapted(c, config)
    c.write("peft-patterns", {f"unet.{k}": v for k, v in tensors_of(model).items()}, metadata(model))
    record(c, "peft-patterns", "files/peft-patterns.safetensors", c.output(model), 5)
    config.use_rslora = True
    model = folder(c, "peft-folder", config, c.unet)
    record(c, "peft-folder", "files/peft-folder", c.output(model.get_base_model()), 5)

    # diffusers' saver for a network alone: neither names nor fields have a prefix
    model = adapted(c, LoraConfig(r=RANK, lora_alpha=3, target_modules=["conv_in", "time_embedding.linear_1", KEY]))
    with tempfile.TemporaryDirectory() as place:
        model.save_lora_adapter(place, adapter_name="a", weight_name="a.safetensors")
        path = Path(place) / "a.safetensors"
        with safe_open(path, "pt") as opened:
            stated = json.loads(opened.metadata()["lora_adapter_metadata"])
        stated["target_modules"] = sorted(stated["target_modules"])
        c.write("diffusers-bare", load_file(path), {"lora_adapter_metadata": json.dumps(stated)})
    record(c, "diffusers-bare", "files/diffusers-bare.safetensors", c.output(model), 3)


def other_kinds(c):
    paths = [CONV, SQUARE, KEY]
    for name, config in (
            ("peft-loha", LoHaConfig(r=RANK, alpha=3, target_modules=paths, use_effective_conv2d=True,
                                     alpha_pattern={"proj.in": 5})),
            ("peft-lokr", LoKrConfig(r=RANK, alpha=3, target_modules=paths, decompose_both=True, decompose_factor=8,
                                     use_effective_conv2d=True)),
            ("peft-lokr-whole", LoKrConfig(r=16, alpha=3, target_modules=paths, decompose_factor=8))):
        model = folder(c, name, config, c.unet)
        record(c, name, f"files/{name}", c.output(model.get_base_model()), len(paths))


def text_encoder(c):
    model = folder(c, "peft-text", LoraConfig(r=RANK, lora_alpha=5, target_modules=["q_proj", "fc1"]), c.text)
    states = model.get_base_model()(c.ids, output_hidden_states=True)
    # the U-Net is as it was: `base` stands in for its output
    c.tensors["output.peft-text"] = c.tensors["output.base"].clone()
    c.tensors["text_encoder.peft-text"] = states.hidden_states[-1]
    count = sum(isinstance(m, BaseTunerLayer) for m in model.modules())
    c.settings.append({"tag": "peft-text", "files": ["files/peft-text"], "scales": [1.0], "modules": [count]})


def types(c):
    """Every type that a weight or an alpha may have."""
    floats = [torch.float8_e4m3fn, torch.float8_e5m2, torch.float16, torch.bfloat16, torch.float32, torch.float64]
    whole = [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.uint16, torch.uint32, torch.uint64]
    paths = [p for p, m in c.unet.named_modules() if p.endswith((".to_q", ".to_k"))]
    tensors, changes = {}, {}
    for path, (i, alpha) in zip(paths, enumerate(floats + whole)):
        value = 1.5 if alpha in floats else 3
        weight = floats[i % len(floats)]
        w = c.module(path).weight
        down, up = c.noise(RANK, w.shape[1]), c.noise(w.shape[0], RANK)
        up = up * 0.4 * w.norm() / product(down, up).norm()
        down, up = down.to(weight), up.to(weight)
        key = "lora_unet_" + path.replace(".", "_")
        tensors |= {f"{key}.lora_down.weight": down, f"{key}.lora_up.weight": up,
                    f"{key}.alpha": torch.tensor(value).to(alpha)}
        delta = value / RANK * product(down.double(), up.double()).float()
        changes[(path, "weight")] = lambda x, s, delta=delta: x + s * delta
    assert len(changes) == len(floats + whole)
    (c.out / "files").mkdir(parents=True, exist_ok=True)
    save_file(tensors, c.out / "files" / "types.safetensors")
    c.case("types", [("types", 1.0, changes)])


def norms(c):
    """LyCORIS' names of whole changes of a norm."""
    norm = "down_blocks.0.resnets.0.norm1"
    key = "lycoris_" + norm.replace(".", "_")
    weight, bias = [half(0.3 * c.noise(*c.module(norm).weight.shape)) for _ in range(2)]
    c.write("norm", {f"{key}.w_norm": weight, f"{key}.b_norm": bias})
    c.case("norm", [("norm", 0.9, {(norm, "weight"): lambda x, s: x + s * weight,
                                   (norm, "bias"): lambda x, s: x + s * bias})])


def adapters(c):
    doras(c)
    patterns(c)
    other_kinds(c)
    text_encoder(c)
    types(c)
    norms(c)


def malformed_adapters(c, out):
    d = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
    k = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
    n = c.module(d.removeprefix("unet.")).weight.shape[0]
    conv = "unet.conv_in"
    o, i = c.module(conv.removeprefix("unet.")).weight.shape[:2]
    one = torch.ones
    peft = {f"{d}.lora_A.weight": one(2, n), f"{d}.lora_B.weight": one(n, 2)}
    kohya = {f"{k}.lora_down.weight": one(2, n), f"{k}.lora_up.weight": one(n, 2)}
    of_conv = {f"{conv}.lora_A.weight": one(1, i, 3, 3), f"{conv}.lora_B.weight": one(o, 1, 1, 1)}
    norm = "unet.down_blocks.0.resnets.0.norm1"
    assert o != i
    rows = {
        "magnitude-alone": ({f"{d}.magnitude": one(n)}, None),
        "magnitude-bias": ({f"{k}.diff_b": one(n), f"{k}.dora_scale": one(n, 1)}, None),
        "magnitude-inputs": ({**of_conv, f"{conv}.lora_magnitude_vector": one(1, i, 1, 1)}, None),
        "magnitude-twice": ({**peft, f"{d}.magnitude": one(n), f"{d}.dora_scale": one(n, 1)}, None),
        "magnitude-vector": ({f"{norm}.lora_A.weight": one(1, 1), f"{norm}.lora_B.weight": one(32, 1),
                              f"{norm}.magnitude": one(32)}, None),
        "module-scalar": ({**kohya, f"{k}.scalar": one(1)}, None),
        "module-scale": ({**peft, f"{d}.lora_A.weight_scale": one(1)}, None),
        "lokr-t1": ({f"{k}.lokr_w1": one(2, 2), f"{k}.lokr_w2": one(n // 2, n // 2), f"{k}.lokr_t1": one(2, 2)}, None),
        "adapter-kind": (peft, {"peft_type": "VERA"}),
        "adapter-initialised": (peft, {"r": 2, "init_lora_weights": "pissa_niter_4"}),
        "adapter-saved": (peft, {"r": 2, "modules_to_save": ["conv_in"]}),
        "adapter-bias": (peft, {"r": 2, "bias": "lora_only"}),
        "adapter-rank": (peft, {"r": 4}),
        "adapter-mixed": (peft, {"r": 2, "peft_type": "LOKR"}),
        "dora-half": (peft, {"r": 2, "use_dora": True}),
        "dora-denied": ({**peft, f"{d}.lora_magnitude_vector": one(n)}, {"r": 2, "use_dora": False}),
        "pattern-open": (peft, {"r": 2, "alpha_pattern": {"to_(q": 1}}),
        "pattern-foreign": (peft, {"r": 2, "rank_pattern": {"to_\\Kq": 2}}),
        "pattern-endless": (peft, {"r": 2, "alpha_pattern": {"(([a-z._]|[0-9a-z_.])+)+[!?]": 1}}),
        "pattern-flat": (kohya, {"r": 2, "alpha_pattern": {"to_q": 1}}),
    }
    for name, (tensors, stated) in rows.items():
        text = stated and {"lora_adapter_metadata": json.dumps({f"unet.{f}": v for f, v in stated.items()})}
        save_file(tensors, out / f"{name}.safetensors", text)
    second = '{"auto_mapping": {"base_model_class": "CLIPTextModelWithProjection"}, "r": 2}'
    t = "base_model.model.text_model.encoder.layers.0.self_attn.q_proj"
    text_peft = {f"{t}.lora_A.weight": one(2, 48), f"{t}.lora_B.weight": one(48, 2)}
    for name, text, tensors in (("config-json", '{"r": 2,', peft), ("config-kind", '{"peft_type": "OFT", "r": 2}', peft),
                                ("config-alpha", '{"r": 2, "lora_alpha": "4"}', peft),
                                ("config-second", second, text_peft)):
        (out / name).mkdir(exist_ok=True)
        save_file(tensors, out / name / "adapter_model.safetensors")
        (out / name / "adapter_config.json").write_text(text + "\n")
