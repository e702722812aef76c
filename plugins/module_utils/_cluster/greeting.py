# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The beginning of every pass through the API: the way to it, whether it answers, whether it lets us in."""

from __future__ import annotations

import time

from . import problems
from .connect import connect
from .jobs import limited
from .problems import ApiError
from .shapes import word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .asking import Asker, Transport

# All requests together, in lengths of what one may take, and at least so many seconds.
_ALL, _ALL_AT_LEAST = 10, 60.0


def until(timeout: float) -> float:
    """Return the moment (of time.monotonic()) until which all requests have time that may take so long each."""
    return time.monotonic() + max(timeout * _ALL, _ALL_AT_LEAST)


def connected(params: Mapping[str, Any], environ: Mapping[str, str] | None, root: str, timeout: float) -> Transport:
    """Return the way to the API. Plugins for credentials may hang, so it is waited for only so long."""
    done, transport = limited(lambda: connect(params, environ, root), 2 * timeout)
    if not done:
        raise ApiError(
            problems.CONFIG,
            f"The credentials were not ready within {2 * timeout:.0f} s. Log in first, if a program asks for that.",
        )
    found: Transport = transport
    return found


def greeted(asker: Asker, timeout: float) -> str:
    """Return the API server's version, '' if it does not tell that. Raises ApiError if nothing can be asked of it."""
    seconds = 3 * timeout + 2
    try:
        # Neither a name server that is silent nor a byte a second is bound by the timeouts of connections.
        done, found = limited(lambda: asker.get("/version"), seconds)
    except ApiError as problem:
        if problem.kind == problems.FORBIDDEN:
            return ""
        if problem.kind == problems.ABSENT:
            server, where = asker.transport.server, asker.transport.where
            raise ApiError(
                problems.ANSWER, f"{server} is no API server: it knows no /version. Check the address from {where}."
            ) from None
        raise
    if not done:
        raise problems.of_connection(
            "timeout", asker.transport.server, asker.transport.where, f" within {seconds:.0f} s"
        )
    return word(found.get("gitVersion"))[:60]


def let_in(asker: Asker) -> None:
    """Raise ApiError if nobody is logged in: everybody may read the version, but nothing else."""
    if not getattr(asker.transport, "anonymous", False):
        return
    try:
        asker.get("/api")
    except ApiError as problem:
        if problem.kind == problems.UNAUTHORISED:
            raise
