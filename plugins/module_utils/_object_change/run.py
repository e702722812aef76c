# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One task: everything is rehearsed first, and only if nothing was refused it is done."""

from __future__ import annotations

from .._cluster import greeting, problems
from .._cluster.asking import Asker
from .._cluster.problems import ApiError
from .._record import NamedTuple
from . import journal, planning, records, undoing
from .resources import Resources
from .settling import UnsureError, settle
from .views import Live, Rehearsal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .journal import Journal
    from .settling import Intends, Settled, Transition

DONE, UNDONE = "done", "undone"
# What says something about one object; after anything else the next one would fare no better.
_OF_ONE_OBJECT = (problems.REFUSED, problems.FORBIDDEN, problems.ABSENT, problems.CONFLICT)


class Outcome(NamedTuple):
    """What a task has come to: `results` and `differences` by change, the record of what was made, and why it ended
    before everything was done ('' if it did not)."""

    results: list[dict[str, Any]]
    differences: list[dict[str, str]]
    record: list[dict[str, Any]]
    refusals: list[dict[str, str]]
    why: str

    @property
    def changed(self) -> bool:
        """Whether anything was changed, or would be."""
        return any(one["changed"] for one in self.results)


def run(
    params: Mapping[str, Any], check_mode: bool, environ: Mapping[str, str] | None = None, root: str = ""
) -> Outcome:
    """Do what the module's parameters ask for. `environ` and `root` are for tests."""
    path, undo = params.get("journal"), params.get("state") == UNDONE
    try:
        if path and not undo:
            journal.check(path)
        record = journal.read(path) if path and undo else params.get("record") or []
        asker = connected(params, environ, root)
        resources = Resources(asker)
        if undo:
            wanted = undoing.transitions(resources, record)
        else:
            wanted = planning.transitions(asker, resources, params.get("changes") or [])
        rehearsed, refusals = _rehearse(asker, wanted)
    except ApiError as problem:
        return Outcome([], [], [], [], problem.sentence)
    if refusals:
        more = f" ({len(refusals) - 1} more are refused.)" if len(refusals) > 1 else ""
        return Outcome([], [], [], refusals, f"Nothing was changed. {refusals[0]['why']}{more}")
    differences = [records.difference(one) for one in rehearsed if one.changed]
    if check_mode or not any(one.changed for one in rehearsed):
        return Outcome([records.result(one) for one in rehearsed], differences, [], [], "")
    book = journal.journal(None if undo else path)
    try:
        book.begin()
        done, why = _do(asker, wanted, book)
    except ApiError as problem:
        return Outcome([], [], [], [], f"Nothing was changed. {problem.sentence}")
    finally:
        book.close()
    if path and undo and not why:
        journal.mark_undone(path)
    results = [records.result(one) for one in done]
    return Outcome(results, differences, [records.entry(one) for one in done if one.changed], [], why)


def connected(params: Mapping[str, Any], environ: Mapping[str, str] | None, root: str) -> Asker:
    """Return who asks the API, once it has answered. Raises ApiError."""
    timeout = float(params["timeout"])
    asker = Asker(greeting.connected(params, environ, root, timeout), timeout, greeting.until(timeout), patient=True)
    greeting.greeted(asker, timeout)
    greeting.let_in(asker)
    return asker


def _rehearse(asker: Asker, wanted: list[Transition]) -> tuple[list[Settled], list[dict[str, str]]]:
    """Return what would come of each change, and what is refused. Raises ApiError."""
    view, settled, refusals = Rehearsal(asker), [], []
    for one in wanted:
        found, problem = _tried(asker, view, one)
        if found is not None:
            settled.append(found)
        elif problem is not None and problem.kind in _OF_ONE_OBJECT:
            ref = one.ref
            refusals.append({"kind": ref.kind, "namespace": ref.namespace, "name": ref.name, "why": problem.sentence})
        elif problem is not None:
            raise problem
    return settled, refusals


def _tried(
    asker: Asker, view: Live | Rehearsal, wanted: Transition, intends: Intends | None = None
) -> tuple[Settled | None, ApiError | None]:
    """Return what became of a change, and why it was not made if it was not. Both where that is not known."""
    try:
        return settle(asker, view, wanted, intends), None
    except UnsureError as problem:
        return problem.settled, problem
    except ApiError as problem:
        return None, problem


def _do(asker: Asker, wanted: list[Transition], book: Journal) -> tuple[list[Settled], str]:
    """Do everything in order. Return what was done, and why that is not all ('' if it is)."""
    view, done = Live(asker), []
    for one in wanted:
        book.next()
        found, problem = _tried(asker, view, one, book.intends)
        unwritten = book.made(found) if found is not None else book.not_made(problem.sentence if problem else "")
        if found is not None:
            done.append(found)
        if problem is None and unwritten:
            # What is made from now on could not be told after a crash.
            problem = ApiError(problems.CONFIG, unwritten)
        if problem is not None:
            return done, _broken_off(done, wanted, problem)
    return done, ""


def _broken_off(done: list[Settled], wanted: list[Transition], problem: ApiError) -> str:
    made = sum(1 for one in done if one.changed and not one.unsure)
    if not made:
        return f"Nothing was changed. {problem.sentence}" if not any(one.unsure for one in done) else problem.sentence
    return f"{made} of {len(wanted)} changes were made, which the record tells. {problem.sentence}"
