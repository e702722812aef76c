# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one pass of `node_facts` costs a large node: processor time and memory there, bytes of facts, and how the time
grows with rules and with peers."""

from __future__ import annotations

import json
import math
import statistics
from typing import TYPE_CHECKING, Any

from bench import large_node
from bench.figure import Figure
from bench.on_node import Module, Watched, established
from bench.wall_time import STATE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.large_node import LargeNode
    from lab.progress import Say

PEERS, RULES = 1000, 10_000
# Well beyond what a node has: a few rules and peers more or less cost less than what another process disturbs.
PEER_STEPS, RULE_STEPS = (1000, 2000, 3000), (3000, 10_000, 30_000, 100_000)
# A node without any would not do as the base: it does not even load what reads them.
FEW = 10
LIMIT_BYTES = 8 * 1024
LIMIT_CPU_SECONDS = 0.5
LIMIT_MEBIBYTES = 64
LIMIT_EXPONENT = 1.15
ROUNDS = 9
HOW = (
    f"a lab node with {PEERS} established peers (emulated BIRD, real TCP sessions) and {RULES} iptables rules; the "
    f"module as Ansible sends it, median of {ROUNDS} runs, with the programs it calls"
)
HOW_MEMORY = "getrusage's maxrss: the largest of the module's process and those of the programs it calls, over all runs"
HOW_GROWTH = (
    "least of {rounds} runs at each size; exponent: slope of the least-squares line through the logarithms of size and "
    "of what the pass costs above the same node with {few} {what}"
)


def figures(say: Say) -> Iterator[Figure]:
    """Bytes, processor seconds and memory of node_facts, and how the seconds grow."""
    with large_node.running(STATE, PEERS, RULES, say, most_peers=max(PEER_STEPS)) as node:
        module = Module(node.lab, large_node.NODE, "node_facts", {})
        say("measuring node_facts")
        whole = _measured(module, PEERS)
        yield from _whole(whole)
        yield from _growth("rules", RULE_STEPS, _by_rules(node, module, say))
        node.rules(RULES)
        yield from _growth("peers", PEER_STEPS, _by_peers(node, module, say))


def _measured(module: Module, peers: int) -> Watched:
    """Some runs, in which the node must have seen its peers."""
    watched = module.run(ROUNDS)
    seen = established(watched.facts)
    if seen != peers:
        raise RuntimeError(f"node_facts saw {seen} established peers instead of {peers}")
    return watched


def _whole(watched: Watched) -> Iterator[Figure]:
    """The figures of the largest node."""
    yield Figure(f"facts_bytes_{PEERS}_peers", _size(watched.facts), "bytes", LIMIT_BYTES, HOW)
    for name, fact in sorted(watched.facts.items()):
        yield Figure(f"facts_bytes_{name}", _size(fact), "bytes", how=HOW)
    seconds = round(statistics.median(watched.seconds), 3)
    yield Figure(f"node_cpu_seconds_{RULES}_rules_{PEERS}_peers", seconds, "s", LIMIT_CPU_SECONDS, HOW)
    yield Figure("node_peak_memory", round(watched.peak / 1024, 1), "MiB", LIMIT_MEBIBYTES, HOW_MEMORY)


def _size(facts: Any) -> int:
    return len(json.dumps(facts, separators=(",", ":")).encode())


def _by_rules(node: LargeNode, module: Module, say: Say) -> dict[int, float]:
    """Least seconds for each number of rules, with all peers."""
    costs = {}
    for count in (FEW, *RULE_STEPS):
        say(f"measuring node_facts with {count} rules and {PEERS} peers")
        node.rules(count)
        costs[count] = min(_measured(module, PEERS).seconds)
    return costs


def _by_peers(node: LargeNode, module: Module, say: Say) -> dict[int, float]:
    """Least seconds for each number of peers, with all rules."""
    costs = {}
    for count in (FEW, *PEER_STEPS):
        say(f"measuring node_facts with {RULES} rules and {count} peers")
        node.peers(count)
        costs[count] = min(_measured(module, count).seconds)
    return costs


def _growth(what: str, steps: Sequence[int], costs: dict[int, float]) -> Iterator[Figure]:
    """The exponent with the seconds that it is fitted to."""
    how = HOW_GROWTH.format(rounds=ROUNDS, few=FEW, what=what)
    for count in (FEW, *steps):
        yield Figure(f"growth_cpu_seconds_{count}_{what}", round(costs[count], 4), "s", how=how)
    above = [(count - FEW, costs[count] - costs[FEW]) for count in steps]
    yield Figure(f"growth_exponent_{what}", round(exponent(above), 3), "", LIMIT_EXPONENT, how)


def exponent(points: Sequence[tuple[float, float]]) -> float:
    """The slope of the least-squares line through the logarithms of (size, cost): 1 if the cost is linear.

    A cost that is not above zero cannot be told from the noise and is left out. Raises RuntimeError if fewer than two
    are left.
    """
    logarithms = [(math.log(size), math.log(cost)) for size, cost in points if cost > 0]
    if len(logarithms) < 2:
        raise RuntimeError("the cost does not rise above the noise, so no exponent can be fitted")
    sizes, costs = zip(*logarithms, strict=True)
    return statistics.linear_regression(sizes, costs).slope
