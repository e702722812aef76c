# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of BGP that Calico's own policies for host endpoints cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .._evidence.evidence import steps, verdict_on
from . import api, session_signals, words
from . import host_endpoint_rules as rules
from .blocked_sessions import BLOCKING
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._cluster.model import Cluster
    from .._evidence.evidence import Evidence
    from .._evidence.registered import Registered
    from .._evidence.sessions import Session

PEERS_TRIED = 2
SHOWN = 4
CALICO = "calico"


class Cut(NamedTuple):
    """What a subject is about: the outcomes at the nodes, and the failsafe lists without BGP's port."""

    outcomes: tuple[tuple[str, str, rules.Outcome], ...]
    unsafe: tuple[tuple[str, str], ...]


def cut_nodes(evidence: Evidence) -> Iterator[Subject]:
    """The nodes whose host endpoints do not let BGP pass, by the object that decides; and those that seem to."""
    cluster = evidence.cluster
    told: set[str] = set()
    grouped: dict[tuple[str, str], list[tuple[str, str, rules.Outcome]]] = {}
    for record in evidence.registered if cluster and cluster.host_endpoints and evidence.uses_bgp is not False else ():
        for direction, outcome in _outcomes(evidence, record):
            if outcome.verdict != rules.ALLOW:
                grouped.setdefault((outcome.what, outcome.field), []).append((record.name, direction, outcome))
    for (what, field), found in grouped.items():
        names = tuple(dict.fromkeys(name for name, _direction, _outcome in found))
        told.update(names)
        where = api.where(what, field, node=names[0], verdict=found[0][2].verdict)
        sessions = tuple(_stopped(evidence, found))
        yield Subject(names, sessions, where, evidence.nodes.get(names[0]), Cut(tuple(found), _unsafe(cluster)))
    for name in evidence.nodes:
        if name not in told and _blocked_by_calico(evidence, name):
            where = {"node": name, "object": "GlobalNetworkPolicy"}
            sessions = tuple(one for one, _rule in _blocked_by_calico(evidence, name))
            yield Subject((name,), sessions, where, evidence.nodes[name], Cut((), _unsafe(cluster)))
            told.add(name)
    if not told and cluster and _unsafe(cluster) and not _endpoints_known(cluster):
        what, field = _unsafe(cluster)[0]
        names = tuple(one.name for one in evidence.registered) or tuple(evidence.nodes)
        yield Subject(names, evidence.table.down, api.where(what, field), None, Cut((), _unsafe(cluster)))


def _endpoints_known(cluster: Cluster) -> bool:
    """Host endpoints were asked for, or there are some, which were evaluated."""
    return bool(cluster.host_endpoints) or cluster.read("hostendpoints")


def _unsafe(cluster: Cluster | None) -> tuple[tuple[str, str], ...]:
    """The lists of failsafe ports that BGP's own is not in, as (object, field)."""
    found = []
    for name, one in cluster.felix_configurations.items() if cluster else ():
        for direction, field in rules.FAILSAFES.items():
            if isinstance(one.spec.get(field), list) and cluster:
                node = name.removeprefix("node.") if name.startswith("node.") else ""
                safe = rules.failsafes(cluster, node, direction)
                packet = rules.Packet(direction, "", "", rules.BGP_PORT)
                if safe.what == f"FelixConfiguration {name}" and not any(
                    protocol in ("", "tcp") and port == packet.port for protocol, port, _net in safe.ports
                ):
                    found.append((f"FelixConfiguration {name}", f"spec.{field}"))
    return tuple(found)


