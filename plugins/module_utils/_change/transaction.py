# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes as one: refused before the first, made all or none, confirmed or undone, and rolled back later."""

from __future__ import annotations

import os
import time

from .._record import NamedTuple
from . import kinds, proof, sessions, switch, undo
from . import record as records
from .model import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from .model import Kind
    from .record import Lock, Record, Store
    from .undo import Entry

    Answer = dict[str, Any]

LONGEST = 3600
_SHORTEST = 5
_LOCK_PATIENCE = 2.0
_APPLY_PATIENCE = 300.0
_TICK = 0.05
_STANDING = (records.CONFIRMED, records.FAILED)


class Request(NamedTuple):
    """One call. `wait` False returns before the changes are made, so that the answer is out before they are."""

    id: str
    changes: Sequence[Mapping[str, Any]] = ()
    confirm_within: int = 60
    holder: str = ""
    check: bool = False
    wait: bool = True
    gate: bool = False


def applied(request: Request, store: Store) -> Answer:
    """Make the changes. Raises RefusedError, before the first of them, with one sentence."""
    _check(request)
    made = kinds.make(request.changes)
    lock = records.Lock(store)
    if not request.check:
        lock.take(request.holder, request.id, _LOCK_PATIENCE)
    try:
        answer = _recovered(store, request.check)
        _refuse_if_armed(store)
        earlier = store.load(request.id)
        entries = _planned(made)
        answer.update(_told(entries, made), id=request.id)
        if request.gate:
            answer["sessions"] = sessions.read()
        todo = [entry for entry in entries if entry["changed"]]
        if not todo:
            return dict(answer, changed=False, state=earlier["state"] if earlier else "", armed_until="")
        _needs_switch(request, made, entries)
        record = _record(request, todo, earlier, answer.get("sessions"))
        if request.check:
            store.check(len(repr(record)) * 2)
            return dict(answer, changed=True, state="", armed_until="")
        return dict(answer, **_make(request, store, record, lock))
    finally:
        lock.let_go()


def _check(request: Request) -> None:
    records.check_id(request.id)
    if not request.changes:
        raise RefusedError("there is no change in changes")
    within = request.confirm_within
    if within and not _SHORTEST <= within <= LONGEST:
        raise RefusedError(f"confirm_within is {within}: it is 0, or {_SHORTEST} to {LONGEST} seconds")
    if os.geteuid() != 0:
        raise RefusedError("only root can change a host: use become")


def _recovered(store: Store, check: bool) -> Answer:
    """Undo what was not confirmed in its time while nobody was there to do it (a reboot, a switch that was killed)."""
    found: Answer = {"recovered": [], "warnings": []}
    for name in store.names():
        try:
            record = store.load(name)
        except RefusedError as error:
            found["warnings"].append(str(error))
            continue
        if record is not None and record["state"] == records.FAILED:
            what = "; ".join(record.get("problems", []))
            found["warnings"].append(f"what {records.as_told(record)} changed was not undone whole: {what}")
        if record is None or not records.is_overdue(record):
            continue
        if check:
            found["warnings"].append(f"{records.as_told(record)} is past its time and would be undone first")
            continue
        done = switch.finish(store, record, "it was not confirmed in time; the next call found that")
        found["recovered"].append({"id": name, "undone": done.undone, "problems": done.problems})
        found["warnings"].append(
            f"{records.as_told(record)} was never confirmed and was undone first"
            + (f", but for: {'; '.join(done.problems)}" if done.problems else "")
        )
    return found


def _refuse_if_armed(store: Store, but: str = "") -> None:
    """Refuse while another change is armed."""
    for name in store.names():
        try:
            record = store.load(name) if name != but else None
        except RefusedError:
            continue
        if record is not None and record["state"] == records.ARMED and not records.is_overdue(record):
            end = f"until {record['until']} unless it is confirmed"
            raise RefusedError(f"this host is being changed by {records.as_told(record)}, {end}")


