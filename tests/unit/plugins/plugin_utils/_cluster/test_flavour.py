# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kind of cluster it is: on Calico's own manifests, and on the shapes that installers give it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster import (
    flavour,
    from_bundle,
    installers,
    objects,
    programmers,
    versions,
)

SHAPES = Path(__file__).parent / "shapes"
# Calico's manifests as released; not part of the project, so users do not have them.
MANIFESTS = Path(__file__).resolve().parents[6] / "shared" / "calico" / "manifests"


def cluster_of(text: str, environment: str = ""):
    return objects.read(from_bundle.fact({"cluster/objects.yaml": text}, environment))


def shape(name: str):
    return cluster_of((SHAPES / name / "cluster" / "objects.txt").read_text(encoding="utf-8"))


def agent(backend=None, name="calico-node", namespace="kube-system", image="calico/node:v3.29.1", **variables):
    if backend is not None:
        variables["CALICO_NETWORKING_BACKEND"] = backend
    env = [{"name": key, "value": value} for key, value in variables.items()]
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"template": {"spec": {"containers": [{"name": "calico-node", "image": image, "env": env}]}}},
    }


def found(nodes=None, **kinds):
    told = {"reached": True, "via": "kubectl", "group": "crd.projectcalico.org/v1", "objects": kinds}
    return flavour.flavour(objects.read(told), nodes or {})


def named(name, spec=None, **metadata):
    return {"metadata": {"name": name, **metadata}, "spec": spec or {}}


def pod(name, node, image):
    return {
        "metadata": {"name": name, "namespace": "kube-system"},
        "spec": {"nodeName": node, "containers": [{"name": "calico-node", "image": image}]},
    }


# --- manifests and installers ---


@pytest.mark.parametrize(
    ("manifest", "backend", "expected", "kind", "installer"),
    [
        ("calico", "bird", True, "calico", "manifest"),
        ("calico-typha", "bird", True, "calico", "manifest"),
        ("calico-vxlan", "vxlan", False, "calico", "manifest"),
        ("calico-policy-only", "none", False, "policy-only", "manifest"),
        ("canal", "none", False, "canal", "manifest"),
        ("custom-resources", "bird", True, "calico", "operator"),
        ("tigera-operator", "unknown", None, "unknown", "operator"),
    ],
)
def test_calicos_own_manifests(manifest, backend, expected, kind, installer):
    path = MANIFESTS / f"{manifest}.yaml"
    if not path.is_file():
        pytest.skip("Calico's manifests are not at hand")
    cluster = cluster_of(path.read_text(encoding="utf-8"))
    told = flavour.flavour(cluster, {})
    assert (told.backend, told.bgp_expected, told.kind, told.installer) == (backend, expected, kind, installer)
    assert cluster.malformed == ()


def test_all_manifests_that_are_at_hand_are_proven():
    if not MANIFESTS.is_dir():
        pytest.skip("Calico's manifests are not at hand")
    proven = {mark[0] for mark in test_calicos_own_manifests.pytestmark[0].args[1]}
    assert {path.stem for path in MANIFESTS.glob("*.yaml")} == proven


@pytest.mark.parametrize(
    ("name", "backend", "kind", "installer", "distribution", "provider", "encapsulations"),
    [
        ("kubespray", "bird", "calico", "kubespray", "", "", {"default-pool": "ipip"}),
        ("kubespray-defaults", "vxlan", "calico", "kubespray", "", "", {"default-pool": "vxlan"}),
        ("kops", "bird", "calico", "kops", "kops", "", {}),
        ("microk8s", "vxlan", "calico", "microk8s", "microk8s", "", {}),
        ("rke2-canal", "none", "canal", "rke2", "rke2", "", {}),
        ("rke2-calico", "vxlan", "calico", "rke2", "rke2", "", {"10.42.0.0/16": "vxlan"}),
        ("helm", "bird", "calico", "helm", "", "", {}),
        ("operator", "bird", "calico", "operator", "", "", {"default-ipv4-ippool": "vxlan-cross-subnet"}),
        ("k3s-flannel", "none", "flannel", "k3s", "k3s", "", {}),
        ("k3s-calico", "bird", "calico", "manifest", "k3s", "", {}),
        ("iks", "bird", "calico", "iks", "iks", "iks", {}),
        ("roks", "bird", "calico", "roks", "roks", "roks", {"172.30.0.0/16": "ipip-cross-subnet"}),
    ],
)
def test_shapes_of_installers(name, backend, kind, installer, distribution, provider, encapsulations):
    cluster = shape(name)
    told = flavour.flavour(cluster, {})
    assert (told.backend, told.kind, told.installer) == (backend, kind, installer)
    assert (told.distribution, told.provider, told.encapsulations) == (distribution, provider, encapsulations)
    assert told.bgp_expected is (backend == "bird")
    assert told.installer_evidence
    assert bool(told.forbids) is (provider != "")
    assert cluster.malformed == ()


