# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which MTU the role mtu sets, where, and when it refuses to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._cure import mtu
from ansible_collections.netmedic.calico.plugins.plugin_utils._cure.model import Given
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.model import MissingNode
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._catalogue.settings import put, variable
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.mesh import ADDRESSES
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import evidence_of, told

MARK = "netmedic.calico/mtu"


@pytest.fixture
def mesh(mesh):
    """Four nodes of 1,500 bytes that carry as much."""
    for facts in mesh.facts.values():
        path = {"class": "eth0", "peer": "10.0.0.9", "wanted": 1500, "carries": 1500, "result": "ok"}
        facts["calico_mtu"] = {
            "automatic": {"host": 1500, "interface": "eth0", "pods": 1480},
            "encapsulation": {"kind": "ipip", "overhead": 20},
            "interfaces": {"eth0": 1500},
            "required": 1500,
            "workloads": {"count": 3, "mtus": {"1480": 2, "1500": 1}},
            "paths": [{**path, "reported_by": ""}],
        }
    return mesh


@pytest.fixture
def kube(kube):
    """Calico's manifest, whose ConfigMap leaves the MTU to Felix."""
    kube.backend("bird")
    kube.objects["configmaps"][0]["data"]["veth_mtu"] = "0"
    read = {"configMapKeyRef": {"name": "calico-config", "key": "veth_mtu"}}
    kube.template()["containers"][0]["env"].append({"name": "FELIX_IPINIPMTU", "valueFrom": read})
    return kube


def veth(kube, value):
    kube.objects["configmaps"][0]["data"]["veth_mtu"] = value


def narrow(mesh, size=1400):
    mesh.facts["node-3"]["calico_mtu"]["paths"][0].update(carries=size, result="smaller")


def decide(mesh, kube, missing=(), **options):
    evidence = replace(evidence_of(mesh, kube), missing=tuple(missing))
    return mtu.changes(Given("", tuple(ADDRESSES), mesh.facts, {}, evidence, {}, options))


def sets(done):
    return {(change["kind"], one["path"][-1]): one["value"] for change in done.changes for one in change.get("set", ())}


def test_what_fits_is_left_alone(mesh, kube):
    done = decide(mesh, kube)
    assert (done.changes, done.refused, done.more["pods"]) == ([], "", 1480)
    assert "node-1: 1 pod 1500 keep that MTU until they are made anew (1480 is right)" in done.says
    veth(kube, "1430")
    assert decide(mesh, kube).changes == []


def test_the_narrowest_path_decides(mesh, kube):
    narrow(mesh)
    done = decide(mesh, kube)
    assert sets(done) == {("ConfigMap", "veth_mtu"): "1380", ("DaemonSet", MARK): "1380"}
    assert done.changes[0]["set"][0]["was"] == ["0"]
    assert "1400 bytes are carried from node-3 by eth0, of which encapsulation takes 20." in done.says
    assert any("node-2: 2 pods 1480 and 1 pod 1500 keep" in line for line in done.says)


@pytest.mark.parametrize("value", ["9000", "many", "100"])
def test_what_cannot_be_is_left_to_felix(mesh, kube, value):
    veth(kube, value)
    done = decide(mesh, kube)
    assert sets(done) == {("ConfigMap", "veth_mtu"): "0", ("DaemonSet", MARK): "0"}


def test_the_encapsulation_has_to_fit_too(mesh, kube):
    veth(kube, "1480")
    assert decide(mesh, kube).changes == []
    narrow(mesh)
    assert sets(decide(mesh, kube))[("ConfigMap", "veth_mtu")] == "1380"
    assert sets(decide(mesh, kube, encapsulation="vxlan"))[("ConfigMap", "veth_mtu")] == "1350"
    put(kube, "FelixConfiguration", "default", wireguardEnabled=True)
    assert sets(decide(mesh, kube))[("ConfigMap", "veth_mtu")] == "1340"


def test_a_wish_must_fit(mesh, kube):
    assert sets(decide(mesh, kube, value=1400))[("ConfigMap", "veth_mtu")] == "1400"
    assert "an MTU of 1500 does not fit: 576 to 1480 bytes do" in decide(mesh, kube, value=1500).refused
    veth(kube, "1400")
    assert decide(mesh, kube, value=1400).changes == []
    with pytest.raises(ValueError, match="mtu_value is a number"):
        decide(mesh, kube, value="big")


