# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""metadata.managedFields: who wrote which field, kept for every write as a real API server keeps it.

The rules are those of k8s.io/apimachinery/pkg/util/managedfields: one entry per manager, operation, version and
subresource; a write by Update takes over what it changes; at most ten entries by Update, older ones are put together
under "ancient-changes".
"""

from __future__ import annotations

import copy
import datetime
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ApiError
from . import reading, shapes
from .field_sets import NOTHING, Fields, Path, compare, from_fields_v1, to_fields_v1
from .limits import check_depth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..kinds import Kind
    from .shapes import Shape

MOST_UPDATERS = 10
LONGEST_NAME = 128
ANCIENT = "ancient-changes"
BEFORE_APPLY = "before-first-apply"

Object = dict[str, Any]

_NEVER_OWNED = frozenset(
    [("f:apiVersion",), ("f:kind",), ("f:metadata",)]
    + [
        ("f:metadata", f"f:{name}")
        for name in (
            "name",
            "namespace",
            "creationTimestamp",
            "selfLink",
            "uid",
            "clusterName",
            "generation",
            "managedFields",
            "resourceVersion",
        )
    ]
)


class Manager(NamedTuple):
    """Whose entry it is. `api_version` is empty for Apply, whose entry stays the same over versions."""

    name: str
    operation: str
    api_version: str
    subresource: str = ""


class Owned(NamedTuple):
    """What a manager owns: the fields, in which version, since when ("" is unknown)."""

    fields: Fields
    api_version: str
    time: str = ""


Managed = dict[Manager, Owned]


def name_of(field_manager: str, user_agent: str) -> str:
    """The manager of a request: the parameter fieldManager, else what stands before the slash in the user agent."""
    if field_manager:
        return field_manager
    name = ""
    for letter in user_agent.split("/", 1)[0]:
        if letter.isprintable() and len((name + letter).encode("utf-8", "surrogatepass")) <= LONGEST_NAME:
            name += letter
    return name


def now() -> str:
    """The time as managedFields keeps it."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def record(
    old: Object | None,
    new: Object,
    kind: Kind,
    manager: str,
    *,
    subresource: str = "",
    schema: Mapping[str, Any] | None = None,
    time: str = "",
) -> Object:
    """The new object with the managedFields of a create, replace or patch (but server-side apply) by `manager`.

    `old`: the object before, None for a create. `new`: the object as it will be stored, defaults included. `schema`:
    of a custom kind (`Schemas.of`). `time`: RFC 3339, now if empty. An object that was there without managedFields
    stays without. Entries which the writer sends are taken, and an empty list clears them, as in Kubernetes.
    """
    found = copy.deepcopy(new)
    managed = _sent_or_kept(old, found, from_subresource=bool(subresource))
    if managed or old is None or not old:
        shape = shapes.of_kind(kind, schema)
        writer = Manager(manager, "Update", kind.api_version, subresource)
        before = old or {"apiVersion": found.get("apiVersion"), "kind": found.get("kind")}
        managed = updated(before, found, managed, writer, shape, subresources=kind.subresources, time=time or now())
        managed = _capped(managed)
    return with_managed(found, managed)


def updated(
    old: Object,
    new: Object,
    managed: Managed,
    writer: Manager,
    shape: Shape,
    *,
    subresources: tuple[str, ...] = (),
    time: str,
) -> Managed:
    """Who owns what after `writer` made `new` of `old`."""
    difference = compare(_bare(old), _bare(new), shape)
    changed = _owned_by(difference.added | difference.modified, writer.subresource, subresources)
    lost = difference.removed | changed
    found = {}
    for other, owned in managed.items():
        left = owned.fields - (difference.removed if other == writer else lost)
        if left:
            found[other] = owned._replace(fields=left)
    if changed:
        mine = found.get(writer, Owned(NOTHING, writer.api_version)).fields | changed
        found[writer] = Owned(mine, writer.api_version or new.get("apiVersion", ""), time)
    return found


def _bare(obj: Object) -> Object:
    """The object without what nobody owns."""
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict) or "managedFields" not in metadata:
        return obj
    return {**obj, "metadata": {name: value for name, value in metadata.items() if name != "managedFields"}}


