# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many probes at once in one process without threads: one poll() over the sockets of all probers.

A prober is driven by the clock (`advance`) and by its sockets (`receive`). All of a pass's probers run in one loop,
so a pass takes as long as its slowest prober and not as long as all of them.
"""

from __future__ import annotations

import select
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    from .._facts.sources import Sources

    P = TypeVar("P", bound="Prober")

# Read so many packets from one socket before looking at the clock and the others again.
_PACKETS_AT_A_TIME = 256


class Prober:
    """What run() drives. Subclasses open their sockets themselves and list them in `sockets`."""

    def __init__(self) -> None:
        self.sockets: list[socket.socket] = []

    def advance(self, now: float) -> float | None:
        """Send what is due; return when to be called again at the latest, None when finished."""
        raise NotImplementedError

    def receive(self, source: socket.socket, data: bytes, sender: str, _now: float) -> None:
        """Take one packet that arrived on one of the sockets. `sender` is the address it came from, without zone."""
        raise NotImplementedError

    def close(self) -> None:
        """Give the sockets back."""
        for each in self.sockets:
            each.close()
        self.sockets = []


def start(name: str, make: Callable[[], P], sources: Sources) -> P | None:
    """Return make(), noted as `name`; None if raw sockets cannot be had, which is noted, too."""
    try:
        prober = make()
    except PermissionError:
        sources.failed(name, "Raw sockets need root (the capability CAP_NET_RAW), which this process does not have.")
    except OSError as error:
        sources.failed(name, f"Raw sockets cannot be opened: {error.strerror or error}.")
    else:
        sources.ok(name)
        return prober
    return None


def run(probers: Iterable[Prober], limit: float) -> bool:
    """Drive all probers until they have finished or `limit` seconds have passed; then close them. Say whether all
    finished."""
    active = list(probers)
    everyone = list(active)
    poller = select.poll()
    owners: dict[int, tuple[Prober, socket.socket]] = {}
    end = time.monotonic() + limit
    try:
        for prober in active:
            for each in prober.sockets:
                each.setblocking(False)
                poller.register(each.fileno(), select.POLLIN)
                owners[each.fileno()] = (prober, each)
        while True:
            now = time.monotonic()
            wake = _advance(active, poller, owners, now)
            if not active or now >= end:
                return not active
            for descriptor, _events in poller.poll(max(min(wake, end) - now, 0.0) * 1000):
                if descriptor in owners:
                    _drain(*owners[descriptor])
    finally:
        for prober in everyone:
            prober.close()


def _advance(
    active: list[Prober], poller: select.poll, owners: dict[int, tuple[Prober, socket.socket]], now: float
) -> float:
    """Let every prober send; take the finished ones out. Return when somebody wants to be called next."""
    wake = now + 3600.0
    for prober in list(active):
        due = prober.advance(now)
        if due is not None:
            wake = min(wake, due)
            continue
        active.remove(prober)
        for each in prober.sockets:
            poller.unregister(each.fileno())
            del owners[each.fileno()]
    return wake


def _drain(prober: Prober, source: socket.socket) -> None:
    for _count in range(_PACKETS_AT_A_TIME):
        try:
            data, sender = source.recvfrom(65536)
        except BlockingIOError:
            return
        except OSError:
            # A pending error of an earlier packet; reading it has cleared it.
            continue
        prober.receive(source, data, str(sender[0]).partition("%")[0], time.monotonic())
