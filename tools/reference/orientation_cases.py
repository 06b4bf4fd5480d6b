# SPDX-License-Identifier: Apache-2.0
"""Pictures that say how they are to be turned, and the pixels that Pillow gives for them.

    python tools/reference/orientation_cases.py tests/data/orientation.json

A case has the bytes of a PNG of 3 x 2 pixels ("png", hexadecimal) and what ImageOps.exif_transpose makes of it: "width",
"height" and "rgb" (hexadecimal). Where Pillow raises an exception, because the record is damaged from its first bytes on,
the picture as it is stored is expected ("raised" is true). tests/unit/io/test_orientation.c decodes and compares.
"""
import io
import json
import struct
import sys
import warnings
import zlib
from pathlib import Path

from PIL import Image, ImageOps

TAG = 274
ROWS = b"\0" + bytes(range(10, 19)) + b"\0" + bytes(range(30, 39))


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(before, after=b""):
    header = struct.pack(">IIBBBBB", 3, 2, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", zlib.compress(ROWS)) + after
            + chunk(b"IEND", b""))


def entry(order, kind, count, value, tag=TAG):
    return struct.pack(order + "HHI", tag, kind, count) + value.ljust(4, b"\0")


def tiff(order, entries, more=b"", head=None):
    head = head or {"<": b"II*\0", ">": b"MM\0*"}[order]
    return (head + struct.pack(order + "I", 8) + struct.pack(order + "H", len(entries)) + b"".join(entries)
            + struct.pack(order + "I", 0) + more)


def short(order, value):
    return tiff(order, [entry(order, 3, 1, struct.pack(order + "H", value))])


def exif(record):
    return chunk(b"eXIf", record)


def profile(record, wrapped=0):
    digits = record.hex()
    lines = [digits[i:i + wrapped] for i in range(0, len(digits), wrapped)] if wrapped else [digits]
    return ("\nexif\n%8d\n%s\n" % (len(record), "\n".join(lines))).encode()


def text(key, value):
    return chunk(b"tEXt", key + b"\0" + value)


def packed(key, value):
    return chunk(b"zTXt", key + b"\0\0" + zlib.compress(value))


def international(key, value, compressed=False):
    return chunk(b"iTXt", key + (b"\0\1\0\0\0" if compressed else b"\0\0\0\0\0") + (zlib.compress(value) if compressed else value))


