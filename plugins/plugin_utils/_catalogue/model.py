# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fault of the catalogue is made of. Signals are functions; their docstring is what the report says."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .._evidence.evidence import Evidence

if TYPE_CHECKING:
    from .._evidence.model import Node
    from .._evidence.sessions import Session

# How much a signal changes the odds, as natural logarithms of likelihood ratios: a decisive signal is about 55
# times as likely under its fault as without it, a strong one 12 times, a moderate one 3 times, a weak one 1.6 times.
DECISIVE = 4.0
STRONG = 2.5
MODERATE = 1.2
WEAK = 0.5

SEVERITIES = ("info", "minor", "major", "critical")
ROLES = ("cause", "contributing", "latent", "not_a_fault", "consequence")


@dataclass(frozen=True)
class Subject:
    """A place where a fault may be: nodes, the sessions it would explain, and the rule or object itself."""

    nodes: tuple[str, ...]
    sessions: tuple[Session, ...] = ()
    where: Mapping[str, Any] = field(default_factory=dict)
    node: Node | None = None
    about: Any = None


@dataclass(frozen=True)
class Seen:
    """One observation: where it was made, and its particulars."""

    node: str
    source: str
    detail: str = ""
    locator: str = ""


Test = Callable[[Evidence, Subject], Iterable[Seen]]


@dataclass(frozen=True)
class Signal:
    """A test on the evidence, and how much it speaks for (positive) or against (negative) the fault.

    Of a fault's required signals at least one must be seen, or the fault is not considered at all.
    """

    test: Test
    weight: float
    required: bool = False

    @property
    def says(self) -> str:
        """The statement that the signal makes when it is seen."""
        return " ".join((self.test.__doc__ or "").split("\n\n")[0].split())


@dataclass(frozen=True)
class Lookalike:
    """A fault with a similar picture, and what tells the two apart."""

    fault: str
    told_apart_by: str


@dataclass(frozen=True)
class Missing:
    """Evidence that was not had, how to get it, and what it would tell."""

    node: str
    source: str
    how: str
    would_tell: str


@dataclass(frozen=True)
class Fix:
    """What repairs the fault. commands gives the lines an operator would type, for one place."""

    action: str
    text: str
    risk: str
    disrupts: str
    commands: Callable[[Evidence, Subject], list[str]]


@dataclass(frozen=True)
class Fault:
    """One entry of the catalogue; id is one of the identifiers that reports, tests and fixes share."""

    id: str
    family: str
    title: str
    severity: str
    role: str
    means: str
    subjects: Callable[[Evidence], Iterable[Subject]]
    signals: tuple[Signal, ...]
    summary: Callable[[Evidence, Subject], str]
    fix: Fix
    verify: str
    prior: float = -1.0
    lookalikes: tuple[Lookalike, ...] = ()
    explains: tuple[str, ...] = ()
    missing: Callable[[Evidence, Subject], list[Missing]] | None = None
    severity_rule: Callable[[Evidence, Subject], str] | None = None


def probability(log_odds: float) -> float:
    """Log odds as a probability, never quite certain."""
    return min(0.99, max(0.01, 1.0 / (1.0 + math.exp(-log_odds))))