def _planned(made: Sequence[Kind]) -> list[Entry]:
    for number, kind in enumerate(made, 1):
        try:
            kind.preflight()
        except RefusedError as error:  # noqa: PERF203
            raise RefusedError(f"change {number}: {error}") from None
    states = []
    for kind in made:
        before = kind.read()
        states.append((before, kind.plan(before)))
    proof.prove([kind for kind, (before, after) in zip(made, states) if before != after])
    entries: list[Entry] = []
    for kind, (before, wanted) in zip(made, states):
        idle = kind.options.get("if_changed") and not any(entry["changed"] for entry in entries)
        after = before if kind.needless or idle else wanted
        options = {"kind": kind.name, **{name: value for name, value in kind.options.items() if value is not None}}
        options.pop("opens", None)
        entry = {"options": options, "subject": kind.subject, "before": before, "after": after}
        entries.append(dict(entry, changed=before != after))
    return entries


def _told(entries: Sequence[Entry], made: Sequence[Kind]) -> Answer:
    """Return what is, or would be, changed, for people and for --diff."""
    changes, diff = [], []
    for entry, kind in zip(entries, made):
        told = {"kind": kind.name, "subject": entry["subject"], "changed": entry["changed"], "undoable": kind.undoable}
        told.update(before=kind.shown(entry["before"]), after=kind.shown(entry["after"]))
        if kind.needless:
            told["why_not"] = kind.needless
        changes.append(told)
        if entry["changed"]:
            header = {"before_header": entry["subject"], "after_header": entry["subject"]}
            diff.append({"before": told["before"], "after": told["after"], **header})
    return {"changes": changes, "diff": diff}


def _needs_switch(request: Request, made: Sequence[Kind], entries: Sequence[Entry]) -> None:
    if request.confirm_within:
        return
    for kind, entry in zip(made, entries):
        if entry["changed"] and kind.cuts_off:
            raise RefusedError(f"{kind.subject} may cut the host off: with confirm_within 0 nothing would undo it")


def _record(request: Request, todo: Sequence[Entry], earlier: Record | None, seen: Any) -> Record:
    kept = [{key: value for key, value in entry.items() if key != "changed"} for entry in todo]
    within = request.confirm_within
    now = records.now()
    return {
        "schema": records.SCHEMA,
        "id": request.id,
        "holder": request.holder,
        "state": records.ARMED,
        "boot_id": records.boot_id(),
        "armed_at": records.moment(),
        "armed_at_seconds": now,
        "within": within,
        "until": records.moment(within),
        "until_seconds": now + within,
        "applied": False,
        "changes": kept,
        # What was confirmed under this id before: it is not this call's to undo, but that of a rollback.
        "earlier": undo.standing(earlier) if earlier is not None and earlier["state"] in _STANDING else [],
        "sessions": seen,
    }


def _make(request: Request, store: Store, record: Record, lock: Lock) -> Answer:
    store.prepare(len(repr(record)) * 2)
    store.save(record)
    if not request.confirm_within:
        if not switch.apply_all(store, record):
            raise RefusedError(_why_failed(record))
        record.update(state=records.CONFIRMED, changes=undo.merged(record["earlier"], record["changes"]), earlier=[])
        store.save(record)
        return {"changed": True, "state": records.CONFIRMED, "armed_until": ""}
    wait_for = 0 if request.wait else os.getpid()
    one = switch.Switch(store, record, lock, wait_for)
    try:
        pid = switch.detach(one.run, {lock.descriptor})
    except RefusedError as error:
        switch.finish(store, dict(record, changes=[]), str(error), record)
        raise
    answer = {"changed": True, "state": records.ARMED, "armed_until": record["until"], "switch": pid}
    answer["seconds_left"] = round(record["until_seconds"] - records.now(), 1)
    if request.wait:
        lock.let_go()
        _wait_applied(store, request.id)
    return answer


def _wait_applied(store: Store, name: str) -> None:
    deadline = time.monotonic() + _APPLY_PATIENCE
    while time.monotonic() < deadline:
        record = store.load(name)
        if record is None or record["state"] != records.ARMED:
            raise RefusedError(_why_failed(record or {}))
        if record["applied"]:
            return
        time.sleep(_TICK)
    raise RefusedError(f"the changes are not made after {_APPLY_PATIENCE:g} seconds; the switch undoes what is")


def _why_failed(record: Record) -> str:
    problems = record.get("problems")
    undone = f"; not undone: {'; '.join(problems)}" if problems else "; all is as it was before"
    return f"{record.get('why', 'the record is gone')}{undone}"


