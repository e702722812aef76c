# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Felix and Typha know each other by certificates; here they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import gate_signals, words
from .gate_signals import CERTIFICATE_TIME, HINT
from .model import DECISIVE, STRONG, Fault, Fix, Lookalike, Seen, Signal, Subject
from .typha_words import NO_TYPHA, service_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.control_plane import HostLine, Tls
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

OPERATORS = "calico-system"
NAME_WORDS = (
    "does not have required",
    "unknown authority",
    "bad certificate",
    "certificate required",
    "tls: ",
    "x509: ",
)


def refused_clients(evidence: Evidence) -> Iterator[Subject]:
    """Nodes without a connection to Typha whose names or authorities do not fit a Typha's, or whose log tells so."""
    servers = [node for node in evidence.nodes.values() if node.control.typha_here is not None]
    found = [
        node.name
        for node in evidence.nodes.values()
        if not node.control.typha.connected and (_lines_on_names(node) or any(_misfits(node, one) for one in servers))
    ]
    found += [node.name for node in servers if _lines_on_names(node)]
    if found:
        hosts = [node.name for node in servers]
        yield gate_signals.at(evidence, found, hosts, **({"typha_on": words.listed(hosts)} if hosts else {}))


def _lines_on_names(node: Node) -> list[HostLine]:
    """Lines about TLS with Typha that are not about dates."""
    return [
        line
        for line in node.control.lines("tls", "typha")
        if any(word in line.text for word in NAME_WORDS)
        and CERTIFICATE_TIME not in line.text
        and ("ypha" in line.text or ":5473" in line.text or line.component == "typha" or "required" in line.text)
    ]


def _misfits(client: Node, server: Node) -> list[str]:
    here = server.control.typha_here
    if here is None or not client.control.typha.wanted:
        return []
    ends = (
        ("Felix", client.control.typha.tls, "Typha", here.tls),
        ("Typha", here.tls, "Felix", client.control.typha.tls),
    )
    return [told for one, mine, other, theirs in ends for told in _misfit(one, mine, other, theirs)]


def _misfit(one: str, mine: Tls, other: str, theirs: Tls) -> Iterator[str]:
    if mine.accepts(theirs) is False:
        wanted = mine.expects_cn or mine.expects_uri
        yield f"{one} expects {wanted}, {other}'s certificate is for {theirs.cn or words.listed(theirs.uris)}"
    if mine.trusts_issuer_of(theirs) is False:
        trusted = words.listed(name for name, _key in mine.trusts)
        yield f"{other}'s certificate is signed by {theirs.issuer}, {one} trusts {trusted} or another key of it"


def names_do_not_fit(evidence: Evidence, subject: Subject) -> list[Seen]:
    """What one end expects of the other's certificate is not what that certificate says."""
    servers = [evidence.nodes[name] for name in subject.about]
    return [
        Seen(node.name, "certificates", f"towards Typha on {server.name}: {told}")
        for node in gate_signals.nodes_of(evidence, subject)
        for server in servers
        for told in _misfits(node, server)
    ][:6]


def log_tells_of_names(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A log tells that the other end's certificate was refused, and not for its dates."""
    return [
        gate_signals.seen_line(node, line)
        for node in gate_signals.nodes_of(evidence, subject)
        for line in _lines_on_names(node)[:2]
    ]


def dates_are_wrong(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A certificate's dates are refused, which comes before its names."""
    return [
        gate_signals.seen_line(node, line)
        for node in gate_signals.nodes_of(evidence, subject)
        for line in node.control.log
        if CERTIFICATE_TIME in line.text
    ][:2]


def _look_and_restart(evidence: Evidence, subject: Subject) -> list[str]:
    """The operator keeps the certificates in secrets of known names; without it whoever set up TLS chose them."""
    space, name = service_words(evidence)
    if space in (OPERATORS, "NAMESPACE"):
        space = OPERATORS
        look = [f"kubectl get secrets -n {space} node-certs typha-certs"]
        look.append(f"kubectl get configmap -n {space} tigera-ca-bundle")
    else:
        look = [
            f"kubectl get deployment -n {space} {name} -o yaml | grep -A1 TYPHA_",
            f"kubectl get daemonset -n {space} calico-node -o yaml | grep -A1 FELIX_TYPHA",
        ]
    return [*look, f"kubectl rollout restart -n {space} deployment/{name}"]


TYPHA_TLS_MISMATCH = Fault(
    id="typha_tls_mismatch",
    family="control_plane",
    title="Typha and Felix refuse each other's certificates",
    severity="major",
    role="cause",
    means="The names in the certificates, or the authorities behind them, are not those that the ends expect. "
    + NO_TYPHA,
    subjects=refused_clients,
    signals=(
        Signal(names_do_not_fit, DECISIVE, required=True),
        Signal(log_tells_of_names, STRONG, required=True),
        Signal(gate_signals.scope_tells, HINT),
        Signal(dates_are_wrong, -STRONG),
    ),
    summary=lambda evidence, subject: (
        f"Typha and calico-node on {gate_signals.show_nodes(subject)} refuse each other's certificates: "
        f"{(names_do_not_fit(evidence, subject) or log_tells_of_names(evidence, subject))[0].detail}."
    ),
    severity_rule=gate_signals.worst_if_everywhere,
    fix=Fix(
        action="align_typha_certificates",
        text=(
            "Make both ends use certificates of one authority, and the names that the other end is told to expect "
            "(FELIX_TYPHACN, TYPHA_CLIENTCN, or the URI forms). With the operator: delete the secrets node-certs and "
            "typha-certs, which it makes anew; then restart Typha, and calico-node one node at a time."
        ),
        risk="medium",
        disrupts="Typha and calico-node restart",
        commands=_look_and_restart,
    ),
    verify="Felix on every node is connected to a Typha, and no new TLS message is logged.",
    lookalikes=(Lookalike("certificate_expired", "the message is about the certificate's dates"),),
    explains=("routes_missing", "bird_reload_stuck"),
)

FAULTS = (TYPHA_TLS_MISMATCH,)
