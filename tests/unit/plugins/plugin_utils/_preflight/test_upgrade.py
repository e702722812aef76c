# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._preflight import objects, release_steps, upgrade
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._preflight.scenes import (
    only,
    recorded,
    scene,
    shown,
)

if TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.kube import Kube

FAULT, UNKNOWN = "preflight.upgrade", "preflight.upgrade_unknown"
NEW_MANIFEST = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: calico-node, namespace: kube-system}
spec:
  template:
    spec:
      containers:
        - name: calico-node
          image: quay.io/calico/node:IMAGE
          livenessProbe: {exec: {command: [PROGRAM, -felix-live]}}
"""
INSTALLATION = """
apiVersion: operator.tigera.io/v1
kind: Installation
metadata: {name: default}
spec: {calicoNetwork: {ipPools: [{cidr: 10.244.0.0/16, encapsulation: VXLANCrossSubnet}]}}
"""


def running(kube: Kube, image: str = "docker.io/calico/node:v3.29.3") -> Kube:
    kube.template()["containers"][0]["image"] = image
    kube.objects["daemonsets"][0]["status"]["updatedNumberScheduled"] = 4
    for pod in kube.objects["pods"]:
        pod["spec"]["containers"] = [{"name": "calico-node", "image": image}]
    return kube


def to(kube: Kube, target: str = "v3.30.3", **planned: Any) -> list[dict[str, Any]]:
    return upgrade.findings(scene(recorded("bare"), kube.cluster(), target_version=target, **planned))


def test_no_upgrade_is_planned(kube: Kube) -> None:
    assert upgrade.findings(scene(recorded("bare"), running(kube, "calico/node:latest").cluster())) == []


def test_a_step_to_the_next_release(kube: Kube) -> None:
    assert to(running(kube)) == []


def test_what_a_long_step_passes_over_and_brings(kube: Kube) -> None:
    found = only(to(running(kube, "calico/node:v3.24.5"), "v3.27.3"), FAULT)

    assert found["severity"] == "info"
    assert "passing over v3.25 and v3.26" in found["summary"]
    assert "from v3.25 on first-found leaves out interfaces podman* and br-*" in found["summary"]
    assert "from v3.27 on only interfaces that are up" in found["summary"]


def test_there_is_no_way_back(kube: Kube) -> None:
    assert shown(to(running(kube), "v3.28.1")) == [(FAULT, "major", [])]
    assert shown(to(running(kube), "v3.29.1")) == [(FAULT, "minor", [])]


def test_without_the_api_it_says_so() -> None:
    found = upgrade.findings(scene(recorded("bare"), target_version="v3.30.3"))

    assert shown(found) == [(UNKNOWN, "minor", []), (UNKNOWN, "minor", [])]
    assert found[1]["missing"][0]["how"] == "kubectl get daemonsets,deployments -A"


def test_nodes_of_different_releases(kube: Kube) -> None:
    running(kube)
    kube.pod("node-4")["spec"]["containers"][0]["image"] = "docker.io/calico/node:v3.28.0"

    found = only([one for one in to(kube) if one["severity"] == "major"], FAULT)

    assert found["nodes"] == ["node-4"]
    assert "v3.28.0 on node-4" in found["summary"]


@pytest.mark.parametrize(
    ("image", "severity"),
    [
        ("calico/node:latest", "major"),
        ("registry.example.org:5000/calico/node", "major"),
        ("calico/node:v3.29", "minor"),
        ("calico/node:release-v3.29", "minor"),
        ("calico/node:v3.29.3", ""),
        ("calico/node:master@sha256:" + "0" * 64, ""),
        ("registry.example.org:5000/calico/node:v3.29.3-fips", ""),
    ],
)
def test_images_that_move(kube: Kube, image: str, severity: str) -> None:
    found = [one["severity"] for one in to(running(kube, image)) if one["fault"] == "preflight.image_not_pinned"]

    assert found == ([severity] if severity else [])


def test_a_probe_for_bird_where_there_is_none(kube: Kube) -> None:
    running(kube).backend("vxlan")

    found = only(to(kube), "bird_probe_without_bird")

    assert (found["severity"], found["role"]) == ("major", "cause")
    assert "-bird-ready" in found["summary"]
    kube.backend("bird")
    assert to(kube) == []


def test_probes_of_a_program_that_the_new_image_does_not_have(kube: Kube, tmp_path: Path) -> None:
    found = only(
        [one for one in to(running(kube, "calico/node:v3.32.1"), "v3.33.0") if one["severity"] == "minor"], FAULT
    )
    assert "/bin/calico-node" in found["summary"]

    for image, program, wrong in (
        ("v3.33.0", "/bin/calico-node", True),
        ("v3.33.0", "calico component node health", False),
        ("v3.30.3", "/bin/calico-node", False),
        ("v3.30.3", "calico component node health", True),
    ):
        (tmp_path / "calico.yaml").write_text(NEW_MANIFEST.replace("IMAGE", image).replace("PROGRAM", program))
        grave = [one for one in to(kube, image, objects=[str(tmp_path)]) if one["severity"] == "major"]
        assert bool([one for one in grave if "calico.yaml:11" in one["summary"]]) is wrong, (image, program)


def test_what_does_not_stand_still(kube: Kube) -> None:
    running(kube)
    kube.objects["daemonsets"][0]["status"]["numberReady"] = 3
    kube.objects["daemonsets"][0]["spec"]["updateStrategy"] = {"type": "OnDelete"}
    kube.condition("node-2", "Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")

    found = to(kube)

    assert ("preflight.upgrade_nodes_not_ready", "major", ["node-2"]) in shown(found)
    summaries = " ".join(one["summary"] for one in found)
    assert "has 3 of 4 pods ready" in summaries
    assert "OnDelete" in summaries


def test_pods_that_an_earlier_change_has_not_come_to(kube: Kube) -> None:
    running(kube)
    kube.objects["daemonsets"][0]["status"]["updatedNumberScheduled"] = 1

    assert "only 1 of 4 pods of its latest form" in only(to(kube), FAULT)["summary"]


def test_a_datastore_that_is_locked(kube: Kube) -> None:
    running(kube).objects["clusterinformations"] = [
        {"kind": "ClusterInformation", "metadata": {"name": "default"}, "spec": {"datastoreReady": False}}
    ]

    assert shown(to(kube)) == [(FAULT, "critical", [])]


def test_a_manifest_over_an_operators_cluster(kube: Kube, tmp_path: Path) -> None:
    running(kube).objects["installations"] = [
        {"apiVersion": "operator.tigera.io/v1", "kind": "Installation", "metadata": {"name": "default"}, "spec": {}}
    ]
    text = NEW_MANIFEST.replace("IMAGE", "v3.30.3").replace("PROGRAM", "/bin/calico-node")
    (tmp_path / "calico.yaml").write_text(text)

    found = [one for one in to(kube, objects=[str(tmp_path)]) if "both would run one on each node" in one["summary"]]

    assert [one["severity"] for one in found] == ["major"]


def test_the_move_to_the_operator_would_be_held_up(kube: Kube, tmp_path: Path) -> None:
    running(kube).objects["daemonsets"][0]["spec"]["updateStrategy"] = {"type": "OnDelete"}
    (tmp_path / "installation.yaml").write_text(INSTALLATION)
    assert not [one for one in to(kube) if one["fault"] == "operator_migration_stuck"]

    found = only(to(kube, objects=[str(tmp_path)]), "operator_migration_stuck")

    assert (found["severity"], found["role"]) == ("major", "latent")
    assert "OnDelete" in found["summary"]


def test_releases_are_told_in_their_order() -> None:
    assert [one.since for one in release_steps.CHANGES] == sorted(one.since for one in release_steps.CHANGES)
    assert release_steps.between((3, 30, 0), (3, 30, 9)) == []
    assert release_steps.skipped((3, 29, 1), (3, 30, 0)) == []


# --- planned objects ---


def test_without_objects_nothing_is_said() -> None:
    assert objects.findings(scene(recorded("bare"))) == []


def test_what_the_linter_finds_becomes_findings_with_their_place(tmp_path: Path) -> None:
    pool = "{apiVersion: projectcalico.org/v3, kind: IPPool, metadata: {name: p}, spec: {cidr: 10.244.0.0/16, SPEC}}"
    (tmp_path / "pool.yaml").write_text("---\n" + pool.replace("SPEC", "ipipMode: Always, vxlanMode: Always"))

    found = objects.findings(scene(recorded("bare"), objects=[str(tmp_path)]))

    (grave,) = [one for one in found if one["severity"] in ("major", "critical")]
    assert "pool.yaml:2: " in grave["summary"]
    assert (grave["where"]["object"], grave["where"]["line"]) == ("IPPool/p", 2)
    assert grave["nodes"] == []


def test_an_object_for_a_host_that_does_not_exist(tmp_path: Path) -> None:
    peer = (
        "{apiVersion: projectcalico.org/v3, kind: BGPPeer, metadata: {name: p}, "
        "spec: {node: NODE, peerIP: 10.200.0.254, asNumber: 64512}}"
    )
    for name, told in (("node-2", False), ("node-9", True)):
        (tmp_path / "peer.yaml").write_text(peer.replace("NODE", name))
        found = objects.findings(scene(recorded("bare"), objects=[str(tmp_path)]))
        assert bool([one for one in found if one["fault"] == "bgppeer_selects_nothing"]) is told

    # A host that was not read may be the one.
    assert not [
        one
        for one in objects.findings(scene({**recorded("bare"), "node-x": {}}, objects=[str(tmp_path)]))
        if one["fault"] == "bgppeer_selects_nothing"
    ]


def test_files_that_cannot_be_read_or_hold_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("# nothing yet\n")

    assert shown(objects.findings(scene(recorded("bare"), objects=[str(tmp_path / "empty.yaml")]))) == [
        ("preflight.objects_empty", "minor", [])
    ]
    assert shown(objects.findings(scene(recorded("bare"), objects=[str(tmp_path / "gone.yaml")]))) == [
        ("preflight.document_unreadable", "major", [])
    ]
