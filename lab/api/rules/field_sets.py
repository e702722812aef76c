# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets of fields, as metadata.managedFields keeps them (FieldsV1), and what of an object belongs to them.

A path is a tuple of elements in the notation of FieldsV1: "f:spec" a field, `k:{"name":"x"}` an element of a list with
keys, `v:"x"` an element of a set. The rules are those of sigs.k8s.io/structured-merge-diff (packages fieldpath, typed).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from .json_patches import same
from .shapes import ANY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .shapes import Shape

Path = tuple[str, ...]
Fields = frozenset[Path]
NOTHING: Fields = frozenset()
ABSENT: Any = object()


class Comparison(NamedTuple):
    """What differs between two objects."""

    added: Fields
    removed: Fields
    modified: Fields


class BadElementError(Exception):
    """An element of a list with keys that has not all of them, or a set's element that is no scalar."""


def from_fields_v1(tree: object) -> Fields:
    """The paths in a FieldsV1; what cannot be understood is left out."""
    found: set[Path] = set()
    waiting: list[tuple[Path, object]] = [((), tree)]
    while waiting:
        path, node = waiting.pop()
        if not isinstance(node, dict):
            continue
        if path and (not node or "." in node):
            found.add(path)
        for name, child in node.items():
            if isinstance(name, str) and name[:2] in ("f:", "k:", "v:", "i:"):
                waiting.append(((*path, name), child))
    return frozenset(found)


def to_fields_v1(paths: Iterable[Path]) -> dict[str, Any]:
    """The FieldsV1 of a set of paths."""
    members = set(paths)
    nodes: dict[Path, dict[str, Any]] = {(): {}}
    for path in sorted(members):
        for length, element in enumerate(path, 1):
            if path[:length] in nodes:
                continue
            above = nodes[path[: length - 1]]
            if not above and path[: length - 1] in members:
                above["."] = {}  # owned itself, and so are fields below
            above[element] = nodes[path[:length]] = {}
    return nodes[()]


def text(path: Path) -> str:
    """A path as messages show it: `.spec.containers[name="x"].image`."""
    return "".join(_element_text(element) for element in path)


def _element_text(element: str) -> str:
    if element.startswith("f:"):
        return f".{element[2:]}"
    if element.startswith("k:"):
        pairs = json.loads(element[2:])
        return f"[{','.join(f'{name}={_json(value)}' for name, value in pairs.items())}]"
    return f"[{'=' if element.startswith('v:') else ''}{element[2:]}]"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def element_of(item: object, shape: Shape) -> str:
    """The path element of a list's element. BadElementError if it cannot be told."""
    merging = shape.merging
    if merging.list_type == "set":
        if isinstance(item, (dict, list)):
            raise BadElementError("invalid item: not a scalar")
        return f"v:{_json(item)}"
    if not isinstance(item, dict):
        raise BadElementError("invalid item: not a map")
    defaults = dict(merging.defaults)
    found = {}
    for key in merging.keys:
        value = item.get(key, defaults.get(key))
        if value is not None:
            found[key] = value
        elif len(merging.keys) == 1 or key == merging.keys[0]:
            raise BadElementError(
                f'associative list with keys has an element that omits key field "{key}" '
                "(and doesn't have default value)"
            )
    return f"k:{_json(found)}"


def elements(items: list[Any], shape: Shape) -> list[tuple[str, Any]]:
    """The elements of a list with their path elements; those without one, and doubles, are left out."""
    found: dict[str, Any] = {}
    for item in items:
        try:
            found.setdefault(element_of(item, shape), item)
        except BadElementError:
            continue
    return list(found.items())


def is_leaf(value: object, shape: Shape) -> bool:
    """Whether a value is owned as one: a scalar, an atomic list or map."""
    shape = shape.of(value)
    if shape.form == "list" and isinstance(value, list):
        return shape.atomic
    if shape.form == "map" and isinstance(value, dict):
        return shape.atomic
    return True


