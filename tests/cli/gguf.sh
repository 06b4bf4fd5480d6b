#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# GGUF files: transformers as ComfyUI-GGUF and stable-diffusion.cpp write them, text encoders in llama.cpp's names.
# usage: gguf.sh PLADIS SOURCE_FOLDER
. "$2/tests/cli/common.sh"
reference=$source/tests/data/reference
models=$reference/models
small="-W 32 -H 32 --steps 1 --max-tokens 16 --cfg-scale 1 --no-metadata -q"

# draw OUTPUT ARGUMENTS...
draw() {
    output=$1
    shift
    # shellcheck disable=SC2086
    expect 0 generate "$@" $small -p 'two cats' -o "$output"
}

# What a file is.
expect 0 info "$reference/files/flux-gguf.Q4_K.gguf"
for what in 'FLUX.1 schnell' 'Black Forest Labs' 'general.architecture  *flux' 'FluxTransformer2DModel'; do
    said "$what"
done
expect 0 info "$reference/files/flux-gguf-sdcpp.Q4_0.gguf"
said 'q4_0'

# The text encoders of FLUX.1 and of Z-Image, float16 and bfloat16, draw what the folders draw; quantised ones something near.
python3 - "$models" <<'END'
import re, sys
from tensors import read, write_gguf
def rename(tensors, rules):
    renamed = {}
    for name, row in tensors.items():
        for old, new in rules:
            name = re.sub(old, new, name)
        renamed[name] = row
    return renamed
t5 = read(sys.argv[1] + "/flux-dev/text_encoder_2/model.safetensors")
t5.pop("encoder.embed_tokens.weight", None)
rules = (("shared", "token_embd"), (r"encoder\.block\.(\d+)\.", r"enc.blk.\1."), ("encoder.final_layer_norm", "enc.output_norm"),
         (r"layer\.0\.SelfAttention\.relative_attention_bias", "attn_rel_b"), (r"layer\.0\.SelfAttention\.", "attn_"),
         (r"layer\.0\.layer_norm", "attn_norm"), (r"layer\.1\.layer_norm", "ffn_norm"), ("layer.1.DenseReluDense.wi_0", "ffn_gate"),
         ("layer.1.DenseReluDense.wi_1", "ffn_up"), ("layer.1.DenseReluDense.wo", "ffn_down"))
t5 = rename(t5, rules)
write_gguf("t5.gguf", t5)
write_gguf("t5-q8.gguf", t5, [name for name, row in t5.items() if len(row[1]) == 2 and row[1][1] % 32 == 0])
qwen = {}
for shard in ("1", "2"):
    qwen.update(read(f"{sys.argv[1]}/z-image/text_encoder/model-0000{shard}-of-00002.safetensors"))
qwen = rename(qwen, ((r"^model\.", ""), ("embed_tokens", "token_embd"), (r"layers\.(\d+)\.", r"blk.\1."), (r"^norm\.", "output_norm."),
                     ("input_layernorm", "attn_norm"), ("post_attention_layernorm", "ffn_norm"), (r"self_attn\.([qk])_norm", r"attn_\1_norm"),
                     (r"self_attn\.([qkv])_proj", r"attn_\1"), ("self_attn.o_proj", "attn_output"), (r"mlp\.(\w+)_proj", r"ffn_\1")))
write_gguf("qwen3.gguf", qwen)
END
expect 0 info t5.gguf
said T5EncoderModel
said llama.cpp
expect 0 info qwen3.gguf
said Qwen3
draw folder.png -m "$models/flux-dev"
draw t5.png -m "$models/flux-dev" --text-encoder t5.gguf
cmp t5.png folder.png || fail "llama.cpp's names of T5 draw another picture"
draw t5-q8.png -m "$models/flux-dev" --text-encoder t5-q8.gguf
if cmp -s t5-q8.png folder.png; then fail "a T5 in 8 bits changes nothing"; fi
draw z.png -m "$models/z-image"
draw qwen3.png -m "$models/z-image" --text-encoder qwen3.gguf
cmp qwen3.png z.png || fail "llama.cpp's names of Qwen3 draw another picture"

# A transformer as GGUF, quantised; with a LoRA; widened by convert.
python3 - "$reference/files/flux-dev-bfl.bf16.safetensors" <<'END'
import sys
from tensors import read, write_gguf
flux = read(sys.argv[1])
write_gguf("flux.gguf", flux)
write_gguf("flux-q8.gguf", flux, [name for name, row in flux.items() if "_blocks" in name and len(row[1]) == 2 and row[1][1] % 32 == 0])
END
draw flux.png -m flux.gguf --config "$models/flux-dev"
cmp flux.png folder.png || fail "a GGUF file of bfloat16 draws another picture"
draw q8.png -m flux-q8.gguf --config "$models/flux-dev"
expect 0 convert flux-q8.gguf --config "$models/flux-dev" --dtype f32 -o wide -q
draw wide.png -m wide
cmp wide.png q8.png || fail "the widened file draws another picture"
expect 0 convert flux-q8.gguf --config "$models/flux-dev" -o half.safetensors -q
expect 0 info half.safetensors --config "$models/flux-dev"
lora=$reference/files/flux-dev-lora-kohya.safetensors
# A LoRA on 8-bit weights: what it changes is kept in 8 bits, too, and nearer to the widened model's than to no LoRA at all.
draw lora.png -m flux-q8.gguf --config "$models/flux-dev" --lora "$lora" --dump lora.safetensors
draw wide-lora.png -m wide --lora "$lora" --dump wide-lora.safetensors
draw none.png -m wide --dump none.safetensors
python3 - <<'END' || fail "a LoRA on quantised weights draws another picture"
from tensors import floats, read
def latents(path):
    dtype, _, data = read(path)["latents"]
    return floats(dtype, data)
def error(a, b):
    return (sum((x - y) ** 2 for x, y in zip(a, b)) / sum(y * y for y in b)) ** 0.5
exact = latents("wide-lora.safetensors")
near, far = error(latents("lora.safetensors"), exact), error(latents("none.safetensors"), exact)
assert near < 1e-2 and far > 5 * near, (near, far)
END

# Damaged files are refused by name.
head -c 2000 flux.gguf >cut.gguf
refused 1 'cut.gguf: .*beyond the end of the file' info cut.gguf
printf 'GGUF\1\0\0\0\0\0\0\0' >old.gguf
refused 1 'old.gguf: expected GGUF of version 2 or 3, found version 1' info old.gguf
