# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`systemctl status` of the unit that is or holds kubelet."""

from __future__ import annotations

import re
from typing import NamedTuple

from . import lines
from .parsed import Parsed, Problems

# Units under which distributions run kubelet.
UNITS = r"(?:kubelet|k3s(?:-agent)?|rke2-(?:server|agent)|k0s(?:controller|worker)|snap\.microk8s\.daemon-kubelite)"
_UNIT = re.compile(rf"\S ({UNITS})\.service(?: - |\s*$)")
_ACTIVE = re.compile(r"\s+Active: (\w{1,20})(?: \(([\w-]{1,20})\))?(?: \(Result: ([\w-]{1,40})\))?")


class Unit(NamedTuple):
    """A unit: "kubelet", "activating", "auto-restart", "exit-code"; '' for what was not printed."""

    name: str
    active: str
    state: str
    result: str

    @property
    def is_down(self) -> bool:
        """It does not run, or only starts again and again."""
        return self.active in ("inactive", "failed") or self.state == "auto-restart"

    def shown(self) -> str:
        """The unit as systemctl tells it, on one line."""
        told = f"{self.name}.service is {self.active}"
        return told + "".join(f" ({word})" for word in (self.state, self.result) if word)


def parse(text: str) -> Parsed[tuple[Unit, ...]]:
    """Return the units in the order printed; only of lines before the first unit it is said that they are none."""
    problems = Problems()
    found: list[Unit] = []
    for number, line in lines.numbered(text):
        unit, active = _UNIT.match(line), _ACTIVE.match(line)
        if unit is not None:
            found.append(Unit(unit.group(1), "", "", ""))
        elif active is not None and found:
            found[-1] = Unit(found[-1].name, *(word or "" for word in active.groups()))
        elif line.strip() and not found:
            problems.add(number, line, "no unit of kubelet")
    return Parsed(tuple(found), problems.found())
