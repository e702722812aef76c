# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BIRD's process on a node: stopped, stuck, or just restarted."""

from __future__ import annotations

import time

from .. import birdc
from ..services import SOCKET
from . import pairs, ssh
from .model import Case, Fault, Variant, listener


def _stop(case: Case) -> None:
    case.run(["sv", "down", "bird"])


def _start(case: Case) -> None:
    case.try_run(["sv", "up", "bird"])


def _stop_and_hide(case: Case) -> None:
    _stop(case)
    ssh.stop(case)


def _start_and_show(case: Case) -> None:
    ssh.start(case)
    _start(case)


def _not_gone(case: Case) -> str:
    if case.machine.file(SOCKET).exists():
        return f"{case.target} still has BIRD's control socket"
    # The peers that dial must have met the closed port: that is what they can tell.
    dialled = pairs.listening(case.node, case.peers)
    return pairs.not_failing(case, dialled, "Socket: Connection refused") or pairs.not_down(
        case, pairs.between(case.node, case.peers)
    )


def _freeze(case: Case) -> None:
    case.run(["sh", "-c", "kill -STOP $(pidof bird)"])


def _thaw(case: Case) -> None:
    case.try_run(["sh", "-c", "kill -CONT $(pidof bird)"])


def _not_frozen(case: Case) -> str:
    try:
        birdc.ask(case.machine, "show status", timeout=1.0)
    except birdc.BirdError as error:
        return "" if "does not answer" in str(error) else str(error)
    return f"BIRD on {case.target} still answers"


def _bird_pid(case: Case) -> str:
    return case.machine.exec(["pidof", "bird"], check=False).stdout.strip()


def _kill(case: Case) -> None:
    before = case.undo["pid"] = _bird_pid(case)
    case.run(["kill", "-KILL", before])
    # The old process' sessions must not be taken for the new one's.
    while _bird_pid(case) in ("", before):
        time.sleep(0.2)


def _not_back(case: Case) -> str:
    return pairs.not_up(case, pairs.between(case.node, case.peers))


def _nothing(_case: Case) -> None:
    """It is over already."""


_PLAIN = (Variant("stopped", "stopped with runit's `sv down`"),)

NOT_RUNNING = Fault(
    id="bird_not_running",
    description="BIRD is stopped on the node; the node itself can be asked",
    inject=_stop,
    heal=_start,
    missing=_not_gone,
    default=listener,
    variants=_PLAIN,
)

PEER_NOT_RUNNING = Fault(
    id="peer_bird_not_running",
    description="BIRD is stopped on the node and its sshd too, so only its peers can tell",
    inject=_stop_and_hide,
    heal=_start_and_show,
    missing=_not_gone,
    default=listener,
    variants=_PLAIN,
)

HUNG = Fault(
    id="bird_hung",
    description="BIRD's process is stopped by a signal: its control socket accepts and never answers",
    inject=_freeze,
    heal=_thaw,
    missing=_not_frozen,
    default=listener,
    variants=(Variant("sigstop", "SIGSTOP; sessions last until their hold time is over"),),
)

TRANSIENT = Fault(
    id="benign_startup_transient",
    description="BIRD was killed a moment ago and runit has restarted it; all is well again",
    inject=_kill,
    heal=_nothing,
    missing=_not_back,
    default=listener,
    variants=(Variant("killed", "SIGKILL, then restarted by runit"),),
    limit=120,
    breaks_sessions=False,
)