def test_every_shape_names_its_source():
    for folder in SHAPES.iterdir():
        assert (folder / "SOURCE").read_text(encoding="utf-8").strip(), folder.name


# --- backend ---


def test_any_word_but_vxlan_and_none_is_bird():
    assert found(daemonsets=[agent("birdy")]).backend == "bird"
    assert found(daemonsets=[agent()]).backend == "bird"
    assert "bird is the default" in found(daemonsets=[agent()]).why


def test_a_variable_from_a_configmap_that_was_not_read_is_not_known():
    one = agent()
    source = {"configMapKeyRef": {"name": "calico-config", "key": "calico_backend"}}
    one["spec"]["template"]["spec"]["containers"][0]["env"] = [
        {"name": "CALICO_NETWORKING_BACKEND", "valueFrom": source}
    ]
    told = found(daemonsets=[one])
    assert (told.backend, told.bgp_expected) == ("unknown", None)
    config = {"metadata": {"name": "calico-config", "namespace": "kube-system"}, "data": {"calico_backend": "vxlan"}}
    assert found(daemonsets=[one], configmaps=[config]).backend == "vxlan"
    other = {"metadata": {"name": "calico-config", "namespace": "elsewhere"}, "data": {"calico_backend": "none"}}
    assert found(daemonsets=[one], configmaps=[other]).backend == "unknown"


@pytest.mark.parametrize(
    ("spec", "backend", "expected"),
    [
        ({}, "bird", True),
        ({"calicoNetwork": {"bgp": "Enabled"}}, "bird", True),
        ({"calicoNetwork": {"bgp": "Disabled"}}, "vxlan", False),
        (
            {"calicoNetwork": {"bgp": "Disabled"}, "cni": {"type": "Calico", "ipam": {"type": "HostLocal"}}},
            "none",
            False,
        ),
        ({"cni": {"type": "AmazonVPC"}}, "none", False),
        ({"kubernetesProvider": "EKS"}, "vxlan", False),
    ],
)
def test_what_follows_from_the_installation(spec, backend, expected):
    told = found(installations=[named("default", spec)])
    assert (told.backend, told.bgp_expected) == (backend, expected)


def test_what_the_operator_computed_and_the_overlay_go_before_the_installation():
    default, overlay = (
        named("default", {"calicoNetwork": {"bgp": "Enabled"}}),
        named("overlay", {"calicoNetwork": {"bgp": "Disabled"}}),
    )
    assert found(installations=[default, overlay]).backend == "vxlan"
    default["status"] = {"computed": {"calicoNetwork": {"bgp": "Enabled"}}}
    assert found(installations=[default, overlay]).backend == "bird"
    assert found(installations=[named("mine", {"calicoNetwork": {"bgp": "Disabled"}})]).backend == "unknown"


def test_processes_on_nodes_are_believed_before_objects(mesh):
    for name in mesh.facts:
        mesh.facts[name]["calico_node"]["calico"] = {"backend": "vxlan", "version": "v3.30.3"}
    nodes = mesh.evidence().nodes
    told = found(nodes, daemonsets=[agent("bird")])
    assert (told.backend, told.bgp_expected) == ("vxlan", False)
    assert told.version == "v3.30.3"
    assert "4 nodes" in told.why


