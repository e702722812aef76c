# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom must_gather reads: those where a diagnosis finds something, and those whom they (should) have sessions with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ...module_utils._cluster import find, packing
from .._evidence import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

AFFECTED, ALL = "affected", "all"
# Pods that serve all nodes: their logs tell of faults that show elsewhere.
_SERVING = {find.TYPHA: "Typha", find.OPERATOR: "the operator", find.KUBE_CONTROLLERS: "kube-controllers"}
_RANGE = re.compile(r"(\d{1,7})(?:-(\d{1,7}))?$")
# Of the room that all have this much is the nodes' outputs'; the rest is for facts and the API's objects.
_OUTPUTS = 0.8
# Less than that is of no use; more would be a burden as the result of a task.
_LEAST_KB, _MOST_KB = 256, 8192


class Choice(NamedTuple):
    """`nodes`: whom to read, and why, in the order of what they promise. `left_out`: who would be next, but for the
    limit. `unreachable`: who could not be reached a moment ago, and is not waited for again. `max_kb`: how large one
    node's parcel may be."""

    nodes: dict[str, str]
    left_out: list[str]
    unreachable: list[str]
    max_kb: int


class Limits(NamedTuple):
    """`nodes`: of those affected and their peers so many are read at most. `mb`: how large the archive may be."""

    nodes: int
    mb: int


def choose(
    report: Mapping[str, Any],
    hosts: Sequence[str],
    wanted: Sequence[str],
    limits: Limits,
    gone: Iterable[str] = (),
    serving: Mapping[str, str] | None = None,
) -> Choice:
    """Choose from `hosts`. `wanted`: affected, all, or names; `gone`: those that could not be reached; `serving`: on
    which nodes there are pods that serve all others, and which."""
    unreachable = set(gone)
    reasons = {name: "it was asked for by name" for name in wanted if name in hosts}
    if ALL in wanted:
        reasons.update({name: "all nodes were asked for" for name in hosts if name not in reasons})
    left_out: list[str] = []
    if AFFECTED in wanted:
        room = max(limits.nodes - len(reasons), 0)
        there = set(hosts) - unreachable
        for name, why in _affected(report, [name for name in hosts if name in there], serving or {}):
            if name not in there or name in reasons:
                continue
            if room:
                room -= 1
                reasons[name] = why
            elif name not in left_out:
                left_out.append(name)
    chosen = {name: why for name, why in reasons.items() if name not in unreachable}
    absent = [name for name in hosts if name in unreachable]
    return Choice(chosen, left_out, absent, share(limits.mb, len(chosen)))


def share(mb: int, number: int) -> int:
    """Return how many KiB of an archive of so many MiB the outputs of one of so many nodes may take."""
    return min(max(int(mb * 1024 * _OUTPUTS) // max(number, 1), _LEAST_KB), _MOST_KB)


def unknown(wanted: Iterable[str], hosts: Sequence[str]) -> list[str]:
    """Return the names among what is wanted that are no host's."""
    return [name for name in wanted if name not in (AFFECTED, ALL) and name not in hosts]


def serving(cluster: Mapping[str, Any], nodenames: Mapping[str, str]) -> dict[str, str]:
    """Return by host which pods there serve all nodes ("Typha"). `cluster`: the fact calico_cluster, `nodenames`: the
    hosts by the names of their Nodes."""
    found: dict[str, list[str]] = {}
    for pod in packing.unpacked(cluster.get("objects")).get("pods", ()):
        what = _SERVING.get(find.component(pod), "")
        name = plain.text(plain.mapping(plain.mapping(pod).get("spec")).get("nodeName"))
        host = nodenames.get(name, name)
        if what and host and what not in found.setdefault(host, []):
            found[host].append(what)
    return {host: ", ".join(what) for host, what in found.items() if what}


def _affected(report: Mapping[str, Any], hosts: Sequence[str], serves: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield whom to read and why, best first; one may come more than once. `hosts`: those that can be reached."""
    mesh = [plain.mapping(one) for one in plain.sequence(plain.mapping(report.get("mesh")).get("nodes"))]
    troubled: dict[str, str] = {}
    for name, why in (*_in_findings(report), *_without_session(mesh)):
        troubled.setdefault(name, why)
    yield from troubled.items()
    for name, what in serves.items():
        yield name, f"{what} runs there"
    missing = plain.mapping(plain.mapping(report.get("coverage")).get("nodes")).get("missing")
    centre = {*troubled, *(plain.text(plain.mapping(one).get("node")) for one in plain.sequence(missing))}
    chosen = set(troubled)
    for one, other in _related(mesh, ("up",)):
        for name, peer in ((one, other), (other, one)):
            if peer in centre:
                chosen.add(name)
                yield name, f"it is a peer of {peer}"
    # Those that matter may be out of reach, and nobody known as their peer: an archive without a log is of no use.
    if not chosen.intersection(hosts):
        where = "at any node that could be reached" if centre else "anywhere"
        for name in hosts:
            yield name, f"nothing was found {where}; it is one of the first"


def _in_findings(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for found in map(plain.mapping, plain.sequence(report.get("findings"))):
        if found.get("role") == "not_a_fault" or found.get("severity") == "info" or found.get("waived"):
            continue
        for name in plain.texts(found.get("nodes")):
            yield name, f"finding {plain.text(found.get('fault'))}"


def _without_session(mesh: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for one, other in _related(mesh, ("down", "absent")):
        yield one, f"no BGP session with {other}"
        yield other, f"no BGP session with {one}"


def _related(mesh: Sequence[Mapping[str, Any]], how: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the pairs of names of which the first is told to stand to the second in one of these ways."""
    names = [plain.text(one.get("name")) for one in mesh]
    for name, one in zip(names, mesh, strict=True):
        for told in (plain.mapping(one.get(way)) for way in how):
            for ranges in told.values():
                yield from ((name, names[at]) for at in _numbers(plain.text(ranges), len(names)))


def _numbers(ranges: str, most: int) -> Iterator[int]:
    """Yield the numbers below `most` of a text such as "0-3,7"."""
    for part in ranges.split(","):
        match = _RANGE.match(part)
        if match is not None:
            first, last = int(match.group(1)), int(match.group(2) or match.group(1))
            yield from range(first, min(last, most - 1) + 1)
