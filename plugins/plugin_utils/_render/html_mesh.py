# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture of the mesh: where everything stands, as plain data for the template.

Up to RING nodes stand in a ring, with every session as a line. More of them are dots in boxes, by zone or subnet, with
lines only for what is broken: a full mesh of 500 nodes has 124,750 lines that are well.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from .mesh import FAULT, HIT, LOOKS, WELL, bits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .mesh import Mesh, Spot

RING = 36
LONGEST = 20
LINES = 240
# More established sessions than these are told by their number: in a full mesh they are a grey ground.
UP_PER_NODE = 8
GROUPS = 40
PITCHES = (64, 48, 36, 28, 22, 18, 15, 12)
_NAMED = 8
_WIDTH = 960
_TALL = 460
_MARGIN = 170
_GAP = 14
_HEAD = 44


class _Point(NamedTuple):
    x: float
    y: float


class _Layout(NamedTuple):
    """Boxes and the nodes in them; pitch: how far from one another these are."""

    pitch: int
    height: int
    boxes: list[dict[str, Any]]
    points: dict[int, _Point]


def drawing(mesh: Mesh) -> dict[str, Any]:
    """Size, boxes (or arcs) of groups, one path of what is established, lines of what is not, and the nodes."""
    if len(mesh.spots) <= RING:
        return _ring(mesh)
    return _boxes(mesh)


def cut(name: str, longest: int = LONGEST) -> str:
    """A name as far as there is room for it: its beginning and its end, by which nodes of one cloud differ."""
    if len(name) <= longest:
        return name
    return f"{name[: longest // 2]}…{name[-(longest - longest // 2 - 1) :]}"


def _ring(mesh: Mesh) -> dict[str, Any]:
    """Nodes in a ring, by group; reflectors, if they are few, inside of it."""
    inner = [spot for spot in mesh.spots if spot.reflector]
    if len(inner) * 2 > len(mesh.spots):
        inner = []
    outer = [spot for spot in mesh.spots if spot not in inner]
    radius = max(120.0, len(outer) * 12.0)
    middle = _Point(radius + _MARGIN, radius + 48)
    groups = list(dict.fromkeys(spot.group for spot in outer))
    places = len(outer) + (len(groups) if len(groups) > 1 else 0)
    points: dict[int, _Point] = {}
    angles: dict[int, float] = {}
    arcs = []
    at = 0
    for group in groups:
        members = [spot for spot in outer if spot.group == group]
        for spot in members:
            angles[spot.number] = angle = math.tau * at / max(places, 1) - math.pi / 2
            points[spot.number] = _around(middle, radius, angle)
            at += 1
        if len(groups) > 1:
            arcs.append(_arc(middle, radius, (angles[members[0].number], angles[members[-1].number]), members))
            at += 1
    for place, spot in enumerate(inner):
        points[spot.number] = _around(middle, radius * 0.42 if len(inner) > 1 else 0, math.tau * place / len(inner))
    dots = [_labelled(spot, points[spot.number], angles.get(spot.number)) for spot in mesh.spots]
    return {
        "width": round(2 * middle.x),
        "height": round(2 * middle.y),
        "boxes": [],
        "arcs": arcs,
        "established": _established(mesh, points),
        "lines": _lines(mesh, points, 9.0, LINES),
        "dots": dots,
        "left_out": {"established": 0, "down": _left_out(mesh, LINES)},
    }


def _around(middle: _Point, radius: float, angle: float) -> _Point:
    return _Point(middle.x + radius * math.cos(angle), middle.y + radius * math.sin(angle))


def _arc(middle: _Point, radius: float, ends: tuple[float, float], members: list[Spot]) -> dict[str, Any]:
    """The arc beside a group; its name is told in the legend, as there is no room for it in the ring."""
    away = radius + 16
    first, last = ends[0] - 0.04, ends[1] + 0.04
    start, end = _around(middle, away, first), _around(middle, away, last)
    far = int(last - first > math.pi)
    path = f"M{start.x:.1f} {start.y:.1f}A{away:.1f} {away:.1f} 0 {far} 1 {end.x:.1f} {end.y:.1f}"
    return {"path": path, "name": members[0].group, "count": len(members)}


