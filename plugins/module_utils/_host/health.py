# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Felix and Typha say of their own health, on the port of this host where kubelet asks them for it.

libcalico-go/lib/health: a GET of /readiness makes a summary of what the program's parts reported last, and answers 200
(204 without a table) or 503 with a table of the parts. It changes nothing; at most the program logs now what it would
log at kubelet's next probe, which comes every 10 seconds. Only listeners of Calico's own are asked, and only on
addresses of this host.
"""

from __future__ import annotations

import re
import socket
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

READY, NOT_READY, NOT_LIVE = "ready", "not_ready", "not_live"
REFUSED, NO_ANSWER, GARBAGE = "refused", "no_answer", "unrecognised"
_REQUEST = b"GET /readiness HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_LIMIT = 1 << 16
_MOST_PARTS = 8
_LONGEST = 100
_COLUMNS = 5
_WELL = ("-", "reporting live", "reporting ready")


def ask(address: str, port: int, timeout: float = 1.0) -> dict[str, Any]:
    """Return the state of the program that listens there, and, unless it is well, the parts that are not."""
    try:
        with socket.create_connection((_reachable(address), port), timeout) as connection:
            connection.settimeout(timeout)
            connection.sendall(_REQUEST)
            answer = _all_of(connection, time.monotonic() + timeout)
    except socket.timeout:
        return {"state": NO_ANSWER}
    except OSError:
        return {"state": REFUSED}
    return parse(answer.decode("utf-8", "replace"))


def parse(answer: str) -> dict[str, Any]:
    """Return the state that an answer tells, and parts: by name what each that is not well reports, at most 8."""
    head, _blank, body = answer.partition("\r\n\r\n")
    status = re.match(r"HTTP/1\.[01] (\d{3})\b", head)
    if status is None:
        return {"state": GARBAGE}
    if status.group(1).startswith("2"):
        return {"state": READY}
    if status.group(1) != "503":
        return {"state": GARBAGE}
    parts: dict[str, str] = {}
    dead = False
    for line in body.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) < _COLUMNS or not cells[0] or cells[0] == "COMPONENT":
            continue
        name, _timeout, liveness, readiness = cells[:4]
        detail = "|".join(cells[4:])
        told = [word for word in (liveness, readiness, detail) if word and word not in _WELL]
        if liveness not in _WELL:
            dead = True
        if liveness not in _WELL or readiness not in _WELL:
            parts[name[:_LONGEST]] = ", ".join(told)[:_LONGEST]
    facts: dict[str, Any] = {"state": NOT_LIVE if dead else NOT_READY}
    if parts:
        facts["parts"] = dict(list(parts.items())[:_MOST_PARTS])
    return facts


def _all_of(connection: socket.socket, deadline: float) -> bytes:
    found = b""
    while len(found) < _LIMIT and time.monotonic() < deadline:
        chunk = connection.recv(_LIMIT - len(found))
        if not chunk:
            break
        found += chunk
    return found


def _reachable(address: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104  # nothing is bound
