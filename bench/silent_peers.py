# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The worst case of probing: all of a thousand peers are down, and not one answers anything."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import TYPE_CHECKING, Any

from bench import large_node
from bench.figure import Figure
from bench.on_node import Module
from bench.wall_time import STATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.progress import Say

PEERS = 1000
LIMIT_SECONDS = 3.0
ROUNDS = 3
HOW = (
    f"a lab node with {PEERS} peers behind a firewall that drops everything; bgp_facts, which probes each peer by TCP "
    "and by echo, with its default options; wall time of a pass less that of one with probe: false, medians of "
    f"{ROUNDS} runs"
)
HOW_WHOLE = "the same node, a whole pass of node_facts, which also measures what the paths carry"


def figures(say: Say) -> Iterator[Figure]:
    """Seconds for a thousand probes of silent peers."""
    with large_node.running(STATE, PEERS, 0, say) as node:
        node.lose_all_peers()
        with_probes = Module(node.lab, large_node.NODE, "bgp_facts", {})
        without = Module(node.lab, large_node.NODE, "bgp_facts", {"probe": False})
        whole = Module(node.lab, large_node.NODE, "node_facts", {})
        say(f"measuring bgp_facts and node_facts with {PEERS} silent peers")
        quiet, probing, passes = without.run(ROUNDS), with_probes.run(ROUNDS), whole.run(ROUNDS)
    for watched in (probing, passes):
        _must_be_silent(watched.facts)
    seconds = statistics.median(probing.wall) - statistics.median(quiet.wall)
    yield Figure(f"probe_seconds_{PEERS}_silent_peers", round(seconds, 3), "s", LIMIT_SECONDS, HOW)
    wall, cpu = statistics.median(passes.wall), statistics.median(passes.seconds)
    yield Figure(f"pass_seconds_{PEERS}_silent_peers", round(wall, 3), "s", how=HOW_WHOLE)
    yield Figure(f"node_cpu_seconds_{PEERS}_silent_peers", round(cpu, 3), "s", how=HOW_WHOLE)
    yield Figure(f"peak_memory_{PEERS}_silent_peers", round(passes.peak / 1024, 1), "MiB", how=HOW_WHOLE)


def _must_be_silent(facts: Any) -> None:
    """The figures mean nothing if not every peer was probed, or one answered."""
    told = facts["calico_bgp"]
    results = Counter(probe["result"] for probe in told["probes"])
    for group in told.get("probes_groups", ()):
        results[group["result"]] += group["count"]
    if results != {"silent": PEERS}:
        raise RuntimeError(f"of {PEERS} silent peers the probes say {dict(results)}")
