# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with variables that a user gave, by the specification of a role: one sentence for each."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    # Whether a value can be taken for what a specification of one variable asks for.
    Fits = Callable[[Mapping[str, Any], Any], bool]

LONGEST = 80
DEEPEST = 5
# Of these a number of 0 would mean that nothing is waited for, sent or made; a node's time is not limited with 0.
_MORE_THAN_NOTHING = ("_timeout", "_rate", "_slices", "_forks")
_ALSO_NOTHING = ("_node_timeout",)
_TYPES = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "dict": "a mapping",
    "path": "a path",
}
_SEVERAL = {"str": "texts", "int": "whole numbers", "float": "numbers", "dict": "mappings", "path": "paths"}


def complaints(options: Mapping[str, Any], given: Mapping[str, Any], fits: Fits) -> list[str]:
    """Each mistake in what was given for a role's variables as a sentence: variable, value, and what is allowed.

    options: those of an entry point of argument_specs.yml. given: by name, the values that somebody set.
    """
    found: list[str] = []
    for name, spec in options.items():
        if name in given:
            found += _of_value(name, spec, given[name], fits, 0)
        elif spec.get("required"):
            found.append(f"{name} is not set; it must be {allowed(spec)}.")
    return found


def _of_value(name: str, spec: Mapping[str, Any], value: Any, fits: Fits, depth: int) -> Iterator[str]:
    if value is None and not spec.get("required"):
        return
    inner = spec.get("options")
    of_mappings = bool(inner) and spec.get("elements") == "dict"
    left_out = {"options", "required", "default"} | ({"elements"} if of_mappings else set())
    plain = {key: one for key, one in spec.items() if key not in left_out}
    # Ansible would make a list of any text, and a text of anything.
    odd = isinstance(value, (str, Mapping)) if of_mappings else _is_text(spec) and isinstance(value, (list, Mapping))
    if odd or not fits(plain, value):
        yield _sentence(name, spec, value)
    elif spec.get("required") and _is_text(spec) and value == "":
        yield f"{name} is empty; it must be {allowed(spec)}."
    elif spec.get("type") in ("int", "float"):
        yield from _of_number(name, spec, value)
    elif inner and depth < DEEPEST:
        items = list(enumerate(value)) if of_mappings else [(None, value)]
        for number, item in items:
            part = name if number is None else f"{name}[{number}]"
            if isinstance(item, Mapping):
                yield from _of_mapping(part, inner, item, fits, depth + 1)
            else:
                yield f"{part} is {_told(spec, item)}; it must be a mapping with {_listed(inner)}."


def _of_number(name: str, spec: Mapping[str, Any], value: Any) -> Iterator[str]:
    """No role takes a number below 0, nor one that is none (nan) or has no end."""
    more = name.endswith(_MORE_THAN_NOTHING) and not name.endswith(_ALSO_NOTHING)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if math.isfinite(number) and (number > 0 if more else number >= 0):
        return
    told = f"{allowed(spec)}, {'greater than 0' if more else '0 or greater'}"
    yield f"{name} is {number:g}; it must be {told}."


def _is_text(spec: Mapping[str, Any]) -> bool:
    return spec.get("type", "str") in ("str", "path")


def _of_mapping(
    name: str, options: Mapping[str, Any], value: Mapping[Any, Any], fits: Fits, depth: int
) -> Iterator[str]:
    for key in value:
        if key not in options:
            yield f"{name} has {_shown(key)}, which is not known; known are {_listed(options)}."
    for key, spec in options.items():
        if key in value:
            yield from _of_value(f"{name}.{key}", spec, value[key], fits, depth)
        elif spec.get("required"):
            yield f"{name} has no {key}; it needs one."


def _sentence(name: str, spec: Mapping[str, Any], value: Any) -> str:
    return f"{name} is {_told(spec, value)}; it must be {allowed(spec)}."


def _told(spec: Mapping[str, Any], value: Any) -> str:
    return "a value that is not shown" if spec.get("no_log") else _shown(value)


def allowed(spec: Mapping[str, Any]) -> str:
    """What a specification allows, in words."""
    choices = spec.get("choices")
    if choices:
        return f"one of {', '.join(map(str, choices))}"
    kind = str(spec.get("type", "str"))
    if kind == "list" and spec.get("elements") == "dict" and spec.get("options"):
        return f"a list of mappings with {_listed(spec['options'])}"
    if kind == "list" and spec.get("elements"):
        return f"a list of {_SEVERAL.get(str(spec['elements']), str(spec['elements']))}"
    return _TYPES.get(kind, kind)


def _listed(options: Mapping[str, Any]) -> str:
    needed = [key for key, spec in options.items() if spec.get("required")]
    others = [key for key in options if key not in needed]
    return ", ".join(needed) + (f"{' and ' if needed else ''}perhaps {', '.join(others)}" if others else "")


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
