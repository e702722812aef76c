# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that open TCP 179 for a node's peers, in the language of the firewall's owner."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from .._evidence import openings as openings_of
from .._evidence.openings import Flow, Opening
from . import commands
from .blocked_sessions import BLOCKING, drops_of, verdict_of
from .model import Fix, Remedy
from .session_signals import ANSWERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._evidence.evidence import Evidence
    from .._evidence.host_state import LoggedDrop
    from .._evidence.model import Verdict
    from .._evidence.rules import Rule
    from .._evidence.sessions import Session
    from .model import Subject


def allow_commands(evidence: Evidence, subject: Subject) -> list[str]:
    """What to type on the node: one line per source network, merged as far as that admits no other address."""
    verdict = verdict_of(subject)
    if verdict is None:
        told = [drop for session in subject.sessions for drop in _told_by_ufw(subject, session)]
        if told:
            opening = (f"sudo ufw allow proto tcp from {drop.source} to any port {drop.port}" for drop in told)
            return [commands.on_node(subject.nodes[0], line) for line in dict.fromkeys(opening)]
        return [f"on {subject.nodes[0]}: allow TCP 179 from {_callers(subject)} in the host's firewall"]
    networks = [_bare(network) for network in merged(subject.about.peers)]
    each = [typed(opening, networks) for opening in openings(verdict)] if networks else []
    lines = list(dict.fromkeys(line for lines in each for line in lines))
    return [commands.on_node(subject.nodes[0], f"sudo {line}") for line in lines]


def _told_by_ufw(subject: Subject, session: Session) -> list[LoggedDrop]:
    """What ufw wrote to the kernel's log of callers that it stopped."""
    drops = drops_of(subject.node, session) if subject.node is not None else []
    return [drop for drop in drops if drop.prefix.startswith("[UFW ") and drop.way == "inbound"]


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


def openings(verdict: Verdict) -> list[Opening]:
    """The rules that let the connections of a verdict pass, or their answers: ahead of what stops them now and next."""
    outbound, answers = verdict.direction in ("outbound", "answers_sent"), verdict.direction in ANSWERS
    flow = Flow("tcp", verdict.port, outbound, answers, verdict.family)
    # What stops the connection next is opened, too: of two filters in a row one alone lets nothing through.
    return [Opening(rule, flow) for rule in (verdict.rule, *verdict.then)]


def typed(opening: Opening, peers: list[str]) -> list[str]:
    """What root types for a rule that lets these peers' packets pass, in the language of the filter's owner."""
    rule, flow = opening.rule, opening.flow
    if opening.language == openings_of.UFW:
        how = "ufw allow out proto {} to {} port {}" if flow.outbound else "ufw allow proto {} from {} to any port {}"
        return [how.format(flow.protocol, peer, flow.port) for peer in peers]
    if opening.language == openings_of.FIREWALLD and not (flow.answers or flow.outbound):
        added = [f'firewall-cmd --permanent --add-rich-rule="{opening.rich(peer)}"' for peer in peers]
        return [*added, "firewall-cmd --reload"]
    chain = commands.word(opening.chain, "CHAIN")
    family, table = opening.table
    if rule is not None and rule.backend == openings_of.NFT:
        family, table = opening.nft_table
        place = f"{commands.word(family, 'FAMILY')} {commands.word(table, 'TABLE')} {chain}"
        return [f'nft "insert rule {place} {opening.nft("{ " + ", ".join(peers) + " }")}"']
    place = f"-t {commands.word(table, 'TABLE')} -I {chain} 1"
    return [f"{opening.program} {place} {opening.iptables(','.join(peers))}"]


def remedy(flows: str, found: Iterable[Opening], node: str) -> Remedy | None:
    """The role that adds these rules on a node; None where one of them is not for a role to add."""
    every = list(found)
    if not every or any(one.why_not("") for one in every):
        return None
    return Remedy("bgp_firewall", {"bgp_firewall_flows": [flows]}, (node,))


def _remedy(evidence: Evidence, subject: Subject) -> Remedy | None:
    verdict = verdict_of(subject)
    if verdict is None or verdict.verdict not in BLOCKING:
        return None
    return remedy("bgp", openings(verdict), subject.nodes[0])


def iptables_insert(rule: Rule, match: str) -> str:
    place = f"-t {commands.word(rule.table, 'TABLE')} -I {entry_chain(rule)} 1"
    return f"{program(rule)} {place} {match} -j ACCEPT"


def entry_chain(rule: Rule) -> str:
    """The base chain through which the packet came to the rule: 'INPUT' of the path ['INPUT 3', 'user 1']."""
    return commands.word(rule.entry, "CHAIN")


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
    remedy=_remedy,
)
