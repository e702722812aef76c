# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts from texts that people collect where the better one is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts import packing
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import node

TEXTS = Path(__file__).parents[3] / "texts"
BIRD = Path(__file__).parents[2] / "module_utils" / "_bird" / "recorded"
NOW = 1_795_000_000.0


def recorded(kind, variant):
    return next((TEXTS / kind / variant).glob("input.*")).read_text(encoding="utf-8")


def facts(**texts):
    named = {name.replace("__", ".").replace("_", "-"): text for name, text in texts.items()}
    return json.loads(json.dumps(node.facts(named, "node-1", NOW)))


def status_of(part, name):
    return {entry["source"]: (entry["status"], entry["detail"]) for entry in part["sources"]}.get(name)


# --- calicoctl in place of birdcl ---


def test_established_sessions_of_calicoctls_table():
    told = facts(calicoctl_node_status__txt=recorded("calicoctl-node-status", "healthy"))["calico_bgp"]
    peers = told["daemons"]["ipv4"]["peers"]
    assert peers["total"] == peers["established"] > 0
    assert len(list(packing.unpack(peers["packed"]["Mesh"]))) == peers["established"]
    assert told["daemons"]["ipv4"]["via"] == "calicoctl"
    assert told["expected"] is True


def test_sessions_in_trouble_of_calicoctls_table():
    told = facts(calicoctl_node_status__txt=recorded("calicoctl-node-status", "passive-and-refused"))
    daemon = told["calico_bgp"]["daemons"]["ipv4"]
    assert daemon["peers"]["established"] == 0
    assert {"peer": "10.2.147.44", "bgp_state": "Active", "last_error": "Socket: Connection refused"}.items() <= next(
        entry for entry in daemon["troubled"] if entry.get("peer") == "10.2.147.44"
    ).items()


def test_no_socket_of_calicoctls_is_no_answer():
    told = facts(calicoctl_node_status__txt=recorded("calicoctl-node-status", "no-socket"))["calico_bgp"]
    assert not any(daemon.get("peers") for daemon in told["daemons"].values())
    assert status_of(told, "bird_socket_ipv4")[0] != "ok"


def test_what_is_not_in_calicoctls_table_is_no_difference_to_the_configuration():
    told = facts(
        calicoctl_node_status__txt=recorded("calicoctl-node-status", "healthy"),
        bird__cfg="router id 10.0.0.1;\nprotocol bgp Extra { local as 64512; neighbor 10.77.0.1 as 64512; }\n",
    )
    assert "only_on_disk" not in told["calico_bgp"]["daemons"]["ipv4"]["config"]


def test_birdcl_counts_more_than_calicoctl():
    told = facts(
        calicoctl_node_status__txt=recorded("calicoctl-node-status", "passive-and-refused"),
        birdcl_protocols__txt=(BIRD / "healthy" / "protocols.raw").read_text(encoding="utf-8"),
    )
    assert told["calico_bgp"]["daemons"]["ipv4"]["via"] == "birdcl"


def test_lines_of_calicoctls_that_are_not_understood_are_named():
    text = recorded("calicoctl-node-status", "healthy") + "panic: runtime error\n"
    told = facts(calicoctl_node_status__txt=text)["calico_bgp"]
    status, detail = status_of(told, "bird_socket_ipv4")
    assert (status, "panic: runtime error" in detail) == ("unrecognised", True)


# --- birdcl's routes ---


def test_routes_of_each_session_are_counted_where_the_list_does_not_tell():
    protocols = (
        "name     proto    table    state  since       info\n"
        "Mesh_10_200_0_10 BGP master up 2026-11-20 Established\n"
        "Mesh_10_200_0_11 BGP master up 2026-11-20 Established\n"
    )
    routes = (
        "10.244.2.0/26 via 10.200.0.10 on eth0 [Mesh_10_200_0_10 2026-11-20] * (100/0) [i]\n"
        "10.244.3.0/26 via 10.200.0.11 on eth0 [Mesh_10_200_0_11 2026-11-20] * (100/0) [i]\n"
        "10.244.4.0/26 via 10.200.0.11 on eth0 [Mesh_10_200_0_11 2026-11-20] * (100/0) [i]\n"
    )
    peers = facts(birdcl_protocols__txt=protocols, birdcl_route__txt=routes)["calico_bgp"]["daemons"]["ipv4"]["peers"]
    assert peers["routes_imported"] == 3