def _labelled(spot: Spot, point: _Point, angle: float | None) -> dict[str, Any]:
    """A node with its name beside it, on the side that is away from the middle."""
    dot = _dot(spot, point, 7)
    across = 0.0 if angle is None else math.cos(angle)
    below = angle is None or math.sin(angle) > 0
    if abs(across) < 0.3:
        dot.update(anchor="middle", tx=dot["x"], ty=_short(point.y + (32 if below else -24)), label=cut(spot.name))
        return dot
    side = 1 if across > 0 else -1
    anchor = "start" if side > 0 else "end"
    dot.update(anchor=anchor, tx=_short(point.x + side * 24), ty=_short(point.y + 4), label=cut(spot.name))
    return dot


def _dot(spot: Spot, point: _Point, size: float) -> dict[str, Any]:
    return {
        "number": spot.number,
        "x": _short(point.x),
        "y": _short(point.y),
        "size": size,
        "look": spot.look,
        "reflector": spot.reflector,
        "title": title(spot),
        "label": "",
        "anchor": "start",
        "tx": 0,
        "ty": 0,
    }


def title(spot: Spot) -> str:
    """A node in one line."""
    failing, up = spot.failing.bit_count(), spot.up.bit_count()
    sessions = f", {up} sessions established" + (f", {failing} not" if failing else "") if up or failing else ""
    kind = "route reflector, " if spot.reflector else ""
    address = f" ({spot.address})" if spot.address not in ("", spot.name) else ""
    return f"{spot.name}{address}: {kind}{LOOKS[spot.look]}{sessions}"


def _short(value: float) -> float:
    return round(value, 1)


def _established(mesh: Mesh, points: Mapping[int, _Point]) -> str:
    """One path of all sessions that are established at one end at least, and down at none."""
    parts = []
    for spot in mesh.spots:
        here = points[spot.number]
        for other in bits(spot.up & ~spot.failing):
            mutual = mesh.spots[other].up >> spot.number & 1
            if other > spot.number or not mutual:
                there = points[other]
                parts.append(f"M{here.x:.1f} {here.y:.1f}L{there.x:.1f} {there.y:.1f}")
    return "".join(parts)


def _lines(mesh: Mesh, points: Mapping[int, _Point], gap: float, most: int) -> list[dict[str, Any]]:
    """What is broken, from the end that dials to the one that listens, and what a latent fault would break."""
    found = []
    order = sorted(mesh.broken(), key=lambda pair: -sum(mesh.spots[end].failing.bit_count() for end in pair))
    for first, second in order[:most]:
        both = mesh.spots[second].dials >> first & 1
        told = "dial each other in vain" if both else "is dialled in vain"
        ends = f"{mesh.spots[second].name} and {mesh.spots[first].name}" if both else ""
        words = f"{ends} {told}" if both else f"{mesh.spots[first].name} dials {mesh.spots[second].name} in vain"
        found.append(
            {
                **_line(points[first], points[second], gap),
                "look": "both" if both else "down",
                "title": words,
                "ends": (first, second),
            }
        )
    absent = {(spot.number, other) for spot in mesh.spots for other in bits(spot.absent)}
    for first, second in sorted(absent)[: most - len(found)]:
        if (second, first) not in absent or first < second:
            words = f"{mesh.spots[first].name} has no protocol for {mesh.spots[second].name}"
            found.append(
                {**_line(points[first], points[second], gap), "look": "absent", "title": words, "ends": (first, second)}
            )
    for first, second in sorted(mesh.doubtful)[: most - len(found)]:
        words = f"{mesh.spots[first].name} could not dial {mesh.spots[second].name} again"
        found.append(
            {**_line(points[first], points[second], gap), "look": "latent", "title": words, "ends": (first, second)}
        )
    return found


