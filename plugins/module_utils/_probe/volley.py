# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One packet to each of many targets, at a rate, and once more to those that do not answer."""

from __future__ import annotations

from collections import deque

from .loop import Prober

# A pause this long between bursts lets a scheduler with coarse ticks keep up with the rate.
_BURST_SECONDS = 0.01


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
