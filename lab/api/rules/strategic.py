# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strategic merge patch: lists merged by key, and directives in the patch.

The rules are those of k8s.io/apimachinery/pkg/util/strategicpatch; the tests compare with what `kubectl patch --local`
makes of the same input. Directives: `$patch: delete|replace`, `$retainKeys`, `$deleteFromPrimitiveList/<field>`,
`$setElementOrder/<field>`. A null deletes what is there and is dropped where nothing is.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from ..errors import ApiError, bad_request
from . import ordering
from .ordering import kind_of, same_scalar

if TYPE_CHECKING:
    from collections.abc import Callable

    from .shapes import Shape

DIRECTIVE = "$patch"
RETAIN_KEYS = "$retainKeys"
DELETE_FROM = "$deleteFromPrimitiveList"
SET_ORDER = "$setElementOrder"
_BAD_RETAIN_KEYS = "invalid patch format of retainKeys"
_BAD_PRIMITIVE_LIST = "invalid patch format of primitive list"
_BAD_ORDER = "invalid patch format of setElementOrder list"

Object = dict[str, Any]


def merge(current: Object, patch: object, shape: Shape) -> Object:
    """The object with a strategic merge patch applied. ApiError as a real server: 400, 422 or 500 with the reason."""
    if not isinstance(patch, dict):
        raise bad_request("invalid JSON document")
    return _map(copy.deepcopy(current), copy.deepcopy(patch), shape)


def failure(message: str) -> ApiError:
    """What the server answers to errors it has no code for."""
    return ApiError(500, "", message)


def _map(original: Object, patch: Object, shape: Shape) -> Object:
    if DIRECTIVE in patch:
        return _directed(patch)
    _retain_keys(original, patch)
    for name in [name for name in patch if name.startswith(SET_ORDER)]:
        _ordered_list(original, patch, name, shape)
    for name, value in patch.items():
        if name.startswith(DELETE_FROM):
            _merge_field(original, _behind(name, DELETE_FROM, _BAD_PRIMITIVE_LIST), value, shape, deletes=True)
        else:
            _merge_field(original, name, value, shape)
    return original


def _directed(patch: Object) -> Object:
    directive = patch.pop(DIRECTIVE)
    if directive == "replace":
        return patch
    if directive == "delete":
        return {}
    raise failure(f"unknown patch type: {directive} in map: {ordering.go({**patch, DIRECTIVE: directive})}")


def _retain_keys(original: Object, patch: Object) -> None:
    if RETAIN_KEYS not in patch:
        return
    kept = patch.pop(RETAIN_KEYS)
    if not isinstance(kept, list):
        raise bad_request(_BAD_RETAIN_KEYS)
    names = {name for name in kept if isinstance(name, str)}
    for name, value in patch.items():
        if value is not None and not name.startswith((DELETE_FROM, SET_ORDER)) and name not in names:
            raise bad_request(_BAD_RETAIN_KEYS)
    for name in [name for name in original if name not in names]:
        del original[name]


def _behind(name: str, prefix: str, why: str) -> str:
    """The field that a directive is about: what stands behind the slash."""
    start, slash, field = name.partition("/")
    if start != prefix or not slash:
        raise bad_request(why)
    return field


def _merge_field(original: Object, name: str, value: Any, shape: Shape, *, deletes: bool = False) -> None:
    if value is None:
        original.pop(name, None)
        return
    if name not in original or kind_of(original[name]) != kind_of(value):
        if not deletes:
            _take(original, name, value)
        return
    if isinstance(value, dict):
        child = _child(shape, name)
        if "replace" in child.merging.strategies:
            original[name] = value
        else:
            original[name] = _map(original[name], value, child)
    elif isinstance(value, list):
        child = _child(shape, name)
        if deletes or "merge" in child.merging.strategies:
            original[name] = _list(original[name], value, child, deletes=deletes)
        else:
            original[name] = value
    else:
        original[name] = value


def _child(shape: Shape, name: str) -> Shape:
    child = shape.child(name)
    if child is None:
        raise failure(f'unable to find api field in struct {shape.name or "map"} for the json field "{name}"')
    return child


def _take(original: Object, name: str, value: Any) -> None:
    """What only the patch has: without nulls and without what is marked by a directive."""
    kept, value = _without_directives(_without_nulls(value))
    if kept:
        original[name] = value
    else:
        original.pop(name, None)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _without_directives(value: Any) -> tuple[bool, Any]:
    """Whether the value stays, and what of it."""
    if isinstance(value, dict):
        if DIRECTIVE in value:
            return False, None
        pairs = [(name, _without_directives(item)) for name, item in value.items()]
        return True, {name: item for name, (kept, item) in pairs if kept}
    if isinstance(value, list):
        return True, [item for kept, item in map(_without_directives, value) if kept]
    return True, value


