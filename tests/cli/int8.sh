#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Matrices of int8 with a scale for each row: written, read, drawn with, and what only looks like them refused.
. "$2/tests/cli/common.sh"
models=$source/tests/data/reference/models
files=$source/tests/data/reference/files
small="-W 32 -H 32 --steps 2 --max-tokens 16 --cfg-scale 1 --no-metadata -q -p cats"
dev=$models/flux-dev

# draw OUTPUT ARGUMENTS...: also dumps OUTPUT.latents
draw() {
    output=$1
    shift
    # shellcheck disable=SC2086
    expect 0 generate "$@" $small --dump "$output.latents" -o "$output"
}

# A file and a folder, of the whole model: near the original, and the same as the widened numbers. Rows of fused matrices take
# their scales with them.
expect 0 convert "$dev" -o int8.safetensors --type int8 -q
expect 0 info int8.safetensors
said 'it contains scaled int8 weights (28 matrices)'
said 'FluxTransformer2DModel *i8'
expect 0 convert "$dev" -o folder8 --type int8 -q
expect 0 convert int8.safetensors --config "$dev" -o wide --type f32 -q
draw exact.png -m "$dev"
draw file.png -m int8.safetensors --config "$dev"
draw folder.png -m folder8
draw wide.png -m wide
cmp wide.png file.png || fail "the widened file draws another picture"
draw bf16.png -m int8.safetensors --config "$dev" --dtype bf16
# A LoRA on int8: what it changes is kept in 8 bits, too.
lora=$files/flux-dev-lora-kohya.safetensors
draw lora.png -m int8.safetensors --config "$dev" --lora "$lora"
draw wide-lora.png -m wide --lora "$lora"
python3 - <<'END' || fail "int8 is not as it should be"
from tensors import dumped, read, relative_error
exact, file, folder, near = (dumped(f"{name}.png.latents") for name in ("exact", "file", "folder", "bf16"))
assert 0 < relative_error(file, exact) < 1e-2 and relative_error(folder, exact) < 1e-2 and relative_error(near, exact) < 5e-2
changed, wide = dumped("lora.png.latents"), dumped("wide-lora.png.latents")
assert relative_error(changed, wide) < 1e-2 and relative_error(file, wide) > 5 * relative_error(changed, wide)
# Each row to ±127 by its largest number; of text encoders T5's matrices too, of first and last layers none.
written = read("int8.safetensors")
matrices = [name for name, row in written.items() if row[0] == "I8"]
assert sum(name.startswith("model.diffusion_model.") for name in matrices) == 22
assert sum(name.startswith("text_encoders.t5xxl.") for name in matrices) == 6 and len(matrices) == 28
for name in matrices:
    _, (rows, columns), data = written[name]
    dtype, shape, scales = written[name.removesuffix(".weight") + ".weight_scale"]
    assert (dtype, shape) == ("F32", [rows, 1])
    assert b"int8_tensorwise" in written[name.removesuffix(".weight") + ".comfy_quant"][2]
    for row in range(rows):
        numbers = [x - 256 if x > 127 else x for x in data[row * columns:(row + 1) * columns]]
        assert max(map(abs, numbers)) == 127, name
for name in ("img_in", "txt_in", "final_layer.linear", "final_layer.adaLN_modulation.1"):
    assert written[f"model.diffusion_model.{name}.weight"][0] != "I8", name
END

# Made by hand: scales as [N], in 16 bits, of one number for a matrix, and of a matrix whose halves stand in another order. They
# draw what the same numbers in float32 draw.
python3 - "$files/flux-dev-bfl.bf16.safetensors" <<'END'
import struct, sys
from tensors import floats, read, write
small, wide = read(sys.argv[1]), read(sys.argv[1])
forms = {"double_blocks.0.img_attn.qkv": "column", "single_blocks.0.linear1": "flat", "double_blocks.0.txt_mlp.0": "half",
         "double_blocks.0.txt_mlp.2": "one", "final_layer.adaLN_modulation.1": "column"}
