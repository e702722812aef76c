# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's address on the host and the one registered for it part ways, or two nodes claim one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import birdc
from ..bird_config import mesh_name
from . import pairs
from .model import Case, Fault, Variant, listener

if TYPE_CHECKING:
    from ..topology import Node

_MOVED_BY = 100
_REGISTERED, _HOST = "registered", "host"


def _moved(node: Node) -> str:
    """Another address of the node's subnet that no node has: .110 for .10."""
    return node.subnet.host(int(node.address.rpartition(".")[2]) + _MOVED_BY)


def _readdress(case: Case, old: str, new: str, forgiving: bool = False) -> None:
    length, gateway = case.node.subnet.prefix_length, case.node.subnet.gateway
    do = case.try_run if forgiving else case.run
    do(["ip", "address", "del", f"{old}/{length}", "dev", "eth0"])
    do(["ip", "address", "replace", f"{new}/{length}", "brd", "+", "dev", "eth0"])
    do(["ip", "route", "replace", "default", "via", gateway, "dev", "eth0"])


def _move(case: Case) -> None:
    _readdress(case, case.node.address, _moved(case.node))
    pairs.forget_neighbour(case.lab, case.node.address)
    pairs.reset(case.lab, pairs.between(case.node, case.peers))


def _move_back(case: Case) -> None:
    _readdress(case, _moved(case.node), case.node.address, forgiving=True)


def _not_moved(case: Case) -> str:
    return pairs.not_failing(case, pairs.between(case.node, case.peers), "Socket:")


def _other(case: Case) -> Node:
    """The node whose address is claimed: the first other one, of the same subnet if the host is to claim it too."""
    same = [peer for peer in case.peers if peer.subnet == case.node.subnet]
    return (same or case.peers)[0] if case.variant == _HOST else case.peers[0]


def _claim(case: Case) -> None:
    other = _other(case)
    if case.variant == _HOST:
        _readdress(case, case.node.address, other.address)
        pairs.forget_neighbour(case.lab, case.node.address)
    case.undo["refused"] = case.register({"nodes": {case.target: {"address": other.address}}})
    pairs.reset(case.lab, pairs.between(case.node, case.peers))


def _release(case: Case) -> None:
    if case.variant == _HOST:
        _readdress(case, _other(case).address, case.node.address, forgiving=True)
        pairs.forget_neighbour(case.lab, _other(case).address)
    case.lab.render_all()


def _not_claimed(case: Case) -> str:
    other = _other(case)
    third = [node for node in case.peers if node != other and node.name not in case.disturbed]
    for node in third:
        if node.name not in case.undo["refused"]:
            return f"{node.name} has not refused its new configuration"
    try:
        if other.name not in case.disturbed and mesh_name(case.node.address) in birdc.sessions(
            case.lab.machine(other.name)
        ):
            return f"{other.name} still peers with {case.target}"
    except birdc.BirdError as error:
        return f"{other.name}: {error}"
    # Third nodes go on with what they have. They dial the old address: it still answers, or it is gone with the host's.
    dialling = pairs.listening(case.node, third)
    return pairs.not_tried(case, dialling, "Socket:") if case.variant == _HOST else pairs.not_up(case, dialling)


STALE = Fault(
    id="stale_node_ip",
    description="the host has got another address of its subnet; the registered one is no longer there",
    inject=_move,
    heal=_move_back,
    missing=_not_moved,
    default=listener,
    variants=(Variant("moved", "host number + 100"),),
)

DUPLICATE = Fault(
    id="duplicate_node_ip",
    description="the node is registered with another node's address; third nodes can no longer render",
    inject=_claim,
    heal=_release,
    missing=_not_claimed,
    default=listener,
    variants=(
        Variant(_REGISTERED, "registered only, the host keeps its own address"),
        Variant(_HOST, "the host has the other node's address too"),
    ),
    least_nodes=3,
)
