# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which repairs are made and how each is disturbed: pure data, the same for the same seed."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue.faults import BY_ID
from lab.faults.registry import FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

UNDISTURBED = "undisturbed"
KILLED, CUT, TOLD_OFF, DIES, TWICE = "controller killed", "ssh cut", "api errors", "node dies", "two runs"
DISTURBANCES = (KILLED, CUT, TOLD_OFF, DIES, TWICE)
FIRST = "one_subnet"
# What a repair is refused for, before its first change, in every lab: the kernel lets only the first network namespace
# write nf_conntrack_max.
REFUSED_HERE = {"conntrack_full": "/proc/sys is read-only here"}


class Run(NamedTuple):
    """A fault to be repaired, and what goes wrong meanwhile. moment: when, from 0 (at once) to 1 (when a repair that
    nobody disturbs ends)."""

    fault: str
    variant: str
    topology: str
    disturbance: str = UNDISTURBED
    moment: float = 0.0

    @property
    def name(self) -> str:
        """As it is told: fault-variant@topology, disturbance moment."""
        when = "" if self.disturbance == UNDISTURBED else f" {self.moment:.2f}"
        return f"{self.fault}-{self.variant}@{self.topology}, {self.disturbance}{when}"


def repairable() -> list[Run]:
    """Each variant of each fault of the lab for which a role of the collection may have a repair, undisturbed."""
    return [
        Run(fault.id, variant.name, variant.topology or FIRST)
        for fault in FAULTS
        if fault.id in BY_ID and BY_ID[fault.id].fix.remedy is not None
        for variant in fault.variants
    ]


def runs(seed: int, count: int, proofs: bool = True) -> list[Run]:
    """So many runs: all repairs undisturbed once (if proofs), then disturbed ones, each disturbance equally often."""
    chance = random.Random(seed)  # noqa: S311
    known = repairable()
    made = list(known) if proofs else []
    while len(made) < count:
        kind = DISTURBANCES[len(made) % len(DISTURBANCES)]
        made.append(chance.choice(known)._replace(disturbance=kind, moment=round(chance.random(), 2)))
    return made


def named(chosen: Iterable[Run], words: Sequence[str]) -> list[Run]:
    """The runs in whose names one of the words stands; all of them without words."""
    return [run for run in chosen if not words or any(word in run.name for word in words)]
