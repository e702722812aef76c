# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fault of the catalogue is made of. Signals are functions; their docstring is what the report says."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from .._evidence.evidence import Evidence, steps, verdict_on

if TYPE_CHECKING:
    from .._evidence.model import Node, Verdict
    from .._evidence.sessions import Session, Side

# How much a signal changes the odds, as natural logarithms of likelihood ratios: a decisive signal is about 55
# times as likely under its fault as without it, a strong one 12 times, a moderate one 3 times, a weak one 1.6 times.
DECISIVE = 4.0
STRONG = 2.5
MODERATE = 1.2
WEAK = 0.5

SEVERITIES = ("info", "minor", "major", "critical")
CUT_OFF = "critical where it cuts a node off from all its peers"
ROLES = ("cause", "contributing", "latent", "not_a_fault", "consequence")


class Step(NamedTuple):
    """A firewall on the way of a connection or of its answers, and what it does; see Verdict for the directions."""

    node: Node
    direction: str
    peer: str
    verdict: Verdict | None


@dataclass(frozen=True)
class Subject:
    """A place where a fault may be: nodes, the sessions it would explain, and the rule or object itself."""

    nodes: tuple[str, ...]
    sessions: tuple[Session, ...] = ()
    where: Mapping[str, Any] = field(default_factory=dict)
    node: Node | None = None
    about: Any = None

    @cached_property
    def diallers(self) -> tuple[tuple[Session, Side, Side], ...]:
        """Every end of the sessions that opens connections, with the end it dials."""
        return tuple(
            (session, side, other)
            for session in self.sessions
            for side, other in session.sides()
            if session.dials(side)
        )

    @cached_property
    def passages(self) -> tuple[tuple[Side, Side, tuple[Step, ...]], ...]:
        """The firewalls that the connection of each dialling end passes; those of hosts that were read."""
        return tuple(
            (side, other, tuple(Step(*step, verdict_on(*step)) for step in steps(side, other)))
            for _session, side, other in self.diallers
        )


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
        return _first_sentence(self.test)


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
class Remedy:
    """How a role of the collection repairs the fault by itself: the role's name without the collection's, its
    variables, and the hosts it runs on (empty where it works through the API)."""

    role: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Remainder:
    """What is left for a person to do at a place where the fault's own repair has been made; fields as of a Fix."""

    action: str
    text: str
    risk: str
    disrupts: str
    commands: list[str]


@dataclass(frozen=True)
class Fix:
    """What repairs the fault. commands gives the lines an operator would type, for one place; remedy what a role would
    do there, None where a person must decide; remainder what is left to do where all this is done, None elsewhere."""

    action: str
    text: str
    risk: str
    disrupts: str
    commands: Callable[[Evidence, Subject], list[str]]
    remedy: Callable[[Evidence, Subject], Remedy | None] | None = None
    remainder: Callable[[Evidence, Subject], Remainder | None] | None = None


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
    # Which role it has at a place, where that is not the same everywhere; `role` is the usual one.
    role_rule: Callable[[Evidence, Subject], str] | None = None

    @property
    def severity_says(self) -> str:
        """How bad it is, in words: a rule's own, which are its docstring, else those of the severity that it has."""
        if self.severity_rule is not None:
            return _first_sentence(self.severity_rule).rstrip(".")
        # The ranking's own rule for what has none.
        return f"major, {CUT_OFF}" if self.severity == "major" else self.severity

    @property
    def severities(self) -> tuple[str, ...]:
        """Those that a finding of it may have, the least first."""
        return tuple(one for one in SEVERITIES if re.search(rf"\b{one}\b", self.severity_says))


def _first_sentence(function: Callable[..., Any]) -> str:
    """What a function's docstring says before its first empty line, on one line."""
    return " ".join((function.__doc__ or "").split("\n\n")[0].split())


def probability(log_odds: float) -> float:
    """Log odds as a probability, never quite certain."""
    return min(0.99, max(0.01, 1.0 / (1.0 + math.exp(-log_odds))))
