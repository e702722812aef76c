# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All rules in one explicit order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import manifests, rules_bgp, rules_felix, rules_objects, rules_pools, rules_together, rules_workloads
from .model import Problem, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .context import Context


def _while_reading(_context: Context) -> Iterable[Problem]:
    """What cannot be read is told by who reads it."""
    return ()


UNREADABLE = Rule(manifests.UNREADABLE, "major", manifests.TITLE, manifests.WHY, manifests.FIX, ("*",), _while_reading)
RULES: tuple[Rule, ...] = (
    *rules_pools.RULES,
    *rules_bgp.RULES,
    *rules_felix.RULES,
    *rules_workloads.RULES,
    *rules_together.RULES,
    *rules_objects.RULES,
    UNREADABLE,
)
BY_ID = {rule.id: rule for rule in RULES}
