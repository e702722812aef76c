# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON patch (RFC 6902) and JSON merge patch (RFC 7386) as a Kubernetes API server applies them.

Not the PyPI package `jsonpatch`: the API server's library (github.com/evanphx/json-patch) counts negative indices from
the end, takes what is missing for null, and replaces keys that are not there. The tests compare with kubectl.
"""

from __future__ import annotations

import copy
from typing import Any

from ..errors import ApiError, bad_request

MOST_OPERATIONS = 10_000
MOST_COPIED = 3 * 1024 * 1024  # bytes that "copy" may add; the API server's limit
_MISSING = object()


class _FailedError(Exception):
    """An operation that cannot be done on this object."""


def json_patch(current: dict[str, Any], patch: object) -> dict[str, Any]:
    """The object with all operations of a JSON patch done. ApiError: 400 for no patch, 422 for one that fails."""
    if not isinstance(patch, list) or not all(isinstance(step, dict) for step in patch):
        raise bad_request(_cannot_unmarshal(patch))
    if len(patch) > MOST_OPERATIONS:
        message = f"The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {len(patch)}"
        raise ApiError(413, "RequestEntityTooLarge", f"Request entity too large: {message}", {})
    changed: Any = copy.deepcopy(current)
    budget = MOST_COPIED
    for step in patch:
        try:
            changed, budget = _do(changed, step, budget)
        except _FailedError as error:
            message = "the server rejected our request due to an error in our request"
            raise ApiError(422, "Invalid", message, {}) from error
    if not isinstance(changed, dict):
        raise bad_request(f"error decoding patch: json: cannot unmarshal {json_type(changed)} into Go value")
    return changed


def merge_patch(current: dict[str, Any], patch: object) -> dict[str, Any]:
    """The object with a JSON merge patch applied. ApiError 400 if the patch is no object."""
    if not isinstance(patch, dict):
        raise bad_request(
            f"error decoding patch: json: cannot unmarshal {json_type(patch)} into Go value of type "
            "map[string]interface {}"
        )
    merged = _merged(current, patch)
    return copy.deepcopy(merged)


def json_type(value: object) -> str:
    """The type of a JSON value as Go's decoder names it."""
    if isinstance(value, bool):
        return "bool"
    if value is None:
        return "null"
    names = {str: "string", int: "number", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "value")


def _cannot_unmarshal(patch: object) -> str:
    wrong, wanted = patch, "[]handlers.jsonPatchOp"
    if isinstance(patch, list):
        wrong, wanted = next(step for step in patch if not isinstance(step, dict)), "handlers.jsonPatchOp"
    return f"error decoding patch: json: cannot unmarshal {json_type(wrong)} into Go value of type {wanted}"


def _merged(current: object, patch: dict[str, Any]) -> dict[str, Any]:
    merged = dict(current) if isinstance(current, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict):
            merged[name] = _merged(merged.get(name), value)
        else:
            # The API server's library drops the nulls within a list, but not where it takes an object's place.
            merged[name] = value if isinstance(merged.get(name), dict) else _without_nulls(value)
    return merged


def _without_nulls(value: Any) -> Any:
    """Objects within lists lose their nulls too; nulls which are elements stay."""
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _do(document: Any, step: dict[str, Any], budget: int) -> tuple[Any, int]:
    operation, path = step.get("op"), _pointer(step.get("path"))
    value = step.get("value")
    if operation == "add":
        return _add(document, path, copy.deepcopy(value)), budget
    if operation == "remove":
        return _remove(document, path), budget
    if operation == "replace":
        return _replace(document, path, copy.deepcopy(value)), budget
    if operation == "test":
        return _test(document, path, value), budget
    if operation in ("move", "copy"):
        origin = _pointer(step.get("from"))
        moved = _found(document, origin)
        if operation == "move":
            return _add(_remove(document, origin), path, moved), budget
        budget -= _size(moved)
        if budget < 0:
            raise _FailedError("copies too much")
        return _add(document, path, copy.deepcopy(moved)), budget
    raise _FailedError(f"unexpected kind: {operation}")


def _pointer(path: object) -> list[str]:
    if not isinstance(path, str) or (path and not path.startswith("/")):
        raise _FailedError("no JSON pointer")
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _size(value: object) -> int:
    if isinstance(value, dict):
        return 2 + sum(len(name) + 4 + _size(item) for name, item in value.items())
    if isinstance(value, list):
        return 2 + sum(1 + _size(item) for item in value)
    return len(str(value)) + 2


def _get(document: Any, path: list[str]) -> Any:
    for part in path:
        document = _step(document, part)
        if document is _MISSING:
            raise _FailedError("missing")
    return document


def _found(document: Any, path: list[str]) -> Any:
    """What is at a path; a key that is not there is null, if its object is there."""
    if not path:
        return document
    container = _get(document, path[:-1])
    found = _step(container, path[-1])
    return None if found is _MISSING else found


def _step(container: Any, part: str) -> Any:
    if isinstance(container, dict):
        return container.get(part, _MISSING)
    if isinstance(container, list):
        return container[_index(part, len(container))]
    raise _FailedError("neither object nor list")


def _index(part: str, length: int) -> int:
    """Which element; negative numbers count from the end."""
    digits = part.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 9:
        raise _FailedError("no index")
    number = int(part)
    number = number + length if number < 0 else number
    if not 0 <= number < length:
        raise _FailedError("index out of range")
    return number


def _add(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    container = _get(document, path[:-1])
    name = path[-1]
    if isinstance(container, dict):
        container[name] = value
    elif isinstance(container, list):
        # One place more than elements: "add" may also go behind the last.
        container.insert(len(container) if name == "-" else _index(name, len(container) + 1), value)
    else:
        raise _FailedError("neither object nor list")
    return document


def _remove(document: Any, path: list[str]) -> Any:
    if not path:
        raise _FailedError("the whole object")
    container = _get(document, path[:-1])
    if _step(container, path[-1]) is _MISSING:
        raise _FailedError("missing")
    if isinstance(container, dict):
        del container[path[-1]]
    else:
        del container[_index(path[-1], len(container))]
    return document


def _replace(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    container = _get(document, path[:-1])
    _step(container, path[-1])  # of a list, the element must be there; of an object, the key need not
    if isinstance(container, dict):
        container[path[-1]] = value
    else:
        container[_index(path[-1], len(container))] = value
    return document


def _test(document: Any, path: list[str], value: Any) -> Any:
    try:
        found = _get(document, path)
    except _FailedError:
        if value is None:
            return document
        raise
    if not same(found, value):
        raise _FailedError("testing value failed")
    return document


def same(left: object, right: object) -> bool:
    """Equality of JSON values: true is not 1, but 1 is 1.0."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(value, right[name]) for name, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(same(*pair) for pair in zip(left, right, strict=True))
    return left == right