def test_nodes_that_differ_are_told(mesh):
    for number, name in enumerate(mesh.facts):
        mesh.facts[name]["calico_node"]["calico"] = {
            "backend": "bird" if number else "vxlan",
            "version": f"v3.{28 + number}",
        }
    told = found(mesh.evidence().nodes, daemonsets=[agent("bird")])
    assert told.bgp_expected
    assert "Nodes differ in their backend (bird on 3 nodes, vxlan on 1 node)" in told.why
    assert told.mixed_versions


def test_without_any_object_nodes_alone_tell(mesh):
    told = flavour.flavour(None, mesh.evidence().nodes)
    assert (told.backend, told.bgp_expected, told.kind) == ("bird", True, "calico")
    assert flavour.flavour(None, {}).bgp_expected is None


def test_policy_beside_flannel_of_its_own_is_canal():
    node = {"metadata": {"name": "n", "annotations": {"flannel.alpha.coreos.com/public-ip": "10.0.0.1"}}}
    assert found(daemonsets=[agent("none")]).kind == "policy-only"
    told = flavour.flavour(
        objects.read({"reached": True, "objects": {"nodes": [node], "daemonsets": [agent("none")]}}), {}
    )
    assert told.kind == "canal"
    assert "flannel carries the traffic" in told.why


# --- data plane ---


@pytest.mark.parametrize(
    ("spec", "variables", "dataplane"),
    [
        ({}, {}, "iptables"),
        ({"bpfEnabled": True}, {}, "bpf"),
        ({"bpfEnabled": True}, {"FELIX_BPFENABLED": "false"}, "iptables"),
        ({}, {"FELIX_BPFENABLED": "true"}, "bpf"),
        ({"nftablesMode": "Enabled"}, {}, "nftables"),
    ],
)
def test_the_data_plane(spec, variables, dataplane):
    told = found(daemonsets=[agent("bird", **variables)], felixconfigurations=[named("default", spec)])
    assert told.dataplane == dataplane


def test_since_3_32_felix_follows_kube_proxy():
    image = {"image": "quay.io/calico/node:v3.32.1"}
    assert found(daemonsets=[agent("bird", **image)]).dataplane == "unknown"
    one = found(
        daemonsets=[agent("bird", **image)], felixconfigurations=[named("default", {"nftablesMode": "Disabled"})]
    )
    assert one.dataplane == "iptables"


def test_wireguard():
    assert found(felixconfigurations=[named("default", {"wireguardEnabled": True})]).wireguard is True
    assert found(felixconfigurations=[named("default", {})]).wireguard is False
    assert found().wireguard is None


# --- routes ---


@pytest.mark.parametrize(
    ("release", "felix", "bgp", "ipip", "plain"),
    [
        ("v3.29.1", "", "", "bird", "bird"),
        ("v3.29.1", "Enabled", "", "bird", "bird"),
        ("v3.31.0", "Enabled", "", "both", "both"),
        ("v3.32.1", "", "", "bird", "bird"),
        ("v3.32.1", "EnabledIPIPOnly", "EnabledNoEncapOnly", "felix", "bird"),
        ("v3.32.1", "", "Disabled", "nobody", "nobody"),
        ("v3.33.0", "", "", "felix", "bird"),
        ("v3.33.0", "Disabled", "Enabled", "bird", "bird"),
        ("v3.33.0", "Enabled", "", "felix", "both"),
    ],
)
def test_who_programs_routes(release, felix, bgp, ipip, plain):
    told = found(
        daemonsets=[agent("bird", image=f"calico/node:{release}")],
        felixconfigurations=[named("default", {"programClusterRoutes": felix} if felix else {})],
        bgpconfigurations=[named("default", {"programClusterRoutes": bgp} if bgp else {})],
    )
    assert told.programs_routes == {"ipip": ipip, "none": plain, "vxlan": "felix", "wireguard": "felix"}
    assert told.routes_why


def test_without_a_release_it_is_not_known_who_programs_routes():
    assert programmers.read(None, "bird", None).by_encapsulation["ipip"] == "unknown"


# --- releases ---


