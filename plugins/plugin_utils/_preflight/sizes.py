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


def not_measured(reach: Reach) -> Iterator[dict[str, str]]:
    """What of the paths is not known, in the form of what could not be checked: an entry for each host and reason."""
    found: dict[tuple[str, str], list[str]] = {}
    for prober, listener, why in reach.not_measured():
        found.setdefault((prober, why), []).append(listener)
    for (prober, why), listeners in found.items():
        detail = f"The path to {few(listeners)} was not measured: {why or 'no echo is answered'}."
        yield {"node": prober, "source": "path_mtu", "status": "failed", "detail": detail}


def _finding(carries: int, wanted: int, paths: list[tuple[str, str, Mapping[str, Any]]]) -> dict[str, Any]:
    pairs = [f"{prober} to {listener}" for prober, listener, _one in paths]
    routers = sorted({plain.text(one.get("reported_by")) for _prober, _listener, one in paths} - {""})
    said = f"; {few(routers)} says so" if routers else ""
    room = ", ".join(f"{carries - more} with {how}" for how, more in _OVERHEAD.items())
    summary = f"The path carries packets of {carries} bytes at most, where {wanted} are sent: {few(pairs)}{said}."
    fix = f"Raise the MTU of what is between the hosts to {wanted}, or give pods an MTU that fits ({room})."
    nodes = sorted({name for prober, listener, _one in paths for name in (prober, listener)})
    listener = paths[0][1]
    return finding(
        "mtu_mismatch",
        "major",
        nodes,
        summary,
        fix,
        [f"tracepath -n {listener}"],
        affects={
            "nodes": nodes,
            "sessions": [[prober, other] for prober, other, _one in paths[:100]],
            "count": len(paths),
        },
        evidence=[
            seen(prober, "path_mtu", f"to {other}: {one.get('carries')} of {one.get('wanted')} bytes")
            for prober, other, one in paths[:_SHOWN]
        ],
    )
