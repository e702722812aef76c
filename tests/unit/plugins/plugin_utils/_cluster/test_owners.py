# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a change of a setting has to go."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster import from_bundle, objects, owners

SHAPES = Path(__file__).parent / "shapes"
MANIFESTS = Path(__file__).resolve().parents[6] / "shared" / "calico" / "manifests"


def cluster_of(text: str):
    return objects.read(from_bundle.fact({"cluster/objects.yaml": text}))


def owner(name: str, setting: str) -> owners.Owner:
    return owners.owner_of(cluster_of((SHAPES / name / "cluster" / "objects.txt").read_text(encoding="utf-8")), setting)


def read(**kinds):
    return objects.read({"reached": True, "objects": kinds})


def named(name, spec=None, **metadata):
    return {"metadata": {"name": name, **metadata}, "spec": spec or {}}


@pytest.mark.parametrize(
    ("shape", "setting", "kind", "name", "path"),
    [
        ("operator", "autodetection_ipv4", "Installation", "default", "spec.calicoNetwork.nodeAddressAutodetectionV4"),
        ("operator", "backend", "Installation", "default", "spec.calicoNetwork.bgp"),
        ("operator", "mtu", "Installation", "default", "spec.calicoNetwork.mtu"),
        ("operator", "pool/default-ipv4-ippool", "Installation", "default", "spec.calicoNetwork.ipPools"),
        ("operator", "felix/bpfEnabled", "Installation", "default", "spec.calicoNetwork.linuxDataplane"),
        (
            "operator",
            "felix/failsafeInboundHostPorts",
            "FelixConfiguration",
            "default",
            "spec.failsafeInboundHostPorts",
        ),
        ("operator", "bgp_configuration/asNumber", "BGPConfiguration", "default", "spec.asNumber"),
        ("operator", "bgp_peer/tor", "BGPPeer", "tor", "spec"),
        ("operator", "env/FELIX_X", "Installation", "default", "spec.calicoNodeDaemonSet: env FELIX_X"),
        ("helm", "backend", "Helm", "calico", "values: installation.calicoNetwork.bgp"),
        ("rke2-calico", "mtu", "HelmChartConfig", "rke2-calico", "spec.valuesContent: installation.calicoNetwork.mtu"),
        ("rke2-canal", "mtu", "HelmChartConfig", "rke2-canal", "spec.valuesContent: calico.vethuMTU"),
        (
            "rke2-canal",
            "autodetection_ipv4",
            "HelmChartConfig",
            "rke2-canal",
            "spec.valuesContent: calico.ipAutoDetectionMethod",
        ),
        ("kubespray", "autodetection_ipv4", "kubespray", "group_vars", "calico_ip_auto_method"),
        ("kubespray", "backend", "kubespray", "group_vars", "calico_network_backend"),
        ("kubespray", "pool/default-pool", "kubespray", "group_vars", "calico_ipip_mode, calico_vxlan_mode"),
        ("kubespray", "bgp_configuration/asNumber", "kubespray", "group_vars", "global_as_num"),
        ("kubespray", "bgp_configuration/nodeMeshPassword", "BGPConfiguration", "default", "spec.nodeMeshPassword"),
        ("kubespray", "felix/wireguardEnabled", "kubespray", "group_vars", "calico_wireguard_enabled"),
        ("kubespray", "felix/ipipMTU", "kubespray", "group_vars", "calico_mtu"),
        (
            "kubespray",
            "bgp_peer/peer-to-rrs",
            "kubespray",
            "group_vars",
            "peers, peer_with_router, peer_with_calico_rr",
        ),
        ("kubespray", "bgp_peer/mine", "BGPPeer", "mine", "spec"),
        ("kops", "autodetection_ipv4", "kops", "cluster", "spec.networking.calico.ipv4AutoDetectionMethod"),
        ("kops", "felix/iptablesBackend", "kops", "cluster", "spec.networking.calico.iptablesBackend"),
        ("kops", "pool/default-ipv4-ippool", "IPPool", "default-ipv4-ippool", "spec"),
        ("microk8s", "backend", "microk8s", owners.owned_by.MICROK8S_FILE, "ConfigMap calico-config, calico_backend"),
        ("iks", "mtu", "ConfigMap", "calico-config", "data.calico_mtu_override"),
        ("roks", "mtu", "Installation", "default", "spec.calicoNetwork.mtu"),
        ("k3s-calico", "backend", "ConfigMap", "calico-config", "data.calico_backend"),
        (
            "k3s-calico",
            "autodetection_ipv4",
            "DaemonSet",
            "calico-node",
            "spec.template.spec.containers[calico-node].env[IP_AUTODETECTION_METHOD]",
        ),
        ("k3s-flannel", "backend", "unknown", "", "env CALICO_NETWORKING_BACKEND"),
        ("operator", "nonsense/x", "unknown", "", "nonsense/x"),
    ],
)
def test_owners_of_settings(shape, setting, kind, name, path):
    found = owner(shape, setting)
    assert (found.kind, found.name, found.path) == (kind, name, path)
    assert found.why.endswith(".")


