# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils import kube as shapes
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._catalogue.settings import (
    alone,
    apart,
    note,
    put,
    variable,
)
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import (
    commands,
    host,
    log,
    summary,
    told,
)

ROUTER = "10.0.0.254"


def causes(found):
    return {fault for fault, item in found.items() if item.role == "cause"}


def with_router(mesh, name="node-2", state="Connect", error="", kind="Global"):
    mesh.trouble(name, ROUTER, state, error, kind=kind, passive=False, neighbor_as=64600)


def mesh_off(kube, mesh=None):
    put(kube, "BGPConfiguration", "default", nodeToNodeMeshEnabled=False)
    for name in mesh.addresses if mesh else ():
        mesh.daemon(name)["peers"] = {"total": 0, "established": 0, "packed": {}}


# --- BGPPeers ---


def test_a_malformed_address_names_the_object(mesh, kube):
    put(kube, "BGPPeer", "rack-1", peerIP="10.0.0.300", asNumber=64600)
    found = told(mesh, kube)
    assert list(found) == ["bgppeer_wrong_address"]
    assert found["bgppeer_wrong_address"].subject.where["object"] == "BGPPeer/rack-1"
    assert found["bgppeer_wrong_address"].severity == "minor"
    assert "kubectl patch bgppeers.crd.projectcalico.org rack-1" in commands(mesh, kube, "bgppeer_wrong_address")
    assert "bgppeer_wrong_address" in alone(kube)


def test_an_address_at_which_nobody_is(mesh, kube):
    put(kube, "BGPPeer", "rack-1", peerIP=ROUTER, asNumber=64600)
    for name in mesh.addresses:
        with_router(mesh, name)
        mesh.reach(name, ROUTER, "failed", "silent")
    found = told(mesh, kube)
    assert causes(found) == {"bgppeer_wrong_address"}
    assert found["bgppeer_wrong_address"].subject.where["value"] == ROUTER


def test_an_address_at_which_nobody_is_without_the_api(mesh):
    for name in mesh.addresses:
        with_router(mesh, name)
        mesh.reach(name, ROUTER, "failed", "silent")
    assert causes(told(mesh)) == {"bgppeer_wrong_address"}


def test_another_address_of_a_nodes_host(mesh, kube):
    put(kube, "BGPPeer", "to-node-3", nodeSelector="all()", peerIP="172.20.0.3", asNumber=64512)
    mesh.facts["node-3"]["calico_node"]["addresses"].append(
        {"address": "172.20.0.3", "prefix": 24, "interface": "eth1"}
    )
    mesh.trouble("node-1", "172.20.0.3", "Connect", kind="Node", passive=False)
    found = told(mesh, kube)
    assert found["bgppeer_wrong_address"].confidence > 0.9
    assert '"peerIP": "10.0.0.11"' in commands(mesh, kube, "bgppeer_wrong_address")


def test_confd_tells_of_a_peer_that_it_leaves_out(mesh):
    log(mesh, "node-2", "confd", "peer_address", "PeerIP is not assigned or is malformed: 10.0.0.300")
    assert told(mesh)["bgppeer_wrong_address"].subject.nodes == ("node-2",)


def test_a_router_that_is_up_is_no_fault(mesh, kube):
    put(kube, "BGPPeer", "rack-1", peerIP=ROUTER, asNumber=64600)
    for name in mesh.addresses:
        mesh.daemon(name)["peers"]["packed"]["Global"] = {"10.0.0": "254"}
    assert told(mesh, kube) == {}
    assert alone(kube) == {}


def test_selectors_that_select_nothing(mesh, kube):
    put(kube, "BGPPeer", "racks", nodeSelector="rack == 'r1'", peerIP=ROUTER, asNumber=64600)
    found = told(mesh, kube)
    assert list(found) == ["bgppeer_selects_nothing"]
    assert found["bgppeer_selects_nothing"].subject.where["field"] == "spec.nodeSelector"
    assert found["bgppeer_selects_nothing"].severity == "minor"


