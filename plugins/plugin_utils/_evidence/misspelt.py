# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables that look like misspelt ones of the roles: Ansible takes them in silence, and nobody reads them."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import cluster, inventory, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

ROLES = Path(__file__).parents[3] / "roles"
# What the roles themselves leave behind among the variables.
_MADE = (
    *(inventory.RESULT, cluster.RESULT, "collect_bundle_result"),
    *("diagnose_report", "report_failure", "analyze_result", "redact_result"),
)
# Someone's own variable may begin like ours; one that is meant to be ours differs in a letter or two.
_NEAR = 0.84


def warnings(names: Iterable[str], roles: Path = ROLES) -> list[str]:
    """A sentence for each variable among `names` that is nearly one of the roles' and is none."""
    known = known_variables(roles)
    starts = tuple(sorted({f"{name.partition('_')[0]}_" for name in known}))
    sentences = []
    for name in sorted({str(name) for name in names} - known - {*_MADE}):
        near = difflib.get_close_matches(name, known, 1, _NEAR) if name.startswith(starts) else []
        if near:
            sentences.append(f"Nothing reads the variable {name}. Is {near[0]} meant?")
    return sentences


def known_variables(roles: Path) -> set[str]:
    """The names of all variables that the roles below a folder take; empty where they cannot be read."""
    import yaml

    found: set[str] = set()
    for path in sorted(roles.glob("*/meta/argument_specs.yml")):
        try:
            told: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError):
            continue
        for entry in plain.mapping(plain.mapping(told).get("argument_specs")).values():
            found.update(plain.mapping(plain.mapping(entry).get("options")))
    return found
