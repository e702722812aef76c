# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the faults of the host and of Felix share: log lines by kind, and what Felix says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import gate_signals
from .model import Remedy, Seen, Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .._evidence.control_plane import HostLine
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

LINES_SHOWN = 3
# Programs that write into the same logs and are not Felix.
NOT_FELIX = (
    *("confd", "typha", "cni-plugin", "install-cni", "startup", "cni", "cni-config-monitor", "kubelet", "flannel"),
    *("monitor-addresses", "allocate-tunnel-addrs", "tunnel-ip-allocator", "node-status-reporter", "status-reporter"),
    *("cni-installer", "calico-kube-controllers", "kube-controllers", "node-services", "complete-startup"),
    *("kernel", "systemd-networkd", "NetworkManager", "coredns"),
)


def each(evidence: Evidence, concerned: Callable[[Node], object], **where: object) -> Iterator[Subject]:
    """One subject for every node of which this holds, with its sessions in trouble."""
    for node in evidence.nodes.values():
        if concerned(node):
            yield Subject((node.name,), evidence.down_at(node.name), {"node": node.name, **where}, node)


def told(subject: Subject, *kinds: str, words: str = "") -> list[Seen]:
    """The node's telling lines of these kinds, with these words in them if any are given."""
    node = subject.node
    lines = [line for line in node.control.lines(*kinds) if words in line.text] if node else []
    return [gate_signals.seen_line(node, line) for line in lines[:LINES_SHOWN]] if node else []


def release_of(evidence: Evidence, node: Node | None) -> str:
    """The release of Calico on a node, else that of the cluster, else what the operator says; '' if nothing tells."""
    environment = evidence.cluster.environment if evidence.cluster else {}
    told = (node.calico_version if node else "", evidence.flavour.version, environment.get("calico_version"))
    return next((str(one) for one in told if one), "")


def remedy(evidence: Evidence, subject: Subject, part: str, **variables: object) -> Remedy | None:
    """One part of the host's network put right by a role, with its variables; None for a host that was not read."""
    names = tuple(name for name in subject.nodes if name in evidence.nodes)
    return Remedy("host_network", {"host_network_parts": [part], **variables}, names) if names else None


def felix_is_well(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Felix says that it is ready: it programs what it has to."""
    node = subject.node
    return [Seen(node.name, "Felix' health", "ready")] if node and node.control.felix.state == "ready" else []


def felix_is_not_well(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Felix does not run, or says that it is not ready."""
    node = subject.node
    state = node.control.felix.state if node else ""
    if node is None or state not in ("not_ready", "not_live", "refused"):
        return []
    parts = "; ".join(f"{name}: {said}" for name, said in node.control.felix.parts.items())
    return [Seen(node.name, "Felix' health", " ".join(filter(None, (state.replace("_", " "), parts))))]


def is_felix(line: HostLine) -> bool:
    """Felix wrote this line: releases differ in how it calls itself there, but not in how others do."""
    return line.component not in NOT_FELIX
