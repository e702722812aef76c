# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the linter found as lines for a terminal, as JSON, SARIF and JUnit XML."""

from __future__ import annotations

import json
import os
import textwrap
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from .._catalogue.model import SEVERITIES
from .._evidence import plain
from .._lint.result import failing, place
from . import junit as suites
from . import sarif as code_scanning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from .._lint.model import Finding
    from .._lint.result import Result

NAME = "netmedic.calico.lint"
FILES = {"json": "lint.json", "text": "lint.txt", "sarif": "lint.sarif.json", "junit": "lint.junit.xml"}
ROOT, ROOT_SAYS = "%SRCROOT%", "The folder in which the linter was run."
PAGE = "docs/prevention.md"
WIDTH, NARROWEST = 100, 40
_INDENT = " " * 4


def rendered(result: Result, formats: Iterable[str], fail_on: str, at: str, width: int = WIDTH) -> dict[str, bytes]:
    """By the name of its file the content of each form. at: now, RFC 3339 in UTC."""
    makers: dict[str, Callable[[], str]] = {
        "json": lambda: json.dumps(result.as_dict(), indent=2, ensure_ascii=False) + "\n",
        "text": lambda: "\n".join([*lines(result, width), ""]),
        "sarif": lambda: sarif(result, at),
        "junit": lambda: junit(result, fail_on, at),
    }
    wanted = set(formats)
    return {FILES[form]: makers[form]().encode("utf-8", "replace") for form in FILES if form in wanted}


def lines(result: Result, width: int = WIDTH) -> list[str]:
    """All lines, file by file, without anything that a terminal obeys."""
    told = [*_lines(result, max(width, NARROWEST))]
    return [plain.text(line).rstrip() for line in told]


def _lines(result: Result, width: int) -> Iterator[str]:
    yield f"{len(result.files)} file(s) with {result.objects} object(s) checked"
    by_file: dict[str, list[Finding]] = {}
    for one in result.findings:
        by_file.setdefault(one.file, []).append(one)
    for found in by_file.values():
        yield ""
        explained: set[str] = set()
        for one in sorted(found, key=lambda finding: (finding.line, finding.order)):
            yield f"{place(one)}: {one.severity}: {one.rule}"
            yield from _wrapped(one.summary, width)
            if one.rule not in explained:
                explained.add(one.rule)
                yield from _wrapped(one.why, width)
                yield from _wrapped(f"Fix: {one.fix}", width)
    yield ""
    yield f"Found: {_counted(result.findings) or 'nothing'}"


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=_INDENT,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _counted(findings: Iterable[Finding]) -> str:
    severities = [one.severity for one in findings]
    return ", ".join(f"{severities.count(one)} {one}" for one in reversed(SEVERITIES) if one in severities)


def sarif(result: Result, at: str) -> str:
    """SARIF 2.1.0, with paths relative to the folder of the run."""
    report = {"generated_at": at, "findings": [_item(one) for one in result.findings]}
    return code_scanning.sarif(report, ROOT, ROOT_SAYS)


def _item(one: Finding) -> dict[str, Any]:
    """A finding in the form of a report's."""
    item: dict[str, Any] = {
        "fault": one.rule,
        "family": "lint",
        "title": one.title,
        "severity": one.severity,
        "role": "cause",
        "confidence": 1.0,
        "nodes": [],
        "where": {"object": one.object, "field": one.field} if one.object else {},
        "summary": one.summary,
        "means": one.why,
        "fix": {"text": one.fix, "commands": []},
        "waived": None,
        "help": "" if one.fault else PAGE,
    }
    if one.line:
        item["location"] = {"file": _relative(one.file), "line": one.line}
    return item


def _relative(file: str) -> str:
    """A path as seen from the folder of the run, with slashes."""
    return os.path.relpath(file).replace(os.sep, "/")


def junit(result: Result, fail_on: str, at: str) -> str:
    """JUnit XML: a case for each file, which fails for what fails the play."""
    root = ElementTree.Element("testsuites", name=NAME)
    by_file: dict[str, list[Finding]] = {one: [] for one in result.files}
    for one in result.findings:
        by_file.setdefault(one.file, []).append(one)
    suites.add_suite(root, NAME, list(_cases(by_file, fail_on)), at)
    return suites.written(root)


def _cases(by_file: Mapping[str, list[Finding]], fail_on: str) -> Iterator[ElementTree.Element]:
    for file, found in by_file.items():
        case = suites.new_case(NAME, plain.text(file))
        grave = failing(found, fail_on)
        if grave:
            more = f" (and {len(grave) - 1} more)" if len(grave) > 1 else ""
            told = "\n\n".join(_told(one) for one in grave)
            suites.add_outcome(case, "failure", grave[0].rule, plain.text(f"{grave[0].summary}{more}"), told)
        rest = [one for one in found if one not in grave]
        if rest:
            suites.add_output(case, "\n\n".join(_told(one) for one in rest))
        yield case


def _told(one: Finding) -> str:
    rows = (f"{place(one)}: {one.severity}: {one.rule}", one.summary, one.why, f"Fix: {one.fix}")
    return "\n".join(plain.text(row) for row in rows)
