# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold of a parser for every input: it never raises, never hangs, and its output grows no faster than its
input.

Needs no fuzzer: the unit tests hold every seed and every input that once broke a parser against the same properties.
"""

from __future__ import annotations

import dataclasses
import signal
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from scripts.paths import ROOT, printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from fuzz.targets import Target

# Processor time, not wall time: what else the machine does must not count. Far above what any parser takes (about a
# microsecond for each byte), and far below what one takes whose cost is quadratic.
SECONDS, SECONDS_PER_BYTE = 1.0, 30e-6
# A record of twenty small fields may come from a line of a few letters.
ROOM, ROOM_PER_BYTE = 32 * 1024, 96
_WORD = 8
_DEEPEST = 200


class BrokenError(Exception):
    """A property does not hold. `kind` is raised, hangs or grows; `place` tells one cause from another."""

    def __init__(self, kind: str, place: str, detail: str) -> None:
        super().__init__(f"{kind} at {place}: {detail}")
        self.kind = kind
        self.place = place
        self.detail = detail


class _TooSlowError(BaseException):
    """Breaks into a parser that takes too long; no parser catches it."""


def check(target: Target, data: bytes, factor: float = 1.0) -> None:
    """Give a parser an input. Raises BrokenError if a property does not hold. `factor` allows for a slower Python."""
    limit = factor * (SECONDS + SECONDS_PER_BYTE * len(data) * target.readings)
    try:
        with _at_most(limit):
            value = target.read(data)
    except _TooSlowError as late:
        raise BrokenError("hangs", _place(late), f"not done with {len(data)} bytes after {limit:.1f} s") from None
    except target.allowed:
        return
    except Exception as error:  # whatever it is, no parser may raise it
        raise BrokenError("raised", _place(error), f"{type(error).__name__}: {error}"[:300]) from error
    most = ROOM + ROOM_PER_BYTE * len(data)
    if size(value, most) > most:
        raise BrokenError("grows", target.name, f"more than {most} bytes of output from {len(data)} bytes")


def size(value: Any, most: int) -> int:
    """About how many bytes a value takes; what is beyond `most` is not counted."""
    total, waiting = 0, [(value, 0)]
    while waiting and total <= most:
        one, depth = waiting.pop()
        total += _WORD
        if isinstance(one, (str, bytes, bytearray)):
            total += len(one)
        elif isinstance(one, int):
            total += one.bit_length() // 8
        elif depth < _DEEPEST:
            waiting.extend((part, depth + 1) for part in _parts(one))
    return total


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in dataclasses.fields(value)]
    return []


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Break off what takes more processor time."""

    def late(_signal: int, _frame: FrameType | None) -> None:
        raise _TooSlowError

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _place(error: BaseException) -> str:
    """Where in the project it happened: file and line."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if "/plugins/" in frame.filename]
    if not own:
        return "no line of the project"
    name = own[-1].filename
    start = name.rfind("/plugins/") + 1
    return f"{printable(ROOT / name[start:])}:{own[-1].lineno}"
