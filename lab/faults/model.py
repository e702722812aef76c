# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fault of the lab is: one record per fault, and the case it is applied to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import UsageError
from . import active

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..lab import Lab
    from ..machine import Machine
    from ..topology import Node, Plan
    from .pairs import Pair


class Variant(NamedTuple):
    """One way the fault comes about. `topology`: the only topology in which it can, "" for any."""

    name: str
    description: str
    topology: str = ""


class Case:
    """A fault on a node of a lab. `patch` lies over the datastore while the fault is active; `undo` is for `heal`."""

    def __init__(self, lab: Lab, fault: Fault, target: str, variant: str) -> None:
        self.lab = lab
        self.fault = fault
        self.target = target
        self.variant = variant
        self.patch: dict[str, Any] = {}
        self.undo: dict[str, Any] = {}

    @property
    def node(self) -> Node:
        """The target."""
        return self.lab.plan.node(self.target)

    @property
    def machine(self) -> Machine:
        """The target's machine."""
        return self.lab.machine(self.target)

    @property
    def peers(self) -> list[Node]:
        """All other nodes."""
        return [node for node in self.lab.nodes if node.name != self.target]

    def undisturbed(self, pairs: Iterable[Pair]) -> list[Pair]:
        """The sessions of which neither end is the target of another active fault that breaks sessions."""
        disturbed = self.disturbed
        return [pair for pair in pairs if not {pair.listener.name, pair.dialler.name} & disturbed]

    @property
    def disturbed(self) -> set[str]:
        """The nodes on which another fault that breaks sessions is active."""
        others = [each for each in active.listed(self.lab.state) if active.key(each) != active.key(self.record())]
        return {each["node"] for each in others if each["breaks_sessions"]}

    def record(self) -> active.Record:
        """What is kept of the case while the fault is active."""
        return {
            "id": self.fault.id,
            "node": self.target,
            "variant": self.variant,
            "patch": self.patch,
            "undo": self.undo,
            "breaks_sessions": self.fault.breaks_sessions,
        }

    def register(self, patch: dict[str, Any]) -> list[str]:
        """Make `patch` the case's patch and let all nodes follow; the nodes that refused their new configuration."""
        self.patch = patch
        active.put(self.lab.state, self.record())
        return self.lab.render_all()

    def run(self, argv: Sequence[str], machine: Machine | None = None) -> str:
        """Run a command of the injection on the target (or another machine), tell it, return its output."""
        where = machine or self.machine
        self.lab.say(f"  {where.name}: {' '.join(argv)}")
        return where.exec(argv).stdout

    def try_run(self, argv: Sequence[str], machine: Machine | None = None) -> None:
        """Run a command of the healing: what is no longer there needs no undoing."""
        where = machine or self.machine
        if where.running:
            self.lab.say(f"  {where.name}: {' '.join(argv)}")
            where.exec(argv, check=False)


class Fault(NamedTuple):
    """One fault of the catalogue that the lab can make real.

    inject   makes it; may be undone by `heal` from any point on
    heal     undoes it; called when the case's patch is already withdrawn; also after an inject that failed half-way
    missing  words for what is not yet observable of the fault (in BIRD, on the wire), "" once all is
    check    raises UsageError if the fault cannot be made in this case; nothing is changed yet
    breaks_sessions  whether BGP sessions of the target go down or may do so
    default  the target if the user names none; None: the fault has no target node and `ghost` names its subject
    """

    id: str
    description: str
    inject: Callable[[Case], None]
    heal: Callable[[Case], None]
    missing: Callable[[Case], str]
    default: Callable[[Plan, str], Node] | None
    variants: tuple[Variant, ...]
    ghost: str = ""
    check: Callable[[Case], None] = lambda _case: None
    breaks_sessions: bool = True
    least_nodes: int = 2
    limit: float = 60.0

    def variant(self, name: str | None) -> Variant:
        """The variant of that name (the first one by default), else UsageError naming those there are."""
        for variant in self.variants:
            if name in (None, variant.name):
                return variant
        raise UsageError(f"{self.id} has no variant {name!r}; it has " + ", ".join(each.name for each in self.variants))


def listener(plan: Plan, _variant: str) -> Node:
    """The node that waits for all others to dial: the usual target."""
    return plan.listener


def dialler(plan: Plan, _variant: str) -> Node:
    """The node that dials all others."""
    return plan.dialler
