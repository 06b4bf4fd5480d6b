#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pladis against PyTorch and diffusers: text encoder, denoiser evaluation, VAE decode and peak memory, in turns.

    bench_torch.py --pladis build/apps/cli/pladis --model DIR [--width 512 --height 512] [--threads 2]
    bench_torch.py --pladis build/apps/cli/pladis --model random:sd15 --variants f32,f32-channels_last
    bench_torch.py --pladis build/apps/cli/pladis --model random:sdxl --apart --no-memory --stages "evaluation, 1 row;decode"

DIR is a diffusers folder that both sides open (Stable Diffusion, PixArt, SANA or Anima). random:sd15, random:sdxl,
random:pixart-sigma, random:sana-1.6b, random:sana-sprint-0.6b and random:anima need no files: each side makes up weights of
its own for the published configurations, on whose values the time does not depend (but for PLADIS's, on the spread of
logits). T5, Gemma-2 and Qwen3 are given as many ids as the bench's prompt has for pladis: padding, which PyTorch would
compute too, is not compared.

Each turn runs pladis (`pladis bench stages`) and then every variant of PyTorch on the same number of threads, while the other
side waits; figures are medians over the turns, ratios medians of the ratios within a turn. PyTorch lives in a process of its
own for each variant, which keeps its model, and is warmed up once; with --apart it is started and warmed up anew in each turn
and ended before the next side runs, for models that are not in memory twice. PLADIS there is what its authors do: logits, softmax and
entmax of them, their mix, and the product with the values (package entmax, float32). Peak memory is VmHWM of a fresh process
that draws one picture in two steps. Needs the modules of tools/full_size/requirements.txt.
"""
import argparse
import importlib.util
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROMPT = "a red fox sitting in deep snow, sharp focus"
TIMESTEP, LAMBDA, ALPHA = 601, 2.0, 1.5
# name of a stage here: end of the name of pladis's result
STAGES = {
    "text encoder": "text_encoder, 1 prompt",
    "text encoder 2": "text_encoder_2, 1 prompt",
    "evaluation, 1 row": "evaluation, softmax, 1 row",
    "evaluation, 2 rows": "evaluation, softmax, 2 rows",
    "evaluation, 2 rows, PLADIS": "evaluation, pladis 1.5, 2 rows",
    "decode": "decode",
}


# ---- PyTorch's side: a process that takes a command a line and answers in JSON

class Pladis:
    """Attention of diffusers with PLADIS on cross-attention as the authors write it, in the type of the model."""

    def __init__(self, lam, alpha):
        self.lam, self.alpha = lam, alpha

    @staticmethod
    def heads(x, count, norm):
        """[B, T, H D] → [B, T, H, D], with a norm over all heads (SANA-Sprint) or over each (Anima)."""
        if norm is None:
            return x.unflatten(-1, (count, -1))
        if norm.weight.numel() == x.shape[-1]:
            return norm(x).unflatten(-1, (count, -1))
        return norm(x.unflatten(-1, (count, -1)))

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, temb=None, **_):
        import torch.nn.functional as F
        from entmax import entmax15
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        q, k, v = (layer(x) for layer, x in ((attn.to_q, hidden_states), (attn.to_k, context), (attn.to_v, context)))
        q, k, v = (self.heads(x, attn.heads, norm).transpose(1, 2)
                   for x, norm in ((q, attn.norm_q), (k, attn.norm_k), (v, None)))
        if encoder_hidden_states is None:
            out = F.scaled_dot_product_attention(q, k, v)
        else:
            logits = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
            dense = logits.softmax(-1)
            out = (dense + self.lam * (entmax15(logits, dim=-1) - dense)) @ v
        out = attn.to_out[1](attn.to_out[0](out.transpose(1, 2).flatten(2)))
        return out / attn.rescale_output_factor


def peak_bytes():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def load(cls, folder, dtype, random):
    """A component with its weights, or with random ones for its configuration."""
    import torch
    if not random:
        key = "dtype" if cls.__module__.startswith("transformers") else "torch_dtype"
        return cls.from_pretrained(folder, **{key: dtype}).eval()
    config = json.loads((folder / "config.json").read_text())
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        if cls.__module__.startswith("transformers"):
            return cls(cls.config_class(**config)).eval()
        return cls.from_config(config).eval()
    finally:
        torch.set_default_dtype(before)


def clip(folder, name, cls, dtype, random):
    """A CLIP text encoder and the ids of a full text."""
    import torch
    encoder = load(cls, folder / name, dtype, random)
    ids = torch.arange(1, encoder.config.max_position_embeddings + 1).remainder(encoder.config.vocab_size)
    return encoder, ids.unsqueeze(0)


class UNet:
    """Stable Diffusion's denoiser and text encoders."""
    FOLDER = "unet"

    def __init__(self, folder, dtype, random):
        from diffusers import UNet2DConditionModel
        from transformers import CLIPTextModel, CLIPTextModelWithProjection
        self.dtype = dtype
        self.network = load(UNet2DConditionModel, folder / self.FOLDER, dtype, random)
        self.encoders = [clip(folder, "text_encoder", CLIPTextModel, dtype, random)]
        if (folder / "text_encoder_2").is_dir():
            self.encoders.append(clip(folder, "text_encoder_2", CLIPTextModelWithProjection, dtype, random))

    def inputs(self, rows):
        import torch
        config = self.network.config
        added = None
        if config.addition_embed_type == "text_time":
            pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
            added = {"text_embeds": torch.randn(rows, pooled, dtype=self.dtype),
                     "time_ids": torch.full((rows, 6), 1024.0, dtype=self.dtype)}
        return dict(timestep=TIMESTEP, added_cond_kwargs=added,
                    encoder_hidden_states=torch.randn(rows, 77, config.cross_attention_dim, dtype=self.dtype))