def _outcomes(evidence: Evidence, record: Registered) -> Iterator[tuple[str, rules.Outcome]]:
    """What becomes of BGP's connections of a node with some of its peers, each outcome once."""
    cluster, plan = evidence.cluster, evidence.expected
    if cluster is None or plan is None or record.windows:
        return
    seen: set[tuple[str, str, str]] = set()
    for family in ("ipv4", "ipv6"):
        own = record.address(family)
        held = record.node.own.of(own) if record.node else None
        endpoints = rules.endpoints_of(cluster, record.record, held.interface if held else "", [own]) if own else []
        speaker = plan.speakers.get(record.record)
        if not endpoints or speaker is None:
            continue
        peers = sorted(plan.peers(record.record, family))
        for peer in dict.fromkeys((*peers[:PEERS_TRIED], *peers[-PEERS_TRIED:])):
            for stanza in plan.towards(record.record, family, peer):
                # This end waits for the connection, or opens it.
                direction = rules.INGRESS if stanza.passive else rules.EGRESS
                port = speaker.listen_port if stanza.passive else stanza.port
                for endpoint in endpoints:
                    outcome = rules.decide(cluster, endpoint, rules.Packet(direction, peer, own, port))
                    if (direction, outcome.what, outcome.field) not in seen:
                        seen.add((direction, outcome.what, outcome.field))
                        yield direction, outcome


def _stopped(evidence: Evidence, found: list[tuple[str, str, rules.Outcome]]) -> Iterator[Session]:
    """The sessions in trouble of which the connection passes such a node in such a direction."""
    ways = {(name, direction) for name, direction, _outcome in found}
    for session in evidence.table.down:
        for side, other in session.sides():
            dials = session.dials(side) and (evidence.name_at(side), rules.EGRESS) in ways
            waits = session.dials(other) and (evidence.name_at(side), rules.INGRESS) in ways
            if dials or waits:
                yield session
                break


def _blocked_by_calico(evidence: Evidence, name: str) -> list[tuple[Session, str]]:
    """The sessions of a node that rules of Calico's own stop there, with the rule."""
    found: list[tuple[Session, str]] = []
    blocking = [one for one in evidence.nodes[name].verdicts or () if one.verdict in BLOCKING and one.rule]
    if not any(one.rule.owner == CALICO for one in blocking if one.rule):
        return found
    for session in evidence.sessions_by_node.get(name, ()):
        for side, other in session.sides():
            for node, direction, peer in steps(side, other) if session.dials(side) else ():
                verdict = verdict_on(node, direction, peer) if node.name == name else None
                rule = verdict.rule if verdict and verdict.verdict in BLOCKING else None
                if rule and rule.owner == CALICO:
                    found.append((session, words.rule_place(rule)))
    return found


def _cut(subject: Subject) -> Cut:
    return subject.about if isinstance(subject.about, Cut) else Cut((), ())


