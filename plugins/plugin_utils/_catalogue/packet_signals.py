# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals and small pieces that faults of the data plane share: encapsulation in use, rules as places, captures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .._evidence.openings import Flow, Opening
from . import commands, firewall_fix, words
from .firewall_fix import entry_chain, iptables_insert, typed
from .model import Remedy, Seen, Subject
from .pools import NEVER, pools_in_use

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node
    from .._evidence.packet_paths import Block, Captured
    from .._evidence.rules import Rule

IPIP, VXLAN, WIREGUARD, NONE = "ipip", "vxlan", "wireguard", "none"
FLOW_OF = {IPIP: ("ipip",), VXLAN: ("udp4789", "udp8472"), WIREGUARD: ("udp51820", "udp51821")}
SHOWN = 4
_CLOUDS = ("aws", "azure", "gcp", "openstack", "vsphere", "ibm", "alibaba", "digitalocean", "hetzner", "oci")
_ALSO = {"amazon": "aws", "ec2": "aws", "gce": "gcp", "google": "gcp", "microsoft": "azure", "vmware": "vsphere"}
# What a virtual machine's firmware calls itself (/sys/class/dmi/id).
_FIRMWARE = (
    ("Amazon", "aws"),
    ("Google", "gcp"),
    ("Microsoft", "azure"),
    ("OpenStack", "openstack"),
    ("VMware", "vsphere"),
    ("KVM", "kvm"),
    ("QEMU", "kvm"),
    ("Xen", "xen"),
)


def encapsulations(evidence: Evidence) -> set[str]:
    """What carries packets between nodes: by the pools, else by the nodes' tunnels. Empty: not told."""
    return evidence.once("encapsulations", lambda: _encapsulations(evidence))


def _encapsulations(evidence: Evidence) -> set[str]:
    found = set()
    for pool in pools_in_use(evidence):
        found |= {IPIP} if pool.ipip != NEVER else set()
        found |= {VXLAN} if pool.vxlan != NEVER else set()
        found |= {NONE} if pool.bare else set()
    if not found:
        found = {node.sizes.encapsulation for node in evidence.nodes.values() if node.sizes.encapsulation}
    return found


def uses(evidence: Evidence, kind: str, node: Node | None = None) -> bool:
    """This encapsulation is in use, by the pools or by what the node itself has."""
    return kind in encapsulations(evidence) or (node is not None and node.sizes.encapsulation == kind)


def platform(evidence: Evidence) -> str:
    """What the nodes run on: aws, azure, gcp, openstack, vsphere, kvm … or '' where nothing tells."""
    cluster = evidence.cluster
    told = cluster.environment.get("provider", "").lower() if cluster else ""
    if told:
        return next((name for word, name in _ALSO.items() if word in told), told)
    clouds = {kube.provider_id.partition(":")[0] for kube in (cluster.nodes.values() if cluster else ())} - {""}
    for cloud in sorted(clouds):
        known = _ALSO.get(cloud, cloud)
        if known in _CLOUDS:
            return known
    for node in evidence.nodes.values():
        name = next((name for word, name in _FIRMWARE if word in node.host.hardware), "")
        if name:
            return name
    return ""


def platform_seen(evidence: Evidence, told: str) -> list[Seen]:
    """That the nodes run there, as an observation."""
    return [Seen("", "platform", told)] if told else []


def sessions_are_up(evidence: Evidence) -> list[Seen]:
    """Sessions are established, and none is down."""
    table = evidence.table
    return (
        [Seen("", "bird", words.plural(table.established, "session"))] if table.established and not table.down else []
    )


# --- rules as places ---


def where_of(node: Node, rule: Rule | None, **more: Any) -> dict[str, Any]:
    """A rule as a finding's where."""
    if rule is None:
        return {"node": node.name, **more}
    return {
        "node": node.name,
        "backend": rule.backend,
        "table": rule.table,
        "chain": rule.chain,
        "rule": rule.number,
        "text": rule.text,
        "owner": rule.owner,
        **more,
    }


def at_rule(node: Node, block: Block, about: Any = None) -> Subject:
    """A subject at a rule that stops packets."""
    return Subject((node.name,), (), where_of(node, block.rule), node, block if about is None else about)


def block_seen(node: Node, block: Block) -> Seen:
    """A rule that stops packets, as an observation."""
    met = f", {words.plural(block.packets, 'packet')} so far" if block.packets else ""
    peers = f" with {words.listed(block.peers)}" if block.packed else ""
    what = f"{'answers ' if block.answers else ''}{words.listed(block.flows)}"
    place = f"{words.rule_and_owner(block.rule)}: {block.rule.text}" if block.rule else "a rule that is not told"
    return Seen(node.name, "firewall", f"{block.direction}, {what}{peers}: {block.verdict} by {place}{met}")


def allow_lines(rule: Rule | None, iptables: str, nftables: str) -> list[str]:
    """What to type on the node so that packets pass ahead of a rule, in the language of the filter that it is in."""
    if rule is None:
        return []
    chain = entry_chain(rule)
    if rule.backend == "nftables":
        family, table = rule.table.split(" ", 1) if " " in rule.table else ("inet", rule.table)
        place = f"{commands.word(family, 'FAMILY')} {commands.word(table, 'TABLE')} {chain}"
        return [f"sudo nft 'insert rule {place} {nftables} accept'"]
    return [f"sudo {iptables_insert(rule, iptables)}"]


def _opening(block: Block, flow: Flow) -> Opening:
    outbound = block.direction == "outbound"
    return Opening(block.rule, replace(flow, outbound=outbound, family=block.family))


def opened(block: Block, flow: Flow, peers: list[str]) -> list[str]:
    """What to type on the node so that a flow of these peers passes ahead of the rule that stops it."""
    return [f"sudo {line}" for line in typed(_opening(block, flow), peers)] if block.rule is not None else []


def remedy(flows: str, block: Block, flow: Flow, node: str) -> Remedy | None:
    """The role that does it; None where it cannot."""
    if not block.surely or block.answers:
        return None
    return firewall_fix.remedy(flows, [_opening(block, flow)], node)


def on(name: str, lines: Iterable[str]) -> list[str]:
    """Lines as typed for a node."""
    return [commands.on_node(name, line) for line in lines]


# --- captures ---


def captured(evidence: Evidence, *protocols: str) -> list[tuple[Node, Captured]]:
    """What captures show of these protocols, with the node that they were taken on or about."""
    return [
        (node, one) for node in evidence.nodes.values() for one in node.packets.captures if one.protocol in protocols
    ]


def one_way(evidence: Evidence, *protocols: str) -> list[Seen]:
    """Packets of these protocols that go to an address from which none of them comes back in the same capture."""
    found = []
    for node, one in captured(evidence, *protocols):
        both = {(each.source, each.destination) for each in node.packets.captures if each.protocol == one.protocol}
        if (one.destination, one.source) not in both:
            found.append(
                Seen(
                    node.name,
                    "tcpdump",
                    f"{one.packets} {one.protocol} from {one.source} to {one.destination}, none back",
                )
            )
    return found[:SHOWN]


def names_of(evidence: Evidence, found: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """The nodes of a fault that is everywhere: all that were read, or those of a mapping."""
    return tuple(sorted(found if found is not None else evidence.nodes))
