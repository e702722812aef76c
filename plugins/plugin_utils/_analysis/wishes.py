# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user adds to the diagnosis: own checks, waivers, and the reports of before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .._catalogue.model import ROLES, SEVERITIES
from . import history, own_checks, waivers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    Facts = Callable[[], tuple[Mapping[str, Mapping[str, Any]], Mapping[str, Any]]]


class Wishes(NamedTuple):
    """What was read of a user's wishes. problems: of the earlier reports; compared: these were asked for."""

    checks: tuple[own_checks.Check, ...] = ()
    waivers: tuple[waivers.Waiver, ...] = ()
    runs: tuple[history.Run, ...] = ()
    problems: tuple[str, ...] = ()
    compared: bool = False


def wishes_of(checks: Any, accepted: Any, earlier_reports: Any) -> Wishes:
    """Read what a user gave. ValueError, with a sentence for the user, for what is not as it must be."""
    directory = str(earlier_reports or "")
    runs, problems = history.earlier(directory)
    return Wishes(
        own_checks.read(checks or ()), waivers.read(accepted or ()), tuple(runs), tuple(problems), bool(directory)
    )


def doubts(checks: Any, accepted: Any) -> list[str]:
    """Sentences on own checks and waivers that can have no effect, told before anything is asked. ValueError as in
    wishes_of()."""
    own, waived = own_checks.read(checks or ()), waivers.read(accepted or ())
    return [*own_checks.unusable(own), *waivers.of_nothing(waived, [one.fault for one in own]).values()]


def as_wished(report: dict[str, Any], wishes: Wishes, facts: Facts, now: datetime) -> dict[str, Any]:
    """The report with what the user's own checks find, with waived findings marked, and with its history.

    facts gives the facts of each node by name, and what the API told; it is only asked for checks.
    """
    if wishes.checks:
        nodes, cluster = facts()
        found, doubts = own_checks.outcomes(wishes.checks, nodes, cluster)
        report["notes"] = [*report["notes"], *doubts]
        report["findings"] = sorted([*report["findings"], *found], key=lambda item: ROLES.index(item["role"]))
        if report["verdict"] == "healthy" and any(SEVERITIES.index(item["severity"]) for item in found):
            report["verdict"] = "degraded"
    if wishes.waivers:
        own = [one.fault for one in wishes.checks]
        told = waivers.apply(report["findings"], wishes.waivers, now.date(), certain=_all_was_read(report), own=own)
        report["notes"] = [*report["notes"], *told]
    if wishes.compared:
        history.compare(report, wishes.runs, wishes.problems)
    return report


def _all_was_read(report: Mapping[str, Any]) -> bool:
    """Whether all nodes and the API were read, so that what was not found is not there."""
    coverage = report["coverage"]
    return not coverage["nodes"]["missing"] and bool(coverage["api"]["reached"])
