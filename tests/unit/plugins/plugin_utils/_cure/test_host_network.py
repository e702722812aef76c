# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role host_network does on a host: what its facts say is wrong, and nothing else."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._change import kinds
from ansible_collections.netmedic.calico.plugins.plugin_utils._cure import host_network
from ansible_collections.netmedic.calico.plugins.plugin_utils._cure.model import Given

NODE = "node-2"


def decide(mesh, host=None, **wishes):
    mesh.facts[NODE]["calico_node"].setdefault("host", {}).update(host or {})
    done = host_network.changes(Given(NODE, (NODE,), mesh.facts, {}, mesh.evidence(), {}, wishes))
    kinds.make(done.changes)  # host_change takes them
    return done


def settings(done):
    return [(one["kind"], one["key"], one["value"]) for one in done.changes if "key" in one]


def paths(done):
    return [one["path"] for one in done.changes if one["kind"] == "file"]


def both(key, value):
    return [("sysctl", key, value), ("saved_sysctl", key, value)]


def test_nothing_is_done_where_all_is_well(mesh):
    done = decide(mesh)
    assert (done.changes, done.says, done.refused) == ([], [], "")


def test_without_facts_nothing_is_done(mesh):
    given = Given("node-9", ("node-9",), mesh.facts, {}, mesh.evidence(), {"node-9": "it is unreachable"}, {})
    assert host_network.changes(given).refused == "node-9 told no facts: it is unreachable"


def test_an_unknown_part_is_refused(mesh):
    assert decide(mesh, parts=["forwarding", "rp_filters"]).refused.startswith("'rp_filters' is no part of the host's")


@pytest.mark.parametrize(
    ("off", "wanted"),
    [
        ({"ipv4": ["all", "eth0"]}, both("net.ipv4.ip_forward", "1")),
        ({"ipv6": ["all"]}, both("net.ipv6.conf.all.forwarding", "1")),
        ({"ipv4": ["eth0.100"]}, both("net/ipv4/conf/eth0.100/forwarding", "1")),
        ({"ipv4": ["cali1"]}, [("sysctl", "net.ipv4.conf.cali1.forwarding", "1")]),
    ],
)
def test_forwarding(mesh, off, wanted):
    done = decide(mesh, {"forwarding_off": off})
    assert settings(done) == wanted
    assert bool(done.says) == ("ipv6" in off)


def test_only_the_parts_that_are_asked_for(mesh):
    assert decide(mesh, {"forwarding_off": {"ipv4": ["all"]}}, parts=["conntrack"]).changes == []


@pytest.mark.parametrize(
    ("release", "log", "wanted"),
    [
        ("v3.19.4", [], both("net.ipv4.conf.all.rp_filter", "0")),
        ("v3.28.0", [], []),
        ("", [{"kind": "rpf_check", "component": "felix", "text": "loose"}], both("net.ipv4.conf.all.rp_filter", "0")),
    ],
)
def test_a_loose_filter_matters_to_an_old_felix_only(mesh, release, log, wanted):
    mesh.facts[NODE]["calico_node"]["calico"] = {"version": release}
    assert settings(decide(mesh, {"rp_filter": {"loose": ["all"]}, "log": log})) == wanted


def test_a_strict_filter_is_loosened_where_it_is_named(mesh):
    strict = {"rp_filter": {"strict": ["all", "eth0"]}, "reverse_path_dropped": {"total": 9, "grew": 3}}
    assert "host_network_loose_interfaces" in decide(mesh, strict).says[0]
    done = decide(mesh, strict, loose_interfaces=["eth0"])
    assert (settings(done), done.says) == (both("net.ipv4.conf.eth0.rp_filter", "2"), [])


def test_modules_that_can_be_loaded_are(mesh):
    line = {"kind": "kernel_module", "component": "felix", "text": "modprobe: module ip_set not found"}
    done = decide(mesh, {"log": [line]}, modules=["wireguard", "ip_set"])
    assert [one["module"] for one in done.changes if one["kind"] == "module"] == ["wireguard", "ip_set"]
    assert paths(done) == [f"/etc/modules-load.d/netmedic-calico-{name}.conf" for name in ("wireguard", "ip_set")]
    done = decide(mesh, {"log": [line], "kernel_missing": ["ip_set"]})
    assert done.changes == []
    assert "has no module to load for ip_set" in done.says[0]


@pytest.mark.parametrize(
    ("count", "most", "asked", "wanted"),
    [
        (100, 1000, 0, ""),
        (1000, 1000, 0, "131072"),
        (262144, 262144, 0, "524288"),
        (2000000, 2000000, 0, ""),
        (2000000, 2000000, 4000000, "4000000"),
        (100, 1000, 500, ""),
        (100, 1000, 1000, "1000"),
    ],
)
def test_a_full_table_is_made_larger(mesh, count, most, asked, wanted):
    done = decide(mesh, {"conntrack": {"count": count, "max": most}}, conntrack_max=asked)
    assert settings(done) == (both("net.netfilter.nf_conntrack_max", wanted) if wanted else [])


def test_network_managers_leave_what_is_calicos(mesh):
    networkd = {"files": ["10-all.network"], "removes_foreign_routes": True}
    told = {"network_managers": {"systemd-networkd": networkd, "NetworkManager": {"not_excluded": ["cali*"]}}}
    done = decide(mesh, told)
    assert paths(done) == [
        "/etc/systemd/network/00-netmedic-calico.network",
        "/etc/systemd/networkd.conf.d/zz-netmedic-calico.conf",
        "/etc/NetworkManager/conf.d/zz-netmedic-calico.conf",
    ]
    reloads = [one for one in done.changes if one["kind"] == "service"]
    assert [one["service"] for one in reloads] == ["systemd-networkd", "NetworkManager"]
    assert all(one["run"] == "reloaded" and one["if_changed"] for one in reloads)
    assert not [one for one in decide(mesh, told, reload=False).changes if one["kind"] == "service"]


@pytest.mark.parametrize(
    ("release", "kernel", "how", "wanted"),
    [
        ("v3.27.0", "5.4.0-100", "auto", True),
        ("v3.28.0", "5.4.0-100", "auto", False),
        ("v3.27.0", "6.1.0", "auto", False),
        ("v3.28.0", "6.1.0", "off", True),
        ("v3.27.0", "5.4.0-100", "leave", False),
    ],
)
def test_checksums_are_made_by_the_tunnel_where_the_release_needs_it(mesh, release, kernel, how, wanted):
    mesh.facts[NODE]["calico_node"].update(kernel=kernel, calico={"version": release})
    done = decide(mesh, {"checksum_offload": ["vxlan.calico"]}, checksum_offload=how)
    assert [one["kind"] for one in done.changes] == (["offload", "file"] if wanted else [])


def test_who_else_listens_is_reported_and_stopped_only_if_asked(mesh):
    bgp = mesh.facts[NODE]["calico_bgp"]
    own = next(one["pid"] for one in bgp["daemons"].values() if one.get("pid"))
    frr = {"address": "0.0.0.0", "port": 179, "pid": own + 1, "process": "bgpd", "container": ""}
    bgp["listeners"] = [{"address": "0.0.0.0", "port": 179, "pid": own, "process": "bird", "container": ""}, frr]
    done = decide(mesh)
    assert done.changes == []
    assert "host_network_stop_daemons=true" in done.says[0]
    stopped = {"kind": "service", "service": "frr", "run": "stopped", "enabled": False}
    assert decide(mesh, stop_daemons=True).changes == [stopped]
    frr["container"] = "abc"
    assert decide(mesh, stop_daemons=True).changes == []
