# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Typed access to the fields of an object that others wrote.

What is missing or null is absent. What is there and of a wrong type is absent, too, and told in one sentence, so that
a person can see which field of which object was not understood. Nothing raises.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from .._evidence import plain
from . import values

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_COMPLAINTS = 200
_DEEPEST = 40
_KINDS = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}


class Complaints:
    """Collects the sentences; those beyond MOST_COMPLAINTS are only counted."""

    def __init__(self) -> None:
        self._found: dict[str, None] = {}
        self._more = 0

    def add(self, sentence: str) -> None:
        """Note a sentence, once."""
        if sentence in self._found:
            return
        if len(self._found) < MOST_COMPLAINTS:
            self._found[sentence] = None
        else:
            self._more += 1

    def found(self) -> tuple[str, ...]:
        """Return what was noted; if that was more than is kept, a last sentence says how many more."""
        rest = (f"{self._more} more fields or objects could not be understood.",) if self._more else ()
        return (*self._found, *rest)


class Given:
    """An object, or an object within it. what: how sentences call it ("IPPool default"); where: the path within."""

    __slots__ = ("_complaints", "_where", "raw", "what")

    def __init__(self, raw: Mapping[str, Any], what: str, complaints: Complaints, where: str = "") -> None:
        self.raw = raw
        self.what = what
        self._complaints = complaints
        self._where = where

    def has(self, key: str) -> bool:
        """The field is there and not null."""
        return self.raw.get(key) is not None

    def complain(self, key: str, why: str) -> None:
        """Tell that a field could not be understood: "IPPool default: spec.cidr is ..."."""
        self._complaints.add(f"{self.what}: {self._where}{plain.text(key)} {why}.")

    def part(self, key: str) -> Given:
        """The object in this field, an empty one if there is none."""
        found = self.raw.get(key)
        if isinstance(found, dict):
            return Given(found, self.what, self._complaints, f"{self._where}{key}.")
        if found is not None:
            self._wrong(key, found, "an object")
        return Given({}, self.what, self._complaints, f"{self._where}{key}.")

    def parts(self, key: str) -> list[Given]:
        """The objects in the list in this field."""
        found = self.items(key)
        parts = []
        for number, item in enumerate(found):
            if isinstance(item, dict):
                parts.append(Given(item, self.what, self._complaints, f"{self._where}{key}[{number}]."))
            else:
                self._wrong(f"{key}[{number}]", item, "an object")
        return parts

    def items(self, key: str) -> list[Any]:
        """The list in this field, as written."""
        found = self.raw.get(key)
        if found is None:
            return []
        if isinstance(found, (list, tuple)):
            return list(found)
        self._wrong(key, found, "a list")
        return []

    def text(self, key: str) -> str:
        """The text in this field, as a terminal may show it. Numbers are taken as text: YAML has them so."""
        found = self.raw.get(key)
        if found is None:
            return ""
        if isinstance(found, str) or (isinstance(found, (int, float)) and not isinstance(found, bool)):
            return plain.text(found)
        self._wrong(key, found, "text")
        return ""

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts in the list in this field."""
        found = self.items(key)
        for number, item in enumerate(found):
            if not isinstance(item, str):
                self._wrong(f"{key}[{number}]", item, "text")
        return tuple(plain.text(item) for item in found if isinstance(item, str) and item)

    def strings(self, key: str) -> dict[str, str]:
        """The texts by name in this field, such as labels."""
        found = self.raw.get(key)
        if found is None:
            return {}
        if not isinstance(found, dict):
            self._wrong(key, found, "an object")
            return {}
        kept: dict[str, str] = {}
        for name, value in found.items():
            if isinstance(value, str):
                kept[plain.text(name)] = plain.text(value)
            elif isinstance(value, bool):
                kept[plain.text(name)] = str(value).lower()
                self._wrong(f"{key}.{name}", value, "text")
            elif isinstance(value, (int, float)):
                kept[plain.text(name)] = plain.text(value)
            elif value is None:
                kept[plain.text(name)] = ""
            else:
                self._wrong(f"{key}.{name}", value, "text")
        return kept

    def integer(self, key: str) -> int | None:
        """The whole number in this field; one that is written as text is taken, too."""
        found = self.raw.get(key)
        if found is None or found == "":
            return None
        number = plain.integer(found) if isinstance(found, (int, float, str)) else None
        if number is None or (isinstance(found, float) and found != number):
            self._wrong(key, found, "a whole number")
            return None
        return number

    def number(self, key: str) -> float | None:
        """The number in this field."""
        found = self.raw.get(key)
        if found is None:
            return None
        if isinstance(found, (int, float, str)) and not isinstance(found, bool):
            try:
                number = float(found)
            except (ValueError, OverflowError):
                number = float("nan")
            if abs(number) < plain.GREATEST:
                return number
        self._wrong(key, found, "a number")
        return None

    def flag(self, key: str) -> bool | None:
        """True or false in this field; the words are taken, too."""
        found = self.raw.get(key)
        if found is None or isinstance(found, bool):
            return found
        if isinstance(found, str) and found.lower() in ("true", "false"):
            return found.lower() == "true"
        self._wrong(key, found, "true or false")
        return None

    def as_number(self, key: str) -> int | None:
        """The AS number in this field: a number, or text, also dotted ("1.10")."""
        found = self.raw.get(key)
        if found is None or found == "":
            return None
        number = values.as_number(found)
        if number is None:
            self.complain(key, f"is {shown(found)}, which is no AS number")
        return number

    def time(self, key: str) -> float | None:
        """The moment in this field (RFC 3339) in Unix seconds."""
        found = self.raw.get(key)
        if found is None or found == "":
            return None
        moment = values.moment(found) if isinstance(found, str) else _of_datetime(found)
        if moment is None:
            self._wrong(key, found, "a time")
        return moment

    def written(self, key: str) -> dict[str, Any]:
        """The object in this field as written, with text that a terminal may show."""
        found = cleaned(self.part(key).raw)
        return found if isinstance(found, dict) else {}

    def _wrong(self, key: str, found: Any, wanted: str) -> None:
        self.complain(key, f"is {_article(found)}, not {wanted}")


def shown(value: Any) -> str:
    """Return a value as a sentence shows it: short."""
    if isinstance(value, str):
        return f'"{plain.text(value[:60])}"'
    return plain.text(value)[:60] or _article(value)


def cleaned(value: Any, depth: int = 0) -> Any:
    """Return JSON data with texts that a terminal may show; what lies too deep is left out."""
    if isinstance(value, dict):
        kept = value.items() if depth < _DEEPEST else ()
        return {plain.text(name): cleaned(item, depth + 1) for name, item in kept}
    if isinstance(value, (list, tuple)):
        return [cleaned(item, depth + 1) for item in value] if depth < _DEEPEST else []
    return value if value is None or isinstance(value, (bool, int, float)) else plain.text(value)


def _article(value: Any) -> str:
    return _KINDS.get(type(value), "something else")


def _of_datetime(value: Any) -> float | None:
    """YAML's own times arrive as such."""
    if not isinstance(value, datetime):
        return None
    try:
        return (value if value.tzinfo else value.replace(tzinfo=timezone.utc)).timestamp()
    except (OverflowError, ValueError, OSError):
        return None
