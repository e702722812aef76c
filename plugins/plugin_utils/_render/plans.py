# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan, and the ledger of before and after, as lines for a terminal."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from .._evidence import plain
from .terminal import few

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

LABEL = 10
LEFT_SHOWN = 12


def plan_lines(plan: Mapping[str, Any], width: int) -> list[str]:
    """A plan: the steps, then what is left and why, then what a person must do."""
    return _clean([*_steps(plan, width), *_left(plan, width), *_manual(plan, width), *_refused(plan, width)])


def ledger_lines(ledger: Mapping[str, Any], width: int) -> list[str]:
    """Before and after: sessions, routes, findings, and what is worse."""
    sessions, findings = ledger["sessions"], ledger["findings"]
    told = _wrap(
        f"{sessions['before']} ends established before, {sessions['after']} now; {sessions['gained']} gained, "
        f"{sessions['lost']} lost",
        width,
        "Sessions",
        0,
    )
    for label, key in (("repaired", "gone"), ("unknown", "unknown"), ("still", "left"), ("new", "new")):
        if findings.get(key):
            told.extend(_wrap(", ".join(key.replace("@", " on ") for key in findings[key]), width, label, 0))
    for sentence in (ledger.get("to_do") or ())[:LEFT_SHOWN]:
        told.extend(_wrap(sentence, width, "by hand", 0))
    for sentence in ledger["worse"][:LEFT_SHOWN]:
        told.extend(_wrap(sentence, width, "WORSE", 0))
    return _clean(told)


def _clean(lines: Iterable[str]) -> list[str]:
    """Nothing that a terminal obeys: names of nodes may come from anywhere."""
    return [plain.text(line).rstrip() for line in lines]


def _wrap(text: str, width: int, label: str, indent: int) -> list[str]:
    first = " " * indent + label.ljust(LABEL)
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first]


def _steps(plan: Mapping[str, Any], width: int) -> Iterator[str]:
    steps = plan["steps"]
    if not steps:
        yield "Plan: nothing is to be repaired"
        return
    yield f"Plan {plan['id']}: {len(steps)} step(s)"
    yield ""
    for step in steps:
        where = few(step["hosts"]) if step["hosts"] else "the Kubernetes API"
        yield f"{step['number']}. {step['role']} on {where}"
        yield from _wrap(", ".join(step["faults"]), width, "repairs", 3)
        for why in step["why"]:
            yield from _wrap(why, width, "because", 3)
        for name, value in step["vars"].items():
            yield from _wrap(f"{name}: {value}", width, "with", 3)
        yield from _wrap(f"{step['risk']}; disrupts {step['disrupts']}", width, "risk", 3)
        yield ""


def _left(plan: Mapping[str, Any], width: int) -> Iterator[str]:
    for label, one in _labelled("left", plan["left"]):
        where = f" on {few(one['nodes'])}" if one["nodes"] else ""
        yield from _wrap(f"{one['fault']}{where}: {one['why']}", width, label, 0)


def _manual(plan: Mapping[str, Any], width: int) -> Iterator[str]:
    for label, one in _labelled("by hand", plan["manual"]):
        where = f" on {few(one['nodes'])}" if one["nodes"] else ""
        yield from _wrap(f"{one['fault']}{where}: {one['text']}", width, label, 0)
        for command in one["commands"]:
            yield " " * LABEL + command


def _labelled(label: str, items: list[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, one in enumerate(items[:LEFT_SHOWN]):
        yield ("" if number else label), one


def _refused(plan: Mapping[str, Any], width: int) -> Iterator[str]:
    if plan["refused"]:
        yield ""
        yield from _wrap(plan["refused"], width, "Refused", 0)
