# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is changed through the lab's API, the live sessions follow; what happens on the machines, the API tells."""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from lab import birdc, waiting
from lab.api_client import CALICO, ApiError
from lab.bird_config import CONFIG_DIRECTORY
from lab.services import CONTAINER_ROOT, SOCKETS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab import Lab

SYSTEM = "/api/v1/namespaces/kube-system"
DAEMONSET = "/apis/apps/v1/namespaces/kube-system/daemonsets/calico-node"
RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system"
DEFAULT = f"{CALICO}/bgpconfigurations/default"
PODS = f"{SYSTEM}/pods?labelSelector=k8s-app%3Dcalico-node"


def configuration(lab: Lab, node: str, name: str = "bird.cfg") -> str:
    return lab.machine(node).file(f"{CONTAINER_ROOT}{CONFIG_DIRECTORY}/{name}").read_text(encoding="utf-8")


def sessions(lab: Lab, node: str, family: str = "ipv4") -> dict[str, birdc.Session]:
    try:
        return birdc.sessions(lab.machine(node), SOCKETS[family])
    except birdc.BirdError:
        return {}


def until(condition, what: str, limit: float = 60) -> None:
    waiting.until(lambda: "" if condition() else "not yet", what, limit)


@contextmanager
def made(lab: Lab, path: str, obj: dict) -> Iterator[None]:
    """An object that is there for the time being; the cluster is well again afterwards."""
    lab.api().create(path, obj)
    try:
        yield
    finally:
        lab.api().delete(f"{path}/{obj['metadata']['name']}")


@contextmanager
def bgp(lab: Lab, **spec) -> Iterator[None]:
    obj = {"apiVersion": "crd.projectcalico.org/v1", "kind": "BGPConfiguration", "metadata": {"name": "default"}}
    with made(lab, f"{CALICO}/bgpconfigurations", {**obj, "spec": spec}):
        yield


def pods(lab: Lab) -> dict[str, dict]:
    """The living calico-node pods by node."""
    found = lab.api().get(PODS)["items"]
    return {each["spec"]["nodeName"]: each for each in found if "deletionTimestamp" not in each["metadata"]}


def is_true(obj: dict, kind: str) -> bool:
    return any(each["type"] == kind and each["status"] == "True" for each in obj["status"].get("conditions", []))


def rolled_out(lab: Lab) -> bool:
    """What `kubectl rollout status` waits for."""
    found = lab.api().get(DAEMONSET)
    status = found["status"]
    wanted = status["desiredNumberScheduled"]
    current = status["observedGeneration"] == found["metadata"]["generation"]
    return current and status["updatedNumberScheduled"] == status.get("numberAvailable", 0) == wanted


def set_variables(lab: Lab, **variables: str) -> None:
    """`kubectl set env`; an empty value takes a variable away."""
    container = lab.api().get(DAEMONSET)["spec"]["template"]["spec"]["containers"][0]
    kept = [each for each in container["env"] if each["name"] not in variables]
    new = [{"name": name, "value": value} for name, value in variables.items() if value]
    lab.api().patch(
        DAEMONSET,
        [{"op": "replace", "path": "/spec/template/spec/containers/0/env", "value": [*kept, *new]}],
        "json",
    )


def events(lab: Lab, reason: str) -> list[dict]:
    return [each for each in lab.api().get(f"{SYSTEM}/events")["items"] if each["reason"] == reason]


def test_the_api_knows_the_cluster(lab):
    nodes = lab.api().get("/api/v1/nodes")["items"]
    assert {each["metadata"]["name"]: each["status"]["addresses"][0]["address"] for each in nodes} == {
        node.name: node.address for node in lab.nodes
    }
    assert all(is_true(each, "Ready") for each in nodes)
    assert pods(lab).keys() == {node.name for node in lab.nodes}
    assert rolled_out(lab)


def test_the_as_number_of_the_cluster_and_of_a_node(lab):
    with bgp(lab, asNumber=64600):
        until(lambda: "local as 64600" in configuration(lab, "node-1"), "the new AS")
        lab.wait_ready()
    lab.api().patch("/api/v1/nodes/node-3", {"metadata": {"annotations": {"projectcalico.org/ASNumber": "64777"}}})
    until(lambda: "neighbor 10.200.0.11 as 64777" in configuration(lab, "node-1"), "the node's AS")
    lab.wait_ready()
    lab.api().patch("/api/v1/nodes/node-3", {"metadata": {"annotations": {"projectcalico.org/ASNumber": None}}})
    until(lambda: "64777" not in configuration(lab, "node-1"), "the old AS")
    lab.wait_ready()