def policy_stops_bgp(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Evaluated rule by rule, Calico's policies for this host endpoint do not let BGP pass."""
    return _told(subject, rules.DENY)


def policy_may_stop_bgp(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Whether Calico's policies for this host endpoint let BGP pass could not be decided."""
    return _told(subject, rules.UNKNOWN)


def _told(subject: Subject, verdict: str) -> list[Seen]:
    return [
        api.seen(outcome.what, outcome.field, f"{direction.lower()} TCP at {name}: {outcome.why}", name)
        for name, direction, outcome in _cut(subject).outcomes
        if outcome.verdict == verdict
    ][:SHOWN]


def failsafe_lacks_bgp(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The list of failsafe ports was replaced by one without BGP's port."""
    return [api.seen(what, field, "TCP 179 is not in it") for what, field in _cut(subject).unsafe]


def calico_rule_stops_bgp(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A rule of Calico's own in the host's firewall stops these connections."""
    return [
        Seen(name, "firewall", place)
        for name in subject.nodes
        if name in evidence.nodes
        for place in dict.fromkeys(place for _session, place in _blocked_by_calico(evidence, name))
    ][:SHOWN]


def no_rule_of_calico_stops_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The firewalls of these hosts, Calico's rules among them, were evaluated and let BGP pass."""
    if not _cut(subject).outcomes or calico_rule_stops_bgp(evidence, subject):
        return []
    read = [evidence.nodes[name] for name in subject.nodes if name in evidence.nodes]
    clear = [node for node in read if node.verdicts and not any(one.verdict != "accept" for one in node.verdicts)]
    return (
        [Seen(node.name, "firewall", "TCP 179 is accepted in both directions") for node in clear[:2]]
        if clear and len(clear) == len(read)
        else []
    )


def sessions_are_down(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Sessions whose connections pass there are down."""
    return [
        Seen(evidence.labels(session)[0], "bird", f"no session with {evidence.labels(session)[1]}")
        for session in subject.sessions
    ][:SHOWN]


def _severity(evidence: Evidence, subject: Subject) -> str:
    """major where sessions are down, minor as long as those that were made before are up: they go on till made anew."""
    up = any(daemon.established for node in evidence.nodes.values() for daemon in node.daemons.values())
    return "minor" if up and not subject.sessions else "major"


def _summary(evidence: Evidence, subject: Subject) -> str:
    outcomes = _cut(subject).outcomes
    if outcomes:
        _name, direction, outcome = outcomes[0]
        verb = "may stop" if outcome.verdict == rules.UNKNOWN else "stops"
        towards = "that peers open" if direction == rules.INGRESS else "that these nodes open"
        return f"{outcome.what} {verb} the BGP connections {towards} at {words.listed(subject.nodes)}: {outcome.why}."
    rule = calico_rule_stops_bgp(evidence, subject)
    if rule:
        return f"Calico's own rules on {words.listed(subject.nodes)} stop BGP ({rule[0].detail})."
    what, field = _cut(subject).unsafe[0]
    key = field.partition(".")[2]
    return f"{what} replaces {key} by a list without TCP 179: with host endpoints, policies can cut BGP."


def _commands(evidence: Evidence, subject: Subject) -> list[str]:
    lines = [api.show(evidence, kind) for kind in ("HostEndpoint", "GlobalNetworkPolicy")]
    for what, field in _cut(subject).unsafe:
        kind, _space, name = what.partition(" ")
        key = field.partition(".")[2]
        found = evidence.cluster.felix_configurations.get(name) if evidence.cluster else None
        ports = [*(found.spec.get(key) or [] if found else []), {"protocol": "tcp", "port": rules.BGP_PORT}]
        lines += api.at_owner(evidence, f"felix/{key}", [api.patch(evidence, kind, name, {key: ports})])
    if not _cut(subject).unsafe:
        lines.append(
            "add a GlobalNetworkPolicy of low order for these host endpoints that allows TCP to BGP's port, in and out"
        )
    return lines


HOST_ENDPOINT_POLICY = Fault(
    id="host_endpoint_policy",
    family="reachability",
    title="Calico's policies for host endpoints cut BGP",
    severity="major",
    role="cause",
    means=(
        "A host endpoint makes Calico filter what the host itself sends and receives. BGP passes only as a failsafe "
        "port, which a changed list or another BGP port takes away, or by a policy that allows it."
    ),
    subjects=cut_nodes,
    signals=(
        Signal(policy_stops_bgp, STRONG + WEAK, required=True),
        Signal(calico_rule_stops_bgp, DECISIVE, required=True),
        Signal(policy_may_stop_bgp, WEAK, required=True),
        Signal(failsafe_lacks_bgp, MODERATE + WEAK, required=True),
        Signal(sessions_are_down, MODERATE),
        Signal(session_signals.syn_is_not_answered, WEAK),
        Signal(no_rule_of_calico_stops_it, -STRONG),
        Signal(session_signals.syn_is_answered, -STRONG),
    ),
    summary=_summary,
    severity_rule=_severity,
    fix=Fix(
        action="allow_bgp_at_host_endpoints",
        text=(
            "Put TCP 179 back into the failsafe ports of both directions, or allow BGP's port between the nodes by a "
            "GlobalNetworkPolicy of a low order, before anything else is closed."
        ),
        risk="low",
        disrupts="nothing; no session that works is touched",
        commands=_commands,
    ),
    verify="The policies let BGP's port pass in both directions, and the sessions are Established.",
    lookalikes=(
        Lookalike("tcp179_blocked_host_firewall", "the rule that stops BGP is not one of Calico's"),
        Lookalike("tcp179_blocked_network", "the firewalls of both hosts let BGP pass"),
    ),
    explains=(
        "tcp179_blocked_host_firewall",
        "tcp179_latent_one_way_block",
        "tcp179_blocked_network",
        "hold_timer_expired",
        "undetermined",
    ),
)

FAULTS = (HOST_ENDPOINT_POLICY,)