def fields_of(value: Any, shape: Shape) -> Fields:
    """All fields of an object: what its sender says it wants to own."""
    found: set[Path] = set()
    _gather(value, shape, (), found)
    return frozenset(found)


def _gather(value: Any, shape: Shape, path: Path, found: set[Path]) -> None:
    shape = shape.of(value)
    if value is None:
        return
    if is_leaf(value, shape):
        found.add(path)
    elif isinstance(value, dict):
        for name, item in value.items():
            below = (*path, f"f:{name}")
            _gather(item, shape.child(name) or ANY, below, found)
            if item is None or item == {} or not shape.declares(name):
                found.add(below)
    else:
        for name, item in elements(value, shape):
            _gather(item, shape.element(), (*path, name), found)
            found.add((*path, name))


def compare(old: Any, new: Any, shape: Shape) -> Comparison:
    """What was added, removed and modified between two objects."""
    added: set[Path] = set()
    removed: set[Path] = set()
    modified: set[Path] = set()
    _compare(old, new, shape, (), (added, removed, modified))
    return Comparison(frozenset(added), frozenset(removed), frozenset(modified))


def _compare(old: Any, new: Any, shape: Shape, path: Path, into: tuple[set[Path], set[Path], set[Path]]) -> None:
    added, removed, modified = into
    if old is ABSENT:
        added.add(path)
    elif new is ABSENT:
        removed.add(path)
    present = new if old is ABSENT else old
    shape = shape.of(present)
    values = [value for value in (old, new) if value is not ABSENT]
    if any(is_leaf(value, shape) for value in values) or not any(values) or _kinds_differ(values):
        if len(values) == 2 and not same(old, new):
            modified.add(path)
        return
    for name, left, right, child in _pairs(old, new, shape):
        _compare(left, right, child, (*path, name), into)


def _kinds_differ(values: list[Any]) -> bool:
    return len({type(value) for value in values}) > 1


def _pairs(old: Any, new: Any, shape: Shape) -> Iterable[tuple[str, Any, Any, Shape]]:
    if shape.form == "map":
        left, right = (value if value is not ABSENT else {} for value in (old, new))
        for name in {**left, **right}:
            child = shape.child(name) or ANY
            pair = [side.get(name, ABSENT) for side in (left, right)]
            if child.always_there:
                # A struct that is no pointer, or a list that is always written: empty where it is not.
                empty: Any = [] if child.form == "list" else {}
                pair = [empty if value is ABSENT else value for value in pair]
            yield f"f:{name}", pair[0], pair[1], child
    else:
        before, after = (dict(elements(value, shape)) if value is not ABSENT else {} for value in (old, new))
        for name in {**before, **after}:
            yield name, before.get(name, ABSENT), after.get(name, ABSENT), shape.element()


def with_named(paths: Fields, shape: Shape) -> Fields:
    """The set and all declared fields above its members, which are not in it by themselves."""
    found = set(paths)
    for path in paths:
        current: Shape = shape
        for length, element in enumerate(path[:-1], 1):
            if element.startswith("f:"):
                if current.declares(element[2:]):
                    found.add(path[:length])
                current = current.child(element[2:]) or ANY
            else:
                current = current.element()
    return frozenset(found)


def without(value: Any, paths: Fields, shape: Shape) -> Any:
    """A value without the fields of a set; ABSENT if nothing of it stays."""
    return _without(value, paths, shape, ())


def _without(value: Any, paths: Fields, shape: Shape, path: Path) -> Any:
    shape = shape.of(value)
    if is_leaf(value, shape) or not value:
        return value
    if isinstance(value, dict):
        kept = {}
        for name, item in value.items():
            below = (*path, f"f:{name}")
            if below not in paths:
                left = _without(item, paths, shape.child(name) or ANY, below)
                if left is not ABSENT:
                    kept[name] = left
        return kept or ABSENT
    items = []
    for item in value:
        try:
            below = (*path, element_of(item, shape))
        except BadElementError:
            items.append(item)
            continue
        if below not in paths:
            left = _without(item, paths, shape.element(), below)
            if left is not ABSENT:
                items.append(left)
    return items or ABSENT