def test_the_mesh_goes_and_comes(lab):
    with bgp(lab, nodeToNodeMeshEnabled=False):
        until(lambda: not any(sessions(lab, node.name) for node in lab.nodes), "the mesh to go")
        assert "the mesh is empty" in configuration(lab, "node-1")
    until(lambda: len(sessions(lab, "node-1")) == 3, "the mesh to come")
    lab.wait_ready()


def test_a_bgp_peer_comes_and_goes(lab):
    peer = {
        "apiVersion": "crd.projectcalico.org/v1",
        "kind": "BGPPeer",
        "metadata": {"name": "elsewhere"},
        "spec": {
            "nodeSelector": "kubernetes.io/hostname == 'node-2'",
            "peerIP": "10.200.0.254:1790",
            "asNumber": 64700,
        },
    }
    with made(lab, f"{CALICO}/bgppeers", peer):
        until(lambda: "Node_10_200_0_254_port_1790" in sessions(lab, "node-2"), "the peer")
        assert "10_200_0_254" not in configuration(lab, "node-1")
    until(lambda: "Node_10_200_0_254_port_1790" not in sessions(lab, "node-2"), "the peer to go")


def test_a_password_needs_a_secret_and_the_right_to_read_it(lab):
    encoded = base64.b64encode(b"from-a-secret").decode()
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "bgp"}, "data": {"mesh": encoded}}
    names = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["bgp"], "verbs": ["get", "list", "watch"]}
    group = "rbac.authorization.k8s.io"
    role = {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": {"name": "bgp"}, "rules": [names]}
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "bgp"},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "bgp"},
        "subjects": [{"kind": "ServiceAccount", "name": "calico-node", "namespace": "kube-system"}],
    }
    reference = {"secretKeyRef": {"name": "bgp", "key": "mesh"}}

    def log() -> str:
        return lab.exec("node-1", ["cat", "/var/log/calico/confd/current"]).stdout

    with made(lab, f"{SYSTEM}/secrets", secret), bgp(lab, nodeMeshPassword=reference):
        until(lambda: "Can't read password" in log(), "confd's warning")
        assert "password" not in configuration(lab, "node-1")
        with made(lab, f"{RBAC}/roles", role), made(lab, f"{RBAC}/rolebindings", binding):
            until(lambda: configuration(lab, "node-1").count('password "from-a-secret"') == 3, "the password")
            lab.wait_ready()
        until(lambda: "from-a-secret" not in configuration(lab, "node-1"), "the password to go")
    lab.wait_ready()


def test_pools(lab):
    path = f"{CALICO}/ippools/default-ipv4-ippool"
    assert "net ~ 10.244.0.0/16 ) then { reject; }" not in configuration(lab, "node-1", "bird_ipam.cfg")
    lab.api().patch(path, {"spec": {"disableBGPExport": True}})
    try:
        refused = "net ~ 10.244.0.0/16 ) then { reject; }"
        until(lambda: refused in configuration(lab, "node-1", "bird_ipam.cfg"), "the pool to be kept back")
        routes = ["ip", "route", "show", "proto", "bird"]
        until(
            lambda: "10.244." not in lab.exec("node-1", routes).stdout.replace("blackhole 10.244.1.0", ""), "the routes"
        )
    finally:
        lab.api().patch(path, {"spec": {"disableBGPExport": False}})
    until(lambda: "10.244.4.0/26 via" in lab.exec("node-1", ["ip", "route"]).stdout, "the routes to come back")
    lab.wait_ready()


def test_a_roll_restarts_bird_on_one_node_after_the_other(lab):
    def birds() -> dict[str, str]:
        return {node.name: lab.exec(node.name, ["pidof", "bird"]).stdout.strip() for node in lab.nodes}

    before, old = birds(), {name: pod["metadata"]["name"] for name, pod in pods(lab).items()}
    annotation = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
    patch = {"spec": {"template": {"metadata": {"annotations": annotation}}}}
    most_missing = 0
    lab.api().patch(DAEMONSET, patch, "strategic-merge")

    def rolled() -> bool:
        nonlocal most_missing
        most_missing = max(most_missing, len(lab.nodes) - sum(is_true(pod, "Ready") for pod in pods(lab).values()))
        return rolled_out(lab)

    until(rolled, "the roll", 120)
    assert all(before[name] != now for name, now in birds().items())
    assert all(old[name] != pod["metadata"]["name"] for name, pod in pods(lab).items())
    assert most_missing == 1
    lab.wait_ready()


