# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._facts.packing import pack
from ansible_collections.netmedic.calico.plugins.plugin_utils._address import methods, nodes

NAMES = {"node-1": 9, "node-2": 10, "node-3": 11}


def fact(address: str, interface: str, position: int, **more: Any) -> dict[str, Any]:
    text, _slash, prefix = address.partition("/")
    return {"address": text, "prefix": int(prefix), "interface": interface, "position": position, "up": True, **more}


def virtualbox(established: bool = False) -> dict[str, dict[str, Any]]:
    """Every node has 10.0.2.15 on its last interface and its real address on the one before."""
    cluster: dict[str, dict[str, Any]] = {}
    for name, number in NAMES.items():
        others = [f"192.168.56.{other}" for other in NAMES.values() if other != number]
        cluster[name] = {
            "calico_node": {
                "addresses": [fact(f"192.168.56.{number}/24", "eth0", 1), fact("10.0.2.15/24", "eth1", 2)],
                "other_addresses": [fact("172.17.0.1/16", "docker0", 3)],
                "autodetection": {"ipv4": {"picks": "10.0.2.15/24", "outward": "10.0.2.15"}},
                "calico": {"version": "v3.28.1"},
            },
            "calico_bgp": {"daemons": {"ipv4": {"peers": {"packed": {"Mesh": pack(others) if established else {}}}}}},
        }
    return cluster


INVENTORY = {name: f"192.168.56.{number}" for name, number in NAMES.items()}


def test_an_address_that_all_nodes_hold_is_nobodys() -> None:
    read = nodes.read(virtualbox(), "ipv4")

    assert {node.truth for node in read} == {""}
    assert methods.methods_that_fit(read) == []


def test_the_address_a_node_is_managed_by_tells() -> None:
    read = nodes.read(virtualbox(), "ipv4", INVENTORY)

    assert [node.truth for node in read] == list(INVENTORY.values())
    assert read[0].truth_why == "the node is managed by it"


def test_sessions_tell_more_than_the_inventory() -> None:
    read = nodes.read(virtualbox(established=True), "ipv4", dict.fromkeys(NAMES, "10.0.2.15"))

    assert [node.truth for node in read] == list(INVENTORY.values())
    assert read[0].truth_why == "other nodes have BGP sessions with it"


def test_the_methods_that_pick_right_everywhere() -> None:
    fitting = methods.methods_that_fit(nodes.read(virtualbox(), "ipv4", INVENTORY))

    assert [method.method for method in fitting] == [
        "cidr=192.168.56.0/24",
        "interface=^eth0$",
        "skip-interface=^eth1$",
    ]
    assert all(method.right == tuple(NAMES) for method in fitting)


def test_with_the_api_the_internal_ip_comes_first() -> None:
    internal = {name: [address] for name, address in INVENTORY.items()}

    fitting = methods.methods_that_fit(nodes.read(virtualbox(), "ipv4", INVENTORY, internal))

    assert fitting[0].method == "kubernetes-internal-ip"


def test_one_node_with_other_names_needs_both() -> None:
    cluster = virtualbox()
    for entry in cluster["node-3"]["calico_node"]["addresses"]:
        entry["interface"] = {"eth0": "enp0s3", "eth1": "enp0s8"}[entry["interface"]]

    fitting = [each.method for each in methods.methods_that_fit(nodes.read(cluster, "ipv4", INVENTORY))]

    assert "interface=^enp0s3$,^eth0$" in fitting
    assert "skip-interface=^enp0s8$,^eth1$" in fitting


def test_a_virtual_address_in_the_subnet_spoils_cidr() -> None:
    cluster = virtualbox()
    cluster["node-2"]["calico_node"]["addresses"].append(
        fact("192.168.56.100/32", "vip0", 5, signs=["host_prefix", "shares_subnet", "vip"])
    )

    fitting = [each.method for each in methods.methods_that_fit(nodes.read(cluster, "ipv4", INVENTORY))]

    assert "cidr=192.168.56.0/24" not in fitting
    assert "interface=^eth0$" in fitting
    assert "skip-interface=^eth1$,^vip0$" in fitting


def test_what_a_method_would_do_where() -> None:
    seen = methods.evaluate("first-found", nodes.read(virtualbox(), "ipv4", INVENTORY))

    assert not seen.fits
    assert {pick.address for pick in seen.wrong.values()} == {"10.0.2.15"}
    assert methods.evaluate("can-reach=192.168.56.1", nodes.read(virtualbox(), "ipv4", INVENTORY)).fits
    unknown = methods.evaluate("can-reach=example.org", nodes.read(virtualbox(), "ipv4", INVENTORY))
    assert set(unknown.undecided) == set(NAMES)


def test_a_healthy_cluster_fits_as_it_is() -> None:
    cluster = virtualbox()
    for node in cluster.values():
        node["calico_node"]["addresses"].pop()
        node["calico_node"]["autodetection"] = {"ipv4": {}}

    fitting = [each.method for each in methods.methods_that_fit(nodes.read(cluster, "ipv4", INVENTORY))]

    assert fitting == ["cidr=192.168.56.0/24", "interface=^eth0$", "first-found"]


def test_addresses_left_out_leave_it_undecided() -> None:
    cluster = virtualbox()
    cluster["node-1"]["calico_node"]["other_addresses_left_out"] = {"docker0": 3}

    read = nodes.read(cluster, "ipv4", INVENTORY)

    assert methods.evaluate("cidr=192.168.56.0/24", read).undecided.keys() == {"node-1"}
    assert methods.evaluate("interface=^eth0$", read).fits


def test_ipv6() -> None:
    cluster = virtualbox()
    for name, number in NAMES.items():
        cluster[name]["calico_node"]["addresses"].append(fact(f"fd00::{number}/64", "eth0", 1))
        cluster[name]["calico_node"]["autodetection"]["ipv6"] = {"outward": f"fd00::{number}"}

    fitting = [each.method for each in methods.methods_that_fit(nodes.read(cluster, "ipv6"))]

    assert fitting == ["cidr=fd00::/64", "interface=^eth0$", "can-reach=2001:4860:4860::8888", "first-found"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 300) | st.text(max_size=8) | st.sampled_from(["10.0.0.1", "fd00::1"]),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["addresses", "address", "prefix", "interface", "position", "autodetection", "ipv4", "outward", "signs"]
            ),
            children,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_JSON, _JSON)
@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_any_facts_are_read(family: str, node: Any, session: Any) -> None:
    methods.methods_that_fit(nodes.read({"a": {"calico_node": node, "calico_bgp": session}}, family))
