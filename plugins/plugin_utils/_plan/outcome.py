# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of a plan that was carried out: whether to wait for more, and what to tell if it is not as it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._evidence import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

_FEW = 5


def unproven(plan: Mapping[str, Any], ledger: Mapping[str, Any]) -> list[str]:
    """The faults that the plan's steps were to repair and that are still found on a host they were to be repaired on,
    as fault@nodes."""
    meant = {fault: set(step["hosts"]) for step in plan["steps"] for fault in step["faults"]}
    for step in plan["steps"]:
        for fault in step["faults"]:
            meant[fault] |= set(step["hosts"])
    return [
        key
        for key in ledger["findings"]["left"]
        for fault, _at, nodes in [key.partition("@")]
        if fault in meant and (not meant[fault] or meant[fault] & set(nodes.split(",")))
    ]


def outcome(
    plan: Mapping[str, Any], ledger: Mapping[str, Any], taken: int, broken: Mapping[str, Any], run: str
) -> dict[str, Any]:
    """`good`: all was done, nothing is worse, nothing is left. `failed`: what to tell if it is not so, '' if it is.
    `pending`: whether what is not as it should be may yet come to be, sessions that are on their way up for instance.

    taken: how many turns of the plan were taken to their end. broken: of the one that failed its `task` and `why`, {}
    if none did. run: the run's folder.
    """
    left, worse = unproven(plan, ledger), list(ledger["worse"])
    # Of what was not begun nobody may read that its repair did not help.
    still = "still found after its repair" if taken >= len(plan["turns"]) else "still found"
    sentences = [
        *_ended_early(plan, taken, broken),
        *_several("worse than before", worse),
        *_several(still, [key.replace("@", " on ") for key in left]),
    ]
    good = not sentences
    if not good:
        sentences.append(undone_by(run, surely=taken > 0))
    return {
        "good": good,
        "pending": bool(worse or (left and taken >= len(plan["turns"]))),
        "failed": plain.text(" ".join(sentences)),
    }


def undone_by(path: str, surely: bool = True) -> str:
    """How all that a run did is undone, in a sentence. path: the run's folder. surely: False where its first step
    failed, which puts its own things back: only the host knows whether something is left."""
    what = "What this run did is" if surely else "If anything is left of what this run did, it is"
    return f"{what} undone by: ansible-playbook netmedic.calico.rollback -i INVENTORY -e rollback_run={path}"


def _ended_early(plan: Mapping[str, Any], taken: int, broken: Mapping[str, Any]) -> list[str]:
    turns = plan["turns"]
    if taken >= len(turns):
        return []
    turn = turns[taken]
    why = plain.text(broken.get("why")) or "the host cannot be reached any more"
    told = [f"{_named(turn)} failed: {why.rstrip('.')}."]
    done = [_named(one) for one in turns[:taken]]
    told.append(f"Done before it and kept: {plain.few(done, _FEW)}." if done else "Nothing was done before it.")
    later = [_named(one) for one in turns[taken + 1 :]]
    if later:
        told.append(f"Not begun: {plain.few(later, _FEW)}.")
    told.append("Run again once the cause is removed: what is done already is not done again.")
    return told


def _named(turn: Mapping[str, Any]) -> str:
    return f"{turn['role']} (step {turn['step']}, {'the API' if turn['together'] else turn['at']})"


def _several(label: str, items: list[str]) -> list[str]:
    if not items:
        return []
    more = f"; and {len(items) - _FEW} more" if len(items) > _FEW else ""
    return [f"{label.capitalize()}: {'; '.join(items[:_FEW])}{more}."]
