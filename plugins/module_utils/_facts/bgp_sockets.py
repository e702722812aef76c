# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which sockets of BGP are in trouble.

A BIRD that hangs leaves what it receives unread; at its peer, whose window towards it is then closed, what is to be
sent stays in the queue with the persist timer running, and nothing is sent again. A queue says little by itself, as
there may be something in it at any moment: what is still there at a second look counts.
"""

from __future__ import annotations

import time

from .._host import sockets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from typing import Any

    from .._host.sockets import TcpSocket

MOST = 20
_OPENING = ("SYN_SENT", "SYN_RECV")
_SPAN = 0.5


def is_troubled(one: TcpSocket) -> bool:
    """Say whether one look is enough: it is being opened, or sends again what was not acknowledged."""
    return one.state in _OPENING or (one.retransmits > 0 and (one.send_queue > 0 or one.receive_queue > 0))


def is_stuck(one: TcpSocket) -> bool:
    """Say whether it looks stuck: something is unread, or waits for the peer's window to open."""
    return one.receive_queue > 0 or (one.send_queue > 0 and one.timer == sockets.PERSIST)


def seems_troubled(one: TcpSocket) -> bool:
    """Say whether one look gives reason to think so."""
    return is_troubled(one) or is_stuck(one)


def entry(one: TcpSocket) -> dict[str, Any]:
    """Return what stands in calico_bgp.sockets."""
    return {key: value for key, value in one._asdict().items() if key != "inode" and (key != "timer" or value)}


class Waiting:
    """The sockets that looked stuck at the first look, to be looked at again. `all` are those of that look."""

    def __init__(self, found: Iterable[TcpSocket], net_folder: str, ports: Collection[int]) -> None:
        self.all = list(found)
        self._found = [one for one in self.all if is_stuck(one) and not is_troubled(one)]
        self._at = time.monotonic()
        self._net_folder, self._ports = net_folder, ports

    def look_again(
        self, sleep: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic
    ) -> list[dict[str, Any]]:
        """Return those that are stuck still, with the seconds in between. Waits only if there are any to look at, for
        the rest of half a second."""
        if not self._found:
            return []
        missing = self._at + _SPAN - clock()
        if missing > 0:
            sleep(missing)
        return self.stuck(sockets.read_tcp(self._net_folder, self._ports), clock() - self._at)

    def stuck(self, found: Iterable[TcpSocket], seconds: float) -> list[dict[str, Any]]:
        """Return those that are stuck still at a second look, so many seconds after the first, which `found` these."""
        later = {_ends(one): one for one in found}
        still = []
        for one in self._found:
            now = later.get(_ends(one))
            if now is not None and _is_still_stuck(one, now):
                still.append(dict(entry(now), stuck_seconds=round(seconds, 1)))
        return still


def _ends(one: TcpSocket) -> tuple[str, int, str, int]:
    return one.local, one.local_port, one.peer, one.peer_port


def _is_still_stuck(before: TcpSocket, now: TcpSocket) -> bool:
    """Say whether nothing was taken out of the queue meanwhile."""
    if before.receive_queue and now.receive_queue >= before.receive_queue:
        return True
    waits = before.timer == now.timer == sockets.PERSIST
    return waits and now.send_queue >= before.send_queue > 0
