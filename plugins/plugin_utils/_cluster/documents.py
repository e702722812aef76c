# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML and JSON that somebody saved: every object in a text, as far as it can be read.

YAML is read event by event into plain data: no tags, no merge keys, no aliases but of scalars, and within limits of
depth and size, so that no document costs more than its length. A text that breaks off gives what was complete.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from .._texts import lines

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 64 * 1024 * 1024
MOST_EVENTS = 8_000_000
DEEPEST = 60
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})$")
_FRACTION = re.compile(r"[-+]?[0-9]{1,17}\.[0-9]{1,17}$")
_TEXT_TAG = "tag:yaml.org,2002:str"


class Documents(NamedTuple):
    """The objects of a text in their order, and why the rest could not be read ('' if there is no rest).

    listed: plural kinds of objects are known to be complete, for they came as a list.
    """

    objects: list[dict[str, Any]]
    problem: str
    listed: bool


class _RefusedError(ValueError):
    """A document that is not read, and why."""


def read(text: str) -> Documents:
    """Return the objects in a text of YAML or JSON: single ones, lists, several documents."""
    if len(text) > LARGEST:
        return Documents([], "too large", False)
    if lines.is_json(text):
        value, problem = lines.load_json(text)
        found, problem = ([value], problem) if value is not None else _from_yaml(text)
    else:
        found, problem = _from_yaml(text)
    objects = [one for value in found for one in _opened(value)]
    listed = any(isinstance(value, list) or (isinstance(value, dict) and _is_list(value)) for value in found)
    return Documents(objects, problem, listed and not problem)


def _opened(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the objects in a document: itself, or the items of a list or List."""
    if isinstance(value, list) or (isinstance(value, dict) and _is_list(value)):
        items = value if isinstance(value, list) else value["items"]
        kind = "" if isinstance(value, list) else str(value.get("kind") or "")
        for item in items if depth < 3 else ():
            for one in _opened(item, depth + 1):
                yield _with_kind(one, kind, value)
    elif isinstance(value, dict):
        yield value


def _is_list(value: dict[str, Any]) -> bool:
    return isinstance(value.get("items"), list) and str(value.get("kind") or "List").endswith("List")


def _with_kind(one: dict[str, Any], kind: str, listing: Any) -> dict[str, Any]:
    """An item of the API's own lists does not say its kind: the list does."""
    if kind and kind != "List" and "kind" not in one:
        return {"apiVersion": listing.get("apiVersion", ""), "kind": kind.removesuffix("List"), **one}
    return one


def _from_yaml(text: str) -> tuple[list[Any], str]:
    builder = _Builder()
    try:
        for event in yaml.parse(lines.printed(text, 0), Loader=_LOADER):
            builder.take(event)
    except (yaml.YAMLError, _RefusedError, ValueError, RecursionError) as error:
        return builder.cut_off(), _reason(error)
    return builder.found, ""


def _reason(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    what = str(getattr(error, "problem", None) or error).replace("\n", " ")[:120]
    return f"line {mark.line + 1}: {what}" if mark is not None else what


class _Builder:
    """Makes plain data of a stream of events. found: the documents that are complete."""

    def __init__(self) -> None:
        self.found: list[Any] = []
        self._open: list[list[Any] | dict[str, Any]] = []
        self._keys: list[Any] = []
        self._anchors: dict[str, Any] = {}
        self._count = 0

    def take(self, event: Any) -> None:
        """Take the next event. Raises _RefusedError."""
        self._count += 1
        if self._count > MOST_EVENTS:
            raise _RefusedError("more values than are read")
        if isinstance(event, yaml.ScalarEvent):
            value = _scalar(event)
            if event.anchor:
                self._anchors[event.anchor] = value
            self._add(value)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._begin({} if isinstance(event, yaml.MappingStartEvent) else [])
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._keys.pop()
            self._add(self._open.pop())
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise _RefusedError("an alias of something else than a plain value")
            self._add(self._anchors[event.anchor])
        elif isinstance(event, yaml.DocumentStartEvent):
            self._anchors = {}

    def _begin(self, value: list[Any] | dict[str, Any]) -> None:
        if len(self._open) >= DEEPEST:
            raise _RefusedError("nested deeper than any object")
        self._open.append(value)
        self._keys.append(_Nothing)

    def _add(self, value: Any) -> None:
        """Put a value where it belongs: in a mapping keys and values come by turns."""
        if not self._open:
            self.found.append(value)
            return
        holder = self._open[-1]
        if isinstance(holder, list):
            holder.append(value)
        elif self._keys[-1] is _Nothing:
            if isinstance(value, (list, dict)):
                raise _RefusedError("a key that is no text")
            self._keys[-1] = "" if value is None else value if isinstance(value, str) else _key(value)
        else:
            holder[self._keys[-1]] = value
            self._keys[-1] = _Nothing

    def cut_off(self) -> list[Any]:
        """Return the documents as far as they were complete: of a List that broke off, the items before that."""
        outer = self._open[0] if self._open else None
        if isinstance(outer, list):
            return [*self.found, outer]
        if isinstance(outer, dict) and self._keys[0] == "items" and len(self._open) > 1:
            return [*self.found, {"kind": "List", **outer, "items": self._open[1]}]
        return self.found


class _Nothing:
    """No key has come yet."""


def _key(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _scalar(event: Any) -> Any:
    """What a scalar means. Numbers whose form matters (1.10, 010, 1e3) stay text, and so do times and yes and no."""
    text: str = event.value
    if not event.implicit[0] or event.tag == _TEXT_TAG:
        return text
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if _WHOLE.match(text):
        return int(text)
    if _FRACTION.match(text) and repr(float(text)) == text:
        return float(text)
    return text