def test_without_all_nodes_a_selector_is_not_judged(mesh, kube):
    put(kube, "BGPPeer", "racks", nodeSelector="rack == 'r1'", peerIP=ROUTER, asNumber=64600)
    del kube.objects["nodes"][2:]
    assert "bgppeer_selects_nothing" not in told(mesh, kube)


# --- the mesh, reflectors ---


def test_a_mesh_that_is_off(mesh, kube):
    mesh_off(kube, mesh)
    found = told(mesh, kube)
    assert causes(found) == {"mesh_disabled_no_peers"}
    assert found["mesh_disabled_no_peers"].severity == "critical"
    assert '"nodeToNodeMeshEnabled": true' in commands(mesh, kube, "mesh_disabled_no_peers")
    assert causes(alone(kube)) == {"mesh_disabled_no_peers"}


def test_birds_without_any_peer_tell_the_same(mesh, kube):
    mesh_off(kube, mesh)
    assert causes(told(mesh)) == {"mesh_disabled_no_peers"}


def test_vxlan_needs_no_mesh(mesh, kube):
    mesh_off(kube, mesh)
    put(kube, "IPPool", "default-ipv4-ippool", cidr="10.244.0.0/16", ipipMode="Never", vxlanMode="Always")
    assert told(mesh, kube) == {}
    assert alone(kube) == {}


def test_felix_needs_no_mesh_for_ipip_since_3_33(kube):
    mesh_off(kube)
    kube.objects["clusterinformations"][0]["spec"]["calicoVersion"] = "v3.33.0"
    kube.template()["containers"][0]["image"] = "docker.io/calico/node:v3.33.0"
    for pod in kube.objects["pods"]:
        pod["spec"]["containers"][0]["image"] = "docker.io/calico/node:v3.33.0"
    assert alone(kube) == {}


def test_the_selector_is_why_the_mesh_is_not_replaced(mesh, kube):
    mesh_off(kube, mesh)
    put(kube, "BGPPeer", "reflectors", nodeSelector="all()", peerSelector="route-reflector == 'true'")
    found = told(mesh, kube)
    assert causes(found) == {"bgppeer_selects_nothing"}
    assert found["bgppeer_selects_nothing"].severity == "major"
    assert found["mesh_disabled_no_peers"].role == "consequence"


def test_a_node_with_a_cluster_id_and_no_bgppeer(kube):
    note(kube, "node-2", "RouteReflectorClusterID", "244.0.0.1")
    found = alone(kube)
    assert causes(found) == {"route_reflector_misconfigured"}
    item = found["route_reflector_misconfigured"]
    assert item.subject.nodes == ("node-2",)
    assert item.subject.where["field"] == 'metadata.annotations["projectcalico.org/RouteReflectorClusterID"]'


def test_reflectors_that_serve_everybody(kube):
    put(kube, "BGPConfiguration", "default", nodeToNodeMeshEnabled=False)
    put(kube, "BGPPeer", "reflectors", nodeSelector="all()", peerSelector="rr == 'true'")
    for name in ("node-1", "node-2"):
        note(kube, name, "RouteReflectorClusterID", "244.0.0.1")
        kube.node(name)["metadata"]["labels"]["rr"] = "true"
    assert alone(kube) == {}


# --- AS numbers, router IDs ---


def test_the_bgppeer_with_the_wrong_as_is_named(mesh, kube):
    mesh_off(kube, mesh)
    put(kube, "BGPPeer", "to-1", nodeSelector="all()", peerIP="10.0.0.9", asNumber=65000)
    for name in ("node-2", "node-3", "node-4"):
        mesh.trouble(name, "node-1", "Idle", "BGP Error: Bad peer AS", kind="Node", neighbor_as=65000, passive=False)
        mesh.trouble("node-1", name, "Idle", "Received: Bad peer AS", kind="Node", passive=False)
    found = told(mesh, kube)
    assert found["as_mismatch"].role == "cause"
    assert "BGPPeer/to-1" in str(found["as_mismatch"].speaks_for)


