# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`kubectl describe` of nodes, pods and DaemonSets, one object or several."""

from __future__ import annotations

import re
from typing import NamedTuple

from . import columns, kubectl_events, lines, words
from .parsed import Parsed, Problem

_FIELD = re.compile(r"([A-Z][\w ()-]{0,40}):(?:\s+(.*))?$")
# In a DaemonSet's template they stand one place further to the right.
_CONTAINER = re.compile(r" {2,3}([a-z0-9][\w.-]{0,62}):$")
_TEMPLATE_PART = re.compile(r"  ([A-Z][\w ]{0,40}):")
_VARIABLE = re.compile(r" {5,8}([A-Za-z_][\w.-]{0,127}): {1,80}(\S.*)$")
_PROBE = re.compile(r"exec \[([^\]]{1,400})\]")
# What stands in a variable's place where its value is elsewhere.
_REFERENCE = ("<set to ", "(v1:", "(resource ", "<")
_TAINT = re.compile(r"([\w./-]{1,320})(?:=([\w.-]{0,63}))?:(NoSchedule|PreferNoSchedule|NoExecute)$")
_TOLERATION = re.compile(
    r"(?P<key>[\w./-]{1,320})??(?:=(?P<value>[\w.-]{1,63}))?(?::(?P<effect>NoSchedule|PreferNoSchedule|NoExecute))?"
    r"(?: ?op=(?P<operator>Exists))?(?: for \d+s)?$"
)
_SETTING = re.compile(r"    ([A-Z][\w ()-]{0,40}):\s*(.*)$")
_WIDE = re.compile(r" {2,}|\t+")
_ANNOTATION = re.compile(r"\s*([\w.-]{1,128}/[\w.-]{1,64})(?:: ?|=)(.*)$")
_LONGEST_MESSAGE = 400
# Settings of a container that have lines of their own below them.
_WITH_PARTS = ("State", "Last State", "Limits")
_CONTAINER_SECTIONS = ("Containers", "Init Containers", "Ephemeral Containers")


class Ended(NamedTuple):
    """How a container ended before it was started again."""

    reason: str
    message: str
    exit_code: int | None


class Container(NamedTuple):
    """One container of a pod: `state` as printed ("Running", "Waiting") with its `reason`, `message` and `exit_code`;
    `last` how it was before, likewise; `env` its variables that have a plain value, `probes` the commands by
    "Readiness" and "Liveness", `memory` its limit as printed."""

    name: str
    image: str
    ready: bool
    restarts: int
    state: str
    reason: str
    message: str = ""
    exit_code: int | None = None
    last: Ended | None = None
    memory: str = ""
    init: bool = False
    env: dict[str, str] = {}  # noqa: RUF012 - never changed
    probes: dict[str, str] = {}  # noqa: RUF012


class Condition(NamedTuple):
    """One condition: True, False or Unknown in `status`."""

    type: str
    status: str
    reason: str
    message: str


class Described(NamedTuple):
    """One object. `kind` is node, pod or daemonset; `node` the node a pod runs on; `addresses` a node's by kind
    ("InternalIP") or a pod's ("IP"); `annotations` those with Calico's domain; `events` as kubectl_events has them;
    `phase` a pod's, with `reason` and `message` where it was refused or ended; `owner` as printed
    ("DaemonSet/calico-node"); `labels` a node's or pod's; `taints` a node's as key, value and effect; `tolerations` a
    pod's and `counts` a DaemonSet's by the API's names; `selector` the labels that it asks nodes for."""

    kind: str
    name: str
    namespace: str
    node: str
    addresses: dict[str, str]
    annotations: dict[str, str]
    conditions: tuple[Condition, ...]
    containers: tuple[Container, ...]
    events: tuple[kubectl_events.Event, ...]
    phase: str = ""
    reason: str = ""
    message: str = ""
    owner: str = ""
    labels: dict[str, str] = {}  # noqa: RUF012
    taints: tuple[tuple[str, str, str], ...] = ()
    tolerations: tuple[dict[str, str], ...] = ()
    counts: dict[str, int] = {}  # noqa: RUF012
    selector: dict[str, str] = {}  # noqa: RUF012


class _Object:
    """The lines of one object by the section that they stand in; what stands behind a section's name is its first."""

    def __init__(self) -> None:
        self.sections: dict[str, list[str]] = {}

    def first(self, section: str) -> str:
        found = self.sections.get(section, [])
        return found[0].strip() if found else ""


_CONDITIONS = re.compile(r"\s*Type\s+Status\s+LastHeartbeatTime\s")
# Who shows a node's conditions alone speaks of one node.
UNNAMED = "unnamed-node"


def parse(text: str) -> Parsed[tuple[Described, ...]]:
    """Return the objects in the order printed. One that is no node, pod or DaemonSet is passed over."""
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
            if section == "Name" or (section == "Conditions" and not objects):
                objects.append(_Object())
            if objects:
                objects[-1].sections.setdefault(section, []).append(field.group(2) or "")
        elif _CONDITIONS.match(line) and not objects:
            section = "Conditions"
            objects.append(_Object())
            objects[-1].sections[section] = [line]
        elif objects and section:
            # Who shows only some of it often leaves the heading out.
            section = "Conditions" if _CONDITIONS.match(line) else section
            objects[-1].sections.setdefault(section, []).append(line)
    found = tuple(described for described in map(_described, objects) if described is not None)
    if not found:
        return Parsed((), (Problem(start[0], start[1][:120], "no description of a node, pod or DaemonSet"),))
    return Parsed(found)


