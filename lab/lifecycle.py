# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing a lab up and taking it down, also after an accident.

The order matters: a machine is on record before it takes its first step, the directory says what the lab is before the
first machine is made, and it says "complete" only at the end. So whatever is interrupted where, `down` finds it all.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from . import access, api_process, bird_config, datastore, fabric, image, node, processes, requirements, waiting
from .errors import LabError
from .faults import active
from .machine import Machine, Specification, prepare
from .readiness import Pending, expected_sessions, overlay_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path
    from types import FrameType

    from .progress import Say
    from .state import State
    from .topology import Node, Plan

READY_LIMIT = 120.0


def up(state: State, plan: Plan, say: Say) -> None:
    """Bring up a lab of this plan; one that is already there, of the same shape and well is left alone.

    An error, Ctrl-C or SIGTERM on the way takes down what was made.
    """
    requirements.check(image.directory().is_dir())
    root = image.ensure(say)
    state.create()
    with state.locked(), _interruptible():
        if _is_well(state, plan, root, say):
            return
        _end(state.processes(), state)
        state.clear()
        state.create()
        try:
            _build(state, plan, root, say)
        except BaseException as error:
            say(f"taking the lab down again: {str(error) or 'interrupted'}")
            with _uninterrupted():
                _clear(state, say)
            raise


def down(state: State, say: Say) -> None:
    """End every process of the lab and remove its directory. A lab that is not there is no error."""
    requirements.check_root()
    if not state.directory.is_dir():
        # The directory may be lost while machines still run: they carry its name.
        found = _end(state.processes(), state)
        say("the lab is down" if found else f"there is no lab in {state.directory}")
        return
    with state.locked(), _uninterrupted():
        _clear(state, say)
        say("the lab is down")


def start_nodes(state: State, root: Path, plan: Plan, nodes: Sequence[Node], data: datastore.Data) -> None:
    """Start node machines on a running fabric: made at the same time, cabled at once, then all told to go."""
    public, host_key = access.keys(state)
    specifications: list[Specification] = []
    for planned in nodes:
        files = bird_config.render(datastore.seen_by(data, planned.name), planned.name)
        specifications.append(node.specification(plan, planned, files, public, host_key))
    starting = prepare(state, root, specifications)
    try:
        ends = {each.name: each.process.pid for each in starting}
        fabric.wire(Machine(state, fabric.NAME), plan, ends, nodes)
        for each in starting:
            each.go()
        for each in starting:
            each.started()
    except BaseException:
        for each in starting:
            each.abandon()
        raise


def _build(state: State, plan: Plan, root: Path, say: Say) -> None:
    shape = {"topology": plan.topology.name, "nodes": len(plan.nodes), "image": str(root), "complete": False}
    state.write("lab.json", shape)
    data = datastore.registered(plan)
    state.write("datastore.json", data)
    access.create(state, plan.nodes)
    say(f"starting {len(plan.nodes)} nodes, {plan.topology.description}")
    (ground,) = prepare(state, root, [fabric.specification(plan)])
    ground.go()
    ground.started()
    api = api_process.start(state)
    start_nodes(state, root, plan, plan.nodes, data)
    say("waiting for BGP sessions and clock synchronisation")
    waiting.until(_pending(state, plan).missing, "BGP and clocks", _limit(plan), say=say)
    if api:
        waiting.until(lambda: api_process.missing(state, api), "the API", api_process.LIMIT, say=say)
        waiting.until(lambda: overlay_missing(state, plan), "the overlay", READY_LIMIT, say=say)
    state.write("lab.json", {**shape, "complete": True})
    say(f"the lab is up: inventory {state.path('inventory.yml')}")


def _pending(state: State, plan: Plan) -> Pending:
    """What the nodes wait for, by what is registered."""
    machines = [Machine(state, each.name) for each in plan.nodes]
    data = state.read("datastore.json", {})
    views = {each.name: datastore.seen_by(data, each.name) for each in plan.nodes}
    return Pending(machines, {name: expected_sessions(view, name) for name, view in views.items()})


def _limit(plan: Plan) -> float:
    """Sessions grow with the square of the nodes; the limit follows."""
    return READY_LIMIT + len(plan.nodes) ** 2 / 20


def _is_well(state: State, plan: Plan, root: Path, say: Say) -> bool:
    shape = state.read("lab.json")
    if not shape:
        return False
    wanted = {"topology": plan.topology.name, "nodes": len(plan.nodes), "image": str(root), "complete": True}
    if shape != wanted:
        say("there is another or unfinished lab in this place; taking it down first")
        return False
    machines = [Machine(state, each.name) for each in plan.nodes]
    faults = active.listed(state)
    if faults:
        say(f"the lab has active faults ({', '.join(each['id'] for each in faults)}); taking it down first")
        return False
    if not all(machine.running for machine in [*machines, Machine(state, fabric.NAME)]):
        say("the lab is half dead; taking it down first")
        return False
    if not api_process.is_as_wanted(state):
        say("the lab's API does not run; taking the lab down first")
        return False
    try:
        waiting.until(_pending(state, plan).missing, "BGP and clocks", 10, say=say)
    except LabError as error:
        say(f"the lab is not well ({error}); taking it down first")
        return False
    say(f"the lab is already up: inventory {state.path('inventory.yml')}")
    return True


def _clear(state: State, say: Say) -> None:
    """End everything and remove the directory."""
    _end(state.processes(), state)
    foreign = state.remove()
    if foreign:
        say(f"{state.directory} was kept: it holds what is not the lab's ({', '.join(foreign)})")


def _end(found: Iterable[processes.Process], state: State) -> bool:
    """End the lab's processes; those that start while we look are found in the next round. True if there were any."""
    wanted = set(found)
    any_ended = bool(wanted)
    while wanted:
        left = processes.end(wanted)
        if left:
            raise LabError(f"processes of the lab cannot be ended: {', '.join(str(each.pid) for each in left)}")
        wanted = state.processes()
    return any_ended


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM and SIGHUP interrupt as Ctrl-C does, so that they clean up too."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handlers(interrupt, signal.SIGTERM, signal.SIGHUP):
        yield


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """A second Ctrl-C does not stop the cleaning."""
    with _handlers(signal.SIG_IGN, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        yield


@contextmanager
def _handlers(action: Callable[[int, FrameType | None], None] | signal.Handlers, *numbers: int) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers; a test's helper thread goes without
        return
    before = {number: signal.signal(number, action) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
