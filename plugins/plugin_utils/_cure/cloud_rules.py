# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules that a cloud's own filter needs between the nodes, as lines for a person. Nothing is sent anywhere."""

from __future__ import annotations

import ipaddress
import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .._evidence.evidence import Evidence

_WIREGUARD = {"ipv4": 51820, "ipv6": 51821}
_MOST = 50


class Ingress(NamedTuple):
    """What is let in, from the nodes to the nodes. port 0: a protocol that has none."""

    name: str
    protocol: str
    number: int
    port: int


def lines(evidence: Evidence, clouds: Iterable[str], flows: set[str]) -> list[str]:
    """The rules in the words of each cloud. Raises ValueError for one that is not known."""
    asked = [str(one) for one in clouds]
    unknown = [one for one in asked if one not in CLOUDS]
    if unknown:
        raise ValueError(f"bgp_firewall_print knows {', '.join(CLOUDS)}, not {', '.join(unknown)}")
    addresses = _addresses(evidence)
    found = []
    for cloud in asked:
        found.append(f"# {cloud}: what is in CAPITALS is yours to fill in")
        for family, own in addresses.items():
            if own:
                found += CLOUDS[cloud](_ingress(evidence, flows, family), family, own)
    return found


def _addresses(evidence: Evidence) -> dict[str, list[str]]:
    """By family the fewest prefixes that hold exactly the nodes' addresses."""
    found: dict[str, list[str]] = {}
    for family in ("ipv4", "ipv6"):
        told = {node.bgp_addresses.get(family, "") for node in evidence.nodes.values()}
        told |= {side.address for session in evidence.table.down for side in (session.dialler, session.listener)}
        own = [one for one in told if one and (":" in one) == (family == "ipv6") and "%" not in one]
        networks = [ipaddress.ip_network(one) for one in own]
        found[family] = [str(one) for one in ipaddress.collapse_addresses(networks)][:_MOST]  # type: ignore[type-var]
    return found


def _ingress(evidence: Evidence, flows: set[str], family: str) -> list[Ingress]:
    ports = {
        daemon.config.listen_port or 179
        for node in evidence.nodes.values()
        for name, daemon in node.daemons.items()
        if name == family
    } or {179}
    found = [Ingress("bgp", "tcp", 6, port) for port in sorted(ports)]
    if "ipip" in flows and family == "ipv4":
        found.append(Ingress("ipip", "4", 4, 0))
    if "vxlan" in flows:
        devices = [one for node in evidence.nodes.values() for one in node.overlay.devices.values()]
        found += [
            Ingress("vxlan", "udp", 17, port) for port in sorted({one.port for one in devices if one.port} or {4789})
        ]
    if "wireguard" in flows:
        found.append(Ingress("wireguard", "udp", 17, _WIREGUARD[family]))
    if "typha" in flows:
        found.append(Ingress("typha", "tcp", 6, 5473))
    return found


def _aws(rules: list[Ingress], family: str, nodes: list[str]) -> list[str]:
    ranges = [{"CidrIp" if family == "ipv4" else "CidrIpv6": one, "Description": "calico"} for one in nodes]
    key = "IpRanges" if family == "ipv4" else "Ipv6Ranges"
    permissions: list[dict[str, Any]] = []
    for rule in rules:
        ports = {"FromPort": rule.port, "ToPort": rule.port} if rule.port else {}
        permissions.append({"IpProtocol": rule.protocol, **ports, key: ranges})
    told = json.dumps(permissions, separators=(",", ":"))
    found = [f"aws ec2 authorize-security-group-ingress --group-id GROUP --ip-permissions '{told}'"]
    if any(rule.name == "ipip" for rule in rules):
        found.append("# each instance's source/destination check stays on with IPIP: packets bear the nodes' addresses")
    return found


def _gcp(rules: list[Ingress], family: str, nodes: list[str]) -> list[str]:
    allowed = ",".join(f"{rule.protocol}:{rule.port}" if rule.port else "ipip" for rule in rules)
    way = "--network NETWORK --direction INGRESS --action ALLOW --target-tags TAG"
    between = f"--rules {allowed} --source-ranges {','.join(nodes)}"
    return [f"gcloud compute firewall-rules create calico-nodes-{family} {way} {between}"]


def _azure(rules: list[Ingress], family: str, nodes: list[str]) -> list[str]:
    found = []
    for number, rule in enumerate(rules):
        if not rule.port:
            found.append("# Azure's network carries no IP protocol 4, whatever is allowed: use VXLAN in place of IPIP")
            continue
        priority = 1000 + number + (50 if family == "ipv6" else 0)
        found.append(
            f"az network nsg rule create --resource-group RESOURCE-GROUP --nsg-name GROUP --name calico-{rule.name}-"
            f"{rule.port}-{family} --priority {priority} --direction Inbound --access Allow --protocol "
            f"{rule.protocol.capitalize()} --source-address-prefixes {' '.join(nodes)} "
            f"--destination-port-ranges {rule.port}"
        )
    return found


def _openstack(rules: list[Ingress], family: str, nodes: list[str]) -> list[str]:
    kind = "IPv6" if family == "ipv6" else "IPv4"
    found = []
    for rule in rules:
        port = f" --dst-port {rule.port}" if rule.port else ""
        found += [
            f"openstack security group rule create --ingress --ethertype {kind} --protocol {rule.protocol}{port} "
            f"--remote-ip {node} GROUP"
            for node in nodes
        ]
    return found


CLOUDS: dict[str, Callable[[list[Ingress], str, list[str]], list[str]]] = {
    "aws": _aws,
    "gcp": _gcp,
    "azure": _azure,
    "openstack": _openstack,
}
