"""A quick scorer: what does a picture show, and is it what the caption says?

The rule, on an RGB picture in 0..255 units:
 1. The sheet is the background colour nearest to the median of the picture's 4-pixel border.
 2. A pixel is foreground if it is further than 30 from the segment s * sheet, 0.72 <= s <= 1.04 (shade and shadow).
 3. Things are the 4-connected components of at least 60 pixels; at least 12 % of the largest one.
 4. A thing's colour is the palette colour nearest to most of its pixels.
 5. Its shape is the template of highest intersection over union, fitted to the bounding box; below 0.75 none.
    Its radius is the one of the fitted template.
 6. The caption holds if the number of things is right, some assignment gives every thing asked for its shape and
    its colour and size where named (large from a radius of 18.5), the relation holds between the centres along the
    larger of their two offsets, and the sheet is the one named, if any.
"""
import functools
import itertools

import numpy as np
from scipy import ndimage

import world


@functools.cache
def extent(shape):
    """Bounding box (left, top, right, bottom) of the unit shape."""
    axis = np.linspace(-world.REACH, world.REACH, world.GRID)
    inside = world.distance_table(shape) < 0
    columns, rows = axis[inside.any(0)], axis[inside.any(1)]
    return columns[0], rows[0], columns[-1], rows[-1]


def fit(mask, shape, box):
    """(IoU, radius) of a shape's template stretched over no more than its radius to the bounding box."""
    top, bottom, left, right = box
    a, b, c, d = extent(shape)
    r = 0.5 * ((right - left) / (c - a) + (bottom - top) / (d - b))
    x = 0.5 * (left + right) - r * (a + c) / 2
    y = 0.5 * (top + bottom) - r * (b + d) / 2
    rows, columns = np.mgrid[max(top - 4, 0):bottom + 4, max(left - 4, 0):right + 4] + 0.5
    piece = mask[max(top - 4, 0):bottom + 4, max(left - 4, 0):right + 4]
    rows, columns = rows[:piece.shape[0], :piece.shape[1]], columns[:piece.shape[0], :piece.shape[1]]
    template = world.distance_at(shape, (columns - x) / r, (rows - y) / r) < 0
    return (template & piece).sum() / max((template | piece).sum(), 1), r


def look(picture):
    """What a uint8 picture shows: {"background", "things": [{"shape", "colour", "x", "y", "r", "iou"}]}."""
    p = picture.astype(np.float32)
    border = np.concatenate([p[:4].reshape(-1, 3), p[-4:].reshape(-1, 3), p[:, :4].reshape(-1, 3),
                             p[:, -4:].reshape(-1, 3)])
    sheets = np.array(list(world.BACKGROUNDS.values()), np.float32)
    nearest = np.linalg.norm(sheets - np.median(border, 0), axis=1).argmin()
    sheet = sheets[nearest]
    s = ((p @ sheet) / (sheet @ sheet)).clip(0.72, 1.04)
    labels, count = ndimage.label(np.linalg.norm(p - s[..., None] * sheet, axis=2) > 30)
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    palette, names, things = np.array(list(world.COLOURS.values()), np.float32), list(world.COLOURS), []
    for i, box in enumerate(ndimage.find_objects(labels)):
        if areas[i] < max(60, 0.12 * areas.max()):
            continue
        mask = labels == i + 1
        votes = np.linalg.norm(p[mask][:, None] - palette, axis=2).argmin(1)
        edges = (box[0].start, box[0].stop, box[1].start, box[1].stop)
        iou, r, shape = max((*fit(mask, shape, edges), shape) for shape in world.SHAPES)
        things.append({"shape": shape if iou >= 0.75 else None, "colour": names[np.bincount(votes).argmax()],
                       "x": (edges[2] + edges[3]) / 2, "y": (edges[0] + edges[1]) / 2, "r": float(r),
                       "iou": float(iou)})
    return {"background": list(world.BACKGROUNDS)[nearest], "things": things}


def relation_holds(relation, a, b):
    dx, dy = b["x"] - a["x"], b["y"] - a["y"]
    if abs(dx) > abs(dy):
        return relation == ("left of" if dx > 0 else "right of")
    return relation == ("above" if dy > 0 else "below")


def judge(seen, spec):
    """Aspects of a caption, each True or False, and `all`."""
    wanted = spec["objects"] * spec["count"] if len(spec["objects"]) == 1 else spec["objects"]
    things = seen["things"]
    result = {"count": len(things) == len(wanted),
              "background": spec["background"] in (None, seen["background"])}

    def fits(thing, o, aspects):
        return (("shape" not in aspects or thing["shape"] == o["shape"])
                and ("colour" not in aspects or o["colour"] in (None, thing["colour"]))
                and ("size" not in aspects or o["size"] in (None, "large" if thing["r"] >= 18.5 else "small")))

    def some(aspects):
        return result["count"] and any(
            all(fits(t, o, aspects) for t, o in zip(order, wanted))
            and ("relation" not in aspects or spec["relation"] is None
                 or relation_holds(spec["relation"], order[0], order[1]))
            for order in itertools.permutations(things))

    for name, aspects in (("shape", "shape"), ("colour", "colour"), ("binding", "shape colour"),
                          ("all", "shape colour size relation")):
        result[name] = some(aspects)
    result["all"] = result["all"] and result["background"]
    return result


def table(rows, verdicts):
    """Mean verdict per category, and of all of it per aspect."""
    out = {}
    for category in world.CATEGORIES:
        chosen = [v["all"] for r, v in zip(rows, verdicts) if r["category"] == category]
        out[category] = round(float(np.mean(chosen)), 3) if chosen else None
    for aspect in verdicts[0]:
        out[f"_{aspect}"] = round(float(np.mean([v[aspect] for v in verdicts])), 3)
    return out