def _described(entry: _Object) -> Described | None:
    sections = entry.sections
    is_node = any(name in sections for name in ("Unschedulable", "System Info", "Addresses", "PodCIDR", "Allocatable"))
    is_node = is_node or ("Conditions" in sections and any("Heartbeat" in row for row in sections["Conditions"]))
    # Of nothing else kubectl prints these; where all but the events is cut off, their source tells it.
    is_set = "Desired Number of Nodes Scheduled" in sections or "Node-Selector" in sections or _made_for_nodes(entry)
    is_pod = any(name in sections for name in (*_CONTAINER_SECTIONS, "Node", "Controlled By"))
    if is_set:
        return _daemonset(entry)
    if not is_node and not is_pod:
        return None
    return Described(
        kind="node" if is_node else "pod",
        name=entry.first("Name") or UNNAMED,
        namespace="" if is_node else entry.first("Namespace"),
        node="" if is_node else columns.shown(entry.first("Node").partition("/")[0]),
        addresses=_addresses(entry, is_node),
        annotations=_annotations(sections.get("Annotations", [])),
        conditions=tuple(_conditions(sections.get("Conditions", []))),
        containers=tuple(
            container for name in _CONTAINER_SECTIONS for container in _containers(sections.get(name, []), name)
        ),
        events=_events(entry),
        phase="" if is_node else entry.first("Status").partition(" ")[0],
        reason="" if is_node else entry.first("Reason"),
        message="" if is_node else entry.first("Message")[:_LONGEST_MESSAGE],
        owner=entry.first("Controlled By"),
        labels=_labels(sections.get("Labels", [])),
        taints=_taints(sections.get("Taints", [])) if is_node else (),
        tolerations=_tolerations(sections.get("Tolerations", [])),
    )


def _made_for_nodes(entry: _Object) -> bool:
    return any(one.source == "daemonset-controller" for one in _events(entry))


# What kubectl prints, and what the API calls it.
_COUNTS = {
    "Desired Number of Nodes Scheduled": "desiredNumberScheduled",
    "Current Number of Nodes Scheduled": "currentNumberScheduled",
    "Number of Nodes Scheduled with Available Pods": "numberAvailable",
    "Number of Nodes Misscheduled": "numberMisscheduled",
}


def _daemonset(entry: _Object) -> Described:
    told = {name: words.number(entry.first(printed)) for printed, name in _COUNTS.items()}
    containers: list[Container] = []
    part = ""
    rows: list[str] = []
    for row in [*entry.sections.get("Pod Template", []), "  End:"]:
        head = _TEMPLATE_PART.match(row)
        if head is None:
            rows.append(row)
        else:
            containers += _containers(rows, part) if part in _CONTAINER_SECTIONS else []
            part, rows = head.group(1), []
    return Described(
        kind="daemonset",
        name=entry.first("Name") or UNNAMED,
        namespace=entry.first("Namespace"),
        node="",
        addresses={},
        annotations={},
        conditions=(),
        containers=tuple(containers),
        events=_events(entry),
        labels=_labels(entry.sections.get("Labels", [])),
        counts={name: number for name, number in told.items() if number is not None},
        selector=words.labels(columns.shown(entry.first("Node-Selector"))),
    )


def _events(entry: _Object) -> tuple[kubectl_events.Event, ...]:
    return kubectl_events.parse("\n".join(entry.sections.get("Events", []))).value


def _labels(rows: list[str]) -> dict[str, str]:
    """Read labels, one in each line; a line of a web page may hold all of them."""
    return {name: value for row in rows for name, value in words.labels(",".join(row.split())).items()}


def _taints(rows: list[str]) -> tuple[tuple[str, str, str], ...]:
    found = (_TAINT.match(word) for row in rows for word in row.split())
    return tuple((match.group(1), match.group(2) or "", match.group(3)) for match in found if match is not None)


def _tolerations(rows: list[str]) -> tuple[dict[str, str], ...]:
    found = (_TOLERATION.match(row.strip()) for row in rows)
    return tuple(
        {key: value for key, value in match.groupdict().items() if value}
        for match in found
        if match is not None and match.end()
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


def _containers(rows: list[str], section: str) -> list[Container]:
    found: list[tuple[str, dict[str, str], dict[str, str]]] = []
    state = ""
    for row in rows:
        title = _CONTAINER.match(row)
        setting = _SETTING.match(row)
        variable = _VARIABLE.match(row) if state == "Environment" else None
        if title is not None:
            found.append((title.group(1), {}, {}))
        elif setting is not None and found:
            state = setting.group(1)
            found[-1][1][state] = setting.group(2).strip()
        elif found and variable is not None:
            if not variable.group(2).startswith(_REFERENCE):
                found[-1][2][variable.group(1)] = variable.group(2).strip()[:400]
        elif found and state in _WITH_PARTS:
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
            reason=settings.get("State Reason", ""),
            message=settings.get("State Message", "")[:_LONGEST_MESSAGE],
            exit_code=words.number(settings.get("State Exit Code", "")),
            last=_ended(settings),
            memory=settings.get("Limits memory", ""),
            init=section == "Init Containers",
            env=variables,
            probes={
                kind: match.group(1)
                for kind in ("Readiness", "Liveness")
                if (match := _PROBE.match(settings.get(kind, ""))) is not None
            },
        )
        for name, settings, variables in found
    ]


def _ended(settings: dict[str, str]) -> Ended | None:
    if "Last State" not in settings:
        return None
    return Ended(
        settings.get("Last State Reason", ""),
        settings.get("Last State Message", "")[:_LONGEST_MESSAGE],
        words.number(settings.get("Last State Exit Code", "")),
    )
