# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BGP passwords (TCP MD5) that differ. As with nodeMeshPassword, the rest of the cluster has the right one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import UsageError
from . import pairs
from .model import Case, Fault, Variant

if TYPE_CHECKING:
    from ..topology import Node, Plan

RIGHT = "lab-mesh-password"
WRONG = "lab-other-password"
_DIFFERENT, _ONLY_LISTENER, _ONLY_DIALLER, _PAIR = "different", "only-listener", "only-dialler", "pair"


def _default(plan: Plan, variant: str) -> Node:
    """The node without a password is the dialler of all where only the listeners shall have one."""
    return plan.dialler if variant == _ONLY_LISTENER else plan.listener


def _affected(case: Case) -> list[pairs.Pair]:
    return pairs.between(case.node, case.peers[-1:] if case.variant == _PAIR else case.peers)


def _lacking(case: Case) -> str:
    """The part of the node that shall have no password, "" if it shall have another one."""
    return {_ONLY_LISTENER: "dialler", _ONLY_DIALLER: "listener"}.get(case.variant, "")


def _must_play_the_part(case: Case) -> None:
    part = _lacking(case)
    if part and any(getattr(pair, part) != case.node for pair in _affected(case)):
        raise UsageError(
            f"{case.target} is not the {part} of all its sessions, so {case.variant} cannot be made with it"
        )


def _register(case: Case) -> None:
    view: dict[str, object] = {"mesh_password": "" if _lacking(case) else WRONG}
    if case.variant == _PAIR:
        view = {"nodes": {case.peers[-1].name: {"password": WRONG}}}
    case.register({"mesh_password": RIGHT, "views": {case.target: view}})
    pairs.reset(case.lab, _affected(case))


def _follow(case: Case) -> None:
    case.lab.render_all()


def _missing(case: Case) -> str:
    affected = _affected(case)
    fine = [
        pair
        for pair in (*pairs.between(case.node, case.peers), *pairs.all_but(case.lab, case.node))
        if pair not in affected
    ]
    return pairs.not_failing(case, affected) or pairs.not_up(case, fine)


MISMATCH = Fault(
    id="bgp_password_mismatch",
    description="the node's BGP password is not that of its peers",
    inject=_register,
    heal=_follow,
    missing=_missing,
    default=_default,
    check=_must_play_the_part,
    variants=(
        Variant(_DIFFERENT, "the node has another password than all the rest"),
        Variant(_ONLY_LISTENER, "the node dials and has no password, its peers have one"),
        Variant(_ONLY_DIALLER, "the node listens and has no password, its peers have one"),
        Variant(_PAIR, "the node has another password for one peer (the last node) only"),
    ),
    limit=90,
)
