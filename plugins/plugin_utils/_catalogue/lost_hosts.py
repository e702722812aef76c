# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines of which not the kubelet alone is lost: nobody else reaches them either.

BIRD and its sessions go on without a kubelet. Where both are lost at once, it is the machine, or all of its network.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from .._gate import model as gate
from .._gate import nodes as conditions
from . import api, gate_signals, words
from .model import Seen, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._cluster.model import Pod
    from .._evidence.evidence import Evidence

_LOST_PEERS = re.compile(r"not established with ([0-9a-fA-F.:, ]+)")


class Lost(NamedTuple):
    """A machine whose kubelet is lost, and that was not read: what tells that more than the kubelet is lost."""

    name: str
    record: str
    unreachable: tuple[Seen, ...]
    by_peers: tuple[Seen, ...]


def lost(evidence: Evidence) -> dict[str, Lost]:
    """The machines that are lost with their kubelets, by the inventory's name."""
    return evidence.once("hosts lost with their kubelets", lambda: {one.name: one for one in _lost(evidence)})


def _lost(evidence: Evidence) -> Iterator[Lost]:
    kinds = (conditions.SILENT, conditions.UNTOLD)
    stopped = [checked for checked, _wrong in gate_signals.stopped_at(evidence, gate.HOST, kinds)]
    records = {checked.node for checked in stopped}
    for checked in stopped:
        if checked.name in evidence.nodes or _answers(evidence, checked.name):
            continue
        absent = tuple(
            Seen(one.name, "ansible", one.why)
            for one in evidence.missing
            if one.unreachable and one.name == checked.name
        )
        peers = (*_events(evidence, checked.name), *_pods(evidence, records))
        if absent or peers:
            yield Lost(checked.name, checked.node, absent, peers[:3])


def _addresses(evidence: Evidence, name: str) -> set[str]:
    record = api.record_of(evidence, name)
    told = [record.address(family) for family in ("ipv4", "ipv6")] if record else []
    return {one for one in (*told, *(record.internal_addresses if record else ())) if one}


def _answers(evidence: Evidence, name: str) -> bool:
    """Somebody that was read has a session with it, or has an answer of its host."""
    addresses = _addresses(evidence, name)
    for node in evidence.nodes.values():
        if any(addresses & daemon.established for daemon in node.daemons.values()):
            return True
        for reach in (node.reachability[one] for one in addresses & node.reachability.keys()):
            if reach.echo == "answered" or reach.neighbour == "reachable":
                return True
    return False


def _events(evidence: Evidence, name: str) -> list[Seen]:
    """Other nodes' readiness says that their sessions with it are lost."""
    addresses = _addresses(evidence, name)
    found = []
    for event in evidence.cluster.events if evidence.cluster else ():
        told = _LOST_PEERS.search(event.message)
        if told and addresses & {one.strip() for one in told.group(1).split(",")}:
            found.append(Seen("", "events", f"{event.about}: {conditions.short(event.message)}"))
    return found


def _pods(evidence: Evidence, records: set[str]) -> list[Seen]:
    """calico-node runs on all other nodes and is ready on none, as where each has lost a session: with these nodes."""
    cluster = evidence.cluster
    agents = [pod for pod in cluster.pods_of("calico-node", "canal") if not pod.deleting] if cluster else []
    # Without -o wide it is not told where a pod is: then these nodes' own pods are among them.
    others = [pod for pod in agents if pod.node not in records]
    untold = sum(not pod.node for pod in others)
    expected = len(cluster.nodes) - (0 if untold else len(records)) if cluster else 0
    if len(records) != 1 or expected < 2 or len(others) < expected or not all(map(_runs_unready, others)):
        return []
    told = f"{words.plural(len(others), 'pod')} of calico-node run, none is ready"
    return [Seen("", "pods", f"{told}: what is lost with this node is lost to all others")]


def _runs_unready(pod: Pod) -> bool:
    return pod.phase == "Running" and not pod.ready and not any(one.state == "waiting" for one in pod.containers)


# --- subjects and signals ---


def machines(evidence: Evidence) -> Iterator[Subject]:
    """The machines that are lost with their kubelets."""
    for one in lost(evidence).values():
        where = api.where(f"node {one.record}", "status.conditions", node=one.name)
        absent = next((missing for missing in evidence.missing if missing.name == one.name), None)
        about = absent or api.record_of(evidence, one.name)
        yield Subject((one.name,), gate_signals.sessions_at(evidence, (one.name,)), where, None, about)


def lost_with_its_kubelet(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kubelet no longer reports, and Ansible cannot reach the machine: not the kubelet alone is lost."""
    return [seen for name in subject.nodes if name in lost(evidence) for seen in lost(evidence)[name].unreachable]


def lost_to_its_peers(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The node is not Ready, and other nodes have lost their sessions with it: BIRD goes on without a kubelet."""
    return [seen for name in subject.nodes if name in lost(evidence) for seen in lost(evidence)[name].by_peers]
