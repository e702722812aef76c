# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as Markdown for a ticket: as GitHub, GitLab and others show it, and short enough for all of them.

Names and log lines come from anywhere. What is not in a code span is escaped sign by sign, so that nothing of it
becomes a link, a picture, a heading, a table's border, HTML, or a message to a user who is called like a node.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .clean import clean
from .terminal import covered, few, key_told, place, verdict_told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST = 60_000
_FINDINGS = 25
_SEEN = 6
_COMMANDS = 12
_ROWS = 30
_CELL = 120
_LONGEST = 1200
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&^$])")
# What means something at the beginning of a line only.
_BEGINS = re.compile(r"^([-+=]|\d+(?=[.)]))")
# What sites take for a user, an issue or a link wherever it stands.
_TOLD = re.compile(r"(@|\\#)(?=\w)|(:)(?=//)|\b(www)(?=\.)", re.IGNORECASE)
# Joins two words without being seen.
_JOINER = "\u2060"
_TICKS = re.compile(r"`+")


def markdown(report: Mapping[str, Any], ledger: Mapping[str, Any] | None = None) -> str:
    """The whole text, less than MOST signs. KeyError, TypeError or AttributeError for what is no whole report."""
    told = clean(report)
    parts = [*_head(told), *_ledger(clean(ledger or {})), *_findings(told), *_rest(told)]
    text = ""
    for number, part in enumerate(parts):
        if len(text) + len(part) > MOST - 200:
            text += f"\n*{len(parts) - number} more parts do not fit here; they stand in report.json.*\n"
            break
        text += part
    return text


def escaped(text: str, longest: int = _LONGEST) -> str:
    """A text that is shown as it stands, in one line."""
    short = text if len(text) <= longest else f"{text[:longest]}…"
    marked = _BEGINS.sub(_begun, _SPECIAL.sub(r"\\\1", " ".join(short.split())))
    return _TOLD.sub(rf"\g<0>{_JOINER}", marked)


def _begun(found: re.Match[str]) -> str:
    return f"{found[1]}{_JOINER}" if found[1].isdigit() else f"\\{found[1]}"


def code(text: str, longest: int = _LONGEST) -> str:
    """A text as a code span, in one line; fit for a table, too."""
    short = " ".join((text if len(text) <= longest else f"{text[:longest]}…").split()).replace("|", "\\|")
    if not short:
        return ""
    fence = "`" * (max((len(found) for found in _TICKS.findall(short)), default=0) + 1)
    blank = " " if short.startswith("`") or short.endswith("`") or len(fence) > 1 else ""
    return f"{fence}{blank}{short}{blank}{fence}"


def block(lines: list[str]) -> str:
    """Lines as a block of code."""
    text = "\n".join(lines)
    fence = "`" * max(3, max((len(found) for found in _TICKS.findall(text)), default=0) + 1)
    return f"{fence}sh\n{text}\n{fence}\n"


def _head(report: Mapping[str, Any]) -> Iterator[str]:
    word, _colon, sentence = verdict_told(report).partition(": ")
    what = "preflight" if "preflight" in report else "BGP diagnosis"
    yield f"## Calico {what}: {word}\n\n{escaped(sentence)}\n\n"
    told = [*covered(report), f"made {report['generated_at']}"]
    if report.get("impact"):
        told.append(report["impact"]["summary"])
    told += [one["says"] for one in report.get("overlay") or ()]
    yield "".join(f"- {escaped(one)}\n" for one in told) + "\n"
    history = report.get("history") or {}
    words = (("new", "new"), ("gone", "gone"), ("flapping", "comes and goes"))
    changes = [f"{word}: {few([key_told(key) for key in history[name]])}" for name, word in words if history.get(name)]
    if history.get("compared_with"):
        yield f"Since {escaped(history['compared_with'])}: {escaped('; '.join(changes) or 'nothing has changed')}\n\n"


def _ledger(ledger: Mapping[str, Any]) -> Iterator[str]:
    if not ledger:
        return
    sessions, found = ledger["sessions"], ledger["findings"]
    yield (
        "### Before and after\n\n| | before | after | gained | lost |\n| --- | ---: | ---: | ---: | ---: |\n"
        f"| established session ends | {sessions['before']:d} | {sessions['after']:d} | {sessions['gained']:d} "
        f"| {sessions['lost']:d} |\n\n"
    )
    for word, kind in (("Repaired", "gone"), ("Still there", "left"), ("Left to a person", "rest"), ("New", "new")):
        if found.get(kind):
            yield f"- {word}: {', '.join(code(key_told(key), _CELL) for key in found[kind][:_ROWS])}\n"
    yield "".join(f"- **Worse:** {escaped(told)}\n" for told in ledger["worse"][:_ROWS]) + "\n"


def _findings(report: Mapping[str, Any]) -> Iterator[str]:
    told = [item for item in report["findings"] if item["role"] != "consequence" and not item.get("guess")]
    if not told:
        yield "Nothing was found.\n\n"
        return
    yield "### Findings\n\n| | severity | fault | where | sure |\n| ---: | --- | --- | --- | ---: |\n" + "".join(
        f"| {number} | {escaped(item['severity'])} | {code(item['fault'], _CELL)} | {code(few(item['nodes']), _CELL)} "
        f"| {item['confidence']:.0%} |\n"
        for number, item in enumerate(told[:_ROWS], 1)
    )
    yield (f"\nand {len(told) - _ROWS} more\n\n" if len(told) > _ROWS else "\n")
    for number, item in enumerate(told[:_FINDINGS], 1):
        yield _finding(number, item)


def _finding(number: int, item: Mapping[str, Any]) -> str:
    where = f" on {code(few(item['nodes']), _CELL)}" if item["nodes"] else ""
    lines = [f"#### {number}\\. {escaped(item['title'], _CELL)}{where}\n\n{escaped(item['summary'])}\n\n"]
    if item["waived"]:
        lines.append(f"*Waived until {escaped(item['waived']['expires'])}: {escaped(item['waived']['reason'])}*\n\n")
    at_fault = place(item["where"])
    if at_fault:
        lines.append(f"Where: {code(at_fault)}\n\n")
    if item["fix"]["text"]:
        lines.append(f"**Fix:** {escaped(item['fix']['text'])}\n\n")
    commands = [part[:_LONGEST] for command in item["fix"]["commands"][:_COMMANDS] for part in command.split("\n")]
    if commands:
        lines.append(f"{block(commands)}\n")
    if item["evidence"]:
        rows = (f"- {_seen(one)}\n" for one in item["evidence"][:_SEEN])
        lines.append(f"<details><summary>Evidence</summary>\n\n{''.join(rows)}\n</details>\n\n")
    return "".join(lines)


def _seen(one: Mapping[str, Any]) -> str:
    source = ", ".join(part for part in (one["node"], one["source"], one["locator"]) if part)
    return f"{code(source, _CELL)}: {escaped(one['says'], 400)}"


def _rest(report: Mapping[str, Any]) -> Iterator[str]:
    missing = report["coverage"]["nodes"]["missing"]
    if missing:
        rows = (f"| {code(one['node'], _CELL)} | {escaped(one['why'], _CELL)} |\n" for one in missing[:_ROWS])
        yield f"### Not read\n\n| node | why |\n| --- | --- |\n{''.join(rows)}"
        yield f"\nand {len(missing) - _ROWS} more\n" if len(missing) > _ROWS else "\n"
