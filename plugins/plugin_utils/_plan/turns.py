# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order hosts take the steps of a plan, and in which they take them back: one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .runs import Run

# The cluster's lock is renewed before each turn, for as long as that may take and no longer: who cannot see that a run
# was killed waits for the end.
_SPARE = 60
_FOR_A_HOST = 150
_FOR_THE_API = 900
# A pod or a process that was started anew leaves no record, and nothing to put back.
_RESTARTS = "rolling_restart"


def turns(steps: Sequence[Mapping[str, Any]], api_from: str) -> list[dict[str, Any]]:
    """A turn for each host of each step, numbered from 1. api_from: the host that is named where a step works through
    the API.

    `step`: the step's number. `role`: its role's short name. `at`: the host. `hold`: for how many seconds the cluster's
    lock is to be renewed before it. `together`: all hosts take part, as in a step through the API, of which all of
    them tell whether it has done harm.
    """
    found: list[dict[str, Any]] = []
    for step in steps:
        hosts = step["hosts"] or [api_from]
        for host in hosts:
            found.append(
                {
                    "number": len(found) + 1,
                    "step": step["number"],
                    "role": step["role"].rpartition(".")[2],
                    "at": host,
                    "hold": _hold(bool(step["hosts"])),
                    "together": not step["hosts"],
                }
            )
    return found


def hosts(taken: Sequence[Mapping[str, Any]], inventory: Sequence[str]) -> list[str]:
    """The hosts that take part in these turns."""
    if any(one["together"] for one in taken):
        return list(inventory)
    return list(dict.fromkeys(one["at"] for one in taken))


def _hold(on_a_host: bool) -> int:
    return _SPARE + (_FOR_A_HOST if on_a_host else _FOR_THE_API)


def back(run: Run, journal: str, api_from: str) -> list[dict[str, Any]]:
    """What undoes a run, in reverse order, each thing once, numbered from 1. journal: where that of its objects is, ''
    if it has none.

    `at`: the host. `id`: the change's name there, '' where objects are put back. `hold` as of turns(). `taken`: the
    run has told that it came to its end there, so that the host must have a record of it if anything was changed that
    can be put back.
    """
    through = {(one.get("at"), f"{run.id}-{one.get('role')}") for one in _through(run) if one.get("role") != _RESTARTS}
    return [
        {"at": at, "id": name, "number": number, "hold": _hold(bool(name)), "taken": (at, name) in through}
        for number, (at, name) in enumerate(dict.fromkeys(_back(run, journal, api_from)), 1)
    ]


def told_back(run: Run, journal: str) -> str:
    """What a run has done, in a line, and what of it nobody can put back because the journal is not there."""
    if not run.plan:
        return f"{run.id}: it has changed nothing, so that nothing is to be undone"
    told = runs.told(run)
    if journal or not any(one.get("together") for one in _through(run)):
        return told
    return (
        f"{told}\nThere is no {runs.OBJECTS} in {run.path}: either it found nothing to change through the API, or the "
        f"file was removed since, and then its objects are not put back. {runs.PLAN}.json tells what was planned."
    )


def _through(run: Run) -> list[Mapping[str, Any]]:
    """The turns that a run has told it took to their end."""
    known = run.plan.get("turns")
    return [one for one in known[: run.taken] if isinstance(one, dict)] if isinstance(known, list) else []


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
