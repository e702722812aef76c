# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals and small pieces that faults found by the gate, and faults of the control plane, share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._gate.gate import gate
from .._gate.scope import ALL, size_of
from . import words
from .model import Seen, Subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .._evidence.control_plane import HostLine
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node
    from .._evidence.sessions import Session
    from .._gate.model import Checked, Wrong

# A signal that tells where to look and hardly changes the odds.
HINT = 0.1
CERTIFICATE_TIME = "certificate has expired or is not yet valid"


def sessions_at(evidence: Evidence, names: Iterable[str]) -> tuple[Session, ...]:
    """The sessions in trouble that end at these nodes, also at nodes that could not be read; each once."""
    index = evidence.once("sessions_by_label", lambda: _by_label(evidence))
    return tuple({session.key: session for name in names for session in index.get(name, ())}.values())


def _by_label(evidence: Evidence) -> dict[str, list[Session]]:
    index: dict[str, list[Session]] = {}
    for session in evidence.table.down:
        for name in set(evidence.labels(session)):
            index.setdefault(name, []).append(session)
    return index


def at(evidence: Evidence, names: Iterable[str], about: object = None, **where: object) -> Subject:
    """A subject at these nodes, with all their sessions in trouble."""
    found = tuple(sorted(set(names)))
    place: dict[str, object] = {"node": found[0], "nodes": list(found)} if found else {}
    node = evidence.nodes.get(found[0]) if found else None
    return Subject(found, sessions_at(evidence, found), {**place, **where}, node, about)


def stopped_at(evidence: Evidence, step: str, kinds: Iterable[str] = ()) -> Iterator[tuple[Checked, Wrong]]:
    """The nodes at which the gate found something at one step, of these kinds if any are given."""
    wanted = set(kinds)
    for checked in gate(evidence).nodes.values():
        wrong = checked.at(step)
        if wrong is not None and (not wanted or wrong.kind in wanted):
            yield checked, wrong


def by_kind(evidence: Evidence, step: str, kinds: Iterable[str] = ()) -> Iterator[Subject]:
    """One subject for each kind of what the gate found at a step; about is the list of (Checked, Wrong)."""
    groups: dict[str, list[tuple[Checked, Wrong]]] = {}
    for checked, wrong in stopped_at(evidence, step, kinds):
        groups.setdefault(wrong.kind, []).append((checked, wrong))
    for kind, found in groups.items():
        yield at(evidence, [checked.name for checked, _wrong in found], found, kind=kind)


def seen_by_gate(subject: Subject, kinds: Iterable[str] = ()) -> list[Seen]:
    """What the gate found at each of the subject's nodes, of these kinds if any are given."""
    wanted = set(kinds)
    found = subject.about if isinstance(subject.about, list) else []
    return [
        Seen(checked.name, wrong.source, wrong.says) for checked, wrong in found if not wanted or wrong.kind in wanted
    ]


def scope_tells(evidence: Evidence, subject: Subject) -> list[Seen]:
    """How many nodes are concerned, and what they share, tells where to look."""
    names = {checked.node for checked in gate(evidence).nodes.values() if checked.name in subject.nodes}
    found = []
    for scope in gate(evidence).scopes:
        if names and names <= set(scope.nodes) and scope.of > 1:
            found += [Seen("", "scope", f"{len(scope.nodes)} of {scope.of} nodes: {told}") for told in scope.suspects]
    return found


def worst_if_everywhere(evidence: Evidence, subject: Subject) -> str:
    """critical where (nearly) all of several nodes are concerned, else major."""
    total = len(evidence.cluster.nodes) if evidence.cluster and evidence.cluster.nodes else len(evidence.nodes)
    return "critical" if total > 1 and size_of(len(subject.nodes), total) == ALL else "major"


def nodes_of(evidence: Evidence, subject: Subject) -> list[Node]:
    """The subject's nodes that were read."""
    return [evidence.nodes[name] for name in subject.nodes if name in evidence.nodes]


def readers(evidence: Evidence) -> Iterator[Node]:
    """The nodes that were read and on which there is some trace of Calico or a telling log."""
    for node in evidence.nodes.values():
        if node.has_calico or node.control.log or node.control.apiserver:
            yield node


def seen_line(node: Node, line: HostLine) -> Seen:
    """A log line as an observation."""
    times = f" ({line.count} times)" if line.count > 1 else ""
    return Seen(node.name, f"log of {line.component or 'calico-node'}", f"{line.text}{times}", line.at)


def show_nodes(subject: Subject) -> str:
    """The subject's nodes for a sentence."""
    return words.listed(subject.nodes)
