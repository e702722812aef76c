# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of a CNI plugin whose token the API server no longer accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import agent_pod, gate_signals, restarts, words
from .clock_offsets import clock_is_off_there
from .model import DECISIVE, MODERATE, STRONG, Fault, Fix, Lookalike, Remedy, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.control_plane import HostLine
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

# calico-node writes a token for 24 h and renews it after a quarter of that.
TOKEN_OLD = 12 * 3600


def nodes_with_dead_tokens(evidence: Evidence) -> Iterator[Subject]:
    """Nodes whose CNI plugin is no longer known to the API server."""
    names = [node.name for node in evidence.nodes.values() if token_is_past(node) or _lines_unauthorized(node)]
    if names:
        yield gate_signals.at(evidence, names)


def token_is_past(node: Node) -> bool:
    """The CNI plugin's token is past its end, by the node's own clock."""
    left = node.control.cni.token_expires_in_seconds if node.control.cni else None
    return left is not None and left <= 0


def _lines_unauthorized(node: Node) -> list[HostLine]:
    """What the CNI plugin says through the kubelet, or in its own log, when its token is refused."""
    return [
        line
        for line in node.control.lines("unauthorized", "pod_setup", "apiserver")
        if "nauthorized" in line.text
        # Who is told what is forbidden is known to the API server: the token is good.
        and " is forbidden" not in line.text
        and (line.component in ("kubelet", "cni", "cni-plugin") or "ClusterInf" in line.text)
    ]


def token_is_past_its_end(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The token in calico-kubeconfig is past its end."""
    return [
        Seen(node.name, "cni", f"its token ended {words.span(-left)} ago")
        for node in gate_signals.nodes_of(evidence, subject)
        if node.control.cni and (left := node.control.cni.token_expires_in_seconds) is not None and left <= 0
    ]


def plugin_is_unauthorized(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The API server answers the CNI plugin: Unauthorized."""
    return [
        gate_signals.seen_line(node, line)
        for node in gate_signals.nodes_of(evidence, subject)
        for line in _lines_unauthorized(node)[:1]
    ]


def nobody_renews_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The DaemonSet tells calico-node not to look after the plugin's configuration (CALICO_MANAGE_CNI is false)."""
    agents = evidence.cluster.node_agents if evidence.cluster else ()
    return [
        Seen("", "daemonset", f"{agent.name}: CALICO_MANAGE_CNI={value}")
        for agent in agents
        for container in agent.containers
        if (value := container.env.get("CALICO_MANAGE_CNI", "")).lower() == "false"
    ]


def renewal_failed(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The token could not be renewed, or was not for half a day."""
    found = []
    for node in gate_signals.nodes_of(evidence, subject):
        found += [gate_signals.seen_line(node, line) for line in node.control.lines("token")]
        age = node.control.cni.token_age_seconds if node.control.cni else None
        if age is not None and age > TOKEN_OLD:
            found.append(Seen(node.name, "cni", f"its token was written {words.span(age)} ago"))
    return found


def token_is_good(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The token is not past its end."""
    return [
        Seen(node.name, "cni", f"{words.span(left)} left")
        for node in gate_signals.nodes_of(evidence, subject)
        if node.control.cni and (left := node.control.cni.token_expires_in_seconds) is not None and left > 0
    ]


def _new_token(evidence: Evidence, subject: Subject) -> Remedy | None:
    """The pods replaced, whose init container writes a new token, where it is let to and the token is the reason."""
    past = [name for name in subject.nodes if name in evidence.nodes and token_is_past(evidence.nodes[name])]
    pods = [agent_pod.pod_of(evidence, name) for name in subject.nodes]
    if (
        len(past) < len(pods)
        or None in pods
        or nobody_renews_it(evidence, subject)
        or clock_is_off_there(evidence, subject)
    ):
        return None
    return restarts.climb(evidence, subject, "pod", "pod")


CNI_TOKEN_EXPIRED = Fault(
    id="cni_token_expired",
    family="control_plane",
    title="The CNI plugin's token is no longer accepted",
    severity="major",
    role="cause",
    means=(
        "The CNI plugin has a token that calico-node writes and renews. It was not renewed, or its key is gone, so the "
        "API server refuses the plugin: pods that run go on running, and no new pod on the node gets a network."
    ),
    subjects=nodes_with_dead_tokens,
    signals=(
        Signal(token_is_past_its_end, DECISIVE, required=True),
        Signal(plugin_is_unauthorized, STRONG, required=True),
        Signal(nobody_renews_it, STRONG),
        Signal(renewal_failed, MODERATE),
        Signal(gate_signals.scope_tells, gate_signals.HINT),
        Signal(token_is_good, -MODERATE),
        Signal(clock_is_off_there, -MODERATE),
    ),
    summary=lambda evidence, subject: (
        f"The CNI plugin on {gate_signals.show_nodes(subject)} is refused by the API server: its token in "
        "calico-kubeconfig is no longer accepted."
    ),
    severity_rule=gate_signals.worst_if_everywhere,
    fix=Fix(
        action="renew_cni_token",
        text=(
            "Restart calico-node on the node: its init container writes a new calico-kubeconfig. Where "
            "CALICO_MANAGE_CNI is false, remove that setting, else the next token ends, too."
        ),
        risk="medium",
        disrupts="the node's sessions restart; its peers keep the routes meanwhile (graceful restart)",
        commands=lambda evidence, subject: agent_pod.delete_each(evidence, subject.nodes),
        remedy=_new_token,
    ),
    verify="The token has most of its 24 h left, and a new pod on the node gets an address.",
    lookalikes=(
        Lookalike("certificate_expired", "the message is x509, not Unauthorized"),
        Lookalike("clock_skew", "the node's or the server's clock is off"),
    ),
)

FAULTS = (CNI_TOKEN_EXPIRED,)
