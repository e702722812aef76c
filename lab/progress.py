# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says on standard error what a step is doing and how long it has been at it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

Say = Callable[[str], None]


def quiet(_message: str) -> None:
    """Say nothing: for callers that have their own output."""


def to_stderr() -> Say:
    """A `Say` that writes `[lab   1.2s] message`; the time counts from this call."""
    began = time.monotonic()

    def say(message: str) -> None:
        print(f"[lab {time.monotonic() - began:5.1f}s] {message}", file=sys.stderr, flush=True)

    return say
