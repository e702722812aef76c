# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nodes have of the ways through an overlay, against what they ought to have."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ...module_utils._facts.overlay_ways import digest
from ...module_utils._host.overlay_ways import Row
from .._cluster import flavour
from .._evidence.overlay_facts import NONE, UNDERLAY, UNKNOWN
from . import ends as registered
from .model import DIFFERS, EVERYTHING, FDB, FLANNEL, NEIGHBOUR, PORTS, ROUTE, Culprit, End, Lack, Overlay, Silence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .._evidence.evidence import Evidence
    from .._evidence.overlay_facts import Device, Way

SHOWN = 3
# Where more is missing, nobody needs to know of each.
MOST_LACKS = 20_000


def overlays(evidence: Evidence) -> tuple[Overlay, ...]:
    """What was examined of every device that carries pods' packets in this cluster; worked out once."""
    return evidence.once("overlays", lambda: tuple(_overlay(evidence, one) for one in registered.devices(evidence)))


def _overlay(evidence: Evidence, name: str) -> Overlay:
    ends = registered.ends(evidence, name)
    readers = {one.name: one.device for one in ends.values() if one.device is not None}
    vni, port = _made(evidence, name, readers.values())
    judged = _Judge(evidence, ends, readers)
    # Felix' eBPF data plane leads packets by maps of its own.
    lacks = tuple(judged.lacks()) if evidence.flavour.dataplane != flavour.BPF else ()
    answered, silent = _echoes(evidence, name, ends)
    return Overlay(
        device=name,
        vni=vni,
        port=port or PORTS.get(name, 0),
        ends=ends,
        readers=tuple(readers),
        ways=len(readers) * max(len(ends) - 1, 0),
        examined=judged.examined,
        lacks=lacks,
        odd=dict(_odd(readers, vni, port)),
        answered=answered,
        silent=silent,
    )


def _made(evidence: Evidence, name: str, devices: Iterable[Device]) -> tuple[int | None, int | None]:
    """VNI and port as they are configured, else as more than half of the devices have them."""
    found = list(devices)
    vni = _most([one.vni for one in found if one.vni is not None])
    port = _most([one.port for one in found if one.port is not None])
    if name == FLANNEL:
        told = registered.vnis(evidence)
        return (told.pop() if len(told) == 1 else vni), port
    settings = evidence.cluster.felix_configurations.get("default") if evidence.cluster else None
    spec = settings.spec if settings is not None else {}
    return _number(spec.get("vxlanVNI")) or vni, _number(spec.get("vxlanPort")) or port


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _most(values: Sequence[int]) -> int | None:
    ranked = Counter(values).most_common(1)
    return ranked[0][0] if ranked and ranked[0][1] * 2 > len(values) else None


def _odd(readers: Mapping[str, Device], vni: int | None, port: int | None) -> Iterator[tuple[str, str]]:
    for name, device in readers.items():
        told = []
        if vni is not None and device.vni not in (None, vni):
            told.append(f"VNI {device.vni}, and not {vni}")
        if port is not None and device.port not in (None, port):
            told.append(f"UDP port {device.port}, and not {port}")
        if told:
            yield name, f"{device.name} has {' and '.join(told)}"


