# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fact calico_cluster.

Nothing here fails because the API does: what could not be read is told under "sources", and why the API could not be
reached under "why".
"""

from __future__ import annotations

import time

from . import greeting
from .asking import Asker
from .lists import Got
from .problems import ApiError
from .reading import Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

SCHEMA = 1


def gather(params: Mapping[str, Any], environ: Mapping[str, str] | None = None, root: str = "") -> dict[str, Any]:
    """Return {"calico_cluster": …} for the module's parameters. `environ` and `root` are for tests."""
    timeout = float(params["timeout"])
    until = greeting.until(timeout)
    fact: dict[str, Any] = {"schema": SCHEMA, "taken_at": "", "reached": False, "via": "", "why": "", "server": ""}
    fact.update(version="", group="", native_v3=False, sources=[], objects={}, secrets=[])
    fact.update(workload_pods={}, service_endpoints={})
    try:
        transport = greeting.connected(params, environ, root, timeout)
        fact.update(via=transport.via, server=transport.server)
        asker = Asker(transport, timeout, until)
        fact["version"] = greeting.greeted(asker, timeout)
        greeting.let_in(asker)
    except ApiError as problem:
        fact.update(why=problem.sentence, taken_at=_now())
        fact["sources"] = [Got("api", "failed", problem.sentence).entry()]
        return {"calico_cluster": fact}
    fact["reached"] = True
    reading = Reading(asker, int(params["page_size"]), bool(params["workloads"]))
    reading.run(until)
    fact.update(reading.fact(), taken_at=_time_of(asker.date) or _now())
    return {"calico_cluster": fact}


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _time_of(date: str) -> str:
    """Return a Date header in RFC 3339, '' if it is none."""
    from email.utils import parsedate

    found = parsedate(date) if len(date) < 60 else None
    if found is None:
        return ""
    return "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z".format(*found[:6])
