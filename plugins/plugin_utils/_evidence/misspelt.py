# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables that look like misspelt ones of the roles: Ansible takes them in silence, and nobody reads them."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from . import cluster, inventory, kept, role_options

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# What the roles themselves leave behind among the variables.
_MADE = (
    *(inventory.RESULT, cluster.RESULT, kept.FACT, "collect_bundle_result"),
    *("diagnose_report", "diagnose_cached", "report_failure", "analyze_result", "redact_result", "lint_result"),
    *(f"must_gather_{name}" for name in ("choice", "result", "archive")),
    *(
        f"remediate_{name}"
        for name in ("run", "path", "plan", "held", "holder", "hosts", "begun", "before", "ledger", "turns")
    ),
    *(
        f"preflight_{name}"
        for name in ("hosts", "api", "listening", "listened", "plan", "probed", "left", "told", "report")
    ),
    *(f"rollback_{name}" for name in ("found", "path", "turn", "turns", "held", "holder", "begun", "before", "ledger")),
)
# Someone's own variable may begin like ours; one that is meant to be ours differs in a letter or two.
_NEAR = 0.84
# Shorter words ("bgp", "time") are a letter away from too many others.
_SHORTEST = 5


def warnings(names: Iterable[str], roles: Path = role_options.ROLES) -> list[str]:
    """A sentence for each variable among `names` that is nearly one of the roles' and is none."""
    known = role_options.names_of_all(roles)
    starts = {name.partition("_")[0] for name in known}
    sentences = []
    for name in sorted({str(name) for name in names} - known - {*_MADE}):
        start, sign, rest = name.partition("_")
        meant = {one for one in starts if one == start or _is_a_slip(start, one)} if sign else set()
        ours = [one for one in known if one.partition("_")[0] in meant]
        near = [f"{one}_{rest}" for one in meant if f"{one}_{rest}" in known]
        near = near or difflib.get_close_matches(name, ours, 1, _NEAR)
        if near:
            sentences.append(f"Nothing reads the variable {name}. Is {near[0]} meant?")
    return sentences


def _is_a_slip(written: str, meant: str) -> bool:
    """Whether one word becomes the other by one letter more, less or other, or by two that change places."""
    if len(meant) < _SHORTEST or abs(len(written) - len(meant)) > 1:
        return False
    same = 0
    while same < min(len(written), len(meant)) and written[same] == meant[same]:
        same += 1
    rest, wanted = written[same:], meant[same:]
    swapped = wanted[1:2] + wanted[:1] + wanted[2:]
    return rest in (wanted[1:], swapped) or rest[1:] in (wanted, wanted[1:])
