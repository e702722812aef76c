# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import ipaddress
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._facts import packing

ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)


def test_values_and_ranges():
    assert packing.pack(["10.200.0.14", "10.200.0.9", "10.200.0.11", "10.200.0.10", "10.200.0.12"]) == {
        "10.200.0": "9-12,14"
    }


def test_ipv6_in_hexadecimal():
    addresses = ["fd00::9", "fd00::a", "fd00::b", "fd00::c", "fd00::ffff"]

    assert packing.pack(addresses) == {"fd00:0:0:0:0:0:0": "9-c,ffff"}


def test_groups_stand_in_numeric_order():
    assert list(packing.pack(["fd00::1", "10.0.0.1", "9.0.0.1", "10.0.10.1", "10.0.9.1"])) == [
        "9.0.0",
        "10.0.0",
        "10.0.9",
        "10.0.10",
        "fd00:0:0:0:0:0:0",
    ]


def test_what_is_no_plain_address_is_kept_as_it_is():
    packed = packing.pack(["fe80::1%eth0", "10.0.0.1", "peer.example"])

    assert packed == {"10.0.0": "1", "": "fe80::1%eth0,peer.example"}
    assert sorted(packing.unpack(packed)) == ["10.0.0.1", "fe80::1%eth0", "peer.example"]


def test_nothing():
    assert packing.pack([]) == {}
    assert list(packing.unpack({})) == []


def test_a_thousand_neighbours_take_a_few_bytes():
    packed = packing.pack(f"10.200.{number // 250}.{number % 250 + 1}" for number in range(1000))

    assert len(json.dumps(packed)) < 100


@given(st.lists(ADDRESSES))
def test_every_address_comes_back_once_and_as_usually_written(addresses):
    found = list(packing.unpack(packing.pack(addresses)))

    assert len(found) == len(set(found))
    assert {ipaddress.ip_address(one) for one in found} == {ipaddress.ip_address(one) for one in addresses}
    assert all(packing.canonical(one) == one for one in found)


@given(st.lists(ADDRESSES), st.randoms())
def test_the_order_and_repetition_of_addresses_do_not_matter(addresses, random):
    shuffled = addresses * 2
    random.shuffle(shuffled)

    assert packing.pack(shuffled) == packing.pack(addresses)


@given(st.lists(ADDRESSES))
def test_packing_again_changes_nothing(addresses):
    packed = packing.pack(addresses)

    assert packing.pack(packing.unpack(packed)) == packed


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=40)))
def test_what_was_never_packed_is_survived(packed):
    list(packing.unpack(packed))


@pytest.mark.parametrize(
    "packed",
    [
        {"10.200.0": "0-99999999999"},
        {"10.200.0": "9-4"},
        {"10.200.0": "256"},
        {"10.200.0": "-1"},
        {"10.200.0": "x,,-,1-2-3"},
        {"10.200": "1"},
        {"10.200.0.0": "1"},
        {"fd00:0:0:0:0:0": "1"},
        {"fd00:0:0:0:0:0:0": "0-10000"},
        {"fd00:0:0:0:0:0:0": "g"},
        {"no:address": "1"},
    ],
)
def test_parts_that_make_no_address_are_left_out(packed):
    assert list(packing.unpack(packed)) == []


@pytest.mark.parametrize(
    ("address", "usual"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("FD00:0::0001", "fd00::1"),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("x", "x"),
        ("", ""),
        ("1.2.3.4\0", "1.2.3.4\0"),
    ],
)
def test_the_usual_way_to_write_an_address(address, usual):
    assert packing.canonical(address) == usual


@pytest.mark.parametrize(
    ("address", "family"),
    [("10.200.0.9", "ipv4"), ("fd00::9", "ipv6"), ("fe80::1%eth0", ""), ("10.200.0", ""), ("", "")],
)
def test_families(address, family):
    assert packing.family_of(address) == family


def test_prefixes_are_packed_by_their_length():
    found = packing.pack_prefixes(["10.244.1.64/26", "10.244.1.0/26", "10.9.9.9", "fd00::/122", "fd00::7", "default"])

    assert found == {
        "": {"": "default"},
        "26": {"10.244.1": "0,64"},
        "32": {"10.9.9": "9"},
        "122": {"fd00:0:0:0:0:0:0": "0"},
        "128": {"fd00:0:0:0:0:0:0": "7"},
    }
    assert packing.pack_prefixes([]) == {}
