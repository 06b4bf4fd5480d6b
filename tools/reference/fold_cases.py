# SPDX-License-Identifier: Apache-2.0
"""What Python's text.lower().strip() makes of texts, which PixArt's pipeline does with a prompt.

    python tools/reference/fold_cases.py tests/data/tokenizer/fold.json

A case is a text and its result. tests/unit/text/test_prompt_style.c compares.
"""
import json
import sys

TEXTS = [
    "", " ", "\t\r\n", "A Fox", "  A  Fox\n", "\u3000狐\u2003", "\u0085x\u00a0", "\u200bA\u200b", "\x1cA\x1f", "\x1bA",
    "ÀÉÎÕÜ ÇŁŻ", "İstanbul I ı", "ΑΣ", "ΣΑΣ", "Σ", "ΑΣ.", "Α.Σ", "Α.ΣΑ", "ΑΣ Α", "ΑΣ1", "ΑΣ'Β", "ΌΣΟΣ ΟΔΟΣ",
    "Α\u0301Σ\u0301", "1Σ", "ΑΣ\u00adΑ", "ΑΣ\u00ad", "ΟΔΥΣΣΕΎΣ,", "ẞ ß", "ǅ Ǆ ǆ", "ΐ", "Ⅷ Ⓐ", "Ꭰ Ა ა", "𐐀 𝐀 𞤀",
    "ŉ ﬁ", "K Å Ω", "Ё Ђ Ѕ", "Ա և", "ᾈ ᾼ", "Ⱥ Ɐ", "\ufeffA",
]

json.dump({"cases": [{"text": t, "folded": t.lower().strip()} for t in TEXTS]}, open(sys.argv[1], "w"), indent=0)
