# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._facts.packing import MOST, pack, unpack
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.address_set import AddressSet

v4 = st.integers(0x0A000000, 0x0A0003FF).map(lambda number: str(ipaddress.IPv4Address(number)))
v6 = st.integers(0xFD << 120, (0xFD << 120) + 0x3FFFF).map(lambda number: str(ipaddress.IPv6Address(number)))
odd = st.sampled_from(
    ["fe80::1%eth0", "router.example", "::ffff:1.2.3.4", "1.2.3", "1.2.3.4.5", "1.2.3.400", "01.2.3.4"]
)
sets = st.frozensets(v4 | v6 | odd, max_size=40)


@given(sets)
def test_it_holds_what_it_was_made_of(addresses):
    made = AddressSet.of(addresses)
    assert set(made) == addresses
    assert len(made) == len(addresses)
    assert all(address in made for address in addresses)
    assert made == addresses
    assert bool(made) == bool(addresses)


@given(sets, sets)
def test_it_is_a_set_beside_itself_and_beside_others(one, other):
    mine, yours = AddressSet.of(one), AddressSet.of(other)
    for right in (yours, other):
        assert mine & right == one & other
        assert mine | right == one | other
        assert mine - right == one - other
        assert (mine <= right) == (one <= other)
    assert one & yours == one & other
    assert one - yours == one - other
    assert mine.isdisjoint(yours) == one.isdisjoint(other)
    assert (mine == yours) == (one == other)
    if one == other:
        assert hash(mine) == hash(yours)


@given(st.frozensets(v4 | v6, max_size=40), v4 | v6)
def test_what_is_not_in_it_is_not(addresses, another):
    assert (another in AddressSet.of(addresses)) == (another in addresses)


@given(sets)
def test_it_reads_what_nodes_pack(addresses):
    packed = pack(addresses)
    assert set(AddressSet.packed(packed)) == set(unpack(packed))


@pytest.mark.parametrize(
    "told",
    [None, "text", [], {"10.0.0": 5}, {5: "1"}, {"10.0.0": "x"}, {"10.0.0": "300"}, {"10.0.0": "9-3"}, {"10.0": "1"}],
)
def test_what_is_no_packed_set_is_empty(told):
    assert len(AddressSet.packed(told)) == 0


def test_few_letters_do_not_become_many_addresses():
    told = {f"fd00:0:0:0:0:0:{group:x}": "0-ffff" for group in range(2000)}
    assert len(AddressSet.packed(told)) <= MOST + 0x10000


def test_numbers_are_no_addresses():
    assert 5 not in AddressSet.of(["10.0.0.5"])
