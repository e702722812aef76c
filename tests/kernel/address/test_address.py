# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Autodetection and the facts about addresses and MTUs on interfaces that a real kernel keeps."""

from __future__ import annotations

import socket
import time

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts import addresses, mtu, mtu_automatic
from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._host import links, netlink, routes
from ansible_collections.netmedic.calico.plugins.module_utils._probe import loop

IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, PMTUDISC_DO = 10, 23, 2


def read():
    with netlink.Netlink() as connection:
        return links.read(connection)


def held():
    with netlink.Netlink() as connection:
        network = links.read(connection)
    return addresses.addresses_of(network, [], addresses.Around(["keepalived"], lambda _interface: False))


def detected(method, family="ipv4", version="v3.32.0", own=("10.1.0.9",)):
    environment = {"ipv4": {"IP": "autodetect", "IP_AUTODETECTION_METHOD": method}}.get(
        family, {"IP6": "autodetect", "IP6_AUTODETECTION_METHOD": method}
    )
    about = addresses.Around(source_of=addresses.source_of)
    fact = addresses.autodetection(read(), own, environment, version, about).get(family, {})
    return fact.get("picks", ""), fact.get("interface", "")


@pytest.fixture
def host(wires):
    """A host with eth0 (10.1.0.9), eth1 (10.2.0.9, made later), a bridge like Docker's and a far end on each."""
    one = wires.host("node")
    for name in ("eth0", "eth1"):
        one.run("ip", "link", "add", name, "type", "veth", "peer", "name", "far-" + name)
        one.run("ip", "link", "set", name, "up")
        one.run("ip", "link", "set", "far-" + name, "up")
    one.run("ip", "link", "add", "docker0", "type", "bridge")
    one.run("ip", "addr", "add", "10.1.0.9/24", "dev", "eth0")
    one.run("ip", "addr", "add", "10.2.0.9/24", "dev", "eth1")
    one.run("ip", "addr", "add", "172.17.0.1/16", "dev", "docker0")
    return one


def test_the_interface_made_last_wins_and_docker0_is_left_out(host):
    assert host.call(detected, "first-found") == ("10.2.0.9/24", "eth1")
    assert host.call(detected, "interface=^eth0$") == ("10.1.0.9/24", "eth0")
    assert host.call(detected, "interface=eth0") == ("10.1.0.9/24", "eth0")
    assert host.call(detected, "skip-interface=eth1") == ("10.1.0.9/24", "eth0")
    assert host.call(detected, "cidr=172.16.0.0/12") == ("172.17.0.1/16", "docker0")


def test_an_interface_that_is_down_counts(host):
    host.run("ip", "link", "set", "eth1", "down")

    assert host.call(detected, "first-found") == ("10.2.0.9/24", "eth1")


def test_can_reach_asks_the_kernel(host):
    assert host.call(detected, "can-reach=10.1.0.77") == ("10.1.0.9/24", "eth0")
    assert host.call(detected, "can-reach=8.8.8.8") == ("", "")
    host.run("ip", "route", "add", "default", "via", "10.1.0.254")
    assert host.call(detected, "can-reach=8.8.8.8") == ("10.1.0.9/24", "eth0")
    host.run("ip", "route", "replace", "default", "via", "10.2.0.254", "src", "10.1.0.9")
    assert host.call(detected, "can-reach=8.8.8.8") == ("10.1.0.9/24", "eth0")
    assert host.call(detected, "can-reach=127.0.0.1") == ("127.0.0.1/8", "lo")


def test_a_virtual_address_as_keepalived_adds_it_comes_behind_and_is_recognised(host):
    host.run("ip", "addr", "add", "10.2.0.100/32", "dev", "eth1", "label", "eth1:vip")
    host.run("ip", "addr", "add", "10.2.0.101/24", "dev", "eth1")

    assert host.call(detected, "first-found") == ("10.2.0.9/24", "eth1")
    seen = {entry["address"]: entry for entry in host.call(held)["addresses"]}
    assert seen["10.2.0.100"]["signs"] == ["host_prefix", "shares_subnet", "vip"]
    assert seen["10.2.0.100"]["label"] == "eth1:vip"
    assert seen["10.2.0.101"]["signs"] == ["secondary", "dies_with_first", "shares_subnet", "vip"]
    assert "signs" not in seen["10.1.0.9"]