def cases():
    raw, xmp = b"Raw profile type exif", b"XML:com.adobe.xmp"
    for order, name in (("<", "little"), (">", "big")):
        for value in range(10):
            yield f"{name} {value}", exif(short(order, value)), b""
        yield f"{name} twice", exif(tiff(order, [entry(order, 3, 1, struct.pack(order + "H", v)) for v in (3, 6)])), b""
        numbers = {"byte": (1, b"\6"), "ascii": (2, b"6"), "long": (4, struct.pack(order + "I", 6)), "sbyte": (6, b"\6"),
                   "undefined": (7, b"\6"), "sshort": (8, struct.pack(order + "h", 6)), "slong": (9, struct.pack(order + "i", 6)),
                   "negative": (8, struct.pack(order + "h", -6)), "float": (11, struct.pack(order + "f", 6)),
                   "folder": (13, struct.pack(order + "I", 6)), "unknown": (99, struct.pack(order + "I", 6))}
        for kind, (number, value) in numbers.items():
            yield f"{name} {kind}", exif(tiff(order, [entry(order, number, 1, value)])), b""
        place = struct.pack(order + "I", 26)
        for kind, number, value in (("rational", 5, struct.pack(order + "II", 12, 2)), ("double", 12, struct.pack(order + "d", 6)),
                                    ("srational", 10, struct.pack(order + "ii", -6, -1)), ("long8", 16, struct.pack(order + "Q", 6))):
            yield f"{name} {kind}", exif(tiff(order, [entry(order, number, 1, place)], value)), b""
    six = short("<", 6)
    one = entry("<", 3, 1, b"\6\0")
    yield "two values", exif(tiff("<", [entry("<", 3, 2, b"\6\0\3\0")])), b""
    yield "no value, then one", exif(tiff("<", [entry("<", 3, 0, b"\3\0"), one])), b""
    yield "behind other fields", exif(tiff("<", [entry("<", 2, 8, struct.pack("<I", 50), 270), entry("<", 3, 1, b"\1\0", 271), one],
                                            b"a remark")), b""
    yield "behind the picture", b"", exif(six)
    yield "with a name", exif(b"Exif\0\0" + six), b""
    yield "with two names", exif(b"Exif\0\0Exif\0\0" + six), b""
    yield "empty", exif(b""), b""
    yield "only a name", exif(b"Exif\0\0"), b""
    yield "other head", exif(b"XX*\0" + six[4:]), b""
    yield "cut head", exif(six[:6]), b""
    for end in (8, 9, 10, 21):
        yield f"cut at {end}", exif(six[:end]), b""
    yield "more fields than there are", exif(tiff("<", [one]).replace(b"\1\0\x12", b"\x09\0\x12", 1)), b""
    yield "folder outside", exif(b"II*\0" + struct.pack("<I", 4000) + six[8:]), b""
    yield "head 2", exif(b"II\0*" + six[4:]), b""
    yield "head 3", exif(b"MM*\0" + short(">", 6)[4:]), b""
    yield "head 4", exif(b"MM\0+" + short(">", 6)[4:]), b""
    yield "BigTIFF", exif(b"II+\0" + six[4:]), b""
    yield "long field before", exif(tiff("<", [entry("<", 2, 100, struct.pack("<I", 26), 270), one])), b""
    yield "endless field before", exif(tiff("<", [entry("<", 2, 0xffffffff, struct.pack("<I", 26), 270), one])), b""
    yield "field outside before", exif(tiff("<", [entry("<", 2, 6, struct.pack("<I", 4000), 270), one])), b""
    yield "field outside behind", exif(tiff("<", [one, entry("<", 2, 6, struct.pack("<I", 4000), 270)])), b""
    yield "two chunks", exif(short("<", 3)) + exif(six), b""
    named = b"Exif\0\0" + six
    for kind, form in (("tEXt", text), ("zTXt", packed), ("iTXt", international)):
        yield f"profile in {kind}", form(raw, profile(named)), b""
        yield f"profile in {kind} behind", b"", form(raw, profile(named, 72))
        yield f"xmp in {kind}", form(xmp, b'<rdf:Description tiff:Orientation="6"/>'), b""
        yield f"xmp in {kind} behind", b"", form(xmp, b"<tiff:Orientation>8</tiff:Orientation>")
    yield "packed iTXt", international(raw, profile(named), True), b""
    yield "profile without a name", text(raw, profile(six)), b""
    yield "profile in capitals", text(raw, profile(named).upper()), b""
    yield "profile with other digits", text(raw, b"\nexif\n  3\nzz\n"), b""
    yield "profile without lines", text(raw, named.hex().encode()), b""
    yield "other profile", text(b"Raw profile type APP1", profile(named)), b""
    yield "eXIf before profile", text(raw, profile(named)) + exif(short("<", 3)), b""
    yield "eXIf without it before profile", text(raw, profile(named)) + exif(tiff("<", [entry("<", 3, 1, b"\6\0", 270)])), b""
    yield "tEXt exif", text(b"exif", named), b""
    yield "two profiles", text(raw, profile(b"Exif\0\0" + short("<", 3))) + text(raw, profile(named)), b""
    yield "xmp, eXIf says upright", exif(short("<", 1)) + international(xmp, b'tiff:Orientation="6"'), b""
    yield "xmp, eXIf says nonsense", exif(short("<", 9)) + international(xmp, b'tiff:Orientation="6"'), b""
    yield "xmp, eXIf has a byte", exif(tiff("<", [entry("<", 1, 1, b"\3")])) + international(xmp, b'tiff:Orientation="6"'), b""
    yield "xmp, eXIf without it", exif(tiff("<", [entry("<", 3, 1, b"\6\0", 270)])) + international(xmp, b'tiff:Orientation="6"'), b""
    for value in ("0", "3", "9", "66", "x"):
        yield f"xmp {value}", international(xmp, f'tiff:Orientation="{value}"'.encode()), b""
    yield "xmp in other quotes", international(xmp, b"tiff:Orientation='6'"), b""
    yield "xmp that is no UTF-8", international(xmp, b"\xff<tiff:Orientation>8</tiff:Orientation>"), b""
    yield "xmp of several", international(xmp, b'tiff:Orientation=x <tiff:Orientation>5</tiff:Orientation> tiff:Orientation="6"'), b""


def expected(data):
    picture = Image.open(io.BytesIO(data))
    try:
        return ImageOps.exif_transpose(picture), False
    except (SyntaxError, struct.error, ValueError):
        return picture, True


def main():
    warnings.simplefilter("ignore")
    rows = []
    for name, before, after in cases():
        data = png(before, after)
        picture, raised = expected(data)
        rows.append({"name": name, "png": data.hex(), "width": picture.width, "height": picture.height,
                     "rgb": picture.tobytes().hex(), "raised": raised})
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    Path(sys.argv[1]).write_text(f"[\n{lines}\n]\n")
    turned = sum(row["rgb"] != ROWS[1:10].hex() + ROWS[11:].hex() for row in rows)
    print(len(rows), "cases,", turned, "of them turned,", sum(row["raised"] for row in rows), "raised")


main()
