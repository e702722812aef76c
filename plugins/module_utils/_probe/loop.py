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


class Loop:
    """Drives probers, to which others may be added on the way. close() gives back what is open."""

    def __init__(self) -> None:
        self.active: list[Prober] = []
        self._everyone: list[Prober] = []
        self._poller = select.poll()
        self._owners: dict[int, tuple[Prober, socket.socket]] = {}

    def add(self, prober: Prober) -> None:
        """Drive this one, too."""
        self.active.append(prober)
        self._everyone.append(prober)
        for each in prober.sockets:
            each.setblocking(False)
            self._poller.register(each.fileno(), select.POLLIN)
            self._owners[each.fileno()] = (prober, each)

    def turn(self, end: float) -> bool:
        """Send what is due and take what comes, until something comes or until `end` (by the monotonic clock) at the
        latest. Say whether anybody is to be driven further."""
        now = time.monotonic()
        wake = self._advance(now)
        if not self.active or now >= end:
            return bool(self.active)
        for descriptor, _events in self._poller.poll(max(min(wake, end) - now, 0.0) * 1000):
            if descriptor in self._owners:
                _drain(*self._owners[descriptor])
        return True

    def close(self) -> None:
        """Close all probers."""
        for prober in self._everyone:
            prober.close()

    def _advance(self, now: float) -> float:
        """Let every prober send; take the finished ones out. Return when somebody wants to be called next."""
        wake = now + 3600.0
        for prober in list(self.active):
            due = prober.advance(now)
            if due is not None:
                wake = min(wake, due)
                continue
            self.active.remove(prober)
            for each in prober.sockets:
                self._poller.unregister(each.fileno())
                del self._owners[each.fileno()]
        return wake


def run(probers: Iterable[Prober], limit: float) -> bool:
    """Drive all probers until they have finished or `limit` seconds have passed; then close them. Say whether all
    finished."""
    everyone = list(probers)
    loop = Loop()
    end = time.monotonic() + limit
    try:
        for prober in everyone:
            loop.add(prober)
        while loop.turn(end):
            if time.monotonic() >= end:
                return False
        return True
    finally:
        for prober in everyone:
            prober.close()


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
