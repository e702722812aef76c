# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster.model import (
    BGPConfiguration,
    BGPPeer,
    Container,
    KubeNode,
    Secret,
    SecretRef,
    Workload,
)
from ansible_collections.netmedic.calico.plugins.plugin_utils._peering import problems
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._peering.made import (
    OFF,
    REFLECTORS,
    THREE,
    kinds,
    node,
    plan,
    reflector,
)

TOR = BGPPeer("tor", peer_ip="192.0.2.1", as_number=65001)
REFERENCE = SecretRef("bgp", "password")


def only(found, kind):
    (problem,) = [one for one in found.problems if one.kind == kind]
    return problem


@pytest.mark.parametrize(
    ("peer", "kind", "part"),
    [
        (BGPPeer("x", node_selector="rack = 'a'", peer_ip="192.0.2.1", as_number=1), "selector_invalid", "character 6"),
        (BGPPeer("x", peer_selector="has(rr"), "selector_invalid", "peerSelector"),
        (BGPPeer("x", node_selector="has(rr)", peer_ip="192.0.2.1", as_number=1), "selects_no_node", "none of 3"),
        (BGPPeer("x", peer_selector="has(rr)"), "selects_no_peer", "none of 3"),
        (BGPPeer("x", node="z", peer_ip="192.0.2.1", as_number=1), "node_unknown", "node z"),
        (BGPPeer("x", peer_ip="10.0.0", as_number=1), "peer_address_malformed", "10.0.0"),
        (BGPPeer("x", as_number=1), "peer_address_malformed", "missing"),
        (BGPPeer("x", peer_ip="192.0.2.1", peer_selector="all()"), "address_and_selector", "peerSelector"),
        (BGPPeer("x", peer_selector="all()", as_number=1), "as_with_selector", "asNumber 1"),
        (BGPPeer("x", peer_selector="all()", local_as_number=1), "local_as_with_selector", "localASNumber 1"),
        (BGPPeer("x", peer_ip="192.0.2.1", as_number=1, reachable_by="fd00::1"), "reachable_by_malformed", "fd00::1"),
        (BGPPeer("x", node="a", peer_ip="10.0.0.9", as_number=64512), "peer_is_itself", "only node"),
        (BGPPeer("x", peer_ip="fd00::1", as_number=1), "family_missing", "IPv6"),
        (BGPPeer("x", peer_ip="192.0.2.1"), "as_missing", "AS 0"),
        (BGPPeer("x", node="b", peer_ip="10.0.0.9", as_number=65001), "one_sided", "names AS 65001"),
        (BGPPeer("x", node="b", peer_ip="10.0.0.9:1790", as_number=64512), "port_mismatch", "1790"),
    ],
)
def test_a_peer_that_cannot_work_is_told(peer, kind, part):
    found = plan(*THREE, OFF, peer)
    problem = only(found, kind)
    assert problem.object == "BGPPeer x"
    assert part in problem.detail
    assert problem.detail.endswith(".")


def test_a_line_break_makes_a_selector_invalid():
    found = plan(*THREE, OFF, BGPPeer("x", node_selector="all()\n", peer_ip="192.0.2.1", as_number=1))
    assert "a line break" in only(found, "selector_invalid").detail


def test_a_node_address_in_another_spelling_is_not_recognised():
    both = [node(name, f"fd00::{number}") for number, name in enumerate("ab", 1)]
    found = plan(*both, OFF, BGPPeer("x", node="a", peer_ip="FD00::2", as_number=64512))
    assert {"peer_address_spelling", "one_sided"} <= set(kinds(found))


def test_another_address_of_the_node_is_itself_too():
    kube = {"a": KubeNode("a", addresses=(("InternalIP", "10.0.0.9"), ("ExternalIP", "198.51.100.9")))}
    found = plan(*THREE, OFF, BGPPeer("x", peer_ip="198.51.100.9", as_number=64512), nodes=kube)
    assert only(found, "peer_is_own_other_address").nodes == ("a",)


