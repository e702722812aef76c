# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that is wrong with the plan of sessions is told: by a finding, else by a note of the report."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import Evidence
from ansible_collections.netmedic.calico.plugins.plugin_utils._peering import problems
from ansible_collections.netmedic.calico.plugins.plugin_utils._render import terminal
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._catalogue.settings import alone, note, put
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import commands, evidence_of, told

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROUTER = "10.0.0.254"


def report_of(mesh, kube):
    return analyse(evidence_of(mesh, kube), NOW)


def label(kube, name, key, value="true"):
    kube.node(name)["metadata"]["labels"][key] = value


def mesh_off(kube):
    put(kube, "BGPConfiguration", "default", nodeToNodeMeshEnabled=False)


def bgppeers_only(kube):
    """All nodes peer with node-1, a reflector, and it with them."""
    mesh_off(kube)
    note(kube, "node-1", "RouteReflectorClusterID", "244.0.0.1")
    label(kube, "node-1", "rr")
    put(kube, "BGPPeer", "reflectors", nodeSelector="all()", peerSelector="rr == 'true'")


def one_way(kube):
    """All others are to peer with node-1, in a release that may be told not to make the way back."""
    image = "docker.io/calico/node:v3.30.3"
    kube.objects["clusterinformations"][0]["spec"]["calicoVersion"] = "v3.30.3"
    kube.template()["containers"][0]["image"] = image
    for pod in kube.objects["pods"]:
        pod["spec"]["containers"][0]["image"] = image
    others = "kubernetes.io/hostname != 'node-1'"
    more = {"asNumber": 64512, "reversePeering": "Manual"}
    put(kube, "BGPPeer", "to-1", nodeSelector=others, peerIP="10.0.0.9", **more)


# --- findings ---


def test_a_reflector_that_was_left_in_the_mesh(mesh, kube):
    label(kube, "node-1", "rr")
    put(kube, "BGPPeer", "reflectors", nodeSelector="all()", peerSelector="rr == 'true'")
    mesh.trouble("node-2", "node-1", "Idle", kind="Node")
    mesh.daemon("node-2")["peers"]["packed"] = {"Mesh": {"10.0.0": "9,11-12"}}
    found = told(mesh, kube)
    assert list(found) == ["route_reflector_misconfigured"]
    item = found["route_reflector_misconfigured"]
    assert (item.subject.where["object"], item.severity) == ("BGPPeer/reflectors", "minor")
    assert "RouteReflectorClusterID=244.0.0.1" in commands(mesh, kube, "route_reflector_misconfigured")
    assert report_of(mesh, kube)["sessions"]["down"] == 0


def test_a_reflector_that_is_dialled_and_told_of_nobody(kube):
    mesh_off(kube)
    note(kube, "node-1", "RouteReflectorClusterID", "244.0.0.1")
    one_way(kube)
    found = alone(kube)
    assert "route_reflector_misconfigured" in found
    told_of = [seen.detail for _signal, some in found["route_reflector_misconfigured"].speaks_for for seen in some]
    assert any("has nothing for" in detail for detail in told_of)


def test_a_node_that_is_dialled_and_not_told_of_it(mesh, kube):
    mesh_off(kube)
    one_way(kube)
    item = alone(kube)["bgppeer_wrong_address"]
    assert (item.subject.where["object"], item.subject.where["field"]) == ("BGPPeer/to-1", "spec.reversePeering")
    assert '"reversePeering": "Auto"' in commands(mesh, kube, "bgppeer_wrong_address")


def test_two_bgppeers_that_give_one_router_two_as_numbers(kube):
    put(kube, "BGPPeer", "a", peerIP=ROUTER, asNumber=64600)
    put(kube, "BGPPeer", "b", peerIP=ROUTER, asNumber=64700)
    item = alone(kube)["as_mismatch"]
    assert item.subject.where["object"] == "BGPPeer/a"
    assert item.subject.where["field"] == "spec.asNumber"
    assert "(AS 64600 and AS 64700)" in str(item.speaks_for)


