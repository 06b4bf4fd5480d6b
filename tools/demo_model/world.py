"""The world of the demo model: coloured paper shapes on a plain sheet, 128x128 pixels.

A *spec* says what a caption says and nothing more; a *scene* is one picture that satisfies it.

    spec   {"category", "objects": [{"shape", "colour"|None, "size"|None}, ...], "count", "relation"|None,
            "background"|None}
           `count` is the number of things in the picture; in the category "counting" there is one entry in
           `objects`, repeated `count` times, elsewhere `count == len(objects)`.
           `relation` relates objects[0] to objects[1].
    scene  {"background", "objects": [{"shape", "colour", "x", "y", "r"}, ...]}  in reading order
"""
import functools
import hashlib
import math

import numpy as np

PIXELS = 128
SHAPES = ("circle", "square", "triangle", "star", "ring", "cross", "heart")
COLOURS = {
    "red": (208, 56, 58), "orange": (240, 138, 48), "yellow": (246, 208, 72), "green": (78, 160, 88),
    "blue": (58, 108, 196), "purple": (128, 74, 164), "pink": (242, 150, 186), "brown": (126, 84, 56),
}
BACKGROUNDS = {
    "cream": (248, 242, 228), "grey": (196, 199, 204), "light blue": (198, 224, 242), "dark": (46, 48, 62),
}
DEFAULT_BACKGROUND = "cream"
SIZES = ("small", "large")
RELATIONS = ("left of", "right of", "above", "below")
CATEGORIES = ("single_object", "two_objects", "counting", "colors", "position", "color_attr")

HELDOUT_PERCENT, DEVELOPMENT_PERCENT = 15, 5

# Radius in pixels by the number of things in the picture, without a size word; and with one.
RADII = {1: (20, 28), 2: (18, 23), 3: (15, 19), 4: (15, 19)}
SIZED_RADII = {"small": (12, 14), "large": (23, 28)}


# ---------------------------------------------------------------- specs

def split_of(spec):
    """'train', 'development' or 'heldout', from a hash of what is asked for (not of how it is worded)."""
    things = [f"{o['size']} {o['colour']} {o['shape']}" for o in spec["objects"]]
    relation = spec["relation"]
    if relation in ("right of", "below"):           # the same picture as its mirror image
        relation = {"right of": "left of", "below": "above"}[relation]
        things.reverse()
    elif relation is None:
        things.sort()
    bare = len(things) == 1 and spec["count"] == 1 and things[0].startswith("None None")
    if bare and spec["background"] is None:         # "a star" itself is always trained on
        return "train"
    key = f"{things} x{spec['count']} {relation} on {spec['background']}"
    bucket = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "little") % 100
    if bucket < HELDOUT_PERCENT:
        return "heldout"
    return "development" if bucket < HELDOUT_PERCENT + DEVELOPMENT_PERCENT else "train"


def random_spec(rng, category):
    """One spec of a category, from any split."""
    def pick(sequence):
        return sequence[rng.integers(len(sequence))]

    def thing(coloured, sized=0.0):
        return {"shape": pick(SHAPES), "colour": pick(list(COLOURS)) if coloured else None,
                "size": pick(SIZES) if rng.random() < sized else None}

    spec = {"category": category, "count": 1, "relation": None,
            "background": pick(list(BACKGROUNDS)) if rng.random() < 0.25 else None}
    if category == "single_object":
        spec["objects"] = [thing(False, 0.4)]
    elif category == "colors":
        spec["objects"] = [thing(True, 0.4)]
    elif category == "counting":
        spec["objects"] = [thing(rng.random() < 0.6)]
        spec["count"] = int(rng.integers(2, 5))
    else:
        coloured = category == "color_attr" or (category == "position" and rng.random() < 0.6)
        number = 3 if category == "color_attr" and rng.random() < 0.3 else 2
        sized = 0.25 if number == 2 else 0.0
        things = [thing(coloured, sized) for _ in range(number)]
        while len({o["colour"] if coloured else o["shape"] for o in things}) < number:
            things = [thing(coloured, sized) for _ in range(number)]
        spec["objects"], spec["count"] = things, number
        if category == "position":
            spec["relation"] = pick(RELATIONS)
    return spec


