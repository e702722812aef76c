# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The corner cases of Calico's autodetection, each as its source decides it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._address import autodetect, releases
from ansible_collections.netmedic.calico.plugins.module_utils._address.autodetect import Held, Host, Interface

NEW = (3, 32, 1)


def interface(name, *addresses, complete=True):
    held = []
    for text in addresses:
        address, _slash, rest = text.partition("/")
        prefix, _peer, peer = rest.partition(" peer ")
        held.append(Held(address, int(prefix), peer))
    return Interface(name, held, complete)


def pick(method, *interfaces, family="ipv4", version=NEW, **more):
    found = autodetect.detect(method, family, Host(interfaces, version, **more))
    return f"{found.address}/{found.prefix} {found.interface}" if found.address else found.decided


LO = interface("lo", "127.0.0.1/8", "::1/128")
ETH0 = interface("eth0", "10.0.0.9/24", "fe80::1/64", "fd00::9/64")
ETH1 = interface("eth1", "192.168.56.9/24")


def test_the_last_interface_in_the_kernels_list_wins():
    assert pick("", LO, ETH0, ETH1) == "192.168.56.9/24 eth1"
    assert pick("first-found", LO, ETH1, ETH0) == "10.0.0.9/24 eth0"


def test_an_interface_without_a_usable_address_is_passed_over():
    assert pick("", LO, ETH0, interface("eth1"), interface("eth2", "169.254.3.4/16")) == "10.0.0.9/24 eth0"


def test_the_first_address_of_an_interface_counts_also_a_virtual_one():
    assert pick("", interface("eth0", "10.0.0.100/32", "10.0.0.9/24")) == "10.0.0.100/32 eth0"
    assert pick("", interface("eth0", "10.0.0.9/24", "10.0.0.100/32")) == "10.0.0.9/24 eth0"


@pytest.mark.parametrize(
    "name",
    [
        "docker0", "cbr0", "dummy0", "podman1", "virbr0", "lxcbr0", "veth1", "lo", "lom1", "br-4f1a", "cali1", "tunl0",
        "flannel.1", "kube-ipvs0", "cni0", "cni-podman0", "vxlan.calico", "vxlan-v6.calico", "wireguard.cali",
        "wg-v6.cali", "nodelocaldns",
    ],
)  # fmt: skip
def test_what_first_found_leaves_out(name):
    assert pick("", ETH0, interface(name, "10.9.9.9/24")) == "10.0.0.9/24 eth0"
    assert pick("interface=.*", ETH0, interface(name, "10.9.9.9/24")) == f"10.9.9.9/24 {name}"
    assert pick("cidr=10.9.0.0/16", interface(name, "10.9.9.9/24"), ETH0) == f"10.9.9.9/24 {name}"


@pytest.mark.parametrize(
    "name",
    ["bond0", "wg0", "tailscale0", "zt1", "ovs-system", "lxdbr0", "incusbr0", "kube-bridge", "cilium_host", "weave",
     "vmnet1", "mpqemubr0", "tun0", "br0", "nerdctl0"],
)  # fmt: skip
def test_what_first_found_does_not_leave_out(name):
    assert pick("", ETH0, interface(name, "10.9.9.9/24")) == f"10.9.9.9/24 {name}"


@pytest.mark.parametrize(
    ("version", "name", "left_out"),
    [
        ((3, 24, 0), "vxlan.calico", True),  # "cali" may stand anywhere
        ((3, 24, 3), "vxlan.calico", False),
        ((3, 24, 4), "vxlan.calico", True),
        ((3, 23, 3), "wireguard.cali", True),
        ((3, 23, 4), "wireguard.cali", False),
        ((3, 23, 5), "wireguard.cali", True),
        ((3, 24, 5), "nodelocaldns", False),
        ((3, 24, 6), "nodelocaldns", True),
        ((3, 24, 6), "podman0", False),
        ((3, 25, 0), "podman0", True),
        ((3, 24, 6), "br-1234", False),
        ((3, 25, 0), "br-1234", True),
        ((3, 20, 0), "eth-lo", True),
        ((3, 25, 0), "eth-lo", False),
    ],
)
def test_what_releases_leave_out(version, name, left_out):
    assert releases.rules(version).excludes(name) is left_out