def _owned_by(fields: Fields, subresource: str, subresources: tuple[str, ...]) -> Fields:
    """Of the fields written those that can be: status only through its subresource, spec only beside it."""

    def written(path: Path) -> bool:
        if path in _NEVER_OWNED or not path:
            return False
        if subresource == "status":
            return path[0] != "f:spec"
        return path[0] != "f:status" or "status" not in subresources

    return frozenset(filter(written, fields))


def ownable(fields: Fields, subresource: str, subresources: tuple[str, ...]) -> Fields:
    """The fields of an applied configuration which its manager will own."""
    return _owned_by(fields, subresource, subresources)


def managed_of(obj: object) -> Managed | None:
    """The entries of an object's managedFields, None if one of them cannot be understood."""
    metadata = obj.get("metadata") if isinstance(obj, dict) else None
    entries = metadata.get("managedFields") if isinstance(metadata, dict) else None
    found: Managed = {}
    for entry in entries if isinstance(entries, list) else []:
        if not _understood(entry):
            return None
        operation, version = entry["operation"], entry["apiVersion"]
        subresource = entry.get("subresource") or ""
        manager = Manager(entry.get("manager") or "", operation, version if operation == "Update" else "", subresource)
        found[manager] = Owned(from_fields_v1(entry.get("fieldsV1")), version, entry.get("time") or "")
    return found


def _understood(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and entry.get("operation") in ("Apply", "Update")
        and isinstance(entry.get("apiVersion"), str)
        and bool(entry["apiVersion"])
        and entry.get("fieldsType") == "FieldsV1"
        and all(isinstance(entry.get(name) or "", str) for name in ("manager", "subresource", "time"))
    )


def _sent_or_kept(old: Object | None, new: Object, *, from_subresource: bool) -> Managed:
    """The entries to go on from: the writer's if it sent good ones, else those that are there."""
    metadata = new.get("metadata")
    sent = metadata.get("managedFields") if isinstance(metadata, dict) else None
    if not from_subresource:
        if sent in ([], [{}]):
            return {}
        theirs = managed_of(new)
        if theirs:
            return theirs
    return managed_of(old) or {}


def with_managed(obj: Object, managed: Managed) -> Object:
    """The object with these entries, in Kubernetes' order; changes `obj`."""
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict):
        return obj
    entries = sorted(managed.items(), key=lambda item: (item[0].operation, item[1].time, *item[0]))
    metadata.pop("managedFields", None)
    if entries:
        metadata["managedFields"] = [_entry(manager, owned) for manager, owned in entries]
    return obj


def _entry(manager: Manager, owned: Owned) -> Object:
    found = {"manager": manager.name, "operation": manager.operation, "apiVersion": owned.api_version}
    if owned.time:
        found["time"] = owned.time
    entry: Object = {**found, "fieldsType": "FieldsV1", "fieldsV1": to_fields_v1(owned.fields)}
    if manager.subresource:
        entry["subresource"] = manager.subresource
    return entry


def _capped(managed: Managed) -> Managed:
    updaters = sorted(
        (manager for manager in managed if manager.operation == "Update"), key=lambda key: (managed[key].time, key)
    )
    surplus = len(updaters) - MOST_UPDATERS
    if surplus <= 0:
        return managed
    found = dict(managed)
    # One more than the surplus goes, because what they are put into counts too.
    for manager in updaters[: surplus + 1]:
        owned = found.pop(manager)
        bucket = Manager(ANCIENT, "Update", owned.api_version)
        before = found.get(bucket, owned)
        found[bucket] = owned._replace(fields=owned.fields | before.fields)
    return found


def last_applied(obj: Object) -> Any:
    """What `kubectl apply` says it applied last, None if it says nothing that can be read."""
    said = reading.text(reading.mapping(reading.mapping(obj, "metadata"), "annotations"), LAST_APPLIED)
    try:
        found = json.loads(said) if said else None
        check_depth(found)
    except (ValueError, RecursionError, ApiError):
        return None
    return found


LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