class PixArt:
    """PixArt's transformer and T5, for texts of as many tokens as the bench's prompt has by the tokenizer in bench/models."""
    FOLDER = "transformer"
    TOKENS = 24

    def __init__(self, folder, dtype, random):
        import torch
        from diffusers import PixArtTransformer2DModel
        from transformers import T5EncoderModel
        self.dtype = dtype
        self.network = load(PixArtTransformer2DModel, folder / self.FOLDER, dtype, random)
        encoder = load(T5EncoderModel, folder / "text_encoder", dtype, random)
        self.encoders = [(encoder, torch.arange(1, self.TOKENS + 1).unsqueeze(0))]

    def inputs(self, rows):
        import torch
        config = self.network.config
        added = {"resolution": None, "aspect_ratio": None}
        if self.network.use_additional_conditions:
            added = {"resolution": torch.full((rows, 2), 1024.0, dtype=self.dtype),
                     "aspect_ratio": torch.ones(rows, 1, dtype=self.dtype)}
        return dict(timestep=torch.full((rows,), TIMESTEP), added_cond_kwargs=added,
                    encoder_attention_mask=torch.ones(rows, self.TOKENS),
                    encoder_hidden_states=torch.randn(rows, self.TOKENS, config.caption_channels, dtype=self.dtype))


class Sana:
    """SANA's transformer and Gemma-2, for texts of as many tokens as the bench's prompt has, without an instruction."""
    FOLDER = "transformer"
    TOKENS = 22

    def __init__(self, folder, dtype, random):
        import torch
        from diffusers import SanaTransformer2DModel
        from transformers import Gemma2Model
        self.dtype = dtype
        self.network = load(SanaTransformer2DModel, folder / self.FOLDER, dtype, random)
        encoder = load(Gemma2Model, folder / "text_encoder", dtype, random)
        self.encoders = [(encoder, torch.arange(1, self.TOKENS + 1).unsqueeze(0))]

    def set_attention(self, pladis):
        from diffusers.models.transformers.sana_transformer import SanaAttnProcessor2_0
        for name, module in self.network.named_modules():
            if name.endswith("attn2"):
                module.set_processor(Pladis(LAMBDA, ALPHA) if pladis else SanaAttnProcessor2_0())

    def inputs(self, rows):
        import torch
        config = self.network.config
        guidance = torch.full((rows,), 0.45, dtype=self.dtype) if config.guidance_embeds else None
        return dict(timestep=torch.full((rows,), TIMESTEP), guidance=guidance,
                    encoder_attention_mask=torch.ones(rows, self.TOKENS),
                    encoder_hidden_states=torch.randn(rows, self.TOKENS, config.caption_channels, dtype=self.dtype))