# --- the object that a wrong AS number comes from ---


def test_the_bgppeer_the_value_and_what_it_should_be(mesh, kube):
    mesh_off(kube)
    for name in mesh.addresses:
        mesh.daemon(name)["peers"] = {"total": 3, "established": 0, "packed": {}}
    put(kube, "BGPPeer", "to-1", nodeSelector="all()", peerIP="10.0.0.9", asNumber=65000)
    for name in ("node-2", "node-3", "node-4"):
        mesh.trouble(name, "node-1", "Idle", "BGP Error: Bad peer AS", kind="Node", neighbor_as=65000, passive=False)
        mesh.trouble("node-1", name, "Idle", "Received: Bad peer AS", kind="Node", passive=False)
    where = told(mesh, kube)["as_mismatch"].subject.where
    assert {key: where[key] for key in ("object", "field", "value", "should_be")} == {
        "object": "BGPPeer/to-1",
        "field": "spec.asNumber",
        "value": 65000,
        "should_be": 64512,
    }


def test_a_router_that_came_with_another_as_tells_what_the_bgppeer_should_say(mesh, kube):
    put(kube, "BGPPeer", "rack-1", peerIP=ROUTER, asNumber=64600)
    for name in mesh.addresses:
        mesh.trouble(name, ROUTER, "Idle", "BGP Error: Bad peer AS", kind="Global", neighbor_as=64600, passive=False)
        peers = [one for one in mesh.addresses.values() if one != mesh.addresses[name]]
        mesh.daemon(name)["peers"]["packed"] = {"Mesh": {"": " ".join(peers)}}
        text = "Global_10_0_0_254: Error: Bad peer AS: 64700"
        mesh.bgp(name)["log"] = [{"kind": "bad_peer_as", "peer": ROUTER, "value": "64700", "text": text}]
    where = told(mesh, kube)["as_mismatch"].subject.where
    assert (where["object"], where["value"], where["should_be"]) == ("BGPPeer/rack-1", 64600, 64700)


def test_the_node_with_an_as_of_its_own_that_others_do_not_expect(mesh, kube):
    note(kube, "node-2", "ASNumber", "64999")
    mesh.daemon("node-2")["config"]["local_as"] = 64999
    for name in ("node-1", "node-3", "node-4"):
        mesh.trouble(name, "node-2", "Idle", "BGP Error: Bad peer AS")
        mesh.trouble("node-2", name, "Idle", "Received: Bad peer AS")
    where = told(mesh, kube)["as_mismatch"].subject.where
    assert where["object"] == "Node/node-2"
    assert where["field"] == 'metadata.annotations["projectcalico.org/ASNumber"]'
    assert (where["value"], where["should_be"]) == (64999, 64512)


def test_without_the_api_it_is_some_bgppeer(mesh):
    for name in ("node-2", "node-3", "node-4"):
        mesh.trouble(name, "node-1", "Idle", "BGP Error: Bad peer AS", kind="Node", neighbor_as=65000)
        mesh.trouble("node-1", name, "Idle", "Received: Bad peer AS", kind="Node")
    where = told(mesh)["as_mismatch"].subject.where
    assert (where["object"], where["value"], where["should_be"]) == ("BGPPeer", 65000, 64512)


# --- notes ---


