# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the objects of the API, whole, cut down, and malformed."""

from __future__ import annotations

import json
import string
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._cluster.prune import prune
from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster import (
    effective,
    flavour,
    objects,
    owners,
    values,
)
from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster.given import MOST_COMPLAINTS

if TYPE_CHECKING:
    from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster.model import Cluster, Pod

PLURALS = (
    *("nodes", "caliconodes", "daemonsets", "deployments", "pods", "events", "leases", "services", "endpointslices"),
    *("configmaps", "ippools", "bgpconfigurations", "bgppeers", "bgpfilters", "felixconfigurations", "hostendpoints"),
    *("globalnetworkpolicies", "stagedglobalnetworkpolicies", "caliconodestatuses", "blockaffinities", "ipamblocks"),
    *("kubecontrollersconfigurations", "clusterinformations", "installations", "tigerastatuses", "apiservices"),
    *("mutatingwebhookconfigurations", "validatingwebhookconfigurations", "customresourcedefinitions"),
)
SETTINGS = (
    "autodetection_ipv4",
    "backend",
    "mtu",
    "pool/p",
    "bgp_configuration/asNumber",
    "bgp_peer/p",
    "felix/ipipMTU",
)


def read(**kinds) -> Cluster:
    return objects.read({"reached": True, "objects": kinds})


def obj(name, spec=None, **more):
    return {"metadata": {"name": name}, "spec": spec or {}, **more}


# --- nodes ---


def test_a_node_has_its_addresses_conditions_and_what_calico_wrote_on_it():
    node = {
        "metadata": {
            "name": "n1",
            "labels": {"kubernetes.io/os": "linux", "rack": "a"},
            "annotations": {
                "projectcalico.org/IPv4Address": "10.0.0.1/24",
                "projectcalico.org/IPv6Address": "FD00::0001/64",
                "projectcalico.org/ASNumber": "1.10",
                "projectcalico.org/RouteReflectorClusterID": "244.0.0.1",
                "projectcalico.org/IPv4IPIPTunnelAddr": "192.168.1.1",
                "projectcalico.org/WireguardPublicKey": "abc",
            },
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {
            "podCIDRs": ["10.1.0.0/24"],
            "unschedulable": True,
            "taints": [{"key": "a", "value": "b", "effect": "NoExecute"}],
        },
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": "10.0.0.1"},
                {"type": "InternalIP", "address": "FD00::1"},
                {"type": "Hostname", "address": "n1"},
            ],
            "conditions": [{"type": "Ready", "status": "False", "reason": "KubeletNotReady", "message": "m"}],
            "nodeInfo": {"kubeletVersion": "v1.31.0", "operatingSystem": "linux"},
        },
    }
    lease = {"metadata": {"name": "n1"}, "spec": {"renewTime": "2026-01-01T00:00:10.500000Z"}}
    leader = {"metadata": {"name": "n1", "namespace": "kube-system"}, "spec": {"renewTime": "2020-01-01T00:00:00Z"}}
    cluster = read(nodes=[node], leases=[lease, leader])
    found, record = cluster.nodes["n1"], cluster.calico_nodes["n1"]
    assert found.internal_addresses == ("10.0.0.1", "fd00::1")
    assert found.condition("Ready").reason == "KubeletNotReady"
    assert found.unschedulable
    assert found.taints[0].effect == "NoExecute"
    assert found.lease_renewed_at == found.created_at + 10.5
    assert (record.ipv4, record.ipv6, record.as_number) == ("10.0.0.1/24", "fd00::1/64", 65546)
    assert record.route_reflector_cluster_id == "244.0.0.1"
    assert record.wireguard_key
    assert record.labels["rack"] == "a"
    assert record.address("ipv6") == "fd00::1"
    assert cluster.malformed == ()


