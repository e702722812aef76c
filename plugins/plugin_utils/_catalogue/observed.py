# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operator tried by hand, as far as it tells of pods on different nodes: what passes, what does not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .model import Seen

if TYPE_CHECKING:
    from .._evidence.evidence import Evidence
    from .._evidence.observations import Observation

OPEN, LOST = "open", ("timeout", "unreachable")
ONLY = "works-only"
_SOURCE = "observation"
# "pod-on-node-1", "tunl0-on-node-1": what, and on which node.
_ON = re.compile(r"(?P<what>[\w.-]+?)[-_ ](?:on|of|at)[-_ ](?P<node>[\w.-]+)\Z")
_SHOWN = 4
TYPHA, API = 5473, (6443, 443)
# Ends that are no node, and of which it is not told on which node they are.
_NOWHERE_TOLD = ("pod ", "service ")
# How somebody calls what stands for several pods, wherever these are.
_SERVICE = re.compile(r"(?:service|svc|cluster-?ip|kube-dns|coredns)\b", re.IGNORECASE)


def tried(evidence: Evidence) -> tuple[Observation, ...]:
    """Everything that was tried, in the order in which it was."""
    return evidence.observations


def what_and_where(end: str) -> tuple[str, str]:
    """An end of what was tried, as what it is and its node: "pod-on-node-1" is ("pod", "node-1")."""
    match = _ON.match(end)
    return (match.group("what").lower(), match.group("node")) if match else ("", end)


def crosses(one: Observation) -> bool:
    """It goes between two nodes, to or from something that only the network of pods carries: a pod, or a tunnel."""
    what, node = what_and_where(one.source)
    other, there = what_and_where(one.target)
    return not one.outside and bool(node and there) and node != there and bool(what or other)


def said(one: Observation) -> str:
    """What was tried, in words."""
    port = f" port {one.port}" if one.port else ""
    size = f", {one.size} bytes" if one.size else ""
    way = "".join(f" {word} {end}" for word, end in (("from", one.source), ("to", one.target)) if end)
    return f"{one.check}{port}{way}{size}: {one.result or one.scope}"


def seen(one: Observation) -> Seen:
    """What was tried, as an observation of the report's."""
    return Seen("", _SOURCE, said(one))


def fails_across(evidence: Evidence) -> list[Seen]:
    """What is lost between pods of different nodes, also if it is only told that everything works on one node."""
    found = [
        one
        for one in tried(evidence)
        if (one.check == ONLY and one.scope == "same-node")
        or (one.check != ONLY and one.result in LOST and not one.size and crosses(one))
    ]
    return [seen(one) for one in found][:_SHOWN]


def works_across(evidence: Evidence) -> list[Seen]:
    """What passes between pods of different nodes, where nothing is lost that way."""
    if fails_across(evidence):
        return []
    return [seen(one) for one in tried(evidence) if one.result == OPEN and crosses(one) and not one.size][:_SHOWN]


def port_is_lost(evidence: Evidence, *ports: int) -> tuple[list[Observation], list[Observation]]:
    """What was sent by UDP between two hosts to one of these ports and did not come, and what did come by another port
    between the same ones. That nothing answers UDP is no news: only somebody who looked at the other end can tell."""
    told = [one for one in tried(evidence) if one.check == "udp" and one.port and not what_and_where(one.source)[0]]
    lost = [one for one in told if one.port in ports and one.result in LOST and not what_and_where(one.target)[0]]
    ways = {(one.source, one.target) for one in lost}
    passing = [one for one in told if one.port not in ports and one.result == OPEN and (one.source, one.target) in ways]
    return lost, passing


def opened_by_answer(evidence: Evidence) -> list[Seen]:
    """What was lost, and passed after the other side had sent something."""
    lost: dict[tuple[str, str], Observation] = {}
    spoke: set[tuple[str, str]] = set()
    for one in tried(evidence):
        way = (one.source, one.target)
        if one.result in LOST:
            lost[way] = one
        elif one.result == OPEN:
            if way in lost and way in spoke:
                return [Seen("", _SOURCE, f"{said(lost[way])}; after {one.target} had sent: {one.result}")]
            spoke.add((one.target, one.source))
    return []


