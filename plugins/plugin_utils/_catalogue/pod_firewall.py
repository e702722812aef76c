# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of rules that stand in pods' way: those of the host's own firewall, and what others have left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import api, commands, observed, packet_signals, words
from .blocked_sessions import BLOCKING
from .firewall_fix import entry_chain
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Missing, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.control_plane import HostLine
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node
    from .._evidence.packet_paths import Block
    from .._evidence.rules import Rule

    Stopping = tuple[str, Rule]

CALICO, FLANNEL = "calico", "flannel"
# Network plugins beside Calico that leave rules behind, as node_facts calls the rules' owners.
OTHERS = ("cilium", "weave", "kube-router", FLANNEL, "ovn-kubernetes", "antrea", "romana")
# Firewalls of hosts that drop what is not allowed, as long as they run.
_HOST_FIREWALLS = ("ufw", "firewalld")
# How Felix calls the chains of host endpoints' policies (felix/rules/rule_defs.go).
_OF_HOST_ENDPOINTS = ("cali-fh", "cali-th", "cali-from-host", "cali-to-host")
_CONTROLLERS = "kube-controllers"
_SILENT = ("i/o timeout", "context deadline exceeded", "no route to host", "connection refused", "Client.Timeout")

# --- rules of others ----------------------------------------------------------------------------------------------


def _in_use(evidence: Evidence, node: Node, owner: str) -> bool:
    """Another plugin's program runs here, so that its rules are no leftover; flannel's are Canal's, too."""
    if owner == FLANNEL and evidence.flavour.kind in ("canal", FLANNEL):
        return True
    return bool(node.packets.other_plugins.get(owner, {}).get("running"))


def _is_leftover(evidence: Evidence, node: Node, rule: Rule | None) -> bool:
    """A rule of a plugin that does not run, or of Felix in a backend in which the running Felix does not write."""
    if rule is None:
        return False
    if rule.owner in OTHERS:
        return not _in_use(evidence, node, rule.owner)
    return rule.owner == CALICO and bool(_other_backend(node, rule) or _felix_is_gone(node))


def _other_backend(node: Node, rule: Rule) -> str:
    """The other one of iptables' backends that has chains of Calico's, too; the older one is the leftover."""
    others = [
        name
        for name, one in node.state.backends.items()
        if CALICO in one.owners and name != rule.backend.replace("-", "_")
    ]
    return others[0] if others and rule.backend == "iptables-legacy" else ""


def _felix_is_gone(node: Node) -> bool:
    return node.has_calico and node.processes_listed and node.packets.felix_runs is False


def _stopping(node: Node) -> Iterator[Stopping]:
    """What the node's rules stop, as (what, rule)."""
    for block in (*node.packets.pods, *node.packets.blocks):
        if block.surely and block.rule is not None:
            yield words.listed(block.flows), block.rule
    for verdict in node.verdicts or ():
        if verdict.verdict in BLOCKING and verdict.rule is not None:
            yield f"TCP {verdict.port}", verdict.rule


def leftovers(evidence: Evidence) -> Iterator[Subject]:
    """Rules of plugins that are gone which stop something; and what else they left, where nothing else is known."""
    for node in evidence.nodes.values():
        found = [one for one in _stopping(node) if _is_leftover(evidence, node, one[1])]
        seen: dict[tuple[str, str, int], list[Stopping]] = {}
        for one in found:
            seen.setdefault((one[1].backend, one[1].chain, one[1].number), []).append(one)
        for group in seen.values():
            yield Subject(
                (node.name,),
                evidence.down_at(node.name) if _stops_bgp(group) else (),
                packet_signals.where_of(node, group[0][1]),
                node,
                group,
            )
        remains = {} if found else _remains(evidence, node)
        if remains:
            yield Subject((node.name,), (), {"node": node.name, "plugins": sorted(remains)}, node, remains)


def _stops_bgp(group: list[Stopping]) -> bool:
    return any(what.startswith("TCP ") for what, _rule in group)