def test_a_pod_that_is_deleted_comes_again(lab):
    old = pods(lab)["node-2"]["metadata"]["name"]
    lab.api().delete(f"{SYSTEM}/pods/{old}")
    until(lambda: "node-2" in pods(lab) and is_true(pods(lab)["node-2"], "Ready"), "the new pod")
    assert pods(lab)["node-2"]["metadata"]["name"] != old
    lab.wait_ready()


def test_autodetection_takes_another_address_at_the_next_start(lab):
    lab.exec("node-2", ["ip", "address", "add", "10.200.0.77/24", "dev", "eth0"], check=True)
    try:
        set_variables(lab, IP_AUTODETECTION_METHOD="cidr=10.200.0.77/32,10.200.0.0/26")
        lab.exec("node-2", ["true"])
        until(lambda: rolled_out(lab), "the roll", 120)
        found = lab.api().get("/api/v1/nodes/node-2")["metadata"]["annotations"]["projectcalico.org/IPv4Address"]
        assert found in ("10.200.0.10/24", "10.200.0.77/24")
        set_variables(lab, IP_AUTODETECTION_METHOD="cidr=10.200.0.77/32")
        until(lambda: any("CrashLoopBackOff" in json.dumps(pod["status"]) for pod in pods(lab).values()), "a crash", 60)
        crashed = next(pod for pod in pods(lab).values() if "CrashLoopBackOff" in json.dumps(pod["status"]))
        words = lab.exec(crashed["spec"]["nodeName"], ["sh", "-c", "cat /var/log/pods/*calico-node*/calico-node/*.log"])
        assert "Couldn't autodetect an IPv4 address" in words.stdout
        assert events(lab, "BackOff")
    finally:
        lab.exec("node-2", ["ip", "address", "del", "10.200.0.77/24", "dev", "eth0"])
        set_variables(lab, IP_AUTODETECTION_METHOD="")
        until(lambda: rolled_out(lab), "the cluster to be well again", 120)
    lab.wait_ready()


def test_without_networking_there_is_no_bird(lab):
    """With the probe that asks for BIRD the roll gets stuck at its first node, as it does in a real cluster."""
    path = f"{SYSTEM}/configmaps/calico-config"

    def roll(mark: str, *flags: str) -> None:
        probe = {"name": "calico-node", "readinessProbe": {"exec": {"command": ["/bin/calico-node", *flags]}}}
        template = {"metadata": {"annotations": {"again": mark}}, "spec": {"containers": [probe]}}
        lab.api().patch(DAEMONSET, {"spec": {"template": template}}, "strategic-merge")

    def without_bird() -> list[str]:
        return [node.name for node in lab.nodes if not sessions(lab, node.name)]

    lab.api().patch(path, {"data": {"calico_backend": "none"}})
    try:
        roll("stuck", "-felix-ready", "-bird-ready")
        until(lambda: len(without_bird()) == 1, "the first BIRD to end")
        assert lab.exec(without_bird()[0], ["pidof", "bird"]).returncode != 0
        roll("none", "-felix-ready")
        until(lambda: rolled_out(lab), "the roll", 120)
        assert without_bird() == [node.name for node in lab.nodes]
        lab.wait_ready()
    finally:
        lab.api().patch(path, {"data": {"calico_backend": "bird"}})
        roll("bird", "-felix-ready", "-bird-ready")
        # The first BIRD would wait for others, and the roll for the first: this too is so in a real cluster.
        for pod in pods(lab).values():
            with suppress(ApiError):  # the roll may have been quicker
                lab.api().delete(f"{SYSTEM}/pods/{pod['metadata']['name']}")
        until(lambda: rolled_out(lab), "the cluster to be well again", 120)
    lab.wait_ready()


