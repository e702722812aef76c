# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about objects as such: their fields, their API, and whether they are given once."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from .._evidence import plain
from . import fields
from .context import network_of
from .model import Problem, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .context import Context
    from .model import Document, Path

_NEAR = 0.6
_TYPES: dict[str, type | tuple[type, ...]] = {
    fields.NUMBER: int,
    fields.LIST: list,
    fields.MAPPING: dict,
    fields.TEXT: (str, int, float),
    fields.BOOLEAN: bool,
}
_KINDS = (*fields.CALICO, "Installation")


def _parts(context: Context) -> Iterator[tuple[Document, Path, dict[str, Any], fields.Fields]]:
    """The mappings whose fields are known, with what they may hold."""
    for one in context.calico(*fields.CALICO):
        yield one, ("spec",), one.spec, fields.CALICO[one.kind]
    for one in context.installations:
        path: Path = ("spec", "calicoNetwork")
        told = network_of(one)
        yield one, ("spec",), one.spec, fields.INSTALLATION
        yield one, path, told, fields.CALICO_NETWORK
        for index, pool in enumerate(plain.sequence(told.get("ipPools"))):
            yield one, (*path, "ipPools", index), plain.mapping(pool), fields.OPERATOR_POOL
        for key in ("nodeAddressAutodetectionV4", "nodeAddressAutodetectionV6"):
            yield one, (*path, key), plain.mapping(told.get(key)), fields.AUTODETECTION


def unknown(context: Context) -> Iterator[Problem]:
    """Fields that nothing reads."""
    for document, path, told, known in _parts(context):
        for key in told:
            if key not in known:
                near = difflib.get_close_matches(key, known, 1, _NEAR)
                hint = f" Is {near[0]} meant?" if near else ""
                says = f"{document.about} has no field {plain.text(key)[:60]} that is known up to Calico 3.34.{hint}"
                yield Problem(document, (*path, key), says)


def wrong(context: Context) -> Iterator[Problem]:
    """Values that a field cannot hold."""
    for document, path, told, known in _parts(context):
        for key, value in told.items():
            why = _unfit(value, known.get(key, fields.ANY))
            if why:
                yield Problem(
                    document, (*path, key), f"{document.about}: {plain.text(key)} is {_shown(value)}, not {why}."
                )


def _unfit(value: Any, wanted: str | tuple[str, ...]) -> str:
    """What the field would have to hold; ''."""
    if value is None or not wanted:
        return ""
    if isinstance(wanted, tuple):
        return "" if value in wanted or value == "" else " or ".join(wanted)
    fits = isinstance(value, _TYPES[wanted]) and (wanted == fields.BOOLEAN or not isinstance(value, bool))
    return "" if fits else wanted


def _shown(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return f'"{plain.text(value)[:40]}"' if isinstance(value, str) else plain.text(value)[:40].lower()


def twice(context: Context) -> Iterator[Problem]:
    """Objects that are given more than once: the last one that is applied holds."""
    seen: dict[tuple[str, ...], Document] = {}
    for one in context.documents:
        key = (one.group.removeprefix("crd."), one.kind, one.namespace, one.name)
        first = seen.setdefault(key, one)
        if first is not one and one.name:
            place = f"{first.file} line {first.line}" if first.line else first.file
            yield Problem(one, (), f"{one.about} is given a second time; the first one is in {place}.")


def raw_api(context: Context) -> Iterator[Problem]:
    """Objects written to the API group behind Calico's own."""
    for one in context.of(*fields.CALICO):
        if one.group == "crd.projectcalico.org":
            says = f"{one.about} is written to crd.projectcalico.org, past the checks of Calico's API."
            yield Problem(one, ("apiVersion",), says)


RULES = (
    Rule(
        "field_value_invalid",
        "major",
        "A field holds what it cannot hold",
        "The API server refuses the object, or Calico takes the setting for absent.",
        "Correct the value; words are written with these capitals, and Off, No and Yes are no words in YAML.",
        _KINDS,
        wrong,
    ),
    Rule(
        "unknown_field",
        "minor",
        "An object has a field that nothing reads",
        "The API server drops it in silence: what it was to set is not set.",
        "Correct the field's name or its place; accept the rule if your release is newer than this list.",
        _KINDS,
        unknown,
    ),
    Rule(
        "duplicate_object",
        "major",
        "An object is given twice",
        "Which one holds depends on the order in which they are applied.",
        "Remove one of them. Folders of alternatives (overlays, environments) are checked one by one.",
        ("*",),
        twice,
    ),
    Rule(
        "raw_crd_api",
        "info",
        "An object is written past Calico's API",
        "Mistakes that Calico's API refuses are stored, where the custom resources of the release do not refuse them.",
        "Write projectcalico.org/v3 and apply it with calicoctl, or with kubectl where Calico's API server runs.",
        tuple(fields.CALICO),
        raw_api,
    ),
)