def spec_of_split(rng, category, split):
    while True:
        spec = random_spec(rng, category)
        if split_of(spec) == split:
            return spec


# ---------------------------------------------------------------- scenes

def reading_order(spec):
    """The things of a spec as they are met from left to right, or from top to bottom."""
    things = spec["objects"] * spec["count"] if len(spec["objects"]) == 1 else list(spec["objects"])
    return things[::-1] if spec["relation"] in ("right of", "below") else things


def arrangement(rng, spec):
    """Centres for the things in reading order, in units of the picture."""
    number = spec["count"]
    if number == 1:
        return [(0.5, 0.5)]
    if number == 2:
        across = spec["relation"] in ("left of", "right of") or (spec["relation"] is None and rng.random() < 0.6)
        return [(0.27, 0.5), (0.73, 0.5)] if across else [(0.5, 0.27), (0.5, 0.73)]
    if number == 3:
        choice = rng.integers(3)
        return [[(0.19, 0.5), (0.5, 0.5), (0.81, 0.5)],
                [(0.5, 0.28), (0.27, 0.72), (0.73, 0.72)],
                [(0.27, 0.28), (0.73, 0.28), (0.5, 0.72)]][choice]
    return [(0.27, 0.27), (0.73, 0.27), (0.27, 0.73), (0.73, 0.73)]


def random_scene(rng, spec):
    """A picture's plan: what the spec leaves open is drawn at random."""
    things, centres = reading_order(spec), arrangement(rng, spec)
    free = [c for c in COLOURS if c not in {o["colour"] for o in things}]
    rng.shuffle(free)
    common = rng.uniform(*RADII[spec["count"]])
    shared_colour = free[0]
    while True:
        placed = []
        for i, (thing, (u, v)) in enumerate(zip(things, centres)):
            r = rng.uniform(*SIZED_RADII[thing["size"]]) if thing["size"] else common * rng.uniform(0.95, 1.05)
            wander = 16 if spec["count"] == 1 else 7 if r < 17 else 5
            x, y = (np.array([u, v]) * PIXELS + rng.uniform(-wander, wander, 2)).clip(r + 3, PIXELS - r - 4)
            colour = thing["colour"] or (shared_colour if spec["category"] == "counting" else free[i])
            placed.append({"shape": thing["shape"], "colour": colour, "x": float(x), "y": float(y), "r": float(r)})
        if all(math.hypot(a["x"] - b["x"], a["y"] - b["y"]) > 1.08 * (a["r"] + b["r"]) + 2
               for i, a in enumerate(placed) for b in placed[:i]):
            return {"background": spec["background"] or DEFAULT_BACKGROUND, "objects": placed}


# ---------------------------------------------------------------- drawing

GRID, REACH, ROUNDING = 257, 2.0, 0.05


def outline(shape):
    """Corners of a shape inside the unit circle or nearly so, y downwards."""
    def ring_of(count, radius, turn=-math.pi / 2):
        return [(radius * math.cos(turn + 2 * math.pi * i / count), radius * math.sin(turn + 2 * math.pi * i / count))
                for i in range(count)]

    if shape in ("circle", "ring"):
        return ring_of(96, 0.97)
    if shape == "square":
        return [(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)]
    if shape == "triangle":
        return [(0, -0.98), (1.02, 0.84), (-1.02, 0.84)]
    if shape == "star":
        outer, inner = ring_of(5, 1.08), ring_of(5, 0.46, -math.pi / 2 + math.pi / 5)
        return [(x, y + 0.06) for pair in zip(outer, inner) for x, y in pair]
    if shape == "cross":
        a, b = 0.31, 0.97
        return [(-a, -b), (a, -b), (a, -a), (b, -a), (b, a), (a, a), (a, b), (-a, b), (-a, a), (-b, a), (-b, -a),
                (-a, -a)]
    if shape == "heart":
        points = []
        for i in range(80):
            t = 2 * math.pi * i / 80
            x = 16 * math.sin(t) ** 3
            y = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
            points.append((x / 16.5, -(y + 2.5) / 15.5))
        return points
    raise ValueError(shape)


