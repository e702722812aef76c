# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network between the nodes drops or rejects TCP 179 of a node: no host has a rule."""

from __future__ import annotations

from . import pairs
from .model import Case, Fault, Variant, listener

_VARIANTS = (
    Variant("drop", "silently dropped: by the switch in one subnet, by the router between two"),
    Variant("reject", "the router answers with ICMP admin-prohibited", topology="two_subnets"),
)


def _affected(case: Case) -> list[pairs.Pair]:
    """A switch filters all of the node's sessions, a router those that it routes."""
    if len(case.lab.plan.topology.subnets) == 1:
        return pairs.between(case.node, case.peers)
    return pairs.between(case.node, [peer for peer in case.peers if peer.subnet != case.node.subnet])


def _table(case: Case) -> str:
    family = "bridge" if len(case.lab.plan.topology.subnets) == 1 else "ip"
    return f"{family} bgp_filter_{case.node.number}"


def _block(case: Case) -> None:
    table, address = _table(case), case.node.address
    verdict = "reject with icmp type admin-prohibited" if case.variant == "reject" else "drop"
    commands = [
        f"nft add table {table}",
        f"nft add chain {table} forward {{ type filter hook forward priority 0 ; policy accept ; }}",
        f"nft add rule {table} forward ip daddr {address} tcp dport 179 {verdict}",
        f"nft add rule {table} forward ip saddr {address} tcp dport 179 {verdict}",
    ]
    for command in commands:
        case.run(command.split(), case.lab.fabric)
    pairs.reset(case.lab, _affected(case))


def _open(case: Case) -> None:
    case.try_run(["nft", "delete", "table", *_table(case).split()], case.lab.fabric)


def _missing(case: Case) -> str:
    error = "Socket: No route to host" if case.variant == "reject" else ""
    return pairs.not_failing(case, _affected(case), error)


BLOCKED = Fault(
    id="tcp179_blocked_network",
    description="the network drops TCP 179 to and from the node; nothing on any host blocks it",
    inject=_block,
    heal=_open,
    missing=_missing,
    default=listener,
    variants=_VARIANTS,
)
