# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster.model import BGPConfiguration, BGPPeer
from ansible_collections.netmedic.calico.plugins.plugin_utils._peering.parts import parts
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._peering.made import (
    OFF,
    REFLECTORS,
    THREE,
    node,
    plan,
    reflector,
)

TOR = BGPPeer("tor", peer_ip="192.0.2.1", as_number=65001)


def lacking(found):
    """Who lacks whose routes, by pairs, of a tuple of Blind."""
    pairs = set()
    for blind in found:
        for name in blind.nodes:
            others = {*blind.misses, *(blind.nodes if blind.each_other else ())}
            pairs.update((name, other) for other in others if other != name)
    return pairs


def test_a_mesh_is_whole():
    found = parts(plan(*THREE), "ipv4")
    assert found.whole
    assert found.groups == found.islands == (("a", "b", "c"),)


def test_a_broken_session_of_a_mesh_blinds_both_ends_only():
    found = parts(plan(*THREE), "ipv4", {"a": {"b"}})
    assert lacking(found.blind) == {("a", "b"), ("b", "a")}
    assert found.islands == (("a", "b", "c"),)
    assert all(blind.through == ("c",) for blind in found.blind)


def test_two_halves_of_a_mesh():
    four = (*THREE, node("d", "10.0.0.12"))
    found = parts(plan(*four), "ipv4", {"a": {"c", "d"}, "b": {"c", "d"}})
    assert found.groups == found.islands == (("a", "b"), ("c", "d"))
    assert {(blind.nodes, blind.misses) for blind in found.blind} == {
        (("a", "b"), ("c", "d")),
        (("c", "d"), ("a", "b")),
    }


def test_without_sessions_everybody_is_alone():
    found = parts(plan(*THREE, OFF), "ipv4")
    assert found.islands == (("a",), ("b",), ("c",))
    (blind,) = found.blind
    assert (blind.nodes, blind.misses, blind.each_other) == (("a", "b", "c"), (), True)


def test_reflectors_make_it_whole():
    assert parts(plan(reflector("r1", "10.0.0.1"), reflector("r2", "10.0.0.2"), *THREE, OFF, REFLECTORS), "ipv4").whole


def test_an_ordinary_node_passes_nothing_on():
    peers = [BGPPeer(name, node=name, peer_ip="10.0.0.9", as_number=64512) for name in "bc"]
    found = parts(plan(*THREE, OFF, *peers), "ipv4")
    assert lacking(found.blind) == {("b", "c"), ("c", "b")}
    assert found.blind[0].through == ("a",)
    assert found.islands == (("a", "b", "c"),)


def test_a_reflector_outside_the_mesh_is_not_learnt():
    found = parts(plan(*THREE, reflector("r", "10.0.0.1")), "ipv4")
    assert found.groups == (("a", "b", "c"), ("r",))
    assert lacking(found.blind) == {("r", name) for name in "abc"} | {(name, "r") for name in "abc"}


def test_reflectors_without_a_session_do_not_learn_each_other():
    peer = BGPPeer("x", node_selector="!has(rr)", peer_selector="has(rr)")
    found = parts(plan(reflector("r1", "10.0.0.1"), reflector("r2", "10.0.0.2"), *THREE, OFF, peer), "ipv4")
    assert lacking(found.blind) == {("r1", "r2"), ("r2", "r1")}


def test_reflectors_of_one_cluster_do_not_pass_on_what_the_other_reflected():
    peers = [
        BGPPeer("x", node="a", peer_ip="10.0.0.1", as_number=64512),
        BGPPeer("y", node="b", peer_ip="10.0.0.2", as_number=64512),
        BGPPeer("z", node_selector="has(rr)", peer_selector="has(rr)"),
    ]
    same = plan(reflector("r1", "10.0.0.1"), reflector("r2", "10.0.0.2"), *THREE[:2], OFF, *peers)
    assert lacking(parts(same, "ipv4").blind) == {("a", "b"), ("b", "a")}
    others = plan(reflector("r1", "10.0.0.1"), reflector("r2", "10.0.0.2", "244.0.0.2"), *THREE[:2], OFF, *peers)
    assert parts(others, "ipv4").whole


