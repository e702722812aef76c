# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for something to become true, with a limit and with a reason when it does not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .errors import LabError
from .progress import Say, quiet

if TYPE_CHECKING:
    from collections.abc import Callable


def until(
    missing: Callable[[], str],
    what: str,
    limit: float,
    *,
    every: float = 0.2,
    say: Say = quiet,
    say_every: float = 5.0,
) -> None:
    """Return once `missing()` returns an empty string.

    `missing` says in words what is not yet so. `what` completes the sentence "waiting for …". After `limit` seconds
    LabError is raised with the last words of `missing`.
    """
    began = time.monotonic()
    said = began
    while True:
        reason = missing()
        if not reason:
            return
        now = time.monotonic()
        if now - began >= limit:
            raise LabError(f"gave up after {limit:.0f} s waiting for {what}: {reason}")
        if now - said >= say_every:
            say(f"still waiting for {what}: {reason}")
            said = now
        time.sleep(every)
