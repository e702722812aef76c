# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's workloads are found by what they run, whoever installed them under whatever name."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._cluster import calico_pods, find

MANIFESTS = pathlib.Path(__file__).parents[6] / "shared" / "calico" / "manifests"


def workload(*containers, labels=None, **more):
    spec = {"containers": [dict(zip(("name", "image"), one)) for one in containers], **more}
    return {"kind": "DaemonSet", "spec": {"template": {"metadata": {"labels": labels or {}}, "spec": spec}}}


@pytest.mark.parametrize(
    ("containers", "labels", "component"),
    [
        ([("calico-node", "docker.io/calico/node:v3.28.1")], {}, "calico-node"),
        ([("agent", "quay.io/calico/node@sha256:abc")], {}, "calico-node"),
        ([("agent", "registry:5000/mirror/calico/node:v3.28.1")], {}, "calico-node"),
        ([("agent", "rancher/mirrored-calico-node:v3.28.1")], {}, "calico-node"),
        (
            [
                ("calico-node", "rancher/hardened-calico:v3.28.1-build1"),
                ("kube-flannel", "rancher/hardened-flannel:v1"),
            ],
            {},
            "canal",
        ),
        ([("felix", "calico/node-windows:v3.28.1")], {}, "calico-node-windows"),
        ([("node", "calico/node:v3.28.1")], {"k8s-app": "calico-node-windows"}, "calico-node-windows"),
        ([("calico-typha", "x/y:1")], {}, "typha"),
        ([("x", "quay.io/calico/kube-controllers:v3")], {}, "kube-controllers"),
        ([("tigera-operator", "quay.io/tigera/operator:v1")], {}, "operator"),
        ([("calico-apiserver", "calico/apiserver:v3")], {}, "apiserver"),
        ([("kube-flannel", "flannel/flannel:v0.25.1")], {}, "flannel"),
        ([("kube-proxy", "registry.k8s.io/kube-proxy:v1.29.3")], {}, "kube-proxy"),
        ([("kube-rbac-proxy", "quay.io/brancz/kube-rbac-proxy:v1")], {}, ""),
        ([("nginx", "nginx:1")], {"k8s-app": "calico-node"}, ""),
        ([], {}, ""),
    ],
)
def test_components(containers, labels, component):
    assert find.component(workload(*containers, labels=labels)) == component


def test_by_variables_where_names_and_images_are_others():
    found = workload()
    found["spec"]["template"]["spec"]["containers"] = [
        {"name": "net", "image": "corp/net:7", "env": [{"name": "CALICO_NETWORKING_BACKEND", "value": "bird"}]}
    ]
    assert find.component(found) == "calico-node"


@pytest.mark.parametrize(
    "wrong", [None, 5, [], {}, {"spec": []}, {"spec": {"template": {"spec": {"containers": [None, {}]}}}}]
)
def test_objects_of_any_shape(wrong):
    assert find.component(wrong) == ""
    assert find.selector(wrong) == ""


def test_selectors():
    chosen = {
        "matchLabels": {"k8s-app": "calico-node"},
        "matchExpressions": [
            {"key": "a", "operator": "In", "values": ["x", "y"]},
            {"key": "b", "operator": "NotIn", "values": ["z"]},
            {"key": "c", "operator": "Exists"},
            {"key": "d", "operator": "DoesNotExist"},
            {"key": "e", "operator": "Other"},
        ],
    }
    assert find.selector({"spec": {"selector": chosen}}) == "k8s-app=calico-node,a in (x,y),b notin (z),c,!d"


def test_services_of_typha():
    agent = workload(("calico-node", "calico/node:v3"))
    agent["metadata"] = {"namespace": "n", "name": "calico-node"}
    variable = {"name": "FELIX_TYPHAK8SSERVICENAME"}
    agent["spec"]["template"]["spec"]["containers"][0]["env"] = [variable]
    maps = [{"data": {"typha_service_name": "my-typha"}}]
    assert calico_pods.typha_services(calico_pods.workloads([agent]), maps) == [("n", "my-typha")]
    variable["value"] = "none"
    assert calico_pods.typha_services(calico_pods.workloads([agent]), maps) == []


@pytest.mark.skipif(not MANIFESTS.is_dir(), reason="Calico's published manifests are not at hand")
@pytest.mark.parametrize(
    ("manifest", "components"),
    [
        ("calico.yaml", {"calico-node", "kube-controllers"}),
        ("calico-typha.yaml", {"calico-node", "kube-controllers", "typha"}),
        ("calico-vxlan.yaml", {"calico-node", "kube-controllers"}),
        ("calico-policy-only.yaml", {"calico-node", "typha"}),
        ("canal.yaml", {"canal", "kube-controllers"}),
        ("tigera-operator.yaml", {"operator"}),
    ],
)
def test_published_manifests(manifest, components):
    yaml = pytest.importorskip("yaml")
    documents = yaml.safe_load_all((MANIFESTS / manifest).read_text(encoding="utf-8"))
    found = {find.component(one) for one in documents if one and one["kind"] in ("DaemonSet", "Deployment")}
    assert components <= found
    assert "" not in found
