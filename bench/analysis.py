# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the analysis of a large mesh takes, beside reading the same facts as JSON, and whether it stays linear.

Needs no lab.
"""

from __future__ import annotations

import importlib
import json
import statistics
import time
import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bench import large_mesh
from bench.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.progress import Say

COLLECTION = "ansible_collections.netmedic.calico.plugins.plugin_utils"
NODES, FEWER, DOWN = 1000, 500, 0.01
NOW = datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)
ROUNDS = 3
LIMIT_RATIO = 3.0
# Twice the nodes are four times the session ends.
LIMIT_GROWTH = 4.5
LIMIT_MEBIBYTES = 1536
HOW = (
    f"made facts of {NODES} nodes in full mesh, {DOWN:.0%} of the sessions down; from the facts to the report; medians "
    f"of {ROUNDS} in processor time; memory: most that Python held at once in another run"
)


def figures(say: Say) -> Iterator[Figure]:
    """Seconds, ratio and memory."""
    say(f"making the facts of {NODES} nodes")
    many, fewer = large_mesh.facts(NODES, DOWN), large_mesh.facts(FEWER, DOWN)
    text = json.dumps(many)
    say("analysing them")
    reading = _median(lambda: json.loads(text))
    seconds, less = _median(lambda: analysed(many)), _median(lambda: analysed(fewer))
    yield Figure("analysis_seconds", seconds, "s", how=HOW)
    yield Figure("analysis_json_seconds", reading, "s", how=HOW)
    yield Figure("analysis_to_json_ratio", seconds / reading, "", LIMIT_RATIO, HOW)
    yield Figure("analysis_growth_for_double", seconds / less, "", LIMIT_GROWTH, HOW)
    tracemalloc.start()
    try:
        analysed(many)
        yield Figure("analysis_memory", tracemalloc.get_traced_memory()[1] / 2**20, "MiB", LIMIT_MEBIBYTES, HOW)
    finally:
        tracemalloc.stop()


def analysed(facts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The report on facts."""
    inventory = importlib.import_module(f"{COLLECTION}._evidence.inventory")
    analysis = importlib.import_module(f"{COLLECTION}._analysis.report")
    hostvars = {name: {"ansible_facts": told} for name, told in facts.items()}
    report: dict[str, Any] = analysis.analyse(inventory.from_hostvars(hostvars, list(facts), NOW, 900), NOW)
    return report


def _median(work: Callable[[], object]) -> float:
    times = []
    for _round in range(ROUNDS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return statistics.median(times)