class Anima:
    """Anima's transformer and Qwen3. The conditioner's context is always 512 tokens, zeros behind the text."""
    FOLDER = "transformer"
    TOKENS, T5_TOKENS, CONTEXT = 19, 24, 512

    def __init__(self, folder, dtype, random):
        import torch
        from diffusers import CosmosTransformer3DModel
        from diffusers.models.transformers import transformer_cosmos
        from transformers import Qwen3Model
        if not hasattr(transformer_cosmos, "transforms"):  # without torchvision; the padding mask is zeros here
            resize = types.SimpleNamespace(resize=lambda mask, size, interpolation: mask.new_zeros(*mask.shape[:-2], *size))
            transformer_cosmos.transforms = types.SimpleNamespace(
                functional=resize, InterpolationMode=types.SimpleNamespace(NEAREST=None))
        self.dtype = dtype
        self.network = load(CosmosTransformer3DModel, folder / self.FOLDER, dtype, random)
        encoder = load(Qwen3Model, folder / "text_encoder", dtype, random)
        self.encoders = [(encoder, torch.arange(1, self.TOKENS + 1).unsqueeze(0))]

    def set_attention(self, pladis):
        from diffusers.models.transformers.transformer_cosmos import CosmosAttnProcessor2_0
        for name, module in self.network.named_modules():
            if name.endswith("attn2"):
                module.set_processor(Pladis(LAMBDA, ALPHA) if pladis else CosmosAttnProcessor2_0())

    def evaluate(self, network, sample):
        import torch
        rows, (height, width) = sample.shape[0], sample.shape[-2:]
        context = torch.randn(rows, self.CONTEXT, self.network.config.text_embed_dim, dtype=self.dtype)
        context[:, self.T5_TOKENS:] = 0
        return network(hidden_states=sample.unsqueeze(2), encoder_hidden_states=context,
                       timestep=torch.full((rows,), TIMESTEP / 1000, dtype=self.dtype),
                       padding_mask=torch.zeros(1, 1, 8 * height, 8 * width, dtype=self.dtype)).sample


def denoiser_class(folder):
    """The class of this side by the denoiser's folder and its configuration, or None."""
    names = {"UNet2DConditionModel": UNet, "PixArtTransformer2DModel": PixArt, "SanaTransformer2DModel": Sana,
             "CosmosTransformer3DModel": Anima}
    for name in ("unet", "transformer"):
        file = folder / name / "config.json"
        if file.is_file():
            return names.get(json.loads(file.read_text())["_class_name"])
    return None


class Side:
    """The networks of one variant: "f32", "bf16", each with -channels_last and -compile."""

    def __init__(self, folder, random, variant, width, height):
        import torch
        import diffusers
        from diffusers.models.attention_processor import AttnProcessor2_0
        self.torch, self.softmax, words = torch, AttnProcessor2_0(), variant.split("-")
        self.dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[words[0]]
        self.denoiser = denoiser_class(folder)(folder, self.dtype, random)
        self.encoders, self.network = self.denoiser.encoders, self.denoiser.network
        vae = json.loads((folder / "vae" / "config.json").read_text())["_class_name"]
        self.vae = load(getattr(diffusers, vae), folder / "vae", self.dtype, random)
        self.frames = vae == "AutoencoderKLQwenImage"
        if "channels_last" in words:
            self.network.to(memory_format=torch.channels_last)
            self.vae.to(memory_format=torch.channels_last)
        self.layout = torch.channels_last if "channels_last" in words else torch.contiguous_format
        self.run_network = torch.compile(self.network) if "compile" in words else self.network
        self.decoder = torch.compile(self.vae.decode) if "compile" in words else self.vae.decode
        config = self.vae.config
        levels = config.get("block_out_channels") or config.get("decoder_block_out_channels") or config.dim_mult
        scale = 2 ** (len(levels) - 1)
        self.height, self.width = height // scale, width // scale
        if not self.height:
            self.height = self.width = self.network.config.sample_size
        torch.manual_seed(1)

    def encode(self, index):
        encoder, ids = self.encoders[index]
        return encoder(ids)[0]

    def evaluate(self, rows, pladis):
        if hasattr(self.denoiser, "set_attention"):
            self.denoiser.set_attention(pladis)
        else:
            self.network.set_attn_processor(Pladis(LAMBDA, ALPHA) if pladis else self.softmax)
        sample = self.torch.randn(rows, self.network.config.in_channels, self.height, self.width, dtype=self.dtype)
        if hasattr(self.denoiser, "evaluate"):
            return self.denoiser.evaluate(self.run_network, sample)
        return self.run_network(sample.contiguous(memory_format=self.layout), **self.denoiser.inputs(rows)).sample

    def decode(self):
        if self.frames:
            return self.decoder(self.torch.randn(1, self.vae.config.z_dim, 1, self.height, self.width, dtype=self.dtype)).sample
        latents = self.torch.randn(1, self.vae.config.latent_channels, self.height, self.width, dtype=self.dtype)
        return self.decoder(latents.contiguous(memory_format=self.layout)).sample

    def run(self, stage):
        if stage.startswith("text encoder"):
            return self.encode(int(stage.endswith("2")))
        if stage.startswith("evaluation"):
            return self.evaluate(2 if "2 rows" in stage else 1, "PLADIS" in stage)
        return self.decode()

    def stages(self):
        return [stage for stage in STAGES if len(self.encoders) > 1 or stage != "text encoder 2"]