def only_within(evidence: Evidence, *scopes: str) -> list[Seen]:
    """That things work only within one subnet, zone or node."""
    return [seen(one) for one in tried(evidence) if one.check == ONLY and one.scope in scopes]


def by_protocol(evidence: Evidence) -> tuple[list[Seen], list[Seen]]:
    """What passes and what is lost between pods of different nodes, where the protocol makes the difference."""
    ways = [one for one in tried(evidence) if crosses(one) and not one.size]
    passing = [one for one in ways if one.result == OPEN and one.check == "ping"]
    lost = [one for one in ways if one.result in LOST and one.check in ("tcp", "udp", "http", "https", "curl")]
    same = {(one.source, one.target) for one in passing} & {(one.source, one.target) for one in lost}
    return (
        [seen(one) for one in passing if (one.source, one.target) in same],
        [seen(one) for one in lost if (one.source, one.target) in same],
    )


def thresholds(evidence: Evidence) -> list[tuple[Observation, Observation]]:
    """Pairs of what was tried alike but for its size: the largest that passes, and the least that is lost."""
    groups: dict[tuple[str, int | None, str, str], list[Observation]] = {}
    for one in tried(evidence):
        if one.size:
            groups.setdefault((one.check, one.port, one.source, one.target), []).append(one)
    found = []
    for group in groups.values():
        passing = [one for one in group if one.result == OPEN]
        lost = [one for one in group if one.result in LOST]
        if passing and lost:
            largest = max(passing, key=_size)
            least = min(lost, key=_size)
            if _size(largest) < _size(least):
                found.append((largest, least))
    return found


def _size(one: Observation) -> int:
    return one.size or 0


def passes_partly(evidence: Evidence) -> list[Seen]:
    """What passes between pods of different nodes, whatever else is lost, unless it took the other side to open it."""
    if opened_by_answer(evidence):
        return []
    return [seen(one) for one in tried(evidence) if one.result == OPEN and crosses(one)][:_SHOWN]


def stalls(evidence: Evidence) -> list[Seen]:
    """What passes one way between two ends and not the other way."""
    passing = {(one.check, one.port, one.source, one.target) for one in tried(evidence) if one.result == OPEN}
    return [
        seen(one)
        for one in tried(evidence)
        if one.result in LOST and one.check not in ("ping", ONLY) and not one.size
        if (one.check, one.port, one.target, one.source) in passing
    ][:_SHOWN]


def lost_by_pods(evidence: Evidence) -> list[Seen]:
    """What pods send to Services or to other pods, wherever these are, and what is lost on the way."""
    return [
        seen(one)
        for one in tried(evidence)
        if one.outside
        and one.result in LOST
        and not one.size
        and what_and_where(one.source)[0]
        and one.target.startswith(_NOWHERE_TOLD)
        and one.port not in (TYPHA, *API)
    ][:_SHOWN]


def lost_to_services(evidence: Evidence) -> list[Observation]:
    """What is lost on its way to a Service, from wherever that was tried."""
    return [
        one
        for one in tried(evidence)
        if one.result in LOST and not one.size and _SERVICE.match(one.target) and one.port not in (TYPHA, *API)
    ]


def pods_answer_beside_services(evidence: Evidence) -> list[Seen]:
    """The pods of another node answer where a Service, asked from the same place, does not."""
    sources = {one.source for one in lost_to_services(evidence)}
    return [seen(one) for one in tried(evidence) if one.result == OPEN and one.source in sources and crosses(one)][
        :_SHOWN
    ]


def of_control_plane(evidence: Evidence) -> list[tuple[str, Observation]]:
    """Connections to Typha and to the API server that did not come about, as ("typha" or "api", what was tried)."""
    failed = [one for one in tried(evidence) if one.check == "tcp" and one.result in (*LOST, "refused")]
    typha = [("typha", one) for one in failed if one.port == TYPHA]
    api = [
        ("api", one)
        for one in failed
        if one.port == API[0] or (one.port == API[1] and one.target == "service kubernetes")
    ]
    return [*typha[:1], *api[:1]]