def test_an_address_of_a_narrower_scope_comes_first_also_if_added_later(host):
    """The kernel keeps an interface's primary addresses in order of scope, and Calico does not look at scopes."""
    host.run("ip", "addr", "add", "10.2.7.1/24", "dev", "eth1", "scope", "link")

    assert host.call(detected, "first-found") == ("10.2.7.1/24", "eth1")


def test_an_address_that_expires(host):
    host.run("ip", "addr", "add", "10.3.0.9/24", "dev", "eth1", "valid_lft", "3000", "preferred_lft", "3000")

    entry = next(entry for entry in host.call(held)["addresses"] if entry["address"] == "10.3.0.9")

    assert entry["signs"] == ["dynamic"]
    assert 2900 < entry["valid_seconds"] <= 3000


def test_a_point_to_point_address_has_another_prefix_since_3_32(host):
    host.run("ip", "addr", "flush", "dev", "eth1")
    host.run("ip", "addr", "add", "10.8.0.1", "peer", "10.8.0.2/24", "dev", "eth1")

    assert host.call(detected, "first-found", "ipv4", "v3.31.0") == ("10.8.0.1/24", "eth1")
    assert host.call(detected, "first-found", "ipv4", "v3.32.0") == ("10.8.0.1/32", "eth1")
    entry = next(entry for entry in host.call(held)["addresses"] if entry["address"] == "10.8.0.1")
    assert (entry["peer"], entry["signs"]) == ("10.8.0.2", ["point_to_point"])


def test_loopback_addresses(host):
    host.run("ip", "addr", "add", "10.255.0.9/32", "dev", "lo")

    assert host.call(detected, "interface=lo") == ("10.255.0.9/32", "lo")
    assert host.call(detected, "first-found") == ("10.2.0.9/24", "eth1")


def test_ipv6(host):
    host.run("ip", "addr", "add", "fd00:2::9/64", "dev", "eth1", "nodad")
    host.run("ip", "addr", "add", "fd00:1::9/64", "dev", "eth0", "nodad", "valid_lft", "900", "preferred_lft", "0")

    assert host.call(detected, "first-found", "ipv6") == ("fd00:2::9/64", "eth1")
    assert host.call(detected, "interface=^eth0$", "ipv6") == ("fd00:1::9/64", "eth0")
    seen = {entry["address"]: entry for entry in host.call(held)["addresses"]}
    assert seen["fd00:1::9"]["signs"] == ["deprecated", "dynamic"]
    # To its own subnet the kernel would rather send from another interface's address than from a deprecated one.
    assert host.call(detected, "can-reach=fd00:1::77", "ipv6") == ("fd00:2::9/64", "eth1")


def test_a_tentative_address_counts_and_is_told(host):
    host.run("sysctl", "-qw", "net.ipv6.conf.eth1.accept_dad=1", "net.ipv6.conf.eth1.dad_transmits=100")
    host.run("ip", "addr", "add", "fd00:2::9/64", "dev", "eth1")

    assert host.call(detected, "first-found", "ipv6") == ("fd00:2::9/64", "eth1")
    seen = {entry["address"]: entry for entry in host.call(held)["addresses"]}
    assert seen["fd00:2::9"]["signs"] == ["tentative"]


def test_a_hundred_interfaces_are_walked_in_the_kernels_order(host):
    names = []
    for number in range(100):
        name = f"bond{number}"
        host.run("ip", "link", "add", name, "type", "veth", "peer", "name", f"veth{number}")
        host.run("ip", "addr", "add", f"10.50.{number}.1/24", "dev", name)
        names.append(name)

    network = host.call(read)
    listed = [line.split(":")[1].strip().split("@")[0] for line in host.run("ip", "-o", "link").splitlines()]

    assert [link.name for link in network.links.values()] == listed
    assert host.call(detected, "interface=^bond")[1] == [name for name in listed if name in names][-1]


def felix(used):
    return mtu_automatic.automatic(read(), used, {}, {}, "v3.28.1")