def _line(here: _Point, there: _Point, gap: float) -> dict[str, Any]:
    """A line between the edges of two nodes, and its middle."""
    length = math.hypot(there.x - here.x, there.y - here.y) or 1.0
    step = min(gap / length, 0.4)
    dx, dy = (there.x - here.x) * step, (there.y - here.y) * step
    return {
        "x1": _short(here.x + dx),
        "y1": _short(here.y + dy),
        "x2": _short(there.x - dx * 1.3),
        "y2": _short(there.y - dy * 1.3),
    }


def _left_out(mesh: Mesh, most: int) -> int:
    return max(sum(1 for _pair in mesh.broken()) - most, 0)


def _boxes(mesh: Mesh) -> dict[str, Any]:
    """Nodes as dots in boxes that fill rows, as far apart as there is room for them."""
    groups = _few_groups(mesh.groups())
    layout = next(
        (one for pitch in PITCHES if (one := _layout(groups, pitch)).height <= _TALL), _layout(groups, PITCHES[-1])
    )
    count = sum(spot.up.bit_count() for spot in mesh.spots) // 2
    drawn = count <= len(mesh.spots) * UP_PER_NODE
    size = min(max(layout.pitch * 0.3, 3.6), 8)
    return {
        "width": _WIDTH,
        "height": layout.height,
        "boxes": layout.boxes,
        "arcs": [],
        "established": _established(mesh, layout.points) if drawn else "",
        "lines": _lines(mesh, layout.points, size + 1, LINES // 2),
        "dots": list(_dots(mesh, layout, size)),
        "left_out": {"established": 0 if drawn else count, "down": _left_out(mesh, LINES // 2)},
    }


def _layout(groups: Mapping[str, list[Spot]], pitch: int) -> _Layout:
    boxes, points = [], {}
    x, y, row = _GAP, _GAP, 0
    for name, members in groups.items():
        columns = min(max(math.ceil(math.sqrt(len(members) * 4)), 3), (_WIDTH - 4 * _GAP) // pitch)
        width = max(columns * pitch + 2 * _GAP, 210)
        height = _HEAD + math.ceil(len(members) / columns) * pitch + _GAP
        if x > _GAP and x + width > _WIDTH - _GAP:
            x, y, row = _GAP, y + row + _GAP, 0
        for place, spot in enumerate(members):
            down, across = divmod(place, columns)
            points[spot.number] = _Point(x + _GAP + (across + 0.5) * pitch, y + _HEAD + (down + 0.4) * pitch)
        told = {"name": cut(name, 26), "told": _of_group(members)}
        boxes.append({"x": x, "y": y, "width": width, "height": height, **told})
        x, row = x + width + _GAP, max(row, height)
    return _Layout(pitch, y + row + _GAP, boxes, points)


def _few_groups(groups: dict[str, list[Spot]]) -> dict[str, list[Spot]]:
    """The groups; where there are too many, the smallest of them as one."""
    if len(groups) <= GROUPS:
        return groups
    kept = set(sorted(groups, key=lambda name: -len(groups[name]))[: GROUPS - 1])
    rest = [spot for name, members in groups.items() if name not in kept for spot in members]
    return {**{name: members for name, members in groups.items() if name in kept}, "all other groups": rest}


def _of_group(members: list[Spot]) -> str:
    faulty = sum(1 for spot in members if spot.look == FAULT)
    hit = sum(1 for spot in members if spot.look in (FAULT, HIT) and spot.failing)
    told = [f"{len(members)} nodes"]
    told += [f"{faulty} at fault"] if faulty else []
    told += [f"{hit} with sessions down"] if hit else []
    return ", ".join(told)


def _dots(mesh: Mesh, layout: _Layout, size: float) -> Iterator[dict[str, Any]]:
    """All nodes, those that are well first so that the others lie above them; by name where there is room for it."""
    longest = layout.pitch // 6
    for spot in sorted(mesh.spots, key=lambda spot: spot.look != WELL):
        dot = _dot(spot, layout.points[spot.number], _short(size))
        if longest >= _NAMED:
            below = _short(dot["y"] + size + 11)
            dot.update(label=cut(spot.name, longest), anchor="middle", tx=dot["x"], ty=below)
        yield dot