class _Judge:
    """Compares every reader's ways with the ends they ought to lead to."""

    def __init__(self, evidence: Evidence, ends: Mapping[str, End], readers: Mapping[str, Device]) -> None:
        self._ends, self._readers = ends, readers
        self._routes_matter = evidence.flavour.wireguard is not True
        self.examined = 0
        self._usual = self._as_others_have_them()

    def lacks(self) -> Iterator[Lack]:
        for at, device in self._readers.items():
            by_address = {way.address: way for way in device.ways if way.address not in (NONE, UNKNOWN)}
            by_mac = {way.mac: way for way in device.ways if way.mac not in (NONE, UNKNOWN)}
            by_end = {way.end: way for way in device.ways if way.end not in (NONE, UNKNOWN)}
            for to, end in self._ends.items():
                if to == at or (not end.end and not end.address):
                    continue
                self.examined += 1
                seen = device.digests.get(end.end)
                if seen is not None:
                    yield from self._digested(at, end, seen)
                    continue
                way = next((by_address[one] for one in end.addresses if one in by_address), None)
                if way is not None:
                    yield from self._of_way(at, end, way, device)
                else:
                    other = next((by_mac[one] for one in end.macs if one in by_mac), None) or by_end.get(end.end)
                    yield from self._without_address(at, end, other, device)

    def _of_way(self, at: str, end: End, way: Way, device: Device) -> Iterator[Lack]:
        """A way whose device address is right."""
        if way.mac == NONE:
            yield Lack(at, end.name, NEIGHBOUR, False, f"no neighbour entry for {way.address}")
        elif way.mac != UNKNOWN and end.mac and way.mac != end.mac:
            told = f"{way.address} is {_spelled(way.mac)} by its neighbour entry, and {_spelled(end.mac)} in truth"
            yield Lack(at, end.name, NEIGHBOUR, True, told, end.name if way.mac == end.registered_mac else "")
        elif way.end == NONE:
            yield Lack(at, end.name, FDB, False, f"no forwarding entry for {_spelled(way.mac)}")
        elif way.end != UNKNOWN and end.ends and way.end not in end.ends:
            told = f"what is for {_spelled(way.mac)} is sent to {way.end}, and not to {end.end}"
            yield Lack(at, end.name, FDB, True, told)
        if self._routes_matter and "routes" not in device.untold:
            yield from self._of_routes(at, end, way)

    def _of_routes(self, at: str, end: End, way: Way) -> Iterator[Lack]:
        wanted = end.ranges if end.ranges is not None else self._usual.get(end.name, ())
        absent = [
            one
            for one in wanted
            if one not in way.destinations and not any(registered.within(one, has) for has in way.destinations)
        ]
        if absent:
            more = f" and {len(absent) - SHOWN} more" if len(absent) > SHOWN else ""
            yield Lack(at, end.name, ROUTE, False, f"no route to {', '.join(absent[:SHOWN])}{more}")

    def _without_address(self, at: str, end: End, way: Way | None, device: Device) -> Iterator[Lack]:
        """Neither a route nor a neighbour entry leads to the device's address."""
        if "neighbours" in device.untold or device.left_out:
            return
        if way is None:
            yield Lack(at, end.name, EVERYTHING, False, f"nothing leads to {end.address or end.end}")
        elif way.address in (NONE, UNKNOWN):
            yield Lack(at, end.name, NEIGHBOUR, False, f"no neighbour entry for {end.address}, and no route")
        else:
            told = f"its way there is to the device's address {way.address}, and that is {end.address}"
            yield Lack(at, end.name, ROUTE, True, told, end.name if way.address == end.registered_address else "")

    def _digested(self, at: str, end: End, seen: str) -> Iterator[Lack]:
        usual = self._digests.get(end.end)
        if end.ranges is None and usual is None:
            return
        right = Row(end.end, end.mac, end.address, tuple(end.ranges or ())).text
        if seen not in (digest(right), usual):
            yield Lack(
                at, end.name, DIFFERS, True, f"the way to {end.end} is not as it should be, nor as others have it"
            )

    def _as_others_have_them(self) -> dict[str, tuple[str, ...]]:
        """By node what most others route there, where nothing tells what they ought to."""
        self._digests: dict[str, str] = {}
        tallies: dict[str, Counter[str]] = {}
        routed: dict[str, Counter[str]] = {}
        owners = {address: one.name for one in self._ends.values() for address in one.addresses}
        for device in self._readers.values():
            for end, told in device.digests.items():
                tallies.setdefault(end, Counter())[told] += 1
            for way in device.ways:
                if way.address in owners:
                    routed.setdefault(owners[way.address], Counter()).update(way.destinations)
        for end, tally in tallies.items():
            told, count = tally.most_common(1)[0]
            if count * 2 > tally.total():
                self._digests[end] = told
        least = max(len(self._readers) - 1, 1)
        return {
            name: tuple(cidr for cidr, count in tally.items() if count * 2 >= least) for name, tally in routed.items()
        }


def _spelled(mac: str) -> str:
    return ":".join(mac[start : start + 2] for start in range(0, len(mac), 2))


def _echoes(evidence: Evidence, device: str, ends: Mapping[str, End]) -> tuple[int, tuple[Silence, ...]]:
    answered, silent = 0, []
    owners = {address: one for one in ends.values() for address in one.addresses}
    for node in evidence.nodes.values():
        for address, result in node.overlay.echoes.get(device, {}).items():
            end = owners.get(address)
            if result == "answered":
                answered += 1
            elif result == "silent" and end is not None and end.name != node.name:
                below = [node.overlay.echo(UNDERLAY, one) for one in end.ends]
                silent.append(Silence(node.name, end.name, next(filter(None, below), "")))
    return answered, tuple(silent)


def culprits(lacks: Iterable[Lack]) -> list[Culprit]:
    """The fewest nodes that explain lacks, greedily. Of two that explain as many the one with the lacking tables."""
    remaining = list(lacks)[:MOST_LACKS]
    found = []
    while remaining:
        weight: dict[str, set[tuple[str, str]]] = {}
        holds: Counter[str] = Counter()
        for one in remaining:
            for name in {one.blame} if one.blame else {one.at, one.to}:
                weight.setdefault(name, set()).add((one.at, one.to))
            holds[one.at] += 1
        leader = min(weight, key=lambda name: (-len(weight[name]), -holds[name], name))
        mine = [one for one in remaining if leader == one.blame or (not one.blame and leader in (one.at, one.to))]
        own = sum(one.at == leader for one in mine) * 2 >= len(mine)
        found.append(Culprit(leader, own, tuple(mine)))
        taken = set(map(id, mine))
        remaining = [one for one in remaining if id(one) not in taken]
    return found
