# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/reliability.md: of how many findings of which confidence were how many right.

python3 -m scripts.reliability             write it
python3 -m scripts.reliability --check     only tell whether it is what cases and record say (exit status 1 if not)
python3 -m scripts.reliability --refresh   first take into the record what build/matrix.json holds, and the public cases

The recorded cases (tests/unit/cases) are diagnosed anew each time. The fault matrix and the public cases, which lie
beside the checkout, are not at hand everywhere: what came of them is kept in tests/reliability.json.
"""

from __future__ import annotations

import itertools
import json
import math
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence as bundles
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import read as archives
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import Evidence
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.facts import read_node
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.model import MissingNode
from scripts import reliability_data as data
from scripts.console import complain, say
from scripts.paths import BUILD, ROOT, printable
from scripts.reliability_data import UNDETERMINED, Told, judged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

PAGE = ROOT / "docs" / "reliability.md"
CASES = ROOT / "tests" / "unit" / "cases"
PUBLIC = ROOT.parent / "shared" / "cases"
MATRIX = BUILD / "matrix.json"
SOURCES = {"recorded": "recorded cases", "public": "public cases", "matrix": "fault matrix"}
BANDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
GUESSES = (0.1, 0.2, 0.3, 0.4, 0.5)
# Fewer findings than that tell nothing of a band.
ENOUGH = 5
# The names that the public cases have for some causes, in the catalogue's.
_CALLED = {
    "unknown": UNDETERMINED,
    "hold_timer_expired_cpu": "hold_timer_expired",
    "unencapsulated_pod_ip_dropped_by_cloud": "encapsulation_disabled_but_needed",
}
_TEXT = """\
<!-- Written by `make docs` from tests/unit/cases and tests/reliability.json. Do not edit. -->

# How far confidence can be relied on

A finding's confidence is meant as a share: of the findings told with 0.9, nine in ten should be right. Here they are
counted, over {counts}.

A finding is *right* if it names the fault that is known to be the cause, at the node where it is known to be (of the
public cases only the fault is known). Counted is every finding that is called a cause, also one beside the right one,
so that a second cause that was not there is a wrong one; what is told as contributing, latent or no fault counts only
where that was to be found, and consequences not at all. A guess (`guess: true`) is a finding like others, of less
than 0.5, and there may be up to three of them, of which at most one can be right.

*Expected* is the mean confidence. The last column compares it with the share of right ones, by Wilson's interval of
95 %, and is empty where there are fewer than {enough} findings. The cases and the lab are also what the rules were
tried on while they were made: of clusters that nobody here has seen, fewer findings will be right than in these
tables. So "not sure enough" is no reason to raise a weight as long as it comes from one signal alone; "too sure" is
one to lower it, or to look for what should have spoken against.

## Causes

{causes}

## Guesses

{guesses}

## Undetermined

`undetermined` says that the evidence does not decide. That was right where the fault was hidden on purpose, or where
whoever knows the case says that what was read is not enough; else a cause could have been told. Its confidence is not
that of a cause.

{undetermined}

## Wrong causes

