# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registered data disagree with each other or with what a node believes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import objects, outside, pairs
from .model import Case, Fault, Variant, listener

if TYPE_CHECKING:
    from ..topology import Node

WRONG_AS = 64999
_OWN, _PEER = "own", "peer"
_NODE_AS, _PEER_AS = "node-annotation", "bgppeer"


def _mistaken(case: Case) -> Node:
    """The peer that expects the wrong AS: the last one on the node's own subnet, where the two get to talk of it."""
    same = [peer for peer in case.peers if peer.subnet == case.node.subnet]
    return (same or case.peers)[-1]


def _mismatch(case: Case) -> None:
    if case.variant == _NODE_AS:
        outside.become_another_as(case, WRONG_AS)
        return
    if case.variant == _PEER_AS:
        outside.expect_another_as(case)
        return
    wrong = {"nodes": {case.target: {"as_number": WRONG_AS}}}
    viewer = case.target if case.variant == _OWN else _mistaken(case).name
    case.register({"views": {viewer: wrong}})


def _follow(case: Case) -> None:
    """The case's patch is withdrawn already: let all nodes follow, after what was done to objects is undone."""
    objects.restore(case)
    if case.variant in (_NODE_AS, _PEER_AS):
        outside.forget_refusals(case)


def _not_refused(case: Case) -> str:
    """The AS numbers meet where a TCP connection comes about; a node of another AS reaches its own subnet only."""
    if case.variant in (_NODE_AS, _PEER_AS):
        everyone = [node.name for node in case.lab.nodes]
        return outside.not_refused(case, [case.target] if case.variant == _NODE_AS else everyone)
    if case.variant == _PEER:
        mistaken = _mistaken(case)
        wrong = pairs.between(case.node, [mistaken])
        rest = [peer for peer in case.peers if peer != mistaken]
        right = [*pairs.between(case.node, rest), *pairs.all_but(case.lab, case.node)]
    else:
        wrong = pairs.between(case.node, case.peers)
        right = pairs.all_but(case.lab, case.node)
    words = pairs.not_down(case, wrong) or pairs.not_up(case, right)
    if words:
        return words
    on_link = [pair for pair in wrong if pair.listener.subnet == pair.dialler.subnet]
    return _without_error(case, on_link, "Bad peer AS")


def _without_error(case: Case, wanted: list[pairs.Pair], error: str) -> str:
    for pair in case.undisturbed(wanted):
        found = [pairs.end(case.lab, node, peer) for node, peer in pair.ends]
        if not any(session is not None and error in session.last_error for session in found):
            return f'neither {pair.listener.name} nor {pair.dialler.name} shows "{error}" yet'
    return ""


def _same_router_id(case: Case) -> None:
    case.register({"nodes": {case.target: {"router_id": case.peers[0].address}}})


def _not_duplicate(case: Case) -> str:
    clash = pairs.between(case.node, case.peers[:1])
    fine = [*pairs.between(case.node, case.peers[1:]), *pairs.all_but(case.lab, case.node)]
    return pairs.not_down(case, clash) or pairs.not_up(case, fine) or _without_error(case, clash, "Bad BGP identifier")


AS_MISMATCH = Fault(
    id="as_mismatch",
    description="two sides disagree about an AS number",
    inject=_mismatch,
    heal=_follow,
    missing=_not_refused,
    default=listener,
    variants=(
        Variant(_OWN, "the node runs with another AS than all its peers expect"),
        Variant(_PEER, "one peer (the last node of its subnet) expects another AS of the node than it has"),
        Variant(
            _NODE_AS, "the node's annotation gives it an AS that the router outside does not expect", "external_router"
        ),
        Variant(_PEER_AS, "the BGPPeer for the router outside names an AS that is not the router's", "external_router"),
    ),
)

DUPLICATE_ROUTER_ID = Fault(
    id="duplicate_router_id",
    description="the node has another node's router ID (CALICO_ROUTER_ID); its address is its own",
    inject=_same_router_id,
    heal=_follow,
    missing=_not_duplicate,
    default=listener,
    variants=(Variant("copied", "the router ID of the first other node"),),
)
