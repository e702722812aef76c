# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of changes that were made: as results, as differences for people, as a record to undo them by. Pure."""

from __future__ import annotations

import json

from .._cluster.shapes import mapping, sequence, word
from . import fields, guards, masking
from .fields import ABSENT, Field
from .views import meta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Union

    from .settling import Settled

    Found = Union[dict[str, Any], None]

SECRET = "Secret"  # noqa: S105 - the name of the kind
_VALUES = ("data", "stringData")


def changed_fields(settled: Settled) -> list[Field]:
    """Return the fields that a change has changed; of an object that was made or deleted, all that it has."""
    before, after = settled.before or {}, settled.after or {}
    found = fields.differences(before, after)
    named = (("kind",), ("apiVersion",), ("metadata", "name"), ("metadata", "namespace"))
    return [one for one in found if (before and after) or one.path not in named]


def _may_show(settled: Settled, one: Field) -> tuple[Any, Any]:
    if settled.transition.ref.kind == SECRET and one.path[:1] in [(name,) for name in _VALUES]:
        return tuple(None if each is ABSENT else masking.HIDDEN for each in (one.before, one.after))  # type: ignore[return-value]
    return masking.shown(one.before, one.path), masking.shown(one.after, one.path)


def result(settled: Settled) -> dict[str, Any]:
    """Return what became of a change, with the fields that are others now."""
    made = _key(settled)
    made["changed"] = settled.changed
    made["fields"] = []
    for one in changed_fields(settled) if settled.changed else ():
        before, after = _may_show(settled, one)
        made["fields"].append({"field": fields.shown(one.path), "before": before, "after": after})
    return made


def _key(settled: Settled) -> dict[str, Any]:
    ref = settled.transition.ref
    named = {"action": settled.transition.action, "api_version": ref.api_version, "kind": ref.kind}
    return {**named, "namespace": ref.namespace, "name": ref.name}


def difference(settled: Settled) -> dict[str, str]:
    """Return a difference as Ansible shows it: a line for each field that changes."""
    ref = settled.transition.ref
    lines: tuple[list[str], list[str]] = ([], [])
    for one in changed_fields(settled):
        for value, shown, side in zip((one.before, one.after), _may_show(settled, one), lines):
            if value is not ABSENT:
                side.append(f"{fields.shown(one.path)}: {_written(shown)}\n")
    if not lines[0] and not lines[1]:
        lines[0 if settled.after is None else 1].append(f"{ref.label}\n")
    header = f"{ref.label} ({ref.api_version})"
    return {"before_header": header, "after_header": header, "before": "".join(lines[0]), "after": "".join(lines[1])}


def _written(value: Any) -> str:
    plain = isinstance(value, str) and value and value.isprintable() and value.strip() == value
    return value if plain else json.dumps(value, ensure_ascii=False, sort_keys=True)


def entry(settled: Settled) -> dict[str, Any]:
    """Return the entry of the record: enough to undo the change, and never a secret."""
    made = _key(settled)
    standing = settled.after if settled.after is not None else settled.before
    made["uid"] = meta(standing, "uid")
    made["version_before"] = meta(settled.before, "resourceVersion")
    made["resource_version"] = meta(settled.after, "resourceVersion")
    if settled.unsure:
        # These are of what was sent; what the server makes of it is not known.
        made.update(unsure=True, resource_version="")
        made["uid"] = meta(settled.before, "uid")
    made["was"] = "absent" if settled.before is None else "there"
    made["is"] = "absent" if settled.after is None else "there"
    made.update(_of_secret(settled) if settled.transition.ref.kind == SECRET else _of_object(settled))
    return made


def _of_secret(settled: Settled) -> dict[str, Any]:
    before, after = (mapping(mapping(one).get("data")) for one in (settled.before, settled.after))
    added = sorted(key for key in after if key not in before)
    replaced = any(before[key] != after.get(key) for key in before)
    return {"keys": added, "restorable": not replaced and settled.after is not None}


def _of_object(settled: Settled) -> dict[str, Any]:
    if settled.before is not None and settled.after is not None:
        found = [_field(one) for one in fields.differences(settled.before, settled.after)]
        return {"fields": found, "restorable": not any(one.get("hidden") for one in found)}
    if settled.transition.action == "restart_pod":
        return {"restorable": True}
    whole = settled.after if settled.before is None else settled.before
    restorable = settled.after is not None or guards.is_restorable(settled.transition, whole)
    made: dict[str, Any] = {"restorable": restorable}
    if restorable and not masking.is_secret(whole):
        made["object"] = fields.as_made(whole or {})
    return made


def _field(one: Field) -> dict[str, Any]:
    made: dict[str, Any] = {"path": list(one.path)}
    if masking.is_secret(one.before, one.path) or masking.is_secret(one.after, one.path):
        return {**made, "hidden": True}
    values = (("before", one.before), ("after", one.after))
    numbers = (("created", one.created), ("place", one.place))
    made.update({name: value for name, value in values if value is not ABSENT})
    return {**made, **{name: number for name, number in numbers if number}}


def read_field(found: Any) -> Field | None:
    """Return a field of a record, None if it is none."""
    path = mapping(found).get("path")
    if not isinstance(path, list) or not path or not all(isinstance(one, (str, dict)) and one for one in path):
        return None
    numbers = [found.get(name, 0) for name in ("created", "place")]
    if not all(isinstance(one, int) for one in numbers):
        return None
    return Field(tuple(path), found.get("before", ABSENT), found.get("after", ABSENT), *numbers)


def lacking(found: Any) -> str:
    """Return what an entry of a record lacks, '' if it is whole."""
    if not isinstance(found, dict) or fields.is_too_deep(found):
        return "is no object, or one that is too deep"
    wanted: Iterable[str] = ("action", "api_version", "kind", "name", "was", "is")
    missing = [name for name in wanted if not word(found.get(name))]
    if missing:
        return f"has no {', '.join(missing)}"
    if not all(read_field(one) for one in sequence(found.get("fields"))):
        return "has a field without a path"
    return ""
