# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order hosts take the steps of a plan, and in which they take them back: one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .runs import Run

# Who holds the cluster's lock has to renew it. A step holds up the rest for as long as its hosts take.
_TOGETHER = 4
_SPARE = 60
_FOR_A_HOST = 150
_FOR_THE_API = 900


def turns(steps: Sequence[Mapping[str, Any]], api_from: str) -> list[dict[str, Any]]:
    """A turn for each host of each step, numbered from 1. api_from: the host that is in the place of one where a step
    works through the API.

    `step`: the step's number. `role`: its role's short name. `at`: the host. `hold`: for how many seconds the cluster's
    lock is to be renewed before it, 0 if it still holds.
    """
    found: list[dict[str, Any]] = []
    for step in steps:
        hosts = step["hosts"] or [api_from]
        for place, host in enumerate(hosts):
            found.append(
                {
                    "number": len(found) + 1,
                    "step": step["number"],
                    "role": step["role"].rpartition(".")[2],
                    "at": host,
                    "hold": 0 if place % _TOGETHER else _hold(step["hosts"], len(hosts) - place),
                }
            )
    return found


def _hold(hosts: Sequence[str], left: int) -> int:
    return _SPARE + (min(left, _TOGETHER) * _FOR_A_HOST if hosts else _FOR_THE_API)


def back(run: Run, journal: str, api_from: str) -> list[dict[str, Any]]:
    """What undoes a run, in reverse order, each thing once, numbered from 1. journal: where that of its objects is, ''
    if it has none.

    `at`: the host. `id`: the change's name there, '' where objects are put back. `hold` as of turns().
    """
    found = [{"at": at, "id": name} for at, name in dict.fromkeys(_back(run, journal, api_from))]
    return [
        {**one, "number": number, "hold": 0 if number % _TOGETHER != 1 else _SPARE + _TOGETHER * _FOR_A_HOST}
        for number, one in enumerate(found, 1)
    ]


def _back(run: Run, journal: str, api_from: str) -> Iterator[tuple[str, str]]:
    steps = run.plan["steps"]
    if journal and all(step["hosts"] for step in steps):
        yield api_from, ""
    for step in reversed(steps):
        if step["hosts"]:
            for host in reversed(step["hosts"]):
                yield host, f"{run.id}-{step['role'].rpartition('.')[2]}"
        elif journal:
            yield api_from, ""
