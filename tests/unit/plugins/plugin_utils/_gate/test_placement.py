# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster.model import KubeNode, Taint, Workload
from ansible_collections.netmedic.calico.plugins.plugin_utils._gate.placement import (
    affinity_fits,
    barriers,
    is_machine,
    tolerates,
)

GPU = Taint("dedicated", "gpu", "NoSchedule")


@pytest.mark.parametrize(
    ("toleration", "covers"),
    [
        ({"operator": "Exists"}, True),
        ({"operator": "Exists", "effect": "NoSchedule"}, True),
        ({"operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "dedicated", "operator": "Exists"}, True),
        ({"key": "dedicated", "value": "gpu"}, True),
        ({"key": "dedicated", "operator": "Equal", "value": "db", "effect": "NoSchedule"}, False),
        ({"key": "dedicated"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"key": "dedicated", "operator": "Gt", "value": "1"}, False),
        ({"operator": "Equal"}, False),
        ({}, False),
    ],
)
def test_what_tolerates_a_taint(toleration, covers):
    assert tolerates(toleration, GPU) is covers


def required(*terms):
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}}


def expression(key, operator, *values):
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("affinity", "fits"),
    [
        ({}, True),
        ({"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}, True),
        (required(), False),
        (required({}), False),
        (required(expression("zone", "In", "a", "b")), True),
        (required(expression("zone", "In", "b")), False),
        (required(expression("zone", "NotIn", "b")), True),
        (required(expression("absent", "NotIn", "b")), True),
        (required(expression("zone", "Exists")), True),
        (required(expression("absent", "DoesNotExist")), True),
        (required(expression("cores", "Gt", "7")), True),
        (required(expression("cores", "Lt", "7")), False),
        (required(expression("zone", "Gt", "7")), False),
        (required(expression("cores", "Gt")), False),
        (required(expression("zone", "Like", "a")), False),
        (required(expression("zone", "In", "b"), expression("zone", "In", "a")), True),
        (required({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}), True),
        (required({"matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["n1"]}]}), False),
        ({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": "all"}}}, False),
        ({"nodeAffinity": "none"}, True),
    ],
)
def test_required_node_affinity(affinity, fits):
    assert affinity_fits(affinity, KubeNode("n1", labels={"zone": "a", "cores": "8"})) is fits


def test_taints_that_every_daemonset_tolerates():
    cordoned = Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")
    no_network = Taint("node.kubernetes.io/network-unavailable", "", "NoSchedule")
    soft = Taint("dedicated", "gpu", "PreferNoSchedule")
    node = KubeNode("n1", taints=(cordoned, no_network, soft))
    assert barriers(Workload("DaemonSet", "kube-system", "calico-node", "calico-node", host_network=True), node) == []
    in_pods_network = Workload("DaemonSet", "kube-system", "calico-node", "calico-node")
    assert [one.what for one in barriers(in_pods_network, node)] == [
        "node.kubernetes.io/network-unavailable:NoSchedule"
    ]


def test_every_barrier_is_named():
    workload = Workload("DaemonSet", "a", "b", "calico-node", node_selector={"pool": "x"}, affinity=required({}))
    found = barriers(workload, KubeNode("n1", taints=(GPU,)))
    assert [one.kind for one in found] == ["selector", "affinity", "taint"]
    assert found[0].what == "pool=x"


def test_what_is_no_machine_of_ours():
    assert is_machine(KubeNode("n1"))
    assert not is_machine(KubeNode("n1", operating_system="windows"))
    assert not is_machine(KubeNode("n1", labels={"type": "virtual-kubelet"}))
