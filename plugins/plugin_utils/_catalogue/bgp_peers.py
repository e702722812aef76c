# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of BGPPeers that name a wrong address."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .._cluster import values
from . import api, session_signals, words
from .bgp_config import OTHER_AS
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node
    from .._evidence.sessions import Session
    from .._peering.model import Problem

REACHABLE_BY = "reachable_by_malformed"
ONE_SIDED = "one_sided"
# What else than its peerIP may be why a BGPPeer makes no session.
FIELDS = {REACHABLE_BY: "spec.reachableBy", ONE_SIDED: "spec.reversePeering"}
WRONG_ADDRESS = (
    "peer_address_malformed",
    "peer_address_spelling",
    "peer_is_itself",
    "peer_is_own_other_address",
    REACHABLE_BY,
    "family_missing",
)


class Suspect(NamedTuple):
    """A BGPPeer that names a wrong address, or may do so. name: the BGPPeer's, '' where only nodes tell of it."""

    name: str
    address: str
    problems: tuple[Problem, ...]


def peers_by_address(evidence: Evidence) -> Iterator[Subject]:
    """BGPPeers of which the address is wrong by itself, and those whose sessions do not come up."""
    by_name: dict[str, list[Problem]] = {}
    for problem in (*api.problems(evidence, *WRONG_ADDRESS), *_without_way_back(evidence)):
        by_name.setdefault(problem.object.partition(" ")[2], []).append(problem)
    for peer in evidence.cluster.bgp_peers if evidence.cluster and evidence.expected else ():
        problems = tuple(by_name.get(peer.name, ()))
        told = values.address_and_port(peer.peer_ip) if peer.peer_ip else None
        address = told[0] if told else ""
        sessions = _sessions(evidence, address)
        if problems or (sessions and not _is_registered(evidence, address)):
            names = api.names(evidence, [name for problem in problems for name in problem.nodes])
            names = names or _nodes_of(evidence, sessions, address)
            back = bool(problems) and all(problem.kind == ONE_SIDED for problem in problems)
            field, value = (FIELDS[ONE_SIDED], peer.reverse_peering) if back else ("spec.peerIP", peer.peer_ip)
            where = api.where(f"BGPPeer {peer.name}", field, value=value)
            yield Subject(names, sessions, where, _first(evidence, names), Suspect(peer.name, address, problems))
    if evidence.cluster is None or not evidence.cluster.bgp_peers:
        yield from _by_nodes(evidence)
    elif evidence.expected is None or not by_name:
        yield from _by_logs(evidence, ())


def _without_way_back(evidence: Evidence) -> list[Problem]:
    """What lets a node dial another one that is not told of it, unless reflectors or AS numbers are the reason."""
    reflectors = {one.name for one in evidence.expected.reflectors} if evidence.expected else set()
    return [
        one
        for one in api.problems(evidence, ONE_SIDED)
        if one.object.startswith("BGPPeer ") and OTHER_AS not in one.detail and not reflectors & set(one.nodes)
    ]


def _first(evidence: Evidence, names: tuple[str, ...]) -> Node | None:
    return evidence.nodes.get(names[0]) if names else None


def _sessions(evidence: Evidence, address: str) -> tuple[Session, ...]:
    return api.sessions_with(evidence, (address,)) if address else ()


def _is_registered(evidence: Evidence, address: str) -> bool:
    """A node has this address in BGP."""
    plan = evidence.expected
    known = plan is not None and bool(plan.owner(address))
    owner = evidence.owners.get(address)
    return known or (owner is not None and address in owner.bgp_addresses.values())


def _nodes_of(evidence: Evidence, sessions: tuple[Session, ...], address: str) -> tuple[str, ...]:
    ends = {name for session in sessions for name in evidence.labels(session)} - {evidence.name_of(address)}
    return tuple(sorted(ends)) or (address,)


def _by_nodes(evidence: Evidence) -> Iterator[Subject]:
    """Peers of BGPPeers (protocols Node_ and Global_) whose address no node has in BGP, where the API tells nothing."""
    found: dict[str, list[str]] = {}
    for node in evidence.nodes.values():
        for daemon in node.daemons.values():
            for protocol in daemon.troubled.values():
                if protocol.kind in ("Node", "Global") and not _is_registered(evidence, protocol.peer):
                    found.setdefault(protocol.peer, []).append(node.name)
    yield from _by_logs(evidence, {name for names in found.values() for name in names})
    for address, names in found.items():
        where = {"address": address, "object": "BGPPeer", "field": "spec.peerIP"}
        sessions = api.sessions_with(evidence, (address,))
        yield Subject(tuple(sorted(names)), sessions, where, evidence.nodes.get(names[0]), Suspect("", address, ()))


def _by_logs(evidence: Evidence, told: Collection[str]) -> Iterator[Subject]:
    """Nodes whose confd complains of a peer's address, without those that are told already."""
    for node in evidence.nodes.values():
        if node.name not in told and _log_lines(evidence, node.name):
            yield Subject((node.name,), (), {"node": node.name, "object": "BGPPeer"}, node, Suspect("", "", ()))


def _suspect(subject: Subject) -> Suspect:
    return subject.about if isinstance(subject.about, Suspect) else Suspect("", "", ())


