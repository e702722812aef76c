# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forms in which a report is written, and the file that each of them has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

FILES = {
    "json": "report.json",
    "text": "report.txt",
    "html": "report.html",
    "markdown": "report.md",
    "junit": "report.junit.xml",
    "sarif": "report.sarif.json",
    "metrics": "report.prom",
}
# What is written unless somebody wants something else.
USUAL = ("json", "html")


class Wanted(NamedTuple):
    """What a rendering needs to know besides the report. fail_on, incomplete: what fails the play; ledger: before and
    after a repair; cluster: the label of the metrics."""

    fail_on: str = "major"
    incomplete: bool = False
    width: int = 80
    ledger: Mapping[str, Any] | None = None
    cluster: str = ""


def rendered(report: Mapping[str, Any], formats: Iterable[str], wanted: Wanted) -> dict[str, bytes]:
    """By the name of its file the content of each form, report.json first. ValueError, with a sentence, for a report
    that is not whole; of that only report.json can be had."""
    plain = json.dumps(report, indent=2, sort_keys=False, ensure_ascii=False) + "\n"
    chosen = [form for form in FILES if form in set(formats)]
    made = {FILES["json"]: plain} if "json" in chosen else {}
    others = [form for form in chosen if form != "json"]
    read = json.loads(plain) if others else {}
    made.update((FILES[form], _made(form, read, wanted)) for form in others)
    return {name: text.encode("utf-8", "replace") for name, text in made.items()}


def _made(form: str, report: Mapping[str, Any], wanted: Wanted) -> str:
    try:
        return _MAKERS[form](report, wanted)
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise ValueError(f"{FILES[form]} cannot be made of this report, which is incomplete: {error}") from error


# Each is imported where it is wanted: most runs want few of them.
def _text(report: Mapping[str, Any], wanted: Wanted) -> str:
    from .terminal import NARROWEST, lines

    return "\n".join([*lines(report, max(wanted.width, NARROWEST)), ""])


def _html(report: Mapping[str, Any], wanted: Wanted) -> str:
    from .html_page import page

    return page(report, wanted.ledger)


def _markdown(report: Mapping[str, Any], wanted: Wanted) -> str:
    from .markdown import markdown

    return markdown(report, wanted.ledger)


def _junit(report: Mapping[str, Any], wanted: Wanted) -> str:
    from .junit import junit

    return junit(report, wanted.fail_on, wanted.incomplete)


def _sarif(report: Mapping[str, Any], _wanted: Wanted) -> str:
    from .sarif import sarif

    return sarif(report)


def _metrics(report: Mapping[str, Any], wanted: Wanted) -> str:
    from .metrics import metrics

    return metrics(report, wanted.cluster)


_MAKERS: dict[str, Callable[[Mapping[str, Any], Wanted], str]] = {
    "text": _text,
    "html": _html,
    "markdown": _markdown,
    "junit": _junit,
    "sarif": _sarif,
    "metrics": _metrics,
}