{wrong}
"""


class Counted(NamedTuple):
    """Findings of one band: how many there were, how many of them right, and the sum of their confidences."""

    number: int
    right: int
    confidence: float


Outcomes = dict[str, dict[str, list[Told]]]


# --- what comes of cases ---


def recorded() -> dict[str, list[Told]]:
    """What is told of each recorded case."""
    return {folder.name: _of_recorded(folder) for folder in sorted(path.parent for path in CASES.glob("*/case.json"))}


def _of_recorded(folder: Path) -> list[Told]:
    case = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    inventory = case["inventory"]
    facts = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("node-*.json"))}
    nodes = {name: read_node(name, told, inventory[name]) for name, told in facts.items()}
    absent = [name for name in inventory if name not in facts]
    evidence = Evidence(
        nodes, tuple(MissingNode(name, "unreachable", inventory[name], unreachable=True) for name in absent)
    )
    last = max(node.taken_at for node in nodes.values())
    found = analyse(evidence, datetime.fromisoformat(last) + timedelta(seconds=5))["findings"]
    return judged(found, lambda one: one["fault"] == case["fault"] and case["node"] in one["nodes"])


def public() -> dict[str, list[Told]]:
    """What is told of each public case; {} where they are not at hand."""
    return {folder.name: _of_public(folder) for folder in sorted(PUBLIC.glob("case-*"))}


def _of_public(folder: Path) -> list[Told]:
    known = yaml.safe_load((folder / "expected.yml").read_text(encoding="utf-8"))
    evidence, now = bundles.evidence(archives.read(str(folder / "bundle")))
    return judged(analyse(evidence, now)["findings"], right_of_public(known))


def right_of_public(known: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bool]:
    """What makes a finding right where this is known of a public case."""
    cause = _CALLED.get(known["cause"], known["cause"])
    right = {cause, UNDETERMINED} if known["answerable"] == "insufficient" else {cause}
    return lambda finding: finding["fault"] in right


def refreshed(record: Outcomes) -> Outcomes:
    """The record with what is at hand: rows of the matrix replace those of the same name, the public cases all."""
    rows = json.loads(MATRIX.read_text(encoding="utf-8")) if MATRIX.is_file() else []
    fresh = {row["name"]: [Told(*one) for one in row["told"]] for row in rows if not row["skipped"] and "told" in row}
    return {"matrix": {**record.get("matrix", {}), **fresh}, "public": public() or record.get("public", {})}


# --- the tables ---


def page() -> str:
    """The whole page."""
    outcomes = {"recorded": recorded(), **data.read()}
    counts = ", ".join(f"{len(outcomes[source])} {name}" for source, name in SOURCES.items() if source != "matrix")
    told = {source: [one for some in outcomes[source].values() for one in some] for source in SOURCES}
    causes = {source: [one for one in some if one.fault != UNDETERMINED] for source, some in told.items()}
    return _TEXT.format(
        counts=f"{counts} and {len(outcomes['matrix'])} rows of the fault matrix",
        enough=ENOUGH,
        causes=_table({source: [one for one in some if not one.guess] for source, some in causes.items()}, BANDS),
        guesses=_table(
            {source: [one for one in some if one.guess] for source, some in causes.items()}, (0.0, *GUESSES)
        ),
        undetermined=_plain({source: [one for one in told[source] if one.fault == UNDETERMINED] for source in SOURCES}),
        wrong="\n".join(_wrong(outcomes)) or "There is none.",
    )


def _table(told: Mapping[str, list[Told]], edges: tuple[float, ...]) -> str:
    lines = [
        f"| confidence | {' | '.join(SOURCES.values())} | all | expected | right | |",
        f"| --- {'| --- ' * (len(SOURCES) + 4)}|",
    ]
    for low, high in itertools.pairwise(edges):
        bands = [_count(told[source], low, high) for source in SOURCES]
        whole = Counted(*map(sum, zip(*bands, strict=True)))
        if whole.number:
            mean, share = whole.confidence / whole.number, whole.right / whole.number
            cells = [f"{low:.2f} to {high:.2f}", *map(_cell, bands), _cell(whole), f"{mean:.2f}", f"{share:.2f}"]
            lines.append(f"| {' | '.join([*cells, judgement(whole)])} |")
    return "\n".join(lines)


def _plain(told: Mapping[str, list[Told]]) -> str:
    bands = [_count(told[source], 0.0, 1.0) for source in SOURCES]
    head = f"| {' | '.join(SOURCES.values())} |\n| {'--- | ' * len(SOURCES)}"
    return f"{head.rstrip()}\n| {' | '.join(map(_cell, bands))} |"


def _count(told: Iterable[Told], low: float, high: float) -> Counted:
    some = [one for one in told if low <= one.confidence < high or one.confidence == high == 1.0]
    return Counted(len(some), sum(one.right for one in some), sum(one.confidence for one in some))


def _cell(counted: Counted) -> str:
    return f"{counted.right} of {counted.number}" if counted.number else "-"


def judgement(counted: Counted) -> str:
    """Whether the share of right findings is what their confidence says, as far as their number tells."""
    if counted.number < ENOUGH:
        return ""
    low, high = wilson(counted.right, counted.number)
    mean = counted.confidence / counted.number
    return "too sure" if mean > high else "not sure enough" if mean < low else "as it should be"


def wilson(right: int, number: int) -> tuple[float, float]:
    """Wilson's interval of 95 % for a share."""
    z = 1.96
    share = right / number
    middle = (share + z * z / (2 * number)) / (1 + z * z / number)
    half = z * math.sqrt(share * (1 - share) / number + z * z / (4 * number * number)) / (1 + z * z / number)
    return middle - half, middle + half


def _wrong(outcomes: Outcomes) -> Iterable[str]:
    for source, called in SOURCES.items():
        for name, told in sorted(outcomes[source].items()):
            for one in told:
                if not one.right and not one.guess and one.fault != UNDETERMINED:
                    yield f"- {called}, {name}: `{one.fault}` with {one.confidence:.2f}"


def drift() -> list[str]:
    """What differs from the cases and the record, one sentence each."""
    there = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""
    return [] if there == page() else [f"{printable(PAGE)} is not what the cases tell; run: make docs"]


def main(arguments: list[str]) -> int:
    """Write or check. The exit status."""
    if "--check" in arguments:
        problems = drift()
        for problem in problems:
            complain(problem)
        return 1 if problems else 0
    if "--refresh" in arguments:
        data.write(refreshed(data.read()))
        if not PUBLIC.is_dir():
            say(f"The public cases ({PUBLIC}) are not here; what the record holds of them is kept.")
    PAGE.write_text(page(), encoding="utf-8")
    say(f"{printable(PAGE)} is written.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
