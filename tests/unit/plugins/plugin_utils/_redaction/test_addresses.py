# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses: prefixes stay, no two become one, special ones keep their meaning."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._inet import octets
from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction.addresses import Addresses
from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction.keyed import Keyed

ONE = Addresses(Keyed("one"))
FOUR = st.integers(0, 2**32 - 1).map(lambda number: number.to_bytes(4, "big"))
SIX = st.integers(0, 2**128 - 1).map(lambda number: number.to_bytes(16, "big"))
MAC = st.integers(0, 2**48 - 1).map(lambda number: number.to_bytes(6, "big"))
PRIVATE = st.tuples(st.sampled_from([b"\x0a\0", b"\xac\x10", b"\xac\x11", b"\xc0\xa8"]), st.integers(0, 2**16 - 1)).map(
    lambda pair: pair[0] + pair[1].to_bytes(2, "big")
)


def shared(one, other):
    """How many first bits two addresses have in common."""
    return len(one) * 8 - (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_length()


def mapped(text, addresses=ONE):
    return str(ipaddress.ip_address(addresses.raw(octets(text))))


@given(st.one_of(FOUR, PRIVATE), st.one_of(FOUR, PRIVATE))
@settings(max_examples=300)
def test_ipv4_prefixes_stay_as_long_as_they_are(one, other):
    assert shared(ONE.raw(one), ONE.raw(other)) == shared(one, other)


@given(SIX, SIX, st.integers(0, 128))
@settings(max_examples=200)
def test_ipv6_prefixes_stay_as_long_as_they_are(one, other, length):
    mixed = (
        int.from_bytes(one, "big") >> length << length | int.from_bytes(other, "big") & ((1 << length) - 1)
    ).to_bytes(16, "big")
    if any(address[11:13] in (b"\xff\xfe", b"\x01\xff") for address in (one, mixed)):
        return
    assert shared(ONE.raw(one), ONE.raw(mixed)) == shared(one, mixed)


@given(st.lists(PRIVATE, unique=True, max_size=200))
@settings(max_examples=50)
def test_no_two_addresses_become_one(addresses):
    assert len({ONE.raw(address) for address in addresses}) == len(addresses)


@given(st.lists(MAC, unique=True, max_size=50))
def test_no_two_mac_addresses_become_one(addresses):
    plain = [address for address in addresses if not address[0] & 1]
    assert len({ONE.raw(address) for address in plain}) == len(plain)
    assert all(ONE.raw(address)[0] & 3 == address[0] & 3 for address in plain)


@given(st.one_of(FOUR, SIX, MAC), st.text(max_size=20))
@settings(max_examples=20)
def test_one_key_always_tells_the_same(address, key):
    assert Addresses(Keyed(key)).raw(address) == Addresses(Keyed(key)).raw(address)


def test_another_key_tells_something_else():
    others = [mapped("10.20.30.40", Addresses(Keyed(str(number)))) for number in range(20)]
    assert len(set(others)) > 15


@given(PRIVATE)
def test_no_private_address_stays_what_it_is(address):
    assert ONE.raw(address) != address


@pytest.mark.parametrize(
    "text",
    [
        *("0.0.0.0", "127.0.0.1", "127.0.0.53", "169.254.169.254", "169.254.1.1", "224.0.0.5", "255.255.255.255"),
        *("255.255.240.0", "8.8.8.8", "1.1.1.1", "::", "::1", "fe80::1", "ff02::1", "ff02::5"),
    ],
)
def test_what_means_the_same_everywhere_stays(text):
    assert mapped(text) == text


@pytest.mark.parametrize(
    ("network", "host"),
    [
        ("10.0.0.0/8", "10.1.2.3"),
        ("172.16.0.0/12", "172.31.0.9"),
        ("192.168.0.0/16", "192.168.1.2"),
        ("100.64.0.0/10", "100.96.1.1"),
        ("fd00::/8", "fd00:10::9"),
        ("fe80::/10", "fe80::a00:27ff:fe4e:66a1"),
        ("2000::/3", "2001:db8:1::5"),
    ],
)
def test_blocks_stay_blocks(network, host):
    block = ipaddress.ip_network(network)
    found = ipaddress.ip_address(mapped(host))
    assert found in block
    assert str(found) != host


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=300)
def test_public_addresses_stay_public(number):
    address = ipaddress.ip_address(number)
    if address.is_global:
        assert ipaddress.ip_address(ONE.raw(number.to_bytes(4, "big"))).is_multicast is address.is_multicast
        made = ipaddress.ip_address(ONE.raw(number.to_bytes(4, "big")))
        assert not any(made in ipaddress.ip_network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))


@given(st.integers(0, 2**32 - 1), st.integers(8, 30))
@settings(max_examples=200)
def test_network_gateway_and_broadcast_stay_what_they_are(number, length):
    addresses = Addresses(Keyed("subnets"))
    network = ipaddress.ip_network((0x0A000000 | number & 0xFFFFFF, length), strict=False)
    host = network.network_address + 5 if length > 8 else ipaddress.ip_address("10.3.4.5")
    if host == network.broadcast_address or host not in network:
        return
    addresses.learn(host.packed, length)
    made = ipaddress.ip_network((addresses.raw(host.packed), length), strict=False)
    assert addresses.raw(network.network_address.packed) == made.network_address.packed
    assert addresses.raw(network.broadcast_address.packed) == made.broadcast_address.packed
    assert addresses.network(network.network_address.packed, length) == made.network_address.packed


def test_an_address_made_of_a_mac_address_follows_it():
    mac = bytes.fromhex("0800274e66a1")
    made = ONE.raw(mac)
    address = ONE.raw(octets("fe80::a00:27ff:fe4e:66a1"))
    assert address[8:] == bytes((made[0] ^ 2, *made[1:3])) + b"\xff\xfe" + made[3:]
    assert made[:3] == ONE.raw(bytes.fromhex("080027000001"))[:3]


@pytest.mark.parametrize("mac", ["eeeeeeeeeeee", "ffffffffffff", "000000000000", "01005e000005"])
def test_mac_addresses_that_everybody_has_stay(mac):
    assert ONE.raw(bytes.fromhex(mac)).hex() == mac


def test_calicos_link_local_address_of_all_pods_stays():
    assert mapped("fe80::ecee:eeff:feee:eeee") == "fe80::ecee:eeff:feee:eeee"


def test_ipv4_in_ipv6_is_the_same_ipv4():
    assert mapped("::ffff:10.1.2.3") == str(
        ipaddress.ip_address(b"\0" * 10 + b"\xff\xff" + ONE.raw(octets("10.1.2.3")))
    )