def address_is_wrong_by_itself(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The BGPPeer's own address tells that no session can come of it."""
    return [
        api.seen(problem.object, FIELDS.get(problem.kind, "spec.peerIP"), problem.detail)
        for problem in _suspect(subject).problems
    ]


def a_node_has_it_besides(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The address is another one of a node's host, where its BIRD does not use it."""
    address = _suspect(subject).address
    found = [
        Seen(
            node.name, "addresses", f"holds {address}, and speaks BGP with {words.listed(node.bgp_addresses.values())}"
        )
        for node in evidence.nodes.values()
        if address and node.holds(address) and address not in node.bgp_addresses.values()
    ]
    found += [
        Seen(one.name, f"Node/{one.record}", f"InternalIP {address}, registered with {one.address(_family(address))}")
        for one in evidence.registered
        if address and address in one.internal_addresses and one.address(_family(address)) not in ("", address)
    ]
    return found


def _family(address: str) -> str:
    return "ipv6" if ":" in address else "ipv4"


def nobody_is_there(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Nobody answers at the address, not even to its neighbours on the link."""
    address = _suspect(subject).address
    dead = session_signals.peer_host_is_dead(evidence, subject)
    return [seen for seen in dead if seen.detail.startswith(f"{address}:")]


def nothing_listens_there(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A host answers at the address and refuses BGP: it is no speaker."""
    address = _suspect(subject).address
    return [
        Seen(node.name, "probe", f"SYN to {address} port {179}: reset")
        for node in evidence.nodes.values()
        if address in node.probes and node.probes[address].result == "reset"
    ]


def confd_left_it_out(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico says that a peer's address is missing or malformed, and leaves it out."""
    return [seen for name in subject.nodes for seen in _log_lines(evidence, name)]


def _log_lines(evidence: Evidence, name: str) -> list[Seen]:
    node = evidence.nodes.get(name)
    lines = node.control.lines("peer_address") if node else []
    return [Seen(name, f"{line.component or 'confd'} log", line.text, line.at) for line in lines[:2]]


def another_peer_works(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Somebody has a session Established with the address, which is not wrong by itself."""
    address = "" if _suspect(subject).problems else _suspect(subject).address
    return [
        Seen(node.name, "bird", f"Established with {address}")
        for node in evidence.nodes.values()
        if address and any(address in daemon.established for daemon in node.daemons.values())
    ][:2]


def _called(suspect: Suspect) -> str:
    return f"BGPPeer {suspect.name}" if suspect.name else "A BGPPeer"


def _address_summary(evidence: Evidence, subject: Subject) -> str:
    suspect = _suspect(subject)
    if suspect.problems:
        return f"{_called(suspect)} makes no session: {suspect.problems[0].detail}"
    besides = a_node_has_it_besides(evidence, subject)
    why = f"{besides[0].node} {besides[0].detail}" if besides else "no node speaks BGP there"
    return f"{_called(suspect)} names {suspect.address or 'no address'}: {why}."


def _correct_address(evidence: Evidence, subject: Subject) -> list[str]:
    suspect = _suspect(subject)
    if not suspect.name:
        return [api.show(evidence, "BGPPeer")]
    if any(problem.kind == ONE_SIDED for problem in suspect.problems):
        change = api.patch(evidence, "BGPPeer", suspect.name, {"reversePeering": "Auto"})
        return [
            api.show(evidence, "BGPPeer"),
            *api.at_owner(
                evidence, f"bgp_peer/{suspect.name}", [f"{change}   # or a second BGPPeer, for the way back"]
            ),
        ]
    besides = [
        node.bgp_addresses.get(_family(suspect.address), "ADDRESS")
        for node in evidence.nodes.values()
        if suspect.address and node.holds(suspect.address)
    ]
    change = api.patch(evidence, "BGPPeer", suspect.name, {"peerIP": besides[0] if besides else "ADDRESS"})
    return [
        api.show(evidence, "BGPPeer", suspect.name),
        *api.at_owner(evidence, f"bgp_peer/{suspect.name}", [change]),
    ]


def peer_severity(evidence: Evidence, subject: Subject) -> str:
    """major where nodes have no other session, minor where they have others that are up."""
    nodes = [evidence.nodes[name] for name in subject.nodes if name in evidence.nodes]
    alone = [node for node in nodes if not any(daemon.established for daemon in node.daemons.values())]
    mesh_off = evidence.expected is not None and not evidence.expected.meshes
    return "major" if alone or (mesh_off and not nodes) else "minor"


BGPPEER_WRONG_ADDRESS = Fault(
    id="bgppeer_wrong_address",
    family="bgp_config",
    title="A BGPPeer names a wrong address",
    severity="major",
    role="cause",
    means=(
        "Nobody speaks BGP at the address that this BGPPeer names, or it is a node's own, so its session never comes "
        "up, and the routes that it was made for are missing."
    ),
    subjects=peers_by_address,
    signals=(
        Signal(address_is_wrong_by_itself, STRONG + MODERATE, required=True),
        Signal(a_node_has_it_besides, STRONG + MODERATE, required=True),
        Signal(confd_left_it_out, STRONG, required=True),
        Signal(nobody_is_there, STRONG, required=True),
        Signal(nothing_listens_there, MODERATE, required=True),
        Signal(session_signals.dialler_gets_no_answer, WEAK),
        Signal(another_peer_works, -DECISIVE - MODERATE),
    ),
    summary=_address_summary,
    severity_rule=peer_severity,
    fix=Fix(
        action="correct_bgppeer",
        text="Correct the BGPPeer's address, or remove the BGPPeer if its peer is gone for good.",
        risk="low",
        disrupts="only the session of this BGPPeer",
        commands=_correct_address,
    ),
    verify="The sessions of the BGPPeer are Established.",
    lookalikes=(
        Lookalike("external_router_config", "a router is there, and it refuses the session"),
        Lookalike("port_listen_changed", "a node is there, and listens on another port"),
        Lookalike("peer_node_down", "the address belongs to a node that is expected and down"),
    ),
    explains=("undetermined", "stale_node_in_mesh", "peer_bird_not_running", "bgppeer_selects_nothing"),
)

FAULTS = (BGPPEER_WRONG_ADDRESS,)
