# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The embedded lab as `make diagnose` uses it: started for the run and ended with it, or used as the user has it up.

A lab that the user started with `make lab-up` is diagnosed as it is and stays. One that `make diagnose` started is
taken down at the end, also after a failure or Ctrl-C, unless it is to be kept. One that an aborted run left behind is
taken down first.
"""

from __future__ import annotations

import json
import os
import zlib
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lab import topology
from lab.errors import LabError, UsageError
from lab.faults import active, registry
from lab.lab import Lab
from lab.state import State
from scripts.console import UserError, headline, say
from scripts.paths import BUILD

if TYPE_CHECKING:
    from collections.abc import Iterator

NODES = 4
NOTES = BUILD / "labs"  # who started a lab: {"state": directory, "pid": n, "started": n}, a file for each directory


class Breakage(NamedTuple):
    """What to break in the lab. No `fault` breaks nothing; without node or variant the lab takes the fault's own."""

    fault: str = ""
    node: str | None = None
    variant: str | None = None


def check_request(nodes: int | None, shape: str | None, breakage: Breakage) -> None:
    """UserError if there is no such topology, fault, variant of it, or node."""
    shapes = [each.name for each in topology.TOPOLOGIES]
    if shape is not None and shape not in shapes:
        raise UserError(f"TOPOLOGY={shape} is not known. There are: {', '.join(shapes)}.")
    if not breakage.fault:
        if breakage.node or breakage.variant:
            raise UserError("NODE and VARIANT say where and how to break the lab; give FAULT=id with them.")
        return
    known = {fault.id: fault for fault in registry.FAULTS}
    if breakage.fault not in known:
        listed = "".join(f"\n    {name}" for name in known)
        raise UserError(f"FAULT={breakage.fault} is not known. The lab can make these real:{listed}")
    try:
        needed = known[breakage.fault].variant(breakage.variant).topology
        if breakage.node:
            topology.plan(shape or needed or shapes[0], nodes or NODES).node(breakage.node)
    except UsageError as problem:
        raise UserError(f"{str(problem)[0].upper()}{str(problem)[1:]}.") from None


@contextmanager
def running(nodes: int | None, shape: str | None, breakage: Breakage, *, keep: bool) -> Iterator[str]:
    """A running lab with the fault in it. Gives the inventory's path; tidies up afterwards."""
    shape = shape or _needed(breakage)
    lab = _the_users(nodes, shape)
    ours = lab is None
    if lab is None:
        lab = _start(nodes or NODES, shape or topology.TOPOLOGIES[0].name)
    try:
        if breakage.fault:
            headline(f"Breaking the lab: {breakage.fault}")
            lab.make(*breakage)
        yield lab.inventory
    finally:
        _afterwards(lab, breakage.fault, ours=ours, keep=keep)


def _needed(breakage: Breakage) -> str | None:
    """The topology without which the lab cannot be broken so, None if any will do."""
    if not breakage.fault:
        return None
    known = {fault.id: fault for fault in registry.FAULTS}
    return known[breakage.fault].variant(breakage.variant).topology or None


def _the_users(nodes: int | None, shape: str | None) -> Lab | None:
    """The lab that the user has up, or None. What an aborted run left behind is taken down."""
    try:
        lab = Lab(say=_line)
    except LabError:
        return None
    owner = _owner(lab.state)
    if owner == "nobody":
        headline("Taking down the lab that an aborted run left behind")
        lab.down()
        _note(lab.state).unlink(missing_ok=True)
        return None
    if owner:
        raise UserError(
            f"Another make diagnose (process {owner}) is using the lab in {lab.state.directory}. "
            "Wait for it, or use a lab of your own: NETMEDIC_LAB=/run/another-lab make diagnose"
        )
    is_nodes, is_shape = len(lab.plan.nodes), lab.plan.topology.name
    if (nodes or is_nodes, shape or is_shape) != (is_nodes, is_shape):
        raise UserError(
            f"A lab of {is_nodes} nodes, topology {is_shape}, is up. For another one, take it down first: make lab-down"
        )
    headline(f"The lab in {lab.state.directory} is already up; it is used as it is and stays up")
    for fault in active.listed(lab.state):
        say(f"    it is broken: {fault['id']} on {fault['node']} (heal it with: make lab-heal)")
    return lab


def _start(nodes: int, shape: str) -> Lab:
    """Start a lab, with a note of who did."""
    headline(f"Starting the embedded lab: {nodes} nodes, topology {shape}")
    state = State()
    note = {"state": str(state.directory), "pid": os.getpid(), "started": _start_time(os.getpid())}
    NOTES.mkdir(parents=True, exist_ok=True)
    _note(state).write_text(json.dumps(note), encoding="utf-8")
    try:
        return Lab.up(nodes, shape, state.directory, _line)
    except BaseException:
        _note(state).unlink(missing_ok=True)  # it has taken down what it had made
        raise


def _afterwards(lab: Lab, fault: str, *, ours: bool, keep: bool) -> None:
    """Take our lab down, heal the user's, or leave things as they are if that is wanted."""
    if keep:
        _note(lab.state).unlink(missing_ok=True)  # from now on it is the user's
        headline("The lab stays up (KEEP_LAB). Take it down with: make lab-down")
        if fault:
            say("    heal it with: make lab-heal")
        return
    if ours:
        headline("Taking the lab down (KEEP_LAB=1 keeps it)")
        lab.down()
        _note(lab.state).unlink(missing_ok=True)
    elif fault:
        headline("Healing the lab (KEEP_LAB=1 leaves it broken)")
        lab.heal()


def _note(state: State) -> Path:
    """The file that says who started the lab of a state directory."""
    return NOTES / f"{zlib.crc32(str(state.directory).encode()):08x}.json"


def _owner(state: State) -> str:
    """Who started this lab: '' the user, 'nobody' a run that is gone, else the process id of a run that lives."""
    try:
        note = json.loads(_note(state).read_text(encoding="utf-8"))
        directory, pid, started = note["state"], int(note["pid"]), int(note["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    if directory != str(state.directory):
        return ""
    return str(pid) if _start_time(pid) == started else "nobody"


def _start_time(pid: int) -> int:
    """When a process started, in clock ticks since boot, which tells it from a later one of the same id; 0 if none."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[19])
    return 0


def _line(text: str) -> None:
    """Progress of the lab, under our headline."""
    say(f"    {text}")
