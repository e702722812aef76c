# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, labels, owners and field managers of objects."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from .._evidence import plain
from .given import Complaints, Given
from .model import Condition, Owned

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

# Calico keeps the labels and annotations of its own objects in one annotation of the CRD's object that carries them.
_ORIGINAL = "projectcalico.org/metadata"
_LARGEST_ORIGINAL = 256 * 1024
_KEY = re.compile(r'k:\{"name":"([^"]{1,253})"\}$')
_KNOWN_VERSIONS = frozenset(("crd.projectcalico.org/v1", "projectcalico.org/v3", "operator.tigera.io/v1"))
_CALICO_GROUPS = ("projectcalico.org/", "crd.projectcalico.org/", "operator.tigera.io/")


def objects(listed: Any, kind: str, complaints: Complaints) -> Iterator[tuple[Given, str]]:
    """Yield the objects of a list (or of a List object) with their names; what is no object or has no name is told."""
    for number, raw in enumerate(_items(listed, kind, complaints)):
        if not isinstance(raw, dict):
            complaints.add(f"{kind} number {number + 1} is no object.")
            continue
        metadata = raw.get("metadata")
        name = plain.text(metadata.get("name")) if isinstance(metadata, dict) else ""
        if not name:
            complaints.add(f"{kind} number {number + 1} has no name.")
            continue
        namespace = plain.text(metadata.get("namespace")) if isinstance(metadata, dict) else ""
        given = Given(raw, f"{kind} {f'{namespace}/' if namespace else ''}{name}", complaints)
        _look_at_version(given)
        yield given, name


def _items(listed: Any, kind: str, complaints: Complaints) -> list[Any]:
    if listed is None:
        return []
    if isinstance(listed, dict) and isinstance(listed.get("items"), list):
        listed = listed["items"]
    if isinstance(listed, (list, tuple)):
        return list(listed)
    complaints.add(f"The list of {kind} objects is no list.")
    return []


def _look_at_version(given: Given) -> None:
    version = given.raw.get("apiVersion")
    if isinstance(version, str) and version not in _KNOWN_VERSIONS and version.startswith(_CALICO_GROUPS):
        given.complain(
            "apiVersion", f"is {plain.text(version[:80])}, which is not known here; it was read all the same"
        )


def unique(found: Iterator[tuple[Given, str]]) -> Iterator[tuple[Given, str]]:
    """Yield each object of a cluster-wide kind once by name; that a name is there twice with other content is told."""
    seen: dict[str, Given] = {}
    for given, name in found:
        earlier = seen.setdefault(name, given)
        if earlier is given:
            yield given, name
        elif earlier.raw.get("spec") != given.raw.get("spec"):
            given.complain("metadata.name", "is there twice with different content; the first one was read")


def owned(given: Given) -> Owned:
    """Return who made an object."""
    metadata = given.part("metadata")
    labels, annotations = metadata.strings("labels"), metadata.strings("annotations")
    original = original_metadata(annotations)
    for kept, key in ((labels, "labels"), (annotations, "annotations")):
        for name, value in plain.mapping(original.get(key)).items():
            if isinstance(value, str):
                kept.setdefault(name, plain.text(value))
    return Owned(
        labels=labels,
        annotations={name: value for name, value in annotations.items() if name != _ORIGINAL},
        owner=controller(metadata),
        managers=_managers(metadata),
        fields=_fields(metadata),
    )


def labels_of(given: Given) -> dict[str, str]:
    """Return an object's labels, those that Calico keeps in an annotation among them."""
    return dict(owned(given).labels)


def original_metadata(annotations: dict[str, str]) -> dict[str, Any]:
    """Return what Calico's own API knows as the metadata of an object of crd.projectcalico.org; {} if nothing."""
    written = annotations.get(_ORIGINAL, "")
    if not written or len(written) > _LARGEST_ORIGINAL:
        return {}
    try:
        return plain.mapping(json.loads(written))
    except (ValueError, RecursionError):
        return {}


def controller(metadata: Given) -> str:
    """Return kind/name of the owner that controls the object, else of the first one; '' if there is none."""
    owners = metadata.parts("ownerReferences")
    chosen = next((one for one in owners if one.raw.get("controller") is True), owners[0] if owners else None)
    if chosen is None:
        return ""
    kind, name = chosen.text("kind"), chosen.text("name")
    return f"{kind}/{name}" if kind and name else ""


def _managers(metadata: Given) -> tuple[str, ...]:
    """Return the field managers, last writer first. Those of subresources write states, not settings."""
    entries = [
        (one.time("time") or 0.0, one.text("manager"))
        for one in metadata.parts("managedFields")
        if one.raw.get("subresource") != "status"
    ]
    ordered = sorted(entries, key=lambda entry: entry[0], reverse=True)
    return tuple(dict.fromkeys(manager for _time, manager in ordered if manager))


def _fields(metadata: Given) -> dict[str, tuple[str, ...]]:
    """Return what each manager owns: names below spec, "env.NAME" for variables of a pod template's containers,
    "data.NAME" for keys of a ConfigMap."""
    found: dict[str, dict[str, None]] = {}
    for one in metadata.parts("managedFields"):
        written = plain.mapping(one.raw.get("fieldsV1"))
        spec = plain.mapping(written.get("f:spec"))
        paths = [*_named(spec), *(f"data.{name}" for name in _named(plain.mapping(written.get("f:data"))))]
        template = plain.mapping(plain.mapping(plain.mapping(spec.get("f:template")).get("f:spec")).get("f:containers"))
        for container in template.values():
            variables = plain.mapping(plain.mapping(container).get("f:env"))
            paths += [f"env.{match.group(1)}" for match in map(_KEY.match, variables) if match is not None]
        if paths:
            found.setdefault(one.text("manager"), {}).update(dict.fromkeys(paths))
    return {manager: tuple(paths) for manager, paths in found.items()}


def _named(fields: dict[str, Any]) -> list[str]:
    return [name[2:] for name in fields if name.startswith("f:")]


def conditions(status: Given) -> tuple[Condition, ...]:
    """Return the conditions of an object's status."""
    found = []
    for one in status.parts("conditions"):
        kind = one.text("type")
        if not kind:
            continue
        value = one.raw.get("status")
        said = str(value) if isinstance(value, bool) else one.text("status")
        found.append(
            Condition(
                type=kind,
                status=said if said in ("True", "False", "Unknown") else "Unknown",
                reason=one.text("reason"),
                message=one.text("message"),
                changed_at=one.time("lastTransitionTime"),
                heartbeat_at=one.time("lastHeartbeatTime"),
            )
        )
    return tuple(found)
