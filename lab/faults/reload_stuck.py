# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration on disk is newer than the one BIRD runs: confd's `sv hup bird || true` fails unnoticed.

It fails for real: runit's control pipe of the service is out of the way, so every later change gets stuck too.
"""

from __future__ import annotations

import time

from .. import birdc, confd, waiting
from ..bird_config import mesh_name
from ..machine import SERVICES
from . import pairs
from .model import Case, Fault, Variant, listener

_CONTROL = f"{SERVICES}/bird/supervise/control"
_PEER, _AS = "peer", "as"
OTHER_AS = 64600
# BIRD tells its last reconfiguration in whole seconds; the file must be newer beyond doubt.
_APART = 2.0


def _stick(case: Case) -> None:
    if case.variant == _PEER:
        newcomer = case.peers[-1]
        case.register({"views": {case.target: {"nodes": {newcomer.name: None}}}})
        waiting.until(lambda: _knows(case), f"{case.target} to forget {newcomer.name}", 15)
    time.sleep(_APART)
    case.run(["mv", _CONTROL, f"{_CONTROL}.stuck"])
    case.register({} if case.variant == _PEER else {"as_number": OTHER_AS})


def _knows(case: Case) -> str:
    peer = case.peers[-1]
    if mesh_name(peer.address) in birdc.sessions(case.machine):
        return f"BIRD on {case.target} still knows {peer.name}"
    return ""


def _loosen(case: Case) -> None:
    case.try_run(["mv", f"{_CONTROL}.stuck", _CONTROL])
    case.lab.render_all()
    if case.machine.running:
        confd.hang_up(case.machine)


def _missing(case: Case) -> str:
    if case.variant == _AS:
        return pairs.not_down(case, pairs.between(case.node, case.peers)) or pairs.not_up(
            case, pairs.all_but(case.lab, case.node)
        )
    fine = [*pairs.between(case.node, case.peers[:-1]), *pairs.all_but(case.lab, case.node)]
    stuck = pairs.between(case.node, case.peers[-1:])
    # If the node with the old configuration is the one to dial, it does not: there is nothing more to see.
    dialled = [pair for pair in stuck if pair.listener == case.node]
    return _knows(case) or pairs.not_down(case, stuck) or pairs.not_failing(case, dialled) or pairs.not_up(case, fine)


STUCK = Fault(
    id="bird_reload_stuck",
    description="the node's configuration on disk has changed and BIRD was not told",
    inject=_stick,
    heal=_loosen,
    missing=_missing,
    default=listener,
    variants=(
        Variant(_PEER, "a peer (the last node) is in the file and unknown to BIRD"),
        Variant(_AS, "the cluster has moved to another AS, the node's BIRD has not"),
    ),
)
