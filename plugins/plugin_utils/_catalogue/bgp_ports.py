# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of BGP's port: peers dial another one than the node listens on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import agent_pod, api, restarts, session_signals, words
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Remedy, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.model import Daemon, Node
    from .._evidence.sessions import Session

USUAL = 179
RESTART = "sv restart bird"
MISMATCH = "port_mismatch"


def ports_apart(evidence: Evidence) -> Iterator[Subject]:
    """Nodes that listen on another port than their peers dial, or than their own configuration says."""
    wrong: dict[str, list[Session]] = {}
    for session in evidence.table.down:
        for side, other in session.sides():
            listens = _listens(other.node, session.family) if other.node and session.dials(side) else None
            if other.node and listens and side.protocol and side.protocol.port != listens:
                wrong.setdefault(other.node.name, []).append(session)
    names = {node.name for node in evidence.nodes.values() if listens_elsewhere(node)}
    for name in dict.fromkeys((*wrong, *sorted(names))):
        node = evidence.nodes[name]
        sessions = tuple(wrong.get(name, ())) or evidence.down_at(name)
        yield Subject((name,), sessions, _where(evidence, node), node, None)
    for problem in api.problems(evidence, MISMATCH):
        told = api.names(evidence, problem.nodes)
        if not set(told) & ({*wrong} | names):
            sessions = api.sessions_between(evidence, told)
            field = "spec.peerIP" if problem.object.startswith("BGPPeer") else "spec.listenPort"
            yield Subject(told, sessions, api.where(problem.object, field), None, problem)


def _where(evidence: Evidence, node: Node) -> dict[str, object]:
    port = next((daemon.config.listen_port for daemon in node.daemons.values()), USUAL)
    record = api.record_of(evidence, node.name)
    found = evidence.cluster.bgp_configurations if evidence.cluster else {}
    name = f"node.{record.record}" if record and f"node.{record.record}" in found else "default"
    return api.where(f"BGPConfiguration {name}", "spec.listenPort", node=node.name, port=port)


def _listens(node: Node, family: str) -> int | None:
    """The port on which a node's BIRD listens, else the one of its configuration; None if neither is known."""
    daemon = node.daemons.get(family)
    seen = [
        one.port
        for one in node.listeners
        if one.process.startswith("bird") and (":" in one.address) is (family == "ipv6")
    ]
    if seen:
        return seen[0]
    return daemon.config.listen_port if daemon and daemon.config.path else None


def listens_elsewhere(node: Node) -> list[tuple[Daemon, int]]:
    """The daemons that listen on another port than their configuration says, with that port."""
    found = []
    for family, daemon in node.daemons.items():
        port = _listens(node, family)
        if daemon.config.path and port is not None and port != daemon.config.listen_port:
            found.append((daemon, port))
    return found


