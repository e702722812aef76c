# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.ranking import rank
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import observations
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import Evidence
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._catalogue.settings import address, alone, put
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import commands, host, summary, told

OPEN = {"cidr": "10.244.0.0/16", "ipipMode": "Never", "vxlanMode": "Never"}


def two_subnets(kube):
    for number, name in enumerate(("node-3", "node-4")):
        address(kube, name, f"10.0.1.{number + 1}/24", f"10.0.1.{number + 1}")


def release(kube, version):
    kube.objects["clusterinformations"][0]["spec"]["calicoVersion"] = version
    for pod in kube.objects["pods"]:
        pod["spec"]["containers"][0]["image"] = f"docker.io/calico/node:{version}"


# --- encapsulation ---


def test_no_encapsulation_between_subnets(kube):
    two_subnets(kube)
    put(kube, "IPPool", "default-ipv4-ippool", **OPEN)
    found = alone(kube)
    assert list(found) == ["encapsulation_disabled_but_needed"]
    item = found["encapsulation_disabled_but_needed"]
    assert item.subject.where["object"] == "IPPool/default-ipv4-ippool"
    assert item.severity == "critical"


def test_within_one_subnet_none_is_needed(mesh, kube):
    put(kube, "IPPool", "default-ipv4-ippool", **OPEN)
    assert told(mesh, kube) == {}
    assert alone(kube) == {}


def test_routers_that_learn_the_routes_need_none(kube):
    two_subnets(kube)
    put(kube, "IPPool", "default-ipv4-ippool", **OPEN)
    put(kube, "BGPPeer", "tor", peerIP="10.0.0.254", asNumber=64600)
    assert alone(kube) == {}


def test_cross_subnet_is_enough_elsewhere_and_not_on_azure(kube):
    two_subnets(kube)
    put(kube, "IPPool", "default-ipv4-ippool", cidr="10.244.0.0/16", ipipMode="Never", vxlanMode="CrossSubnet")
    assert alone(kube) == {}
    for node in kube.objects["nodes"]:
        node["spec"]["providerID"] = "azure:///subscriptions/0/resourceGroups/g/providers/Microsoft.Compute/x"
    item = alone(kube)["encapsulation_disabled_but_needed"]
    assert "Azure" in item.speaks_for[0][1][0].detail


def test_an_installation_on_azure_tells_as_much():
    from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.kube import Kube

    kube = Kube({})
    kube.objects["ippools"] = []
    kube.more["environment"] = {"provider": "azure"}
    put(kube, "Installation", "default", calicoNetwork={"ipPools": [{"encapsulation": "VXLANCrossSubnet"}]})
    found = alone(kube)
    assert found["encapsulation_disabled_but_needed"].subject.where["object"] == "Installation/default"


def test_routes_by_a_router_tell_it_without_the_api(mesh):
    for name in mesh.addresses:
        host(mesh, name)["routes"] = {"ipv4": {"bird": 3, "via_router": {"10.0.0.254": 2}}}
    found = told(mesh)
    assert list(found) == ["encapsulation_disabled_but_needed"]


def bare(kube):
    two_subnets(kube)
    put(kube, "IPPool", "default-ipv4-ippool", **OPEN)


def with_tried(kube, *lines):
    environment = "observations:\n" + "".join(f"  - {{{line}}}\n" for line in lines)
    evidence = observations.with_what_was_tried(Evidence({}, cluster=kube.cluster()), observations.read(environment))
    return {item.fault.id: item for item in rank(evidence)}.get("encapsulation_disabled_but_needed")


def test_static_routes_in_the_network_cannot_be_told_apart_so_it_is_likely_and_not_sure(mesh, kube):
    bare(kube)
    item = alone(kube)["encapsulation_disabled_but_needed"]
    assert 0.5 < item.confidence < 0.75
    (missing,) = item.fault.missing(Evidence({}, cluster=kube.cluster()), item.subject)
    assert "ping -n -c 2 -W 1 -t 2" in missing.how


def test_what_somebody_tried_decides(kube):
    bare(kube)
    assert with_tried(kube, "check: works-only, scope: same-subnet").confidence > 0.9
    lost = "check: ping, from: pod-on-node-1, to: pod-on-node-4, result: timeout"
    assert with_tried(kube, lost).confidence > 0.9
    assert with_tried(kube, lost.replace("timeout", "open")) is None
    within = "check: ping, from: pod-on-node-1, to: pod-on-node-2, result: timeout"
    assert with_tried(kube, within).confidence < 0.75