def test_felix_own_configuration(mesh, kube):
    env = kube.template()["containers"][0]["env"]
    env[:] = [one for one in env if one["name"] != "FELIX_IPINIPMTU"]
    kube.objects["configmaps"][0]["data"].pop("veth_mtu")
    put(kube, "FelixConfiguration", "default", ipipMTU=1500)
    done = decide(mesh, kube)
    assert sets(done) == {("FelixConfiguration", "ipipMTU"): None}
    assert done.changes[0]["set"][0]["was"] == [1500]
    put(kube, "FelixConfiguration", "default")
    narrow(mesh)
    assert sets(decide(mesh, kube)) == {("FelixConfiguration", "ipipMTU"): 1380}


def test_variables_of_the_daemon_set(mesh, kube):
    env = kube.template()["containers"][0]["env"]
    env[:] = [one for one in env if one["name"] != "FELIX_IPINIPMTU"]
    kube.objects["configmaps"][0]["data"].pop("veth_mtu")
    variable(kube, "FELIX_IPINIPMTU", "1500")
    (change,) = decide(mesh, kube).changes
    path = change["set"][0]["path"]
    assert (path[-2:], change["set"][0]["value"]) == ([{"name": "FELIX_IPINIPMTU"}, "value"], "0")


def test_the_operators_installation(mesh, kube):
    kube.objects["configmaps"] = []
    put(kube, "Installation", "default", calicoNetwork={"mtu": 1500})
    (change,) = decide(mesh, kube).changes
    assert (change["kind"], change["patch"]) == ("Installation", {"spec": {"calicoNetwork": {"mtu": None}}})
    narrow(mesh)
    (change,) = decide(mesh, kube).changes
    assert change["patch"] == {"spec": {"calicoNetwork": {"mtu": 1380}}}


def test_kubespray_is_told_what_to_change(mesh, kube):
    kube.objects["clusterinformations"][0]["spec"]["clusterType"] = "kubespray,bgp,kubeadm,k8s"
    narrow(mesh)
    done = decide(mesh, kube)
    assert (done.changes, "kubespray" in done.refused) == ((), True)
    assert any("calico_mtu: 1380" in line for line in done.says)


def test_without_encapsulation_nothing_in_the_api_leads_to_pods(mesh, kube):
    env = kube.template()["containers"][0]["env"]
    env[:] = [one for one in env if one["name"] != "FELIX_IPINIPMTU"]
    kube.objects["configmaps"][0]["data"].pop("veth_mtu")
    put(kube, "IPPool", "default-ipv4-ippool", cidr="10.244.0.0/16", ipipMode="Never", vxlanMode="Never")
    narrow(mesh)
    assert "nothing in the API leads there: set mtu: 1400" in decide(mesh, kube).refused


def test_what_is_not_known(mesh, kube):
    gone = [MissingNode("node-9", "unreachable", "10.0.0.99", unreachable=True)]
    assert "node-9 could not be read" in decide(mesh, kube, gone).refused
    mesh.facts["node-3"]["calico_mtu"]["paths"][0].update(carries=None, result="silent")
    assert "from node-3 the way eth0 could not be measured" in decide(mesh, kube).refused
    narrow(mesh, 560)
    assert "the network has to be put right" in decide(mesh, kube).refused
    assert decide(mesh, None).more["ask"] is True


def test_a_file_of_one_node_is_told(mesh, kube):
    path = "/etc/cni/net.d/10-calico.conflist"
    mesh.facts["node-2"]["calico_mtu"]["configured"] = {"cni": {"path": path, "mtu": 9000}}
    done = decide(mesh, kube)
    assert done.changes == []
    assert any(line.startswith(f"node-2: {path} sets 9000") for line in done.says)


def test_the_findings_have_remedies(mesh, kube):
    evidence = evidence_of(mesh, kube)
    assert "mtu_misconfigured_value" not in told(mesh, kube)
    veth(kube, "9000")
    item = told(mesh, kube)["mtu_misconfigured_value"]
    assert item.fault.fix.remedy(evidence, item.subject).role == "mtu"
    veth(kube, "0")
    narrow(mesh)
    item = told(mesh, kube)["mtu_mismatch"]
    assert item.fault.fix.remedy(evidence_of(mesh, kube), item.subject).role == "mtu"
