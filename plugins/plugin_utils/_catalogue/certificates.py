# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of certificates that are past their end, or not yet valid."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import commands, fix_lines, gate_signals, words
from .clock_offsets import SAYS_WHEN, clock_is_off_there, lines_on_dates, told_to_clients
from .model import MODERATE, STRONG, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.control_plane import HostLine
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

PAST = ("expired", "not_yet_valid")
# kubelet of its own certificate, at its start.
_OWN_ENDED = re.compile(r"client certificate (?:in (?P<path>/\S{1,200}) )?is expired: (?P<end>\S{1,40})")
_CLIENTS = "/var/lib/kubelet/pki/kubelet-client-current.pem"


def nodes_with_bad_certificates(evidence: Evidence) -> Iterator[Subject]:
    """Nodes with a certificate that is past its end or not yet valid, by a file or by a log."""
    names = [
        node.name
        for node in evidence.nodes.values()
        if _bad_files(node) or lines_on_dates(node) or _kubelets_own(evidence, node)
    ]
    if names or told_to_clients(evidence, "after"):
        yield gate_signals.at(evidence, names)


def _bad_files(node: Node) -> list[Seen]:
    return [
        Seen(
            node.name,
            "certificates",
            f"{one.path}: {one.state.replace('_', ' ')} ({one.not_before} to {one.not_after})",
        )
        for one in node.control.certificates
        if one.state in PAST
    ]


def _kubelets_own(evidence: Evidence, node: Node) -> list[tuple[HostLine, re.Match[str]]]:
    """The lines in which kubelet says that its own certificate is past its end. A node that is Ready has got another
    one since."""
    kube = evidence.cluster.nodes.get(commands.kube_name(evidence, node.name)) if evidence.cluster else None
    ready = kube.condition("Ready") if kube else None
    if ready is not None and ready.status == "True":
        return []
    lines = (line for line in node.control.lines("certificate") if line.component == "kubelet")
    return [(line, match) for line in lines if (match := _OWN_ENDED.search(line.text))]


def file_is_out_of_date(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A certificate on the node is past its end, or not yet valid by the node's clock."""
    return [seen for node in gate_signals.nodes_of(evidence, subject) for seen in _bad_files(node)]


def clients_see_its_end(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The API server's certificate is past its end, by the clock of who asked: both times are told."""
    return told_to_clients(evidence, "after")[:1] if not subject.nodes else []


def log_tells_of_certificate(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A program on the node refuses a certificate for its dates (x509)."""
    return [
        gate_signals.seen_line(node, line)
        for node in gate_signals.nodes_of(evidence, subject)
        for line in lines_on_dates(node)[:2]
    ]


def kubelet_tells_of_its_own(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kubelet does not start: its own certificate, by which the API server knows it, is past its end."""
    return [
        gate_signals.seen_line(node, line)
        for node in gate_signals.nodes_of(evidence, subject)
        for line, _match in _kubelets_own(evidence, node)[:1]
    ]


def log_tells_the_end(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The message names the certificate's end, which was before the time of the message."""
    return [
        Seen(node.name, f"log of {line.component or 'calico-node'}", f"{when.group(1)} is after {when.group(3)}")
        for node in gate_signals.nodes_of(evidence, subject)
        for line in lines_on_dates(node)
        if (when := SAYS_WHEN.search(line.text)) is not None and when.group(2) == "after"
    ][:2]


def _past_files(evidence: Evidence, subject: Subject) -> list[str]:
    """The files of the first node whose certificates are out of date."""
    return [
        commands.word(one.path, "FILE")
        for node in gate_signals.nodes_of(evidence, subject)
        if node.name == subject.nodes[0]
        for one in node.control.certificates
        if one.state in PAST
    ] or [_CLIENTS for node in gate_signals.nodes_of(evidence, subject)[:1] if _kubelets_own(evidence, node)]


def _look(evidence: Evidence) -> str:
    """The clock, and the certificates as the tool shows them that made them, where that may have been kubeadm."""
    managed = fix_lines.provider_of_control_plane(evidence) or evidence.flavour.distribution
    return "date -u" if managed else "date -u; sudo kubeadm certs check-expiration"


def _what_tells(evidence: Evidence, subject: Subject) -> Seen:
    """What tells of the certificate, the most telling first."""
    of_files = file_is_out_of_date(evidence, subject) or kubelet_tells_of_its_own(evidence, subject)
    return (of_files or log_tells_of_certificate(evidence, subject) or clients_see_its_end(evidence, subject))[0]


def _at(subject: Subject) -> str:
    return subject.nodes[0] if subject.nodes else "NODE"


CERTIFICATE_EXPIRED = Fault(
    id="certificate_expired",
    family="control_plane",
    title="A certificate is past its end or not yet valid",
    severity="major",
    role="cause",
    means=(
        "TLS fails: the API server, Typha, etcd or their clients refuse each other. What is connected stays connected "
        "until it must connect again; a calico-node that restarts does not come up."
    ),
    subjects=nodes_with_bad_certificates,
    signals=(
        Signal(file_is_out_of_date, STRONG + MODERATE, required=True),
        Signal(kubelet_tells_of_its_own, STRONG + MODERATE, required=True),
        Signal(log_tells_of_certificate, STRONG, required=True),
        Signal(clients_see_its_end, STRONG, required=True),
        Signal(log_tells_the_end, MODERATE),
        Signal(gate_signals.scope_tells, gate_signals.HINT),
        Signal(clock_is_off_there, -STRONG),
    ),
    summary=lambda evidence, subject: (
        f"A certificate on, or met by, {words.listed(subject.nodes or ('the API server',))} is out of date: "
        f"{_what_tells(evidence, subject).detail}."
    ),
    fix=Fix(
        action="renew_certificate",
        text=(
            "Renew the certificate with what made it (kubeadm certs renew, the distribution's rotation, the operator, "
            "cert-manager), then restart what holds the old one, one node at a time."
        ),
        risk="medium",
        disrupts="programs of the control plane restart to read the new certificate",
        commands=lambda evidence, subject: [
            commands.on_node(_at(subject), _look(evidence)),
            *(
                commands.on_node(_at(subject), f"sudo openssl x509 -noout -dates -subject -in {path}")
                for path in _past_files(evidence, subject)
            ),
            *fix_lines.renewed_certificates(evidence, _at(subject), _past_files(evidence, subject)),
        ],
    ),
    verify="No certificate is out of date, and no new x509 message is logged.",
    lookalikes=(
        Lookalike("clock_skew", "the node's clock is off, and the certificate is well by the right time"),
        Lookalike("typha_tls_mismatch", "the dates are right; the name or the authority is not"),
    ),
    explains=("apiserver_unreachable", "kubelet_not_ready", "cni_token_expired", "typha_down", "typha_tls_mismatch"),
)

FAULTS = (CERTIFICATE_EXPIRED,)