def test_the_api_alone_shows_a_wrong_as(kube):
    put(kube, "BGPConfiguration", "default", nodeToNodeMeshEnabled=False)
    put(kube, "BGPPeer", "to-1", nodeSelector="all()", peerIP="10.0.0.9", asNumber=65000)
    assert alone(kube)["as_mismatch"].subject.where["object"].startswith("BGPPeer/to-1")


def test_an_as_of_its_own_is_no_fault_in_a_mesh(kube):
    note(kube, "node-2", "ASNumber", "64999")
    assert alone(kube) == {}


def test_one_router_id_for_all(kube):
    variable(kube, "CALICO_ROUTER_ID", "10.0.0.9")
    item = alone(kube)["duplicate_router_id"]
    assert item.subject.where["object"] == "DaemonSet/kube-system/calico-node"


def test_router_ids_made_of_names_are_no_fault(kube):
    variable(kube, "CALICO_ROUTER_ID", "hash")
    assert alone(kube) == {}


# --- passwords ---


def secret(kube, **more):
    found = {"namespace": "kube-system", "name": "bgp", "exists": True, "keys": ["password"], "readable": True, **more}
    kube.more["secrets"] = [found]
    reference = {"secretKeyRef": {"name": "bgp", "key": "password"}}
    put(kube, "BGPConfiguration", "default", nodeMeshPassword=reference)


def test_a_secret_that_is_not_there(kube):
    secret(kube, exists=False, keys=[], readable=None)
    found = alone(kube)
    assert causes(found) == {"bgp_password_secret_unreadable"}
    assert found["bgp_password_secret_unreadable"].subject.where["field"] == "spec.nodeMeshPassword"


def test_a_secret_that_may_not_be_read_explains_the_mismatch(mesh, kube):
    secret(kube, readable=False, why="RBAC forbids it")
    for peer in ("node-1", "node-3", "node-4"):
        mesh.break_session("node-2", peer)
    for name in ("node-1", "node-3", "node-4"):
        mesh.daemon(name)["config"]["password"] = "all"
    log(mesh, "node-2", "confd", "password_secret", "Can't read password referenced by BGP Configuration default")
    found = told(mesh, kube)
    assert causes(found) == {"bgp_password_secret_unreadable"}
    assert found["bgp_password_mismatch"].role == "consequence"
    told_to = commands(mesh, kube, "bgp_password_secret_unreadable")
    assert "kubectl create role calico-bgp-password -n kube-system --verb=get,list,watch" in told_to
    assert "RBAC forbids it" in summary(mesh, kube, "bgp_password_secret_unreadable")


def test_a_secret_that_is_read_is_no_fault(mesh, kube):
    secret(kube)
    for name in mesh.addresses:
        mesh.daemon(name)["config"]["password"] = "all"
    assert told(mesh, kube) == {}
    assert alone(kube) == {}


def test_the_log_alone_tells_of_an_unreadable_secret(mesh):
    text = 'secrets "bgp" is forbidden: User "system:serviceaccount:a:b" cannot list resource "secrets"'
    log(mesh, "node-2", "confd", "password_secret", text)
    assert causes(told(mesh)) == {"bgp_password_secret_unreadable"}


def test_what_the_log_tells_is_past_once_the_secret_is_read(mesh, kube):
    log(mesh, "node-2", "confd", "password_secret", "Can't read password referenced by BGP Configuration default")
    secret(kube, readable=False)
    assert causes(told(mesh, kube)) == {"bgp_password_secret_unreadable"}
    kube.objects["bgpconfigurations"].clear()
    secret(kube)
    assert causes(told(mesh, kube)) == set()


