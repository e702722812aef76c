# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Healthy clusters of every kind give no finding that is a cause, whatever was told of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.ranking import rank
from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster import from_bundle, objects
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import Evidence
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._catalogue.settings import (
    alone,
    held,
    note,
    put,
    variable,
)
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import host, told

SHAPES = sorted(path for path in (Path(__file__).parents[1] / "_cluster" / "shapes").iterdir() if path.is_dir())


@pytest.mark.parametrize("folder", SHAPES, ids=lambda folder: folder.name)
def test_shapes_of_installers(folder):
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "SOURCE")
    fact = from_bundle.fact({str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in files})
    found = rank(Evidence({}, cluster=objects.read(fact)))
    assert [item.fault.id for item in found if item.role != "not_a_fault"] == []


def causes(*found):
    return {fault for one in found for fault, item in one.items() if item.role != "not_a_fault"}


def without_bird(mesh, backend):
    for name in mesh.facts:
        bgp = mesh.bgp(name)
        bgp.update(expected=False, expected_why=f"networking backend {backend}", daemons={}, listeners=[])
        mesh.facts[name]["calico_node"]["bgp_addresses"] = {}


def test_vxlan(mesh, kube):
    kube.backend("vxlan")
    put(kube, "IPPool", "default-ipv4-ippool", cidr="10.244.0.0/16", ipipMode="Never", vxlanMode="Always")
    template = kube.template()["containers"][0]
    template["readinessProbe"] = {"exec": {"command": ["/bin/calico-node", "-felix-ready"]}}
    without_bird(mesh, "vxlan")
    assert causes(told(mesh, kube), alone(kube)) == set()


def test_canal(mesh, kube):
    kube.backend("none")
    put(kube, "IPPool", "default-ipv4-ippool", cidr="10.244.0.0/16", ipipMode="Never", vxlanMode="Never")
    template = kube.template()["containers"][0]
    template["readinessProbe"] = {"httpGet": {"path": "/readiness", "port": 9099}}
    for number, name in enumerate(mesh.addresses):
        note(kube, name, "IPv4Address", None)
        note(kube, name, "IPv4IPIPTunnelAddr", None)
        kube.node(name)["spec"]["podCIDR"] = f"10.244.{number}.0/24"
    without_bird(mesh, "none")
    assert (
        causes(told(mesh, kube), alone(kube))
        & {
            "mesh_disabled_no_peers",
            "encapsulation_disabled_but_needed",
            "autodetection_found_nothing",
            "ipv4_missing_on_host",
            "wrong_ip_autodetection",
        }
        == set()
    )


def test_dual_stack(mesh, kube):
    variable(kube, "IP6", "autodetect")
    for number, (name, own) in enumerate(mesh.addresses.items()):
        six = f"fd00::{number + 1}"
        note(kube, name, "IPv6Address", f"{six}/64")
        kube.node(name)["status"]["addresses"].insert(1, {"type": "InternalIP", "address": six})
        held(mesh, name, (own, 24, "eth0", ()), (six, 64, "eth0", ()))
        mesh.facts[name]["calico_node"]["bgp_addresses"]["ipv6"] = six
    put(kube, "IPPool", "six", cidr="fd00:10::/48", ipipMode="Never", vxlanMode="Never")
    assert causes(told(mesh, kube), alone(kube)) == set()


def test_wireguard_in_two_subnets(mesh, kube):
    put(kube, "FelixConfiguration", "default", wireguardEnabled=True)
    put(kube, "IPPool", "default-ipv4-ippool", cidr="10.244.0.0/16", ipipMode="Never", vxlanMode="Never")
    for number, name in enumerate(("node-3", "node-4")):
        note(kube, name, "IPv4Address", f"10.0.1.{number + 1}/24")
        kube.node(name)["status"]["addresses"][0]["address"] = f"10.0.1.{number + 1}"
    assert causes(alone(kube)) == set()


def test_a_top_of_rack_router_for_each_rack(mesh, kube):
    put(kube, "BGPConfiguration", "default", nodeToNodeMeshEnabled=False)
    put(kube, "IPPool", "default-ipv4-ippool", cidr="10.244.0.0/16", ipipMode="Never", vxlanMode="Never")
    for number, name in enumerate(mesh.addresses):
        note(kube, name, "ASNumber", str(64601 + number))
        kube.node(name)["metadata"]["labels"]["rack"] = f"r{number % 2}"
        mesh.daemon(name)["peers"] = {
            "total": 1,
            "established": 1,
            "packed": {"Node": {"10.0.0": f"{250 + number % 2}"}},
        }
    for number in range(2):
        put(
            kube,
            "BGPPeer",
            f"rack-{number}",
            nodeSelector=f"rack == 'r{number}'",
            peerIP=f"10.0.0.{250 + number}",
            asNumber=64600,
        )
    assert causes(told(mesh, kube), alone(kube)) == set()


def test_windows_nodes_are_left_alone(kube):
    node = kube.node("node-4")
    node["metadata"]["labels"]["kubernetes.io/os"] = "windows"
    node["status"]["nodeInfo"]["operatingSystem"] = "windows"
    node["metadata"]["annotations"] = {}
    kube.without_pod("node-4")
    assert causes(alone(kube)) == set()


def test_metallb_beside_calico(mesh, kube):
    for name in mesh.facts:
        mesh.bgp(name)["other_speakers"] = [{"process": "speaker", "pid": 99, "container": "0123456789ab"}]
    assert causes(told(mesh, kube)) == set()


def test_a_busy_host_is_no_fault_by_itself(mesh, kube):
    host(mesh, "node-2")["strain"] = {"pressure": {"cpu": [61.0, 71.0]}, "load": {"minute": 50.0, "processors": 4}}
    assert causes(told(mesh, kube)) == set()
