#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# convert --type: GGUF files of every type and family, which are read back and draw what they were made of. With the packages
# gguf and numpy of the interpreter $PYTHON their reader has the same values.
. "$2/tests/cli/common.sh"
models=$source/tests/data/reference/models
small="-W 64 -H 64 --steps 2 --no-metadata -q -p cats -n dogs"

# draw OUTPUT ARGUMENTS...: also dumps OUTPUT.latents
draw() {
    output=$1
    shift
    # shellcheck disable=SC2086
    expect 0 generate "$@" $small --dump "$output.latents" -o "$output"
}

# Every family: float32 is the same picture; 8 bits are near, 4 bits farther. The tiny SDXL has no matrix of whole blocks.
for row in 'sd15 sd1' 'sdxl sdxl' 'sd35 sd3' 'flux-dev flux' 'flux2-klein flux' 'z-image lumina2' 'anima cosmos'; do
    name=${row% *} model=$models/${row% *}
    draw folder.png -m "$model"
    for type in f32 q8_0 q4_0; do
        expect 0 convert "$model" -o "$name.$type.gguf" --type $type -q
        [ ! -s "$place/err" ] || fail "convert -q says something"
        draw $type.png -m "$name.$type.gguf" --config "$model"
    done
    cmp f32.png folder.png || fail "$name: float32 as GGUF draws another picture"
    expect 0 info "$name.q4_0.gguf"
    said "general.architecture *${row#* }"
    python3 - "$name" <<'END' || fail "$name: quantised weights draw something else"
import sys
from tensors import dumped, relative_error
exact = dumped("folder.png.latents")
eight, four = (relative_error(dumped(f"{kind}.png.latents"), exact) for kind in ("q8_0", "q4_0"))
assert eight < 4e-2 and four < 3e-1 and (eight < four or sys.argv[1] == "sdxl"), (eight, four)
END
done

