# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import copy

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils import kube as shapes
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import (
    commands,
    evidence_of,
    summary,
    told,
)

LABEL = "projectcalico.org/operator-node-migration"
NO_SOCKET = (
    "Readiness probe failed: calico/node is not ready: BIRD is not ready: Error querying BIRD: unable to connect to "
    "BIRDv4 socket: dial unix /var/run/bird/bird.ctl: connect: no such file or directory"
)


def migrate(kube, seconds):
    """The operator has begun to take calico-node over; node-1 and node-2 are its own already."""
    kube.objects["installations"] = [{"kind": "Installation", "metadata": {"name": "default"}, "spec": {}}]
    coming = copy.deepcopy(kube.objects["daemonsets"][0])
    owner = {"kind": "Installation", "name": "default", "controller": True}
    coming["metadata"].update(namespace="calico-system", creationTimestamp=shapes.ago(seconds), ownerReferences=[owner])
    coming["spec"]["template"]["spec"]["nodeSelector"][LABEL] = "migrated"
    kube.template()["nodeSelector"][LABEL] = "pre-operator"
    kube.objects["daemonsets"].append(coming)
    for number, node in enumerate(kube.objects["nodes"]):
        node["metadata"]["labels"][LABEL] = "migrated" if number < 2 else "pre-operator"


def test_a_move_that_stands_still(mesh, kube):
    kube.typha("10.0.0.12")
    migrate(kube, 7200)
    pod = kube.not_ready("node-2")
    message = "Readiness probe failed: calico/node is not ready: BIRD is not ready: BGP not established with 10.0.0.9"
    kube.event("Pod", pod["metadata"]["name"], "Unhealthy", message)
    kube.more["secrets"] = [
        {"namespace": "calico-system", "name": "bgp-password", "exists": False, "keys": [], "why": "not found"}
    ]
    found = told(mesh, kube)
    assert found["operator_migration_stuck"].role == "cause"
    assert found["operator_migration_stuck"].subject.where["daemonset"] == "calico-system/calico-node"
    assert "it is held by node-2" in summary(mesh, kube, "operator_migration_stuck")
    assert "2 nodes still to come" in summary(mesh, kube, "operator_migration_stuck")
    assert LABEL in commands(mesh, kube, "operator_migration_stuck")


def test_a_move_that_has_only_begun_is_left_alone(mesh, kube):
    kube.typha("10.0.0.12")
    migrate(kube, 120)
    assert "operator_migration_stuck" not in told(mesh, kube)


def without_bird(mesh, backend):
    for name in mesh.addresses:
        bgp = mesh.bgp(name)
        bgp.update(expected=False, expected_why=f"CALICO_NETWORKING_BACKEND is {backend}", daemons={}, listeners=[])


def test_a_probe_that_asks_for_bird(mesh, kube):
    kube.backend("vxlan")
    without_bird(mesh, "vxlan")
    pod = kube.not_ready("node-2")
    kube.event("Pod", pod["metadata"]["name"], "Unhealthy", NO_SOCKET, 90)
    found = told(mesh, kube)
    assert set(found) == {"bird_probe_without_bird", "bird_not_expected"}
    assert found["bird_probe_without_bird"].severity == "minor"
    assert "-felix-ready" in commands(mesh, kube, "bird_probe_without_bird")
    assert "UDP 4789" in summary(mesh, kube, "bird_not_expected")
    # What is known to be the reason is not left open, though it is called no cause.
    findings = analyse(evidence_of(mesh, kube), shapes.NOW)["findings"]
    assert {one["fault"] for one in findings} == {"bird_probe_without_bird", "bird_not_expected"}


def test_a_probe_without_bird_that_asks_for_felix_only_is_well(mesh, kube):
    kube.backend("vxlan")
    without_bird(mesh, "vxlan")
    command = ["/bin/calico-node", "-felix-ready"]
    kube.template()["containers"][0]["readinessProbe"] = {"exec": {"command": command}}
    assert set(told(mesh, kube)) == {"bird_not_expected"}


def test_the_objects_alone_tell_that_there_is_no_bird(mesh, kube):
    kube.backend("none")
    for name in list(mesh.addresses):
        mesh.lose(name)
    item = told(mesh, kube)["bird_not_expected"]
    assert item.subject.nodes == ("node-1", "node-2", "node-3", "node-4")


def test_canal_points_at_flannel(mesh, kube):
    kube.template()["containers"].append({"name": "kube-flannel", "image": "docker.io/flannel/flannel:v0.24.4"})
    kube.objects["daemonsets"][0]["metadata"]["name"] = "canal"
    kube.template()["containers"][0]["env"][1] = {"name": "CALICO_NETWORKING_BACKEND", "value": "none"}
    without_bird(mesh, "none")
    assert "flannel.1, UDP 8472" in summary(mesh, kube, "bird_not_expected")
