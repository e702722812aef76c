# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._host import (
    conntrack,
    counters,
    forwarding,
    links,
    route_table,
    tunnels,
)

RECORDED = Path(__file__).with_name("recorded") / "host"


class Kernel:
    """Answers as the kernel did when it was recorded."""

    def __init__(self):
        self._answers = json.loads((RECORDED / "netlink.json").read_text())

    def dump(self, kind, _body):
        return [(number, bytes.fromhex(body)) for number, body in self._answers[str(kind)]]

    def ask(self, kind, bodies):
        (body,) = bodies
        return [next(each for _kind, each in self.dump(kind, b"") if each[4:8] == body[4:8])]


@pytest.fixture
def kernel():
    return Kernel()


@pytest.fixture
def network(kernel):
    return links.read(kernel)


def names(network):
    return {number: link.name for number, link in network.links.items()}


def test_settings_of_all_interfaces_come_in_one_answer(kernel, network):
    settings = forwarding.read(kernel, names(network))["ipv4"]

    assert settings["all"] == forwarding.Setting(True, 0)
    assert settings["veth0"] == forwarding.Setting(True, 1)
    assert "default" not in settings
    assert forwarding.filtering(settings, ["veth0", "vxlan.calico"]) == {"strict": ["veth0"]}
    assert forwarding.not_forwarding(settings, ["veth0"]) == []


def test_the_greater_value_of_all_and_interface_is_in_effect():
    settings = {
        "all": forwarding.Setting(False, 1),
        "eth0": forwarding.Setting(True, 0),
        "eth1": forwarding.Setting(False, 2),
    }

    assert forwarding.filtering(settings, ["eth0", "eth1", "eth9"]) == {"strict": ["eth0"], "loose": ["eth1"]}
    assert forwarding.not_forwarding(settings, ["eth0", "eth1"]) == ["all", "eth1"]


def test_settings_are_read_from_files_where_the_kernel_cannot_be_asked(tmp_path):
    for name, on, rp_filter in (("all", "1", "0"), ("eth0.100", "0", "2")):
        folder = tmp_path / "sys/net/ipv4/conf" / name
        folder.mkdir(parents=True)
        (folder / "forwarding").write_text(on + "\n")
        (folder / "rp_filter").write_text(rp_filter + "\n")

    found = forwarding.read(None, {}, str(tmp_path))

    assert found == {"ipv4": {"all": forwarding.Setting(True, 0), "eth0.100": forwarding.Setting(False, 2)}}


def test_sysctl_output_gives_the_same():
    found = forwarding.from_sysctl(
        {
            "net.ipv4.conf.all.forwarding": "1",
            "net.ipv4.conf.vxlan/calico.rp_filter": "2",
            "net.ipv4.conf.default.rp_filter": "1",
            "net.ipv6.conf.eth0.forwarding": "0",
            "net.ipv4.ip_forward": "1",
            "net.ipv4.conf": "x",
            "net.ipv4.conf.eth0.rp_filter": "many",
        }
    )

    assert found == {
        "ipv4": {"all": forwarding.Setting(True), "vxlan.calico": forwarding.Setting(False, 2)},
        "ipv6": {"eth0": forwarding.Setting(False)},
    }


def test_statistics_are_added_up_over_the_processors():
    text = (RECORDED / "arp_cache").read_text()

    assert counters.parse_statistics(text, ("table_fulls", "nothing")) == {"table_fulls": 0x9A7B + 0x824D}
    assert counters.parse_statistics("", ("entries",)) == {}
    assert counters.parse_statistics("entries drop\n00000002 zz\n-1\n\n00000003", ("entries", "drop")) == {
        "entries": 5,
        "drop": 0,
    }


def test_conntrack_is_read_from_its_files(tmp_path):
    folder = tmp_path / "sys/net/netfilter"
    folder.mkdir(parents=True)
    (folder / "nf_conntrack_count").write_text("12\n")
    (folder / "nf_conntrack_max").write_text("262144\n")
    (folder / "nf_conntrack_tcp_be_liberal").write_text("0\n")
    statistics = tmp_path / "net/stat"
    statistics.mkdir(parents=True)
    (statistics / "nf_conntrack").write_text((RECORDED / "nf_conntrack").read_text())

    assert conntrack.size(str(tmp_path)) == {"count": 12, "max": 262144}
    assert conntrack.losses(str(tmp_path)) == {"insert_failed": 0, "drop": 0, "early_drop": 0, "invalid": 0}
    (folder / "nf_conntrack_tcp_be_liberal").write_text("1\n")
    assert conntrack.size(str(tmp_path)) == {"count": 12, "max": 262144, "tcp_be_liberal": True}
    assert (conntrack.size(str(tmp_path / "none")), conntrack.losses(str(tmp_path / "none"))) == ({}, {})


def test_a_table_of_routes_is_summed_up(kernel, network):
    entries = route_table.read(kernel, "ipv4", network)

    assert route_table.summary(entries, network, ["10.200.0.10"]) == {
        "bird": 6,
        "felix": 1,
        "blackholes": ["10.244.1.0/26"],
        "unreachable": ["10.244.9.0/26"],
        "conflicts": ["10.244.2.0/26"],
        "via_router": {"10.200.0.254": 1},
    }
    # A router that is a BGP peer knows the pods' addresses.
    assert "via_router" not in route_table.summary(entries, network, ["10.200.0.254"])
    assert sum(entry.destination == "10.244.5.0/26" for entry in entries) == 2


