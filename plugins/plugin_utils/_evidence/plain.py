# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Typed reading of untyped data.

Facts may come from a cache, a bundle or an older release, so every access tolerates any shape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...module_utils._facts.packing import unpack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

UNNAMED = "unnamed-node"  # what a node is called whose name nothing tells
GREATEST = 2**63  # nothing that a node counts or measures is greater


def mapping(value: Any) -> dict[str, Any]:
    """The value if it is a mapping, else an empty one."""
    if not isinstance(value, dict):
        return {}
    return dict(value.items()) if _are_printable(value) else {text(key): item for key, item in value.items()}


def _are_printable(keys: Iterable[Any]) -> bool:
    """Whether all keys are such texts as text() leaves as they are, as those of a node's facts nearly always are."""
    try:
        return all(map(str.isprintable, keys))
    except TypeError:
        return False


def sequence(value: Any) -> list[Any]:
    """The value as a list if it is a list or tuple, else an empty list."""
    return list(value) if isinstance(value, (list, tuple)) else []


def mappings(value: Any) -> list[dict[str, Any]]:
    """Those items of a list that are mappings."""
    return [mapping(item) for item in value if isinstance(item, dict)] if isinstance(value, (list, tuple)) else []


def text(value: Any) -> str:
    """The value as printable text; anything that is neither text nor a number is ''.

    What nodes say ends on an operator's terminal. So blanks of all kinds become one kind, and what a terminal obeys
    instead of showing (control characters, changes of direction) is shown by its number: \\x1b.
    """
    if isinstance(value, str):
        return str(value) if value.isprintable() else "".join(map(_shown, value))
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def _shown(sign: str) -> str:
    if sign.isprintable():
        return sign
    return " " if sign.isspace() else sign.encode("unicode_escape").decode("ascii")


def cut(told: str, longest: int) -> str:
    """A message on one line, cut where it gets too long to be read."""
    line = " ".join(told.split())
    return line if len(line) <= longest else f"{line[: longest - 3]}..."


def few(names: Iterable[str], most: int) -> str:
    """Names in a row, each once; many are cut short with their number."""
    known = list(dict.fromkeys(names))
    return ", ".join(known[:most]) + (f" and {len(known) - most} more" if len(known) > most else "")


def texts(value: Any) -> tuple[str, ...]:
    """The non-empty texts of a list."""
    return tuple(item for item in map(text, sequence(value)) if item)


def integer(value: Any) -> int | None:
    """The value as a whole number, or None if it is none."""
    if value is None or isinstance(value, bool):
        return None
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) < GREATEST else None


def seconds(value: Any) -> float:
    """The value as a length of time, 0 if it is none."""
    return max(float(value), 0.0) if isinstance(value, (int, float)) and abs(value) < GREATEST else 0.0


def count(value: Any) -> int:
    """The value as a whole number of things, 0 if it is none."""
    return max(integer(value) or 0, 0)


def flag(value: Any) -> bool | None:
    """True, False, or None where the value is neither."""
    return bool(value) if isinstance(value, bool) else None


def listed(value: Any) -> Any:
    """A list, also one given as text with commas, as on the command line (-e names=a,b); anything else as it is."""
    return [one.strip() for one in value.split(",")] if isinstance(value, str) else value


def unpacked(value: Any) -> Iterator[str]:
    """The addresses of a packed set (module_utils' _facts.packing), whatever stands in its place."""
    return unpack({group: item for group, item in mapping(value).items() if isinstance(item, str)})