def test_what_only_an_outside_router_could_pass_on_is_doubtful():
    found = parts(plan(*THREE, OFF, TOR), "ipv4")
    assert not found.blind
    assert len(lacking(found.doubtful)) == 6


def test_nodes_of_different_as_pass_on_to_others_but_not_to_the_same():
    # a and c are of one AS and peer with b only.
    nodes = [node("a", "10.0.0.1", as_number=1), node("b", "10.0.0.2", as_number=2), node("c", "10.0.0.3", as_number=1)]
    peers = [BGPPeer(name, node=name, peer_ip="10.0.0.2", as_number=2) for name in "ac"]
    assert lacking(parts(plan(*nodes, OFF, *peers), "ipv4").blind) == {("a", "c"), ("c", "a")}
    nodes[2] = node("c", "10.0.0.3", as_number=3)
    assert parts(plan(*nodes, OFF, *peers), "ipv4").whole


def test_a_mesh_of_several_as_is_whole():
    nodes = [node(name, f"10.0.0.{number}", as_number=number) for number, name in enumerate("abc", 1)]
    assert parts(plan(*nodes), "ipv4").whole
    assert parts(plan(*nodes), "ipv4", {"a": {"b"}}).whole


def test_a_session_that_cannot_come_up_carries_nothing():
    nodes = [node("a", "10.0.0.1", as_number=1), node("b", "10.0.0.2")]
    assert not parts(plan(*nodes, version="v3.32.0"), "ipv4").whole
    assert parts(plan(*nodes, version="v3.31.0"), "ipv4").whole
    wrong = BGPPeer("x", node="a", peer_ip="10.0.0.2", as_number=7)
    assert not parts(plan(*nodes, OFF, wrong), "ipv4").whole


def test_families_are_apart():
    found = plan(node("a", "10.0.0.1", ipv6="fd00::1"), node("b", "10.0.0.2"), BGPConfiguration("default"))
    assert parts(found, "ipv4").whole
    assert parts(found, "ipv6").groups == (("a",),)
    assert parts(plan(), "ipv6").whole


# --- against a simulation that passes routes from node to node ---

NAMES = [f"n{number}" for number in range(6)]


@st.composite
def clusters(draw):
    nodes = []
    for number, name in enumerate(NAMES):
        cluster_id = draw(st.sampled_from(["", "", "1.1.1.1", "2.2.2.2"]))
        nodes.append(node(name, f"10.0.0.{number + 1}", route_reflector_cluster_id=cluster_id))
    pairs = draw(st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)).filter(lambda pair: pair[0] < pair[1])))
    peers = [
        BGPPeer(f"p{one}{other}", node=NAMES[one], peer_selector=f"name == '{NAMES[other]}'") for one, other in pairs
    ]
    labelled = [
        node(one.name, one.ipv4, route_reflector_cluster_id=one.route_reflector_cluster_id, labels={"name": one.name})
        for one in nodes
    ]
    return plan(*labelled, OFF, *peers)


def simulated(found):
    """Who learns whose routes if every node passes on what it should, message by message."""
    clients = {
        (one.node, found.owner(one.peer)): one.rr_client for name in NAMES for one in found.stanzas(name, "ipv4")
    }
    learnt = set()
    for origin in NAMES:
        messages = [(origin, to, ()) for at, to in clients if at == origin]
        seen = set(messages)
        while messages:
            sender, at, ids = messages.pop()
            own_id = found.speakers[at].cluster_id
            if at == origin or (clients[at, sender] and own_id in ids):
                continue
            learnt.add((at, origin))
            for one, to in clients:
                if one != at or not (clients[at, sender] or clients[at, to]):
                    continue
                if clients[at, to] and own_id in ids:
                    continue
                message = (at, to, tuple(sorted({*ids, own_id})))
                if message not in seen:
                    seen.add(message)
                    messages.append(message)
    return learnt


@settings(max_examples=250, deadline=None)
@given(found=clusters())
def test_routes_spread_as_in_a_simulation(found):
    learnt = simulated(found)
    told = lacking(parts(found, "ipv4").blind)
    assert told == {(at, origin) for at in NAMES for origin in NAMES if at != origin} - learnt
