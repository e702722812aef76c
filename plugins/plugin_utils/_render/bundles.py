# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of several bundles together: one line for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._analysis.failure import first_unread
from .._catalogue import words
from .._evidence import plain
from .terminal import UNDETERMINED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_LONGEST_NAME = 32
_NAMED = 3


def heading(name: str, path: str) -> list[str]:
    """Return the lines above a bundle's report."""
    title = f"Bundle {plain.text(name)}: {plain.text(path)}"
    return [title, "=" * min(len(title), 80)]


def row(name: str, path: str, report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is told of one bundle: its verdict and its first finding, {} if there is none; why nothing was read
    of any node, '' if something was."""
    nodes = report["coverage"]["nodes"]
    told = [item for item in report["findings"] if item["role"] != "consequence"]
    # A guess is nothing that was found.
    first = next((item for item in told if not item.get("guess")), None) or next(iter(told), None)
    return {
        "name": name,
        "path": path,
        "verdict": report["verdict"],
        "nodes": nodes["collected"],
        "findings": len(report["findings"]),
        "first": {key: first[key] for key in ("fault", "severity", "confidence", "nodes")} if first else {},
        "unread": "" if nodes["expected"] or report["coverage"]["api"]["reached"] else first_unread(report),
    }


def table(rows: Sequence[Mapping[str, Any]], width: int) -> list[str]:
    """Return the table of all bundles, a line each."""
    return [line.rstrip() for line in _table(rows, width)]


def _table(rows: Sequence[Mapping[str, Any]], width: int) -> Iterator[str]:
    longest = min(max((len(one["name"]) for one in rows), default=0), _LONGEST_NAME)
    longest = max(longest, len("Bundle"))
    yield f"{'Bundle':{longest}}  {'Verdict':12}  {'Nodes':>5}  First finding"
    for one in rows:
        told = f"{plain.text(one['name'])[:_LONGEST_NAME]:{longest}}  {one['verdict']:12}  {one['nodes']:>5}  "
        yield f"{told}{_first(one)}"[: max(width, 2 * longest)] if width > 0 else told


def _first(one: Mapping[str, Any]) -> str:
    first = one["first"]
    if one.get("unread"):
        return f"none: {one['unread']}"
    if not first:
        return "-"
    where = f" on {', '.join(first['nodes'][:_NAMED])}" if first["nodes"] else ""
    more = f" and {len(first['nodes']) - _NAMED} more" if len(first["nodes"]) > _NAMED else ""
    sure = "" if first["fault"] == UNDETERMINED else f" ({first['confidence']:.0%})"
    return f"{first['fault']}{sure}{where}{more}"


def failure(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the sentence with which the run fails, '' where every bundle is as good as the caller wants it."""
    bad = [one for one in rows if one["failure"]]
    if not bad:
        return ""
    told = " ".join(f"{one['name']}: {one['failure']}" for one in bad[:_NAMED])
    rest = [one["name"] for one in bad[_NAMED:]]
    more = f" The others: {words.listed(rest)}." if rest else ""
    what = f"{len(bad)} of {len(rows)} bundles tell of something bad, or could not be read."
    return f"{what} {told}{more}" if len(rows) > 1 else bad[0]["failure"]
