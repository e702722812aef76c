# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.netmedic.calico.plugins.module_utils._bird.discovery import Installation
from ansible_collections.netmedic.calico.plugins.module_utils._facts import host, host_counters, host_ways
from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._host import route_table, tunnels
from ansible_collections.netmedic.calico.plugins.module_utils._host.forwarding import Setting
from ansible_collections.netmedic.calico.plugins.module_utils._host.links import Address, Link, Network
from ansible_collections.netmedic.calico.plugins.module_utils._host.processes import Process, ProcessTable
from ansible_collections.netmedic.calico.plugins.module_utils._host.routes import Route

OWN = {"ipv4": "10.200.0.9"}


def network(*names):
    links = [Link(number, name, 1500, "", True, True, 0) for number, name in enumerate(names, 1)]
    return Network(links, [Address("10.200.0.9", 24, "eth0", "ipv4", "global", True)])


def view(root, **more):
    nothing = host.View(
        processes=ProcessTable([]),
        installation=Installation([], "unknown", ""),
        connection=None,
        network=None,
        ways={},
        peers=[],
        local_addresses=OWN,
        tunnels=[],
        firewall={},
        started=host_counters.Started(0.0, {}),
        root=str(root),
        proc_root=str(root / "proc"),
    )
    return nothing._replace(**more)


def test_a_node_of_which_nothing_can_be_read_says_so(tmp_path):
    sources = Sources()

    facts = host.gather(view(tmp_path), sources)

    assert facts == {"kubelet": {"running": False}, "container_runtime": {"running": False}}
    assert sources.status("host") == "ok"
    assert sources.status("host_sysctl") == "failed"
    assert sources.status("host_certificates") == "absent"


def test_only_interfaces_on_the_way_are_looked_at():
    ways = {"10.200.0.10": Route("10.200.0.10", "unicast", "eth0"), "10.9.9.9": Route("10.9.9.9", "none")}
    there = network("lo", "eth0", "eth1", "tunl0", "cali1")

    assert host_counters.underlay(there, ways) == ["eth0", "tunl0"]
    assert host_counters.underlay(there, {}) == ["eth0", "tunl0"]
    assert host_counters.underlay(None, ways) == []


def test_settings_that_are_as_they_should_be_are_left_out():
    on = {"all": Setting(True, 0), "eth0": Setting(True), "cali1": Setting(True)}
    off = {"all": Setting(False, 1), "eth0": Setting(False), "cali1": Setting(False)}

    assert host_counters.switches({"ipv4": on, "ipv6": off}, ["eth0"], ["cali1"], ipv6=False) == {
        "forwarding_off": {},
        "rp_filter": {},
        "rp_filter_all": 0,
    }
    assert host_counters.switches({"ipv4": off, "ipv6": off}, ["eth0"], ["cali1"], ipv6=True) == {
        "forwarding_off": {"ipv4": ["all", "eth0", "cali1"], "ipv6": ["all", "eth0", "cali1"]},
        "rp_filter": {"strict": ["all", "eth0"]},
        "rp_filter_all": 1,
    }


def test_a_filter_that_nobody_told_is_not_taken_for_off():
    told = host_counters.switches({"ipv4": {"all": Setting(True)}}, [], [], ipv6=False)
    assert told["rp_filter_all"] is None


def test_counters_are_told_with_what_they_grew():
    started = host_counters.Started(10.0, {"drop": 5, "IPReversePathFilter": 7})
    totals = {"drop": 9, "insert_failed": 0, "IPReversePathFilter": 7, "table_fulls_ipv4": 2, "checksum_errors_udp": 3}
    sizes = {
        "conntrack": {"count": 3, "max": 8},
        "ipv4": {"entries": 1000, "max": 1024},
        "ipv6": {"entries": 1, "max": 1024},
    }

    assert host_counters.losses(started, totals, 12.5, sizes) == {
        "conntrack": {"count": 3, "max": 8, "drop": {"total": 9, "grew": 4}},
        "neighbour_tables": {"ipv4": {"entries": 1000, "max": 1024, "overflows": {"total": 2, "grew": 2}}},
        "reverse_path_dropped": {"total": 7, "grew": 0},
        "checksum_errors_udp": {"total": 3, "grew": 3},
        "counted_seconds": 2.5,
    }
    assert host_counters.losses(started, {}, 12.5, {}) == {"conntrack": {}, "neighbour_tables": {}}


