# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that let the answers of BGP's connections through. New connections are firewall_fix's business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import commands
from .firewall_fix import _bare, _entry_chain, _program, merged

if TYPE_CHECKING:
    from .._evidence.model import Rule, Verdict


def lines(verdict: Verdict, peers: frozenset[str]) -> list[str]:
    """What to type on the node, without sudo. Only packets of connections that exist: port 179 proves nothing."""
    rule, sent = verdict.rule, verdict.direction == "answers_sent"
    networks = [_bare(network) for network in merged(peers)]
    if rule is None or not networks:
        return []
    if rule.backend == "nftables":
        return [_nft(rule, verdict.family, sent, networks)]
    way = "-d" if sent else "-s"
    place = f"-t {commands.word(rule.table, 'TABLE')} -I {_entry_chain(rule)} 1"
    match = f"-p tcp {way} {','.join(networks)} --sport 179 -m conntrack --ctstate ESTABLISHED"
    return [f"{_program(rule)} {place} {match} -j ACCEPT"]


def _nft(rule: Rule, family: str, sent: bool, networks: list[str]) -> str:
    table_family, table = rule.table.split(" ", 1) if " " in rule.table else ("inet", rule.table)
    place = f"{commands.word(table_family, 'FAMILY')} {commands.word(table, 'TABLE')} {_entry_chain(rule)}"
    match = f"{'ip6' if family == 'ipv6' else 'ip'} {'daddr' if sent else 'saddr'} {{ {', '.join(networks)} }}"
    return f'nft "insert rule {place} {match} tcp sport 179 ct state established accept"'
