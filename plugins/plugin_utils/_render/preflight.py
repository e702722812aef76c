# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only a report of preflight says: its heading, its verdict, and the matrix of pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._preflight.ways import called, letter, letters

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VERDICTS = {
    "healthy": "HEALTHY: the hosts are fit for Calico as far as it was looked at",
    "degraded": "DEGRADED: Calico can run, but something needs attention",
    "faulty": "FAULTY: Calico will not work here as planned",
    "undetermined": "UNDETERMINED: no host could be read",
}
# So many hosts are shown with all pairs; of more only the rows with trouble are.
WHOLE = 12
ROWS = 16
_NAMES = 6
_CORNER = "from \\ to"


def heading(report: Mapping[str, Any]) -> str:
    """What stands above everything."""
    return f"Calico preflight of {report['coverage']['nodes']['expected']} host(s), {report['generated_at']}"


def reached(report: Mapping[str, Any]) -> list[str]:
    """How many directions are open on each way, a sentence each; those that are open everywhere in one."""
    ways = report["preflight"]["matrix"]["ways"]
    fine = [name for name, one in ways.items() if one["pairs"] == one["open"]]
    told = [
        f"{one['open']} of {one['pairs']} directions open on {one['called']}"
        for name, one in ways.items()
        if name not in fine
    ]
    if fine:
        pairs = ways[fine[0]]["pairs"]
        told.insert(0, f"all {pairs} directions open on {', '.join(ways[name]['called'] for name in fine)}")
    return told or ["no pair of hosts could be probed"]


def lines(report: Mapping[str, Any], width: int) -> Iterator[str]:
    """The matrix: of few hosts all pairs, of many the rows that are not all open."""
    matrix = report["preflight"]["matrix"]
    if len(matrix["hosts"]) < 2:
        return
    cells: dict[tuple[str, str], set[str]] = {}
    for one in matrix["troubles"]:
        sign = "?" if one["state"] == "unknown" else letter(one["way"])
        cells.setdefault((one["from"], one["to"]), set()).add(sign)
    if len(matrix["hosts"]) <= WHOLE:
        grid = list(_grid(matrix["hosts"], cells))
        if max(map(len, grid)) <= width:
            yield from grid
            yield from _legend(matrix, cells)
            return
    yield from _rows(matrix, width)


def _grid(hosts: list[str], cells: Mapping[tuple[str, str], set[str]]) -> Iterator[str]:
    told = {pair: "".join(sorted(signs)) for pair, signs in cells.items()}
    label = max(len(_CORNER), *(len(name) for name in hosts))
    wide = {name: max(len(name), *(len(told.get((other, name), "")) for other in hosts)) for name in hosts}
    yield f"{_CORNER.ljust(label)}  {'  '.join(name.ljust(wide[name]) for name in hosts)}".rstrip()
    for name in hosts:
        row = (("-" if name == other else told.get((name, other), "ok")).ljust(wide[other]) for other in hosts)
        yield f"{name.ljust(label)}  {'  '.join(row)}".rstrip()


def _legend(matrix: Mapping[str, Any], cells: Mapping[tuple[str, str], set[str]]) -> Iterator[str]:
    used = {sign for signs in cells.values() for sign in signs}
    known = letters((*matrix["ways"], "mtu"))
    told = [f"{sign} {known.get(sign, 'not known' if sign == '?' else 'blocked')}" for sign in sorted(used)]
    if told:
        yield f"not open: {', '.join(told)}"
    yield ""


def _rows(matrix: Mapping[str, Any], width: int) -> Iterator[str]:
    """To whom what is not open from where, the same of several hosts in one line."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for one in matrix["troubles"]:
        rows.setdefault((one["way"], one["state"], one["to"]), []).append(one["from"])
    for number, ((way, state, to), probers) in enumerate(sorted(rows.items(), key=lambda item: -len(item[1]))):
        if number == ROWS:
            yield f"and {len(rows) - ROWS} more; all of them stand in report.json"
            break
        word = "not open" if state == "blocked" else "not known"
        names = ", ".join(probers[:_NAMES]) + (f" and {len(probers) - _NAMES} more" if len(probers) > _NAMES else "")
        told = f"to {to} {word}: {called(way)} from {names}"
        yield told if len(told) <= width else f"{told[: width - 1]}…"
    if rows:
        yield ""
