# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as JUnit XML, for pipelines: a test case for each node, and for what is of no node.

A case fails for the findings at its node that fail the play, is an error where the node was not read, and is skipped
where everything at it is waived. So a finding at three nodes fails three cases, and no case twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from .._analysis.failure import NEVER, counts, failure
from .._catalogue.model import SEVERITIES
from .clean import clean
from .terminal import place, verdict_told

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

NAME = "netmedic.calico"
_MOST = 20
_LONGEST = 16_000


def junit(report: Mapping[str, Any], fail_on: str = "major", incomplete: bool = False) -> str:
    """The whole file. fail_on and incomplete: as of the filter failure. KeyError, TypeError or AttributeError for what
    is no whole report."""
    told = clean(report)
    root = ElementTree.Element("testsuites", name=NAME)
    add_suite(root, f"{NAME}.nodes", _nodes(told, fail_on), told["generated_at"])
    add_suite(root, f"{NAME}.cluster", _cluster(told, fail_on, incomplete), told["generated_at"])
    return written(root)


def written(root: ElementTree.Element) -> str:
    """The whole file, with the totals of its suites."""
    for total in ("tests", "failures", "errors", "skipped"):
        root.set(total, str(sum(int(suite.get(total, "0")) for suite in root)))
    root.set("time", "0")
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False).join(
        ('<?xml version="1.0" encoding="UTF-8"?>\n', "\n")
    )


def add_suite(root: ElementTree.Element, name: str, cases: Iterable[ElementTree.Element], at: str) -> None:
    """Add a suite with its cases. at: when they were made, RFC 3339 in UTC."""
    found = list(cases)
    count = {kind: sum(case.find(kind) is not None for case in found) for kind in ("failure", "error", "skipped")}
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name=name,
        tests=str(len(found)),
        failures=str(count["failure"]),
        errors=str(count["error"]),
        skipped=str(count["skipped"]),
        timestamp=at.removesuffix("Z"),
        hostname="localhost",
        time="0",
    )
    suite.extend(found)


def _nodes(report: Mapping[str, Any], fail_on: str) -> Iterable[ElementTree.Element]:
    nodes = report["coverage"]["nodes"]
    missing = {one["node"]: one["why"] for one in nodes["missing"]}
    at: dict[str, list[Mapping[str, Any]]] = {}
    for item in report["findings"]:
        for name in item["nodes"]:
            at.setdefault(name, []).append(item)
    drawn = [one["name"] for one in (report.get("mesh") or {}).get("nodes", ()) if not one.get("external")]
    for name in dict.fromkeys((*drawn, *missing, *at)):
        case = new_case(f"{NAME}.nodes", name)
        if name in missing and not _failing(at.get(name, ()), fail_on):
            add_outcome(case, "error", "not read", f"not read: {missing[name]}", "")
        else:
            _judge(case, at.get(name, ()), fail_on)
        yield case


def _cluster(report: Mapping[str, Any], fail_on: str, incomplete: bool) -> Iterable[ElementTree.Element]:
    """What is of no node, fault by fault, and whether the evidence allows a statement."""
    by_fault: dict[str, list[Mapping[str, Any]]] = {}
    for item in report["findings"]:
        if not item["nodes"]:
            by_fault.setdefault(item["fault"], []).append(item)
    for fault, items in by_fault.items():
        case = new_case(f"{NAME}.cluster", fault)
        _judge(case, items, fail_on)
        yield case
    case = new_case(f"{NAME}.cluster", "evidence")
    why = failure(report, NEVER, incomplete)
    if why:
        add_outcome(case, "error", "incomplete", why, "")
    else:
        add_output(case, f"Verdict {verdict_told(report)}")
    yield case


def new_case(suite: str, name: str) -> ElementTree.Element:
    """A test case that passes so far."""
    return ElementTree.Element("testcase", classname=suite, name=name, time="0")


def _failing(items: Sequence[Mapping[str, Any]], fail_on: str) -> list[Mapping[str, Any]]:
    if fail_on == NEVER:
        return []
    least = SEVERITIES.index(fail_on)
    return [item for item in items if counts(item) and SEVERITIES.index(item["severity"]) >= least]


def _judge(case: ElementTree.Element, items: Sequence[Mapping[str, Any]], fail_on: str) -> None:
    """What becomes of a case by what was found."""
    failing = _failing(items, fail_on)
    waived = [item for item in items if item["waived"]]
    if failing:
        first = failing[0]
        more = f" (and {len(failing) - 1} more)" if len(failing) > 1 else ""
        text = "\n\n".join(_told(item) for item in failing[:_MOST])
        add_outcome(case, "failure", first["fault"], f"{first['summary']}{more}", text)
    elif waived:
        one = waived[0]["waived"]
        add_outcome(case, "skipped", "waived", f"waived until {one['expires']}: {one['reason']}", "")
    rest = [item for item in items if item not in failing and item["role"] != "consequence"]
    if rest:
        add_output(case, "\n\n".join(_told(item) for item in rest[:_MOST]))


def add_outcome(case: ElementTree.Element, kind: str, about: str, message: str, text: str) -> None:
    """Have a case fail, be in error or be skipped."""
    # Of a skipped case the schemas in use know no type.
    told = {"message": message} if kind == "skipped" else {"type": about, "message": message}
    ElementTree.SubElement(case, kind, told).text = text[:_LONGEST] or None


def add_output(case: ElementTree.Element, text: str) -> None:
    """Add what a case has to say besides its outcome."""
    ElementTree.SubElement(case, "system-out").text = text[:_LONGEST]


def _told(item: Mapping[str, Any]) -> str:
    """A finding in a few lines."""
    at_fault = place(item["where"])
    lines = [
        f"{item['severity']}: {item['fault']} ({item['confidence']:.0%} sure)",
        item["summary"],
        f"Where: {at_fault}" if at_fault else "",
        f"Fix: {item['fix']['text']}" if item["fix"]["text"] else "",
        *(f"  {command}" for command in item["fix"]["commands"]),
    ]
    return "\n".join(line for line in lines if line)
