# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far peers in trouble can be reached: route, neighbour entry, echo, BGP port. All peers at once."""

from __future__ import annotations

from .._host import neighbours, routes
from .._inet import is_address
from .._record import NamedTuple
from . import loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any, TypeVar

    from .._facts.sources import Sources
    from .._host.links import Network
    from .._host.netlink import Netlink
    from .._host.routes import Route
    from .echo import EchoProber
    from .loop import Prober
    from .syn import SynProber, SynResult

    A = TypeVar("A")

# The kernel keeps at most 1,024 neighbours by default, dead ones included, and refuses live ones when the table is
# full.
_MOST_UNRESOLVED = 256
# The peer would drop an unsigned SYN and count it, and the count would speak of a password mismatch that is none.
_SIGNED = "the session has a password"
_CROWDED = "too many silent neighbours at once"


class Target(NamedTuple):
    """A peer to look at. `source` is the BGP source address ('' for the kernel's choice), `signed` whether our side
    has a password for it."""

    peer: str
    port: int = 179
    source: str = ""
    signed: bool | None = None


class Manner(NamedTuple):
    """How to probe: seconds to wait for an answer, packets per second, and whether at all."""

    timeout: float = 1.0
    rate: float = 1000.0
    active: bool = True


class Seen(NamedTuple):
    """What was seen: `probes` and `peer_reachability` of calico_bgp."""

    probes: list[dict[str, Any]]
    reachability: list[dict[str, Any]]


def look(
    targets: Iterable[Target], connection: Netlink | None, network: Network | None, sources: Sources, manner: Manner
) -> Seen:
    """Look at all targets by themselves; see Round."""
    each = Round(targets, connection, network, sources, manner)
    loop.run(each.probers, each.seconds)
    return each.seen()


class Round:
    """One look at all targets: make it, let loop.run() drive its `probers`, then ask what was seen().

    Notes the sources peer_routes, neighbours, probes and echoes. Does not raise for what a network or a lack of
    privilege may do. `seconds` is how long the probers may take.
    """

    def __init__(
        self,
        targets: Iterable[Target],
        connection: Netlink | None,
        network: Network | None,
        sources: Sources,
        manner: Manner,
    ) -> None:
        self._connection, self._sources, self._active = connection, sources, manner.active
        self._targets = list({target.peer: target for target in targets if is_address(target.peer)}.values())
        self._routes = self._ask("peer_routes", lambda: _look_up(self._targets, connection, network))
        self._crowd = _crowd(self._targets, self._routes, self._neighbours())
        self._echoed = [target for target in self._targets if target.peer not in self._crowd]
        self._probed = [target for target in self._echoed if not target.signed]
        self._echo, self._syn = self._open(manner)
        self.probers: list[Prober] = [prober for prober in (self._echo, self._syn) if prober is not None]
        # First and second packet to every target at the given rate, and the wait for the last answer.
        self.seconds = 2 * len(self._echoed) / max(manner.rate, 1.0) + 2 * manner.timeout

    def seen(self) -> Seen:
        """Return what came of it."""
        echoes = dict(zip((target.peer for target in self._echoed), self._echo.results)) if self._echo else {}
        # Only now: the probes themselves have made the kernel look for its neighbours.
        states = self._neighbours()
        reachability = [
            reach_fact(target, self._routes.get(target.peer), states.get(target.peer, ""), echoes.get(target.peer, ""))
            for target in self._targets
        ]
        return Seen(list(self._probe_facts()), reachability)

    def _open(self, manner: Manner) -> tuple[EchoProber | None, SynProber | None]:
        if not manner.active:
            self._sources.absent("probes", "Probing is switched off.")
            return None, None
        from . import echo, syn

        pairs = [(target.peer, target.source) for target in self._echoed]
        probed = [syn.SynTarget(target.peer, target.port, target.source) for target in self._probed]
        start, sources = loop.start, self._sources
        echoes = (
            start("echoes", lambda: echo.EchoProber(pairs, manner.timeout, manner.rate), sources) if pairs else None
        )
        syns = start("probes", lambda: syn.SynProber(probed, manner.timeout, manner.rate), sources) if probed else None
        return echoes, syns

    def _probe_facts(self) -> Iterator[dict[str, Any]]:
        if not self._active:
            return
        for result in self._syn.results if self._syn else []:
            yield _probe_fact(result)
        for target in self._targets:
            if target.signed:
                yield not_tried(target, _SIGNED)
            elif target.peer in self._crowd:
                yield not_tried(target, _CROWDED)

    def _neighbours(self) -> dict[str, str]:
        connection = self._connection
        if connection is None or not self._targets:
            return {}
        peers = [target.peer for target in self._targets]
        return self._ask("neighbours", lambda: neighbours.states(connection, peers))

    def _ask(self, name: str, question: Callable[[], dict[str, A]]) -> dict[str, A]:
        """Return what the kernel answers, nothing if it does not, which is noted."""
        try:
            return question()
        except OSError as error:
            self._sources.failed(name, f"The kernel did not answer over netlink: {error.strerror or error}.")
            return {}


def _look_up(targets: Sequence[Target], connection: Netlink | None, network: Network | None) -> dict[str, Route]:
    if connection is None or network is None:
        return {}
    return routes.look_up(connection, [target.peer for target in targets], network)


def _crowd(targets: Sequence[Target], ways: Mapping[str, Route], states: Mapping[str, str]) -> set[str]:
    """Return the peers on the link that are one too many to look for at once."""
    unresolved = [
        target.peer
        for target in targets
        if target.peer in ways and ways[target.peer].on_link and states.get(target.peer) not in ("reachable", "stale")
    ]
    return set(unresolved[_MOST_UNRESOLVED:])


def _probe_fact(result: SynResult) -> dict[str, Any]:
    """Return one entry of calico_bgp.probes."""
    fact: dict[str, Any] = {"peer": result.peer, "source": result.source, "port": result.port, "result": result.result}
    if result.sender:
        fact.update({"from": result.sender, "icmp_type": result.icmp_type, "icmp_code": result.icmp_code})
    if result.detail:
        fact["detail"] = result.detail
    return fact


def not_tried(target: Target, why: str) -> dict[str, Any]:
    """Return the entry of calico_bgp.probes for a peer to whom no probe went."""
    return {"peer": target.peer, "source": target.source, "port": target.port, "result": "not_tried", "detail": why}


def reach_fact(target: Target, way: Route | None, neighbour: str, echo: str) -> dict[str, Any]:
    """Return one entry of calico_bgp.peer_reachability. `route_kind` is there only for what is no ordinary route."""
    fact: dict[str, Any] = {"peer": target.peer, "echo": echo or "not_tried"}
    if way is None:
        return fact
    if way.kind != "unicast":
        fact["route_kind"] = way.kind
    else:
        fact.update({"route": way.device, "source": way.source, "on_link": way.on_link})
        fact["neighbour"] = (neighbour or "none") if way.on_link else "off_link"
    return fact