def test_a_pick_on_which_releases_disagree_is_not_decided_without_the_version():
    host = Host([ETH0, interface("podman0", "10.88.0.1/16")])

    found = autodetect.detect("", "ipv4", host)

    assert (found.address, found.decided) == ("10.0.0.9", False)
    assert "10.88.0.1/16" in found.why
    assert autodetect.detect("", "ipv4", Host([ETH0])).decided


def test_interface_patterns_are_searched_for_anywhere_in_the_name():
    veth = interface("veth0abc", "10.9.9.9/24")

    assert pick("interface=eth0", ETH0, veth) == "10.9.9.9/24 veth0abc"
    assert pick("interface=^eth0$", ETH0, veth) == "10.0.0.9/24 eth0"


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ("eth1 , eth0", "192.168.56.9/24 eth1"),
        ("^eth0$,", "192.168.56.9/24 eth1"),  # an empty pattern matches everything
        ("", "192.168.56.9/24 eth1"),
        (" eth0", True),  # white space at the ends stays
        ("eth0 ", True),
        ("ens.*", True),
        ("(?=eth0)", True),  # Go refuses it
        ("eth[", True),
        (r"\pL+", False),
        ("eth{0,1}", True),  # split at the comma
    ],
)
def test_lists_of_patterns(patterns, expected):
    assert pick("interface=" + patterns, LO, ETH0, ETH1) == expected


def test_loopback_can_be_named_and_its_own_address_is_still_none():
    assert pick("interface=lo", LO, ETH0) is True
    assert pick("interface=lo", interface("lo", "127.0.0.1/8", "10.255.0.9/32"), ETH0) == "10.255.0.9/32 lo"


def test_skip_interface_adds_to_what_is_left_out():
    docker = interface("docker0", "172.17.0.1/16")

    assert pick("skip-interface=eth1", ETH0, ETH1, docker) == "10.0.0.9/24 eth0"
    assert pick("skip-interface=^eth.*", ETH0, ETH1, docker) is True
    assert pick("skip-interface=(?!x)", ETH0) is True


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ("10.0.0.0/8", "10.0.0.9/24 eth0"),
        ("10.0.0.77/24", "10.0.0.9/24 eth0"),  # host bits are cut off
        ("172.16.0.0/12, 192.168.0.0/16", "192.168.56.9/24 eth1"),
        ("10.0.0.0/8,", True),
        ("10.0.0.0", True),
        (" 10.0.0.0/8", True),
        ("10.0.0.0/33", True),
        ("010.0.0.0/8", True),
        ("fd00::/8", True),
        ("0.0.0.0/0", "192.168.56.9/24 eth1"),
    ],
)
def test_cidrs(texts, expected):
    assert pick("cidr=" + texts, LO, ETH0, ETH1) == expected


def test_cidr_takes_a_virtual_address_in_the_range():
    assert pick("cidr=10.0.0.0/24", ETH0, interface("vip0", "10.0.0.100/32")) == "10.0.0.100/32 vip0"


@pytest.mark.parametrize(
    ("destination", "source", "expected"),
    [
        ("8.8.8.8", "10.0.0.9", "10.0.0.9/24 eth0"),
        ("8.8.8.8", "", True),
        ("8.8.8.8", None, False),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1/8 lo"),  # no one asks what kind of address it is
        ("", None, "127.0.0.1/8 lo"),
        ("8.8.8.8", "10.77.7.7", True),
        ("2001:db8::1", "fd00::9", True),  # no IPv4 address
    ],
)
def test_can_reach(destination, source, expected):
    assert pick("can-reach=" + destination, LO, ETH0, ETH1, source_of=lambda _to: source) == expected


def test_can_reach_where_two_interfaces_have_the_address():
    both = [interface("eth0", "10.0.0.9/24"), interface("vip0", "10.0.0.9/32")]

    assert pick("can-reach=8.8.8.8", *both, source_of=lambda _to: "10.0.0.9") == "10.0.0.9/32 vip0"


