# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role rolling_restart by itself: what hangs comes back, and pods are replaced without a packet lost."""

from __future__ import annotations

import functools
import re
import time

import pytest

from ansible_collections.netmedic.calico.tests.lab import cures
from lab import birdc, waiting
from lab.topology import POD_POOL

NODE = "node-2"
PROBES = "/run/netmedic-probes"
# Without BIRD's route a packet would find its way by the default route and the lab's router, and nobody would notice.
RULES = (f"pref 100 to {POD_POOL} lookup main suppress_prefixlength 0", f"pref 101 to {POD_POOL} unreachable")


@pytest.fixture
def cluster(lab):
    for node in lab.nodes:
        lab.exec(node.name, ["sh", "-c", "; ".join(f"ip rule add {rule}" for rule in RULES)])
    yield lab
    for node in lab.nodes:
        lab.exec(node.name, ["sh", "-c", "; ".join(f"ip rule del {rule}" for rule in RULES)], check=False)
        lab.exec(node.name, ["rm", "-rf", cures.RECORDS, PROBES], check=False)


run = functools.partial(cures.run, role="rolling_restart")


def down(lab, node=NODE):
    """The peers with whom a node has no session; all where its BIRD does not answer."""
    try:
        found = birdc.sessions(lab.machine(node))
    except birdc.BirdError:
        return ["BIRD"]
    return sorted(name for name, session in found.items() if not session.established)


@pytest.mark.thorough
def test_what_hangs_is_stopped_or_left_something_unread_comes_back(cluster, tmp_path):
    """One node after the other, each by the least that helps; and what can be undone is."""
    lab = cluster
    hung, stopped, stuck = NODE, "node-3", "node-4"
    lab.make("bird_reload_stuck", stuck, "peer")
    lab.make("bird_not_running", stopped)
    lab.make("bird_hung", hung)
    foretold = run(lab, tmp_path, "--check")
    assert [down(lab, name) for name in (hung, stopped)] == [["BIRD"]] * 2
    probes = start_probes(lab, without=stopped)
    done = run(lab, tmp_path)
    assert lost(lab, probes) == {}
    assert cures.diffs(done) == cures.diffs(foretold)
    assert [len(re.findall(word, done)) for word in (r"\+.*SIGKILL", r"\+.*bird.*: running", r"\+configure")] == [
        1,
        1,
        1,
    ]
    waiting.until(lambda: " ".join(one for node in lab.nodes for one in down(lab, node.name)), "all sessions", 30)
    assert cures.changed(done) == 3
    assert cures.changed(run(lab, tmp_path)) == 0
    undo = {"netmedic.calico.host_change": {"id": "manual-rolling_restart", "state": "undone"}}
    assert cures.changed(run(lab, tmp_path, task=undo, hosts=stopped)) == 1
    assert down(lab, stopped) == ["BIRD"]


def test_pods_are_replaced_one_after_the_other_without_a_packet_lost(cluster, tmp_path):
    lab = cluster
    probes = start_probes(lab)
    wish = {"rolling_restart_force": True, "rolling_restart_from": "pod", "rolling_restart_to": "pod"}
    done = run(lab, tmp_path, **wish, rolling_restart_nodes=["node-1", NODE])
    assert lost(lab, probes) == {}
    assert cures.changed(done) == 2
    assert [down(lab, node.name) for node in lab.nodes] == [[]] * len(lab.nodes)


@pytest.mark.thorough
def test_the_probes_notice_a_route_that_is_withdrawn(cluster):
    """SIGTERM says farewell to the peers: what the role never does."""
    probes = start_probes(cluster)
    cluster.exec(NODE, ["sv", "restart", "bird"])
    time.sleep(4)
    assert {pair for pair in lost(cluster, probes) if NODE in pair} != set()
    waiting.until(lambda: " ".join(down(cluster)), "all sessions", 30)


def start_probes(lab, without=""):
    """Ask for pods of other nodes ten times a second, from each node; the pairs that are asked for."""
    nodes = [node for node in lab.nodes if node.name != without]
    pairs = [(one, other) for one in nodes for other in nodes if one != other]
    for one, other in pairs:
        path = f"{PROBES}/{other.name}"
        line = f"mkdir -p {PROBES}; ping -n -i 0.1 -w 300 {other.pod_address} > {path} 2>&1 & echo $! > {path}.pid"
        lab.exec(one.name, ["sh", "-c", line])
    return pairs


def lost(lab, pairs):
    """End the probes. How many were not answered, by pair; the last one may still have been on its way."""
    found = {}
    for one, other in pairs:
        path = f"{PROBES}/{other.name}"
        end = (
            f"kill -INT $(cat {path}.pid); while kill -0 $(cat {path}.pid) 2>/dev/null; do sleep 0.05; done; cat {path}"
        )
        text = lab.exec(one.name, ["sh", "-c", end]).stdout
        answered = {int(number) for number in re.findall(r"icmp_seq=(\d+) ttl", text)}
        asked = int(re.search(r"(\d+) packets transmitted", text)[1])
        assert asked > 20
        missing = set(range(1, asked)) - answered
        if missing:
            found[one.name, other.name] = len(missing)
    return found
