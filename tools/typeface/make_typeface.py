#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make the fonts that the program embeds: a subset of Inter (SIL Open Font License) in two weights.

usage: make_typeface.py FOLDER_OF_INTER OUTPUT_FOLDER

FOLDER_OF_INTER holds Inter-Regular.otf and Inter-SemiBold.otf (Debian: fonts-inter,
/usr/share/fonts/opentype/inter); needs the package fonttools. What is kept are the characters that prompts and
labels are written in: Latin with its extensions (Vietnamese included), phonetic letters, combining marks, Greek, Cyrillic,
punctuation, currencies, arrows and common symbols. Layout tables go: the program asks for kerning pair by pair, so the
pairs that matter are written out as a `kern` table; hints go because nothing is hinted.
"""
import sys

from fontTools import subset
from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.tables._k_e_r_n import KernTable_format_0

COMMON = ((0x0020, 0x007E), (0x00A0, 0x024F), (0x02BB, 0x02BC), (0x0300, 0x036F), (0x0370, 0x03FF), (0x0400, 0x045F),
          (0x0490, 0x0491), (0x1E00, 0x1EFF), (0x2010, 0x205F), (0x20A0, 0x20BF))
RARE = ((0x0250, 0x02FF), (0x0460, 0x052F), (0x1F00, 0x1FFF), (0x2000, 0x200F), (0x2070, 0x209F), (0x2100, 0x214F),
        (0x2150, 0x218F), (0x2190, 0x21FF), (0x2200, 0x22FF), (0x2500, 0x25FF), (0x2600, 0x26FF), (0x2700, 0x27BF),
        (0xFFFD, 0xFFFD))
# The program takes what the heavier weight lacks from the regular one.
WEIGHTS = {"Regular": COMMON + RARE, "SemiBold": COMMON}
LEAST_KERNING = 0.02  # of the em: what nobody sees at the sizes of labels is left out
MOST_PAIRS = 10900  # what the 16 bits of a subtable's length can say


def kerned_characters(cmap):
    """Characters whose pairs are kept: those without marks, since the others are rare beside each other."""
    return {c for c in cmap if 0x21 <= c <= 0x7E or 0xC0 <= c <= 0xFF or 0x391 <= c <= 0x3C9 or 0x410 <= c <= 0x44F
            or 0x2010 <= c <= 0x2026}


def pair_values(font, glyphs):
    """Kerning in font units of every pair of `glyphs`, out of the pair positioning of GPOS: the first subtable of a lookup
    that covers a pair decides."""
    table = font["GPOS"].table
    wanted = {i for record in table.FeatureList.FeatureRecord if record.FeatureTag == "kern"
              for i in record.Feature.LookupListIndex}
    values = {}
    for index in sorted(wanted):
        decided = {}
        for part in table.LookupList.Lookup[index].SubTable:
            part = part.ExtSubTable if part.LookupType == 9 else part
            if part.LookupType == 2:
                for pair, value in subtable_pairs(part, glyphs):
                    decided.setdefault(pair, value)
        for pair, value in decided.items():
            values[pair] = values.get(pair, 0) + value
    return values


def subtable_pairs(part, glyphs):
    for place, first in enumerate(part.Coverage.glyphs):
        if first not in glyphs:
            continue
        if part.Format == 1:
            for record in part.PairSet[place].PairValueRecord:
                if record.SecondGlyph in glyphs:
                    yield (first, record.SecondGlyph), advance(record.Value1)
        else:
            row = part.Class1Record[part.ClassDef1.classDefs.get(first, 0)].Class2Record
            for second in glyphs:
                yield (first, second), advance(row[part.ClassDef2.classDefs.get(second, 0)].Value1)


def advance(value):
    return getattr(value, "XAdvance", 0) if value is not None else 0


def make_kern(font):
    cmap = font.getBestCmap()
    glyphs = {cmap[c] for c in kerned_characters(cmap)}
    pairs = {pair: value for pair, value in pair_values(font, glyphs).items()
             if abs(value) >= LEAST_KERNING * font["head"].unitsPerEm}
    kept = sorted(pairs, key=lambda pair: (-abs(pairs[pair]), pair))[:MOST_PAIRS]
    part = KernTable_format_0(apple=False)
    part.coverage, part.version, part.format, part.tupleIndex = 1, 0, 0, None
    part.kernTable = {pair: pairs[pair] for pair in kept}
    table = newTable("kern")
    table.version, table.kernTables = 0, [part]
    return table, len(pairs)


def make(source, target, ranges):
    font = TTFont(source)
    kern, found = make_kern(font)
    options = subset.Options(layout_features=[], hinting=False, desubroutinize=False, name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14],
                             notdef_outline=True, glyph_names=False, drop_tables=["GPOS", "GSUB", "GDEF", "STAT", "DSIG"])
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=[c for low, high in ranges for c in range(low, high + 1)])
    cutter.subset(font)
    order = set(font.getGlyphOrder())
    pairs = kern.kernTables[0].kernTable
    kern.kernTables[0].kernTable = {pair: value for pair, value in pairs.items() if order.issuperset(pair)}
    font["kern"] = kern
    font.save(target)
    print(f"{target}: {len(font.getBestCmap())} characters, {len(pairs)} of {found} pairs kerned")


def main():
    source, target = sys.argv[1:]
    for weight, ranges in WEIGHTS.items():
        make(f"{source}/Inter-{weight}.otf", f"{target}/Inter-{weight}.otf", ranges)


if __name__ == "__main__":
    main()
