# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The router's hold timer expires: it asks for keepalives each second, and for some seconds none comes of the node.

What keeps the node's BIRD from its work is a signal, in place of a host that has no processor time for it. It is over
when the fault shows, as it mostly is where somebody looks.
"""

from __future__ import annotations

from .. import waiting
from . import outside, pairs
from .model import Case, Fault, Variant, listener

# The least that BGP admits, in seconds: three keepalives.
_HOLD_TIME = 3
_SILENCE = 2 * _HOLD_TIME
_EXPIRED = "Hold timer expired"
_LIMIT = 30.0


def with_hold_time(text: str) -> str:
    """The router's configuration with a short hold time for everybody."""
    return text.replace("template bgp node {\n", f"template bgp node {{\n  hold time {_HOLD_TIME};\n", 1)


def _expire(case: Case) -> None:
    file = case.lab.fabric.file(outside.CONFIGURATION)
    before = file.read_text(encoding="utf-8")
    case.undo["configuration"] = before
    file.write_text(with_hold_time(before), encoding="utf-8")
    case.run(["birdc", "-s", outside.CONTROL, "configure"], case.lab.fabric)
    outside.forget_refusals(case)
    for node in case.lab.nodes:
        outside.nudge(case, node.name)
    waiting.until(lambda: _not_all_up(case), "the sessions with the short hold time", _LIMIT, say=case.lab.say)
    case.run(["sh", "-c", f"kill -STOP $(pidof bird); sleep {_SILENCE}; kill -CONT $(pidof bird)"])


def _not_all_up(case: Case) -> str:
    for node in case.lab.nodes:
        found = outside.session(case, node.name)
        if found is None or not found.established:
            return f"{node.name} has no session with the router"
    return ""


def _relax(case: Case) -> None:
    case.try_run(["sh", "-c", "kill -CONT $(pidof bird)"])
    if case.undo.get("configuration"):
        case.lab.fabric.file(outside.CONFIGURATION).write_text(case.undo["configuration"], encoding="utf-8")
        case.try_run(["birdc", "-s", outside.CONTROL, "configure"], case.lab.fabric)
        outside.forget_refusals(case)
        for node in case.lab.nodes:
            outside.nudge(case, node.name)


def _not_expired(case: Case) -> str:
    found = outside.session(case, case.target)
    if found is None or found.established or _EXPIRED not in found.last_error:
        return f"{case.target} does not show that the hold timer expired"
    return outside.mesh_disturbed(case) or pairs.not_up(case, pairs.between(case.node, case.peers))


EXPIRED = Fault(
    id="hold_timer_expired",
    description="the router outside asks for a hold time of 3 s, and does not hear the node for twice as long",
    inject=_expire,
    heal=_relax,
    missing=_not_expired,
    default=listener,
    variants=(Variant("paused", f"BIRD on the node does nothing for {_SILENCE} s", outside.ROUTER_TOPOLOGY),),
    breaks_sessions=False,
)