def settings(kube, kind):
    """What makes a plan have a problem of this kind and no node any trouble."""
    both = {"peerSelector": "rr == 'true'", "nodeSelector": "all()"}
    bgppeers_only(kube)
    if kind == "node_and_selector":
        put(kube, "BGPPeer", "odd", node="node-2", **both)
    elif kind == "address_and_selector":
        put(kube, "BGPPeer", "odd", peerIP=ROUTER, **both)
    elif kind == "as_with_selector":
        put(kube, "BGPPeer", "odd", asNumber=64600, **both)
    elif kind == "local_as_with_selector":
        put(kube, "BGPPeer", "odd", localASNumber=64600, **both)
    elif kind == "ttl_security_differs":
        mesh_off(kube)
        put(kube, "BGPPeer", "odd", node="node-2", peerIP="10.0.0.11", asNumber=64512, ttlSecurity=1)
        put(kube, "BGPPeer", "back", node="node-3", peerIP="10.0.0.10", asNumber=64512)
    elif kind == "peer_by_chance":
        put(kube, "BGPPeer", "odd", peerIP=ROUTER, asNumber=64600, maxRestartTime="10s")
        put(kube, "BGPPeer", "other", peerIP=ROUTER, asNumber=64600, maxRestartTime="20s")
    elif kind == "mesh_needs_subnet":
        del kube.objects["bgppeers"]
        note(kube, "node-1", "RouteReflectorClusterID", None)
        put(kube, "BGPConfiguration", "default", nodeToNodeMeshEnabled=True)
        note(kube, "node-4", "ASNumber", "64999")
        note(kube, "node-4", "IPv4Address", "10.0.1.12/24")


NOTED = (
    *("node_and_selector", "address_and_selector", "as_with_selector", "local_as_with_selector"),
    *("ttl_security_differs", "peer_by_chance", "mesh_needs_subnet"),
)


@pytest.mark.parametrize("kind", NOTED)
def test_what_no_finding_tells_is_noted(kube, kind):
    settings(kube, kind)
    found = analyse(Evidence({}, cluster=kube.cluster()), NOW)
    assert kind in {one["kind"] for one in found["notes"]}
    (noted,) = [one for one in found["notes"] if one["kind"] == kind]
    assert noted["says"].endswith(".")
    shown = " ".join(" ".join(terminal.lines(found, 200)).split())
    assert noted["says"] in shown


@pytest.mark.parametrize("kind", sorted(problems.KINDS))
def test_a_problem_that_a_finding_tells_is_not_noted(kube, kind):
    settings(kube, kind)
    evidence = Evidence({}, cluster=kube.cluster())
    found = analyse(evidence, NOW)
    said = " ".join(one["says"] for item in found["findings"] for one in item["evidence"])
    assert not [one for one in found["notes"] if one["says"] in said]
    kinds = {one.kind for one in evidence.expected.problems}
    assert kinds <= set(problems.KINDS)


def test_a_plan_that_is_well_has_no_notes(mesh, kube):
    assert report_of(mesh, kube)["notes"] == []
    bgppeers_only(kube)
    assert analyse(Evidence({}, cluster=kube.cluster()), NOW)["notes"] == []


# --- ports ---


def test_a_bird_that_listens_where_nobody_is_told_to_dial(mesh):
    mesh.daemon("node-2")["config"]["path"] = "/etc/calico/confd/config/bird.cfg"
    mesh.bgp("node-2")["listeners"][0]["port"] = 1790
    for peer in ("node-1", "node-3", "node-4"):
        mesh.break_session("node-2", peer)
    item = told(mesh)["port_listen_changed"]
    assert item.subject.nodes == ("node-2",)
    assert any("which listens on 1790" in seen.detail for _signal, some in item.speaks_for for seen in some)


def test_a_port_of_their_own_that_firewalls_do_not_know_is_named(mesh, kube):
    put(kube, "BGPConfiguration", "default", listenPort=1790)
    for name in mesh.addresses:
        mesh.daemon(name)["config"].update(listen_port=1790, path="/etc/calico/confd/config/bird.cfg")
        mesh.bgp(name)["listeners"][0]["port"] = 1790
    mesh.break_session("node-2", "node-3")
    for name in ("node-2", "node-3"):
        mesh.daemon(name)["troubled"][0]["port"] = 1790
    mesh.block("node-2", ["node-3"])
    mesh.probe("node-3", "node-2", "silent")
    mesh.bgp("node-3")["probes"][0]["port"] = 1790
    report = report_of(mesh, kube)
    (finding,) = [one for one in report["findings"] if one["role"] == "cause"]
    assert finding["fault"] == "tcp179_blocked_host_firewall"
    assert "drops TCP 1790 from node-3" in finding["summary"]
    assert "port 1790: silence" in str(finding["evidence"])
