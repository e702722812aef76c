# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One host's probing of all others: made from a request, driven by the listener's loop, told as sets of hosts."""

from __future__ import annotations

from .._host import links, netlink, routes
from .._probe import path_mtu, sockets
from . import masks, plan, probes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .._probe.loop import Loop, Prober
    from .._probe.path_mtu import PathResult
    from .probes import Outcome, Target

# So many paths are measured at a time: every one of them hears all echoes that come in.
_PATHS_AT_ONCE = 64
_MOST_DETAILS = 20
_SURE = (probes.OPEN, "silent", "not_tried")


class Asking:
    """Probes all peers. step() is to be called between the loop's turns; `facts` is there once it has said True."""

    def __init__(self, request: plan.Request, loop: Loop) -> None:
        self._request, self._loop = request, loop
        self._problems: list[str] = []
        self._running: list[Prober] = []
        self._paths: list[tuple[int, path_mtu.Path]] = []
        self._measured: list[tuple[int, PathResult]] = []
        self._walking: tuple[list[int], path_mtu.PathProber] | None = None
        syns, packets = probes.targets(request)
        self._syns = self._start(syns, probes.MarkedSyns)
        self._packets = self._start(packets, probes.MarkedPackets)
        if request.mtu:
            self._paths = list(self._ways())
        self._walk_on()

    def step(self) -> bool:
        """Go on with what waits for its turn. Say whether all is done."""
        if self._walking is not None and self._walking[1] not in self._loop.active:
            numbers, prober = self._walking
            self._measured += zip(numbers, prober.results)
            self._walking = None
            self._walk_on()
        return self._walking is None and not any(one in self._loop.active for one in self._running)

    def facts(self) -> dict[str, Any]:
        """Return what came of it: of each way by result the set of hosts, and details of the first that are odd."""
        found: dict[str, dict[str, int]] = {}
        details: list[dict[str, Any]] = []
        for target, outcome in self._outcomes():
            of_way = found.setdefault(target.way, {})
            of_way[outcome.result] = of_way.get(outcome.result, 0) | 1 << target.number
            if outcome.result not in _SURE and (outcome.sender or outcome.detail) and len(details) < _MOST_DETAILS:
                entry = {"host": target.number, "way": target.way, "result": outcome.result}
                entry.update({"from": outcome.sender} if outcome.sender else {})
                entry.update({"detail": outcome.detail} if outcome.detail else {})
                details.append(entry)
        facts: dict[str, Any] = {"ways": {way: masks.as_texts(of) for way, of in sorted(found.items())}}
        if details:
            facts["details"] = details
        if self._measured:
            facts["mtu"] = _sizes(self._measured)
        if self._problems:
            facts["problems"] = self._problems
        return facts

    def _outcomes(self) -> Iterator[tuple[Target, Outcome]]:
        for wanted, prober in (self._syns, self._packets):
            if prober is not None:
                yield from zip(wanted, prober.outcomes())

    def _start(self, wanted: list[Target], make: Any) -> tuple[list[Target], Any]:
        if not wanted:
            return [], None
        request = self._request
        try:
            prober = make(wanted, request.number, request.timeout, request.rate)
        except OSError as error:
            self._problems.append(f"Raw sockets cannot be opened: {error.strerror or error}.")
            return wanted, None
        self._running.append(prober)
        self._loop.add(prober)
        return wanted, prober

    def _ways(self) -> Iterator[tuple[int, path_mtu.Path]]:
        """The paths to measure, each with the size that the interface towards the peer sends."""
        addresses = [(peer.number, one) for peer in self._request.peers for one in peer.addresses]
        own = {sockets.family_of(one): one for one in self._request.own if probes.is_here(one)}
        try:
            connection = netlink.Netlink()
            try:
                network = links.read(connection)
                ways = routes.look_up(connection, [address for _number, address in addresses], network)
            finally:
                connection.close()
        except OSError as error:
            self._problems.append(f"The ways to the others are not known: {error.strerror or error}.")
            return
        sizes = {link.name: link.mtu for link in network.links.values()}
        for number, address in addresses:
            way = ways.get(address)
            size = sizes.get(way.device, 0) if way is not None and way.kind == "unicast" else 0
            if size:
                source = own.get(sockets.family_of(address), "")
                yield number, path_mtu.Path(address, [address], source, size)

    def _walk_on(self) -> None:
        """Begin with the next paths, if there are any."""
        now, self._paths = self._paths[:_PATHS_AT_ONCE], self._paths[_PATHS_AT_ONCE:]
        if not now:
            return
        try:
            prober = path_mtu.PathProber([path for _number, path in now], self._request.timeout)
        except OSError as error:
            self._problems.append(f"Paths cannot be measured: {error.strerror or error}.")
            self._paths = []
            return
        self._walking = [number for number, _path in now], prober
        self._loop.add(prober)


def _sizes(measured: list[tuple[int, PathResult]]) -> dict[str, Any]:
    """Return the paths by what was found: ok and silent as sets of hosts by the size that was wanted, others by what
    they carry."""
    facts: dict[str, Any] = {}
    for number, result in measured:
        word = "/6" if ":" in result.peer else ""
        if result.result in ("ok", "silent"):
            of = facts.setdefault(result.result + word, {})
            size = str(result.wanted)
            of[size] = of.get(size, 0) | 1 << number
        else:
            entry: dict[str, Any] = {"host": number, "wanted": result.wanted, "carries": result.carries or 0}
            entry.update({"result": result.result} if result.result != "smaller" else {})
            entry.update({"reported_by": result.reported_by} if result.reported_by else {})
            entry.update({"detail": result.detail} if result.detail else {})
            entry.update({"ipv6": True} if word else {})
            facts.setdefault("smaller", []).append(entry)
    for key, of in facts.items():
        if key != "smaller":
            facts[key] = masks.as_texts(of)
    return facts
