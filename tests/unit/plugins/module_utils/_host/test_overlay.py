# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._host import overlay, pod_routes, wireguard
from ansible_collections.netmedic.calico.plugins.module_utils._host.links import Address, Link, Network
from ansible_collections.netmedic.calico.plugins.module_utils._host.route_table import Entry
from ansible_collections.netmedic.calico.plugins.module_utils._host.routes import Route

ETH0 = Link(2, "eth0", 1500, "", True, True, 0)
VXLAN = Link(3, "vxlan.calico", 1450, "vxlan", True, True, 0)
OTHER = Link(4, "vxlan7", 1450, "vxlan", True, True, 0)
NETWORK = Network([ETH0, VXLAN, OTHER], [Address("10.200.0.9", 24, "eth0", "ipv4", "global", True)])


def attribute(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def neighbour(index, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return struct.pack("=BxxxiHBB", 7, index, 0x80, 2, 0) + attribute(1, socket.inet_pton(family, address))


class Kernel:
    """A kernel that gives these answers by the type of the question."""

    def __init__(self, answers):
        self.answers = answers

    def dump(self, kind, _body):
        answer = self.answers.get(kind, [])
        if isinstance(answer, OSError):
            raise answer
        return answer

    def ask(self, _kind, bodies):
        return [22] * len(bodies)


def test_far_ends_of_calicos_devices_alone_are_other_nodes():
    entries = [(28, neighbour(3, "10.200.0.10")), (28, neighbour(4, "10.9.9.9")), (28, b"short")]
    entries += [(28, neighbour(3, address)) for address in ("10.200.0.9", "239.1.1.1", "0.0.0.0", "fd00::a")]
    sources = Sources()

    learnt = overlay.learn(Kernel({30: entries}), NETWORK, "", sources)

    assert learnt.nodes == {"vxlan.calico": ["10.200.0.10", "fd00::a"]}
    assert learnt.addresses == ["10.200.0.10", "fd00::a"]
    assert sources.status("overlay") == "ok"


def test_what_the_kernel_does_not_tell_is_said():
    sources = Sources()

    learnt = overlay.learn(Kernel({30: OSError(1, "Operation not permitted")}), NETWORK, "", sources)

    assert learnt.nodes == {}
    (entry,) = sources.as_list()
    assert (entry["source"], entry["status"]) == ("overlay", "failed")
    assert "forwarding tables" in entry["detail"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (Entry("10.244.2.0/26", 80, 1, "eth0", "10.200.0.10"), ["10.200.0.10"]),
        (Entry("10.244.2.0/26", 80, 1, "vxlan.calico", "10.244.2.0"), []),
        (Entry("10.244.2.0/26", 80, 6), []),
        (Entry("fd10::/122", 80, 1, "eth0", "fe80::1"), []),
        (Entry("10.244.2.0/24", 3, 1, "eth0", "10.200.0.11"), ["10.200.0.11"]),
        (Entry("10.245.2.0/24", 3, 1, "eth0", "10.200.0.11"), []),
        (Entry("default", 3, 1, "eth0", "10.200.0.254"), []),
        (Entry("10.0.0.0/8", 3, 1, "eth0", "10.200.0.254"), []),
    ],
)
def test_next_hops(entry, expected):
    assert overlay.next_hops([entry], NETWORK, "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_MTU=x\nbroken") == expected


def test_the_own_address_is_the_tunnels_or_that_from_which_most_is_sent():
    learnt = overlay.Learnt({"routes": ["10.200.0.10", "10.200.0.11", "10.3.0.1", "fd00::a"]}, {"ipv6": "fd00::9"})
    sources = ("10.200.0.9", "10.200.0.9", "10.3.0.9", "fd00::8")
    ways = {to: Route(to, "unicast", "eth0", "", source) for to, source in zip(learnt.addresses, sources)}

    assert overlay.own_addresses(learnt, ways) == {"ipv4": "10.200.0.9", "ipv6": "fd00::9"}


# --- WireGuard ---


def test_endpoints_of_wireguard_peers():
    ipv4 = struct.pack("=H", socket.AF_INET) + struct.pack("!H", 51820) + socket.inet_aton("10.200.0.10") + bytes(8)
    ipv6 = struct.pack("=H", socket.AF_INET6) + struct.pack("!HI", 51821, 0)
    ipv6 += socket.inet_pton(socket.AF_INET6, "fd00::a") + bytes(4)
    peers = [attribute(1, b"k" * 32) + attribute(4, ipv4), attribute(1, b"k" * 32), attribute(4, ipv6)]
    body = bytes(4) + attribute(3, b"secret" * 5) + attribute(8, b"".join(attribute(0, peer) for peer in peers))

    assert wireguard.parse(body) == ["10.200.0.10", "fd00::a"]


@given(st.binary(max_size=300))
def test_any_answer_about_wireguard_is_read(body):
    assert isinstance(wireguard.parse(body), list)


# --- routes of pods ---


def route(destination, length, device, protocol=3, kind=1, table=254, flags=0):
    raw = socket.inet_aton(destination)
    head = struct.pack("=8BI", socket.AF_INET, length, 0, 0, table, protocol, 0, kind, flags)
    return head + (attribute(1, raw) if length else b"") + attribute(4, struct.pack("=I", device))


NAMES = {2: "eth0", 3: "vxlan.calico", 5: "cali5", 6: "flannel.1"}


def number(address):
    return int.from_bytes(socket.inet_aton(address), "big")


def test_pods_here_and_elsewhere():
    found = pod_routes.parse(
        [
            route("10.244.1.5", 32, 5),
            route("10.244.2.0", 26, 2, protocol=12),
            route("10.244.3.0", 26, 2, protocol=12),
            route("10.244.4.0", 26, 3, protocol=80),
            route("10.244.5.0", 24, 6),
            route("10.9.0.0", 16, 2),
            route("0.0.0.0", 0, 2),
            route("10.244.1.0", 26, 0, protocol=12, kind=6),
            route("10.244.6.0", 26, 2, protocol=80, table=1),
            b"short",
        ],
        NAMES,
    )

    assert found.here == [pod_routes.Pod("cali5", number("10.244.1.5"))]
    assert found.elsewhere == {
        "eth0": number("10.244.2.1"),
        "vxlan.calico": number("10.244.4.1"),
        "flannel.1": number("10.244.5.1"),
    }


@given(st.lists(st.binary(max_size=80), max_size=5))
def test_any_routes_are_read(bodies):
    assert isinstance(pod_routes.parse(bodies, NAMES), pod_routes.Pods)
