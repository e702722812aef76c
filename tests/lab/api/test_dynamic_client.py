# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The `kubernetes` client: its dynamic client, which finds out what there is, and its typed one."""

from __future__ import annotations

import json
import threading

import pytest
from kubernetes import client, config, dynamic, watch
from kubernetes.dynamic import exceptions


@pytest.fixture
def connection(cluster):
    return config.new_client_from_config(cluster.kubeconfig)


@pytest.fixture
def api(connection, tmp_path):
    return dynamic.DynamicClient(connection, cache_file=str(tmp_path / "cache"))


def test_discovery(api):
    found = api.resources.get(api_version="apps/v1", kind="DaemonSet")
    assert (found.name, found.namespaced, found.short_names) == ("daemonsets", True, ["ds"])
    assert "status" in found.subresources
    assert api.resources.get(api_version="crd.projectcalico.org/v1", kind="IPPool").name == "ippools"
    with pytest.raises(exceptions.ResourceNotFoundError):
        api.resources.get(api_version="projectcalico.org/v3", kind="IPPool")


def test_get_and_list(api):
    nodes = api.resources.get(api_version="v1", kind="Node")
    assert [each.metadata.name for each in nodes.get().items] == ["node-1", "node-2", "node-3"]
    assert nodes.get().items[0].kind == "Node"
    assert nodes.get(name="node-1").status.nodeInfo.osImage == "Debian 12"
    pods = api.resources.get(api_version="v1", kind="Pod")
    assert len(pods.get(namespace="kube-system", label_selector="k8s-app=calico-node").items) == 3
    assert len(pods.get(field_selector="spec.nodeName=node-2").items) == 2
    with pytest.raises(exceptions.NotFoundError):
        nodes.get(name="nothing")


def test_pages(api, cluster):
    pods = api.resources.get(api_version="v1", kind="Pod")
    first = pods.get(limit=3)
    assert len(first.items) == 3
    assert first.metadata.remainingItemCount == 1
    cluster.store.delete(cluster.store.kinds.find("pods"), "kube-system", "typha-1-x", grace_seconds=0)
    token = first.metadata["continue"]
    rest = pods.get(limit=3, _continue=token)
    assert [each.metadata.name for each in rest.items] == ["typha-1-x"]  # the list is as it was
    assert rest.metadata.resourceVersion == first.metadata.resourceVersion
    cluster.daemon.api.forget()
    with pytest.raises(exceptions.GoneError) as gone:
        pods.get(limit=3, _continue=token)
    assert "continue parameter is too old" in gone.value.summary()


