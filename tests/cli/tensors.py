# SPDX-License-Identifier: Apache-2.0
"""Safetensors files for the tests of the program, without a library."""
import json
import struct


def read_header(path):
    """The header's JSON, and the data behind it."""
    data = open(path, "rb").read()
    length = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:8 + length]), data[8 + length:]


def write_header(path, header, data):
    text = json.dumps(header).encode()
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + data)


def read(path):
    """name -> (type, shape, bytes)"""
    header, data = read_header(path)
    return {name: (row["dtype"], row["shape"], data[slice(*row["data_offsets"])])
            for name, row in header.items() if name != "__metadata__"}


def write(path, tensors):
    header, at = {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(data)]}
        at += len(data)
    write_header(path, header, b"".join(data for _, _, data in tensors.values()))


def behind(tensors, prefix):
    """Those whose names begin with the prefix, without it."""
    return {name.removeprefix(prefix): row for name, row in tensors.items() if name.startswith(prefix)}


def assert_same(published, written):
    assert published == written, [name for name in published | written if published.get(name) != written.get(name)]


def lora_in_authors_names(lora, network, prefix, path):
    """Write a LoRA of kohya's style as files in the names of the network's authors have it."""
    header, data = read_header(lora)
    modules = {"lora_unet_" + name.replace(".", "_"): "diffusion_model." + name
               for name in (name.rpartition(".")[0] for name in behind(read_header(network)[0], prefix))}
    ends = {"lora_down.weight": "lora_A.weight", "lora_up.weight": "lora_B.weight", "alpha": "alpha"}
    renamed = {}
    for name, row in header.items():
        module, _, end = name.partition(".")
        renamed[f"{modules[module]}.{ends[end]}" if module in modules else name] = row
    assert sum(name.startswith("diffusion_model.") for name in renamed) > 50
    write_header(path, renamed, data)


def lora_of_ones(path, module, inputs, outputs):
    """Write a LoRA of rank 1 of a module alone, all halves."""
    def row(count):
        return struct.pack(f"<{count}f", *[0.5] * count)
    write(path, {f"{module}.lora_down.weight": ("F32", [1, inputs], row(inputs)),
                 f"{module}.lora_up.weight": ("F32", [outputs, 1], row(outputs)),
                 f"{module}.alpha": ("F32", [], struct.pack("<f", 1))})


def write_gguf(path, tensors, quantise=()):
    """Tensors of safetensors' types F32, F16 and BF16 as GGUF; those named in `quantise` (floats) as Q8_0."""
    def text(string):
        return struct.pack("<Q", len(string.encode())) + string.encode()
    types, infos, data = {"F32": 0, "F16": 1, "BF16": 30}, b"", b""
    for name, (dtype, shape, values) in tensors.items():
        number = types[dtype]
        if name in quantise:
            number, values = 8, q8_0(floats(dtype, values))
        sizes = b"".join(struct.pack("<Q", size) for size in reversed(shape))
        infos += text(name) + struct.pack("<I", len(shape)) + sizes + struct.pack("<IQ", number, len(data))
        data += values + bytes(-len(values) % 32)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), 1) + text("general.architecture") + struct.pack("<I", 8) + text("test") + infos
    open(path, "wb").write(head + bytes(-len(head) % 32) + data)


def floats(dtype, data):
    if dtype == "BF16":
        return [struct.unpack("<f", b"\0\0" + data[i:i + 2])[0] for i in range(0, len(data), 2)]
    return list(struct.unpack(f"<{len(data) // (4 if dtype == 'F32' else 2)}{'f' if dtype == 'F32' else 'e'}", data))


def q8_0(values):
    """Blocks of 32 whole numbers with a float16 scale."""
    blocks = b""
    for i in range(0, len(values), 32):
        block = values[i:i + 32]
        scale = struct.unpack("<e", struct.pack("<e", max(map(abs, block)) / 127))[0]
        numbers = [max(-127, min(127, round(x / scale))) if scale else 0 for x in block]
        blocks += struct.pack("<e32b", scale, *numbers)
    return blocks


def read_gguf(path):
    """The pairs as key -> value, and name -> (number of the type, shape, bytes), in the order of the file."""
    data, at = open(path, "rb").read(), 0

    def take(form):
        nonlocal at
        values = struct.unpack_from("<" + form, data, at)
        at += struct.calcsize("<" + form)
        return values[0] if len(values) == 1 else values

    def text():
        nonlocal at
        length = take("Q")
        at += length
        return data[at - length:at].decode()

    def value(kind):
        if kind == 8:
            return text()
        if kind == 9:
            inner, count = take("IQ")
            return [value(inner) for _ in range(count)]
        return take("BbHhIif?"[kind] if kind < 8 else {10: "Q", 11: "q", 12: "d"}[kind])

    magic, version, count, pairs = take("4sIQQ")
    assert magic == b"GGUF" and version == 3
    facts, rows = {}, []
    for _ in range(pairs):
        key = text()
        facts[key] = value(take("I"))
    for _ in range(count):
        name = text()
        shape = [take("Q") for _ in range(take("I"))][::-1]
        rows.append((name, shape, *take("IQ")))
    alignment = facts.get("general.alignment", 32)
    start = at + -at % alignment
    blocks = {0: (1, 4), 1: (1, 2), 30: (1, 2), 2: (32, 18), 8: (32, 34), 12: (256, 144), 13: (256, 176), 14: (256, 210)}
    tensors, end = {}, 0
    for name, shape, kind, offset in rows:
        elements, size = blocks[kind]
        numbers = 1
        for side in shape:
            numbers *= side
        assert offset == end + -end % alignment and shape[-1] % elements == 0, name
        end = offset + numbers // elements * size
        tensors[name] = (kind, shape, data[start + offset:start + end])
    assert len(data) == start + end + -end % alignment
    return facts, tensors


def relative_error(found, wanted):
    return (sum((x - y) ** 2 for x, y in zip(found, wanted)) / sum(y * y for y in wanted)) ** 0.5


def dumped(path):
    """The latents of a dump."""
    dtype, _, data = read(path)["latents"]
    return floats(dtype, data)
