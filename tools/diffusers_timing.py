#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What PLADIS costs in diffusers on the CPU: a network of published size with random weights, evaluated dense, by pladis.diffusers, and
in the way of the authors' processors (map, softmax, exact entmax of PyPI's `entmax`, product), in turns.

    python tools/diffusers_timing.py sd15 sana anima --repeats 3

Prints medians of seconds for all sites together and for the whole evaluation. Needs torch, diffusers, entmax, and the library
(PLADIS_LIBRARY, or an installed wheel)."""
import argparse
import statistics
import time

import diffusers
import pladis.diffusers
import torch
from entmax import entmax15

SANA = {"in_channels": 32, "out_channels": 32, "num_attention_heads": 70, "attention_head_dim": 32, "num_layers": 20, "num_cross_attention_heads": 20,
        "cross_attention_head_dim": 112, "cross_attention_dim": 2240, "caption_channels": 2304, "mlp_ratio": 2.5, "sample_size": 32, "patch_size": 1}
ANIMA = {"in_channels": 16, "out_channels": 16, "num_attention_heads": 16, "attention_head_dim": 128, "num_layers": 28, "mlp_ratio": 4.0,
         "text_embed_dim": 1024, "adaln_lora_dim": 256, "max_size": (128, 240, 240), "patch_size": (1, 2, 2), "rope_scale": (1.0, 4.0, 4.0),
         "concat_padding_mask": False, "extra_pos_embed_type": None}
FLUX = {"num_layers": 2, "num_single_layers": 4, "guidance_embeds": True}


def text(rows, tokens, width):
    return torch.randn(rows, tokens, width)


def sd15():
    network = diffusers.UNet2DConditionModel(cross_attention_dim=768, attention_head_dim=8, sample_size=64)
    return network, {"sample": torch.randn(2, 4, 64, 64), "timestep": torch.tensor(500), "encoder_hidden_states": text(2, 77, 768)}


def sana():
    mask = torch.zeros(2, 300)
    mask[0, :12], mask[1, :40] = 1, 1
    return diffusers.SanaTransformer2DModel(**SANA), {
        "hidden_states": torch.randn(2, 32, 32, 32), "timestep": torch.full((2,), 500), "encoder_hidden_states": text(2, 300, 2304),
        "encoder_attention_mask": mask}


def anima():
    words = text(1, 512, 1024)
    words[:, 40:] = 0
    return diffusers.CosmosTransformer3DModel(**{**ANIMA, "in_channels": 17}), {
        "hidden_states": torch.randn(1, 17, 1, 64, 64), "timestep": torch.tensor([0.5]), "encoder_hidden_states": words}


def flux():
    return diffusers.FluxTransformer2DModel(**FLUX), {
        "hidden_states": torch.randn(1, 1024, 64), "timestep": torch.tensor([0.5]), "guidance": torch.tensor([3.5]),
        "pooled_projections": torch.randn(1, 768), "encoder_hidden_states": text(1, 512, 4096), "txt_ids": torch.zeros(512, 3),
        "img_ids": torch.stack([torch.zeros(1024), torch.arange(1024) // 32, torch.arange(1024) % 32], 1)}


NETWORKS = {"sd15": (sd15, "SD 1.5, 512²"), "sana": (sana, "SANA 1.6B, 1024²"), "anima": (anima, "Anima, 512²"),
            "flux": (flux, "FLUX.1, 512², 2 double and 4 single blocks of 19 and 38")}


def authors(state, query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    """Attention with maps, as the authors' processors compute it; in joint attention the text's columns by themselves."""
    logits = query @ key.transpose(-1, -2) * (scale or query.shape[-1] ** -0.5)
    if attn_mask is not None:
        logits = logits + attn_mask if attn_mask.dtype != torch.bool else logits.masked_fill(~attn_mask, -1e9)
    dense = logits.softmax(-1)
    if not state.tokens:
        return (dense + state.scale * (entmax15(logits, dim=-1) - dense)) @ value
    words, image = state.tokens[0].text, state.tokens[0].image
    part, rows = dense[..., image, words], logits[..., image, words]
    dense[..., image, words] = part + state.scale * (entmax15(rows, dim=-1) * part.sum(-1, keepdim=True) - part)
    return dense @ value


def measure(name, repeats):
    make, title = NETWORKS[name]
    torch.manual_seed(1)
    network, call = make()
    network.eval()
    own = pladis.diffusers._attend
    spent = [0.0]

    def timed(function):
        def attend(*args, **kwargs):
            begin = time.perf_counter()
            result = function(*args, **kwargs)
            spent[0] += time.perf_counter() - begin
            return result
        return attend

    def dense(_state, *args, **kwargs):
        return torch.nn.functional.scaled_dot_product_attention(*args, **kwargs)
    ways = {"dense": timed(dense), "pladis": timed(own), "authors": timed(authors)}
    sites = pladis.diffusers.enable(network)
    times = {way: ([], []) for way in ways}
    outs = {}
    for turn in range(repeats + 1):
        for way, attend in ways.items():
            pladis.diffusers._attend, spent[0] = attend, 0.0
            begin = time.perf_counter()
            outs[way] = network(**call, return_dict=False)[0]
            whole = time.perf_counter() - begin
            if turn:
                times[way][0].append(spent[0])
                times[way][1].append(whole)
    pladis.diffusers._attend = own
    error = ((outs["pladis"] - outs["authors"]).abs().max() / outs["authors"].abs().max()).item()
    site = {way: statistics.median(t[0]) for way, t in times.items()}
    whole = {way: statistics.median(t[1]) for way, t in times.items()}
    print(f"{title}: {sites} sites, pladis and authors' way {error:.0e} apart")
    for kind, t in (("sites", site), ("evaluation", whole)):
        print(f"  {kind:10} dense {t['dense']:7.3f} s   pladis {t['pladis']:7.3f} s = {t['pladis'] / t['dense']:.2f} of dense"
              f"   authors {t['authors']:7.3f} s = {t['authors'] / t['pladis']:.2f} of pladis", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=list(NETWORKS), metavar="NETWORK", help=f"of {', '.join(NETWORKS)}")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_grad_enabled(False)
    print(f"torch {torch.__version__}, diffusers {diffusers.__version__}, {arguments.threads} threads, float32")
    for name in arguments.networks:
        measure(name, arguments.repeats)


if __name__ == "__main__":
    main()