def test_calicoctls_node_goes_before_annotations_and_keeps_the_nodes_labels():
    kube = {"metadata": {"name": "n1", "labels": {"rack": "a"}}}
    calico = {
        "apiVersion": "projectcalico.org/v3",
        "kind": "Node",
        "metadata": {"name": "n1"},
        "spec": {"bgp": {"ipv4Address": "10.0.0.1", "asNumber": "65001", "routeReflectorClusterID": "1.0.0.1"}},
    }
    for cluster in (read(nodes=[kube, calico]), read(nodes=[kube], caliconodes=[calico])):
        record = cluster.calico_nodes["n1"]
        assert (record.ipv4, record.as_number, record.labels) == ("10.0.0.1", 65001, {"rack": "a"})
        assert set(cluster.nodes) == {"n1"}


def test_a_windows_node_is_one():
    node = {"metadata": {"name": "w", "labels": {"kubernetes.io/os": "windows"}}}
    assert read(nodes=[node]).calico_nodes["w"].windows


@pytest.mark.parametrize("address", ["x.x.x.172/32", "10.0.0.1/33", "10.0.0.1/", "10.0.0.256", "fd00::1/64"])
def test_an_address_that_calico_cannot_read_counts_as_absent_and_is_told(address):
    node = {"metadata": {"name": "n", "annotations": {"projectcalico.org/IPv4Address": address}}}
    cluster = read(nodes=[node])
    assert cluster.calico_nodes["n"].ipv4 == ""
    assert len(cluster.malformed) == 1
    assert cluster.malformed[0].startswith("Node n: metadata.annotations.projectcalico.org/IPv4Address is ")


# --- workloads and pods ---


def daemon_set(env=(), **more):
    containers = [{"name": "calico-node", "image": "quay.io/calico/node:v3.29.1", "env": list(env), **more}]
    return {
        "metadata": {"name": "calico-node", "namespace": "kube-system"},
        "spec": {"template": {"metadata": {"labels": {"k8s-app": "calico-node"}}, "spec": {"containers": containers}}},
    }