def test_the_pool_is_changed(mesh, kube):
    two_subnets(kube)
    put(kube, "IPPool", "default-ipv4-ippool", **OPEN)
    told_to = commands(mesh, kube, "encapsulation_disabled_but_needed")
    assert "kubectl patch ippools.crd.projectcalico.org default-ipv4-ippool" in told_to
    assert '"ipipMode": "CrossSubnet"' in told_to


# --- owners of routes ---


def test_both_program_routes(mesh, kube):
    release(kube, "v3.32.0")
    put(kube, "FelixConfiguration", "default", programClusterRoutes="Enabled")
    found = alone(kube)
    assert list(found) == ["route_owner_conflict"]
    assert found["route_owner_conflict"].subject.where["owner"] == "both"
    for name in mesh.addresses:
        host(mesh, name)["routes"] = {"ipv4": {"bird": 3, "felix": 3, "conflicts": ["10.244.2.0/26"]}}
    assert told(mesh, kube)["route_owner_conflict"].confidence > 0.95


def test_nobody_programs_routes(kube):
    release(kube, "v3.33.0")
    put(kube, "FelixConfiguration", "default", programClusterRoutes="Disabled")
    assert alone(kube)["route_owner_conflict"].subject.where["owner"] == "nobody"


def test_bird_alone_is_told_not_to(mesh, kube):
    release(kube, "v3.32.0")
    put(kube, "BGPConfiguration", "default", programClusterRoutes="Disabled")
    where = alone(kube)["route_owner_conflict"].subject.where
    assert (where["object"], where["owner"]) == ("BGPConfiguration/default", "nobody")
    for name in mesh.addresses:
        mesh.facts[name]["calico_node"]["sources"] = [{"source": "netlink", "status": "ok", "detail": ""}]
    assert told(mesh, kube)["route_owner_conflict"].confidence > 0.95


def test_birds_routes_are_refused_where_felixs_are(mesh):
    lacking = {"exported": 4, "in_kernel": 1, "instead_felix": 3}
    host(mesh, "node-2")["routes"] = {"ipv4": {"bird": 1, "felix": 3, "not_in_kernel": lacking}}
    assert told(mesh)["route_owner_conflict"].subject.nodes == ("node-2",)


def test_the_defaults_fit_together(kube):
    for version in ("v3.24.0", "v3.30.0", "v3.31.0", "v3.32.0", "v3.33.0"):
        release(kube, version)
        assert alone(kube) == {}


def test_complementary_settings_fit_together(kube):
    release(kube, "v3.33.0")
    put(kube, "FelixConfiguration", "default", programClusterRoutes="Enabled")
    put(kube, "BGPConfiguration", "default", programClusterRoutes="Disabled")
    assert alone(kube) == {}


def test_the_kernel_alone_tells_of_both(mesh):
    host(mesh, "node-2")["routes"] = {"ipv4": {"bird": 3, "felix": 1, "conflicts": ["10.244.2.0/26"]}}
    assert told(mesh)["route_owner_conflict"].subject.nodes == ("node-2",)


# --- Services' ranges ---


def test_a_range_of_services_with_pods_in_it(mesh, kube):
    put(kube, "BGPConfiguration", "default", serviceClusterIPs=[{"cidr": "10.96.0.0/12"}, {"cidr": "10.244.0.0/15"}])
    found = alone(kube)
    assert list(found) == ["bgpconfig_service_cidr_contains_pods"]
    assert found["bgpconfig_service_cidr_contains_pods"].subject.where["value"] == "10.244.0.0/15"
    assert '"serviceClusterIPs": [{"cidr": "10.96.0.0/12"}]' in commands(
        mesh, kube, "bgpconfig_service_cidr_contains_pods"
    )


def test_ranges_apart_are_no_fault(kube):
    put(kube, "IPPool", "lb", cidr="192.168.7.0/24", allowedUses=["LoadBalancer"], ipipMode="Never", vxlanMode="Never")
    put(
        kube,
        "BGPConfiguration",
        "default",
        serviceClusterIPs=[{"cidr": "10.96.0.0/12"}],
        serviceLoadBalancerIPs=[{"cidr": "192.168.7.0/24"}],
    )
    assert alone(kube) == {}


def test_felix_drops_pods_as_services(mesh):
    rule = {"chain": "cali-cidr-block", "text": "-A cali-cidr-block -d 10.244.0.0/16 -j DROP"}
    mesh.facts["node-2"]["calico_firewall"]["pods"] = {"felix_rules": [{"ways": ["pods to tunl0"], "rule": rule}]}
    assert "drops packets of pods" in summary(mesh, None, "bgpconfig_service_cidr_contains_pods")