def test_writing(api):
    maps = api.resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "x-"}, "data": {"a": "1"}}
    made = maps.create(namespace="default", body=body)
    name = made.metadata.name
    assert name.startswith("x-")
    assert len(name) == 7
    for kind, change in (
        ("application/merge-patch+json", {"data": {"b": "2"}}),
        ("application/strategic-merge-patch+json", {"data": {"c": "3"}}),
        ("application/json-patch+json", [{"op": "remove", "path": "/data/a"}]),
    ):
        patched = maps.patch(namespace="default", name=name, body=change, content_type=kind)
    assert patched.data.to_dict() == {"b": "2", "c": "3"}
    old = made.to_dict()
    with pytest.raises(exceptions.ConflictError) as refused:
        maps.replace(namespace="default", body=old)
    assert "the object has been modified" in refused.value.summary()
    old["metadata"].pop("resourceVersion")
    assert maps.replace(namespace="default", body=old).data.to_dict() == {"a": "1"}
    applied = maps.server_side_apply(
        namespace="default",
        name=name,
        body={"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"d": "4"}},
        field_manager="me",
    )
    assert applied.data.to_dict() == {"a": "1", "d": "4"}
    assert {each.manager for each in applied.metadata.managedFields} >= {"me"}
    assert maps.delete(namespace="default", name=name).status == "Success"


def test_watch(api, cluster):
    nodes = api.resources.get(api_version="v1", kind="Node")
    version = nodes.get().metadata.resourceVersion
    kind = cluster.store.kinds.find("nodes")

    def change() -> None:
        cluster.store.mutate(kind, "", "node-1", lambda obj: obj["spec"].update(unschedulable=True))
        cluster.store.delete(kind, "", "node-3")

    threading.Timer(0.2, change).start()
    seen = [
        (event["type"], event["object"].metadata.name) for event in nodes.watch(resource_version=version, timeout=2)
    ]
    assert seen == [("MODIFIED", "node-1"), ("DELETED", "node-3")]


def test_watch_from_the_beginning_and_from_too_long_ago(connection, cluster):
    core = client.CoreV1Api(connection)
    events = watch.Watch().stream(core.list_node, timeout_seconds=1)
    assert [event["object"].metadata.name for event in events] == ["node-1", "node-2", "node-3"]
    cluster.daemon.api.forget()
    with pytest.raises(client.ApiException, match="Expired: too old resource version"):
        list(watch.Watch().stream(core.list_node, timeout_seconds=1, resource_version="1001"))


def test_watches_that_are_dropped(connection, cluster):
    core = client.CoreV1Api(connection)
    cluster.daemon.api.disturbances.set([{"what": "drop_watch", "after_events": 2, "count": 1}])
    reply = core.list_node(watch=True, timeout_seconds=5, _preload_content=False)
    assert len(reply.data.splitlines()) in (2, 3)


def test_many_watches_at_once(connection, cluster):
    core = client.CoreV1Api(connection)
    version = core.list_namespace().metadata.resource_version
    found = []

    def follow() -> None:
        events = watch.Watch().stream(core.list_namespace, resource_version=version, timeout_seconds=3)
        found.extend(event["object"].metadata.name for event in events)

    threads = [threading.Thread(target=follow) for _number in range(4)]
    for thread in threads:
        thread.start()
    core.create_namespace({"metadata": {"name": "seen"}})
    for thread in threads:
        thread.join()
    assert found == ["seen"] * 4


def test_typed_client(connection):
    apps, core = client.AppsV1Api(connection), client.CoreV1Api(connection)
    assert apps.list_daemon_set_for_all_namespaces().items[0].spec.update_strategy.type == "RollingUpdate"
    assert core.read_node("node-1").status.node_info.kubelet_version == "v1.29.3"
    assert client.VersionApi(connection).get_code().git_version.startswith("v1.29.3+")
    review = client.V1SelfSubjectAccessReview(
        spec=client.V1SelfSubjectAccessReviewSpec(
            resource_attributes=client.V1ResourceAttributes(verb="list", resource="nodes")
        )
    )
    assert client.AuthorizationV1Api(connection).create_self_subject_access_review(review).status.allowed
    eviction = client.V1Eviction(metadata=client.V1ObjectMeta(name="typha-1-x", namespace="kube-system"))
    core.create_namespaced_pod_eviction("typha-1-x", "kube-system", eviction)


def test_only_metadata(cluster):
    accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
    found = json.loads(cluster.fetch("/api/v1/pods", Accept=accept))
    assert found["kind"] == "PartialObjectMetadataList"
    assert {each["kind"] for each in found["items"]} == {"PartialObjectMetadata"}
    assert all("spec" not in each for each in found["items"])


def test_wrong_credentials(cluster, tmp_path):
    path = tmp_path / "kubeconfig"
    text = (cluster.directory / "kubeconfig").read_text()
    path.write_text(text.replace("token: ", "token: not-"))
    with pytest.raises(client.ApiException) as refused:
        client.CoreV1Api(config.new_client_from_config(str(path))).list_node()
    assert refused.value.status == 401
    theirs = config.new_client_from_config(str(cluster.directory / "kubeconfig-netmedic"))
    with pytest.raises(client.ApiException) as refused:
        client.CoreV1Api(theirs).list_secret_for_all_namespaces()
    assert refused.value.status == 403