def test_a_peer_that_repeats_the_mesh_is_told_with_its_nodes():
    found = plan(*THREE, BGPPeer("x", node="a", peer_ip="10.0.0.10", as_number=64512))
    problem = only(found, "mesh_repeated")
    assert (problem.object, problem.nodes) == ("BGPPeer x", ("a", "b"))
    assert "waits for ever" in problem.detail
    assert found.count() == len(list(found.sessions())) == 3


@pytest.mark.parametrize(("version", "first"), [("v3.31.0", "Mesh_10_0_0_10"), ("v3.32.0", "Global_10_0_0_10")])
def test_which_of_two_protocols_comes_first_depends_on_the_release(version, first):
    found = plan(*THREE, BGPPeer("x", peer_ip="10.0.0.10", as_number=64512), version=version)
    assert found.towards("a", "ipv4", "10.0.0.10")[0].name == first


def test_two_ports_of_one_peer_are_told():
    peers = [BGPPeer(f"p{port}", node="a", peer_ip=f"192.0.2.1:{port}", as_number=65001) for port in (1790, 1791)]
    assert kinds(plan(*THREE[:1], OFF, *peers)) == ["peer_repeated"]


def test_mesh_off_without_peers():
    found = plan(*THREE, OFF)
    problem = only(found, "mesh_off_no_peers")
    assert problem.nodes == ("a", "b", "c")
    assert kinds(found) == ["mesh_off_no_peers"]


def test_one_node_alone_has_no_problem():
    assert not plan(THREE[0], OFF).problems


def test_a_node_that_no_peer_is_for():
    found = plan(*THREE, OFF, BGPPeer("x", node="a", peer_ip="192.0.2.1", as_number=1))
    assert only(found, "node_without_peers").nodes == ("b", "c")


# --- passwords ---


def secret(**more):
    return Secret(**{"namespace": "kube-system", "name": "bgp", "exists": True, "keys": ("password",), **more})


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (secret(readable=True), ""),
        (secret(), ""),
        (secret(exists=None), ""),
        (secret(exists=False), "secret_missing"),
        (secret(keys=("other",)), "secret_key_missing"),
        (secret(readable=False, why="no Role allows it"), "secret_unreadable"),
        (secret(exists=None, readable=False, why="no Role allows it"), "secret_unreadable"),
    ],
)
def test_the_secret_of_a_password(found, kind):
    peer = BGPPeer("x", peer_ip="192.0.2.1", as_number=1, password=REFERENCE)
    plans = plan(*THREE, OFF, peer, secrets=(found,))
    assert [one for one in kinds(plans) if one.startswith("secret")] == [kind][: bool(kind)]
    (stanza,) = plans.towards("a", "ipv4", "192.0.2.1")
    assert stanza.password.readable is (False if kind else found.readable)


def test_a_secret_in_the_wrong_place():
    secrets = (secret(exists=False), secret(namespace="calico-system"))
    found = plan(*THREE, BGPConfiguration("default", mesh_password=REFERENCE), secrets=secrets)
    problem = only(found, "secret_elsewhere")
    assert problem.object == "BGPConfiguration default"
    assert "calico-system" in problem.detail


@pytest.mark.parametrize(
    "container",
    [
        Container("calico-node", env={"NAMESPACE": "calico-system"}),
        Container("calico-node", env_from={"NAMESPACE": "field metadata.namespace"}),
    ],
)
def test_the_namespace_is_the_one_that_confd_looks_in(container):
    workload = Workload("DaemonSet", "calico-system", "calico-node", "calico-node", containers=(container,))
    secrets = (secret(exists=False, namespace="kube-system"), secret(namespace="calico-system", readable=True))
    found = plan(*THREE, BGPConfiguration("default", mesh_password=REFERENCE), secrets=secrets, workloads=(workload,))
    assert not found.problems
    assert found.meshes["ipv4"].password.readable is True


