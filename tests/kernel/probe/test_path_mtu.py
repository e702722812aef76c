# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import socket
import time

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._probe import loop, path_mtu

IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, PMTUDISC_DO = 10, 23, 2
FAR4, FAR6 = "10.77.2.10", "fd77:2::a"


@pytest.fixture
def routed(wires):
    """one - router - two, in two subnets; returns the hosts and the router's device towards two."""
    one, router, two = (wires.host(name) for name in ("one", "rt", "two"))
    wires.join(one, router, ("10.77.1.9", "10.77.1.254", 24), ("fd77:1::9", "fd77:1::fe", 64))
    towards, _back = wires.join(router, two, ("10.77.2.254", FAR4, 24), ("fd77:2::fe", FAR6, 64))
    router.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
    for host, subnet in ((one, 1), (two, 2)):
        host.run("ip", "route", "add", "default", "via", f"10.77.{subnet}.254")
        host.run("ip", "-6", "route", "add", "default", "via", f"fd77:{subnet}::fe")
    return one, router, two, towards


def measure(paths, timeout=0.4):
    prober = path_mtu.PathProber([path_mtu.Path(*path) for path in paths], timeout)
    assert loop.run([prober], 15.0)
    return prober.results


def both(one, wanted=1500):
    paths = [("four", [FAR4], "10.77.1.9", wanted), ("six", [FAR6], "fd77:1::9", wanted)]
    return [(found.result, found.carries, found.reported_by, found.packets) for found in one.call(measure, paths)]


def cached(host):
    """What the kernel has learnt of path MTUs: `ip route get` shows an mtu where it has."""
    return [
        line
        for command in (("ip", "route", "get", FAR4), ("ip", "-6", "route", "get", FAR6))
        for line in host.run(*command).splitlines()
        if "mtu" in line
    ]


def test_a_path_that_carries_what_is_wanted_costs_one_packet(routed):
    assert both(routed[0]) == [("ok", 1500, "", 1)] * 2


def test_a_routers_word_is_taken_and_not_left_in_the_kernels_cache(routed):
    one, router, _two, towards = routed
    router.run("ip", "link", "set", towards, "mtu", "1400")

    assert both(one) == [("smaller", 1400, "10.77.1.254", 2), ("smaller", 1400, "fd77:1::fe", 2)]
    assert cached(one) == []


def learn(family, peer, level, option, packet):
    with socket.socket(family, socket.SOCK_DGRAM) as plain:
        plain.setsockopt(level, option, PMTUDISC_DO)
        plain.connect((peer, 33434))
        plain.send(bytes(packet))
        time.sleep(0.3)


def test_the_cache_would_show_if_something_were_in_it(routed):
    """The control for the test above: an ordinary socket that sets "don't fragment" leaves the path's MTU behind."""
    one, router, _two, towards = routed
    router.run("ip", "link", "set", towards, "mtu", "1400")

    one.call(learn, socket.AF_INET, FAR4, socket.IPPROTO_IP, IP_MTU_DISCOVER, 1472)
    one.call(learn, socket.AF_INET6, FAR6, socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, 1452)

    assert len(cached(one)) == 2


def test_what_is_in_the_cache_does_not_mislead_the_measurement(routed):
    one, router, _two, towards = routed
    router.run("ip", "link", "set", towards, "mtu", "1400")
    one.call(learn, socket.AF_INET, FAR4, socket.IPPROTO_IP, IP_MTU_DISCOVER, 1472)
    one.call(learn, socket.AF_INET6, FAR6, socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, 1452)
    router.run("ip", "link", "set", towards, "mtu", "1500")

    assert [found[:2] for found in both(one)] == [("ok", 1500)] * 2


def test_where_large_packets_vanish_the_size_is_found_by_trying(routed, needs):
    needs("iptables", "ip6tables")
    one, router, _two, _towards = routed
    for program in ("iptables", "ip6tables"):
        router.run(program, "-A", "FORWARD", "-m", "length", "--length", "1421:65535", "-j", "DROP")

    found = both(one)

    assert [each[:3] for each in found] == [("smaller", 1420, "")] * 2
    assert max(packets for *_what, packets in found) <= 14


def test_a_router_that_may_not_say_so_is_found_out_as_well(routed, needs):
    needs("iptables")
    one, router, _two, towards = routed
    router.run("ip", "link", "set", towards, "mtu", "1400")
    for program in ("iptables", "ip6tables"):
        protocol = "icmp" if program == "iptables" else "icmpv6"
        router.run(program, "-A", "OUTPUT", "-p", protocol, "-j", "DROP")
    router.run("ip6tables", "-I", "OUTPUT", "-p", "icmpv6", "--icmpv6-type", "neighbour-solicitation", "-j", "ACCEPT")
    router.run("ip6tables", "-I", "OUTPUT", "-p", "icmpv6", "--icmpv6-type", "neighbour-advertisement", "-j", "ACCEPT")

    assert [found[:3] for found in both(one)] == [("smaller", 1400, "")] * 2
    assert cached(one) == []


def test_a_peer_that_drops_udp_is_asked_by_echo(routed, needs):
    needs("ip6tables")
    one, _router, two, _towards = routed
    two.run("ip6tables", "-A", "INPUT", "-p", "udp", "-j", "DROP")

    assert both(one)[1] == ("ok", 1500, "", 2)


def test_a_silent_peer_gives_way_to_the_next_three_at_most(routed, needs):
    needs("iptables")
    one, _router, two, _towards = routed
    two.run("iptables", "-A", "INPUT", "-p", "icmp", "-d", FAR4, "-j", "DROP")
    two.run("ip", "addr", "add", "10.77.2.11/24", "dev", "two-rt")

    found, silent = one.call(
        measure,
        [
            ("some", ["10.77.2.77", FAR4, "10.77.2.11"], "10.77.1.9", 1500),
            ("none", ["10.77.2.77", FAR4, "10.77.2.78", "10.77.2.11"], "10.77.1.9", 1500),
        ],
    )

    assert (found.result, found.peer, found.carries) == ("ok", "10.77.2.11", 1500)
    assert (silent.result, silent.carries) == ("silent", None)


def test_what_our_own_host_refuses_to_send_is_an_error(routed, needs):
    needs("iptables")
    one, _router, _two, _towards = routed
    one.run("iptables", "-A", "OUTPUT", "-p", "icmp", "-j", "DROP")

    (found,) = one.call(measure, [("path", [FAR4], "10.77.1.9", 1500)])

    assert found.result == "error"
    assert "OUTPUT" in found.detail


def test_a_size_beyond_our_own_interface_is_local(routed):
    (found,) = routed[0].call(measure, [("path", [FAR4], "10.77.1.9", 1600)])

    assert (found.result, found.carries) == ("local", None)
