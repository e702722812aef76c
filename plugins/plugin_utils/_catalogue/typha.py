# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults between Felix and a Typha that runs: the way, the address, the name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._evidence.openings import Flow, Opening
from . import agent_pod, api, commands, firewall_fix, gate_signals, packet_signals, typha_words, words
from .gate_signals import HINT
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Missing, Remedy, Seen, Signal, Subject
from .typha_words import NO_TYPHA

# A host that is lost and a Typha that hangs do not answer either.
_SILENCE = 0.9

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.control_plane import FlowBlock, HostLine
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

# --- the port -----------------------------------------------------------------------------------------------------


def silent_typhas(evidence: Evidence) -> Iterator[Subject]:
    """Typhas that are dialled and do not answer; the fault is where a rule blocks, else at those that dial."""
    groups: dict[str, list[typha_words.Dialled]] = {}
    for one in typha_words.dialled(evidence):
        if one.silent:
            groups.setdefault(one.address, []).append(one)
    for address, attempts in groups.items():
        callers = sorted({one.node.name for one in attempts})
        server = evidence.owners.get(address)
        inbound = _rules_there(server, attempts) if server is not None else []
        names = [server.name] if server is not None and inbound else callers
        blocks = inbound or _rules_at(evidence, callers[0], address)
        rule = blocks[0].place if blocks else None
        place = packet_signals.where_of(evidence.nodes[names[0]], rule) if rule else {}
        yield gate_signals.at(evidence, names, callers, **{**place, "typha": address, "port": typha_words.PORT})


def _rules_there(server: Node, attempts: list[typha_words.Dialled]) -> list[FlowBlock]:
    callers = {own for one in attempts for own in one.node.bgp_addresses.values()}
    return [block for block in server.control.typha_inbound if any(block.concerns(caller) for caller in callers)]


def _rules_at(evidence: Evidence, caller: str, address: str) -> list[FlowBlock]:
    """The caller's own rules that stop its connections to Typha."""
    node = evidence.nodes.get(caller)
    return [block for block in node.control.typha_outbound if block.concerns(address)] if node else []