def test_variables_have_values_or_come_from_somewhere():
    env = [
        {"name": "IP", "value": "autodetect"},
        {"name": "BACKEND", "valueFrom": {"configMapKeyRef": {"name": "calico-config", "key": "calico_backend"}}},
        {"name": "HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}},
        {"name": "PASS", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "BGP_PASSWORD", "value": "canary"},
        {"name": "IP", "value": "none"},
    ]
    probe = {"readinessProbe": {"exec": {"command": ["/bin/calico-node", "-bird-ready"]}}}
    found = read(daemonsets=[daemon_set(env, **probe)]).workloads[0]
    container = found.container("calico-node")
    assert container.env == {"IP": "none"}
    assert container.env_from == {
        "BACKEND": "configmap calico-config/calico_backend",
        "HOST": "field status.hostIP",
        "PASS": "secret s/k",
    }
    assert container.readiness == "/bin/calico-node -bird-ready"
    assert found.component == "calico-node"
    assert found.desired is None


def test_counts_that_the_api_leaves_out_are_zero_once_there_is_a_status():
    status = {"desiredNumberScheduled": 3, "currentNumberScheduled": 3, "numberReady": 0}
    found = read(daemonsets=[{**daemon_set(), "status": status}]).workloads[0]
    assert (found.desired, found.ready, found.available, found.updated) == (3, 0, 0, 0)


@pytest.mark.parametrize(
    ("name", "containers", "component"),
    [
        ("calico-node", ["calico-node"], "calico-node"),
        ("canal", ["calico-node", "kube-flannel"], "canal"),
        ("rke2-canal", ["calico-node"], "canal"),
        ("calico-typha", ["calico-typha"], "typha"),
        ("calico-kube-controllers", ["calico-kube-controllers"], "kube-controllers"),
        ("tigera-operator", ["tigera-operator"], "operator"),
        ("kube-flannel-ds", ["kube-flannel"], "flannel"),
        ("kube-proxy", ["kube-proxy"], "kube-proxy"),
        ("calico-node-windows", ["node", "felix"], "calico-node-windows"),
        ("coredns", ["coredns"], "other"),
    ],
)
def test_components_are_told_by_their_containers_or_names(name, containers, component):
    spec = {"containers": [{"name": one} for one in containers]}
    found = read(
        daemonsets=[{"metadata": {"name": name}, "spec": {"template": {"spec": spec}}}],
        pods=[{"metadata": {"name": f"{name}-7k2mx"}, "spec": spec}],
    )
    assert found.workloads[0].component == component
    assert found.pods[0].component == component


def test_a_daemon_set_that_somebody_renamed_is_known_by_its_image():
    containers = [
        {"name": "sidecar", "image": "registry/log:1"},
        {
            "name": "node",
            "image": "registry:5000/mirror/calico/node:v3.29.1",
            "env": [{"name": "IP", "value": "autodetect"}],
        },
    ]
    found = read(
        daemonsets=[{"metadata": {"name": "my-network"}, "spec": {"template": {"spec": {"containers": containers}}}}],
        pods=[{"metadata": {"name": "my-network-7k2mx"}, "spec": {"nodeName": "n1", "containers": containers}}],
    )
    assert [one.component for one in (*found.workloads, *found.pods)] == ["calico-node", "calico-node"]
    assert effective.container(found.node_agents[0]).name == "node"
    assert flavour.flavour(found, {}).versions == {"n1": "v3.29.1"}


def test_a_pod_tells_how_its_containers_are():
    pod = {
        "metadata": {
            "name": "calico-node-abcde",
            "namespace": "kube-system",
            "deletionTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {"nodeName": "n1", "containers": [{"name": "calico-node", "image": "calico/node:v3.29.1"}]},
        "status": {
            "phase": "Running",
            "containerStatuses": [
                {
                    "name": "calico-node",
                    "image": "sha256:abc",
                    "ready": False,
                    "restartCount": 7,
                    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                    "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
                }
            ],
        },
    }
    found = read(pods=[pod]).pods[0]
    state = found.containers[0]
    assert (found.component, found.node, found.ready, found.deleting) == ("calico-node", "n1", False, True)
    assert (state.state, state.reason, state.restarts) == ("waiting", "CrashLoopBackOff", 7)
    assert (state.last_reason, state.last_exit_code, state.image) == ("OOMKilled", 137, "calico/node:v3.29.1")


def test_a_pod_that_is_well_is_read_the_same_when_pruned():
    pod = {
        "metadata": {"name": "calico-node-abcde", "namespace": "kube-system"},
        "spec": {"nodeName": "n1", "containers": [{"name": "calico-node", "image": "calico/node:v3.29.1"}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "calico-node", "ready": True, "restartCount": 0, "state": {"running": {}}}],
        },
    }

    def told(found: Pod):
        return found.ready, [(one.name, one.ready, one.state, one.image) for one in found.containers]

    whole, pruned = read(pods=[pod]).pods[0], read(pods=[prune("pods", pod)]).pods[0]
    assert told(whole) == told(pruned) == (True, [("calico-node", True, "running", "calico/node:v3.29.1")])


# --- Calico's objects ---


@pytest.mark.parametrize(
    ("spec", "modes"),
    [
        ({"ipipMode": "Always", "vxlanMode": "Never"}, ("Always", "Never", True)),
        ({"vxlanMode": "CrossSubnet"}, ("Never", "CrossSubnet", True)),
        ({"ipip": {"enabled": True, "mode": "cross-subnet"}}, ("CrossSubnet", "Never", True)),
        ({"ipipMode": False}, ("Never", "Never", True)),
        ({}, ("Never", "Never", False)),
    ],
)
def test_modes_of_a_pool(spec, modes):
    pool = read(ippools=[obj("p", {"cidr": "10.0.0.0/16", **spec})]).pools[0]
    assert (pool.ipip, pool.vxlan, pool.modes_told) == modes


def test_both_groups_give_the_same_records():
    spec = {"nodeToNodeMeshEnabled": False, "asNumber": 64513, "listenPort": 1790}
    old = obj("default", spec, apiVersion="crd.projectcalico.org/v1")
    new = obj("default", spec, apiVersion="projectcalico.org/v3")
    assert read(bgpconfigurations=[old]) == read(bgpconfigurations=[new])


def test_labels_that_calico_keeps_in_an_annotation_are_labels():
    original = json.dumps({"labels": {"role": "db"}})
    point = {
        "metadata": {"name": "h", "annotations": {"projectcalico.org/metadata": original}},
        "spec": {"node": "n1", "interfaceName": "*", "expectedIPs": ["10.0.0.1"]},
    }
    assert read(hostendpoints=[point]).host_endpoints[0].labels == {"role": "db"}


@pytest.mark.parametrize(
    ("written", "number"),
    [(64512, 64512), ("64512", 64512), ("1.10", 65546), (4294967295, 4294967295), (64512.0, 64512)],
)
def test_as_numbers(written, number):
    assert values.as_number(written) == number


@pytest.mark.parametrize("written", [0, -1, 4294967296, "1.65536", "x", "", True, 1.1, None, [], "1.2.3"])
def test_what_is_no_as_number(written):
    assert values.as_number(written) is None


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("10.0.0.1", ("10.0.0.1", None)),
        ("10.0.0.1:1790", ("10.0.0.1", 1790)),
        ("fd00::1", ("fd00::1", None)),
        ("FD00:0::1", ("fd00::1", None)),
        ("[fd00::1]:1790", ("fd00::1", 1790)),
        ("[fd00::1]", ("fd00::1", None)),
        ("10.0.0.1:", None),
        ("10.0.0.1:0", None),
        ("10.0.0.1:70000", None),
        ("router.example.org", None),
        ("10.0.0.0/24", None),
        ("", None),
    ],
)
def test_addresses_of_peers(written, found):
    assert values.address_and_port(written) == found


