# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Felix and BIRD both put routes to other nodes' pods into the kernel, or neither does.

The setting is younger than the lab's release, so the cluster runs as a later one meanwhile. BIRD is the real one: it
leaves the routes out where it is told to, and its own are refused where another's are. Felix is a stand-in that does
what Felix does with these routes, and nothing else.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .. import waiting
from . import objects, release, standins
from .model import Case, Fault, Variant, listener

if TYPE_CHECKING:
    from ..topology import Node

RELEASE = "v3.32.0"
_BOTH, _NEITHER = "both", "neither"
_BIRD, _FELIX = "bird", "80"
_LIMIT = 20.0
_DIRECTORY = "/run/stand-ins-routes"
# Felix looks after its routes whenever one of them changes.
_PROGRAM = """\
import subprocess, sys, time
while True:
    subprocess.run(["ip", "-force", "-batch", sys.argv[1]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(1)
"""


def _break(case: Case) -> None:
    release.run_as(case, RELEASE)
    if case.variant == _NEITHER:
        objects.configure(case, "BGPConfiguration", "default", {"programClusterRoutes": "Disabled"})
        objects.follow(case.lab)
        return
    objects.configure(case, "FelixConfiguration", "default", {"programClusterRoutes": "Enabled"})
    for node in case.lab.nodes:
        _program(case, node)


def _program(case: Case, node: Node) -> None:
    machine = case.lab.machine(node.name)
    others = [each for each in case.lab.nodes if each.name != node.name]
    lines = "".join(f"route replace {each.block} via {_way(node, each)} proto {_FELIX}\n" for each in others)
    machine.file(_DIRECTORY).mkdir(parents=True, exist_ok=True)
    for name, text in (("routes", lines), ("felix.py", _PROGRAM)):
        machine.file(f"{_DIRECTORY}/{name}").write_text(text, encoding="ascii")
    standins.start(case, machine, standins.FELIX, [f"{_DIRECTORY}/felix.py", f"{_DIRECTORY}/routes"], {"PATH": _PATH})


_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def _way(node: Node, other: Node) -> str:
    return other.address if other.subnet == node.subnet else node.subnet.gateway


def _heal(case: Case) -> None:
    objects.restore(case)
    for node in case.lab.nodes if case.variant == _BOTH else ():
        machine = case.lab.machine(node.name)
        standins.stop(case, machine, standins.FELIX)
        case.try_run(["ip", "route", "flush", "proto", _FELIX], machine)
        case.try_run(["rm", "-rf", _DIRECTORY], machine)
    release.back(case)
    waiting.until(lambda: _lacking(case, _BIRD), "BIRD's routes", _LIMIT)


def _lacking(case: Case, protocol: str) -> str:
    """Words while a node that is on lacks routes of this program to others' blocks."""
    for node in case.lab.nodes:
        if case.lab.machine(node.name).running and not _routes(case, node, protocol):
            return f"no routes of protocol {protocol} on {node.name}"
    return ""


def _routes(case: Case, node: Node, protocol: str) -> list[str]:
    blocks = {each.block for each in case.lab.nodes if each.name != node.name}
    done = case.lab.machine(node.name).exec(["ip", "-j", "route", "show", "proto", protocol], check=False)
    return [each["dst"] for each in json.loads(done.stdout or "[]") if each.get("dst") in blocks]


def _missing(case: Case) -> str:
    if case.variant == _BOTH:
        return _lacking(case, _FELIX)
    left = [node.name for node in case.lab.nodes if _routes(case, node, _BIRD)]
    return f"{left[0]} still has BIRD's routes" if left else ""


CONFLICT = Fault(
    id="route_owner_conflict",
    description=f"Felix and BIRD disagree about who programs routes (runs as {RELEASE}, a stand-in for Felix)",
    inject=_break,
    heal=_heal,
    missing=_missing,
    default=listener,
    variants=(
        Variant(_BOTH, "both program them"),
        Variant(_NEITHER, "neither programs them"),
    ),
    check=objects.must_have_api,
    breaks_sessions=False,
)