for layer, form in forms.items():
    dtype, (rows, columns), data = small[layer + ".weight"]
    values, numbers, scales, widened = floats(dtype, data), [], [], []
    for row in range(rows):
        line = values[row * columns:(row + 1) * columns]
        scale = 2.0 ** (-9 if form == "one" else -8 - row % 3)
        whole = [max(-127, min(127, round(x / scale))) for x in line]
        numbers += whole
        scales.append(scale)
        widened += [x * scale for x in whole]
    small[layer + ".weight"] = ("I8", [rows, columns], struct.pack(f"{len(numbers)}b", *numbers))
    wide[layer + ".weight"] = ("F32", [rows, columns], struct.pack(f"<{len(widened)}f", *widened))
    shape = {"column": [rows, 1], "one": []}.get(form, [rows])
    packed = scales[:1] if form == "one" else scales
    small[layer + ".weight_scale"] = (("F16", shape, struct.pack(f"<{len(packed)}e", *packed)) if form == "half"
                                      else ("F32", shape, struct.pack(f"<{len(packed)}f", *packed)))
write("hand.safetensors", small)
write("hand-wide.safetensors", wide)
scale = small["double_blocks.0.img_attn.qkv.weight_scale"]
def broken(path, **changes):
    write(path, small | {name.replace("__", "."): row for name, row in changes.items()})
matrix = "double_blocks__0__img_attn__qkv__"
def describe(text):
    return {matrix + "comfy_quant": ("U8", [len(text)], text.encode())}
broken("rotated.safetensors", **describe('{"format": "int8_tensorwise", "convrot": true, "convrot_groupsize": 256}'))
broken("blocks.safetensors", **describe('{"format": "int8_blockwise", "group_size": 128}'))
broken("short.safetensors", **{matrix + "weight_scale": ("F32", [2, 1], bytes(8))})
broken("negative.safetensors", **{matrix + "weight_scale": (*scale[:2], scale[2][:8] + struct.pack("<f", -1) + scale[2][12:])})
bare = dict(small)
del bare["double_blocks.0.img_attn.qkv.weight_scale"]
write("bare.safetensors", bare)
END
draw hand.png -m hand.safetensors --config "$dev"
draw hand-wide.png -m hand-wide.safetensors --config "$dev"
cmp hand.png hand-wide.png || fail "int8 draws another picture than the same numbers"
expect 0 convert hand.safetensors --config "$dev" -o through.gguf --type f32 -q
draw through.png -m through.gguf --config "$dev"
cmp through.png hand.png || fail "int8 converted draws another picture"
python3 - <<'END'
# The description of a whole file
from tensors import read_header, write_header
header, data = read_header("hand.safetensors")
for path, rotated in (("told.safetensors", "false"), ("told-rotated.safetensors", "true")):
    layers = f'{{"double_blocks.0.img_attn.qkv": {{"format": "int8_tensorwise", "convrot": {rotated}}}}}'
    write_header(path, {"__metadata__": {"_quantization_metadata": f'{{"format_version": "1.0", "layers": {layers}}}'}} | header, data)
END
draw told.png -m told.safetensors --config "$dev"
cmp told.png hand.png || fail "a described file draws another picture"

# What is no such file is refused, by name.
no() {
    refused 1 "$1" generate -m "$2.safetensors" --config "$dev" -p x -q
}
no "'double_blocks.0.img_attn.qkv.comfy_quant': the columns of the matrix were rotated (int8 ConvRot)" rotated
no "_quantization_metadata: the columns of the matrix were rotated (int8 ConvRot)" told-rotated
no "expected the format \"int8_tensorwise\", as the matrix is stored, found \"int8_blockwise\"" blocks
no "'double_blocks.0.img_attn.qkv.weight_scale': expected one number that scales a matrix, or one for each of its 96 rows" short
no "'double_blocks.0.img_attn.qkv.weight_scale': expected numbers from 0, found -1 for row 2" negative
no "expected a type of weights .*found i8" bare
