# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""That findings name the object in which the fault is, not one that only shows it."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._catalogue.settings import alone, note, put
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import told

ROUTER = "10.0.0.254"


def reflectors(kube, selector):
    put(kube, "BGPConfiguration", "default", nodeToNodeMeshEnabled=False)
    put(kube, "BGPPeer", "reflectors", nodeSelector=selector, peerSelector="rr == 'true'")
    for name in ("node-1", "node-2"):
        note(kube, name, "RouteReflectorClusterID", "244.0.0.1")
        kube.node(name)["metadata"]["labels"]["rr"] = "true"


def place(found):
    where = found["route_reflector_misconfigured"].subject.where
    return where["object"], where["field"]


def test_a_node_left_out_is_left_out_by_the_bgppeer(kube):
    reflectors(kube, "kubernetes.io/hostname != 'node-4'")
    found = alone(kube)
    assert found["route_reflector_misconfigured"].subject.nodes == ("node-4",)
    assert place(found) == ("BGPPeer/reflectors", "spec.nodeSelector")


def test_reflectors_are_kept_apart_by_the_bgppeer(kube):
    reflectors(kube, "!has(rr)")
    assert place(alone(kube)) == ("BGPPeer/reflectors", "spec.nodeSelector")


def refused(mesh, kube, error, number):
    put(kube, "BGPPeer", "rack", peerIP=ROUTER, asNumber=64700)
    mesh.reach("node-2", ROUTER)
    mesh.trouble(
        "node-2", ROUTER, "Idle", error, kind="Global", passive=False, neighbor_as=64700, local_as=number or 64512
    )
    if number:
        note(kube, "node-2", "ASNumber", str(number))
        mesh.daemon("node-2")["config"]["local_as"] = number
    return told(mesh, kube)["as_mismatch"].subject.where


def test_who_is_refused_by_a_router_has_the_wrong_number(mesh, kube):
    where = refused(mesh, kube, "Received: Bad peer AS: 64999", 64999)
    assert (where["object"], where["value"]) == ("Node/node-2", 64999)


def test_who_is_refused_and_has_no_number_of_its_own_names_no_object(mesh, kube):
    assert "object" not in refused(mesh, kube, "Received: Bad peer AS: 64512", 0)


def test_who_refuses_a_router_expects_the_wrong_number(mesh, kube):
    where = refused(mesh, kube, "BGP Error: Bad peer AS: 64600", 0)
    assert (where["object"], where["value"], where["should_be"]) == ("BGPPeer/rack", 64700, 64600)


@pytest.mark.parametrize("running", [True, False])
def test_what_a_filter_of_an_earlier_bird_did_is_no_fault_of_today(mesh, running):
    text = "filters, line 10: ~ applied on unknown type pair"
    about = mesh.facts["node-2"]["calico_bgp"]
    about["log"] = [{"at": about["taken_at"], "kind": "filter_error", "peer": "", "value": "10", "text": text}]
    assert "bird_filter_error" in told(mesh)
    if running:
        mesh.daemon("node-2")["booted_seconds_ago"] = 60
        about["log"][0]["at"] = "2000-01-01T00:00:00Z"
    else:
        mesh.daemon("node-2")["running"] = False
    assert "bird_filter_error" not in told(mesh)


@pytest.mark.parametrize(("written", "still"), [(3600, True), (10, False)])
def test_what_confd_could_not_render_once_is_no_fault_once_it_is_rendered(mesh, written, still):
    about = mesh.facts["node-2"]["calico_bgp"]
    text = "Unable to process template /etc/calico/confd/templates/bird.cfg.template"
    about["log"] = [{"at": "2026-01-01T00:00:00Z", "kind": "render_failed", "peer": "", "value": "", "text": text}]
    about["taken_at"] = mesh.facts["node-2"]["calico_node"]["taken_at"] = "2026-01-01T00:01:00Z"
    mesh.daemon("node-2").update(running=False, socket_state="absent", peers={})
    mesh.daemon("node-2")["config"].update(path="/etc/calico/confd/config/bird.cfg", modified_seconds_ago=written)
    assert ("confd_cannot_render" in told(mesh)) is still


def test_a_restart_is_told_beside_a_node_without_bird(mesh):
    mesh.daemon("node-2")["booted_seconds_ago"] = 40
    assert "benign_startup_transient" in told(mesh)
    mesh.daemon("node-4").update(running=False, socket_state="absent", peers={})
    for name in ("node-1", "node-2", "node-3"):
        mesh.trouble(name, "node-4", "Active", "Socket: Connection refused")
    found = told(mesh)
    assert found["benign_startup_transient"].subject.nodes == ("node-2",)
    assert found["bird_not_running"].subject.nodes == ("node-4",)


@pytest.mark.parametrize(("at", "still"), [("00:01:25", True), ("00:01:00", False)])
def test_what_the_kernel_refused_a_while_ago_it_has_taken_since(mesh, at, still):
    about = mesh.facts["node-2"]["calico_bgp"]
    line = {
        "kind": "kernel_route",
        "peer": "",
        "value": "Network is unreachable",
        "text": "Netlink: Network is unreachable",
    }
    about["log"] = [{**line, "at": f"2026-01-01T{at}Z", "count": 27}]
    about["taken_at"] = mesh.facts["node-2"]["calico_node"]["taken_at"] = "2026-01-01T00:01:30Z"
    assert ("no_encap_next_hop_not_onlink" in told(mesh)) is still
