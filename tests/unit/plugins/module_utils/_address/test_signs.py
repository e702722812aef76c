# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.netmedic.calico.plugins.module_utils._address.signs import signs
from ansible_collections.netmedic.calico.plugins.module_utils._host import links
from ansible_collections.netmedic.calico.plugins.module_utils._host.links import Address


def held(text, interface="eth0", scope="global", **more):
    address, _slash, prefix = text.partition("/")
    family = "ipv6" if ":" in address else "ipv4"
    return Address(address, int(prefix), interface, family, scope, True, **more)


FIRST = held("10.0.0.9/24")


def of(entry, *others, holders=(), promotes=True):
    return signs(entry, [*others, entry], holders, lambda _interface: promotes)


def test_an_ordinary_address_has_none():
    assert of(FIRST) == []
    assert of(held("fd00::9/64"), held("fd00::a/64")) == []


def test_a_virtual_address_as_keepalived_and_kube_vip_add_it():
    vip = held("10.0.0.100/32")

    assert of(vip, FIRST) == ["host_prefix", "shares_subnet", "maybe_vip"]
    assert of(vip, FIRST, holders=["keepalived"]) == ["host_prefix", "shares_subnet", "vip"]
    assert of(FIRST, vip, holders=["keepalived"]) == ["shares_subnet"]


def test_a_virtual_address_with_the_subnets_own_prefix():
    second = held("10.0.0.100/24", flags=links.PERMANENT | links.SECONDARY)

    assert of(second, FIRST) == ["secondary", "shares_subnet", "maybe_vip"]
    assert of(second, FIRST, promotes=False) == ["secondary", "dies_with_first", "shares_subnet", "maybe_vip"]


def test_a_labelled_address():
    assert "maybe_vip" in of(held("10.9.0.1/24", label="eth0:vip"), FIRST)


def test_the_only_address_of_a_cloud_machine_is_no_virtual_one():
    assert of(held("10.128.0.9/32")) == ["host_prefix"]


def test_kube_vips_address_on_the_loopback_interface():
    loopback = held("127.0.0.1/8", "lo", scope="host")

    vip = held("10.0.0.100/32", "lo")

    assert of(vip, loopback, FIRST, holders=["kube-vip"]) == ["host_prefix", "shares_subnet", "vip"]
    assert of(held("10.255.0.9/32", "lo"), loopback, FIRST, holders=["kube-vip"]) == ["host_prefix"]


def test_an_address_from_dhcp_expires():
    assert of(held("10.0.0.9/24", flags=0, valid_seconds=3000)) == ["dynamic"]


def test_ipv6_words():
    privacy = held("2001:db8::aaaa/64", flags=links.SECONDARY | links.DEPRECATED, valid_seconds=100)

    assert of(privacy, held("2001:db8::9/64")) == ["temporary", "deprecated", "dynamic"]
    assert of(held("fd00::9/64", flags=links.PERMANENT | links.TENTATIVE | links.DUPLICATE)) == [
        "tentative",
        "duplicate",
    ]


def test_two_interfaces_in_one_subnet():
    assert of(FIRST, held("10.0.0.10/24", "eth1")) == ["shares_subnet"]
    assert of(FIRST, held("10.0.1.10/24", "eth1")) == []


def test_a_point_to_point_address():
    assert of(held("10.8.0.1/32", "tun0", peer="10.8.0.2"), FIRST) == ["point_to_point"]
