# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the analysis of a large mesh takes, beside reading the same evidence as JSON, and whether it stays linear.

Of the same evidence there are two texts. Written out, each of the 999,000 session ends is a record: the limit is about
these. As it arrives, the nodes have packed it, a healthy end in about a byte, so that there is next to nothing to read;
what the analysis takes beside that is told, without a limit. Needs no lab.
"""

from __future__ import annotations

import importlib
import json
import statistics
import time
import tracemalloc
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from bench import large_mesh, written_out
from bench.figure import Figure
from bench.node_cost import exponent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.progress import Say

COLLECTION = "ansible_collections.netmedic.calico.plugins.plugin_utils"
NODES, DOWN = 1000, 0.01
STEPS = (250, 500, NODES)
NOW = datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)
ROUNDS = 3
LIMIT_RATIO = 3.0
LIMIT_EXPONENT = 1.15
LIMIT_MEBIBYTES = 1536
HOW = (
    f"made facts of {NODES} nodes in full mesh, {DOWN:.0%} of the sessions down; from the facts to the report; medians "
    f"of {ROUNDS} in processor time; memory: most that Python held at once in another run"
)
HOW_PACKED = (
    "json.loads of the facts as they arrive: nodes pack their healthy sessions, about a byte for each end, so the text "
    "holds few records; the ratio to it is told, and has no limit"
)
HOW_WRITTEN_OUT = (
    "json.loads of the same evidence with nothing packed: every session end as a record with the keys that bgp_facts "
    "gives one; node by node, all of them, in processor time, without the writing; the limit is on the ratio to this"
)
HOW_GROWTH = (
    f"least of {ROUNDS} runs at each size; exponent: slope of the least-squares line through the logarithms of session "
    "ends and of seconds (1 is linear in session ends)"
)


def figures(say: Say) -> Iterator[Figure]:
    """Seconds, both ratios, growth and memory."""
    say(f"making the facts of {', '.join(map(str, STEPS))} nodes")
    meshes = {nodes: large_mesh.facts(nodes, DOWN) for nodes in STEPS}
    many = meshes[NODES]
    say("analysing them")
    taken = {nodes: _seconds(partial(analysed, mesh)) for nodes, mesh in meshes.items()}
    seconds = statistics.median(taken[NODES])
    yield Figure("analysis_seconds", seconds, "s", how=HOW)
    yield from _beside_written_out(many, seconds, say)
    yield from _beside_packed(many, seconds)
    yield from _growth(taken)
    tracemalloc.start()
    try:
        analysed(many)
        yield Figure("analysis_memory", tracemalloc.get_traced_memory()[1] / 2**20, "MiB", LIMIT_MEBIBYTES, HOW)
    finally:
        tracemalloc.stop()


def _beside_written_out(facts: dict[str, dict[str, Any]], seconds: float, say: Say) -> Iterator[Figure]:
    say("reading the same evidence written out")
    read = written_out.reading(facts)
    if read.ends != NODES * (NODES - 1):
        raise RuntimeError(f"{read.ends} session ends were written out instead of {NODES * (NODES - 1)}")
    yield Figure("analysis_written_out_session_ends", read.ends, "", how=HOW_WRITTEN_OUT)
    yield Figure("analysis_written_out_size", read.size / 2**20, "MiB", how=HOW_WRITTEN_OUT)
    yield Figure("analysis_written_out_json_seconds", read.seconds, "s", how=HOW_WRITTEN_OUT)
    yield Figure("analysis_to_json_ratio", seconds / read.seconds, "", LIMIT_RATIO, HOW_WRITTEN_OUT)


def _beside_packed(facts: dict[str, dict[str, Any]], seconds: float) -> Iterator[Figure]:
    text = json.dumps(facts)
    reading = statistics.median(_seconds(lambda: json.loads(text)))
    yield Figure("analysis_packed_size", len(text) / 2**20, "MiB", how=HOW_PACKED)
    yield Figure("analysis_packed_json_seconds", reading, "s", how=HOW_PACKED)
    yield Figure("analysis_to_packed_json_ratio", seconds / reading, "", how=HOW_PACKED)


def _growth(taken: dict[int, list[float]]) -> Iterator[Figure]:
    for nodes, times in taken.items():
        yield Figure(f"analysis_seconds_{nodes}_nodes", min(times), "s", how=HOW_GROWTH)
    points = [(nodes * (nodes - 1), min(times)) for nodes, times in taken.items()]
    yield Figure("analysis_growth_exponent", round(exponent(points), 3), "", LIMIT_EXPONENT, HOW_GROWTH)


def analysed(facts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The report on facts."""
    inventory = importlib.import_module(f"{COLLECTION}._evidence.inventory")
    analysis = importlib.import_module(f"{COLLECTION}._analysis.report")
    hostvars = {name: {"ansible_facts": told} for name, told in facts.items()}
    report: dict[str, Any] = analysis.analyse(inventory.from_hostvars(hostvars, list(facts), NOW, 900), NOW)
    return report


def _seconds(work: Callable[[], object]) -> list[float]:
    times = []
    for _round in range(ROUNDS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return times
