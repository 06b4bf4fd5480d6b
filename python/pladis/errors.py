# SPDX-License-Identifier: Apache-2.0
"""What the library says went wrong, as exceptions. Each message is one line: what was expected, what was found, and the remedy."""
from __future__ import annotations

import re

from . import _structs


class PladisError(Exception):
    """The library could not do what was asked. `status` is its code (a PLD_ERROR_… of the C header)."""

    status = _structs.PLD_ERROR_INTERNAL


class ArgumentError(PladisError, ValueError):
    """An option, or several together, cannot be what was given."""

    status = _structs.PLD_ERROR_ARGUMENT


class OutOfMemoryError(PladisError, MemoryError):
    """There is not enough memory, or the budget does not allow it; the message has the figures."""

    status = _structs.PLD_ERROR_MEMORY


class FileError(PladisError, OSError):
    """A file cannot be read or written."""

    status = _structs.PLD_ERROR_IO


class FormatError(PladisError, ValueError):
    """A file is damaged."""

    status = _structs.PLD_ERROR_FORMAT


class UnsupportedError(PladisError):
    """The library does not support this; the message says what is."""

    status = _structs.PLD_ERROR_UNSUPPORTED


class MissingError(PladisError, LookupError):
    """There is no such file, option or name."""

    status = _structs.PLD_ERROR_MISSING


class NumericError(PladisError, ArithmeticError):
    """A computation gave something that is no number."""

    status = _structs.PLD_ERROR_NUMERIC


class Cancelled(PladisError):
    """The work was cancelled by its progress callback."""

    status = _structs.PLD_ERROR_CANCELLED


_BY_STATUS = {kind.status: kind for kind in (ArgumentError, OutOfMemoryError, FileError, FormatError, UnsupportedError, MissingError,
                                             NumericError, Cancelled)}


def error_of(status: int, message: str) -> PladisError:
    """The exception of a status with the library's message. The library names options as the command line does; here they are arguments."""
    return _BY_STATUS.get(status, PladisError)(re.sub(r"--([a-z][a-z0-9-]*)", lambda found: f"`{found[1].replace('-', '_')}`", message))