def test_ways_that_are_not_as_bgp_thinks_are_told():
    ways = {
        "10.200.0.10": Route("10.200.0.10", "unicast", "eth0", "", "10.200.0.9"),
        "10.200.0.11": Route("10.200.0.11", "unicast", "eth1", "", "10.0.2.15"),
        "10.200.0.12": Route("10.200.0.12", "blackhole"),
        "fd00::1": Route("fd00::1", "unicast", "eth0", "", "fd00::9"),
    }

    assert host_ways.ways_to_peers(ways, OWN) == {
        "other_sources": {"10.0.2.15": {"10.200.0": "11"}},
        "no_way": {"blackhole": {"10.200.0": "12"}},
    }
    assert host_ways.failing({"10.200.0.10": "reachable", "10.200.0.11": "failed"}) == {"failed": {"10.200.0": "11"}}


def test_tunnels_are_needed_for_a_reason():
    assert host_ways.needed_tunnels(["tunl0", "eth0"], [], "bird", "") == {}
    assert set(host_ways.needed_tunnels(["vxlan.calico"], ["tunl0"], "bird", "")) == {"vxlan.calico", "tunl0"}
    assert set(host_ways.needed_tunnels([], [], "vxlan", "")) == {"vxlan.calico"}
    assert set(host_ways.needed_tunnels([], [], "none", "FLANNEL_SUBNET=10.244.1.1/24\nFLANNEL_MTU=1450\n")) == {
        "flannel.1"
    }
    assert host_ways.needed_tunnels([], [], "none", "FLANNEL_MTU=1500\n") == {}
    assert host_ways.needed_tunnels(["wg-v6.cali"], ["tunl0"], "bird", "", {"tunl0": "x", "wg-v6.cali": "y"}) == {
        "tunl0": "bird.cfg sends routes into it",
        "wg-v6.cali": "y",
    }


def test_a_tunnel_of_felix_is_needed_for_its_routes_and_for_what_it_was_told():
    entries = [
        route_table.Entry("10.244.2.0/26", route_table.FELIX, 1, "tunl0", "10.200.0.10", True),
        route_table.Entry("10.244.3.0/26", route_table.FELIX, 1, "wireguard.cali", table=1),
        route_table.Entry("10.244.4.0/26", route_table.BIRD, 1, "eth0"),
    ]
    told = {"FELIX_WIREGUARDENABLEDV6": "True", "FELIX_VXLANENABLED": "false"}
    there = network("eth0", "tunl0")

    assert host_ways.led_into(entries) == {"tunl0", "wireguard.cali"}
    assert tunnels.reasons(there, host_ways.led_into(entries), told) == {
        "tunl0": "Felix sends routes into it",
        "wireguard.cali": "Felix sends routes into it",
        "wg-v6.cali": "FELIX_WIREGUARDENABLEDV6 says so",
    }
    addressed = Network(there.links.values(), [Address("10.244.1.1", 32, "tunl0", "ipv4", "global", True)])
    assert tunnels.reasons(addressed, (), {}) == {"tunl0": "it has an address"}
    assert tunnels.reasons(there, (), {}) == {}


def test_what_felix_needs_of_the_kernel_follows_what_it_uses(tmp_path):
    felix = Process(7, "calico-felix", str(tmp_path))
    running = Installation([felix], "bird", "")
    none = Installation([], "bird", "")
    native = {"backends": {"nftables": {"foreign_base_chains": ["ip calico filter-cali-INPUT"]}}}

    assert host.needed_features(none, {}, ["tunl0"]) == ["ipip"]
    assert host.needed_features(none, {}, ["wg-v6.cali", "flannel-v6.1"]) == ["wireguard", "vxlan"]
    assert "xt_set" in host.needed_features(running, {}, [])
    assert "ip_tables" not in host.needed_features(running, {"backends": {"iptables_nft": {"rules": 3}}}, [])
    assert "xt_set" not in host.needed_features(running, native, [])


def test_logs_of_the_container_are_read_where_they_are_fresh(tmp_path):
    folder = tmp_path / "var/log/pods/kube-system_calico-node-x_1/calico-node"
    folder.mkdir(parents=True)
    line = "2026-11-21T01:00:00.0Z stdout F 2026-11-21 01:00:00.000 [WARNING][6] felix/route_mgr.go 548: "
    (folder / "0.log").write_text(line + "Failed to get tunnel device, retrying...\n")
    looking = view(tmp_path, window=1e9)

    (entry,) = host.gather(looking, Sources())["log"]

    assert entry == {
        "at": "2026-11-21T01:00:00Z",
        "component": "felix",
        "kind": "tunnel",
        "text": "Failed to get tunnel device, retrying...",
    }
    assert "log" not in host.gather(looking._replace(window=-10.0), Sources())
