# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of objects changed in the text that somebody saved, so that everything else stays as it is written.

YAML's own parser tells where in the text each value stands; JSON is YAML in this. What stands there is replaced, added
or cut, one field after the other.
"""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .model import ObjectChange

LARGEST = 4 * 1024 * 1024
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*$")
# Of metadata.annotations["projectcalico.org/IPv4Address"] one step.
_STEP = re.compile(r'\["[^"]*"\]|[^.\[\]]+')
_MEANS_MORE = frozenset(("true", "false", "yes", "no", "on", "off", "null", "y", "n"))
LONG_NAMES = {"ds": "daemonset", "deploy": "deployment", "no": "node", "cm": "configmap"}
_CORE = frozenset(("node", "nodes", "no"))
_DEEPEST = 12
# No object is nested so deep, and libyaml takes time by the square of the depth.
_MOST_OPEN = 200
_BRACKET = re.compile(r"[\[\]{}]")


class _Item(NamedTuple):
    """The item of a list that has this name."""

    name: str


_Step = str | _Item


def edited(text: str, change: ObjectChange, stem: str = "") -> str | None:
    """Return a text of YAML or JSON with the change made; None if it does not hold the object, or not in a form that
    can be changed. `stem` is the name of the file without its ending: a list may say its kind only there."""
    if len(text) > LARGEST:
        return None
    try:
        for path, value in _steps(change.patch):
            found = _object(text, change, stem)
            made = _set(text, found, path, value) if found is not None else None
            if made is None:
                return None
            text = made
        # What was made must still be readable, and as one object less than before nothing.
        return text if _object(text, change, stem) is not None else None
    except (yaml.YAMLError, RecursionError, ValueError, AttributeError):
        return None


def holds(text: str, change: ObjectChange, stem: str = "") -> bool:
    """Say whether a text has the object: as YAML or JSON, or as a row of a table of its kind or as kubectl describes
    it. `stem` is the name of the file without its ending."""
    if len(text) > LARGEST:
        return False
    try:
        if _object(text, change, stem) is not None:
            return True
    except (yaml.YAMLError, RecursionError, ValueError, AttributeError):
        pass
    if not _is_kind(stem.partition("-")[0].partition("_")[0], change.kind):
        return False
    return any(change.name in _named(row.split()) for row in text.splitlines())


def line(text: str, change: ObjectChange, field: str, stem: str = "") -> int | None:
    """Return the number of the line where a field of the object stands, or the deepest part of the way to it that is
    there; None if the text does not hold the object. `stem` as of holds()."""
    if len(text) > LARGEST:
        return None
    try:
        node: Any = _object(text, change, stem)
        if node is None:
            return None
        at = int(node.start_mark.line)
        for step in _STEP.findall(field):
            name = step.strip('[]"')
            pairs = node.value if isinstance(node, yaml.MappingNode) else ()
            found = next(((key, value) for key, value in pairs if _scalar(key) == name), None)
            if found is None:
                break
            at, node = int(found[0].start_mark.line), found[1]
    except (yaml.YAMLError, RecursionError, ValueError, AttributeError):
        return None
    return at + 1


def _named(words: list[str]) -> list[str]:
    """What a row of a table, with or without a namespace, or the first row of a description, names."""
    return words[1:2] if words[:1] == ["Name:"] else words[:2] if len(words) > 1 else []


def _steps(patch: dict[str, Any], before: tuple[_Step, ...] = ()) -> Iterator[tuple[tuple[_Step, ...], Any]]:
    """Yield the way to each field that is changed, and its value."""
    for key, value in patch.items():
        if isinstance(value, dict) and value and len(before) < _DEEPEST:
            yield from _steps(value, (*before, key))
        elif _is_named(value):
            for one in value:
                rest = {name: what for name, what in one.items() if name != "name"}
                way = (*before, key, _Item(one["name"]))
                # An item of which a value goes is cut as a whole: a name without a value means nothing.
                yield from [(way, None)] if rest == {"value": None} else _steps(rest, way)
        else:
            yield (*before, key), value


def _is_named(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) and "name" in one for one in value)


def _object(text: str, change: ObjectChange, stem: str) -> yaml.MappingNode | None:
    """Return where the object stands in a text."""
    if is_too_deep(text):
        return None
    for document in yaml.compose_all(text, Loader=_LOADER):
        for node, kind in _objects(document, stem):
            metadata = _child(node, "metadata")
            name, namespace = _scalar(_child(metadata, "name")), _scalar(_child(metadata, "namespace"))
            if not _is_kind(kind, change.kind) or name != change.name:
                continue
            if change.kind in _CORE and _scalar(_child(node, "apiVersion")) not in ("", "v1"):
                continue  # Calico has Nodes of its own
            if not (change.namespace and namespace and namespace != change.namespace):
                return node
    return None


def is_too_deep(text: str) -> bool:
    """More brackets are open at once than an object has; those in strings count as well."""
    if text.count("{") + text.count("[") <= _MOST_OPEN:
        return False
    opened = (1 if one.group() in "[{" else -1 for one in _BRACKET.finditer(text))
    return any(depth > _MOST_OPEN for depth in itertools.accumulate(opened))


def _objects(node: Any, kind: str, depth: int = 0) -> Iterator[tuple[yaml.MappingNode, str]]:
    if isinstance(node, yaml.SequenceNode) and depth < 3:
        for item in node.value:
            yield from _objects(item, kind, depth + 1)
    if not isinstance(node, yaml.MappingNode):
        return
    own = _scalar(_child(node, "kind"))
    items = _child(node, "items")
    if isinstance(items, yaml.SequenceNode):
        inner = own.removesuffix("List") or kind
        for item in items.value if depth < 3 else ():
            yield from _objects(item, inner, depth + 1)
    else:
        yield node, own or kind


def _is_kind(kind: str, wanted: str) -> bool:
    wanted = LONG_NAMES.get(wanted, wanted)
    plural = kind.lower()
    return wanted in (plural, plural + "s", plural + "es") or wanted + "s" == plural


def _child(node: Any, key: str) -> Any:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for name, value in pairs if _scalar(name) == key), None)


def _scalar(node: Any) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def _set(text: str, node: Any, path: tuple[_Step, ...], value: Any) -> str | None:
    """Return the text with the field at the end of the path changed, made, or cut (None)."""
    step, *rest = path
    if isinstance(step, _Item):
        items = node.value if isinstance(node, yaml.SequenceNode) else []
        found = next((item for item in items if _scalar(_child(item, "name")) == step.name), None)
        if found is None:
            made = {"name": step.name, **_nested(tuple(rest), value)}
            return text if value is None else _appended(text, node, made)
        return _cut_item(text, node, found) if not rest else _set(text, found, tuple(rest), value)
    if not isinstance(node, yaml.MappingNode):
        return None
    pair = next(((name, child) for name, child in node.value if _scalar(name) == step), None)
    if pair is None:
        return text if value is None else _added(text, node, step, _nested(tuple(rest), value))
    if rest:
        if isinstance(pair[1], yaml.ScalarNode):
            return _replaced(text, pair[1], _nested(tuple(rest), value)) if value is not None else text
        return _set(text, pair[1], tuple(rest), value)
    return _cut(text, node, pair) if value is None else _replaced(text, pair[1], value)


def _nested(path: tuple[_Step, ...], value: Any) -> Any:
    for step in reversed(path):
        value = {step: value} if isinstance(step, str) else [{"name": step.name, **value}]
    return value


def _replaced(text: str, node: Any, value: Any) -> str:
    start, end = node.start_mark.index, node.end_mark.index
    while end > start and text[end - 1] in "\r\n \t" and not isinstance(node, yaml.ScalarNode):
        end -= 1
    gap = " " if start and text[start - 1] == ":" else ""
    return text[:start] + gap + written(value, _is_json(text)) + text[end:]


def _added(text: str, node: yaml.MappingNode, key: str, value: Any) -> str:
    """Add a field after a mapping's last one, in the way in which the others are written."""
    as_json = _is_json(text)
    pair = f"{written(key, as_json)}: {written(value, as_json)}"
    if node.flow_style or not node.value:
        inside = node.end_mark.index - 1
        if not node.value:
            return f"{text[:inside]}{pair}{text[inside:]}"
        last = node.value[-1][1].end_mark.index
        before = node.value[-1][0].start_mark
        newline = text.rfind("\n", 0, before.index) + 1
        indent = text[newline : before.index]
        return f"{text[:last]},{chr(10) + indent if not indent.strip() and newline else ' '}{pair}{text[last:]}"
    first = node.value[0][0].start_mark
    at = _end_of(text, node)
    lead = "" if at == 0 or text[at - 1] == "\n" else "\n"
    return f"{text[:at]}{lead}{' ' * first.column}{pair}\n{text[at:]}"


