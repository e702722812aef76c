# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables on make's command line: one that is misspelt would be taken in silence, and the lab be started in the place
of what was meant."""

from __future__ import annotations

import difflib
import re
import shlex
from typing import TYPE_CHECKING

from scripts.console import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

KNOWN = (
    *("BUNDLE", "FAULT", "INVENTORY", "REPORT_DIR", "NODES", "TOPOLOGY", "NODE", "VARIANT", "KEEP_LAB", "ARGS"),
    *("PYTHON", "FUZZ_SECONDS", "ROWS", "PARSERS", "RUNS"),
)
_NEAR = 0.7
_SET = re.compile(r"([A-Za-z_]\w*)[:?+]?=")


def check(environ: Mapping[str, str]) -> None:
    """UserError for a variable that nothing reads and that is nearly one of ours. MAKEFLAGS tells what was set."""
    _flags, _sign, given = f" {environ.get('MAKEFLAGS', '')}".partition(" -- ")
    try:
        words = shlex.split(given)
    except ValueError:
        words = given.split()
    for match in filter(None, map(_SET.match, words)):
        name = match.group(1)
        near = [] if name in KNOWN else difflib.get_close_matches(name.upper(), KNOWN, 1, _NEAR)
        if near:
            raise UserError(f"Nothing reads the variable {name}. Is {near[0]} meant? Nothing was started.")