@functools.cache
def distance_table(shape):
    """Signed distance to the outline on a grid over [-REACH, REACH]^2, negative inside."""
    axis = np.linspace(-REACH, REACH, GRID)
    x, y = np.meshgrid(axis, axis)
    corners = np.array(outline(shape))
    distance, inside = np.full(x.shape, np.inf), np.zeros(x.shape, bool)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0)):
        ex, ey = bx - ax, by - ay
        along = (((x - ax) * ex + (y - ay) * ey) / (ex * ex + ey * ey)).clip(0, 1)
        distance = np.minimum(distance, np.hypot(x - ax - along * ex, y - ay - along * ey))
        crosses = (ay > y) != (by > y)
        inside ^= crosses & (x < ex * (y - ay) / np.where(ey == 0, 1, ey) + ax)
    signed = np.where(inside, -distance, distance) - ROUNDING
    if shape == "ring":
        signed = np.maximum(signed, 0.52 - np.hypot(x, y))
    return signed.astype(np.float32)


def distance_at(shape, u, v):
    """The table read bilinearly at unit coordinates (arrays of one shape)."""
    table, step = distance_table(shape), 2 * REACH / (GRID - 1)
    a = ((u + REACH) / step).clip(0, GRID - 1.001)
    b = ((v + REACH) / step).clip(0, GRID - 1.001)
    i, j = b.astype(int), a.astype(int)
    fb, fa = b - i, a - j
    return ((table[i, j] * (1 - fa) + table[i, j + 1] * fa) * (1 - fb)
            + (table[i + 1, j] * (1 - fa) + table[i + 1, j + 1] * fa) * fb)


def render(scene, size=PIXELS):
    """The picture, float32 (size, size, 3) in [0, 1]."""
    rows, columns = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5, indexing="ij")
    light = 1.012 - 0.03 * (rows + columns) / (2 * size)        # the sheet, lit from the top left
    picture = np.array(BACKGROUNDS[scene["background"]], np.float32) / 255 * light[..., None].astype(np.float32)
    for thing in scene["objects"]:
        x, y, r = thing["x"], thing["y"], thing["r"]
        top, bottom = max(int(y - 1.4 * r) - 4, 0), min(int(y + 1.4 * r) + 8, size)
        left, right = max(int(x - 1.4 * r) - 4, 0), min(int(x + 1.4 * r) + 8, size)
        if top >= bottom or left >= right:
            continue
        u = (columns[top:bottom, left:right] - x) / r
        v = (rows[top:bottom, left:right] - y) / r
        window = picture[top:bottom, left:right]
        shade = r * distance_at(thing["shape"], u - 1.5 / r, v - 2.5 / r)
        window *= 1 - 0.2 * (0.5 - shade / 5).clip(0, 1)[..., None]
        paint = np.array(COLOURS[thing["colour"]], np.float32) / 255 * (1.0 - 0.06 * (u + v) / 2)[..., None]
        cover = (0.5 - r * distance_at(thing["shape"], u, v)).clip(0, 1)[..., None]
        window += (paint - window) * cover
    return picture.clip(0, 1).astype(np.float32)


def foreground(scene, cells=PIXELS // 8):
    """The share of each latent cell that things cover, (cells, cells)."""
    size = cells * 4
    axis = (np.arange(size) + 0.5) * PIXELS / size
    y, x = np.meshgrid(axis, axis, indexing="ij")
    covered = np.zeros((size, size), np.float32)
    for thing in scene["objects"]:
        u, v = (x - thing["x"]) / thing["r"], (y - thing["y"]) / thing["r"]
        covered = np.maximum(covered, np.hypot(u, v) < 1.15)
    return covered.reshape(cells, 4, cells, 4).mean((1, 3))