def test_a_peer_that_calico_passes_over_is_told_and_kept_as_written():
    cluster = read(bgppeers=[obj("tor", {"peerIP": "tor-1", "asNumber": "65000.1"})])
    assert cluster.bgp_peers[0].peer_ip == "tor-1"
    assert cluster.bgp_peers[0].as_number == 65000 * 65536 + 1
    assert cluster.malformed == (
        'BGPPeer tor: spec.peerIP is "tor-1", which is no address; Calico passes this peer over.',
    )


def test_of_a_password_the_reference_is_read_and_nothing_else():
    spec = {"password": {"secretKeyRef": {"name": "bgp", "key": "pw"}, "value": "canary"}}
    cluster = read(bgppeers=[obj("p", spec)])
    assert (cluster.bgp_peers[0].password.name, cluster.bgp_peers[0].password.key) == ("bgp", "pw")
    assert "canary" not in repr(cluster)


def test_types_that_a_policy_leaves_out_are_those_that_calico_takes():
    def types(**spec):
        return read(globalnetworkpolicies=[obj("g", spec)]).policies[0].types

    assert types() == ("Ingress",)
    assert types(egress=[{"action": "Allow"}]) == ("Egress",)
    assert types(ingress=[{}], egress=[{}]) == ("Ingress", "Egress")


def test_a_staged_policy_is_not_enforced():
    assert not read(stagedglobalnetworkpolicies=[obj("g")]).policies[0].enforced


def test_blocks_affinities_and_states_of_nodes():
    cluster = read(
        blockaffinities=[obj("a", {"node": "n1", "cidr": "10.1.0.0/26", "state": "confirmed", "deleted": "false"})],
        ipamblocks=[
            obj("b", {"cidr": "10.1.0.0/26", "allocations": [0, None, 1]}),
            {"metadata": {"name": "c"}, "spec": {"cidr": "10.1.0.64/26"}, "used": 5},
        ],
        caliconodestatuses=[
            obj(
                "s",
                {"node": "n1"},
                status={
                    "lastUpdated": "2026-01-01T00:00:00Z",
                    "agent": {"birdV4": {"state": "Ready"}},
                    "bgp": {"peersV4": [{"peerIP": "10.0.0.2", "type": "NodeMesh", "state": "Established"}]},
                },
            )
        ],
    )
    assert cluster.blocks[0].deleted is False
    assert cluster.ipam_used == {"10.1.0.0/26": 2, "10.1.0.64/26": 5}
    assert cluster.node_statuses[0].bird == {"ipv4": "Ready"}
    assert cluster.node_statuses[0].peers == (("ipv4", "10.0.0.2", "NodeMesh", "Established"),)


