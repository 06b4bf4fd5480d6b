"""The caption grammar: how a spec is put into words.

    caption    := [opening] body [" on a " sheet " background" | " against a " sheet " background"]
    opening    := "a picture of " | "an image of " | "a drawing of "
    body       := thing                                     (single_object, colors)
                | number [colour] shapes                    (counting)
                | thing " and " thing                       (two_objects, color_attr)
                | thing ", " thing " and " thing            (color_attr)
                | thing relation thing                      (position)
    thing      := ("a" | "an" | "one" | "the") [size] [colour] shape
    number     := "two" | "a pair of" | "three" | "four" | "2" | "3" | "4"
    relation   := ["to the " | "on the "] ("left of" | "right of") | "above" | "over" | "below" | "under"
    size       := "small" | "little" | "large" | "big"
    sheet      := "cream" | "grey" | "gray" | "light blue" | "dark"
"""
import world

OPENINGS = ("", "", "", "a picture of ", "an image of ", "a drawing of ")
NUMBERS = {2: ("two", "two", "a pair of", "2"), 3: ("three", "three", "3"), 4: ("four", "four", "4")}
SIZE_WORDS = {"small": ("small", "small", "little"), "large": ("large", "large", "big")}
RELATION_WORDS = {
    "left of": ("left of", "to the left of", "on the left of"),
    "right of": ("right of", "to the right of", "on the right of"),
    "above": ("above", "above", "over"), "below": ("below", "below", "under"),
}
SHEET_WORDS = {"cream": ("cream",), "grey": ("grey", "gray"), "light blue": ("light blue",), "dark": ("dark",)}
PLURALS = {shape: "crosses" if shape == "cross" else shape + "s" for shape in world.SHAPES}


def caption_of(rng, spec):
    """One wording of a spec."""
    def pick(sequence):
        return sequence[rng.integers(len(sequence))]

    def thing(o):
        words = [pick(SIZE_WORDS[o["size"]])] if o["size"] else []
        words += [o["colour"]] if o["colour"] else []
        words.append(o["shape"])
        article = pick(("a", "a", "a", "a", "a", "one", "the"))
        if article == "a" and words[0][0] in "aeiou":
            article = "an"
        return " ".join([article, *words])

    things = spec["objects"]
    if spec["category"] == "counting":
        words = [pick(NUMBERS[spec["count"]]), things[0]["colour"], PLURALS[things[0]["shape"]]]
        body = " ".join(w for w in words if w)
    elif spec["relation"]:
        body = f"{thing(things[0])} {pick(RELATION_WORDS[spec['relation']])} {thing(things[1])}"
    else:
        parts = [thing(o) for o in things]
        body = " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]
    text = pick(OPENINGS) + body
    if spec["background"]:
        text += f" {pick(('on', 'on', 'against'))} a {pick(SHEET_WORDS[spec['background']])} background"
    return text


def prompt_set(rng, split, each):
    """`each` distinct captions of every category, all from one split: dicts {caption, category, scene}."""
    rows, seen = [], set()
    for category in world.CATEGORIES:
        count = 0
        while count < each:
            spec = world.spec_of_split(rng, category, split)
            caption = caption_of(rng, spec)
            if caption not in seen:
                seen.add(caption)
                count += 1
                rows.append({"caption": caption, "category": category,
                             "scene": {k: spec[k] for k in ("objects", "count", "relation", "background")}})
    return rows
