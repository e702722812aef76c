# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings on paths between hosts that carry smaller packets than the hosts send into them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._evidence import plain
from .blocked import few
from .finding import finding, seen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .reach import Reach

_SHOWN = 8
_OVERHEAD = {"IPIP": 20, "VXLAN": 50}


def findings(reach: Reach) -> Iterator[dict[str, Any]]:
    """A finding for each size that paths carry instead of what was wanted."""
    groups: dict[tuple[int, int], list[tuple[str, str, Mapping[str, Any]]]] = {}
    for prober, listener, one in reach.sizes():
        key = (plain.count(one.get("carries")), plain.count(one.get("wanted")))
        groups.setdefault(key, []).append((prober, listener, one))
    for (carries, wanted), paths in sorted(groups.items()):
        yield _finding(carries, wanted, paths)


def _finding(carries: int, wanted: int, paths: list[tuple[str, str, Mapping[str, Any]]]) -> dict[str, Any]:
    pairs = [f"{prober} to {listener}" for prober, listener, _one in paths]
    routers = sorted({plain.text(one.get("reported_by")) for _prober, _listener, one in paths} - {""})
    said = f"; {few(routers)} says so" if routers else ""
    if not carries:
        why = next(filter(None, (plain.text(one.get("detail")) for _prober, _listener, one in paths)), "")
        summary = f"The path could not be measured from {few(pairs)}{f': {why}' if why else ''}."
        return _told(paths, "minor", summary, "")
    room = ", ".join(f"{carries - more} with {how}" for how, more in _OVERHEAD.items())
    summary = f"The path carries packets of {carries} bytes at most, where {wanted} are sent: {few(pairs)}{said}."
    fix = f"Raise the MTU of what is between the hosts to {wanted}, or give pods an MTU that fits ({room})."
    return _told(paths, "major", summary, fix)


def _told(paths: list[tuple[str, str, Mapping[str, Any]]], severity: str, summary: str, fix: str) -> dict[str, Any]:
    nodes = sorted({name for prober, listener, _one in paths for name in (prober, listener)})
    listener = plain.text(paths[0][1])
    return finding(
        "mtu_mismatch",
        severity,
        nodes,
        summary,
        fix,
        [f"tracepath -n {listener}"] if fix else [],
        affects={
            "nodes": nodes,
            "sessions": [[prober, other] for prober, other, _one in paths[:100]],
            "count": len(paths),
        },
        evidence=[
            seen(prober, "path_mtu", f"to {other}: {one.get('carries') or 'nothing'} of {one.get('wanted')} bytes")
            for prober, other, one in paths[:_SHOWN]
        ],
    )
