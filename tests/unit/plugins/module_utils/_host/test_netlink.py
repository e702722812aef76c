# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import errno
import json
import pathlib
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._host import links, neighbours, netlink, routes

RECORDED = pathlib.Path(__file__).parent / "recorded" / "netlink"
_FAMILIES = {socket.AF_UNSPEC: "any", socket.AF_INET: "ipv4", socket.AF_INET6: "ipv6"}


class Replay:
    """Stands in for netlink.Netlink and answers as the kernel did."""

    def dump(self, kind, body):
        lines = (RECORDED / f"{kind}-{_FAMILIES[body[0]]}.txt").read_text().split("\n")[:-1]
        return [(int(line.split()[0]), bytes.fromhex(line.split()[1])) for line in lines]

    def ask(self, _kind, bodies):
        known = dict(line.split() for line in (RECORDED / "ask.txt").read_text().split("\n")[:-1])
        answers = [known[body.hex()] for body in bodies]
        return [int(answer) if len(answer) < 4 else bytes.fromhex(answer) for answer in answers]


def told_by_ip(name):
    return json.loads((RECORDED / name).read_text())


@pytest.fixture
def network():
    return links.read(Replay())


def test_links_are_what_ip_says_they_are(network):
    expected = [
        (
            entry["ifindex"],
            entry["ifname"],
            entry["mtu"],
            entry.get("linkinfo", {}).get("info_kind", "") or ("loopback" if "LOOPBACK" in entry["flags"] else ""),
            "UP" in entry["flags"],
            entry["operstate"] in ("UP", "UNKNOWN"),
        )
        for entry in told_by_ip("ip-link.json")
    ]

    assert [tuple(link[:6]) for link in network.links.values()] == expected


def test_addresses_are_what_ip_says_they_are(network):
    expected = {
        (info["local"], info["prefixlen"], entry["ifname"], info["scope"])
        for entry in told_by_ip("ip-addr.json")
        for info in entry["addr_info"]
    }

    assert {(found.address, found.prefix, found.interface, found.scope) for found in network.addresses} == expected
    assert network.interface_of("10.244.9.1") == "tunl0"
    assert network.holds("fd00:200::9")
    assert not network.holds("10.200.0.99")


def test_names_lead_to_links_and_back(network):
    eth0 = network.link("eth0")

    assert network.name_of(eth0.number) == "eth0"
    assert (network.link("eth9"), network.name_of(999)) == (None, "")


def test_neighbours_are_what_ip_says_they_are():
    told = {
        entry["dst"]: entry["state"][0].lower().replace("permanent", "reachable")
        for entry in told_by_ip("ip-neigh.json")
    }
    assert set(told.values()) == {"reachable", "stale", "incomplete", "failed"}

    found = neighbours.states(Replay(), [*told, "10.200.0.99", "fd00:200::99", "nonsense"])

    assert found == dict(told, **{"10.200.0.99": "none", "fd00:200::99": "none", "nonsense": "none"})


def test_routes_are_what_ip_says_they_are(network):
    kinds = {
        "RTNETLINK answers: Invalid argument": "blackhole",
        "RTNETLINK answers: No route to host": "unreachable",
        "RTNETLINK answers: Permission denied": "prohibit",
        "RTNETLINK answers: Network is unreachable": "none",
    }
    told = told_by_ip("ip-route-get.json")

    found = routes.look_up(Replay(), [entry["address"] for entry in told], network)

    for entry in told:
        way = found[entry["address"]]
        if entry["rc"]:
            assert way == routes.Route(entry["address"], kinds[entry["stderr"]])
            continue
        (said,) = entry["route"]
        gateway = said.get("gateway", said.get("via", {}).get("host", ""))
        mtu = next((metric["mtu"] for metric in said.get("metrics", []) if "mtu" in metric), 0)
        kind = said.get("type", "unicast")
        assert way == routes.Route(entry["address"], kind, said["dev"], gateway, said["prefsrc"], mtu)
        assert way.on_link == (kind == "unicast" and not gateway)


def test_what_is_no_address_has_no_route(network):
    assert routes.look_up(Replay(), ["nonsense", "10.0.0", ""], network) == {}


def test_a_message_is_split_from_the_next_and_a_broken_tail_left_out():
    whole = netlink.HEADER.pack(18, 16, 2, 7, 0) + b"ab" + b"\0\0" + netlink.HEADER.pack(16, 3, 0, 7, 0)

    assert netlink.split(whole) == [(16, 2, 7, b"ab"), (3, 0, 7, b"")]
    assert netlink.split(whole[:-1]) == [(16, 2, 7, b"ab")]
    assert netlink.split(netlink.HEADER.pack(15, 3, 0, 7, 0)) == []


@given(st.binary(max_size=200))
def test_any_bytes_are_read_as_far_as_they_make_sense(data):
    for _kind, _flags, _sequence, body in netlink.split(data):
        assert len(body) < len(data)
    for value in netlink.attributes(data).values():
        netlink.text(value)
        netlink.number(value)
        netlink.address(value)
    netlink.errno_of(data)


@given(st.binary(max_size=120))
def test_a_hostile_answer_makes_no_table_fail(data):
    class Hostile:
        def dump(self, kind, _body):
            return [(kind - 2, data), (99, data)]

        def ask(self, _kind, bodies):
            return [data] * len(bodies)

    network = links.read(Hostile())
    routes.look_up(Hostile(), ["10.0.0.1", "fd00::1"], network)
    assert set(neighbours.states(Hostile(), ["10.0.0.1"])) == {"10.0.0.1"}


class FakeSocket:
    """Plays a netlink socket: hands out prepared datagrams, with the sequence number that was asked with."""

    def __init__(self, datagrams):
        self.datagrams = list(datagrams)
        self.sequence = 0

    def send(self, data):
        self.sequence = struct.unpack_from("=I", data, 8)[0]

    def recv(self, _size):
        return self.datagrams.pop(0)(self.sequence)

    def close(self):
        pass


def message(kind, body=b"", flags=0, shift=0):
    return lambda sequence: netlink.HEADER.pack(16 + len(body), kind, flags, sequence + shift, 0) + body


def connection(*datagrams):
    made = netlink.Netlink.__new__(netlink.Netlink)
    made._sequence = 0
    made._socket = FakeSocket(datagrams)
    return made


def test_a_dump_that_was_interrupted_is_read_again():
    interrupted = [message(16, b"old!", flags=0x10), message(3)]
    again = [message(16, b"new!"), message(3)]

    assert connection(*interrupted, *again).dump(18, b"") == [(16, b"new!")]


def test_late_answers_to_earlier_questions_are_not_mixed_in():
    assert connection(message(16, b"late", shift=-1), message(16, b"mine"), message(3)).dump(18, b"") == [(16, b"mine")]


def test_a_refused_dump_is_an_error_with_its_number():
    with pytest.raises(OSError, match="not permitted") as caught:
        connection(message(2, struct.pack("=i", -errno.EPERM))).dump(18, b"")
    assert caught.value.errno == errno.EPERM
