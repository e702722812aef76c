# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`firewall-cmd --list-all-zones`, and the same of policies (`--list-all-policies`) if it stands in the same text.

Which zone is the default one is told by "(default)" in new releases, and is "public" elsewhere if nothing tells. What
a service opens is known of some services only; the others may open anything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...module_utils._firewall import firewalld, nft_script
from ...module_utils._numbers import is_integer
from . import firewall_model, firewall_nft, lines
from .parsed import Parsed, Problems

if TYPE_CHECKING:
    from .firewall_model import Filters

plain = firewall_model.plain
_HEAD = re.compile(r"([\w-]+)(?: \(([\w, ]+)\))?\s*$")
_ITEM = re.compile(r"\s+([\w -]+?):(?:\s(.*))?$")
_ABOUT = frozenset(
    (
        *("summary", "description", "icmp-block-inversion", "forward", "masquerade", "forward-ports", "icmp-blocks"),
        *(
            "services",
            "ports",
            "protocols",
            "source-ports",
            "interfaces",
            "sources",
            "target",
            "rich rules",
            "priority",
        ),
        *("ingress-zones", "egress-zones", "ingress-priority", "egress-priority"),
    )
)
# As firewalld ships them.
_SERVICES: dict[str, tuple[tuple[str, str], ...]] = {
    "bgp": (("port", "179/tcp"),),
    "cockpit": (("port", "9090/tcp"),),
    "dhcp": (("port", "67/udp"),),
    "dhcpv6": (("port", "547/udp"),),
    "dhcpv6-client": (("port", "546/udp"),),
    "dns": (("port", "53/tcp"), ("port", "53/udp")),
    "http": (("port", "80/tcp"),),
    "https": (("port", "443/tcp"),),
    "ipp-client": (("port", "631/udp"),),
    "kube-apiserver": (("port", "6443/tcp"),),
    "kubelet": (("port", "10250/tcp"),),
    "mdns": (("destination", "224.0.0.251"), ("destination", "ff02::fb"), ("port", "5353/udp")),
    "nfs": (("port", "2049/tcp"),),
    "ntp": (("port", "123/udp"),),
    "samba-client": (("port", "137/udp"), ("port", "138/udp")),
    "ssh": (("port", "22/tcp"),),
}


def parse(text: str) -> Parsed[Filters]:
    """Return the filters that firewalld makes of what it lists. Never raises."""
    problems = Problems()
    zones, policies, default = zones_of(text, problems)
    if not zones:
        problems.add(0, "", "no zone is listed")
        return Parsed(firewall_nft.filters({"nftables": []}, complete=True), problems.found())
    script = nft_script.parse(firewalld.script(zones, default, policies, _SERVICES))
    for _line, words, why in script.problems:
        problems.add(0, words, why)
    return Parsed(firewall_nft.filters(script.document(), script.complete), problems.found())


def zones_of(text: str, problems: Problems) -> tuple[list[firewalld.Zone], list[firewalld.Zone], str]:
    """Return the zones, the policies and the name of the default zone."""
    listed: list[tuple[str, dict[str, list[str]]]] = []
    default, item = "public", ""
    for number, line in lines.numbered(text):
        head, about = _HEAD.match(line), _ITEM.match(line)
        if not line.strip():
            item = ""
        elif head and not line[:1].isspace():
            listed.append((head.group(1), {}))
            item = ""
            default = head.group(1) if "default" in (head.group(2) or "") else default
        elif about and listed and about.group(1) in _ABOUT:
            item = about.group(1)
            listed[-1][1][item] = [(about.group(2) or "").strip()]
        elif listed and item == "rich rules":
            listed[-1][1][item].append(line.strip())
        elif item not in {"description", "summary"}:
            problems.add(number, line, "not understood")
    made = [_zone(name, about) for name, about in listed]
    is_policy = ["ingress-zones" in about for _name, about in listed]
    zones = [zone for zone, policy in zip(made, is_policy, strict=True) if not policy]
    return zones, [zone for zone, policy in zip(made, is_policy, strict=True) if policy], default


def _zone(name: str, about: dict[str, list[str]]) -> firewalld.Zone:
    def words(item: str) -> list[str]:
        return " ".join(about.get(item, [])).split()

    opened = [
        (kind, value)
        for kind, item in (
            ("service", "services"),
            ("port", "ports"),
            ("protocol", "protocols"),
            ("source-port", "source-ports"),
        )
        for value in words(item)
    ]
    rich = [firewalld.rich_rule(line) for line in about.get("rich rules", []) if line]
    priority = (words("priority") or ["0"])[0]
    return firewalld.Zone(
        name,
        (words("target") or ["default"])[0],
        words("interfaces"),
        words("sources"),
        opened,
        rich,
        words("ingress-zones"),
        words("egress-zones"),
        int(priority) if is_integer(priority) else 0,
    )