def test_objects_that_refer_to_different_passwords(kube):
    secret(kube)
    put(kube, "BGPConfiguration", "default", nodeToNodeMeshEnabled=False)
    reference = {"secretKeyRef": {"name": "bgp", "key": "password"}}
    put(kube, "BGPPeer", "a", node="node-1", peerIP="10.0.0.10", asNumber=64512, password=reference)
    put(kube, "BGPPeer", "b", node="node-2", peerIP="10.0.0.9", asNumber=64512)
    put(kube, "BGPPeer", "c", nodeSelector="all()", peerIP="10.0.0.12", asNumber=64512)
    assert "bgp_password_mismatch" in alone(kube)


# --- ports ---


def test_peers_that_dial_another_port(mesh, kube):
    mesh.daemon("node-2")["config"].update(listen_port=1790, path="/etc/calico/confd/config/bird.cfg")
    mesh.bgp("node-2")["listeners"][0]["port"] = 1790
    put(kube, "BGPConfiguration", "node.node-2", listenPort=1790)
    for peer in ("node-1", "node-3", "node-4"):
        mesh.break_session("node-2", peer)
    mesh.daemon("node-1")["troubled"][0]["last_error"] = "Socket: Connection refused"
    found = told(mesh, kube)
    assert causes(found) == {"port_listen_changed"}
    assert found["port_listen_changed"].subject.where["object"] == "BGPConfiguration/node.node-2"


def test_bird_keeps_its_old_socket(mesh, kube):
    put(kube, "BGPConfiguration", "default", listenPort=1790)
    for name in mesh.addresses:
        mesh.daemon(name)["config"].update(listen_port=1790, path="/etc/calico/confd/config/bird.cfg")
    found = told(mesh, kube)
    assert "takes the new port when it is restarted" in summary(mesh, kube, "port_listen_changed")
    assert found["port_listen_changed"].role == "cause"


def test_another_port_for_everybody_is_no_fault(mesh, kube):
    put(kube, "BGPConfiguration", "default", listenPort=1790)
    for name in mesh.addresses:
        mesh.daemon(name)["config"].update(listen_port=1790, path="/etc/calico/confd/config/bird.cfg")
        mesh.bgp(name)["listeners"][0]["port"] = 1790
    assert told(mesh, kube) == {}


def test_a_port_that_was_in_use(mesh):
    apart(mesh, "node-2")
    mesh.bgp("node-2")["listeners"] = []
    mesh.bgp("node-2")["log"] = [{"kind": "cannot_listen", "text": "BGP: Socket error: bind: Address in use"}]
    assert causes(told(mesh)) == {"port179_conflict"}


# --- routers ---


def test_a_router_that_refuses(mesh, kube):
    put(kube, "BGPPeer", "rack-1", peerIP=ROUTER, asNumber=64600)
    for name in mesh.addresses:
        with_router(mesh, name, "Idle", "Received: Maximum number of prefixes reached")
        mesh.reach(name, ROUTER)
    found = told(mesh, kube)
    assert causes(found) == {"external_router_config"}
    assert found["external_router_config"].subject.where["peering"] == "BGPPeer/rack-1"


def test_a_second_speaker_has_the_session(mesh, kube):
    put(kube, "BGPPeer", "rack-1", peerIP=ROUTER, asNumber=64600)
    with_router(mesh, "node-2", "Idle", "Received: Connection rejected")
    mesh.reach("node-2", ROUTER)
    mesh.bgp("node-2")["other_speakers"] = [{"process": "speaker", "pid": 4711, "peers": {"10.0.0": "254"}}]
    found = told(mesh, kube)
    assert causes(found) == {"metallb_conflict"}
    assert "speaker (4711)" in summary(mesh, kube, "metallb_conflict")


def test_a_speaker_with_routers_of_its_own_is_no_fault(mesh):
    mesh.bgp("node-2")["other_speakers"] = [{"process": "speaker", "pid": 4711, "peers": {"10.0.0": "253"}}]
    assert told(mesh) == {}


