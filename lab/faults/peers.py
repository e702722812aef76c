# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BGPPeers that make no session: an address that is no speaker's, and selectors that match nothing."""

from __future__ import annotations

from .. import birdc
from ..errors import LabError
from . import objects, pairs
from .model import Case, Fault, Variant, listener

NAME = "rack-router"
_NOBODY = 201
_AS = 64801
_TYPO, _OWN = "typo", "own"
_NODE_SELECTOR, _PEER_SELECTOR = "node-selector", "peer-selector"


def _nobody(case: Case) -> str:
    """An address of the node's subnet that nobody has."""
    return case.node.subnet.host(_NOBODY)


def _make_peer(case: Case) -> None:
    address, number = (case.node.address, 64512) if case.variant == _OWN else (_nobody(case), _AS)
    spec = {"node": case.target, "peerIP": address, "asNumber": number}
    objects.create(case, objects.PEERS, objects.calico("BGPPeer", NAME, spec))
    objects.follow(case.lab)


def _not_tried(case: Case) -> str:
    if case.variant == _OWN:
        return _mesh_disturbed(case)
    name = "Node_" + _nobody(case).replace(".", "_")
    try:
        session = birdc.sessions(case.machine).get(name)
    except (birdc.BirdError, LabError) as error:
        return f"{case.target}: {error}"
    if session is None or not pairs.tried(session, "Socket: No route to host"):
        return f"{case.target} has not tried {_nobody(case)} in vain yet"
    return _mesh_disturbed(case)


def _mesh_disturbed(case: Case) -> str:
    """Words unless the mesh is as it was."""
    return pairs.not_up(case, [*pairs.between(case.node, case.peers), *pairs.all_but(case.lab, case.node)])


def _select_nothing(case: Case) -> None:
    if case.variant == _NODE_SELECTOR:
        spec = {"nodeSelector": "rack == 'r7'", "peerIP": _nobody(case), "asNumber": _AS}
    else:
        spec = {"node": case.target, "peerSelector": "route-reflectr == 'true'"}
    objects.create(case, objects.PEERS, objects.calico("BGPPeer", NAME, spec))
    objects.follow(case.lab)


WRONG_ADDRESS = Fault(
    id="bgppeer_wrong_address",
    description="a BGPPeer of the node names an address where no peer is",
    inject=_make_peer,
    heal=objects.restore,
    missing=_not_tried,
    default=listener,
    check=objects.must_have_api,
    variants=(
        Variant(_TYPO, "an address of the node's subnet that nobody has"),
        Variant(_OWN, "the node's own address, which Calico passes over"),
    ),
    breaks_sessions=False,
)

SELECTS_NOTHING = Fault(
    id="bgppeer_selects_nothing",
    description="a BGPPeer's selector matches no node",
    inject=_select_nothing,
    heal=objects.restore,
    missing=_mesh_disturbed,
    default=listener,
    check=objects.must_have_api,
    variants=(
        Variant(_NODE_SELECTOR, "nodeSelector asks for a label that no Node has"),
        Variant(_PEER_SELECTOR, "peerSelector has a label's name misspelt"),
    ),
    breaks_sessions=False,
)
