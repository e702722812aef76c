# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`kubectl describe node` and `kubectl describe pod`, one object or several."""

from __future__ import annotations

import re
from typing import NamedTuple

from . import kubectl_events, lines, words
from .parsed import Parsed, Problem

_FIELD = re.compile(r"([A-Z][\w ()-]{0,40}):(?:\s+(.*))?$")
_CONTAINER = re.compile(r"  ([a-z0-9][\w.-]{0,62}):$")
_SETTING = re.compile(r"    ([A-Z][\w ()-]{0,40}):\s*(.*)$")
_WIDE = re.compile(r" {2,}|\t+")
_ANNOTATION = re.compile(r"\s*([\w.-]{1,128}/[\w.-]{1,64})(?:: ?|=)(.*)$")
_CONTAINER_SECTIONS = ("Containers", "Init Containers", "Ephemeral Containers")


class Container(NamedTuple):
    """One container of a pod: `state` as printed ("Running", "Waiting"), `reason` of it or of what it was before."""

    name: str
    image: str
    ready: bool
    restarts: int
    state: str
    reason: str


class Condition(NamedTuple):
    """One condition: True, False or Unknown in `status`."""

    type: str
    status: str
    reason: str
    message: str


class Described(NamedTuple):
    """One object. `kind` is node or pod; `node` the node a pod runs on; `addresses` a node's by kind ("InternalIP")
    or a pod's ("IP"); `annotations` those with Calico's domain; `events` as kubectl_events has them."""

    kind: str
    name: str
    namespace: str
    node: str
    addresses: dict[str, str]
    annotations: dict[str, str]
    conditions: tuple[Condition, ...]
    containers: tuple[Container, ...]
    events: tuple[kubectl_events.Event, ...]


class _Object:
    """The lines of one object by the section that they stand in; what stands behind a section's name is its first."""

    def __init__(self) -> None:
        self.sections: dict[str, list[str]] = {}

    def first(self, section: str) -> str:
        found = self.sections.get(section, [])
        return found[0].strip() if found else ""


def parse(text: str) -> Parsed[tuple[Described, ...]]:
    """Return the objects in the order printed. One that is neither node nor pod is passed over."""
    objects: list[_Object] = []
    section = ""
    start = (0, "")
    for number, raw in lines.numbered(text):
        line = raw.expandtabs(8)
        start = start if start[1] or not line.strip() else (number, line)
        field = _FIELD.match(line)
        # Events are the last section, and their messages may have lines of any form.
        if field is not None and (section != "Events" or field.group(1) == "Name"):
            section = field.group(1)
            if section == "Name":
                objects.append(_Object())
            if objects:
                objects[-1].sections.setdefault(section, []).append(field.group(2) or "")
        elif objects and section:
            objects[-1].sections[section].append(line)
    found = tuple(described for described in map(_described, objects) if described is not None)
    if not found:
        return Parsed((), (Problem(start[0], start[1][:120], "no description of a node or pod"),))
    return Parsed(found)


def _described(entry: _Object) -> Described | None:
    sections = entry.sections
    is_node = any(name in sections for name in ("Unschedulable", "System Info", "Addresses", "PodCIDR", "Allocatable"))
    is_node = is_node or ("Conditions" in sections and any("Heartbeat" in row for row in sections["Conditions"]))
    is_pod = any(name in sections for name in (*_CONTAINER_SECTIONS, "Node", "Controlled By"))
    if not is_node and not is_pod:
        return None
    return Described(
        kind="node" if is_node else "pod",
        name=entry.first("Name"),
        namespace="" if is_node else entry.first("Namespace"),
        node="" if is_node else entry.first("Node").partition("/")[0],
        addresses=_addresses(entry, is_node),
        annotations=_annotations(sections.get("Annotations", [])),
        conditions=tuple(_conditions(sections.get("Conditions", []))),
        containers=tuple(
            container for name in _CONTAINER_SECTIONS for container in _containers(sections.get(name, []))
        ),
        events=kubectl_events.parse("\n".join(sections.get("Events", []))).value,
    )


def _addresses(entry: _Object, is_node: bool) -> dict[str, str]:
    if not is_node:
        found = {"IP": words.address(entry.first("IP")), "Host": words.address(entry.first("Node").partition("/")[2])}
        return {kind: address for kind, address in found.items() if address}
    pairs = (row.strip().partition(":") for row in entry.sections.get("Addresses", []))
    return {kind: value.strip() for kind, colon, value in pairs if colon}


def _annotations(rows: list[str]) -> dict[str, str]:
    found = {}
    for row in rows:
        match = _ANNOTATION.match(row)
        if match is not None and "projectcalico.org/" in match.group(1):
            found[match.group(1)] = match.group(2).strip()
    return found


def _conditions(rows: list[str]) -> list[Condition]:
    """Read a node's table (Type, Status, two times, Reason, Message) or a pod's (Type, Status)."""
    found = []
    for row in rows:
        cells = _WIDE.split(row.strip(), maxsplit=5)
        if len(cells) >= 2 and cells[1] in ("True", "False", "Unknown"):
            reason, message = (cells[-2], cells[-1]) if len(cells) >= 5 else ("", "")
            found.append(Condition(cells[0], cells[1], reason, message[:400]))
    return found


def _containers(rows: list[str]) -> list[Container]:
    found: list[tuple[str, dict[str, str]]] = []
    state = ""
    for row in rows:
        title = _CONTAINER.match(row)
        setting = _SETTING.match(row)
        if title is not None:
            found.append((title.group(1), {}))
        elif setting is not None and found:
            state = setting.group(1)
            found[-1][1][state] = setting.group(2).strip()
        elif found and state in ("State", "Last State"):
            name, colon, value = row.strip().partition(":")
            if colon:
                found[-1][1].setdefault(f"{state} {name}", value.strip())
    return [
        Container(
            name=name,
            image=settings.get("Image", ""),
            ready=settings.get("Ready") == "True",
            restarts=words.number(settings.get("Restart Count", "")) or 0,
            state=settings.get("State", ""),
            reason=settings.get("State Reason", "") or settings.get("Last State Reason", ""),
        )
        for name, settings in found
    ]
