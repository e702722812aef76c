# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long the programs that list packet filters may take, all together and each: one that hangs (ipset waits for a
lock in the kernel, nft for a transaction) would else be waited for once for each set and each table."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._host.commands import CommandResult

# In times of the limit for one run: all runs of one program, and of all programs.
_EACH = 2.0
_ALL = 4.0
TIMEOUT = "timeout"


class Patience:
    """Runs programs, each run for `timeout` seconds at most. Who did not end in time is not started again, nor is
    anybody when the time for all is used up; it then fails with "timeout", too."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._spent: dict[str, float] = {}
        self._given_up: set[str] = set()

    def run(self, argv: Sequence[str], max_bytes: int) -> CommandResult:
        """Run a program; see commands.run()."""
        from .._host import commands

        name = os.path.basename(argv[0])
        left = min(
            _EACH * self._timeout - self._spent.get(name, 0.0),
            _ALL * self._timeout - sum(self._spent.values()),
        )
        if name in self._given_up or left <= 0.0:
            return commands.CommandResult(-1, "", "", TIMEOUT)
        began = time.monotonic()
        result = commands.run(argv, min(self._timeout, left), max_bytes)
        self._spent[name] = self._spent.get(name, 0.0) + time.monotonic() - began
        if result.failure == TIMEOUT:
            self._given_up.add(name)
        return result