def _list(original: list[Any], patch: list[Any], shape: Shape, *, deletes: bool = False) -> list[Any]:
    if not original and not patch:
        return original
    key = shape.merging.merge_key
    if _element_kind(original, patch) != "map":
        if deletes:
            return [item for item in original if not any(same_scalar(item, gone) for gone in patch)]
        key, merged = "", _distinct([*original, *patch])
    else:
        if not key:
            raise failure(f"cannot merge lists without merge key for {shape.element().name or 'map'}")
        original, patch = _specials(original, patch, key)
        merged = _elements(original, patch, key, shape.element())
    mine, others = _parted(merged, patch, key)
    return ordering.normalised(mine, others, patch, original, key)


def _element_kind(*lists: list[Any]) -> str:
    """The one type of all elements; no lists of lists, no mixture."""
    kinds = {kind_of(item) for items in lists for item in items}
    if "list" in kinds:
        raise ApiError(422, "Invalid", "the server rejected our request due to an error in our request", {})
    if len(kinds) > 1 or "null" in kinds:
        raise failure(f"list element types are not identical: {ordering.go(list(lists))}")
    if not kinds:
        raise failure("no elements in any of the given slices")
    return kinds.pop()


def _specials(original: list[Any], patch: list[Any], key: str) -> tuple[list[Any], list[Any]]:
    """Do what elements with `$patch` say; returns the list as it is then and the patch without them."""
    ordinary, replaces = [], False
    for item in patch:
        directive = item.get(DIRECTIVE)
        if DIRECTIVE not in item:
            ordinary.append(item)
        elif directive == "delete":
            wanted = ordering.key_of(item, key)
            original = [old for old in original if not _has(old, key, wanted)]
        elif directive == "replace":
            replaces = True
        elif directive == "merge":
            raise failure("merging lists cannot yet be specified in the patch")
        else:
            raise failure(f"unknown patch type: {directive} in map: {ordering.go(item)}")
    return (ordinary, []) if replaces else (original, ordinary)


def _elements(original: list[Any], patch: list[Any], key: str, shape: Shape) -> list[Any]:
    merged = list(original)
    for item in patch:
        wanted = ordering.key_of(item, key)
        place = next((place for place, old in enumerate(merged) if _has(old, key, wanted)), None)
        if place is None:
            merged.append(item)
        else:
            merged[place] = _map(merged[place], item, shape)
    return merged


def _has(item: Object, key: str, wanted: Any) -> bool:
    return key in item and same_scalar(item[key], wanted)


def _distinct(items: list[Any]) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if not any(same_scalar(item, old) for old in found):
            found.append(item)
    return found


def _parted(items: list[Any], by: list[Any], key: str) -> tuple[list[Any], list[Any]]:
    """Elements that the other list names, and those that it does not."""
    named: Callable[[Any], bool]
    if key:
        wanted = [item[key] for item in by if isinstance(item, dict) and key in item]

        def named(item: Any) -> bool:
            value = ordering.key_of(item, key)
            return any(same_scalar(value, other) for other in wanted)

    else:

        def named(item: Any) -> bool:
            return any(same_scalar(item, other) for other in by)

    flags = [named(item) for item in items]
    return (
        [item for item, flag in zip(items, flags, strict=True) if flag],
        [item for item, flag in zip(items, flags, strict=True) if not flag],
    )


def _ordered_list(original: Object, patch: Object, directive: str, shape: Shape) -> None:
    """Merge the list that a `$setElementOrder` speaks of, and put it into that order."""
    order = patch.pop(directive)
    name = _behind(directive, SET_ORDER, _BAD_ORDER)
    mine, theirs = patch.get(name), original.get(name)
    for value in (order, *([mine] if name in patch else ()), *([theirs] if name in original else ())):
        if not isinstance(value, list):
            raise failure(f"expected a []interface {{}}, but received a {ordering.go_type(value)}")
    child = _child(shape, name)
    key = child.merging.merge_key
    ordering.check(mine or [], order, key)
    if mine is not None and theirs is not None:
        merged = _list(theirs, mine, child) if "merge" in child.merging.strategies else mine
    elif mine is not None:
        _kept, merged = _without_directives(mine)
    elif theirs is not None:
        merged = theirs
    else:
        return
    if not mine and not theirs:
        raise failure("no elements in any of the given slices")
    kind = _element_kind(theirs or [], mine or [])
    named, others = _parted(merged, order, key)
    original[name] = ordering.normalised(named, others, order, theirs or [], key if kind == "map" else "")
    patch.pop(name, None)