# --- files ---


@pytest.mark.parametrize("name", ["typha__log", "calico_node__log", "install_cni__log"])
def test_logs_are_read_where_nobody_told_files(name):
    line = "2026-11-18 10:59:00.000 [ERROR][12] a.go 7: Failed to connect to typha endpoint 10.0.0.5:5473: refused\n"
    told = facts(**{name: line})["calico_node"]
    assert any("typha endpoint" in entry["text"] for entry in told["host"]["log"]), told


def test_loaded_modules_are_none_that_are_missing():
    names = ("xt_set", "ip_set", "ip_tables", "ip6_tables", "nf_conntrack", "ipip", "vxlan", "x_tables", "nf_tables")
    lsmod = "Module                  Size  Used by\n" + "".join(f"{name} 16384 0\n" for name in names)
    told = facts(modules__txt=lsmod)["calico_node"]
    assert "kernel_missing" not in told.get("host", {})
    assert (status_of(told, "host_kernel") or ("ok", ""))[0] in ("ok", "absent")


def test_no_list_of_modules_tells_nothing_of_the_kernel():
    told = facts(sysctl__txt="net.ipv4.conf.all.forwarding = 1\n")["calico_node"]
    assert status_of(told, "host_kernel")[0] == "absent"


# --- measurements ---


def test_what_was_measured_elsewhere_is_taken_over():
    probes = {
        "schema": 1,
        "taken_at": "2026-11-18T11:00:00Z",
        "tcp": [{"peer": "10.200.0.10", "port": 179, "result": "reset"}],
        "reachability": [{"peer": "10.200.0.10", "echo": "answered"}],
        "paths": [{"class": "eth0 on-link 10.200.0.0/24", "peer": "10.200.0.10", "result": "ok", "carries": 1500}],
    }
    told = facts(probes__json=json.dumps(probes))
    assert told["calico_bgp"]["probes"] == probes["tcp"]
    assert told["calico_bgp"]["peer_reachability"] == probes["reachability"]
    assert told["calico_mtu"]["paths"] == probes["paths"]
    assert status_of(told["calico_mtu"], "path_mtu")[0] == "ok"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 1, "tcp": [1]}', '{"schema": 1, "paths": 7}'])
def test_broken_measurements_change_nothing(text):
    assert facts(probes__json=text)["calico_mtu"].get("paths", []) == []


# --- lines that nobody understands ---


@pytest.mark.parametrize(
    ("texts", "part", "source"),
    [
        (
            {"ip_neigh__txt": "10.200.0.10 dev eth0 lladdr 02:00:00:00:00:01 REACHABLE\n??\n"},
            "calico_node",
            "host_neighbours",
        ),
        (
            {"sysctl__txt": "net.ipv4.conf.all.forwarding = 1\nnet.ipv4.conf.all.rp_filter = 0\n??\n"},
            "calico_node",
            "host_sysctl",
        ),
        ({"sockets__txt": recorded("sockets", "ss-tanp-iproute2-6.1") + "??\n"}, "calico_bgp", "tcp_sockets"),
        (
            {"iptables_save__txt": recorded("iptables-save", "1.6.0-counters"), "ipset__txt": "create a hash:ip\n??\n"},
            "calico_firewall",
            "ipset",
        ),
    ],
)
def test_a_text_with_a_line_that_is_none_is_no_source_that_is_ok(texts, part, source):
    status, detail = status_of(facts(**texts)[part], source)
    assert (status, "??" in detail) == ("unrecognised", True)


def test_whole_texts_are_sources_that_are_ok():
    told = facts(
        sockets__txt=recorded("sockets", "ss-tanp-iproute2-6.1"),
        ip_neigh__txt=recorded("ip-neigh", "iproute2-6.1"),
        ip_route__txt=recorded("ip-route", "iproute2-6.1"),
        ip_addr__txt=recorded("ip-addr", "iproute2-6.1-details"),
        birdcl_protocols__txt=(BIRD / "healthy" / "protocols.raw").read_text(encoding="utf-8"),
    )
    odd = [one for part in told.values() for one in part["sources"] if one["status"] == "unrecognised"]
    assert odd == []