@pytest.mark.parametrize(
    ("image", "release"),
    [
        ("quay.io/calico/node:v3.29.1", "v3.29.1"),
        ("docker.io/rancher/hardened-calico:v3.30.3-build20250909", "v3.30.3"),
        ("registry:5000/calico/node:v3.28.0-eks-1@sha256:0123", "v3.28.0"),
        ("calico/node:release-v3.8-arm64", "v3.8"),
        ("calico/node:3.20.5", "v3.20.5"),
        ("calico/node@sha256:3.29.1", ""),
        ("registry:5000/calico/node", ""),
        ("calico/node:latest", ""),
        ("calico/node:20240101", ""),
        ("calico/node:v1.29.3", ""),
        ("", ""),
    ],
)
def test_releases_of_images(image, release):
    assert versions.of_image(image) == release


def test_releases_by_node_and_the_usual_one():
    told = found(
        pods=[
            pod("calico-node-a", "n1", "calico/node:v3.29.1"),
            pod("calico-node-b", "n2", "calico/node:v3.29.1"),
            pod("calico-node-c", "n3", "calico/node:v3.28.0"),
        ]
    )
    assert told.versions == {"n1": "v3.29.1", "n2": "v3.29.1", "n3": "v3.28.0"}
    assert (told.version, told.mixed_versions) == ("v3.29.1", True)
    assert flavour.summary(told)["versions"] == {"v3.29.1": 2, "v3.28.0": 1}


# --- encapsulation, datastore, who installed ---


def test_a_pool_that_does_not_tell_its_modes_is_unknown():
    told = found(
        ippools=[named("a", {"cidr": "10.0.0.0/16"}), named("b", {"cidr": "10.1.0.0/16", "ipipMode": "Never"})]
    )
    assert told.encapsulations == {"a": "unknown", "b": "none"}
    assert flavour.summary(told)["encapsulation"] == ["none"]


def test_the_datastore():
    assert found(daemonsets=[agent("bird", ETCD_ENDPOINTS="https://10.0.0.1:2379")]).datastore == "etcd"
    assert found(daemonsets=[agent("bird", DATASTORE_TYPE="kubernetes")]).datastore == "kdd"
    saved = "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: p}\nspec: {cidr: 10.0.0.0/16}\n"
    assert flavour.flavour(cluster_of(saved), {}).datastore == "unknown", (
        "calicoctl shows etcd's objects like this, too"
    )


def test_what_the_operator_of_the_cluster_says_fills_gaps_only():
    told = flavour.flavour(cluster_of("", "backend: bird\ndistribution: kubespray\nencapsulation: ipip\n"), {})
    assert (told.backend, told.installer, told.encapsulations) == ("bird", "kubespray", {"": "ipip"})
    shaped = (SHAPES / "microk8s" / "cluster" / "objects.txt").read_text(encoding="utf-8")
    told = flavour.flavour(cluster_of(shaped, "backend: bird\ndistribution: kubespray\n"), {})
    assert (told.backend, told.installer) == ("vxlan", "microk8s")


@pytest.mark.parametrize(
    ("labels", "version", "provider"),
    [
        ({"eks.amazonaws.com/nodegroup": "a"}, "v1.31.0-eks-a1b2c3", "eks"),
        ({"kubernetes.azure.com/cluster": "a"}, "v1.31.0", "aks"),
        ({"cloud.google.com/gke-nodepool": "a"}, "v1.31.0-gke.100", "gke"),
        ({"node.openshift.io/os_id": "rhcos"}, "v1.31.0", "openshift"),
        ({}, "v1.31.0", ""),
    ],
)
def test_managed_providers(labels, version, provider):
    node = {"metadata": {"name": "n", "labels": labels}, "status": {"nodeInfo": {"kubeletVersion": version}}}
    cluster = objects.read({"reached": True, "objects": {"nodes": [node]}})
    assert installers.provider(cluster).name == provider


def test_calico_of_their_own_on_rke2_is_not_rke2s():
    node = {"metadata": {"name": "n"}, "status": {"nodeInfo": {"kubeletVersion": "v1.33.5+rke2r1"}}}
    cluster = objects.read({"reached": True, "objects": {"nodes": [node], "installations": [named("default")]}})
    assert installers.read(cluster).installer == "operator"
    assert installers.distribution(cluster) == "rke2"
