# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of JSON objects: finding, setting, comparing, and what has changed between two states of an object. Pure.

A path is a list. A text in it is a field's name, an object chooses the item of a list that has these values:
["spec", "containers", {"name": "calico-node"}, "image"].
"""

from __future__ import annotations

import json

from .._record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, Union

    Step = Union[str, "dict[str, Any]"]
    Path = Sequence[Step]
    Object = dict[str, Any]

# What items of lists are told apart by, in Kubernetes and in Calico's and the operator's kinds.
_NAMES = ("name", "cidr")
# What the server keeps by itself; never sent, never put back, never compared.
_OF_SERVER = (
    *("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"),
    *("deletionTimestamp", "deletionGracePeriodSeconds"),
)
_DEEPEST = 100
_COUNTER = "deprecated.daemonset.template.generation"


class _Absent:
    """There is no such field."""

    def __repr__(self) -> str:
        return "absent"


ABSENT = _Absent()


class Field(NamedTuple):
    """A field that has changed: ABSENT is no value. `created`: how many of the objects around it were made with it;
    `place`: where in its list the item stood or stands."""

    path: tuple[Step, ...]
    before: Any
    after: Any
    created: int = 0
    place: int = 0


def copied(value: Any) -> Any:
    """Return JSON data that shares nothing with the original."""
    if isinstance(value, dict):
        return {name: copied(item) for name, item in value.items()}
    return [copied(item) for item in value] if isinstance(value, list) else value


def is_too_deep(value: Any) -> bool:
    """Say whether JSON data is deeper than any object of Kubernetes."""
    level = [value]
    for _depth in range(_DEEPEST):
        level = [
            item
            for one in level
            if isinstance(one, (dict, list))
            for item in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


def same(one: Any, other: Any) -> bool:
    """Say whether two pieces of JSON are the same: true is not 1, but 1.0 is, as for the API."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(item, other[name]) for name, item in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(*pair) for pair in zip(one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def at(found: Any, path: Path) -> Any:
    """Return the value of a field, ABSENT if there is none."""
    for step in path:
        if isinstance(step, str):
            found = found.get(step, ABSENT) if isinstance(found, dict) else ABSENT
        else:
            number = _item(found, step)
            found = ABSENT if number is None else found[number]
        if found is ABSENT:
            return ABSENT
    return found


def _item(found: Any, chosen: Object) -> int | None:
    for number, item in enumerate(found if isinstance(found, list) else ()):
        if isinstance(item, dict) and all(name in item and same(item[name], value) for name, value in chosen.items()):
            return number
    return None


def put(found: Any, path: Path, value: Any, place: int | None = None) -> None:
    """Set a field in place; what leads to it is made. A new item of a list goes to `place`, else to the end.

    Raises ValueError if something else stands in the way.
    """
    for step, following in zip(path, [*path[1:], None]):
        last = following is None
        made: Any = value if last else [] if isinstance(following, dict) else {}
        if isinstance(step, str):
            if not isinstance(found, dict):
                raise ValueError(f"{shown(path)} cannot be set, for what is above it is no object")
            if last or found.get(step) is None:
                found[step] = made
            found = found[step]
        else:
            found = _put_item(found, step, made, last, place, path)


def _put_item(found: Any, chosen: Object, made: Any, last: bool, place: int | None, path: Path) -> Any:
    if not isinstance(found, list):
        raise ValueError(f"{shown(path)} cannot be set, for what is above it is no list")
    number = _item(found, chosen)
    if number is None:
        number = len(found) if place is None else min(max(place, 0), len(found))
        found.insert(number, made if last else dict(chosen))
    elif last:
        found[number] = made
    return found[number]


def remove(found: Any, path: Path, created: int = 0) -> None:
    """Take a field away in place, and of the objects around it the nearest `created` that are empty then."""
    for length in range(len(path), max(len(path) - 1 - created, 0), -1):
        around, step = at(found, path[: length - 1]), path[length - 1]
        if length < len(path) and at(found, path[:length]) not in ({}, []):
            return
        if isinstance(step, str) and isinstance(around, dict):
            around.pop(step, None)
        elif isinstance(step, dict) and isinstance(around, list):
            number = _item(around, step)
            if number is not None:
                del around[number]


def merged(found: Any, patch: Any) -> Any:
    """Return what a merge patch (RFC 7386) makes of a value; the original stays as it is."""
    if not isinstance(patch, dict):
        return copied(patch)
    made = copied(found) if isinstance(found, dict) else {}
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = merged(made.get(name), value)
    return made


