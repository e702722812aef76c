# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Symptoms in the evidence: how sessions fail, and what Kubernetes' events say of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .._catalogue import observed, words
from .._catalogue.model import Seen
from .._evidence import observations
from .._gate import pods as pods_gate
from . import dataplane_symptoms, kube_symptoms
from .model import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node
    from .._evidence.sessions import Session, Side

REFUSED, RESET, CLOSED = "refused", "reset", "closed"
SILENT, UNREACHABLE, WAITS = "silent", "unreachable", "waits"
OPEN_STUCK, EXPIRED = "open_stuck", "hold_expired"
NOT_ESTABLISHED, NO_SOCKET, STRANGER = "not_established", "no_socket", "stranger_calls"
MUTE, BAD_IDENTIFIER, CANNOT_BIND = "socket_is_mute", "bad_identifier", "cannot_bind"
NO_TYPHA, LEFT_OUT, NO_BIRD = "no_typha", "left_out", "no_bird"
NO_CNI, NO_PROCESS = kube_symptoms.NO_CNI, kube_symptoms.NO_PROCESS

# BIRD's words for how a connection or session ended: errno's from the socket (strerror), its own of the protocol.
_ERRORS = (
    ("Connection refused", REFUSED),
    ("reset by peer", RESET),
    ("Connection closed", CLOSED),
    ("timed out", SILENT),
    ("No route to host", UNREACHABLE),
    ("is unreachable", UNREACHABLE),
    ("Hold timer expired", EXPIRED),
    ("Bad BGP identifier", BAD_IDENTIFIER),
)
_DIALLING = ("Connect", "Active")
_PROBED = {"reset": REFUSED, "silent": SILENT, "rejected": UNREACHABLE}
_TRIED = {"refused": REFUSED, "timeout": SILENT, "unreachable": UNREACHABLE}
_STATES = {"OpenSent": OPEN_STUCK, "OpenConfirm": OPEN_STUCK, "Passive": WAITS}
# What keeps every connection to a node's BGP port from coming about.
BLOCKS = ("tcp179_blocked_host_firewall", "tcp179_blocked_network")
# The strongest comes first: what one end says decides more than that the other one waits.
_ORDER = (BAD_IDENTIFIER, REFUSED, RESET, EXPIRED, CLOSED, UNREACHABLE, OPEN_STUCK, SILENT, WAITS)
# calico-node's readiness messages (node/pkg/health in Calico's source).
_NOT_ESTABLISHED = re.compile(r"BGP not established(?: with ([0-9a-fA-F.:, ]+))?")
# Kubelet's words for having found no network configuration (its own of dockershim, go-cni's of containerd, cri-o's).
_NO_CONFIGURATION = re.compile(
    r"cni plugin not initialized|cni config uninitialized|[Nn]o (?:CNI configuration file|networks found) in /etc/cni"
)
_NO_SOCKET = re.compile(
    r"unable to connect to BIRDv[46] socket|BIRDv[46] is not live|connect: no such file or directory"
)
# Go's words for a socket that takes the question and gives no answer. EAGAIN is what the kernel answers who calls where
# as many wait to be accepted as may: the program is there, and accepts nobody.
_MUTE = re.compile(r"bird6?\.ctl: (?:i/o timeout|connect: resource temporarily unavailable)")
_ABSENT = "BIRD does not run, or not where it was looked for"
# strerror(EADDRNOTAVAIL) of musl and of glibc.
_NOT_AVAILABLE = ("Address not available", "Cannot assign requested address")


def somebody_got_through(evidence: Evidence, symptom: Symptom) -> bool:
    """A node waits for calls, and by hand a connection to its BGP port came about."""
    return symptom.kind == WAITS and any(
        one.check == "tcp" and one.port == observations.BGP_PORT and one.result == "open" and one.target in symptom.here
        for one in observed.tried(evidence)
        if one.source not in symptom.here
    )


