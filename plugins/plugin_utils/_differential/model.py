# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the differential is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .._catalogue.model import Seen
    from .._evidence.evidence import Evidence
    from .._evidence.sessions import Session


@dataclass(frozen=True)
class Symptom:
    """Something that is wrong and that no cause explains yet: of which kind, where, and where it was seen.

    here: the nodes that show it. there: the other ends, by name or address; where the cause is often to be found.
    """

    kind: str
    here: tuple[str, ...]
    there: tuple[str, ...] = ()
    sessions: tuple[Session, ...] = ()
    seen: tuple[Seen, ...] = ()

    @property
    def nodes(self) -> tuple[str, ...]:
        """Everybody concerned, each once."""
        return tuple(dict.fromkeys((*self.here, *self.there)))


@dataclass(frozen=True)
class Need:
    """Evidence that decides between causes: how to get it at a place, what it tells.

    had: whether it was there in this evidence, so that the causes it decides are already told or ruled out.
    at: the end of a symptom at which it is to be had, "here" or "there", or "" for the controller.
    """

    name: str
    source: str
    how: Callable[[Evidence, str], str]
    would_tell: str
    had: Callable[[Evidence, Symptom], bool]
    at: str = ""


@dataclass(frozen=True)
class Cause:
    """A fault that brings a symptom about, how often beside the others (odds), and what would decide about it."""

    fault: str
    odds: float
    need: str


@dataclass(frozen=True)
class Context:
    """What is known of the surroundings and makes some faults likelier: by what factor, which, and why."""

    name: str
    holds: Callable[[Evidence, Symptom], str]
    factors: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Hypothesis:
    """A fault that may be the cause, with its share of what is possible, the symptoms it would explain, and why."""

    fault: str
    confidence: float
    symptoms: tuple[Symptom, ...]
    because: tuple[str, ...]
    need: str