def serve(args):
    """Answer commands: a stage → its seconds; "picture" → the peak memory after a picture of two steps."""
    import torch
    torch.set_num_threads(args.threads)
    with torch.inference_mode():
        side = Side(Path(args.folder), args.random, args.serve, args.width, args.height)
        print(json.dumps(side.stages()), flush=True)
        for line in sys.stdin:
            command, start = line.strip(), time.perf_counter()
            if command == "picture":
                for index in range(len(side.encoders)):
                    side.encode(index)
                for _ in range(2):
                    side.evaluate(2, False)
                side.decode()
                print(json.dumps(peak_bytes()), flush=True)
            else:
                side.run(command)
                print(json.dumps(time.perf_counter() - start), flush=True)


class Worker:
    def __init__(self, args, variant):
        command = [sys.executable, __file__, "--serve", variant, "--folder", str(args.folder), "--threads",
                   str(args.threads), "--width", str(args.width), "--height", str(args.height)]
        if args.random:
            command.append("--random")
        environment = {**os.environ, "OMP_NUM_THREADS": str(args.threads)}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment)
        self.stages = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the PyTorch process ended; its error is above")
        return json.loads(line)

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


# ---- pladis's side

def run_pladis(args, *arguments):
    """The results of one `pladis bench`, by the end of their names."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "results.json"
        command = [args.pladis, "bench", *arguments, "-m", args.model, "--threads", str(args.threads), f"--json={out}"]
        if args.width:
            command += ["--width", str(args.width), "--height", str(args.height)]
        subprocess.run(command + args.pladis_options.split(), check=True, stdout=subprocess.DEVNULL)
        data = json.loads(out.read_text())
    return {result["name"].split(", ", 1)[1]: result["median"] for result in data["results"]}, data


def has_bf16():
    flags = next((line for line in open("/proc/cpuinfo") if line.startswith("flags")), "").split()
    return "avx512_bf16" in flags or "amx_bf16" in flags


# ---- both

def warm_worker(args, variant):
    worker = Worker(args, variant)
    worker.stages = [stage for stage in worker.stages if stage in args.stages]
    for stage in worker.stages:
        worker.ask(stage)
    return worker


def measure(args):
    kept = {} if args.apart else {variant: warm_worker(args, variant) for variant in args.variants}
    ours = {stage: [] for stage in args.stages}
    theirs = {variant: {stage: [] for stage in args.stages} for variant in args.variants}
    machine = None
    for turn in range(args.repeats):
        results, machine = run_pladis(args, "stages", "--repeats", "1",
                                      *(f"--only={STAGES[stage]}" for stage in args.stages))
        for stage in args.stages:
            if STAGES[stage] in results:
                ours[stage].append(results[STAGES[stage]])
        for variant in args.variants:
            worker = kept.get(variant) or warm_worker(args, variant)
            for stage in worker.stages:
                theirs[variant][stage].append(worker.ask(stage))
            if args.apart:
                worker.close()
        print(f"turn {turn + 1} of {args.repeats}", file=sys.stderr, flush=True)
    for worker in kept.values():
        worker.close()
    return ours, theirs, machine


def measure_memory(args):
    """Peak bytes of a picture of two steps: ours, and of each variant, in fresh processes."""
    results, _ = run_pladis(args, "generate", "--repeats", "1", "--steps", "2")
    theirs = {}
    for variant in args.variants:
        worker = Worker(args, variant)
        theirs[variant] = worker.ask("picture")
        worker.close()
    return results.get("peak memory, open to picture", 0), theirs


def print_report(args, ours, theirs, memory, machine):
    facts = machine["machine"]
    print(f"{facts['cpu']}, {facts['isa']}, {args.threads} threads; pladis {machine['commit']} {args.pladis_options}; "
          f"{args.model} {args.width or 'own'} x {args.height or 'size'}; median of {args.repeats} turns")
    print(f"\n{'stage':28}{'pladis':>12}" + "".join(f"{variant:>24}" for variant in args.variants) + f"{'best':>9}")
    rows = []
    for stage in args.stages:
        if not ours[stage]:
            continue
        median, line, best = statistics.median(ours[stage]), "", None
        for variant in args.variants:
            values = theirs[variant].get(stage, [])
            if not values:
                line += f"{'-':>24}"
                continue
            ratio = statistics.median(b / a for a, b in zip(ours[stage], values))
            best = ratio if best is None else min(best, ratio)
            line += f"{statistics.median(values) * 1e3:12.1f} ms {ratio:7.2f}x"
            rows.append(dict(stage=stage, variant=variant, pladis_seconds=median,
                             torch_seconds=statistics.median(values), ratio=ratio, pladis_turns=ours[stage],
                             torch_turns=values))
        print(f"{stage:28}{median * 1e3:9.1f} ms{line}" + (f"{best:8.2f}x" if best else ""))
    if memory:
        print(f"{'peak memory':28}{memory[0] / 1e9:9.2f} GB" +
              "".join(f"{memory[1][variant] / 1e9:12.2f} GB {memory[0] / memory[1][variant]:7.2f} "
                      for variant in args.variants))
    print("times: PyTorch / pladis, so larger is better for pladis; best compares with PyTorch's fastest variant; memory: pladis / PyTorch")
    return dict(machine=facts, commit=machine["commit"], model=args.model, threads=args.threads, repeats=args.repeats,
                pladis_options=args.pladis_options, results=rows,
                peak_memory=dict(pladis=memory[0], **memory[1]) if memory else None)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pladis", help="the program")
    parser.add_argument("--model", help="a diffusers folder, or random:sd15, random:sdxl, random:FOLDER")
    parser.add_argument("--pladis-options", default="", help='further options of pladis bench, "--low-memory"')
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="threads of each side")
    parser.add_argument("--width", type=int, default=0, help="width in pixels (the model's own)")
    parser.add_argument("--height", type=int, default=0, help="height in pixels (the model's own)")
    parser.add_argument("--repeats", type=int, default=3, help="number of turns (%(default)s)")
    parser.add_argument("--variants", help="comma-separated list of f32 or bf16, each with -channels_last or -compile if wanted "
                                           "(f32,f32-channels_last, and bf16-channels_last if the CPU has bfloat16)")
    parser.add_argument("--apart", action="store_true", help="never hold both sides in memory: start PyTorch again in each turn")
    parser.add_argument("--stages", default=";".join(STAGES), help="stages, separated by semicolons (all: %(default)s)")
    parser.add_argument("--no-memory", action="store_true", help="measure times only, not peak memory")
    parser.add_argument("--json", help="write the results to this file")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    parser.add_argument("--random", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        return args
    if not args.pladis or not args.model or bool(args.width) != bool(args.height) or args.repeats < 1:
        parser.error("--pladis and --model are required, --width and --height go together, and --repeats is at least 1")
    args.random = args.model.startswith("random:")
    name = args.model.removeprefix("random:")
    published = ROOT / "bench" / "models" / name
    args.folder = (published if args.random and published.is_dir() else Path(name)).resolve()
    if not denoiser_class(args.folder):
        parser.error(f"{args.folder} is not a diffusers folder: it has no unet/config.json or transformer/config.json")
    usual = "f32,f32-channels_last" + (",bf16-channels_last" if has_bf16() else "")
    args.variants = (args.variants or usual).split(",")
    args.stages = [stage.strip() for stage in args.stages.split(";")]
    for stage in args.stages:
        if stage not in STAGES:
            parser.error(f"unknown stage '{stage}'; the known stages are {'; '.join(STAGES)}")
    for variant in args.variants:
        words = variant.split("-")
        if words[0] not in ("f32", "bf16") or not set(words[1:]) <= {"channels_last", "compile"}:
            parser.error(f"unknown variant {variant}; expected f32 or bf16, with -channels_last or -compile if wanted")
    return args


def main():
    args = parse()
    if args.serve:
        serve(args)
        return
    for module in ("torch", "diffusers", "transformers", "entmax"):  # now, not after minutes of the other side
        if not importlib.util.find_spec(module):
            raise SystemExit(f"{sys.executable} has no module {module}; see tools/full_size/requirements.txt")
    ours, theirs, machine = measure(args)
    report = print_report(args, ours, theirs, None if args.no_memory else measure_memory(args), machine)
    if args.json:
        Path(args.json).write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