def typha_does_not_answer(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Connections to Typha's TCP 5473 are asked for, and nothing comes back."""
    return [
        Seen(one.node.name, one.source, one.says) for one in typha_words.of_subject(evidence, subject) if one.silent
    ][:6]


def rule_on_the_way_out(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The caller's own firewall stops connections to TCP 5473."""
    return [
        Seen(one.node.name, "firewall", f"{block.verdict} by {block.rule}")
        for one in typha_words.of_subject(evidence, subject)
        for block in one.node.control.typha_outbound
        if block.concerns(one.address)
    ][:4]


def rule_on_the_way_in(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The firewall of Typha's host stops connections to TCP 5473."""
    server = evidence.owners.get(str(subject.where.get("typha", "")))
    blocks = _rules_there(server, typha_words.of_subject(evidence, subject)) if server else []
    return [Seen(server.name, "firewall", f"{block.verdict} by {block.rule}") for block in blocks if server][:4]


def typha_is_ready_there(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A Typha that says it is ready has this address."""
    address = subject.where.get("typha", "")
    known = typha_words.cluster_typha(evidence)
    pods = [pod for pod in (known.ready if known else ()) if pod.address == address]
    found = [Seen(pod.node, "pods", f"{pod.namespace}/{pod.name} is Ready") for pod in pods]
    server = evidence.owners.get(str(address))
    here = server.control.typha_here if server else None
    if server and here and here.health.state == "ready":
        found.append(Seen(server.name, "Typha's health", f"ready, {here.clients or 0} clients"))
    return found


def others_are_connected(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Other nodes are connected to the same Typha."""
    return typha_words.connected_clients(evidence, str(subject.where.get("typha", "")))


def address_is_no_typhas(evidence: Evidence, subject: Subject) -> list[Seen]:
    """No Typha has the address that is dialled."""
    address = str(subject.where.get("typha", ""))
    known = typha_words.cluster_typha(evidence)
    if not address or typha_words.is_a_typha(evidence, address) is not False or known is None:
        return []
    there = words.listed(sorted(pod.address for pod in known.pods if pod.address))
    return [Seen("", "pods", f"{address} is dialled, Typha is at {there}")]


def no_typha_is_ready(evidence: Evidence, subject: Subject) -> list[Seen]:
    """No Typha in the cluster is ready."""
    known = typha_words.cluster_typha(evidence)
    return [Seen("", "pods", "none is Ready")] if known is not None and not known.ready else []


def _stops(evidence: Evidence, subject: Subject) -> tuple[Opening | None, list[str]]:
    """What lets connections to Typha pass ahead of the rule that stops them, where one was found; and the far ends."""
    address = str(subject.where.get("typha", ""))
    server = evidence.owners.get(address)
    inbound = server is not None and server.name in subject.nodes
    callers = [evidence.nodes[name] for name in subject.about if name in evidence.nodes]
    rules = _rules_there(server, typha_words.of_subject(evidence, subject)) if server is not None and inbound else []
    rules = rules or (_rules_at(evidence, callers[0].name, address) if callers else [])
    rule = rules[0].place if rules else None
    family = "ipv6" if ":" in address else "ipv4"
    ends = [one.bgp_addresses.get(family, "") for one in callers] if inbound else [address]
    peers = [peer for one in ends if (peer := commands.word(one, ""))]
    if rule is None or not peers:
        return None, []
    return Opening(rule, Flow("tcp", typha_words.PORT, not inbound, False, family)), peers


def _open_port(evidence: Evidence, subject: Subject) -> list[str]:
    opening, peers = _stops(evidence, subject)
    lines = firewall_fix.typed(opening, peers) if opening is not None else []
    return packet_signals.on(subject.nodes[0], [f"sudo {line}" for line in lines])


def _port_remedy(evidence: Evidence, subject: Subject) -> Remedy | None:
    opening, _peers = _stops(evidence, subject)
    # A rule of one caller's tells nothing of the others'.
    if opening is None or len(subject.nodes) != 1:
        return None
    return firewall_fix.remedy("typha", [opening], subject.nodes[0])


def _port_commands(evidence: Evidence, subject: Subject) -> list[str]:
    address = commands.word(subject.where.get("typha") or "TYPHA-ADDRESS", "TYPHA-ADDRESS")
    return [
        commands.on_node(subject.about[0], f"timeout 5 nc -zv {address} {typha_words.PORT}"),
        commands.on_node(subject.nodes[0], f"sudo iptables-save -c | grep -n {typha_words.PORT}"),
        *_open_port(evidence, subject),
        *typha_words.show_typha(evidence),
    ]


TYPHA_PORT_BLOCKED = Fault(
    id="typha_port_blocked",
    family="control_plane",
    title="TCP 5473 to Typha is blocked",
    severity="major",
    role="cause",
    means="Typha runs, and calico-node's connections to its TCP 5473 are dropped on the way. " + NO_TYPHA,
    subjects=silent_typhas,
    signals=(
        Signal(typha_does_not_answer, _SILENCE, required=True),
        Signal(rule_on_the_way_out, DECISIVE),
        Signal(rule_on_the_way_in, DECISIVE),
        Signal(typha_is_ready_there, MODERATE),
        Signal(others_are_connected, WEAK),
        Signal(gate_signals.scope_tells, HINT),
        Signal(address_is_no_typhas, -DECISIVE),
        Signal(no_typha_is_ready, -STRONG),
    ),
    summary=lambda evidence, subject: (
        f"calico-node on {words.listed(subject.about)} gets no answer from Typha at "
        f"{subject.where['typha'] or 'its address'}, TCP 5473"
        + (
            f": a firewall rule on {subject.nodes[0]} stops it."
            if rule_on_the_way_in(evidence, subject) or rule_on_the_way_out(evidence, subject)
            else "; something on the way stops it."
        )
    ),
    severity_rule=gate_signals.worst_if_everywhere,
    fix=Fix(
        action="allow_typha_port",
        text="Allow TCP 5473 from every node to the nodes that may run Typha: host firewalls, security groups, ACLs.",
        risk="low",
        disrupts="nothing",
        commands=_port_commands,
        remedy=_port_remedy,
    ),
    verify="Felix on every node has an established connection to TCP 5473 of a Typha.",
    lookalikes=(
        Lookalike("typha_stale_endpoint", "no Typha has the address any more"),
        Lookalike("typha_down", "no Typha is ready, or the connection is refused"),
    ),
    explains=("routes_missing", "bird_reload_stuck"),
    missing=lambda evidence, subject: (
        [
            Missing(
                "",
                "Typha's pods",
                typha_words.show_typha(evidence)[0],
                "whether a Typha runs at the address that is dialled",
            )
        ]
        if typha_words.cluster_typha(evidence) is None
        else []
    ),
)

# --- an address of the past ---------------------------------------------------------------------------------------


def vanished_typhas(evidence: Evidence) -> Iterator[Subject]:
    """Addresses that are dialled, or stand behind Typha's Service, and that no Typha has."""
    groups: dict[str, list[str]] = {}
    for one in typha_words.dialled(evidence):
        if one.address and typha_words.is_a_typha(evidence, one.address) is False:
            groups.setdefault(one.address, []).append(one.node.name)
    for address in _dead_endpoints(evidence):
        groups.setdefault(address, [])
    for address, callers in groups.items():
        yield gate_signals.at(evidence, callers, sorted(set(callers)), typha=address)


def _dead_endpoints(evidence: Evidence) -> list[str]:
    """Endpoints of Typha's Service behind which there is no pod, although pods were read."""
    known = typha_words.cluster_typha(evidence)
    if known is None or not known.pods:
        return []
    alive = {pod.address for pod in known.pods if pod.address}
    return sorted(
        {target[0] for service in known.services for target in service.targets if target[2] and target[0] not in alive}
    )


def service_leads_nowhere(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Typha's Service still leads to an address behind which there is no pod."""
    address = subject.where["typha"]
    return [Seen("", "endpointslices", str(address))] if address in _dead_endpoints(evidence) else []


def dead_address_is_dialled(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Felix dials an address that no Typha has, and gets no connection."""
    return [Seen(one.node.name, one.source, one.says) for one in typha_words.of_subject(evidence, subject)][:6]


def _vanished_severity(evidence: Evidence, subject: Subject) -> str:
    """major where nodes dial it, minor where the Service merely leads to it."""
    return "major" if subject.about else "minor"


TYPHA_STALE_ENDPOINT = Fault(
    id="typha_stale_endpoint",
    family="control_plane",
    title="The Typha that is dialled is gone",
    severity="major",
    role="cause",
    means="At the address that calico-node dials there was a Typha once. " + NO_TYPHA,
    subjects=vanished_typhas,
    signals=(
        Signal(dead_address_is_dialled, STRONG, required=True),
        Signal(service_leads_nowhere, STRONG, required=True),
        Signal(address_is_no_typhas, STRONG),
        Signal(no_typha_is_ready, -STRONG),
    ),
    summary=lambda evidence, subject: (
        f"No Typha has the address {subject.where['typha']}"
        + (f", which {words.listed(subject.about)} dial." if subject.about else ", to which its Service still leads.")
    ),
    severity_rule=_vanished_severity,
    fix=Fix(
        action="refresh_typha_endpoint",
        text=(
            "Find out who keeps the address: a fixed FELIX_TYPHAADDR, a stale EndpointSlice (kube-controller-manager), "
            "stale rules of kube-proxy. Then restart calico-node on the nodes that dial it."
        ),
        risk="low",
        disrupts="calico-node restarts on these nodes, one at a time",
        commands=lambda evidence, subject: [
            *typha_words.show_typha(evidence),
            *agent_pod.delete_each(evidence, subject.about),
        ],
    ),
    verify="Every endpoint of Typha's Service is a Ready pod, and Felix is connected to one of them.",
    lookalikes=(Lookalike("typha_port_blocked", "a Typha runs at the address"),),
    explains=("routes_missing", "bird_reload_stuck", "typha_port_blocked"),
)

# --- a wrong name -------------------------------------------------------------------------------------------------


def nodes_that_look_elsewhere(evidence: Evidence) -> Iterator[Subject]:
    """Nodes whose Felix looks for a Service of Typha's that does not exist, or says that it finds none."""
    groups: dict[str, list[str]] = {}
    for node in typha_words.clients(evidence):
        told = node.control.typha.service
        if not node.control.typha.connected and (_service_exists(evidence, told) is False or _not_found(node)):
            groups.setdefault(told, []).append(node.name)
    known = typha_words.cluster_typha(evidence)
    if not groups and known is not None and known.service and _service_exists(evidence, known.service) is False:
        groups[known.service] = []
    for service, names in groups.items():
        told_by = typha_words.told_by(evidence) if known is not None and known.service == service else {}
        yield gate_signals.at(evidence, names, names, **told_by, service=service)


def _service_exists(evidence: Evidence, service: str) -> bool | None:
    """Whether there is a Service "namespace/name"; None where that is not known."""
    cluster = evidence.cluster
    if cluster is None or not service or not cluster.read("services"):
        return None
    return any(f"{one.namespace}/{one.name}" == service for one in cluster.services)


def service_does_not_exist(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The Service that calico-node is told to look for does not exist."""
    service = subject.where["service"]
    return [Seen("", "services", f"no {service}")] if _service_exists(evidence, service) is False else []


def log_tells_of_discovery(evidence: Evidence, subject: Subject) -> list[Seen]:
    """By its log calico-node finds no Typha."""
    return [
        gate_signals.seen_line(node, line)
        for node in gate_signals.nodes_of(evidence, subject)
        for line in _not_found(node)[:2]
    ]


def _not_found(node: Node) -> list[HostLine]:
    """What a node says of a search for Typha that found no Service; nothing where it found one without a Typha."""
    lines = node.control.lines("typha_discovery")
    return [] if any(map(typha_words.nobody_ready, lines)) else lines


def typha_serves_elsewhere(evidence: Evidence, subject: Subject) -> list[Seen]:
    """There is a Service of Typha's under another name or in another namespace."""
    known = typha_words.cluster_typha(evidence)
    names = [f"{one.namespace}/{one.name}" for one in (known.services if known else ())]
    return [Seen("", "services", name) for name in names if name != subject.where["service"]]


def service_exists(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The Service that is looked for exists, and leads to a Typha that is ready."""
    known = typha_words.cluster_typha(evidence)
    return [
        Seen("", "endpointslices", f"{one.namespace}/{one.name}: {target[0]}")
        for one in (known.services if known else ())
        if f"{one.namespace}/{one.name}" == subject.where["service"]
        for target in one.targets
        if target[2]
    ][:2]


def _elsewhere_summary(evidence: Evidence, subject: Subject) -> str:
    told = subject.where["service"] or "(not told)"
    elsewhere = [seen.detail for seen in typha_serves_elsewhere(evidence, subject)]
    if not service_does_not_exist(evidence, subject):
        return f"calico-node looks for Typha at the Service {told}, and finds none."
    there = f"; there is {words.listed(elsewhere)}" if elsewhere else ""
    return f"calico-node looks for Typha at the Service {told}, which does not exist{there}."


def _look_there(evidence: Evidence, subject: Subject) -> list[str]:
    """Have calico-node look for the Service that there is."""
    there = [seen.detail for seen in typha_serves_elsewhere(evidence, subject)]
    space, _slash, name = (there[0] if len(there) == 1 else "").partition("/")
    if not name:
        return []
    namespace = {"FELIX_TYPHAK8SNAMESPACE": space} if str(subject.where["service"]).partition("/")[0] != space else {}
    plain = [api.set_variables(evidence, {"FELIX_TYPHAK8SSERVICENAME": name, **namespace})]
    return api.at_owner(evidence, "env/FELIX_TYPHAK8SSERVICENAME", plain, value=name)


TYPHA_DISCOVERY_MISCONFIGURED = Fault(
    id="typha_discovery_misconfigured",
    family="control_plane",
    title="Typha is looked for under the wrong name",
    severity="major",
    role="cause",
    means="The Service at which calico-node is told to look for Typha does not exist. " + NO_TYPHA,
    subjects=nodes_that_look_elsewhere,
    signals=(
        Signal(service_does_not_exist, DECISIVE, required=True),
        Signal(log_tells_of_discovery, STRONG, required=True),
        Signal(typha_serves_elsewhere, MODERATE),
        Signal(gate_signals.scope_tells, HINT),
        Signal(service_exists, -STRONG),
        Signal(no_typha_is_ready, -MODERATE),
    ),
    summary=_elsewhere_summary,
    severity_rule=gate_signals.worst_if_everywhere,
    fix=Fix(
        action="correct_typha_service",
        text=(
            "Correct FELIX_TYPHAK8SSERVICENAME and FELIX_TYPHAK8SNAMESPACE (typha_service_name in calico-config), at "
            "whoever owns the DaemonSet, or make the Service that they name."
        ),
        risk="medium",
        disrupts="calico-node restarts on all nodes, one by one",
        commands=lambda evidence, subject: [
            "kubectl get services -A | grep -i typha",
            "kubectl get daemonset -A -o yaml | grep -A1 FELIX_TYPHA",
            *_look_there(evidence, subject),
        ],
    ),
    verify="Felix on every node is connected to a Typha.",
    lookalikes=(Lookalike("typha_down", "the Service exists, and no Typha is behind it"),),
    explains=("routes_missing", "bird_reload_stuck"),
)

FAULTS = (TYPHA_STALE_ENDPOINT, TYPHA_DISCOVERY_MISCONFIGURED, TYPHA_PORT_BLOCKED)
