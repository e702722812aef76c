# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role stale_nodes deletes, in which order, and what keeps it from that."""

from __future__ import annotations

import copy
import dataclasses

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._object_change import planning
from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.ranking import rank
from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue.faults import BY_ID
from ansible_collections.netmedic.calico.plugins.plugin_utils._cure import stale_nodes
from ansible_collections.netmedic.calico.plugins.plugin_utils._cure.model import Given
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils import kube as shapes

GHOST, ADDRESS = "worker-7", "10.0.0.77"


@pytest.fixture
def kube(kube):
    """A cluster with a Node of which nothing was heard for two hours."""
    for kind in ("bgppeers", "bgpconfigurations", "felixconfigurations", "hostendpoints"):
        kube.status[kind] = "ok"
        kube.objects.setdefault(kind, [])
    ghost = copy.deepcopy(kube.node("node-4"))
    ghost["metadata"].update(name=GHOST, uid="5a8d")
    ghost["metadata"]["labels"]["kubernetes.io/hostname"] = GHOST
    ghost["metadata"]["annotations"]["projectcalico.org/IPv4Address"] = f"{ADDRESS}/24"
    ghost["status"]["addresses"][0]["address"] = ADDRESS
    kube.objects["nodes"].append(ghost)
    kube.condition(GHOST, "Ready", *shapes.SILENT, lastTransitionTime=shapes.ago(7200))
    pod = copy.deepcopy(kube.pod("node-4"))
    pod["metadata"]["name"], pod["spec"]["nodeName"], pod["status"]["podIP"] = "calico-node-00099", GHOST, ADDRESS
    kube.objects["pods"].append(pod)
    return kube


@pytest.fixture
def mesh(mesh):
    """All nodes dial it in vain."""
    for name in mesh.addresses:
        mesh.trouble(name, ADDRESS, "Connect", "Socket: No route to host")
        mesh.probe(name, ADDRESS, "silent")
        mesh.reach(name, ADDRESS, "failed", "silent")
    return mesh


def told(mesh, kube):
    return dataclasses.replace(mesh.evidence(), cluster=kube.cluster())


def decide(mesh, kube, *names, **options):
    evidence = told(mesh, kube)
    options = {"names": names, **options}
    done = stale_nodes.changes(Given("", tuple(mesh.addresses), mesh.facts, {}, evidence, {}, options))
    for one in done.changes:
        assert planning.trouble(one) == ""
    return done


def put(kube, plural, kind, name, **spec):
    kube.objects[plural].append({"kind": kind, "metadata": {"name": name}, "spec": spec})


def test_a_node_that_is_gone_is_deleted_last(mesh, kube):
    put(kube, "bgppeers", "BGPPeer", "own", node=GHOST, peerIP="10.0.0.254", asNumber=64600)
    put(kube, "bgppeers", "BGPPeer", "towards", peerIP=f"{ADDRESS}:179", asNumber=64512)
    put(kube, "bgppeers", "BGPPeer", "named", nodeSelector="all()", peerSelector=f"kubernetes.io/hostname == '{GHOST}'")
    put(kube, "bgppeers", "BGPPeer", "others", nodeSelector="all()", peerIP="10.0.0.254", asNumber=64600)
    put(kube, "bgpconfigurations", "BGPConfiguration", f"node.{GHOST}", listenPort=1790)
    done = decide(mesh, kube, GHOST)
    assert done.refused == ""
    assert [(one["kind"], one["name"]) for one in done.changes] == [
        ("BGPPeer", "own"),
        ("BGPPeer", "towards"),
        ("BGPPeer", "named"),
        ("BGPConfiguration", f"node.{GHOST}"),
        ("Node", GHOST),
    ]
    assert done.changes[0]["expect"] == {"spec": {"node": GHOST, "peerIP": "10.0.0.254"}}
    assert done.changes[-1] == {"action": "delete", "kind": "Node", "name": GHOST, "api_version": "v1", "uid": "5a8d"}
    link = "nobody answers for 10.0.0.77 on the link of node-1, node-2, node-3 and node-4"
    assert done.says[0] == f"{GHOST} is gone: its kubelet is silent for 2 h and {link}."


def test_without_names_it_is_only_told(mesh, kube):
    done = decide(mesh, kube)
    assert (list(done.changes), done.refused) == ([], "")
    assert "Name it in stale_nodes_names" in done.says[0]


def test_blocks_are_listed_and_who_frees_them(mesh, kube):
    put(kube, "blockaffinities", "BlockAffinity", "x", cidr="10.244.77.0/26", node=GHOST, state="confirmed")
    text = " ".join(decide(mesh, kube, GHOST).says)
    assert "10.244.77.0/26 (0 in use)" in text
    assert "calico-kube-controllers, which would free them, is not there" in text
    meta = {
        "name": "calico-kube-controllers",
        "namespace": "kube-system",
        "labels": {"k8s-app": "calico-kube-controllers"},
    }
    deployment = {"kind": "Deployment", "metadata": meta, "spec": {}, "status": {"replicas": 1, "readyReplicas": 0}}
    kube.objects["deployments"].append(deployment)
    assert "is not ready" in " ".join(decide(mesh, kube, GHOST).says)
    deployment["status"]["readyReplicas"] = 1
    assert "frees them within minutes" in " ".join(decide(mesh, kube, GHOST).says)
    assert [one["kind"] for one in decide(mesh, kube, GHOST).changes] == ["Node"]


def reboots(mesh, kube):
    kube.condition(GHOST, "Ready", *shapes.SILENT, lastTransitionTime=shapes.ago(900))


def ready(mesh, kube):
    kube.condition(GHOST, "Ready", *shapes.READY)


def answers(mesh, kube):
    mesh.reach("node-3", ADDRESS, "stale", "answered")