def _appended(text: str, node: Any, item: dict[str, Any]) -> str | None:
    """Add an item to a list, in the way in which the others are written."""
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        return None
    if node.flow_style:
        last = node.value[-1].end_mark.index
        return f"{text[:last]}, {written(item, _is_json(text))}{text[last:]}"
    at, column = _end_of(text, node), node.start_mark.column
    lead = "" if at == 0 or text[at - 1] == "\n" else "\n"
    rows = [f"{written(key, False)}: {written(value, False)}" for key, value in item.items()]
    body = f"\n{' ' * (column + 2)}".join(rows)
    return f"{text[:at]}{lead}{' ' * column}- {body}\n{text[at:]}"


def _end_of(text: str, node: Any) -> int:
    """Return where the line after a block's last one begins: the parser's mark may lie behind comments and blanks."""
    last = node
    while isinstance(last, (yaml.MappingNode, yaml.SequenceNode)) and last.value and not last.flow_style:
        last = last.value[-1][1] if isinstance(last, yaml.MappingNode) else last.value[-1]
    end = last.end_mark.index
    while end > 0 and end > last.start_mark.index and text[end - 1] in "\r\n \t":
        end -= 1
    newline = text.find("\n", end)
    return newline + 1 if newline >= 0 else len(text)


def _cut(text: str, node: yaml.MappingNode, pair: tuple[Any, Any]) -> str | None:
    if node.flow_style:
        return _cut_between(
            text, [(key.start_mark.index, value.end_mark.index) for key, value in node.value], node.value.index(pair)
        )
    if len(node.value) == 1:
        return None
    start = text.rfind("\n", 0, pair[0].start_mark.index) + 1
    if text[start : pair[0].start_mark.index].strip():
        return None  # the first field of a list's item: the dash would go with it
    return text[:start] + text[_end_of(text, pair[1]) :]


def _cut_item(text: str, node: Any, item: Any) -> str | None:
    if node.flow_style:
        return _cut_between(
            text, [(one.start_mark.index, one.end_mark.index) for one in node.value], node.value.index(item)
        )
    if len(node.value) == 1:
        return None
    start = text.rfind("\n", 0, item.start_mark.index) + 1
    return text[:start] + text[_end_of(text, item) :]


def _cut_between(text: str, spans: list[tuple[int, int]], index: int) -> str:
    """Cut one of several that commas part, with the comma beside it."""
    if index + 1 < len(spans):
        return text[: spans[index][0]] + text[spans[index + 1][0] :]
    start = spans[index - 1][1] if index else spans[index][0]
    return text[:start] + text[spans[index][1] :]


def written(value: Any, as_json: bool = True) -> str:
    """Return a value on one line, as JSON, or as people write it in YAML."""
    plain = isinstance(value, str) and _PLAIN.match(value) and value.lower() not in _MEANS_MORE
    return str(value) if plain and not as_json else json.dumps(value, ensure_ascii=False)


def _is_json(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[")
