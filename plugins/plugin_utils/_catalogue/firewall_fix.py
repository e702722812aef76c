# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that open TCP 179 for a node's peers, in the language of the firewall's owner."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import TYPE_CHECKING

from .._evidence.rules import Rule
from . import commands
from .blocked_sessions import verdict_of
from .model import Fix
from .session_signals import ANSWERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._evidence.evidence import Evidence
    from .._evidence.model import Verdict
    from .model import Subject


def allow_commands(evidence: Evidence, subject: Subject) -> list[str]:
    """What to type on the node: one line per source network, merged as far as that admits no other address."""
    verdict = verdict_of(subject)
    if verdict is None:
        return [f"on {subject.nodes[0]}: allow TCP 179 from {_callers(subject)} in the host's firewall"]
    networks = [_bare(network) for network in merged(subject.about.peers)]
    if verdict.direction in ANSWERS:
        lines = _answers(verdict, networks)
    else:
        # What stops the connection next is opened, too: of two filters in a row one alone lets nothing through.
        each = [_lines(replace(verdict, rule=rule), networks) for rule in (verdict.rule, *verdict.then)]
        lines = list(dict.fromkeys(line for lines in each for line in lines))
    return [commands.on_node(subject.nodes[0], f"sudo {line}") for line in lines]


def merged(addresses: Iterable[str]) -> list[str]:
    """Addresses as the fewest prefixes that hold exactly them."""
    parsed = [ipaddress.ip_network(address) for address in addresses if _is_network(address)]
    version4 = ipaddress.collapse_addresses(net for net in parsed if isinstance(net, ipaddress.IPv4Network))
    version6 = ipaddress.collapse_addresses(net for net in parsed if isinstance(net, ipaddress.IPv6Network))
    return [str(network) for family in (version4, version6) for network in family]


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def _bare(network: str) -> str:
    """A network of one address without its prefix length."""
    parsed = ipaddress.ip_network(network)
    return str(parsed.network_address) if parsed.num_addresses == 1 else network


def _callers(subject: Subject) -> str:
    ends = {side.address for session in subject.sessions for side in (session.dialler, session.listener) if side.node}
    return ", ".join(sorted(ends))


def _lines(verdict: Verdict, peers: list[str]) -> list[str]:
    rule = verdict.rule or Rule("iptables-nft", verdict.family, "filter", "INPUT", 1, "", "unknown")
    outbound, port = verdict.direction == "outbound", verdict.port
    if rule.owner == "ufw":
        how = "ufw allow out proto tcp to {} port {}" if outbound else "ufw allow proto tcp from {} to any port {}"
        return [how.format(peer, port) for peer in peers]
    if rule.owner == "firewalld":
        rich = '"rule family={} source address={} port port={} protocol=tcp accept"'
        added = [f"firewall-cmd --permanent --add-rich-rule={rich.format(rule.family, peer, port)}" for peer in peers]
        return [*added, "firewall-cmd --reload"]
    if rule.backend == "nftables":
        return [_nft_insert(rule, verdict.family, "daddr" if outbound else "saddr", peers, f"tcp dport {port}")]
    way = "-d" if outbound else "-s"
    return [iptables_insert(rule, f"-p tcp {way} {','.join(peers)} --dport {port}")]


def _answers(verdict: Verdict, peers: list[str]) -> list[str]:
    """The lines for answers. Only packets of connections that exist: a source port of BGP's proves nothing."""
    rule, sent = verdict.rule, verdict.direction == "answers_sent"
    if rule is None or not peers:
        return []
    if rule.backend == "nftables":
        match = f"tcp sport {verdict.port} ct state established"
        return [_nft_insert(rule, verdict.family, "daddr" if sent else "saddr", peers, match)]
    way = "-d" if sent else "-s"
    match = f"-p tcp {way} {','.join(peers)} --sport {verdict.port} -m conntrack --ctstate ESTABLISHED"
    return [iptables_insert(rule, match)]


def _nft_insert(rule: Rule, packets: str, end: str, peers: list[str], match: str) -> str:
    family, table = rule.table.split(" ", 1) if " " in rule.table else ("inet", rule.table)
    place = f"{commands.word(family, 'FAMILY')} {commands.word(table, 'TABLE')} {entry_chain(rule)}"
    chosen = f"{'ip6' if packets == 'ipv6' else 'ip'} {end} {{ {', '.join(peers)} }}"
    return f'nft "insert rule {place} {chosen} {match} accept"'


def iptables_insert(rule: Rule, match: str) -> str:
    place = f"-t {commands.word(rule.table, 'TABLE')} -I {entry_chain(rule)} 1"
    return f"{program(rule)} {place} {match} -j ACCEPT"


def entry_chain(rule: Rule) -> str:
    """The base chain through which the packet came to the rule: 'INPUT' of the path ['INPUT 3', 'user 1']."""
    return commands.word(rule.path[0].rsplit(" ", 1)[0] if rule.path else rule.chain, "CHAIN")


def program(rule: Rule) -> str:
    program = "ip6tables" if rule.family == "ipv6" else "iptables"
    if rule.backend == "iptables-legacy":
        return f"{program}-legacy"
    return f"{program}-nft" if rule.backend == "iptables-nft" else program


ALLOW = Fix(
    action="allow_bgp_port",
    text=(
        "Allow TCP 179 from the node's BGP peers, ahead of the rule that blocks it, in the language of the firewall's "
        "owner. What iptables or nft insert is gone after a reboot: write it into the host's own rule files too."
    ),
    risk="low",
    disrupts="nothing; no session that works is touched",
    commands=allow_commands,
)