@pytest.mark.parametrize(
    ("internal", "expected"),
    [
        (["10.0.0.9"], "10.0.0.9/24 eth0"),
        (["fd00::9", "10.0.0.9"], "10.0.0.9/24 eth0"),
        (["10.77.7.7"], True),  # held by no interface: no prefix, so no CIDR, so nothing
        (["fd00::9"], True),
        ([], True),
        (None, False),
    ],
)
def test_kubernetes_internal_ip(internal, expected):
    assert pick("kubernetes-internal-ip", LO, ETH0, internal_ips=internal) == expected


def test_an_old_bug_of_kubernetes_internal_ip():
    for version, address in (((3, 23, 1), "10.0.0.0"), ((3, 23, 2), "10.0.0.9"), ((3, 22, 4), "10.0.0.9")):
        found = pick("kubernetes-internal-ip", ETH0, internal_ips=["10.0.0.9"], version=version)
        assert found == f"{address}/24 eth0"


@pytest.mark.parametrize("method", ["first_found", "Interface=eth0", "cidrs=10.0.0.0/8", "garbage\x00", "none"])
def test_an_unknown_method_ends_calico_node(method):
    found = autodetect.detect(method, "ipv4", Host([ETH0], NEW))

    assert (found.address, found.decided) == ("", True)
    assert "calico-node ends" in found.why


def test_point_to_point_prefixes_changed():
    tun = interface("tun0", "10.8.0.1/24 peer 10.8.0.2")

    assert pick("", tun, version=(3, 31, 7)) == "10.8.0.1/24 tun0"
    assert pick("", tun, version=(3, 32, 0)) == "10.8.0.1/32 tun0"


def test_ipv6():
    slaac = interface("eth0", "fe80::1/64", "2001:db8::aaaa/64", "fd00::9/64")

    assert pick("", LO, slaac, family="ipv6") == "2001:db8::aaaa/64 eth0"
    assert pick("cidr=fd00::/8", LO, slaac, family="ipv6") == "fd00::9/64 eth0"
    assert pick("interface=eth0", interface("eth0", "fe80::1/64"), family="ipv6") is True
    assert pick("", interface("eth0", "::ffff:10.0.0.9/120")) == "10.0.0.9/24 eth0"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.0.0.1", True), ("8.8.8.8", True), ("100.64.0.1", True), ("240.0.0.1", True), ("127.0.0.2", False),
        ("169.254.1.1", False), ("224.0.0.1", False), ("239.1.1.1", False), ("0.0.0.0", False),
        ("255.255.255.255", False), ("::", False), ("::1", False), ("fe80::1", False), ("febf::1", False),
        ("fec0::1", True), ("ff02::1", False), ("fd00::1", True), ("2001:db8::1", True), ("", False), ("eth0", False),
    ],
)  # fmt: skip
def test_what_go_calls_global_unicast(address, expected):
    assert autodetect.is_global_unicast(address) is expected


def test_addresses_that_are_not_known_leave_it_undecided():
    many = interface("kube-ipvs0", "10.96.0.1/32", complete=False)

    assert pick("", ETH0, many) == "10.0.0.9/24 eth0"
    assert pick("cidr=10.0.0.0/16", ETH0, many) is False
    assert pick("cidr=10.96.0.0/16", ETH0, many) == "10.96.0.1/32 kube-ipvs0"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v3.28.1", (3, 28, 1)), ("3.28", (3, 28, 0)), ("v3.28.1-eks-1", (3, 28, 1)), ("v3.32.0-0.dev", (3, 32, 0)),
        ("", None), ("latest", None), ("v3", None), ("master", None),
    ],
)  # fmt: skip
def test_versions(text, expected):
    assert releases.parse_version(text) == expected


@given(st.text(max_size=60), st.sampled_from(["", "interface=", "skip-interface=", "cidr=", "can-reach="]))
def test_any_method_has_an_answer(text, beginning):
    found = autodetect.detect(beginning + text, "ipv4", Host([LO, ETH0], NEW))

    assert found.why