# --- keepalives ---


def test_expired_timers_on_a_strained_host(mesh):
    for peer in ("node-1", "node-3", "node-4"):
        mesh.break_session("node-2", peer)
    for entry in mesh.daemon("node-2")["troubled"]:
        entry["last_error"] = "BGP Error: Hold timer expired"
    host(mesh, "node-2")["strain"] = {
        "pressure": {"cpu": [61.0, 71.0]},
        "calico_node": {"throttled": {"periods": 9000, "throttled": 4100, "seconds": 250.5}},
    }
    found = told(mesh)
    assert causes(found) == {"hold_timer_expired"}
    assert "held back in 4100 of 9000 periods" in str(found["hold_timer_expired"].speaks_for)


def test_an_old_error_does_not_hide_a_firewall(mesh):
    mesh.trouble("node-1", "node-2", "Connect", "BGP Error: Hold timer expired")
    mesh.trouble("node-2", "node-1", "Passive", "BGP Error: Hold timer expired")
    mesh.block("node-2", ["node-1"])
    mesh.probe("node-1", "node-2", "silent")
    mesh.reach("node-1", "node-2")
    assert causes(told(mesh)) == {"tcp179_blocked_host_firewall"}


def test_sessions_that_come_and_go(mesh):
    mesh.bgp("node-2")["log"] = [
        {
            "kind": "hold_timer_expired",
            "peer": "10.0.0.9",
            "text": "Mesh_10_0_0_9: Error: Hold timer expired",
            "count": 7,
        }
    ]
    found = told(mesh)
    assert causes(found) == {"hold_timer_expired"}
    assert found["hold_timer_expired"].severity == "minor"


# --- membership ---


def test_a_host_that_runs_as_another_node(mesh, kube):
    mesh.facts["node-2"]["calico_node"].update(nodename="image-1", nodename_source="file", kubelet_nodename="node-2")
    found = told(mesh, kube)
    assert found["nodename_mismatch"].subject.nodes == ("node-2",)
    assert "runs as image-1" in summary(mesh, kube, "nodename_mismatch")


def test_two_hosts_that_run_as_one(mesh):
    mesh.facts["node-2"]["calico_node"].update(nodename="node-3", nodename_source="file", kubelet_nodename="node-2")
    item = told(mesh)["nodename_mismatch"]
    assert item.subject.nodes == ("node-2", "node-3")


def test_another_reference_is_meant(mesh, kube):
    kube.node("node-2")["metadata"]["name"] = "node-2.example.org"
    mesh.facts["node-2"]["calico_node"].update(node_ref="node-2.example.org", nodename_source="environment")
    assert "nodename_mismatch" not in told(mesh, kube)


def test_a_record_without_a_node(kube):
    kube.objects["caliconodes"] = [
        {
            "apiVersion": "projectcalico.org/v3",
            "kind": "Node",
            "metadata": {"name": "old-node"},
            "spec": {
                "bgp": {"ipv4Address": "10.0.0.66/24"},
                "orchRefs": [{"nodeName": "old-node", "orchestrator": "k8s"}],
            },
        }
    ]
    found = alone(kube)
    assert causes(found) == {"stale_node_in_mesh"}
    assert found["stale_node_in_mesh"].subject.where["object"] == "Node/old-node"


def test_a_node_that_the_inventory_lacks_is_down_rather_than_stale(mesh, kube):
    for peer in ("node-1", "node-3", "node-4"):
        mesh.break_session("node-2", peer)
        mesh.reach(peer, "node-2", "failed", "silent")
    del mesh.facts["node-2"]
    kube.condition("node-2", "Ready", *shapes.SILENT, lastTransitionTime=shapes.ago(300))
    found = told(mesh, kube)
    assert "stale_node_in_mesh" not in causes(found)
    assert "peer_node_down" in found
