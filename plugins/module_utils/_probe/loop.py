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
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    from .._facts.sources import Sources

    P = TypeVar("P", bound="Prober")

# A pause this long between bursts lets a scheduler with coarse ticks keep up with the rate.
_BURST_SECONDS = 0.01
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


class Pace:
    """A rate cap: so many packets a second, a hundredth of a second's worth at a time."""

    def __init__(self, rate: float) -> None:
        self._rate = max(rate, 1.0)
        self._most = max(self._rate * _BURST_SECONDS, 1.0)
        self._credit = self._most
        self._last = 0.0

    def take(self, now: float) -> bool:
        """Say whether one more packet may leave now, and count it."""
        if self._last:
            self._credit = min(self._credit + (now - self._last) * self._rate, self._most)
        self._last = now
        if self._credit < 1.0:
            return False
        self._credit -= 1.0
        return True

    def wait(self) -> float:
        """Return the seconds until the next packet may leave."""
        return max(1.0 - self._credit, 0.0) / self._rate


class Volley(Prober):
    """One packet to each of many targets, once more after half the timeout if there was no answer, given up after
    the timeout.

    Subclasses implement transmit() and call settle() when a target has answered. Targets are known by their number.
    """

    def __init__(self, count: int, timeout: float, rate: float) -> None:
        super().__init__()
        self._half = timeout / 2
        self._pace = Pace(rate)
        self._fresh = deque(range(count))
        self._again: deque[tuple[float, int]] = deque()
        self._ending: deque[tuple[float, int]] = deque()
        self._waiting = set(range(count))

    def transmit(self, number: int) -> bool:
        """Send one packet to a target; return False if the kernel's queue is full and it should be tried again."""
        raise NotImplementedError

    def settle(self, number: int) -> None:
        """Wait no longer for this target."""
        self._waiting.discard(number)

    def waits_for(self, number: int) -> bool:
        """Say whether this target is still to answer."""
        return number in self._waiting

    def advance(self, now: float) -> float | None:
        """Send what is due and forget whom waiting has an end for."""
        while self._ending and self._ending[0][0] <= now:
            self.settle(self._ending.popleft()[1])
        while self._send_next(now):
            pass
        if not self._waiting:
            return None
        return self._next_event(now)

    def _send_next(self, now: float) -> bool:
        """Send the most urgent packet if one is due and the pace permits; second attempts go before first ones."""
        while self._again and self._again[0][1] not in self._waiting:
            self._again.popleft()
        while self._fresh and self._fresh[0] not in self._waiting:
            self._fresh.popleft()
        repeat = bool(self._again) and self._again[0][0] <= now
        if not (repeat or self._fresh) or not self._pace.take(now):
            return False
        number = self._again[0][1] if repeat else self._fresh[0]
        if not self.transmit(number):
            return False
        if repeat:
            self._again.popleft()
            self._ending.append((now + self._half, number))
        else:
            self._fresh.popleft()
            self._again.append((now + self._half, number))
        return True

    def _next_event(self, now: float) -> float:
        times = [queue[0][0] for queue in (self._again, self._ending) if queue]
        pending = bool(self._fresh) or (bool(self._again) and self._again[0][0] <= now)
        if pending:
            times = [time_ for time_ in times if time_ > now]
            # Not below a millisecond, which is poll()'s measure: a full queue must not become a busy loop.
            times.append(now + max(self._pace.wait(), 0.001))
        return min(times) if times else now


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
