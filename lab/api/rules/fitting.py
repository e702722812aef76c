# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an applied configuration fits its kind, in the words of sigs.k8s.io/structured-merge-diff (package typed)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .field_sets import BadElementError, element_of, text

if TYPE_CHECKING:
    from .shapes import Shape

_WANTED: dict[str, tuple[type | tuple[type, ...], str]] = {
    "str": (str, "string"),
    "bytes": (str, "string"),
    "int": ((int, float), "numeric (int or float)"),
    "float": ((int, float), "numeric (int or float)"),
    "bool": (bool, "boolean"),
}


def typing_errors(value: Any, shape: Shape) -> list[str]:
    """One sentence for each field that is not declared, is of another type or is there twice."""
    found: list[str] = []
    _check(value, shape, "", found)
    return found


def _check(value: Any, shape: Shape, path: str, found: list[str]) -> None:
    if value is None or shape.form == "any":
        return
    if shape.form == "map":
        _check_map(value, shape, path, found)
    elif shape.form == "list":
        _check_list(value, shape, path, found)
    elif isinstance(value, (dict, list)):
        found.append(f"{path}: expected {_name(shape)}, got &value.valueUnstructured{{}}")
    else:
        types, name = _WANTED.get(shape.scalar, (object, ""))
        if not isinstance(value, types) or (isinstance(value, bool) and shape.scalar in ("int", "float")):
            shown = f'&{{"{value}"}}' if isinstance(value, str) else str(value).lower()
            found.append(f"{path}: expected {name}, got {shown}")


def _name(shape: Shape) -> str:
    return _WANTED.get(shape.scalar, (object, "scalar"))[1] or "scalar"


def _check_map(value: Any, shape: Shape, path: str, found: list[str]) -> None:
    if not isinstance(value, dict):
        found.append(f"{path}: expected map, got &{{{value}}}")
        return
    for name, item in value.items():
        child = shape.child(name)
        if child is None:
            found.append(f"{path}.{name}: field not declared in schema")
        else:
            _check(item, child, f"{path}.{name}", found)


def _check_list(value: Any, shape: Shape, path: str, found: list[str]) -> None:
    if not isinstance(value, list):
        found.append(f"{path}: expected list, got &{{{value}}}")
        return
    seen: set[str] = set()
    for place, item in enumerate(value):
        name = f"[{place}]"
        if shape.merging.list_type != "atomic":
            try:
                element = element_of(item, shape)
            except BadElementError as error:
                found.append(f"{path}: element {place}: {error}")
                continue
            name = text((element,))
            if element in seen:
                found.append(f"{path}: duplicate entries for key {name}")
            seen.add(element)
        _check(item, shape.element(), path + name, found)
