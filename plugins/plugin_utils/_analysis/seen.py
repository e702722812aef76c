# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of BGP was seen at all: silence is never health."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node


def heard(evidence: Evidence) -> bool:
    """Some node with Calico told of its sessions."""
    return any(node.has_calico and bgp_was_seen(node) for node in evidence.nodes.values())


def bgp_was_seen(node: Node) -> bool:
    """BIRD answered on the node, or is known not to be used there, and the node itself was looked at."""
    return (
        not node.has_calico
        or (node.bird_expected is False and node.processes_listed)
        or any(daemon.socket_state == "answers" for daemon in node.daemons.values())
    )


def without_sessions(evidence: Evidence) -> list[str]:
    """The nodes whose BIRD has no session, where nobody knows whether it ought to have any.

    What the API's objects call for is compared with what is there, and tells of such nodes by itself.
    """
    if evidence.comparison is not None:
        return []
    heard_of = {
        node.name: sum(len(daemon.established) + len(daemon.troubled) for daemon in node.daemons.values())
        for node in evidence.nodes.values()
        if node.bird_expected and node.daemons and all(one.socket_state == "answers" for one in node.daemons.values())
    }
    return sorted(name for name, number in heard_of.items() if not number)


def shows_calico(evidence: Evidence, node: Node) -> bool:
    """Its own state, a log of Calico's, or a pod of it in the API's objects shows that there is Calico."""
    if node.has_calico or node.log or node.control.log:
        return True
    pods = evidence.cluster.pods_of("calico-node", "canal") if evidence.cluster else ()
    return any(pod.node in (node.name, node.nodename) for pod in pods)


def bystanders(evidence: Evidence) -> frozenset[str]:
    """Hosts that were looked at and are no nodes of the cluster, such as the controller: nobody has them on record, and
    neither Calico nor a kubelet is there. Nobody is one where no host has Calico."""
    if not any(node.has_calico for node in evidence.nodes.values()):
        return frozenset()
    on_record = {one.node.name for one in evidence.registered if one.node is not None}
    return frozenset(
        name
        for name, node in evidence.nodes.items()
        if name not in on_record
        and node.processes_listed
        and not node.own.kubelet_nodename
        and not shows_calico(evidence, node)
    )
