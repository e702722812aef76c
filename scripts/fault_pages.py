# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages under docs/faults and the table of faults in docs/faults.md, written from the catalogue.

python3 -m scripts.fault_pages           write them
python3 -m scripts.fault_pages --check   only tell whether they are what the catalogue says (exit status 1 if not)
"""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue.faults import BY_ID, FAULTS
from scripts.console import complain, say
from scripts.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue.model import Fault, Signal

PAGES = ROOT / "docs" / "faults"
LIST = ROOT / "docs" / "faults.md"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"
NOTE = "<!-- Written by `make docs` from plugins/plugin_utils/_catalogue. Do not edit. -->"
ROLE = {
    "cause": "a cause",
    "contributing": "a contributing circumstance, never the cause of a BGP failure",
    "latent": "latent: nothing is broken yet",
    "not_a_fault": "not a fault",
}


def _paragraph(text: str) -> str:
    return textwrap.fill(text, 118, break_long_words=False, break_on_hyphens=False)


def _signals(signals: Iterable[Signal]) -> list[str]:
    ordered = sorted(signals, key=lambda signal: -abs(signal.weight))
    return [f"- {signal.says}{' *(needed)*' if signal.required else ''}" for signal in ordered]


def page(fault: Fault) -> str:
    """One fault's page in Markdown."""
    against = [signal for signal in fault.signals if signal.weight < 0]
    parts = [
        NOTE,
        f"# {fault.title}",
        f"`{fault.id}`, family `{fault.family}`, severity {fault.severity_says}; {ROLE[fault.role]}.",
        _paragraph(fault.means),
        "## What speaks for it",
        "\n".join(_signals(signal for signal in fault.signals if signal.weight > 0)),
    ]
    needed = [signal for signal in fault.signals if signal.required]
    if len(needed) > 1:
        parts.append("At least one of those marked *(needed)* must be seen.")
    if against:
        parts += ["## What speaks against it", "\n".join(_signals(against))]
    if fault.lookalikes:
        told = [f"- {_link(other.fault)}: {other.told_apart_by}" for other in fault.lookalikes]
        parts += ["## Easily confused with", "\n".join(told)]
    parts += [
        "## What to do",
        _paragraph(fault.fix.text),
        f"Risk: {fault.fix.risk}. Disrupts: {fault.fix.disrupts}.",
        "## How to see that it is gone",
        _paragraph(fault.verify),
    ]
    return "\n\n".join(parts) + "\n"


def _link(name: str) -> str:
    """A fault's id, linked where it has a page."""
    return f"[`{name}`]({name}.md)" if name in BY_ID else f"`{name}`"


def table() -> str:
    """The table of the faults that can be named."""
    rows = [
        f"| [`{fault.id}`](faults/{fault.id}.md) | {fault.title} | {' or '.join(fault.severities)} "
        f"| {'yes' if fault.fix.remedy else ''} |"
        for fault in FAULTS
    ]
    return "\n".join((BEGIN, "| id | what | severity | repaired |", "| --- | --- | --- | --- |", *rows, END))


def expected() -> dict[Path, str]:
    """Every generated file with what it should contain."""
    pages = {PAGES / f"{fault.id}.md": page(fault) for fault in FAULTS}
    head, _begin, rest = LIST.read_text(encoding="utf-8").partition(BEGIN)
    _old, _end, tail = rest.partition(END)
    return {**pages, LIST: head + table() + tail}


def drift() -> list[str]:
    """What differs from the catalogue, one sentence each."""
    wanted = expected()
    stale = [path for path in PAGES.glob("*.md") if path not in wanted]
    wrong = [path for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    return [f"{path.relative_to(ROOT)} is not what the catalogue says; run: make docs" for path in (*wrong, *stale)]


def write() -> None:
    """Write every generated file and remove pages of faults that are no more."""
    PAGES.mkdir(parents=True, exist_ok=True)
    wanted = expected()
    for path in PAGES.glob("*.md"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Write or check. The exit status."""
    if "--check" not in arguments:
        write()
        say(f"{len(FAULTS)} fault pages and their table are written.")
        return 0
    problems = drift()
    for problem in problems:
        complain(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
