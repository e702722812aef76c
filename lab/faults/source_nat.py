# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The node's BGP connections arrive at its peers as from another address."""

from __future__ import annotations

from ..errors import UsageError
from . import pairs
from .model import Case, Fault, Variant, dialler

_HOST, _ROUTER = "snat", "router"
_EGRESS_HOST = 230
# Of TEST-NET-2: the address of a router's outer side.
_OUTER = "198.51.100.7"
_THROWN_OUT = "Socket: Connection"


def _dialled(case: Case) -> list[pairs.Pair]:
    """The sessions that the node opens and the rule is for: a router's only where it routes."""
    found = [pair for pair in pairs.between(case.node, case.peers) if pair.dialler == case.node]
    if case.variant == _ROUTER:
        return [pair for pair in found if pair.listener.subnet != case.node.subnet]
    return found


def _must_dial(case: Case) -> None:
    if not _dialled(case):
        raise UsageError(f"{case.target} dials nobody there, so nobody meets another source address")


def _egress(case: Case) -> str:
    return case.node.subnet.host(_EGRESS_HOST)


def _rule(case: Case, action: str) -> list[str]:
    match = ["-o", "eth0", "-p", "tcp", "-m", "comment", "--comment", "egress-address"]
    return ["iptables-nft", "-t", "nat", action, "POSTROUTING", *match, "-j", "SNAT", "--to-source", _egress(case)]


def _table(case: Case) -> list[str]:
    return ["ip", f"outer_{case.node.number}"]


def _rewrite(case: Case) -> None:
    if case.variant == _HOST:
        case.run(["ip", "address", "add", f"{_egress(case)}/32", "dev", "eth0"])
        case.run(_rule(case, "-A"))
    else:
        chain = ["postrouting", "{", "type", "nat", "hook", "postrouting", "priority", "100", ";", "}"]
        match = ["ip", "saddr", case.node.address, "tcp", "dport", "179"]
        for words in (
            ["table", *_table(case)],
            ["chain", *_table(case), *chain],
            ["rule", *_table(case), "postrouting", *match, "snat", "to", _OUTER],
        ):
            case.run(["nft", "add", *words], case.lab.fabric)
    pairs.reset(case.lab, _dialled(case))


def _leave(case: Case) -> None:
    if case.variant == _HOST:
        case.try_run(_rule(case, "-D"))
        case.try_run(["ip", "address", "del", f"{_egress(case)}/32", "dev", "eth0"])
    else:
        case.try_run(["nft", "delete", "table", *_table(case)], case.lab.fabric)


def _not_thrown_out(case: Case) -> str:
    return pairs.not_failing(case, _dialled(case), _THROWN_OUT)


NAT = Fault(
    id="bgp_source_nat",
    description="the node's BGP connections get another source address, which its peers do not know",
    inject=_rewrite,
    heal=_leave,
    missing=_not_thrown_out,
    default=dialler,
    check=_must_dial,
    variants=(
        Variant(_HOST, "a rule of the node gives all that it sends out the address for egress"),
        Variant(_ROUTER, "the router between two subnets translates the node's address", "two_subnets"),
    ),
)
