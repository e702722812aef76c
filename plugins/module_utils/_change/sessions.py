# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which BGP sessions are established: what a change must not lose, and what it is made for."""

from __future__ import annotations

from .._bird import daemon, discovery
from .._host import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TIMEOUT = 5.0


def read() -> dict[str, Any]:
    """Return {"established": addresses of peers, "silent": families whose BIRD runs and does not answer}."""
    table = processes.walk()
    installation = discovery.find_installation(table)
    established: list[str] = []
    silent = []
    for family in (discovery.IPV4, discovery.IPV6):
        one = discovery.find_daemon(family, table, installation)
        spoken = daemon.speak(one, _TIMEOUT)
        if spoken.sessions is not None:
            established += [session.peer for session in spoken.sessions if session.established and session.peer]
        elif one.process is not None:
            silent.append(family)
    return {"established": sorted(set(established)), "silent": silent}