@pytest.mark.parametrize(
    ("shape", "setting", "allowed"),
    [
        ("roks", "mtu", True),
        ("roks", "backend", False),
        ("roks", "pool/default-ipv4-ippool", False),
        ("iks", "mtu", True),
        ("iks", "autodetection_ipv4", False),
        ("operator", "backend", True),
    ],
)
def test_what_providers_allow(shape, setting, allowed):
    assert owner(shape, setting).allowed is allowed


@pytest.mark.parametrize(
    ("manifest", "setting", "kind", "name", "path"),
    [
        ("calico", "backend", "ConfigMap", "calico-config", "data.calico_backend"),
        ("calico", "mtu", "ConfigMap", "calico-config", "data.veth_mtu"),
        (
            "calico",
            "autodetection_ipv4",
            "DaemonSet",
            "calico-node",
            "spec.template.spec.containers[calico-node].env[IP_AUTODETECTION_METHOD]",
        ),
        ("calico", "felix/iptablesBackend", "FelixConfiguration", "default", "spec.iptablesBackend"),
        ("calico-vxlan", "backend", "ConfigMap", "calico-config", "data.calico_backend"),
        (
            "calico-policy-only",
            "backend",
            "DaemonSet",
            "calico-node",
            "spec.template.spec.containers[calico-node].env[CALICO_NETWORKING_BACKEND]",
        ),
        ("canal", "mtu", "ConfigMap", "canal-config", "data.veth_mtu"),
        ("custom-resources", "pools", "Installation", "default", "spec.calicoNetwork.ipPools"),
    ],
)
def test_owners_in_calicos_own_manifests(manifest, setting, kind, name, path):
    file = MANIFESTS / f"{manifest}.yaml"
    if not file.is_file():
        pytest.skip("Calico's manifests are not at hand")
    found = owners.owner_of(cluster_of(file.read_text(encoding="utf-8")), setting)
    assert (found.kind, found.name, found.path) == (kind, name, path)


def test_what_the_operator_reverts_and_what_it_leaves_alone():
    assert "The operator puts the DaemonSet" in owner("operator", "backend").reverted
    assert "deletes those that are removed" in owner("operator", "pool/default-ipv4-ippool").reverted
    assert owner("operator", "bgp_peer/tor").reverted == ""
    assert owner("operator", "felix/failsafeInboundHostPorts").reverted == ""


def test_a_pool_that_is_not_the_operators_is_changed_by_itself():
    cluster = read(
        installations=[named("default", {"calicoNetwork": {"ipPools": [{"cidr": "10.0.0.0/16"}]}})],
        ippools=[named("mine", {"cidr": "10.9.0.0/16"}), named("wanted", {"cidr": "10.0.0.0/16"})],
    )
    assert owners.owner_of(cluster, "pool/mine").kind == "IPPool"
    assert owners.owner_of(cluster, "pool/wanted").kind == "Installation"


def test_a_daemon_set_that_the_operator_was_told_to_leave_alone():
    agent = {
        "metadata": {
            "name": "calico-node",
            "namespace": "calico-system",
            "annotations": {"unsupported.operator.tigera.io/ignore": "true"},
            "ownerReferences": [{"kind": "Installation", "name": "default", "controller": True}],
        },
        "spec": {"template": {"spec": {"containers": [{"name": "calico-node"}]}}},
    }
    found = owners.owner_of(read(installations=[named("default")], daemonsets=[agent]), "backend")
    assert (found.kind, found.namespace) == ("DaemonSet", "calico-system")
    assert found.path.endswith("env[CALICO_NETWORKING_BACKEND]")


def test_the_operators_routing_mode_owns_both_fields_only_if_it_is_set():
    spec = {"calicoNetwork": {"clusterRoutingMode": "Felix"}}
    cluster = read(installations=[named("default", spec)])
    assert (
        owners.owner_of(cluster, "bgp_configuration/programClusterRoutes").path
        == "spec.calicoNetwork.clusterRoutingMode"
    )
    cluster = read(installations=[named("default")])
    assert owners.owner_of(cluster, "bgp_configuration/programClusterRoutes").kind == "BGPConfiguration"


@pytest.mark.parametrize(
    ("manager", "told"),
    [("argocd-controller", True), ("kustomize-controller", True), ("kubectl-edit", False), ("calico-node", False)],
)
def test_a_program_that_may_write_again_is_named(manager, told):
    entry = {"manager": manager, "time": "2026-01-01T00:00:00Z"}
    cluster = read(bgppeers=[named("tor", {"peerIP": "10.0.0.1"}, managedFields=[entry])])
    assert (f"written by {manager}" in owners.owner_of(cluster, "bgp_peer/tor").why) is told


def test_what_helm_installed_beside_calico_is_helms():
    labels, notes = {"app.kubernetes.io/managed-by": "Helm"}, {"meta.helm.sh/release-name": "bgp-settings"}
    cluster = read(bgppeers=[named("tor", {"peerIP": "10.0.0.1"}, labels=labels, annotations=notes)])
    found = owners.owner_of(cluster, "bgp_peer/tor")
    assert (found.kind, found.name) == ("Helm", "bgp-settings")
