# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix of all pairs of nodes, small enough for 500 of them: one path for each state, drawn by runs of cells.

A row is what one node says of the others: established, dialled in vain, waited for in vain, no protocol; or that the
node was not read. Where there are too many nodes, a cell stands for a few of them and shows the worst.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .html_mesh import cut
from .mesh import bits, runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .mesh import Mesh, Spot

MOST = 600
RUNS = 60_000
LABELLED = 40
_FINE = 150
_WIDTH = 960
# A path of one state; what comes later lies above.
STATES = {
    "up": "established",
    "unread": "not read",
    "waits": "down; waits to be dialled",
    "absent": "not configured, but should be",
    "dials": "down; dials in vain",
}
_PAIRS = 2000


def matrix(mesh: Mesh) -> dict[str, Any] | None:
    """Size in cells, a path for each state, where groups end, and how many nodes a cell stands for; None without two
    nodes."""
    count = len(mesh.spots)
    if count < 2:
        return None
    for per_cell in _scales(count):
        rows = list(_rows(mesh.spots, per_cell))
        paths = {state: "".join(_path(row[state] for row in rows)) for state in STATES}
        labels = [cut(spot.name, 16) for spot in mesh.spots] if count <= LABELLED else []
        if per_cell > 1 or sum(path.count("M") for path in paths.values()) <= RUNS:
            return {
                "cells": len(rows),
                "per_cell": per_cell,
                "paths": [{"state": state, "path": path} for state, path in paths.items() if path],
                "ends": list(_ends(mesh, per_cell)),
                "unit": round(min(22.0, _WIDTH / len(rows)), 2),
                # A single cell is smaller than what is seen.
                "fine": len(rows) > _FINE,
                "labels": labels,
                # Of names there is about a third of a cell for a sign.
                "margin": round(0.36 * max(map(len, labels), default=0) + 0.6, 1),
            }
    return None


def _scales(count: int) -> Iterator[int]:
    if count <= MOST:
        yield 1
    yield max(2, -(-count // (MOST // 2)))


def _rows(spots: Sequence[Spot], per_cell: int) -> Iterator[dict[str, int]]:
    """By state the cells of each row, as bits."""
    everyone = (1 << len(spots)) - 1
    for first in range(0, len(spots), per_cell):
        found = dict.fromkeys(STATES, 0)
        for spot in spots[first : first + per_cell]:
            own = 1 << spot.number
            unread = not spot.read and not spot.external
            found["up"] |= spot.up
            found["dials"] |= spot.dials
            found["waits"] |= spot.dialled & ~spot.dials
            found["absent"] |= spot.absent
            found["unread"] |= everyone & ~own if unread else 0
        yield {state: _narrow(mask, per_cell) for state, mask in found.items()}


def _narrow(mask: int, per_cell: int) -> int:
    if per_cell == 1:
        return mask
    narrow = 0
    for at in bits(mask):
        narrow |= 1 << at // per_cell
    return narrow


def _path(rows: Iterable[int]) -> Iterator[str]:
    for row, mask in enumerate(rows):
        for first, length in runs(mask):
            yield f"M{first} {row}h{length}v1h-{length}z"


def _ends(mesh: Mesh, per_cell: int) -> Iterator[float]:
    """After how many cells a group ends."""
    at = 0
    groups = list(mesh.groups().values())
    for members in groups[:-1]:
        at += len(members)
        yield round(at / per_cell, 2)


def pairs(mesh: Mesh) -> dict[str, Any]:
    """The sessions that are down as words, for who does not see the matrix; the first of very many."""
    everyone = list(mesh.broken())
    rows = [
        {
            "dialler": mesh.spots[first].name,
            "listener": mesh.spots[second].name,
            "both": bool(mesh.spots[second].dials >> first & 1),
            "findings": sorted(set(mesh.spots[first].findings) & set(mesh.spots[second].findings))
            or sorted({*mesh.spots[first].findings, *mesh.spots[second].findings})[:4],
        }
        for first, second in everyone[:_PAIRS]
    ]
    absent = [{"node": spot.name, "peer": mesh.spots[other].name} for spot in mesh.spots for other in bits(spot.absent)]
    return {
        "rows": rows,
        "left_out": len(everyone) - len(rows),
        "absent": absent[:_PAIRS],
        "absent_left_out": max(len(absent) - _PAIRS, 0),
    }