def test_two_installations_and_what_the_operator_makes_of_them():
    assert read(installations=[obj("default"), obj("overlay")]).malformed == ()
    told = read(installations=[obj("calico"), obj("mine")]).malformed
    assert "There are 2 Installations (calico, mine), and none of them is called default." in told
    assert sum("the operator takes no notice of it" in one for one in told) == 2


def test_an_object_that_is_there_twice_is_told_unless_it_is_the_same():
    one, other = obj("p", {"cidr": "10.0.0.0/16"}), obj("p", {"cidr": "10.1.0.0/16"})
    assert read(ippools=[one, dict(one)]).malformed == ()
    cluster = read(ippools=[one, other])
    assert [pool.cidr for pool in cluster.pools] == ["10.0.0.0/16"]
    assert len(cluster.malformed) == 1


def test_objects_of_a_version_that_is_not_known_are_read_and_told():
    cluster = read(ippools=[obj("p", {"cidr": "10.0.0.0/16"}, apiVersion="crd.projectcalico.org/v2")])
    assert cluster.pools[0].cidr == "10.0.0.0/16"
    assert cluster.malformed == (
        "IPPool p: apiVersion is crd.projectcalico.org/v2, which is not known here; it was read all the same.",
    )


def test_who_wrote_what():
    fields = {"f:spec": {"f:calicoNetwork": {}, "f:template": {"f:spec": {"f:containers": {
        'k:{"name":"calico-node"}': {"f:env": {".": {}, 'k:{"name":"IP"}': {}}}}}}}}  # fmt: skip
    entries = [
        {"manager": "kubectl", "time": "2026-01-01T00:00:00Z", "fieldsV1": fields},
        {"manager": "operator", "time": "2026-01-02T00:00:00Z"},
        {"manager": "kubelet", "time": "2026-01-03T00:00:00Z", "subresource": "status"},
    ]
    made = {"metadata": {"name": "default", "managedFields": entries}}
    found = read(installations=[made]).installations[0].meta
    assert found.managers == ("operator", "kubectl")
    assert found.fields == {"kubectl": ("calicoNetwork", "template", "env.IP")}


# --- surroundings ---


def test_events_of_both_groups():
    old = {
        "involvedObject": {"kind": "Pod", "name": "calico-node-abcde", "namespace": "kube-system"},
        "type": "Warning",
        "reason": "Unhealthy",
        "message": "m",
        "count": 5,
        "lastTimestamp": "2026-01-01T00:00:00Z",
        "source": {"component": "kubelet", "host": "n1"},
    }
    new = {
        "regarding": {"kind": "Node", "name": "n1"},
        "type": "Normal",
        "reason": "NodeNotReady",
        "note": "n",
        "eventTime": "2026-01-01T00:00:00.000001Z",
        "series": {"count": 3, "lastObservedTime": "2026-01-01T00:01:00.0Z"},
    }
    first, second = read(events=[old, new]).events
    assert (first.about, first.namespace, first.count, first.node) == ("pod calico-node-abcde", "kube-system", 5, "n1")
    assert (second.about, second.message, second.count, second.node) == ("node n1", "n", 3, "n1")
    assert second.last_at == first.last_at + 60


def test_a_service_has_the_addresses_behind_it():
    service = {
        "metadata": {"name": "calico-typha", "namespace": "kube-system"},
        "spec": {"clusterIP": "10.96.0.5", "ports": [{"port": 5473}]},
    }
    ends = {
        "metadata": {
            "name": "calico-typha-x",
            "namespace": "kube-system",
            "labels": {"kubernetes.io/service-name": "calico-typha"},
        },
        "ports": [{"port": 5473}],
        "endpoints": [
            {"addresses": ["10.0.0.1"], "conditions": {"ready": True}, "nodeName": "n1"},
            {"addresses": ["10.0.0.2"], "conditions": {"ready": False}, "nodeName": "n2"},
        ],
    }
    found = read(services=[service], endpointslices=[ends]).services[0]
    assert found.targets == (("10.0.0.1", 5473, True, "n1"), ("10.0.0.2", 5473, False, "n2"))


