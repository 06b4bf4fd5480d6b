# SPDX-License-Identifier: Apache-2.0
"""The table of options: what `Model.generate` takes by name."""
from __future__ import annotations

from dataclasses import dataclass

from ._library import library, text_of

_TYPES = ("flag", "integer", "number", "text", "choice", "pair", "numbers", "texts", "size")


@dataclass(frozen=True)
class Option:
    """One option of `pladis generate`: its name with underscores, what it takes, and what it does."""

    name: str
    type: str
    help: str
    group: str
    default: str
    minimum: float
    maximum: float


def options(command: str = "generate") -> list[Option]:
    """Every option of a command, in the table's order."""
    found = []
    index = 0
    while row := library.pld_option_at(index):
        option = row.contents
        index += 1
        if option.type < len(_TYPES) and library.pld_option_belongs(row, command.encode()):
            found.append(Option(text_of(option.name).replace("-", "_"), _TYPES[option.type], text_of(option.help), text_of(option.group),
                                text_of(option.fallback) or text_of(option.otherwise), option.minimum, option.maximum))
    return found
