# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many objects that are much alike in little room: what most of them have in common is told once.

    {"like": {"metadata": {"labels": {"os": "linux"}}, …}, "items": [{"metadata": {"name": "n1"}}, …]}

An item holds only where it differs from `like`; null stands for what `like` has and the object has not. In lists of
objects of equal length the items differ place by place. Few objects are a plain list. Nothing is lost, but for fields
that were null already.
"""

from __future__ import annotations

import json
from collections import Counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

# Of fewer objects anybody can make sense without unpack().
FEWEST = 100
_DEEPEST = 60


def pack(objects: Sequence[dict[str, Any]]) -> Any:
    """Return the objects as they are if they are few, else as told above."""
    if len(objects) < FEWEST:
        return list(objects)
    like = _common_object(objects, len(objects))
    return {"like": like, "items": [_difference(like, one) for one in objects]}


def unpack(packed: Any) -> list[Any]:
    """Return the objects, packed or not. Whatever is neither is no objects."""
    if isinstance(packed, list):
        return packed
    if not isinstance(packed, dict) or not isinstance(packed.get("items"), list):
        return []
    like = packed.get("like")
    if not isinstance(like, dict):
        return list(packed["items"])
    return [_merged(like, one, 0) if isinstance(one, dict) else one for one in packed["items"]]


def _common_object(objects: Sequence[dict[str, Any]], all_of_them: int) -> dict[str, Any]:
    """Return what more than half of `all_of_them` have, field by field."""
    by_name: dict[str, list[Any]] = {}
    for one in objects:
        for name, value in one.items():
            by_name.setdefault(name, []).append(value)
    common = {}
    for name, values in by_name.items():
        if 2 * len(values) > all_of_them:
            found = _common(values, all_of_them)
            if found is not None:
                common[name] = found
    return common


def _common(values: Sequence[Any], all_of_them: int) -> Any:
    """Return what more than half have in this field, None if there is no such thing."""
    objects = [one for one in values if isinstance(one, dict)]
    if 2 * len(objects) > all_of_them:
        return _common_object(objects, all_of_them)
    lists = [one for one in values if _is_of_objects(one)]
    if 2 * len(lists) > all_of_them:
        length, count = Counter(map(len, lists)).most_common(1)[0]
        if 2 * count > all_of_them:
            columns = zip(*(one for one in lists if len(one) == length))
            return [_common_object(column, all_of_them) for column in columns]
    most, count = Counter(map(_key, values)).most_common(1)[0]
    return next(one for one in values if _key(one) == most) if 2 * count > all_of_them else None


def _key(value: Any) -> str:
    """Return a text that is the same for equal values only."""
    return f"={value}" if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _is_of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _fits(like: Any, value: Any) -> bool:
    return _is_of_objects(like) and _is_of_objects(value) and len(like) == len(value)


def _difference(like: dict[str, Any], one: dict[str, Any]) -> dict[str, Any]:
    different: dict[str, Any] = {name: None for name in like if one.get(name) is None}
    for name, value in one.items():
        if value is None:
            continue
        known: Any = like.get(name)
        if isinstance(known, dict) and isinstance(value, dict):
            inner = _difference(known, value)
            if inner:
                different[name] = inner
        elif _fits(known, value):
            pieces = [_difference(*pair) for pair in zip(known, value)]
            if any(pieces):
                different[name] = pieces
        elif type(known) is not type(value) or known != value or (known and not _same_kinds(known, value)):
            different[name] = value
    return different


def _same_kinds(known: Any, value: Any) -> bool:
    """To Python 1, 1.0 and True are equal, and so are lists of them; here they are not."""
    return not isinstance(value, (list, dict)) or _key(known) == _key(value)


def _merged(like: dict[str, Any], one: dict[str, Any], depth: int) -> dict[str, Any]:
    if depth > _DEEPEST:
        return {}
    found = {name: _copy(value) for name, value in like.items() if name not in one}
    for name, value in one.items():
        known: Any = like.get(name)
        if value is None:
            continue
        if isinstance(known, dict) and isinstance(value, dict):
            found[name] = _merged(known, value, depth + 1)
        elif _fits(known, value):
            found[name] = [_merged(*pair, depth=depth + 1) for pair in zip(known, value)]
        else:
            found[name] = value
    return found


def _copy(value: Any) -> Any:
    """Return a copy, so that objects do not share what others might change."""
    if isinstance(value, dict):
        return {name: _copy(item) for name, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def packed(objects: Iterable[tuple[str, Sequence[dict[str, Any]]]]) -> dict[str, Any]:
    """Return lists of objects by kind, each packed."""
    return {plural: pack(found) for plural, found in objects}


def unpacked(objects: Any) -> dict[str, list[Any]]:
    """Return what packed() was given, whatever somebody made of it since."""
    return {plural: unpack(found) for plural, found in objects.items()} if isinstance(objects, dict) else {}
