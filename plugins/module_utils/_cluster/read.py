# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fact calico_cluster.

Nothing here fails because the API does: what could not be read is told under "sources", and why the API could not be
reached under "why".
"""

from __future__ import annotations

import time

from . import problems
from .asking import Asker
from .connect import connect
from .jobs import limited
from .lists import Got
from .problems import ApiError
from .reading import Reading
from .shapes import word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .asking import Transport

SCHEMA = 1
# All requests together, in lengths of what one may take, and at least so many seconds.
_ALL, _ALL_AT_LEAST = 10, 60.0


def gather(params: Mapping[str, Any], environ: Mapping[str, str] | None = None, root: str = "") -> dict[str, Any]:
    """Return {"calico_cluster": …} for the module's parameters. `environ` and `root` are for tests."""
    began = time.monotonic()
    timeout = float(params["timeout"])
    until = began + max(timeout * _ALL, _ALL_AT_LEAST)
    transport = None
    fact: dict[str, Any] = {"schema": SCHEMA, "taken_at": "", "reached": False, "via": "", "why": "", "server": ""}
    fact.update(version="", group="", native_v3=False, sources=[], objects={}, secrets=[])
    fact.update(workload_pods={}, service_endpoints={})
    try:
        transport = _connected(params, environ, root, timeout)
        fact.update(via=transport.via, server=transport.server)
        asker = Asker(transport, timeout, until)
        fact["version"] = _greeted(asker, timeout)
        _let_in(asker)
    except ApiError as problem:
        fact.update(why=problem.sentence, taken_at=_now())
        fact["sources"] = [Got("api", "failed", problem.sentence).entry()]
        return {"calico_cluster": fact}
    fact["reached"] = True
    reading = Reading(asker, int(params["page_size"]), bool(params["workloads"]))
    reading.run(until)
    fact.update(reading.fact(), taken_at=_time_of(asker.date) or _now())
    return {"calico_cluster": fact}


def _connected(params: Mapping[str, Any], environ: Mapping[str, str] | None, root: str, timeout: float) -> Transport:
    """Return the way to the API. Plugins for credentials may hang, so it is waited for only so long."""
    done, transport = limited(lambda: connect(params, environ, root), 2 * timeout)
    if not done:
        raise ApiError(
            problems.CONFIG,
            f"The credentials were not ready within {2 * timeout:.0f} s. Log in first, if a program asks for that.",
        )
    found: Transport = transport
    return found


def _greeted(asker: Asker, timeout: float) -> str:
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


def _let_in(asker: Asker) -> None:
    """Raise ApiError if nobody is logged in: everybody may read the version, but nothing else."""
    if not getattr(asker.transport, "anonymous", False):
        return
    try:
        asker.get("/api")
    except ApiError as problem:
        if problem.kind == problems.UNAUTHORISED:
            raise


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _time_of(date: str) -> str:
    """Return a Date header in RFC 3339, '' if it is none."""
    from email.utils import parsedate

    found = parsedate(date) if len(date) < 60 else None
    if found is None:
        return ""
    return "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z".format(*found[:6])
