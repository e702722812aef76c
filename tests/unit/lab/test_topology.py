# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a lab: names, addresses, who dials whom."""

from __future__ import annotations

import ipaddress

import pytest

from lab import topology
from lab.bird_config import dials
from lab.errors import UsageError

NAMES = [each.name for each in topology.TOPOLOGIES]


def test_one_subnet_has_the_addresses_that_the_documentation_names():
    plan = topology.plan("one_subnet", 4)
    assert [(node.name, node.address) for node in plan.nodes] == [
        ("node-1", "10.200.0.9"),
        ("node-2", "10.200.0.10"),
        ("node-3", "10.200.0.11"),
        ("node-4", "10.200.0.12"),
    ]


def test_two_subnets_alternate():
    plan = topology.plan("two_subnets", 4)
    assert [node.address for node in plan.nodes] == ["10.200.2.9", "10.200.1.10", "10.200.2.11", "10.200.1.12"]
    assert {node.subnet.gateway for node in plan.nodes} == {"10.200.1.254", "10.200.2.254"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [2, 3, 4, 50, 81])
def test_node_1_dials_everybody_and_everybody_dials_node_2(name, count):
    plan = topology.plan(name, count)
    first, second = plan.nodes[:2]
    assert all(dials(first.address, peer.address) for peer in plan.nodes[1:])
    assert all(dials(peer.address, second.address) for peer in plan.nodes if peer != second)
    assert (plan.dialler, plan.listener) == (first, second)


def test_beyond_81_nodes_another_node_dials_everybody():
    plan = topology.plan("one_subnet", 100)
    assert plan.dialler.address == "10.200.0.99"
    assert plan.listener.name == "node-2"


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_given_twice_in_the_greatest_lab(name):
    nodes = topology.plan(name, topology.MAX_NODES).nodes
    for what in ("name", "address", "mac", "block", "pod_address", "port", "workload"):
        assert len({getattr(node, what) for node in nodes}) == len(nodes), what
    assert {node.address for node in nodes}.isdisjoint(node.subnet.gateway for node in nodes)


@pytest.mark.parametrize("name", NAMES)
def test_addresses_lie_in_their_networks(name):
    for node in topology.plan(name, topology.MAX_NODES).nodes:
        assert ipaddress.ip_address(node.address) in ipaddress.ip_network(node.subnet.network)
        assert ipaddress.ip_address(node.pod_address) in ipaddress.ip_network(node.block)
        assert ipaddress.ip_network(node.block).subnet_of(ipaddress.ip_network(topology.POD_POOL))


def test_interface_names_fit_the_kernel():
    for node in topology.plan("one_subnet", topology.MAX_NODES).nodes:
        assert len(node.port) <= 15
        assert len(node.workload) == 15
        assert node.workload.startswith("cali")


@pytest.mark.parametrize("count", [0, -1, 101])
def test_a_wrong_number_of_nodes_is_refused(count):
    with pytest.raises(UsageError, match=f"1 to 100 nodes, not {count}"):
        topology.plan("one_subnet", count)


def test_an_unknown_topology_names_those_there_are():
    with pytest.raises(UsageError, match="one_subnet, two_subnets"):
        topology.plan("ring", 4)


def test_an_unknown_node_names_those_there_are():
    with pytest.raises(UsageError, match="node-1 to node-4"):
        topology.plan("one_subnet", 4).node("node-5")
