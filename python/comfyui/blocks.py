# SPDX-License-Identifier: Apache-2.0
"""Which sites a text such as "down,up", "0-9,12" or "output_blocks.3" chooses."""
from __future__ import annotations

from collections.abc import Sequence

KINDS = {"input_blocks": "down", "middle_block": "mid", "output_blocks": "up"}


def choose(sites: Sequence[str], blocks: str) -> list[str]:
    """The names among `sites`, one of each block in order, that `blocks` chooses: "all"; a U-Net's kinds "down", "mid", "up"; numbers and ranges
    of a transformer's blocks; or names of modules, shortened at a dot. Raises ValueError for a part that fits none."""
    chosen: set[str] = set()
    for part in (p.strip() for p in blocks.split(",")):
        found = {site for number, site in enumerate(sites) if _fits(site, number, part)}
        if not found:
            raise ValueError(f"blocks: found {part!r}, expected {_expected(sites)}")
        chosen |= found
    return [site for site in sites if site in chosen]


def _fits(site: str, number: int, part: str) -> bool:
    kind = KINDS.get(site.split(".", maxsplit=1)[0])
    if part in ("all", kind, site) or site.startswith(part + "."):
        return True
    ends = part.split("-")
    if kind is not None or len(ends) > 2 or not all(e.strip().isdecimal() for e in ends):
        return False
    return int(ends[0]) <= number <= int(ends[-1])


def _expected(sites: Sequence[str]) -> str:
    kinds = list(dict.fromkeys(KINDS[head] for head in (site.split(".")[0] for site in sites) if head in KINDS))
    if kinds:
        return f"all, or a comma list of {', '.join(kinds)} or of names such as {sites[0]}"
    return f"all, or a comma list of numbers and ranges within 0-{len(sites) - 1}"
