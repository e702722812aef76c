# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another BGP speaker of the node has the session with the router.

The speaker is a second BIRD in the place of MetalLB's: it has its process' name, and dials the router from the node's
own address, as that does. It listens nowhere but on a port of its own.
"""

from __future__ import annotations

from .. import waiting
from ..controller.registered import AS_NUMBER
from ..services import SOCKET
from ..topology import ROUTER_AS
from . import outside
from .model import Case, Fault, Variant, listener

_PROGRAM, _FILES = "/usr/local/sbin/speaker", "/run/speaker"
_CONTROL, _CONFIGURATION = f"{_FILES}/control", f"{_FILES}/speaker.conf"
_OWN_PORT = 1790
_SERVICE = "192.0.2.80/32"
_LIMIT = 30.0


def configuration(own: str, router: str) -> str:
    """The speaker's: it announces a Service's address to the router and takes nothing from it."""
    return (
        f"router id {own};\nlisten bgp port {_OWN_PORT};\n"
        "protocol device {\n}\n"
        f"protocol static services {{\n  route {_SERVICE} blackhole;\n}}\n"
        f"protocol bgp rack {{\n  local {own} as {AS_NUMBER};\n  neighbor {router} as {ROUTER_AS};\n"
        "  import none;\n  export all;\n  connect delay time 1;\n  connect retry time 2;\n  error wait time 1,2;\n}\n"
    )


def _speak(case: Case) -> None:
    birdc = ["birdc", "-s", SOCKET, "disable", outside.protocol(case)]
    case.run(birdc)
    case.run(["mkdir", "-p", _FILES])
    text = configuration(case.node.address, case.lab.plan.topology.subnets[0].gateway)
    case.machine.file(_CONFIGURATION).write_text(text, encoding="utf-8")
    case.run(["cp", "/usr/sbin/bird", _PROGRAM])
    case.run([_PROGRAM, "-c", _CONFIGURATION, "-s", _CONTROL, "-P", f"{_FILES}/pid"])
    waiting.until(lambda: _not_connected(case), "the speaker's session", _LIMIT, say=case.lab.say)
    case.run([*birdc[:3], "enable", outside.protocol(case)])


def _not_connected(case: Case) -> str:
    shown = case.machine.exec(["birdc", "-s", _CONTROL, "show", "protocols", "rack"], check=False).stdout
    return "" if "Established" in shown else f"the speaker on {case.target} has no session with the router"


def _be_silent(case: Case) -> None:
    case.try_run(["sh", "-c", f"kill $(cat {_FILES}/pid)"])
    case.try_run(["rm", "-rf", _FILES, _PROGRAM])
    case.try_run(["birdc", "-s", SOCKET, "enable", outside.protocol(case)])
    outside.forget_refusals(case)
    outside.nudge(case, case.target)


def _not_turned_away(case: Case) -> str:
    found = outside.session(case, case.target)
    if found is None or found.established or "Connection" not in found.last_error:
        return f"{case.target} is not turned away by the router yet"
    return _not_connected(case) or outside.mesh_disturbed(case)


CONFLICT = Fault(
    id="metallb_conflict",
    description="another speaker of the node has the session with the router that BIRD is to have",
    inject=_speak,
    heal=_be_silent,
    missing=_not_turned_away,
    default=listener,
    variants=(
        Variant(
            "speaker", "a second BIRD, named as MetalLB's speaker, dials from the same address", outside.ROUTER_TOPOLOGY
        ),
    ),
    breaks_sessions=False,
)