def test_a_webhook_in_the_way_keeps_new_pods_back(lab):
    rule = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
    webhook = {
        "name": "pods.gone.example",
        "rules": [rule],
        "failurePolicy": "Fail",
        "clientConfig": {"service": {"namespace": "default", "name": "gone", "path": "/"}},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
    }
    group = "admissionregistration.k8s.io/v1"
    obj = {
        "apiVersion": group,
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "gone"},
        "webhooks": [webhook],
    }
    with made(lab, f"/apis/{group}/validatingwebhookconfigurations", obj):
        lab.api().delete(f"{SYSTEM}/pods/{pods(lab)['node-4']['metadata']['name']}")
        until(lambda: events(lab, "FailedCreate"), "the event")
        assert 'failed calling webhook "pods.gone.example"' in events(lab, "FailedCreate")[0]["message"]
        assert "node-4" not in pods(lab)
    until(lambda: "node-4" in pods(lab), "the pod")
    lab.wait_ready()


def test_a_node_whose_kubelet_is_silent(lab):
    lab.stop_kubelet("node-3")
    try:
        until(lambda: not is_true(lab.api().get("/api/v1/nodes/node-3"), "Ready"), "the node to be lost")
        found = lab.api().get("/api/v1/nodes/node-3")
        ready = next(each for each in found["status"]["conditions"] if each["type"] == "Ready")
        assert (ready["status"], ready["reason"]) == ("Unknown", "NodeStatusUnknown")
        until(lambda: "taints" in lab.api().get("/api/v1/nodes/node-3")["spec"], "the taints")
        assert len(sessions(lab, "node-3")) == 3, "BIRD does not mind"
    finally:
        lab.start_kubelet("node-3")
    until(lambda: is_true(lab.api().get("/api/v1/nodes/node-3"), "Ready"), "the node to come back")
    until(lambda: rolled_out(lab), "its pod to be ready")


def test_a_bird_that_is_stopped_makes_its_pod_unready(lab):
    lab.make("bird_not_running", "node-2")
    until(lambda: not is_true(pods(lab)["node-2"], "Ready"), "the pod to be unready")
    assert any("Readiness probe failed" in each["message"] for each in events(lab, "Unhealthy"))
    lab.heal()
    until(lambda: is_true(pods(lab)["node-2"], "Ready"), "the pod to be ready")


def test_a_machine_that_is_off_and_on_again(lab):
    lab.make("peer_node_down", "node-2")
    until(lambda: not is_true(lab.api().get("/api/v1/nodes/node-2"), "Ready"), "the node to be lost")
    lab.heal()
    until(lambda: is_true(lab.api().get("/api/v1/nodes/node-2"), "Ready"), "the node to come back")
    until(lambda: rolled_out(lab), "its pod to be ready")


def test_a_fault_and_the_api_at_once(lab):
    """What a fault lays over the objects stays when the objects change."""
    lab.make("as_mismatch", "node-2", "own")
    with bgp(lab, asNumber=64600):
        until(lambda: "local as 64600" in configuration(lab, "node-1"), "the new AS")
        assert "local as 64999" in configuration(lab, "node-2")
    lab.heal()


@pytest.mark.parametrize("topology", ["route_reflectors"])
def test_a_reflector_less(lab, topology):
    path = "/api/v1/nodes/node-2"
    cluster_id, label = "projectcalico.org/RouteReflectorClusterID", "route-reflector"
    metadata = lab.api().get(path)["metadata"]
    lab.api().patch(path, {"metadata": {"annotations": {cluster_id: None}, "labels": {label: None}}})
    until(lambda: list(sessions(lab, "node-3")) == ["Node_10_200_0_9"], "one reflector")
    lab.wait_ready()
    again = {"annotations": {cluster_id: metadata["annotations"][cluster_id]}, "labels": {label: "true"}}
    lab.api().patch(path, {"metadata": again})
    until(lambda: len(sessions(lab, "node-3")) == 2, "two reflectors")
    lab.wait_ready()


@pytest.mark.parametrize("topology", ["external_router"])
def test_a_router_outside_the_cluster(lab, topology):
    assert "Global_10_200_0_254" in sessions(lab, "node-1")
    assert "203.0.113.0/24 via 10.200.0.254" in lab.exec("node-1", ["ip", "route"]).stdout


@pytest.mark.parametrize("topology", ["dual_stack"])
def test_two_families(lab, topology):
    assert [each.settled for each in sessions(lab, "node-1", "ipv6").values()] == [True] * 3
    assert "fd00:10:244::200/122" in lab.exec("node-1", ["ip", "-6", "route"]).stdout


def test_the_shipped_rbac_allows_no_change(lab):
    with pytest.raises(ApiError) as refused:
        lab.api("netmedic").patch("/api/v1/nodes/node-1", {"metadata": {"labels": {"x": "y"}}})
    assert refused.value.code == 403