def confirmed(request: Request, store: Store) -> Answer:
    """Confirm an armed change: it stays. Raises RefusedError if it is undone already, or there is none."""
    records.check_id(request.id)
    lock = records.Lock(store)
    if not request.check:
        lock.take(request.holder, request.id, _LOCK_PATIENCE)
    try:
        answer = _recovered(store, request.check)
        record = store.load(request.id)
        if record is None:
            raise RefusedError(f"there is no change {request.id} on this host to confirm")
        answer.update(id=request.id, armed_until="", changes=[], diff=[])
        if any(one["id"] == request.id for one in answer["recovered"]):
            raise RefusedError(f"the change {request.id} came to be confirmed too late and was undone")
        if record["state"] == records.CONFIRMED and not record.get("why"):
            return dict(answer, changed=False, state=records.CONFIRMED)
        if record["state"] != records.ARMED:
            raise RefusedError(f"the change {request.id} was undone at {record.get('undone_at')}: {record.get('why')}")
        if not record["applied"]:
            raise RefusedError(f"the change {request.id} is not made yet")
        record.update(state=records.CONFIRMED, confirmed_at=records.moment())
        record.update(changes=undo.merged(record["earlier"], record["changes"]), earlier=[])
        if not request.check:
            store.save(record)
        return dict(answer, changed=True, state=records.CONFIRMED)
    finally:
        lock.let_go()


def undone(request: Request, store: Store) -> Answer:
    """Undo an armed change now, or roll a confirmed one back. Raises RefusedError, and undoes nothing, where somebody
    else has changed one of the things since."""
    records.check_id(request.id)
    lock = records.Lock(store)
    if not request.check:
        lock.take(request.holder, request.id, _LOCK_PATIENCE)
    try:
        answer = _recovered(store, request.check)
        _refuse_if_armed(store, request.id)
        record = store.load(request.id)
        nothing = dict(answer, id=request.id, changed=False, changes=[], diff=[], armed_until="")
        if record is None or record["state"] == records.UNDONE:
            done = any(one["id"] == request.id for one in answer["recovered"])
            return dict(nothing, state=record["state"] if record else "", changed=done)
        if record["state"] == records.FAILED:
            record.update(changes=undo.standing(record), earlier=[])
        problems = undo.conflicts(record["changes"])
        if problems:
            raise RefusedError("; ".join(problems))
        left = undo.pending(record["changes"])
        # An armed change is undone as far as that goes: what cut somebody off must not wait for the rest.
        obstacles = undo.obstacles(left) if record["state"] != records.ARMED else []
        if obstacles:
            raise RefusedError(f"not all of it could be put back, so none is: {'; '.join(obstacles)}")
        answer.update(_told_undone(left), id=request.id, armed_until="")
        answer["left"] = [entry["subject"] for entry in record["changes"] if not kinds.one(entry["options"]).undoable]
        if not request.check:
            told = switch.finish(store, record, "it was to be undone")
            if told.problems:
                raise RefusedError("; ".join(told.problems))
        return dict(answer, changed=bool(left), state=record["state"])
    finally:
        lock.let_go()


def _told_undone(left: Sequence[Entry]) -> Answer:
    made = [kinds.one(entry["options"]) for entry in left]
    entries = [dict(entry, before=entry["now"], after=entry["before"], changed=True) for entry in left]
    return _told(entries, made)


def status(request: Request, store: Store) -> Answer:
    """Return what is on record of a change, and the sessions, if the gate wants them. Nothing is undone here."""
    records.check_id(request.id)
    record = store.load(request.id) or {}
    answer: Answer = {"changed": False, "id": request.id, "state": record.get("state", ""), "changes": [], "diff": []}
    names = ("holder", "armed_at", "confirmed_at", "undone_at", "why", "problems", "left", "applied")
    answer["record"] = {name: record[name] for name in names if record.get(name) not in (None, "")}
    answer["record"]["subjects"] = [entry["subject"] for entry in record.get("changes", [])]
    if record.get("state") == records.ARMED:
        answer["armed_until"] = record["until"]
        answer["seconds_left"] = round(record["until_seconds"] - records.now(), 1)
        answer["overdue"] = records.is_overdue(record)
    if request.gate:
        answer["sessions"] = sessions.read()
    return answer
