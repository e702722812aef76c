# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks of preflight look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .ways import chosen_flavours

if TYPE_CHECKING:
    from datetime import datetime

    from .._evidence.evidence import Evidence


@dataclass(frozen=True)
class Host:
    """One host. why: why it was not read ('' if it was); unreachable: no connection to it could be made.

    addresses: by which the others were to reach it, of each family at most one. facts: those of node_facts by their
    keys (calico_node, calico_bgp, ...), {} if it was not read. listened, probed, told: what its listener said when it
    was started, when it was asked to probe, and when it was stopped; {} where it was not asked.
    """

    name: str
    why: str = ""
    unreachable: bool = False
    addresses: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    listened: Mapping[str, Any] = field(default_factory=dict)
    probed: Mapping[str, Any] = field(default_factory=dict)
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scene:
    """All that a check may look at. evidence: the same facts as the diagnosis reads them; planned: the role's
    variables by their names without 'preflight_'; now: timezone-aware."""

    hosts: Mapping[str, Host]
    evidence: Evidence
    planned: Mapping[str, Any]
    now: datetime

    @property
    def flavours(self) -> tuple[str, ...]:
        """How pods' packets are to travel; all ways unless the operator has said which."""
        return chosen_flavours(self.planned)


Check = Callable[[Scene], list[dict[str, Any]]]
