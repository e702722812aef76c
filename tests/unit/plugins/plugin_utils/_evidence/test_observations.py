# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.ranking import rank
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence as bundles
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import read
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import observations
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.observations import Observation

ENVIRONMENT = """\
provider: bare-metal
observations:
  - {check: tcp, port: 179, from: node-1, to: node-2, result: open}
  - {check: ping, size: 1472, from: pod-on-node-1, to: pod-on-node-2, result: Timed Out}
  - {check: works-only, scope: same-subnet}
  - {check: tcp, port: "179", from: node-1, to: 10.0.0.12, result: Connection refused}
"""


def test_what_was_tried_is_read_in_its_order():
    assert observations.read(ENVIRONMENT) == (
        Observation("tcp", "node-1", "node-2", "open", 179),
        Observation("ping", "pod-on-node-1", "pod-on-node-2", "timeout", size=1472),
        Observation("works-only", scope="same-subnet"),
        Observation("tcp", "node-1", "10.0.0.12", "refused", 179),
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "observations:\n",
        "observations: tcp\n",
        "observations: [1, null, [], {}, {check: null}, {result: open}]\n",
        "- a\n- b\n",
        "observations: [{check: [tcp]}]\n",
        ": : :\n\t",
        "x" * 2_000_000,
    ],
)
def test_what_is_none_is_left_out(text):
    assert observations.read(text) == ()


def test_odd_values_cost_themselves_only():
    (one,) = observations.read(
        "observations: [{check: TCP, port: -1, size: 99999999999, from: [3], to: {}, result: 7}]"
    )
    assert (one.check, one.port, one.size, one.source, one.target) == ("tcp", None, None, "", "")


def tried(mesh, *lines):
    environment = "observations:\n" + "".join(f"  - {{{line}}}\n" for line in lines)
    return observations.with_what_was_tried(mesh.evidence(), observations.read(environment))


@pytest.mark.parametrize(
    ("told", "result"), [("open", "open"), ("refused", "reset"), ("timeout", "silent"), ("unreachable", "rejected")]
)
def test_a_connection_that_was_tried_between_nodes_is_a_probe(mesh, told, result):
    found = tried(mesh, f"check: tcp, port: 179, from: NODE-1, to: node-2, result: {told}")
    probe = found.nodes["node-1"].probes["10.0.0.10"]
    assert (probe.result, probe.detail) == (result, observations.TOLD)


def test_an_echo_between_nodes_tells_how_the_host_is_reached(mesh):
    found = tried(mesh, "check: ping, from: 10.0.0.9, to: node-2, result: timeout")
    assert found.nodes["node-1"].reachability["10.0.0.10"].echo == "silent"


@pytest.mark.parametrize(
    "line",
    [
        "check: tcp, port: 22, from: node-1, to: node-2, result: timeout",
        "check: tcp, from: node-1, to: node-2, result: timeout",
        "check: tcp, port: 179, from: pod-on-node-1, to: node-2, result: timeout",
        "check: tcp, port: 179, from: node-1, to: elsewhere, result: timeout",
        "check: tcp, port: 179, size: 1400, from: node-1, to: node-2, result: timeout",
        "check: ping, size: 1472, from: node-1, to: node-2, result: timeout",
    ],
)
def test_what_is_not_about_bgp_between_nodes_is_no_probe(mesh, line):
    found = tried(mesh, line)
    assert found.nodes == mesh.evidence().nodes
    assert len(found.observations) == 1


def test_what_was_measured_counts_before_what_was_tried_by_hand(mesh):
    mesh.probe("node-1", "node-2", "open")
    found = tried(mesh, "check: tcp, port: 179, from: node-1, to: node-2, result: timeout")
    assert found.nodes["node-1"].probes["10.0.0.10"].result == "open"


def causes(found):
    return {item.fault.id: item for item in rank(found) if item.role == "cause"}


def apart(mesh, name="node-2"):
    for peer in mesh.addresses:
        if peer != name:
            mesh.break_session(name, peer)


DIALLERS = ("node-1", "node-3", "node-4")


def test_silence_between_hosts_that_both_accept_is_the_networks(mesh):
    apart(mesh)
    lines = [f"check: tcp, port: 179, from: {name}, to: node-2, result: timeout" for name in DIALLERS]
    assert causes(tried(mesh, *lines)).keys() == {"tcp179_blocked_network"}


def test_silence_confirms_the_rule_that_drops(mesh):
    apart(mesh)
    mesh.block("node-2", list(DIALLERS))
    lines = [f"check: tcp, port: 179, from: {name}, to: node-2, result: timeout" for name in DIALLERS]
    item = causes(tried(mesh, *lines))["tcp179_blocked_host_firewall"]
    assert any("port 179: silence" in seen.detail for _signal, some in item.speaks_for for seen in some)


def test_a_refusal_tells_that_nobody_listens(mesh):
    apart(mesh)
    mesh.lose("node-2")
    lines = [f"check: tcp, port: 179, from: {name}, to: node-2, result: refused" for name in DIALLERS]
    assert "peer_bird_not_running" in causes(tried(mesh, *lines))


def test_a_host_that_answers_nobody_is_down(mesh):
    apart(mesh)
    mesh.lose("node-2")
    lines = [f"check: ping, from: {name}, to: node-2, result: timeout" for name in DIALLERS]
    assert causes(tried(mesh, *lines)).keys() == {"peer_node_down"}


def test_a_bundle_gives_what_was_tried():
    status = "BIRD v0.3.3+birdv1.6.8 ready.\nname     proto    table    state  since       info\n"
    found, _now = bundles.evidence(
        read.sort({"environment.yml": ENVIRONMENT, "nodes/node-1/birdcl-protocols.txt": status})
    )
    assert [one.check for one in found.observations] == ["tcp", "ping", "works-only", "tcp"]