def symptoms(evidence: Evidence, unexplained: Iterable[Session], *, only_sessions: bool) -> list[Symptom]:
    """What is wrong and unexplained. only_sessions: a cause is known, which explains what is not about sessions."""
    unbound = [] if only_sessions else list(_of_sources(evidence))
    # A BIRD that cannot bind to its own address fails with all its peers for that, however each session ends.
    concerned = {name for one in unbound for name in one.here}
    found = [*unbound, *(one for one in _of_sessions(evidence, unexplained) if not concerned & set(one.here))]
    if only_sessions or found:
        return found
    silent = list(kube_symptoms.of_calicoctl(evidence))
    if _bird_was_heard(evidence):
        found = dataplane_symptoms.symptoms(evidence)
        known = {symptom.kind for symptom in found}
        more = [*kube_symptoms.of_kubernetes(evidence), *_of_the_unheard(evidence)]
        return [*found, *silent, *(one for one in more if one.kind not in known)]
    found = [*_of_absence(evidence), *silent, *_of_sockets(evidence), *_of_logs(evidence), *_of_trials(evidence)]
    found = found or list(_of_events(evidence))
    found = found or dataplane_symptoms.symptoms(evidence) or list(_of_kubelets(evidence))
    return found or list(dataplane_symptoms.of_the_api(evidence))


def _bird_was_heard(evidence: Evidence) -> bool:
    """A BIRD was heard, which tells of its sessions better than anything else does."""
    return any(daemon.total is not None for node in evidence.nodes.values() for daemon in node.daemons.values())


def _of_sessions(evidence: Evidence, unexplained: Iterable[Session]) -> Iterator[Symptom]:
    """The sessions that fail in the same way, together, by the node that tells of it."""
    alike: dict[tuple[str, str], list[tuple[Session, Side]]] = {}
    for session in unexplained:
        told = _worst(session)
        if told:
            kind, side = told
            alike.setdefault((kind, side.label), []).append((session, side))
    for (kind, label), several in alike.items():
        yield Symptom(
            kind,
            (label,),
            tuple(dict.fromkeys(evidence.name_at(session.other(side)) for session, side in several)),
            tuple(session for session, _side in several),
            tuple(
                Seen(label, "bird", f"{side.protocol.name} is {words.state(side.protocol)}")
                for _session, side in several
                if side.protocol
            ),
        )


def _worst(session: Session) -> tuple[str, Side] | None:
    """How the session fails, and the end that says so."""
    told = [(kind, side) for side, other in session.sides() if (kind := _tried_by(side, other) or kind_of(side))]
    return min(told, key=lambda pair: _ORDER.index(pair[0])) if told else None


def _tried_by(side: Side, other: Side) -> str:
    """What somebody who tried to connect by hand saw, where BIRD has no word for how its own attempts end."""
    probe = side.node.probes.get(other.address) if side.node else None
    silent = side.protocol is not None and not side.protocol.last_error and side.protocol.bgp_state in _DIALLING
    return _PROBED.get(probe.result, "") if probe is not None and probe.detail == observations.TOLD and silent else ""


def kind_of(side: Side) -> str:
    """The kind of symptom that one end of a session shows; '' if it tells nothing."""
    protocol = side.protocol
    if protocol is None or protocol.disabled:
        return ""
    for part, kind in _ERRORS:
        if part in protocol.last_error:
            return kind
    if protocol.last_error:
        return ""
    return _STATES.get(protocol.bgp_state, SILENT if protocol.bgp_state in ("Connect", "Active") else "")


def _of_absence(evidence: Evidence) -> Iterator[Symptom]:
    """Nodes without a BIRD of which nothing tells whether they should have one. The one for IPv4 runs wherever there is
    one."""
    for node in evidence.nodes.values():
        first = node.daemons.get("ipv4")
        if first is not None and first.running is False and node.bird_expected is None:
            yield Symptom(NO_BIRD, (node.name,), (), (), (Seen(node.name, "bird", _ABSENT),))


def _of_sockets(evidence: Evidence) -> Iterator[Symptom]:
    """Connections to the BGP port that were asked for and not answered."""
    for node in evidence.nodes.values():
        if node.host.unanswered:
            peers = tuple(evidence.name_of(address) for address in node.host.unanswered)
            seen = tuple(Seen(node.name, "sockets", f"the connection to {peer} is not answered") for peer in peers)
            yield Symptom(SILENT, (node.name,), peers, (), seen)


def _of_logs(evidence: Evidence) -> Iterator[Symptom]:
    """Calls that a BIRD did not accept, for it knows no peer by where they came from; a Typha that is not reached."""
    for node in evidence.nodes.values():
        lines = node.log_lines("unexpected_connect")
        if lines:
            peers = tuple(dict.fromkeys(evidence.name_of(line.peer) for line in lines if line.peer))
            seen = tuple(Seen(node.name, "bird log", line.text, line.at) for line in lines)
            yield Symptom(STRANGER, (node.name,), peers, (), seen)
        left_out = _left_out(evidence, node)
        if left_out:
            seen = (Seen(node.name, "bird log", f"never names {', '.join(left_out[:4])}"),)
            yield Symptom(LEFT_OUT, (node.name,), left_out, (), seen)
        typha = [line for line in node.control.lines("typha") if "onnect to " in line.text]
        if typha:
            seen = tuple(Seen(node.name, f"log of {line.component}", line.text, line.at) for line in typha)
            yield Symptom(NO_TYPHA, (node.name,), (), (), seen)