def peers_dial_another_port(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A peer dials another port than the node listens on."""
    return [
        Seen(
            side.label,
            "bird",
            f"{side.protocol.name} dials port {side.protocol.port} of {other.label}, which listens on {port}",
        )
        for session, side, other in subject.diallers
        if side.protocol and other.node and (port := _listens(other.node, session.family))
        if other.node.name in subject.nodes and port != side.protocol.port
    ]


def bird_kept_its_socket(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD listens on another port than its configuration says: it opens its socket once, and keeps it."""
    node = subject.node
    return [
        Seen(node.name, "sockets", f"listens on {port}, {daemon.config.path} says {daemon.config.listen_port}")
        for daemon, port in (listens_elsewhere(node) if node else ())
        if node
    ]


def objects_name_other_ports(evidence: Evidence, subject: Subject) -> list[Seen]:
    """By the API's objects one end dials another port than the other one listens on."""
    found = [
        one for one in api.problems(evidence, MISMATCH) if set(api.names(evidence, one.nodes)) & set(subject.nodes)
    ]
    return [api.seen(one.object, str(subject.where.get("field", "")), one.detail) for one in found]


def port_is_not_the_usual_one(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The port is told in a BGPConfiguration, and is not BGP's own."""
    found = evidence.cluster.bgp_configurations.values() if evidence.cluster else ()
    return [
        api.seen(f"BGPConfiguration {one.name}", "spec.listenPort", str(one.listen_port))
        for one in found
        if one.listen_port and one.listen_port != USUAL
    ]


def its_sessions_are_up(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The nodes' sessions are up all the same."""
    if subject.sessions:
        return []
    return [
        Seen(name, "bird", words.plural(len(daemon.established), "session"))
        for name in subject.nodes
        if name in evidence.nodes
        for daemon in evidence.nodes[name].daemons.values()
        if daemon.established
    ][:2]


def _commands(evidence: Evidence, subject: Subject) -> list[str]:
    what = str(subject.where["object"])
    kind, _slash, name = what.partition("/")
    lines = [api.show(evidence, "BGPConfiguration"), api.show(evidence, "BGPPeer")]
    if kind == "BGPConfiguration":
        plain = [api.patch(evidence, "BGPConfiguration", name or "default", {"listenPort": USUAL})]
        lines += api.at_owner(evidence, "bgp_configuration/listenPort", plain)
    else:
        lines += api.at_owner(
            evidence, f"bgp_peer/{name}", [api.patch(evidence, "BGPPeer", name, {"peerIP": "ADDRESS:PORT"})]
        )
    if bird_kept_its_socket(evidence, subject) and subject.nodes:
        restart = agent_pod.run(evidence, subject.nodes[0], RESTART)
        lines.append(f"{restart}   # drops this node's sessions for some seconds")
    return lines


def _take_new_port(evidence: Evidence, subject: Subject) -> Remedy | None:
    """A new BIRD on the node that kept its old socket, where its peers dial the port of its configuration already."""
    node = evidence.nodes.get(subject.nodes[0]) if len(subject.nodes) == 1 else None
    kept = {daemon.family: daemon.config.listen_port for daemon, _port in listens_elsewhere(node)} if node else {}
    dialled = [
        (side.protocol.port, kept[session.family])
        for session, side, other in subject.diallers
        if side.protocol is not None and other.node is node and session.family in kept
    ]
    agreed = bool(dialled) and all(port == own for port, own in dialled)
    return restarts.climb(evidence, subject, "bird", "bird") if agreed else None


def _summary(evidence: Evidence, subject: Subject) -> str:
    if subject.about is not None:
        return f"{subject.about.object} and its peers do not agree about a port: {subject.about.detail}"
    dials = peers_dial_another_port(evidence, subject)
    kept = bird_kept_its_socket(evidence, subject)
    if kept:
        return f"BIRD on {subject.nodes[0]} {kept[0].detail}; it takes the new port when it is restarted."
    return f"Peers of {subject.nodes[0]} expect another port: {dials[0].detail}." if dials else "Ports differ."


PORT_LISTEN_CHANGED = Fault(
    id="port_listen_changed",
    family="bgp_config",
    title="Peers expect another BGP port than the node listens on",
    severity="major",
    role="cause",
    means=(
        "The port of BGP was changed, and not everybody follows: peers that are told another port, a BIRD that still "
        "has its old socket, firewalls and failsafe ports that know of 179 only."
    ),
    subjects=ports_apart,
    signals=(
        Signal(peers_dial_another_port, DECISIVE, required=True),
        Signal(bird_kept_its_socket, STRONG + MODERATE, required=True),
        Signal(objects_name_other_ports, STRONG, required=True),
        Signal(port_is_not_the_usual_one, WEAK),
        Signal(session_signals.connection_refused, MODERATE),
        Signal(its_sessions_are_up, -STRONG),
    ),
    summary=_summary,
    fix=Fix(
        action="align_bgp_port",
        text=(
            "Make listenPort and the ports of BGPPeers agree, and open the port in firewalls, security groups and "
            "failsafe ports. A BIRD that runs takes a new port only when it is restarted."
        ),
        risk="medium",
        disrupts="the sessions of nodes whose port changes",
        commands=_commands,
        remedy=_take_new_port,
    ),
    verify="Every node listens on the port that its peers dial, and the sessions are Established.",
    lookalikes=(
        Lookalike("bird_not_running", "nothing of BIRD listens on any port"),
        Lookalike("tcp179_blocked_host_firewall", "the port is the one that is dialled, and a firewall stops it"),
    ),
    explains=("undetermined", "peer_bird_not_running", "tcp179_blocked_network", "tcp179_blocked_host_firewall"),
)


FAULTS = (PORT_LISTEN_CHANGED,)
