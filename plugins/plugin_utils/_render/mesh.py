# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report's mesh (see _analysis.picture) read for drawing: sets of nodes are the bits of whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...module_utils._facts.packing import spans
from .._catalogue.model import SEVERITIES
from .._evidence import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST = 100_000
_AT_FAULT = ("cause", "contributing")
# How a node looks, the worst first.
FAULT, HIT, UNREAD, WARN, EXTERNAL, WELL = "fault", "hit", "unread", "warn", "external", "well"
LOOKS = {
    FAULT: "at fault",
    HIT: "sessions down",
    UNREAD: "not read",
    WARN: "needs attention",
    EXTERNAL: "not asked",
    WELL: "well",
}


@dataclass(frozen=True)
class Spot:
    """A node of the picture. up: with whom a session is established as it says; dials: whom it dials in vain; absent:
    for whom it has no protocol and should have. findings: the numbers of those that name it."""

    number: int
    name: str
    address: str
    group: str
    read: bool
    external: bool
    reflector: bool
    up: int
    dials: int
    absent: int
    dialled: int
    look: str
    findings: tuple[int, ...]

    @property
    def failing(self) -> int:
        """All with whom it ought to have a session and has none."""
        return self.dials | self.dialled | self.absent


@dataclass(frozen=True)
class Mesh:
    """Everyone in the order of the report, and the pairs that a latent finding is about."""

    spots: tuple[Spot, ...]
    doubtful: frozenset[tuple[int, int]]

    def broken(self) -> Iterator[tuple[int, int]]:
        """Each session that is down once, as (dialler, listener); of two that both dial the first one."""
        for spot in self.spots:
            for other in bits(spot.dials):
                if other > spot.number or not self.spots[other].dials >> spot.number & 1:
                    yield spot.number, other

    def groups(self) -> dict[str, list[Spot]]:
        """The nodes by zone, else subnet, in the order of the report."""
        found: dict[str, list[Spot]] = {}
        for spot in self.spots:
            found.setdefault(spot.group, []).append(spot)
        return found


def bits(mask: int) -> Iterator[int]:
    """The numbers of the bits that are set."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def runs(mask: int) -> Iterator[tuple[int, int]]:
    """The bits that are set as (first, length)."""
    at = 0
    while mask:
        skipped = (mask & -mask).bit_length() - 1
        mask >>= skipped
        length = (~mask & mask + 1).bit_length() - 1
        yield at + skipped, length
        mask >>= length
        at += skipped + length


def read(report: Mapping[str, Any]) -> Mesh:
    """The mesh of a report; of one of an older release only the nodes that its findings and its coverage name."""
    told = plain.mappings(plain.mapping(report.get("mesh")).get("nodes")) or [{"name": name} for name in _named(report)]
    number = {plain.text(one.get("name")): at for at, one in enumerate(told)}
    named, worst = _findings(report, number)
    rows = {
        what: [_mask(one.get(what), len(told)) & ~(1 << at) for at, one in enumerate(told)]
        for what in ("up", "down", "absent")
    }
    dialled = _turned(rows["down"])
    zoned = any(one.get("zone") for one in told)
    spots = []
    for at, one in enumerate(told):
        spots.append(
            Spot(
                number=at,
                name=plain.text(one.get("name")),
                address=plain.text(one.get("address")),
                group=_group(one, zoned),
                read=one.get("read", True) is not False,
                external=one.get("external") is True,
                reflector=one.get("reflector") is True,
                up=rows["up"][at],
                dials=rows["down"][at],
                absent=rows["absent"][at],
                dialled=dialled[at],
                look=_look(one, worst.get(at, ""), rows["down"][at] | dialled[at] | rows["absent"][at]),
                findings=tuple(named.get(at, ())),
            )
        )
    return Mesh(tuple(spots), _doubtful(report, number))


def _named(report: Mapping[str, Any]) -> list[str]:
    away = [one["node"] for one in report["coverage"]["nodes"]["missing"]]
    return sorted({*away, *(name for item in report["findings"] for name in item["affects"]["nodes"])})


def _group(one: Mapping[str, Any], zoned: bool) -> str:
    if one.get("external") is True:
        return "in no inventory"
    if zoned:
        return f"zone {plain.text(one['zone'])}" if one.get("zone") else "no zone"
    return plain.text(one.get("subnet")) or "address unknown"


def _findings(report: Mapping[str, Any], number: Mapping[str, int]) -> tuple[dict[int, list[int]], dict[int, str]]:
    """By node the numbers of the findings that name it, and how the worst of them makes it look."""
    named: dict[int, list[int]] = {}
    worst: dict[int, str] = {}
    for count, item in enumerate(report["findings"], 1):
        if item["role"] == "consequence" or item.get("guess"):
            continue
        grave = item["role"] in _AT_FAULT and item["severity"] in SEVERITIES[SEVERITIES.index("major") :]
        for name in item["nodes"]:
            at = number.get(plain.text(name), -1)
            if at >= 0:
                named.setdefault(at, []).append(count)
                if grave and not item["waived"]:
                    worst[at] = FAULT
                elif item["severity"] != "info":
                    worst.setdefault(at, WARN)
    return named, worst


def _look(one: Mapping[str, Any], worst: str, failing: int) -> str:
    if worst == FAULT:
        return FAULT
    if one.get("read", True) is False:
        return UNREAD
    if failing:
        return HIT
    return worst or (EXTERNAL if one.get("external") is True else WELL)


def _mask(told: Any, count: int) -> int:
    """The bits of all families of a row; what is no row of such numbers has none."""
    mask = 0
    for text in plain.mapping(told).values():
        for first, last in spans(text, 10, min(count, _MOST) - 1) if isinstance(text, str) and count else ():
            mask |= ((1 << (last - first + 1)) - 1) << first
    return mask


def _turned(rows: list[int]) -> list[int]:
    turned = [0] * len(rows)
    for at, mask in enumerate(rows):
        for other in bits(mask):
            turned[other] |= 1 << at
    return turned


def _doubtful(report: Mapping[str, Any], number: Mapping[str, int]) -> frozenset[tuple[int, int]]:
    pairs = (
        tuple(number.get(plain.text(name), -1) for name in pair)
        for item in report["findings"]
        if item["role"] == "latent"
        for pair in item["affects"]["sessions"]
    )
    return frozenset((pair[0], pair[1]) for pair in pairs if len(pair) == 2 and min(pair) >= 0)