def _left_out(evidence: Evidence, node: Node) -> tuple[str, ...]:
    """The nodes on record that are no peers of the mesh in what this node's BIRD says that it runs."""
    families = {":" in address for address in node.host.kept}
    return tuple(
        record.name
        for record in evidence.registered
        for family in ("ipv4", "ipv6")
        if record.node is not node
        and record.stored(family)
        and record.address(family) not in node.host.kept
        and (family == "ipv6") in families
    )


def _of_trials(evidence: Evidence) -> Iterator[Symptom]:
    """Connections to the BGP port that somebody tried by hand, and that did not come about."""
    for one in observed.tried(evidence):
        kind = _TRIED.get(one.result) if one.check == "tcp" and one.port == observations.BGP_PORT else None
        if kind:
            here, there = ((evidence.name_of(end),) if end else () for end in (one.source, one.target))
            yield Symptom(kind, here, there, (), (observed.seen(one),))


def _of_sources(evidence: Evidence) -> Iterator[Symptom]:
    """Nodes whose BIRD cannot bind to the address that it is to call from."""
    for node in evidence.nodes.values():
        lines = [line for line in node.log_lines("bind_failed") if any(one in line.text for one in _NOT_AVAILABLE)]
        # Once all its sessions are up the log tells of the time before.
        works = any(daemon.established for daemon in node.daemons.values())
        is_over = works and not evidence.down_at(node.name)
        if lines and not is_over:
            seen = tuple(Seen(node.name, "bird log", line.text, line.at) for line in lines)
            yield Symptom(CANNOT_BIND, (node.name,), (), (), seen)


def _of_events(evidence: Evidence) -> Iterator[Symptom]:
    """What calico-node's readiness probe says."""
    pods = {f"pod {pod.name}": pod.node for pod in evidence.cluster.pods} if evidence.cluster else {}
    for event in evidence.cluster.events if evidence.cluster else ():
        name = event.node or pods.get(event.about, "")
        told = pods_gate.probe_message(event) if pods_gate.PROBE_FAILED in event.message else event.message[:200]
        seen = (Seen(name, "events", told),)
        here = (name,) if name else ()
        named = _NOT_ESTABLISHED.search(event.message)
        if named:
            parts = [part.strip() for part in (named.group(1) or "").split(",")]
            # What is masked is no address.
            peers = tuple(evidence.name_of(part) for part in parts if part.count(".") == 3 or ":" in part)
            yield Symptom(NOT_ESTABLISHED, here, peers, (), seen)
        elif _MUTE.search(event.message):
            yield Symptom(MUTE, here, (), (), seen)
        elif _NO_SOCKET.search(event.message):
            yield Symptom(NO_SOCKET, here, (), (), seen)


def _of_the_unheard(evidence: Evidence) -> Iterator[Symptom]:
    """What the readiness probe says of sessions on nodes whose own BIRD was not heard, where none that was heard has a
    session that could tell better."""
    daemons = [(node.name, daemon) for node in evidence.nodes.values() for daemon in node.daemons.values()]
    if any(daemon.total for _name, daemon in daemons):
        return
    heard = {name for name, daemon in daemons if daemon.total is not None}
    yield from (one for one in _of_events(evidence) if one.kind == NOT_ESTABLISHED and not heard.intersection(one.here))


def _of_kubelets(evidence: Evidence) -> Iterator[Symptom]:
    """Kubelets that find no network configuration, which calico-node's init container writes."""
    cluster = evidence.cluster
    told = [(event.node, event.message) for event in (cluster.events if cluster else ())]
    for name, kube in (cluster.nodes if cluster else {}).items():
        told += [(name, one.message) for one in kube.conditions if one.type == "Ready" and one.status != "True"]
    for node in evidence.nodes.values():
        told += [(node.name, line.text) for line in node.control.lines("cni_not_ready", "runtime")]
    found = {name: message for name, message in told if _NO_CONFIGURATION.search(message)}
    for name, message in found.items():
        yield Symptom(NO_CNI, (name,) if name else (), (), (), (Seen(name, "kubelet", message[:200]),))
