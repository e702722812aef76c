# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rule that lets packets of some peers pass ahead of one that stops them, in the language of the filter's owner.

Fixes print it as lines to type (firewall_fix.typed()), roles hand it to M(netmedic.calico.host_change) (changes()).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .rules import Rule

UFW, FIREWALLD, NFT, IPTABLES = "ufw", "firewalld", "nftables", "iptables"
COMMENT = "netmedic.calico bgp_firewall"


@dataclass(frozen=True)
class Flow:
    """Packets between this host and peers. outbound: those that it sends. port: where they go, 0 where the protocol has
    none. answers: what answers connections to that port, which come from it; only packets of connections that exist,
    for a source port proves nothing.
    """

    protocol: str
    port: int = 0
    outbound: bool = False
    answers: bool = False
    family: str = "ipv4"

    def opens(self, peer: str) -> dict[str, Any]:
        """The same as host_change's opens has it."""
        port = {"source_port" if self.answers else "port": self.port} if self.port else {}
        return {"peers": [peer], "protocol": self.protocol, **port, "direction": "out" if self.outbound else "in"}


@dataclass(frozen=True)
class Opening:
    """A rule for a flow that one rule (None: not told) stops."""

    rule: Rule | None
    flow: Flow

    @property
    def language(self) -> str:
        """In which language it is said; '' for filters that no rule of a host changes."""
        if self.rule is None:
            return IPTABLES
        if self.rule.owner == UFW and (self.flow.answers or self.flow.protocol not in ("tcp", "udp")):
            # What ufw itself cannot say stands in its before.rules.
            return IPTABLES
        if self.rule.owner in (UFW, FIREWALLD):
            return self.rule.owner
        if self.rule.backend == NFT:
            return NFT
        return IPTABLES if self.rule.backend.startswith(IPTABLES) or not self.rule.backend else ""

    @property
    def chain(self) -> str:
        """The chain that it stands first in."""
        if self.rule is None:
            return "OUTPUT" if self.flow.outbound else "INPUT"
        if self.rule.owner == UFW and self.language == IPTABLES:
            kind = "ufw6" if self.flow.family == "ipv6" else "ufw"
            return f"{kind}-before-{'output' if self.flow.outbound else 'input'}"
        return self.rule.entry

    @property
    def table(self) -> tuple[str, str]:
        """Family (of nft; else '') and name of the table."""
        if self.rule is None:
            return "", "filter"
        if self.language != NFT:
            return "", self.rule.table
        return self.nft_table

    @property
    def nft_table(self) -> tuple[str, str]:
        """Family and name of a table of nft."""
        family, blank, name = (self.rule.table if self.rule is not None else "filter").partition(" ")
        return (family, name) if blank else ("inet", family)

    @property
    def program(self) -> str:
        """Which iptables."""
        short = "ip6tables" if self.flow.family == "ipv6" else "iptables"
        backend = self.rule.backend.partition("-")[2] if self.rule is not None else "nft"
        return f"{short}-{backend}" if backend else short

    def iptables(self, peers: str) -> str:
        """The rule in the words of iptables, without command, table and chain."""
        flow = self.flow
        number = "4" if flow.protocol == "ipip" else flow.protocol
        port = f" --{'sport' if flow.answers else 'dport'} {flow.port}" if flow.port else ""
        state = " -m conntrack --ctstate ESTABLISHED" if flow.answers else ""
        return f"-p {number} {'-d' if flow.outbound else '-s'} {peers}{port}{state} -j ACCEPT"

    def nft(self, peers: str) -> str:
        """The rule in nft's words."""
        flow = self.flow
        ip, end = "ip6" if flow.family == "ipv6" else "ip", "daddr" if flow.outbound else "saddr"
        what = f"{flow.protocol} {'sport' if flow.answers else 'dport'} {flow.port}" if flow.port else "ip protocol 4"
        state = " ct state established" if flow.answers else ""
        return f"{ip} {end} {peers} {what}{state} accept"

    def rich(self, peer: str) -> str:
        """The rich rule for firewalld."""
        flow = self.flow
        what = f"port port={flow.port} protocol={flow.protocol}" if flow.port else "protocol value=4"
        return f"rule family={flow.family} source address={peer} {what} accept"

    # --- as changes ---

    def why_not(self, zone: str) -> str:
        """Why a role cannot add it; '' if it can."""
        if self.rule is None:
            return "which rule it is is not told"
        if self.rule.owner == "calico":
            return "the rule is Calico's own, which follows its policies"
        if not self.language:
            return f"no rule of the host stands ahead of {self.rule.backend}"
        if self.language == FIREWALLD and (self.flow.outbound or self.flow.answers):
            return "firewalld's zones do not filter what a host sends or what answers it"
        if self.language == FIREWALLD and not (zone or self.zone):
            return "it is not told in which zone of firewalld (bgp_firewall_zone)"
        return ""

    @property
    def zone(self) -> str:
        """The zone of firewalld, '' if it is not told."""
        kind, _blank, name = (self.rule.part if self.rule is not None else "").partition(" ")
        return name if kind == "zone" else ""

    def changes(self, peer: str, zone: str, saved: Iterable[Any]) -> list[dict[str, Any]]:
        """What host_change makes for one peer. zone: of firewalld, '' the rule's own; saved: places in files that are
        loaded at boot, as (path, family, table, chain)."""
        opens = [self.flow.opens(peer)]
        if self.language == UFW:
            return [{**self._ufw(peer), "opens": opens}]
        if self.language == FIREWALLD:
            return [{"kind": "firewalld_rule", "zone": zone or self.zone, "rich_rule": self.rich(peer), "opens": opens}]
        family, table = self.table
        text = self.nft(peer) if self.language == NFT else self.iptables(peer)
        place = {"table": table, "chain": self.chain, "rule": text, "position": 1, "comment": COMMENT}
        if self.language == NFT:
            made = {"kind": "nft_rule", "family": family, **place, "opens": opens}
        else:
            made = {"kind": "iptables_rule", "program": self.program, **place, "opens": opens}
        wanted = (family or self.flow.family, table, self.chain)
        paths = [path for path, *rest in saved if tuple(rest) == wanted]
        if self.rule is not None and self.rule.owner == UFW:
            paths.append(f"/etc/ufw/before{'6' if self.flow.family == 'ipv6' else ''}.rules")
        of_file = {"family": family} if family else {}
        return [made, *({"kind": "saved_rule", "path": path, **of_file, **place} for path in paths)]

    def _ufw(self, peer: str) -> dict[str, Any]:
        out = self.flow.outbound
        return {
            "kind": "ufw_rule",
            "protocol": self.flow.protocol,
            "destination" if out else "source": peer,
            "port": str(self.flow.port),
            "direction": "out" if out else "in",
            "position": 1,
            "comment": COMMENT,
        }
