# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Breaking and healing a lab.

Faults can be combined; each is on record before it is made, so `heal` finds it after any accident.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import api_process, confd, waiting
from ..errors import LabError, UsageError
from ..readiness import overlay_missing
from ..services import BIRD_LOG
from . import active, cluster, pairs
from .model import Case, Fault, Variant
from .registry import FAULTS, MACHINE_OFF

if TYPE_CHECKING:
    from ..lab import Lab


def fault(identifier: str) -> Fault:
    """The fault of that id, else UsageError."""
    for each in FAULTS:
        if each.id == identifier:
            return each
    raise UsageError(f"the lab cannot make {identifier!r}; `python -m lab faults` lists what it can")


def make(lab: Lab, identifier: str, target: str | None = None, variant: str | None = None) -> Case:
    """Inject a fault and return once it is observable. A failed injection is undone."""
    chosen = fault(identifier)
    kind = chosen.variant(variant)
    case = Case(lab, chosen, _target(lab, chosen, target, kind), kind.name)
    with lab.state.locked():
        _applicable(case, kind)
        lab.say(f"breaking {case.target}: {identifier} ({kind.name}): {kind.description}")
        active.put(lab.state, case.record())
        try:
            chosen.inject(case)
            active.put(lab.state, case.record())
            waiting.until(lambda: chosen.missing(case), f"{identifier} to show", chosen.limit, say=lab.say)
        except BaseException:
            lab.say(f"{identifier} could not be made; undoing it")
            _heal(case)
            raise
        lab.say(f"broken: {identifier} on {case.target}")
    return case


def heal(lab: Lab, identifier: str | None = None, target: str | None = None, limit: float = 90) -> list[str]:
    """Undo all active faults, or those of one id (and node); returns the ids undone.

    Once no fault is left, waits until the cluster is well again.
    """
    with lab.state.locked():
        chosen = [
            record
            for record in active.listed(lab.state)
            if identifier in (None, record["id"]) and target in (None, record["node"])
        ]
        if identifier and not chosen:
            raise UsageError(f"{identifier} is not active" + (f" on {target}" if target else ""))
        for record in reversed(chosen):
            lab.say(f"healing {record['node']}: {record['id']} ({record['variant']})")
            _heal(_case(lab, record))
        pairs.nudge(lab)
        if not active.listed(lab.state):
            lab.wait_ready(limit)
            _settle(lab, limit)
            lab.say("healed: all sessions are established, all clocks synchronised")
    return [record["id"] for record in chosen]


def _settle(lab: Lab, limit: float) -> None:
    """Wait until the API shows a cluster that is well, and clear away what tells of the past.

    That hold timers expired within the last hour is a finding on a host that is busy, and rightly so. confd says
    nothing when a file that it could not replace is again what it shall be. BIRD, told to read it once more, says that
    it has.
    """
    for node in lab.nodes:
        machine = lab.machine(node.name)
        machine.exec(["truncate", "-c", "-s", "0", f"{BIRD_LOG}/current"], check=False)
        confd.hang_up(machine)
    if api_process.described(lab.state) is not None:
        waiting.until(lambda: cluster.not_well(lab), "the API to show it", limit, say=lab.say)
        waiting.until(lambda: overlay_missing(lab.state, lab.plan), "the overlay", limit, say=lab.say)
        cluster.forget_events(lab)


def _heal(case: Case) -> None:
    """The record goes first, so that its patch is withdrawn when nodes follow the datastore; back on failure."""
    active.drop(case.lab.state, case.record())
    try:
        case.fault.heal(case)
    except BaseException:
        active.put(case.lab.state, case.record())
        raise


def _case(lab: Lab, record: active.Record) -> Case:
    case = Case(lab, fault(record["id"]), record["node"], record["variant"])
    case.patch, case.undo = record["patch"], record["undo"]
    return case


def _target(lab: Lab, chosen: Fault, target: str | None, kind: Variant) -> str:
    if chosen.default is None:
        if target is not None:
            raise UsageError(f"{chosen.id} has no node to choose: its subject is {chosen.ghost}")
        return chosen.ghost
    return lab.plan.node(target).name if target else chosen.default(lab.plan, kind.name).name


def _applicable(case: Case, kind: Variant) -> None:
    lab, chosen = case.lab, case.fault
    if kind.topology and lab.plan.topology.name != kind.topology:
        raise UsageError(f"{chosen.id} ({kind.name}) needs the topology {kind.topology}")
    if len(lab.nodes) < chosen.least_nodes:
        raise UsageError(f"{chosen.id} needs a lab of at least {chosen.least_nodes} nodes")
    for record in active.listed(lab.state):
        if active.key(record) == active.key(case.record()):
            raise UsageError(f"{chosen.id} is already active on {case.target} ({record['variant']}); heal it first")
        if record["node"] == case.target and chosen.id == MACHINE_OFF:
            raise UsageError(f"{record['id']} is active on {case.target} and would go with the machine; heal it first")
    if chosen.default is not None and not case.machine.running:
        raise LabError(f"{case.target} is not running")
    chosen.check(case)
