# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of an API server that does not accept calico-node itself: its token, its authority, or its rights."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import agent_pod, commands, gate_signals
from .gate_signals import CERTIFICATE_TIME
from .model import MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.control_plane import HostLine
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

# Others than calico-node's own programs say these words, too, and it is their own credentials that are meant.
_OTHERS = ("kubelet", "cni", "typha", "kube-controllers", "flannel", "operator")
_KINDS = ("unauthorized", "tls", "datastore", "fatal", "other")
_REFUSED = ("nauthorized", "invalid bearer token", "ServiceAccount token")
# As Go's crypto/x509 puts it (HostnameError in verify.go): the names of the certificate, or that it has none.
_OTHER_NAME = (
    "x509: certificate is not valid for",
    "certificate is valid for",
    "x509: cannot validate certificate for",
)
_UNTRUSTED = ("x509: certificate signed by unknown authority", *_OTHER_NAME)
_OF_TYPHA = ("ypha", ":5473")
# What the API server says of who lacks a right. calico-node's containers ask as one account, the CNI installer among
# them; what it is called the installer decides. Where they were given a certificate (kubelet's, say), they ask as its
# user.
_FORBIDS = " is forbidden: User "
_FORBIDDEN = re.compile(
    r'is forbidden: User "(?:(?P<user>(?!system:serviceaccount:)[\w.:@-]{1,253})'
    r'|system:serviceaccount:[\w.-]+:(?P<account>[\w.-]+))" cannot '
)
_OTHER_ACCOUNTS = ("operator", "typha", "controllers", "cni-plugin", "apiserver", "flannel")
# The plugin's token is made, and made anew, by the pod of calico-node with its own account (install.go in
# cni-plugin/pkg/install, token_watch.go in node/pkg/cni), whatever component speaks.
_ITS_OWN = ("Unable to create token for CNI", "Failed to update CNI token")
# Reading a Secret is a right of its own, for BGP's passwords.
_OF_SECRETS = 'resource "secrets"'
_ASKING = (*_KINDS, "token", "terminated")
# calico-node ends after these words, with which its check of the datastore at its start tells of a refusal
# (checkConnection() in startup.go below node/pkg/lifecycle/startup).
_ENDS = "Connection to the datastore is unauthorized"


def refused_nodes(evidence: Evidence) -> Iterator[Subject]:
    """Nodes whose calico-node the API server refuses, or that does not trust the API server."""
    names = [node.name for node in evidence.nodes.values() if _lines(node, *_REFUSED, *_UNTRUSTED) or _forbidden(node)]
    if names:
        yield gate_signals.at(evidence, names)


def _lines(node: Node, *words: str) -> list[HostLine]:
    return [
        line
        for line in node.control.lines(*_KINDS)
        if any(word in line.text for word in words)
        and (_asks_itself(line) or not any(other in line.component for other in _OTHERS))
        # What says when a certificate ended is another fault, what is about Typha a third one; the plugin's words are
        # passed on by several.
        and CERTIFICATE_TIME not in line.text
        and "ClusterInf" not in line.text
        and not any(word in line.text for word in _OF_TYPHA)
    ]


def _asks_itself(line: HostLine) -> bool:
    return any(word in line.text for word in _ITS_OWN)


def _forbidden(node: Node) -> list[HostLine]:
    """The lines in which the API server says what calico-node's account may not do."""
    return [line for line in node.control.lines(*_ASKING) if _is_forbidden_to_it(line) and _OF_SECRETS not in line.text]


def _is_forbidden_to_it(line: HostLine) -> bool:
    match = _FORBIDDEN.search(line.text)
    if match is None:
        return _asks_itself(line) and _FORBIDS in line.text  # the line ends in the midst of who it is
    if any(other in (match.group("account") or "") for other in _OTHER_ACCOUNTS):
        return False
    return not (match.group("user") and (not line.component or any(other in line.component for other in _OTHERS)))


def _seen(evidence: Evidence, subject: Subject, *words: str) -> list[Seen]:
    return [
        gate_signals.seen_line(node, line)
        for node in gate_signals.nodes_of(evidence, subject)
        for line in _lines(node, *words)[:2]
    ]