def resets(mesh, kube):
    mesh.probe("node-3", ADDRESS, "reset")


def only_behind_a_router(mesh, kube):
    for name in mesh.addresses:
        mesh.reach(name, ADDRESS, "off_link", "silent")


def established(mesh, kube):
    mesh.daemon("node-2")["peers"]["packed"]["Mesh"]["10.0.0"] += ",77"


def in_the_inventory(mesh, kube):
    mesh.missing.append(dataclasses.replace(missing(mesh), name=GHOST))


def missing(mesh):
    spare = type(mesh)()
    spare.lose("node-4")
    return spare.missing[0]


def another_has_it(mesh, kube):
    kube.node("node-3")["status"]["addresses"][0]["address"] = ADDRESS


def of_a_cloud(mesh, kube):
    kube.node(GHOST)["spec"]["providerID"] = "aws:///eu-central-1a/i-0abc"


def with_pods(mesh, kube):
    kube.more["workload_pods"] = {GHOST: 3}


def for_services(mesh, kube):
    kube.more["service_endpoints"] = {GHOST: 1}


def in_two(mesh, kube):
    for name in ("node-3", "node-4"):
        kube.condition(name, "Ready", *shapes.SILENT, lastTransitionTime=shapes.ago(7200))


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        (reboots, "silent for 15 min only"),
        (ready, "Ready is True"),
        (answers, "10.0.0.77 answers node-3"),
        (resets, "answers a SYN of node-3"),
        (only_behind_a_router, "is on the link of 10.0.0.77"),
        (established, "node-2 has a BGP session with 10.0.0.77"),
        (in_the_inventory, "is a host of the inventory"),
        (another_has_it, "the Node node-3 has its address"),
        (of_a_cloud, "cloud controller"),
        (with_pods, "3 pods are still bound to it"),
        (for_services, "ready pods of 1 Service are on it"),
        (in_two, "cut in two"),
    ],
)
def test_what_is_not_proven_is_left(mesh, kube, happens, words):
    happens(mesh, kube)
    done = decide(mesh, kube, GHOST)
    assert list(done.changes) == []
    assert words in done.refused
    (line,) = [one for one in decide(mesh, kube).says if one.startswith(f"{GHOST} is left")] or [""]
    assert words in line or happens is ready


def test_pods_that_are_bound_to_it_go_only_on_request(mesh, kube):
    with_pods(mesh, kube)
    assert len(decide(mesh, kube, GHOST, with_pods=True).changes) == 1


def test_of_several_names_all_must_be_proven(mesh, kube):
    done = decide(mesh, kube, GHOST, "node-1")
    assert (list(done.changes), "node-1, which was read, is this node" in done.refused) == ([], True)


def test_what_is_left_of_a_name_without_a_node(mesh, kube):
    put(kube, "bgppeers", "BGPPeer", "own", node="worker-8", peerIP="10.0.0.254", asNumber=64600)
    assert [one["name"] for one in decide(mesh, kube, "worker-8").changes] == ["own"]
    assert decide(mesh, kube, "worker-9").says == ["Nothing is left of worker-9 but what is listed."]


def test_a_selector_that_does_not_name_it_stays(mesh, kube):
    kube.node(GHOST)["metadata"]["labels"]["rack"] = "a"
    put(kube, "bgppeers", "BGPPeer", "rack-a", nodeSelector="rack == 'a'", peerIP="10.0.0.254", asNumber=64600)
    done = decide(mesh, kube, GHOST)
    assert [one["kind"] for one in done.changes] == ["Node"]
    assert "BGPPeer rack-a then selects no node by rack == 'a'; it stays." in done.says


def test_too_short_a_silence_is_no_wish(mesh, kube):
    with pytest.raises(ValueError, match="at least 600"):
        decide(mesh, kube, GHOST, silent_seconds=60)


def test_the_api_must_have_told(mesh, kube):
    kube.status["nodes"] = "forbidden"
    assert "nodes" in decide(mesh, kube, GHOST).refused
    done = stale_nodes.changes(Given("", tuple(mesh.addresses), mesh.facts, {}, mesh.evidence(), {}, {}))
    assert done.more == {"ask": True}


def test_the_catalogue_names_the_role_where_it_is_proven(mesh, kube):
    fault = BY_ID["stale_node_in_mesh"]

    def remedy():
        evidence = told(mesh, kube)
        (subject,) = [one for one in fault.subjects(evidence) if one.nodes == (GHOST,)]
        return fault.fix.remedy(evidence, subject)

    found = remedy()
    assert (found.role, found.variables, found.hosts) == ("stale_nodes", {"stale_nodes_names": [GHOST]}, ())
    with_pods(mesh, kube)
    assert remedy() is None


def test_a_node_of_no_inventory_that_is_silent_for_hours_is_stale_rather_than_down(mesh, kube):
    causes = {one.fault.id: one for one in rank(told(mesh, kube)) if one.role == "cause"}
    assert list(causes) == ["stale_node_in_mesh"]
    reboots(mesh, kube)
    causes = {one.fault.id for one in rank(told(mesh, kube)) if one.role == "cause"}
    assert "peer_node_down" in causes
    assert "stale_node_in_mesh" not in causes


def test_no_node_is_named_where_the_api_has_none(mesh, kube):
    kube.objects["nodes"] = [one for one in kube.objects["nodes"] if one["metadata"]["name"] != GHOST]
    evidence = told(mesh, kube)
    fault = BY_ID["stale_node_in_mesh"]
    (subject,) = fault.subjects(evidence)
    text = "\n".join(fault.fix.commands(evidence, subject))
    assert "delete" not in text
    assert "bgppeers.crd.projectcalico.org" in text
    assert fault.fix.remedy(evidence, subject) is None
