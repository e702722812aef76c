# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A path that carries less than the nodes believe."""

from __future__ import annotations

from ..errors import UsageError
from ..topology import MTU, Node
from .model import Case, Fault, Variant, listener

SMALL = 1400
_PORT, _NODE, _ROUTER = "port", "node", "router"
# IPv4 and ICMP headers of a ping
_HEADERS = 28


def _must_be_routed(case: Case) -> None:
    if case.variant == _ROUTER and not any(peer.subnet != case.node.subnet for peer in case.peers):
        raise UsageError(f"{case.target} has no peer behind the router")


def _shrink(case: Case) -> None:
    _set(case, SMALL)


def _restore(case: Case) -> None:
    _set(case, MTU, forgiving=True)
    # What the router has told a host about the path, it would remember for ten minutes.
    for node in case.lab.nodes:
        case.try_run(["ip", "route", "flush", "cache"], case.lab.machine(node.name))


def _set(case: Case, mtu: int, forgiving: bool = False) -> None:
    do = case.try_run if forgiving else case.run
    if case.variant == _NODE:
        do(["ip", "link", "set", "eth0", "mtu", str(mtu)])
    else:
        interface = case.node.port if case.variant == _PORT else case.node.subnet.name
        do(["ip", "link", "set", interface, "mtu", str(mtu)], case.lab.fabric)


def _peer(case: Case) -> Node:
    if case.variant == _ROUTER:
        return next(peer for peer in case.peers if peer.subnet != case.node.subnet)
    return case.peers[0]


def _missing(case: Case) -> str:
    """Small packets must reach the node, full ones must not: silently at a port, with ICMP behind a router."""
    peer = case.lab.machine(_peer(case).name)

    def ping(size: int) -> tuple[bool, str]:
        argv = ["ping", "-c1", "-W1", "-M", "do", "-s", str(size - _HEADERS), case.node.address]
        done = peer.exec(argv, check=False)
        return done.returncode == 0, done.stdout + done.stderr

    if not ping(SMALL)[0]:
        return f"packets of {SMALL} bytes do not reach {case.target} either"
    arrived, words = ping(MTU)
    if arrived:
        return f"packets of {MTU} bytes still reach {case.target}"
    told = "Frag needed" in words or "message too long" in words
    if told != (case.variant == _ROUTER):
        return f"packets of {MTU} bytes to {case.target} are {'answered with' if told else 'lost without'} ICMP"
    return ""


MISMATCH = Fault(
    id="mtu_mismatch",
    description=f"packets above {SMALL} bytes do not reach the node, whose peers send up to {MTU}",
    inject=_shrink,
    heal=_restore,
    missing=_missing,
    default=listener,
    check=_must_be_routed,
    variants=(
        Variant(_PORT, "the node's switch port is smaller than its interface: a silent black hole"),
        Variant(_NODE, "the node's interface is smaller than all others"),
        Variant(_ROUTER, "the router's link to the node's subnet is smaller; it answers with ICMP", "two_subnets"),
    ),
    breaks_sessions=False,
)