def token_is_refused(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The API server answers calico-node: Unauthorized."""
    return _seen(evidence, subject, *_REFUSED)


def it_ends_of_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The refusal ends calico-node at its start: it gets no further."""
    return [seen for seen in _seen(evidence, subject, *_REFUSED) if _ENDS in seen.detail]


def server_is_not_trusted(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The API server's certificate is not trusted by calico-node: it is another authority's, or of another name."""
    return _seen(evidence, subject, *_UNTRUSTED)


def rights_are_missing(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The API server knows who asks and says what is forbidden: rights (RBAC) are missing, the token is good."""
    return [
        gate_signals.seen_line(node, line)
        for node in gate_signals.nodes_of(evidence, subject)
        for line in _forbidden(node)[:2]
    ]


def refusal_is_over(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The log goes on for minutes without another refusal, and who is refused asks again and again."""
    nodes = gate_signals.nodes_of(evidence, subject)
    found = [(node, line) for node in nodes for line in _lines(node, *_REFUSED, *_UNTRUSTED)]
    if not all(line.quiet for _node, line in found):
        return []
    return [Seen(node.name, f"log of {line.component}", f"{line.quiet // 60} min", line.at) for node, line in found[:2]]


def felix_is_not_ready(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Felix is not ready: what was refused still is."""
    return [
        Seen(node.name, "felix", node.control.felix.state)
        for node in gate_signals.nodes_of(evidence, subject)
        if node.control.felix.state in ("not_ready", "not_live")
    ]


def felix_is_well(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Felix is ready: what was refused is over."""
    return [
        Seen(node.name, "felix", "ready")
        for node in gate_signals.nodes_of(evidence, subject)
        if node.control.felix.state == "ready"
    ]


def _summary(evidence: Evidence, subject: Subject) -> str:
    where = gate_signals.show_nodes(subject)
    if rights_are_missing(evidence, subject):
        return (
            f"The API server knows calico-node on {where} and forbids what it asks for: its ClusterRole lacks rights."
        )
    if token_is_refused(evidence, subject):
        return f"The API server refuses calico-node on {where}: its token is stale or was signed by another key."
    if _seen(evidence, subject, *_OTHER_NAME):
        return f"calico-node on {where} does not trust the API server: its certificate is not for the address asked."
    return f"calico-node on {where} does not trust the API server: its authority (ca.crt) is another one."


CALICO_NODE_REFUSED = Fault(
    id="calico_node_refused",
    family="control_plane",
    title="The API server does not accept calico-node",
    severity="major",
    role="cause",
    means=(
        "The way to the API server is open, and calico-node's own service account token, the authority it trusts or "
        "its rights do not fit the server: after a restore, a new cluster authority or signing key, a copied node, or "
        "a removed ClusterRole. Felix keeps what it knows, confd renders nothing new, and a calico-node that "
        "restarts does not come up."
    ),
    subjects=refused_nodes,
    signals=(
        # A line alone does not tell whether it is so for long: a token is refused for a moment when it is renewed.
        Signal(token_is_refused, WEAK, required=True),
        Signal(it_ends_of_it, MODERATE),
        Signal(rights_are_missing, STRONG + MODERATE, required=True),
        Signal(felix_is_not_ready, MODERATE),
        Signal(server_is_not_trusted, STRONG, required=True),
        Signal(gate_signals.scope_tells, gate_signals.HINT),
        Signal(felix_is_well, -STRONG - MODERATE),
        Signal(refusal_is_over, -STRONG - MODERATE),
    ),
    summary=_summary,
    severity_rule=gate_signals.worst_if_everywhere,
    fix=Fix(
        action="renew_service_account",
        text=(
            "Start calico-node's pods anew, so that they get a fresh token and the authority of today (ConfigMap "
            "kube-root-ca.crt). Where rights are missing, apply the ClusterRole of the release that runs. A token from "
            "a Secret of the time before a new signing key must be deleted, so that it is made anew. Where the "
            "server's certificate lacks the address that is asked (the Service's first one), have it issued with it."
        ),
        risk="low",
        disrupts="the node's sessions restart; its peers keep the routes meanwhile (graceful restart)",
        commands=lambda evidence, subject: [
            "kubectl auth can-i list nodes --as=system:serviceaccount:kube-system:calico-node",
            commands.on_node(subject.nodes[0], "date -u"),
            *agent_pod.delete_each(evidence, subject.nodes),
        ],
    ),
    verify="No new Unauthorized or x509 message is logged by calico-node, and it is Ready.",
    lookalikes=(
        Lookalike("cni_token_expired", "the CNI plugin is refused, calico-node itself is not"),
        Lookalike("certificate_expired", "the x509 message is about dates"),
        Lookalike("apiserver_unreachable", "the API server does not answer at all"),
        Lookalike("clock_skew", "the node's clock is off, so that a good token looks stale"),
    ),
    explains=("undetermined", "confd_cannot_render"),
)

FAULTS = (CALICO_NODE_REFUSED,)
