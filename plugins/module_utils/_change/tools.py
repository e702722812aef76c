# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running programs that change something: what they say when they fail becomes the sentence for a person."""

from __future__ import annotations

import os

from .._host import commands
from .model import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

TIMEOUT = 10.0
_SAID_LIMIT = 300


def need(program: str) -> None:
    """Refuse if a program is not installed."""
    if not commands.find_program(program):
        raise RefusedError(f"{program} is not installed on this host")


def run(argv: Sequence[str], timeout: float = TIMEOUT) -> str:
    """Run a program and return what it prints. Raises RefusedError, with what it says, if it fails."""
    result = attempt(argv, timeout)
    if result.failure or result.rc:
        raise RefusedError(f"{' '.join(argv)[:_SAID_LIMIT]}: {reason(result)}")
    return result.stdout


def attempt(argv: Sequence[str], timeout: float = TIMEOUT) -> commands.CommandResult:
    """Run a program and return what came of it."""
    return commands.run(argv, timeout)


def reason(result: commands.CommandResult) -> str:
    """Say why a program failed, in its own words where it has any."""
    if result.failure == "timeout":
        return f"it did not end within {TIMEOUT:g} seconds"
    if result.failure == "absent":
        return "it is not installed"
    said = " ".join((result.stderr or result.stdout).split())[:_SAID_LIMIT]
    return result.failure or said or f"it ended with status {result.rc}"


def with_input(argv: Sequence[str], text: str) -> str:
    """Run a program that reads `text` from a file named last; without a file on disk."""
    reader, writer = os.pipe()
    try:
        os.set_blocking(writer, False)
        sent = os.write(writer, text.encode())
        os.close(writer)
        writer = -1
        if sent < len(text.encode()):
            raise RefusedError(f"the input of {argv[0]} is too long")
        return run([*argv, f"/proc/{os.getpid()}/fd/{reader}"])
    finally:
        os.close(reader)
        if writer >= 0:
            os.close(writer)