def test_passwords_of_the_two_ends_that_differ():
    one = BGPPeer("one", node="a", peer_ip="10.0.0.10", as_number=64512, password=REFERENCE)
    other = BGPPeer("other", node="b", peer_ip="10.0.0.9", as_number=64512)
    assert kinds(plan(*THREE[:2], OFF, one, other)) == ["password_differs"]


# --- reflectors ---


def test_a_reflector_that_no_peer_serves():
    found = plan(reflector("r", "10.0.0.1"), *THREE)
    assert only(found, "reflector_isolated").nodes == ("r",)


def test_clients_that_reach_no_reflector():
    peer = BGPPeer("x", node="a", peer_selector="rr == 'true'")
    found = plan(reflector("r", "10.0.0.1"), *THREE, peer)
    assert only(found, "client_without_reflector").nodes == ("b", "c")


def test_reflectors_that_do_not_know_each_other():
    peer = BGPPeer("x", node_selector="!has(rr)", peer_selector="has(rr)")
    found = plan(reflector("r1", "10.0.0.1"), reflector("r2", "10.0.0.2"), *THREE, OFF, peer)
    assert only(found, "reflectors_not_connected").nodes == ("r1", "r2")


def test_reflectors_behind_a_third_one_need_no_session():
    nodes = [reflector(f"r{number}", f"10.0.0.{number}", f"244.0.0.{number}") for number in (1, 2, 3)]
    peers = [BGPPeer(name, node=name, peer_ip="10.0.0.3", as_number=64512) for name in ("r1", "r2")]
    clients = [BGPPeer("a", node="a", peer_ip="10.0.0.1", as_number=64512)]
    found = plan(*nodes, THREE[0], OFF, *peers, *clients)
    assert "reflectors_not_connected" not in kinds(found)


def test_one_cluster_id_and_different_clients():
    peers = [
        BGPPeer("x", node="a", peer_ip="10.0.0.1", as_number=64512),
        BGPPeer("y", node="b", peer_ip="10.0.0.2", as_number=64512),
        BGPPeer("z", node_selector="has(rr)", peer_selector="has(rr)"),
    ]
    found = plan(reflector("r1", "10.0.0.1"), reflector("r2", "10.0.0.2"), *THREE[:2], OFF, *peers)
    problem = only(found, "cluster_id_shared")
    assert set(problem.nodes) == {"a", "b", "r1", "r2"}


@pytest.mark.parametrize(
    ("cluster_id", "version", "problem", "known"),
    [
        ("244.0.0.1", "v3.28.1", False, True),
        ("1", "v3.28.1", True, False),
        ("244.0.0.256", "v3.28.1", True, False),
        ("244.0.0.1/32", "v3.28.1", True, True),
        ("one", "v3.24.5", True, True),
        ("one", "v3.25.0", True, True),
    ],
)
def test_a_cluster_id_is_written_as_an_address(cluster_id, version, problem, known):
    found = plan(reflector("r", "10.0.0.1", cluster_id), *THREE, OFF, REFLECTORS, version=version)
    assert ("cluster_id_malformed" in kinds(found)) is problem
    assert bool(found.reflectors) is known


def test_without_kubernetes_any_cluster_id_reaches_bird():
    nodes = (node("r", "10.0.0.1", route_reflector_cluster_id="7", kubernetes=False), *THREE)
    assert plan(*nodes, version="v3.28.1").reflectors


def test_a_reflector_without_clients():
    other = reflector("r2", "10.0.0.2")
    found = plan(reflector("r1", "10.0.0.1"), other, OFF, BGPPeer("x", peer_selector="has(rr)"))
    assert kinds(found) == ["reflector_without_clients"] * 2


def test_every_kind_of_problem_has_a_meaning():
    found = plan(*THREE, OFF, TOR, BGPPeer("x", peer_selector="has(", as_number=1))
    assert set(kinds(found)) <= set(problems.KINDS)
