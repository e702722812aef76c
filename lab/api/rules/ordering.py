# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of lists that a strategic merge patch merged, and the comparisons which Go makes on the way."""

from __future__ import annotations

from typing import Any

from ..errors import ApiError

DIRECTIVE = "$patch"


def kind_of(value: object) -> str:
    """The type of a JSON value as Go sees it after decoding: whole numbers and others differ."""
    if isinstance(value, bool):
        return "bool"
    if value is None:
        return "null"
    names = {str: "string", int: "int64", float: "float64", list: "list", dict: "map"}
    return names.get(type(value), type(value).__name__)


def go_type(value: object) -> str:
    """The Go type of a decoded JSON value."""
    kind = kind_of(value)
    return {"list": "[]interface {}", "map": "map[string]interface {}", "null": "%!s(<nil>)"}.get(kind, kind)


def same_scalar(left: object, right: object) -> bool:
    """Go's == on decoded values; comparing lists or maps would be a fault of the request."""
    return kind_of(left) == kind_of(right) and left == right


def go(value: object) -> str:
    """A value as Go prints it with %v."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{name}:{go(value[name])}' for name in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(go(item) for item in value)}]"
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)


def key_of(item: object, key: str) -> Any:
    """The value of the merge key. ApiError if the element has none."""
    if not isinstance(item, dict):
        raise ApiError(500, "", f"expected a map[string]interface {{}}, but received a {go_type(item)}")
    if key not in item:
        raise ApiError(500, "", f"map: {go(item)} does not contain declared merge key: {key}")
    return item[key]


def check(patch: list[Any], order: list[Any], key: str) -> None:
    """Refuse a patch whose elements stand in another order than its own `$setElementOrder`."""
    if not patch or not order:
        return
    left = [item for item in patch if not (isinstance(item, dict) and DIRECTIVE in item)] if key else list(patch)
    place = 0
    for item in order:
        if place < len(left) and _same_key(left[place], item, key):
            place += 1
    if place < len(left):
        raise ApiError(
            500,
            "",
            f"The order in patch list:\n{go(patch)}\n doesn't match $setElementOrder list:\n{go(order)}\n",
        )


def _same_key(left: object, right: object, key: str) -> bool:
    return same_scalar(key_of(left, key), key_of(right, key)) if key else same_scalar(left, right)


def normalised(mine: list[Any], others: list[Any], order: list[Any], original: list[Any], key: str) -> list[Any]:
    """Elements of the patch in the patch's order, those of the server in the server's, woven together.

    An element of the server stands before one of the patch only if it did so before.
    """
    left, right = _sorted(others, original, key), _sorted(mine, order, key)
    woven: list[Any] = []
    while left and right:
        before, after = _index(original, left[0], key), _index(original, right[0], key)
        woven.append(left.pop(0) if 0 <= before < after else right.pop(0))
    return [*woven, *left, *right]


def _sorted(items: list[Any], order: list[Any], key: str) -> list[Any]:
    """Insertion sort, as Go's stable sort does for short lists: what is not in the order comes to the front."""
    gone = [item for item in items if isinstance(item, dict) and item.get(DIRECTIVE) == "delete"] if key else []
    found: list[Any] = []
    for item in items:
        if any(item is other for other in gone):
            continue
        place = len(found)
        while place and _before(item, found[place - 1], order, key):
            place -= 1
        found.insert(place, item)
    return [*found, *gone]


def _before(left: object, right: object, order: list[Any], key: str) -> bool:
    first, second = _index(order, left, key), _index(order, right, key)
    return first < second if first >= 0 and second >= 0 else True


def _index(items: list[Any], wanted: object, key: str) -> int:
    value = _value(wanted, key)
    return next((place for place, item in enumerate(items) if same_scalar(_value(item, key), value)), -1)


def _value(item: object, key: str) -> object:
    if not key:
        return item
    return item.get(key) if isinstance(item, dict) else None