def test_felix_mtu(host):
    host.run("ip", "link", "set", "far-eth0", "mtu", "1300")
    host.run("ip", "link", "set", "eth0", "mtu", "1400")

    assert host.call(felix, ["vxlan.calico"]) == {
        "host": 1400,
        "interface": "eth0",
        "why": "eth0 is the smallest; others have up to 1500",
        "pods": 1350,
    }
    host.run("ip", "link", "set", "eth0", "down")
    assert host.call(felix, [])["host"] == 1500


@pytest.fixture
def routed(wires):
    """one - router - two, where the way from the router to two carries 1400 only."""
    one, router, two = (wires.host(name) for name in ("one", "rt", "two"))
    wires.join(one, router, ("10.77.1.9", "10.77.1.254", 24), ("fd77:1::9", "fd77:1::fe", 64))
    towards, _back = wires.join(router, two, ("10.77.2.254", "10.77.2.10", 24), ("fd77:2::fe", "fd77:2::a", 64))
    router.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
    for each, subnet in ((one, 1), (two, 2)):
        each.run("ip", "route", "add", "default", "via", f"10.77.{subnet}.254")
        each.run("ip", "-6", "route", "add", "default", "via", f"fd77:{subnet}::fe")
    router.run("ip", "link", "set", towards, "mtu", "1400")
    return one


PEERS = ["10.77.2.10", "fd77:2::a"]


def ways():
    with netlink.Netlink() as connection:
        return routes.look_up(connection, PEERS, links.read(connection))


def learn(family, peer, level, option, size):
    with socket.socket(family, socket.SOCK_DGRAM) as plain:
        plain.setsockopt(level, option, PMTUDISC_DO)
        plain.connect((peer, 33434))
        plain.send(bytes(size))
        time.sleep(0.3)


def test_what_routers_told_is_seen_as_learnt(routed):
    assert {way.mtu for way in routed.call(ways).values()} == {0}

    routed.call(learn, socket.AF_INET, PEERS[0], socket.IPPROTO_IP, IP_MTU_DISCOVER, 1472)
    routed.call(learn, socket.AF_INET6, PEERS[1], socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, 1452)

    for way in routed.call(ways).values():
        assert (way.mtu, way.mtu_kind) == (1400, "learnt")
        assert 0 < way.expires_seconds <= 600


def test_what_routes_were_given(routed):
    routed.run("ip", "route", "add", PEERS[0], "via", "10.77.1.254", "mtu", "lock", "1300", "advmss", "1200")
    routed.run("ip", "-6", "route", "add", PEERS[1], "via", "fd77:1::fe", "mtu", "1350")

    four, six = (routed.call(ways)[peer] for peer in PEERS)

    assert (four.mtu, four.mtu_kind, four.advmss) == (1300, "locked", 1200)
    assert (six.mtu, six.mtu_kind, six.expires_seconds) == (1350, "", 0)


def measured():
    """What calico_mtu says, for one peer of each family, as the pass gathers it."""
    sources = Sources()
    with netlink.Netlink() as connection:
        network = links.read(connection)
        found = routes.look_up(connection, PEERS, network)
    own = {"10.77.2.10": "10.77.1.9", "fd77:2::a": "fd77:1::9"}
    peers = [mtu.PeerWay(peer, True, own[peer]) for peer in PEERS]
    gathering = mtu.gather(network, peers, found, [], sources, "/nonexistent")
    prober = mtu.prober(gathering, 0.4, sources)
    loop.run([prober], 10.0)
    mtu.finish(gathering, prober.results)
    return gathering.facts


def test_paths_of_both_families_are_measured_and_learnt_mtus_not_believed(routed):
    routed.call(learn, socket.AF_INET, PEERS[0], socket.IPPROTO_IP, IP_MTU_DISCOVER, 1472)

    facts = routed.call(measured)

    assert [(path["class"], path["wanted"], path["carries"], path["reported_by"]) for path in facts["paths"]] == [
        ("one-rt via 10.77.1.254 to 10.77.2.0/24", 1500, 1400, "10.77.1.254"),
        ("one-rt via fd77:1::fe to fd77:2::/64", 1500, 1400, "fd77:1::fe"),
    ]
    assert [entry["kind"] for entry in facts["routes"]] == ["learnt"]
