# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables that the roles of this collection take, read from their meta/argument_specs.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from . import plain

ROLES = Path(__file__).parents[3] / "roles"
# With Python's own reader all specifications take 0.3 s of processor time, and every run reads them.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def of_role(role: str, roles: Path = ROLES) -> dict[str, Any]:
    """The options of a role's main entry point, by name; none of a role that says nothing of them."""
    return dict(plain.mapping(_entries(roles / Path(role).name / "meta" / "argument_specs.yml").get("main")))


def names_of_all(roles: Path = ROLES) -> set[str]:
    """The names of all variables that the roles below a folder take; empty where they cannot be read."""
    paths = sorted(roles.glob("*/meta/argument_specs.yml"))
    return {name for path in paths for options in _entries(path).values() for name in options}


def _entries(path: Path) -> dict[str, dict[str, Any]]:
    """The options of each entry point in a file of specifications; none if the file is not there or broken."""
    try:
        told: Any = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - it is the safe loader
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    entries = plain.mapping(plain.mapping(told).get("argument_specs"))
    return {name: plain.mapping(plain.mapping(entry).get("options")) for name, entry in entries.items()}