def patch_between(before: Object, after: Object) -> Object:
    """Return the merge patch that makes the one into the other, {} if they are the same."""
    patch: Object = {name: None for name in before if name not in after}
    for name, value in after.items():
        there = before.get(name, ABSENT)
        if isinstance(value, dict) and isinstance(there, dict):
            inner = patch_between(there, value)
            if inner:
                patch[name] = inner
        elif there is ABSENT or not same(there, value):
            patch[name] = value
    return patch


def holds(found: Any, wanted: Any) -> bool:
    """Say whether every field of `wanted` is in `found` with this value; lists count as wholes, null as absent."""
    return unmet(found, wanted) is None


def unmet(found: Any, wanted: Any, path: tuple[Step, ...] = ()) -> tuple[Step, ...] | None:
    """Return the path of the first field of `wanted` that `found` has not with this value, None if it has them all."""
    if isinstance(wanted, dict):
        inside = found if isinstance(found, dict) else {}
        for name, value in wanted.items():
            missed = unmet(inside.get(name), value, (*path, name))
            if missed is not None:
                return missed
        return None if isinstance(found, dict) or found is None else path
    return None if same(found, wanted) else path


def without_servers(found: Object) -> Object:
    """Return an object without what the server keeps by itself and without its status."""
    made: Object = {name: copied(value) for name, value in found.items() if name != "status"}
    meta = made.get("metadata")
    if isinstance(meta, dict):
        made["metadata"] = {name: value for name, value in meta.items() if name not in _OF_SERVER}
        if isinstance(meta.get("annotations"), dict):
            meta["annotations"].pop(_COUNTER, None)
    return made


def as_made(found: Object) -> Object:
    """Return what the server is given to make such an object. It takes the status of a Node with it, with which
    kubelets register theirs (pkg/kubelet/kubelet_node_status.go), and without which nobody knows its addresses."""
    made = without_servers(found)
    if made.get("kind") == "Node" and "status" in found:
        made["status"] = copied(found["status"])
    return made


def differences(before: Object, after: Object) -> list[Field]:
    """Return what differs between two states of an object, field by field, but for what the server keeps."""
    return list(_compared(without_servers(before), without_servers(after), (), 0))


def _compared(before: Any, after: Any, path: tuple[Step, ...], created: int) -> Iterator[Field]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in (*before, *(one for one in after if one not in before)):
            yield from _compared(before.get(name, ABSENT), after.get(name, ABSENT), (*path, name), 0)
    elif before is ABSENT and isinstance(after, dict) and after:
        for name, value in after.items():
            yield from _compared(ABSENT, value, (*path, name), created + 1)
    elif after is ABSENT and isinstance(before, dict) and before:
        for name, value in before.items():
            yield from _compared(value, ABSENT, (*path, name), 0)
    elif isinstance(before, list) and isinstance(after, list) and not same(before, after):
        yield from _items_compared(before, after, path)
    elif before is ABSENT or after is ABSENT or not same(before, after):
        yield Field(path, before, after, created)


def _items_compared(before: list[Any], after: list[Any], path: tuple[Step, ...]) -> Iterator[Field]:
    """Item by item where these have names and stand in the same order, else as a whole."""
    name = next((one for one in _NAMES if _is_name(one, before) and _is_name(one, after)), "")
    here, there = ([item[name] for item in items] if name else [] for items in (before, after))
    if not name or [one for one in here if one in there] != [one for one in there if one in here]:
        yield Field(path, before, after)
        return
    for item in before:
        if item[name] in there:
            yield from _compared(item, after[there.index(item[name])], (*path, {name: item[name]}), 0)
    # Last one first: they are put back in reverse order, and each then stands where it stood.
    for place, item in reversed(list(enumerate(before))):
        if item[name] not in there:
            yield Field((*path, {name: item[name]}), item, ABSENT, 0, place)
    for place, item in enumerate(after):
        if item[name] not in here:
            yield Field((*path, {name: item[name]}), ABSENT, item, 0, place)


def _is_name(name: str, items: list[Any]) -> bool:
    values = [item.get(name) if isinstance(item, dict) else None for item in items]
    return all(isinstance(value, str) for value in values) and len(set(values)) == len(values)


def shown(path: Path) -> str:
    """Return a path as a person writes it: spec.containers[calico-node].image."""
    written = ""
    for step in path:
        if isinstance(step, str):
            written += f".{step}"
        else:
            written += "[" + ",".join(one if isinstance(one, str) else json.dumps(one) for one in step.values()) + "]"
    return written.lstrip(".")
