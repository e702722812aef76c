# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._firewall import ipset, packets


@pytest.fixture
def sets(world):
    return ipset.parse(world.text("kinds.ipset"))


def members(
    world, sets, name, directions, peers=("10.200.0.10", "10.200.0.11", "10.200.0.13", "10.200.0.20"), **fields
):
    """Whom of `peers` the set holds for sure, and whom maybe."""
    batch = packets.Batch([world.packet(peer, **fields) for peer in peers], sets.get)
    sure, maybe = sets[name].answer(batch, directions)
    assert sure & ~maybe == 0
    return [[peer for number, peer in enumerate(peers) if mask >> number & 1] for mask in (sure, maybe)]


@pytest.mark.parametrize(
    ("name", "directions", "held"),
    [
        ("h-ip", ["src"], ["10.200.0.10", "10.200.0.11"]),
        ("h-ip", ["dst"], []),
        # .12/30 is taken out of /24, and .13 put back in again.
        ("h-net", ["src"], ["10.200.0.10", "10.200.0.11", "10.200.0.13", "10.200.0.20"]),
        ("h-ip-port", ["src", "dst"], ["10.200.0.10"]),
        ("h-ip-port", ["src", "src"], []),
        ("h-ip-port", ["src"], []),
        ("h-net-port", ["src", "dst"], ["10.200.0.10", "10.200.0.11"]),
        ("h-net-iface", ["src", "src"], ["10.200.0.10", "10.200.0.11", "10.200.0.13"]),
        ("h-net-iface", ["src", "dst"], []),
        ("b-ip", ["src"], ["10.200.0.10", "10.200.0.11"]),
        ("b-port", ["dst"], ["10.200.0.10", "10.200.0.11", "10.200.0.13", "10.200.0.20"]),
        ("b-port", ["src"], []),
        ("l-set", ["src", "dst"], ["10.200.0.10", "10.200.0.11"]),
        ("h6-net", ["src"], []),
    ],
)
def test_each_type_of_set(world, sets, name, directions, held):
    assert members(world, sets, name, directions) == [held, held]


def test_nomatch_takes_addresses_out_of_a_larger_net(world, sets):
    assert members(world, sets, "h-net", ["src"], ["10.200.0.12", "10.200.0.14", "10.200.0.16"])[0] == ["10.200.0.16"]
    assert members(world, sets, "h6-net", ["src"], ["fd00::a", "fd00::b"])[0] == ["fd00::b"]


def test_a_set_whose_elements_mean_something_else_is_undecidable(world, sets):
    assert members(world, sets, "h-ip-mask", ["src"], ["10.200.1.7"]) == [[], ["10.200.1.7"]]


def test_an_unknown_interface_is_undecidable_only_where_the_net_holds(world, sets):
    found = members(world, sets, "h-net-iface", ["src", "src"], ["10.200.0.10", "10.200.0.99"], in_interface=None)
    assert found == [[], ["10.200.0.10"]]


def test_with_interfaces_the_longest_prefix_counts_even_if_the_interface_is_another(world):
    """Seen with the kernel: 10.200.0.10 by eth0 is not in the set, though the larger net has eth0."""
    sets = ipset.parse("create x hash:net,iface family inet\nadd x 10.200.0.0/24,eth0\nadd x 10.200.0.10,eth1\n")
    assert members(world, sets, "x", ["src", "src"], ["10.200.0.10", "10.200.0.11"]) == [["10.200.0.11"]] * 2
    assert members(world, sets, "x", ["src", "src"], ["10.200.0.10"], in_interface="eth1")[0] == ["10.200.0.10"]


@pytest.mark.parametrize(
    "text",
    [
        "create x hash:mac\nadd x 02:00:00:00:00:01\n",
        "create x hash:net family inet\nadd x example.org\n",
        "create x hash:ip,port family inet\nadd x 10.200.0.10\n",
        "create x hash:ip,port family inet\nadd x 10.200.0.10,tcp:bgp\n",
        "create x list:set\nadd x nobody\n",
        "create x list:set\nadd x x\n",
        "create x hash:net,iface family inet\nadd x 10.200.0.0/24,physdev:eth0\n",
    ],
)
def test_what_cannot_be_read_is_undecidable(world, text):
    sets = ipset.parse(text)
    assert members(world, sets, "x", ["src", "src"], ["10.200.0.10"]) == [[], ["10.200.0.10"]]


def test_other_lines_are_passed_over():
    sets = ipset.parse("garbage\ncreate a\nadd b 1\ncreate c hash:ip\nadd c 1.2.3.4\nadd c\n")
    assert list(sets) == ["c"]
    assert sets["c"].lines == ["1.2.3.4"]