# A transformer with rows of 256 and of 1536, of normal numbers: 1 double and 1 single block of FLUX with real heads.
python3 - <<'END'
import random, struct
from tensors import write
random.seed(7)
pool = struct.pack("<262144e", *(random.gauss(0, 0.02) for _ in range(262144)))
tensors = {}
def add(name, *shape):
    count = 1
    for side in shape:
        count *= side
    start = 2 * random.randrange(131072)
    data = (pool[start:] + pool * (count // 131072 + 1))[:2 * count]
    tensors[name] = ("F16", list(shape), data)
def layer(name, outputs, inputs):
    add(name + ".weight", outputs, inputs)
    add(name + ".bias", outputs)
w = 256
layer("img_in", w, 64), layer("txt_in", w, 256), layer("final_layer.linear", 64, w), layer("final_layer.adaLN_modulation.1", 2 * w, w)
for name, inputs in (("time_in", 256), ("vector_in", 64)):
    layer(name + ".in_layer", w, inputs), layer(name + ".out_layer", w, w)
for side in ("img", "txt"):
    block = f"double_blocks.0.{side}_"
    layer(block + "mod.lin", 6 * w, w), layer(block + "attn.qkv", 3 * w, w), layer(block + "attn.proj", w, w)
    add(block + "attn.norm.query_norm.scale", 128), add(block + "attn.norm.key_norm.scale", 128)
    layer(block + "mlp.0", 4 * w, w), layer(block + "mlp.2", w, 4 * w)
block = "single_blocks.0."
layer(block + "modulation.lin", 3 * w, w), layer(block + "linear1", 7 * w, w), layer(block + "linear2", w, 5 * w)
add(block + "norm.query_norm.scale", 128), add(block + "norm.key_norm.scale", 128)
write("wide.safetensors", tensors)
END
for type in f32 f16 bf16 q8_0 q6_k q5_k q4_k q4_0; do
    expect 0 convert wide.safetensors -o wide.$type.gguf --type $type -q
    expect 0 convert wide.$type.gguf -o back.$type.gguf --type f32 -q
done
expect 0 info wide.q5_k.gguf
said 'FluxTransformer2DModel *q5_k'
said 'general.file_type *16'
# Types, and errors against what a search for scales finds in normal numbers (0.0053, 0.0173, 0.0354, 0.0706, 0.0809 of their
# size), an eighth more.
python3 - <<'END' || fail "types or values are wrong"
from tensors import floats, read, read_gguf, relative_error
wide = read("wide.safetensors")
stays = ("img_in.", "txt_in.", "time_in.", "vector_in.", "final_layer.")
for kind, number, file_type, most in (("f32", 0, 0, 0), ("f16", 1, 1, 0), ("bf16", 30, 32, 2e-3), ("q8_0", 8, 7, 0.0060),
                                      ("q6_k", 14, 18, 0.0195), ("q5_k", 13, 16, 0.0398), ("q4_k", 12, 14, 0.0794), ("q4_0", 2, 2, 0.0910)):
    facts, tensors = read_gguf(f"wide.{kind}.gguf")
    assert facts == {"general.architecture": "flux", "general.quantization_version": 2, "general.alignment": 32, "general.file_type": file_type}, facts
    _, back = read_gguf(f"back.{kind}.gguf")
    assert list(tensors) == list(back) and set(tensors) == set(wide)
    for name, (found, shape, data) in tensors.items():
        dtype, whole, source = wide[name]
        assert shape == whole, name
        kept = name.startswith(stays)
        wanted = 0 if len(shape) == 1 else number if kind in ("f32", "f16", "bf16") else 1 if kept else number
        assert found == wanted, (kind, name, found)
        exact, values = floats(dtype, source)[:65536], floats("F32", back[name][2])[:65536]
        if found in (0, 1):
            assert exact == values, name
        elif most:
            assert relative_error(values, exact) < most, (kind, name, relative_error(values, exact))
END
# A file of a whole model, in the names that the file was given, and what it holds of other parts in 16 bits.
expect 0 convert "$models/sd15" -o whole.gguf --layout single --type q8_0
grep -q 'with --config' "$place/err" || fail "no word of what the file lacks"
draw whole.png -m whole.gguf --config "$models/sd15"
draw alone.png -m sd15.q8_0.gguf --config "$models/sd15"
# A quantised file stays what it is without --type, and is quantised again with one.
expect 0 convert wide.q5_k.gguf -o same.gguf -q
expect 0 convert wide.q5_k.gguf -o again.gguf --type q4_0 -q
python3 - <<'END' || fail "a quantised file is not what it was made of"
from tensors import dumped, read_gguf, relative_error
assert relative_error(dumped("whole.png.latents"), dumped("alone.png.latents")) < 1e-2
assert read_gguf("same.gguf")[1] == read_gguf("wide.q5_k.gguf")[1]
assert sum(kind == 2 for kind, _, _ in read_gguf("again.gguf")[1].values()) == 13
END

# The reader of the package gguf: the same values.
if "${PYTHON:-python3}" -c 'import gguf, numpy' 2>/dev/null; then
    "${PYTHON:-python3}" - <<'END' || fail "the package gguf has other values"
import gguf, numpy
for kind in ("q8_0", "q6_k", "q5_k", "q4_k", "q4_0", "bf16"):
    file, back = gguf.GGUFReader(f"wide.{kind}.gguf"), gguf.GGUFReader(f"back.{kind}.gguf")
    assert file.get_field("general.architecture").contents() == "flux"
    for one, other in zip(file.tensors, back.tensors):
        values = gguf.dequantize(one.data, one.tensor_type)
        assert one.name == other.name and values.shape == other.data.shape
        # a product and a difference may be rounded once or twice
        assert numpy.abs(values - other.data).max() <= 2e-7 * numpy.abs(values).max(), (kind, one.name)
END
else
    echo "SKIPPED: the comparison with the package gguf, which ${PYTHON:-python3} lacks; set PYTHON"
fi

# Wrong requests, each in one line, and nothing is left.
mkdir empty
cd empty
refused 2 'expected one of: f32 f16 bf16 q8_0 q6_k q5_k q4_k q4_0 int8' convert "$models/flux-dev" -o x.gguf --type q3_k
refused 2 'int8 is not a type of GGUF files' convert "$models/flux-dev" -o x.gguf --type int8
refused 2 'q4_k is not a type of safetensors files' convert "$models/flux-dev" -o x.safetensors --type q4_k
refused 2 'q4_k is not a type of safetensors files' convert "$models/flux-dev" -o x --type q4_k
refused 2 'leave out .gguf' convert "$models/flux-dev" -o x.gguf --layout diffusers
refused 2 'would be GGML' convert "$models/flux-dev" -o x.ggml --type q4_0
refused 1 'no GGUF files of the family .pixart. are known' convert "$models/pixart" -o x.gguf --type q8_0
refused 1 'no place for its text_encoder' convert "$models/anima" -o x.gguf --layout single
refused 1 'no denoising network' convert "$models/sd15/vae/diffusion_pytorch_model.safetensors" -o x.gguf
refused 1 'already exists; --overwrite' convert "$models/flux-dev" -o ../wide.q4_0.gguf --type q4_0
python3 - <<'END'
import sys
sys.path.insert(0, "..")
from tensors import read, write
tensors = read("../wide.safetensors")
dtype, shape, data = tensors["double_blocks.0.img_mlp.0.weight"]
tensors["double_blocks.0.img_mlp.0.weight"] = dtype, shape, b"\0\x7e" + data[2:]
write("../nan.safetensors", tensors)
END
refused 1 "tensor 'double_blocks.0.img_mlp.0.weight': expected finite numbers, which is all that q4_k can hold, found one that is none" \
    convert ../nan.safetensors -o x.gguf --type q4_k -q
empty_folder
expect 0 convert "$models/flux-dev" -o ../wide.q4_0.gguf --type q4_0 --overwrite -q
expect 0 convert "$models/flux-dev" -o ../alias.gguf --dtype q4_0 -q
cmp ../alias.gguf ../wide.q4_0.gguf || fail "--dtype is not --type"