def hook(name="h", **more):
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    return {"name": name, "rules": [rule], "clientConfig": {"service": {"namespace": "w", "name": "s"}}, **more}


@pytest.mark.parametrize(
    ("more", "asked"),
    [
        ({}, True),
        ({"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "Exists"}]}}, True),
        (
            {
                "namespaceSelector": {
                    "matchExpressions": [
                        {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system"]}
                    ]
                }
            },
            False,
        ),
        ({"objectSelector": {"matchLabels": {"inject": "true"}}}, False),
        ({"objectSelector": {"matchExpressions": [{"key": "k8s-app", "operator": "Exists"}]}}, True),
        ({"rules": [{"apiGroups": ["apps"], "operations": ["*"], "resources": ["deployments"]}]}, False),
        ({"rules": [{"apiGroups": ["*"], "operations": ["*"], "resources": ["*/*"]}]}, True),
    ],
)
def test_webhooks_that_are_asked_about_calicos_pods(more, asked):
    pod = {"metadata": {"name": "calico-node-a", "namespace": "kube-system", "labels": {"k8s-app": "calico-node"}}}
    configuration = {"metadata": {"name": "c"}, "webhooks": [hook(**more)]}
    found = read(daemonsets=[daemon_set()], pods=[pod], mutatingwebhookconfigurations=[configuration]).webhooks
    assert bool(found) is asked
    if found:
        assert (found[0].kind, found[0].policy, found[0].service) == ("mutating", "Fail", "w/s")
        assert found[0].endpoints_ready is None


# --- the fact ---


def test_the_facts_own_fields():
    cluster = objects.read(
        {
            "reached": True,
            "via": "kubectl",
            "taken_at": "2026-01-01T00:00:00Z",
            "version": "v1.31.0",
            "group": "crd.projectcalico.org/v1",
            "native_v3": False,
            "sources": [{"source": "nodes", "status": "ok", "count": 3}, {"source": "pods", "status": "odd"}],
            "secrets": [{"namespace": "kube-system", "name": "bgp", "exists": True, "keys": ["pw"], "readable": False}],
            "workload_pods": {"n1": 31},
            "service_endpoints": {"n1": 12},
        }
    )
    assert cluster.read("nodes")
    assert not cluster.read("pods")
    assert cluster.source("pods").status == "failed"
    assert cluster.secrets[0].keys == ("pw",)
    assert cluster.workload_pods == {"n1": 31}


@pytest.mark.parametrize("fact", [{}, None, [], "x", {"objects": []}, {"objects": {"nodes": 3}}, {"reached": "yes"}])
def test_what_is_no_fact_is_a_cluster_that_was_not_reached(fact):
    assert objects.read(fact).reached is False


@pytest.mark.parametrize("plural", PLURALS)
@pytest.mark.parametrize(
    "broken",
    [
        "text",
        {"items": 3},
        [None],
        [3],
        [{}],
        [{"metadata": None}],
        [{"metadata": {"name": 3, "labels": [], "annotations": "x", "managedFields": 1, "ownerReferences": [2]}}],
        [{"metadata": {"name": "a"}, "spec": [], "status": "x", "data": 3, "webhooks": {}, "endpoints": 1}],
    ],
)
def test_broken_objects_are_told_or_left_out(plural, broken):
    cluster = read(**{plural: broken})
    assert all(one.endswith(".") for one in cluster.malformed)


def test_each_wrong_field_has_one_clear_sentence():
    cluster = read(
        ippools=[obj("p", {"cidr": 3, "natOutgoing": "maybe", "blockSize": "x", "allowedUses": "Workload"})],
        nodes=[{"metadata": {"name": "n"}, "status": {"conditions": {}, "addresses": [3]}}],
    )
    assert set(cluster.malformed) == {
        "Node n: status.conditions is an object, not a list.",
        "Node n: status.addresses[0] is a number, not an object.",
        "IPPool p: spec.cidr is 3, which is no range of addresses.",
        "IPPool p: spec.natOutgoing is text, not true or false.",
        "IPPool p: spec.blockSize is text, not a whole number.",
        "IPPool p: spec.allowedUses is text, not a list.",
    }


def test_sentences_are_bounded():
    told = read(ippools=[obj(f"p{number}", {"cidr": number}) for number in range(1000)]).malformed
    assert len(told) == MOST_COMPLAINTS + 1
    assert told[-1] == "800 more fields or objects could not be understood."


@pytest.mark.parametrize(
    "name", ["a", "a.b-c", "xn--bcher-kva.example", "1", "a" * 253, "node-1.eu-west.compute.internal"]
)
def test_names_with_every_legal_character(name):
    cluster = read(nodes=[{"metadata": {"name": name}}], bgpconfigurations=[obj(f"node.{name}")])
    assert set(cluster.nodes) == {name}
    assert set(cluster.bgp_configurations) == {f"node.{name}"}
    assert cluster.malformed == ()


def test_what_a_terminal_would_obey_is_shown_instead():
    cluster = read(nodes=[{"metadata": {"name": "a\x1b[31m"}, "spec": {"providerID": "\x1b]0;x\x07"}}])
    assert "\x1b" not in repr(cluster.nodes).replace("\\x1b", "")
    assert list(cluster.nodes) == ["a\\x1b[31m"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
NAMES = st.sampled_from(
    (
        *("metadata", "spec", "status", "name", "namespace", "labels", "annotations", "cidr", "ipipMode", "peerIP"),
        *("asNumber", "password", "secretKeyRef", "containers", "template", "env", "valueFrom", "conditions", "type"),
        *("webhooks", "rules", "operations", "clientConfig", "data", "calicoNetwork", "ipPools", "bgp", "addresses"),
        *("projectcalico.org/metadata", "ownerReferences", "managedFields", "items", "apiVersion", "kind", "computed"),
    )
)
SHAPED = st.recursive(
    JSON | st.just("default") | st.sampled_from(string.ascii_lowercase),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=30,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(PLURALS), SHAPED | st.lists(SHAPED, max_size=3), max_size=6))
def test_nothing_raises_whatever_the_objects_are(found):
    cluster = objects.read({"reached": True, "objects": found})
    assert all(isinstance(one, str) for one in cluster.malformed)
    flavour.summary(flavour.flavour(cluster, {}))
    for setting in SETTINGS:
        owners.owner_of(cluster, setting)


@settings(max_examples=100, deadline=None)
@given(SHAPED)
def test_nothing_raises_whatever_the_fact_is(fact):
    objects.read(fact)


def test_a_thousand_nodes_and_pods_are_read_in_little_time():
    nodes = [
        {
            "metadata": {
                "name": f"node-{number}",
                "labels": {f"label-{one}": "value" for one in range(15)},
                "annotations": {"projectcalico.org/IPv4Address": f"10.0.{number // 250}.{number % 250 + 1}/24"},
                "creationTimestamp": "2026-01-01T00:00:00Z",
            },
            "status": {
                "addresses": [{"type": "InternalIP", "address": f"10.0.{number // 250}.{number % 250 + 1}"}],
                "conditions": [
                    {"type": kind, "status": "False", "lastTransitionTime": "2026-01-01T00:00:00Z"}
                    for kind in ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")
                ],
            },
        }
        for number in range(1000)
    ]
    pods = [
        {
            "metadata": {
                "name": f"calico-node-{number}",
                "namespace": "kube-system",
                "labels": {"k8s-app": "calico-node"},
            },
            "spec": {"nodeName": f"node-{number}", "containers": [{"name": "calico-node", "image": "node:v3.29.1"}]},
            "status": {
                "phase": "Running",
                "containerStatuses": [
                    {"name": name, "ready": True, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}
                    for name in ("calico-node", "other")
                ],
            },
        }
        for number in range(1000)
    ]
    start = time.process_time()
    cluster = read(nodes=nodes, pods=pods)
    used = time.process_time() - start
    assert (len(cluster.nodes), len(cluster.pods), cluster.malformed) == (1000, 1000, ())
    assert used < 10  # 0.2 s where nothing else runs; work that grows with the square takes minutes
