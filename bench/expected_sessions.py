# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long it takes to work out which sessions ought to exist, and how much memory: in full mesh and with reflectors.

Needs no lab: the graph is made from the cluster's objects alone.
"""

from __future__ import annotations

import importlib
import statistics
import time
import tracemalloc
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.progress import Say

COLLECTION = "ansible_collections.netmedic.calico.plugins.plugin_utils"
MESH, REFLECTED, REFLECTORS = 1000, 5000, 10
LIMIT_SECONDS = 2.0
LIMIT_MEBIBYTES = 64
ROUNDS = 3
HOW = (
    f"made objects; expected(): all problems with it; sessions counted, and how routes spread; medians of {ROUNDS} in "
    "processor time; memory: most that Python held at once in another run"
)


class Case(NamedTuple):
    """One cluster to work on, and how many sessions it must come to."""

    name: str
    cluster: Any
    sessions: int


def figures(say: Say) -> Iterator[Figure]:
    """Seconds and memory for each cluster."""
    expected = importlib.import_module(f"{COLLECTION}._peering.expected").expected
    parts = importlib.import_module(f"{COLLECTION}._peering.parts").parts
    for case in _cases():
        say(f"working out the sessions of {case.name.replace('_', ' ')}")
        found = expected(case.cluster)
        if found.count() != case.sessions or found.problems:
            raise RuntimeError(f"{case.name}: {found.count()} sessions instead of {case.sessions}")
        seconds = _median(partial(expected, case.cluster))
        yield Figure(f"expected_sessions_seconds_{case.name}", seconds, "s", LIMIT_SECONDS, HOW)
        yield Figure(f"expected_sessions_count_seconds_{case.name}", _median(found.count), "s", how=HOW)
        seconds = _median(partial(parts, found, "ipv4"))
        yield Figure(f"expected_routes_seconds_{case.name}", seconds, "s", LIMIT_SECONDS, HOW)
        yield Figure(f"expected_sessions_memory_{case.name}", _memory(expected, case), "MiB", LIMIT_MEBIBYTES, HOW)


def _cases() -> Iterator[Case]:
    model = importlib.import_module(f"{COLLECTION}._cluster.model")
    yield Case(f"{MESH}_mesh", model.Cluster(True, calico_nodes=_nodes(model, MESH, 0)), MESH * (MESH - 1) // 2)
    peer = model.BGPPeer("reflectors", node_selector="all()", peer_selector="route-reflector == 'true'")
    cluster = model.Cluster(
        True,
        calico_nodes=_nodes(model, REFLECTED, REFLECTORS),
        bgp_configurations={"default": model.BGPConfiguration("default", mesh=False)},
        bgp_peers=(peer,),
    )
    between = REFLECTORS * (REFLECTORS - 1) // 2
    sessions = (REFLECTED - REFLECTORS) * REFLECTORS + between
    yield Case(f"{REFLECTED}_with_{REFLECTORS}_reflectors", cluster, sessions)


def _nodes(model: Any, count: int, reflectors: int) -> dict[str, Any]:
    found = {}
    for number in range(count):
        reflects = number < reflectors
        name = f"node-{number:05}"
        found[name] = model.CalicoNode(
            name,
            ipv4=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}/16",
            route_reflector_cluster_id="244.0.0.1" if reflects else "",
            labels={"kubernetes.io/hostname": name, **({"route-reflector": "true"} if reflects else {})},
        )
    return found


def _median(work: Callable[[], Any]) -> float:
    seconds = []
    for _round in range(ROUNDS):
        begun = time.process_time()
        work()
        seconds.append(time.process_time() - begun)
    return round(statistics.median(seconds), 4)


def _memory(expected: Callable[[Any], Any], case: Case) -> float:
    """The most that was held at once, walking through all sessions too."""
    tracemalloc.start()
    try:
        for _session in expected(case.cluster).sessions():
            pass
        return round(tracemalloc.get_traced_memory()[1] / 2**20, 2)
    finally:
        tracemalloc.stop()
