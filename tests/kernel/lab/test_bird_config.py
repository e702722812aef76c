# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BIRD takes the configuration that the lab renders in confd's shape."""

from __future__ import annotations

import subprocess

import pytest

from lab import bird_config, datastore, topology

PLAN = topology.plan("one_subnet", 4)


SELECTED = {"peerSelector": "kubernetes.io/hostname == 'node-3'", "nodeSelector": "all()"}
OUTSIDE = {"peerIP": "192.0.2.1:1790", "asNumber": 64700, "numAllowedLocalASNumbers": 2, "maxRestartTime": "90s"}
FILTER = {
    "importV4": [{"action": "Reject", "cidr": "10.0.0.0/8", "matchOperator": "In", "prefixLength": {"min": 30}}],
    "exportV4": [
        {"action": "Accept", "cidr": "10.244.0.0/16", "matchOperator": "Equal"},
        {"action": "Reject", "interface": "eth*", "source": "RemotePeers"},
        {"action": "Reject"},
    ],
}


def rendered(node="node-2", *patches, plan=PLAN):
    data = datastore.merged(datastore.registered(plan), patches)
    return bird_config.render(datastore.seen_by(data, node), node)


def accepted(tmp_path, files, program="bird"):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    argv = [f"/usr/sbin/{program}", "-p", "-c", str(tmp_path / f"{program}.cfg")]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=10)


@pytest.mark.parametrize(
    "patch",
    [
        {},
        {"mesh_password": "secret"},
        {"nodes": {"node-2": {"as_number": 64999}}},
        {"nodes": {"node-2": {"blocks": []}}},
        {"nodes": {"gone": {"address": "10.200.0.200", "blocks": []}}},
        {"nodes": {"node-2": {"address": ""}}},
        {"mesh": False},
        {"listen_port": 1790, "bind_node_ip": True, "ignored_interfaces": ["docker*"], "mesh_restart_time": 60},
        {"pools_not_exported": ["10.250.0.0/16"], "vxlan_pools": ["10.251.0.0/16"], "service_cidrs": ["10.96.0.0/12"]},
        {"nodes": {"node-2": {"cluster_id": "244.0.0.1"}}, "peers": {"rr": {"spec": SELECTED, "password": "x"}}},
        {"peers": {"out": {"spec": {**OUTSIDE, "keepOriginalNextHop": True}, "password": None}}},
        {"peers": {"out": {"spec": {**OUTSIDE, "nextHopMode": "Self", "reachableBy": "10.200.0.254"}}}},
        {"peers": {"out": {"spec": {**OUTSIDE, "ttlSecurity": 1, "sourceAddress": "None", "node": "node-2"}}}},
        {"peers": {"out": {"spec": {**OUTSIDE, "filters": ["a-filter.1"]}}}, "filters": {"a-filter.1": FILTER}},
    ],
)
def test_bird_takes_it(tmp_path, patch):
    done = accepted(tmp_path, rendered("node-2", patch))
    assert (done.returncode, done.stderr) == (0, "")


def test_bird_takes_the_greatest_mesh(tmp_path):
    done = accepted(tmp_path, rendered("node-50", plan=topology.plan("two_subnets", 100)))
    assert (done.returncode, done.stderr) == (0, "")


def test_bird_refuses_two_nodes_of_one_address_on_a_third(tmp_path):
    done = accepted(tmp_path, rendered("node-3", {"nodes": {"node-2": {"address": "10.200.0.9"}}}))
    assert done.returncode != 0
    assert "Symbol already defined" in done.stdout + done.stderr


@pytest.mark.parametrize("program", ["bird", "bird6"])
def test_both_birds_take_two_families(tmp_path, program):
    done = accepted(tmp_path, rendered("node-2", plan=topology.plan("dual_stack", 3)), program)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("node", ["node-1", "node-4"])
def test_bird_takes_route_reflectors(tmp_path, node):
    files = rendered(node, plan=topology.plan("route_reflectors", 4))
    assert ("rr client" in files["bird.cfg"]) is (node == "node-1")
    done = accepted(tmp_path, files)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("password", ['with"quote', "two\nlines"])
def test_bird_refuses_what_confd_does_not_escape(tmp_path, password):
    done = accepted(tmp_path, rendered("node-2", {"mesh_password": password}))
    assert done.returncode != 0