def test_a_next_hop_outside_of_the_subnets_is_counted(network):
    entries = [
        route_table.Entry(f"10.244.{number}.0/26", route_table.BIRD, 1, "veth0", gateway, onlink)
        for number, (gateway, onlink) in enumerate([("10.9.9.9", False), ("10.9.9.9", True), ("10.200.0.7", False)])
    ]

    assert route_table.summary(entries, network, []) == {"bird": 3, "off_link": {"10.9.9.9": 1}}


@pytest.mark.parametrize(
    ("destination", "device", "there"),
    [
        ("10.9.9.9", "veth0", True),
        ("10.9.9.0/24", "veth0", True),
        ("default", "veth0", True),
        ("10.9.9.9", "eth7", False),
        ("10.9.8.0/24", "veth0", False),
        ("fd00::/8", "veth0", False),
    ],
)
def test_a_route_without_a_gateway_has_next_hops_on_its_link(network, destination, device, there):
    entries = [
        route_table.Entry(destination, 3, 1, device),
        route_table.Entry("10.244.1.0/26", route_table.BIRD, 1, "veth0", "10.9.9.9"),
    ]

    assert ("off_link" in route_table.summary(entries, network, [])) is not there


def test_many_destinations_are_named_in_part(network):
    entries = [route_table.Entry(f"10.244.{number}.0/26", route_table.BIRD, 6) for number in range(20)]

    found = route_table.summary(entries, network, [])

    assert (len(found["blackholes"]), found["blackholes_count"]) == (8, 20)
    assert found["blackholes_packed"] == {"26": {f"10.244.{number}": "0" for number in range(20)}}


def test_routes_of_other_tables_stand_against_none(network):
    entries = [
        route_table.Entry("10.244.2.0/26", route_table.BIRD, 1, "veth0", "10.200.0.7"),
        route_table.Entry("10.244.2.0/26", route_table.FELIX, 1, "wireguard.cali", table=7),
        route_table.Entry("10.244.9.0/26", route_table.FELIX, 6),
        route_table.Entry("default", 3, 1, "veth0", "10.200.0.254", table=9),
    ]

    assert route_table.summary(entries, network, []) == {
        "bird": 1,
        "felix": 1,
        "other_tables": {"7": 1},
        "blackholes": ["10.244.9.0/26"],
    }


@given(st.binary(max_size=200))
def test_a_broken_route_is_no_exception(body):
    class Broken:
        def dump(self, _kind, _question):
            return [(24, body), (24, body[:12]), (24, b"\2\x18\0\0\xfe\x0c\0\1\0\0\0\0" + body)]

    route_table.read(Broken(), "ipv4", links.Network([], []))
    tunnels.parse_vxlan(body)


def test_what_is_wrong_with_a_vxlan_device_is_told(kernel, network):
    link = network.link("vxlan.calico")
    made = tunnels.vxlan(kernel, link)

    assert made == tunnels.Vxlan(4097, 4790, "10.200.0.77")
    assert tunnels.troubles(network, {"vxlan.calico": "it is there"}, {"vxlan.calico": made}, ["10.200.0.9"]) == [
        {
            "name": "vxlan.calico",
            "problem": "local_not_here",
            "vni": 4097,
            "port": 4790,
            "local": "10.200.0.77",
            "needed": "it is there",
        }
    ]


def test_tunnels_that_are_needed_must_be_there_up_and_with_an_address():
    parts = {"mtu": 1480, "kind": "ipip", "running": True, "master": 0}
    down = links.Link(number=1, name="tunl0", up=False, **parts)
    bare = links.Link(number=2, name="wireguard.cali", up=True, **parts)
    network = links.Network([down, bare], [])
    needed = {"tunl0": "a", "vxlan.calico": "b", "wireguard.cali": "c"}

    found = {entry["name"]: entry["problem"] for entry in tunnels.troubles(network, needed, {}, [])}

    assert found == {"tunl0": "down", "vxlan.calico": "missing", "wireguard.cali": "no_address"}
    assert tunnels.troubles(network, {}, {}, []) == []


def test_a_vxlan_device_by_way_of_another_of_our_addresses_is_told():
    link = links.Link(1, "vxlan.calico", 1450, "vxlan", True, True, 0)
    held = [
        links.Address(address, 24, name, "ipv4", "global", True)
        for address, name in (("10.0.2.15", "eth0"), ("10.200.0.9", "eth1"), ("10.244.1.0", "vxlan.calico"))
    ]
    made = tunnels.Vxlan(4096, 4789, "10.0.2.15")

    found = tunnels.troubles(links.Network([link], held), {"vxlan.calico": "w"}, {"vxlan.calico": made}, ["10.200.0.9"])

    assert found == [{"name": "vxlan.calico", "problem": "local_differs", "local": "10.0.2.15", "needed": "w"}]