def _remains(evidence: Evidence, node: Node) -> dict[str, str]:
    """By plugin what it has left: rules, interfaces, configurations."""
    return {
        name: words.listed(key for key in ("rules", "interfaces", "files") if entry.get(key))
        for name, entry in node.packets.other_plugins.items()
        if name in OTHERS and entry.get("rules") and not _in_use(evidence, node, name)
    }


def a_leftover_stops_packets(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A rule of a network plugin that is gone stops packets."""
    if not isinstance(subject.about, list):
        return []
    return [
        Seen(subject.nodes[0], "firewall", f"{what}: {words.rule_and_owner(rule)}: {rule.text}")
        for what, rule in subject.about
    ][:4]


def its_plugin_does_not_run(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The plugin whose rule it is does not run here any more."""
    if not isinstance(subject.about, list) or subject.node is None:
        return []
    rule = subject.about[0][1]
    if rule.owner != CALICO:
        return (
            [Seen(subject.nodes[0], "processes", f"no daemon of {rule.owner}")] if subject.node.processes_listed else []
        )
    other = _other_backend(subject.node, rule)
    told = f"Felix writes to {other.replace('_', '-')}" if other else "Felix does not run"
    return [Seen(subject.nodes[0], "firewall" if other else "processes", told)]


def a_host_endpoint_wants_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """It is a chain of host endpoints, and this node has a HostEndpoint: today's objects call for such rules."""
    if not isinstance(subject.about, list) or evidence.cluster is None:
        return []
    rule = subject.about[0][1]
    if rule.owner != CALICO or not rule.chain.startswith(_OF_HOST_ENDPOINTS):
        return []
    name = commands.kube_name(evidence, subject.nodes[0])
    return [
        api.seen(f"HostEndpoint {one.name}", "spec.node", name)
        for one in evidence.cluster.host_endpoints
        if one.node == name
    ]


def rules_remain(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Rules of a plugin that does not run are still there; none of them stops what was looked at."""
    if not isinstance(subject.about, dict):
        return []
    return [Seen(subject.nodes[0], "host", f"{name}: {what}") for name, what in sorted(subject.about.items())]


def pods_fail_there(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Pods do not reach those of other nodes."""
    return observed.fails_across(evidence)


def _left_by(subject: Subject) -> str:
    if isinstance(subject.about, dict):
        return words.listed(sorted(subject.about))
    owner = subject.about[0][1].owner
    return "an earlier Calico" if owner == CALICO else owner


def _leftover_summary(evidence: Evidence, subject: Subject) -> str:
    if isinstance(subject.about, dict):
        return f"{subject.nodes[0]} still has rules of {_left_by(subject)}, which does not run there."
    stopped = words.listed(what for what, _rule in subject.about)
    rule = subject.about[0][1]
    return f"A rule that {_left_by(subject)} left on {subject.nodes[0]} stops {stopped}: {words.rule_place(rule)}."


def _leftover_commands(evidence: Evidence, subject: Subject) -> list[str]:
    if isinstance(subject.about, dict):
        return packet_signals.on(subject.nodes[0], ["sudo iptables-save; sudo iptables-legacy-save"])
    rule: Rule = subject.about[0][1]
    suffix = {"iptables-legacy": "-legacy", "iptables-nft": "-nft"}.get(rule.backend, "")
    if rule.backend == "nftables":
        return packet_signals.on(
            subject.nodes[0], [f"sudo nft -a list ruleset   # then delete {commands.word(rule.table, 'TABLE')}"]
        )
    program = f"{'ip6tables' if rule.family == 'ipv6' else 'iptables'}{suffix}"
    chain = entry_chain(rule)
    jump = rule.path[0].rpartition(" ")[2] if rule.path and rule.path[0].rpartition(" ")[2].isdigit() else "NUMBER"
    return packet_signals.on(
        subject.nodes[0],
        [
            f"sudo {program}-save > /root/{program}.before",
            f"sudo {program} -t {commands.word(rule.table, 'TABLE')} -D {chain} {jump}",
        ],
    )


def _leftover_severity(evidence: Evidence, subject: Subject) -> str:
    """major where one of the rules stops packets, minor where they are merely there."""
    return "minor" if isinstance(subject.about, dict) else "major"


LEFTOVER_IPTABLES_RULES = Fault(
    id="leftover_iptables_rules",
    family="reachability",
    title="Rules that another network plugin left behind stand in the way",
    severity="major",
    role="cause",
    means=(
        "A network plugin that was used before (or an earlier Calico, in the other backend of iptables) was "
        "taken away, "
        "and its rules were not. Nobody keeps them up to date: they drop what the plugin did not know, such as "
        "Calico's "
        "pods, tunnels or BGP. They are gone after a reboot, unless something loads them again."
    ),
    subjects=leftovers,
    signals=(
        Signal(a_leftover_stops_packets, STRONG, required=True),
        Signal(its_plugin_does_not_run, STRONG),
        Signal(rules_remain, WEAK, required=True),
        Signal(pods_fail_there, WEAK),
        Signal(a_host_endpoint_wants_it, -DECISIVE - DECISIVE),
    ),
    summary=_leftover_summary,
    fix=Fix(
        action="remove_leftover_rules",
        text=(
            "Save the rules, take the plugin's jumps out of the kernel's chains and then its own chains, in the "
            "backend "
            "in which they are; its configuration in /etc/cni/net.d and its interfaces, too. A reboot does all that "
            "where nothing loads the rules at boot. Do not flush everything: kube-proxy's and Calico's rules go "
            "as well."
        ),
        risk="medium",
        disrupts="nothing that works today, if only the plugin's own rules are taken away",
        commands=_leftover_commands,
    ),
    verify=(
        "No rule of the plugin is left (iptables-save, iptables-legacy-save, nft list ruleset), and pods reach "
        "each other."
    ),
    severity_rule=_leftover_severity,
    lookalikes=(
        Lookalike("tcp179_blocked_host_firewall", "the rule is of a firewall that is in use"),
        Lookalike("host_firewall_blocks_pod_interfaces", "the rule is of the host's own firewall"),
        Lookalike("iptables_backend_mismatch", "both backends are in use, by programs that run"),
    ),
    explains=(
        *("tcp179_blocked_host_firewall", "tcp179_latent_one_way_block", "host_firewall_blocks_pod_interfaces"),
        *("ipip_blocked", "vxlan_udp_blocked", "iptables_backend_mismatch", "undetermined"),
    ),
)

# --- the host's own firewall --------------------------------------------------------------------------------------


def hosts_that_stop_pods(evidence: Evidence) -> Iterator[Subject]:
    """Rules of a host's own firewall that stop pods' packets; and hosts with a firewall of which only that is known."""
    for node in evidence.nodes.values():
        groups: dict[tuple[str, str, int], list[Block]] = {}
        for block in node.packets.pods:
            if block.surely and block.rule is not None and _is_hosts(evidence, node, block.rule):
                groups.setdefault((block.rule.backend, block.rule.chain, block.rule.number), []).append(block)
        for blocks in groups.values():
            yield Subject((node.name,), (), packet_signals.where_of(node, blocks[0].rule), node, blocks)
        logged = node.state.logged_pod_drops
        if not groups and logged:
            yield Subject((node.name,), (), {"node": node.name, "owner": _owner_by_prefix(logged[0].prefix)}, node, [])
        elif not groups and _pods_are_silent(evidence, node) and _firewall_runs(node):
            yield Subject((node.name,), (), {"node": node.name, "owner": _firewall_runs(node)}, node, [])


def _pods_are_silent(evidence: Evidence, node: Node) -> bool:
    """Something tells that pods do not get through."""
    return bool(_silent_controllers(node) or observed.fails_across(evidence) or observed.lost_to_services(evidence))


def _owner_by_prefix(prefix: str) -> str:
    """Whose log it is: ufw's and firewalld's begin as these write them."""
    if prefix.startswith("[UFW"):
        return "ufw"
    return "firewalld" if prefix.startswith(("FINAL_REJECT", "STATE_INVALID_DROP", "filter_", "rpfilter_")) else ""


def _is_hosts(evidence: Evidence, node: Node, rule: Rule) -> bool:
    return rule.owner != CALICO and not _is_leftover(evidence, node, rule)


def _firewall_runs(node: Node) -> str:
    """ufw or firewalld, where it is told that it runs and its rules could not be evaluated."""
    if node.packets.pods_accepted:
        return ""
    return next((name for name in _HOST_FIREWALLS if name in node.packets.owners), "")


def _silent_controllers(node: Node) -> list[HostLine]:
    """What kube-controllers, which runs in a pod, says of an API server that does not answer it."""
    return [
        line
        for line in node.control.log
        if _CONTROLLERS in line.component and any(words_ in line.text for words_ in _SILENT)
    ]


def rule_stops_pods(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A rule of the host's own firewall stops what pods send, or what is for them."""
    return [packet_signals.block_seen(subject.node, block) for block in subject.about if subject.node][:4]


def firewall_is_on(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A firewall of the host runs, which drops what it is not told to let pass; its rules are not known."""
    told = not subject.about and subject.node is not None and _firewall_runs(subject.node)
    return [Seen(subject.nodes[0], "firewall", str(subject.where.get("owner", "")))] if told else []


def kernel_logs_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kernel's log tells of packets from or to pods' interfaces that a firewall stopped, and what they began."""
    return _logged(subject, whole=True)


def kernel_logs_parts_of_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kernel's log tells of packets from or to pods' interfaces that a firewall stopped; what is shown of it does
    not tell whether they began something, or came too late."""
    return _logged(subject, whole=False)


def _logged(subject: Subject, *, whole: bool) -> list[Seen]:
    told = subject.node.state.logged_pod_drops if subject.node and not subject.about else ()
    return [
        Seen(subject.nodes[0], "kernel log", f"{one.prefix}: {one.way}, {words.plural(one.packets, 'packet')}")
        for one in told
        if one.whole is whole
    ][:4]


def a_pod_gets_no_answer(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A program in a pod (kube-controllers) gets no answer from the API server."""
    return [
        Seen(subject.nodes[0], f"log of {line.component}", line.text, line.at)
        for line in (_silent_controllers(subject.node) if subject.node else [])
    ][:2]


def nodes_get_one(evidence: Evidence, subject: Subject) -> list[Seen]:
    """From the same host calico-node, which is in no pod network, reaches the API server."""
    node = subject.node
    well = [one for one in node.control.apiserver if one.established > one.retransmitting] if node else []
    return (
        [Seen(subject.nodes[0], "sockets", f"{one.endpoint}: connected") for one in well][:1]
        if _silent_controllers_of(subject)
        else []
    )


def _silent_controllers_of(subject: Subject) -> bool:
    return subject.node is not None and bool(_silent_controllers(subject.node))


def host_is_silent_too(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Neither does calico-node itself, which is in no pod network, get an answer from the API server."""
    node = subject.node
    silent = [one for one in node.control.apiserver if one.unanswered] if node else []
    return [Seen(subject.nodes[0], "sockets", f"{one.endpoint}: no answer") for one in silent][:1]


def _forwards(blocks: list[Block]) -> bool:
    """More is stopped than new connections of pods to the host itself."""
    return any(block.answers or set(block.flows) - {"pods to host"} for block in blocks)


def _host_severity(evidence: Evidence, subject: Subject) -> str:
    """minor where only what pods send to the host itself is stopped (a host may mean that), else major."""
    return "minor" if subject.about and not _forwards(subject.about) else "major"


def _host_summary(evidence: Evidence, subject: Subject) -> str:
    logged = kernel_logs_it(evidence, subject) or kernel_logs_parts_of_it(evidence, subject)
    if logged:
        return f"The firewall of {subject.nodes[0]} stops pods' packets, as the kernel logs it: {logged[0].detail}."
    if not subject.about:
        return (
            f"A firewall ({subject.where.get('owner')}) runs on {subject.nodes[0]}, and pods there get no "
            "answers: it seems "
            "to stop what comes from or goes to pods' interfaces."
        )
    ways = words.listed(flow for block in subject.about for flow in block.flows)
    return (
        f"The firewall of {subject.nodes[0]} stops pods' packets ({ways}): "
        f"{words.rule_and_owner(subject.about[0].rule)}."
    )


def _host_commands(evidence: Evidence, subject: Subject) -> list[str]:
    name = subject.nodes[0]
    owner = str(subject.where.get("owner", ""))
    if owner == "ufw":
        lines = ["sudo ufw allow in on cali+", "sudo ufw route allow in on cali+", "sudo ufw route allow out on cali+"]
        return packet_signals.on(name, lines)
    if owner == "firewalld":
        added = [
            f"sudo firewall-cmd --permanent --zone=trusted --add-interface={one}"
            for one in ("cali+", *_tunnels(subject))
        ]
        return packet_signals.on(name, [*added, "sudo firewall-cmd --reload"])
    rule = subject.about[0].rule if subject.about else None
    if rule is None:
        return packet_signals.on(name, ["sudo iptables-save -c; sudo nft list ruleset"])
    lines = packet_signals.allow_lines(rule, "-i cali+", 'iifname "cali*"')
    if _forwards(subject.about):
        lines += packet_signals.allow_lines(rule, "-o cali+", 'oifname "cali*"')
    return packet_signals.on(name, lines)


def _tunnels(subject: Subject) -> list[str]:
    return [one.name for one in subject.node.sizes.tunnels] if subject.node else []


HOST_FIREWALL_BLOCKS_POD_INTERFACES = Fault(
    id="host_firewall_blocks_pod_interfaces",
    family="reachability",
    title="The host's firewall stops pods' packets",
    severity="major",
    role="cause",
    means=(
        "A firewall of the host drops what comes from, or goes to, pods' interfaces (cali…) or tunnels: BGP "
        "between the "
        "hosts is well, and pods reach neither each other nor the API server. Firewalls that drop what they do "
        "not know "
        "do so in the chain FORWARD, through which all of pods' packets go."
    ),
    subjects=hosts_that_stop_pods,
    signals=(
        Signal(rule_stops_pods, DECISIVE, required=True),
        Signal(kernel_logs_it, STRONG, required=True),
        Signal(kernel_logs_parts_of_it, MODERATE, required=True),
        Signal(firewall_is_on, MODERATE, required=True),
        Signal(a_pod_gets_no_answer, MODERATE),
        Signal(nodes_get_one, MODERATE),
        Signal(host_is_silent_too, -MODERATE),
    ),
    summary=_host_summary,
    severity_rule=_host_severity,
    fix=Fix(
        action="let_pods_pass",
        text=(
            "Let the host's firewall pass what comes from and goes to cali+ and the tunnel devices (Felix filters that "
            "by itself), or put these into a trusted zone, in the language of the firewall's owner. What iptables or "
            "nft insert is gone after a reboot."
        ),
        risk="low",
        disrupts="nothing; pods' traffic is filtered by Calico's policies",
        commands=_host_commands,
    ),
    verify="The filters are evaluated to let pods pass, and a pod reaches the API server and pods of other nodes.",
    lookalikes=(
        Lookalike("leftover_iptables_rules", "the rule is one of another network plugin that is gone"),
        Lookalike("apiserver_unreachable", "calico-node itself does not reach the API server either"),
        Lookalike("ip_forward_off", "the host forwards nothing at all"),
        Lookalike("tcp179_blocked_host_firewall", "sessions are down, too"),
    ),
    missing=lambda evidence, subject: (
        []
        if subject.about
        else [
            Missing(
                subject.nodes[0],
                "firewall",
                commands.on_node(
                    subject.nodes[0], "sudo ufw status verbose; sudo iptables-save -c; sudo nft list ruleset"
                ),
                "whether a rule drops what comes from or goes to cali+",
            )
        ]
    ),
)

FAULTS = (LEFTOVER_IPTABLES_RULES, HOST_FIREWALL_BLOCKS_POD_INTERFACES)
