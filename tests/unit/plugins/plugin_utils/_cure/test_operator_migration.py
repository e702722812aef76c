# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role operator_migration does of the operator's own steps, and what it tells of the rest."""

from __future__ import annotations

import copy
import dataclasses

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._object_change import planning
from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue.faults import BY_ID
from ansible_collections.netmedic.calico.plugins.plugin_utils._cure import operator_migration
from ansible_collections.netmedic.calico.plugins.plugin_utils._cure.model import Given
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils import kube as shapes

LABEL = "projectcalico.org/operator-node-migration"
OLD, NEW = "kube-system", "calico-system"
SECRET = {"name": "bgp", "exists": True, "keys": ["password"], "readable": True, "why": ""}


def counted(daemonset, number, ready=None):
    told = {"desiredNumberScheduled": number, "currentNumberScheduled": number, "updatedNumberScheduled": number}
    daemonset["status"] = {
        **told,
        **dict.fromkeys(("numberReady", "numberAvailable"), number if ready is None else ready),
    }


@pytest.fixture
def kube(kube):
    """A move with node-1 and node-2 taken over, and all as it should be."""
    deployment = {"metadata": {"name": "tigera-operator", "namespace": "tigera-operator"}, "kind": "Deployment"}
    labels = {"k8s-app": "tigera-operator"}
    deployment["spec"] = {
        "replicas": 1,
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "tigera-operator"}]}},
    }
    deployment["status"] = {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1}
    kube.objects["deployments"].append(deployment)
    old = kube.objects["daemonsets"][0]
    new = copy.deepcopy(old)
    new["metadata"].update(namespace=NEW, creationTimestamp=shapes.ago(7200))
    old["spec"]["template"]["spec"]["nodeSelector"][LABEL] = "pre-operator"
    new["spec"]["template"]["spec"]["nodeSelector"][LABEL] = "migrated"
    counted(old, 2)
    counted(new, 2)
    kube.objects["daemonsets"].append(new)
    for number, node in enumerate(kube.objects["nodes"]):
        node["metadata"]["labels"][LABEL] = "migrated" if number < 2 else "pre-operator"
    for name in ("node-1", "node-2"):
        kube.pod(name)["metadata"]["namespace"] = NEW
    return kube


def label(kube, name, value):
    labels = kube.node(name)["metadata"]["labels"]
    labels.pop(LABEL, None)
    if value:
        labels[LABEL] = value


def old_and_new(kube):
    return kube.objects["daemonsets"]


def told(mesh, kube):
    return dataclasses.replace(mesh.evidence(), cluster=kube.cluster())


def decide(mesh, kube, **options):
    evidence = told(mesh, kube)
    done = operator_migration.changes(Given("", tuple(mesh.addresses), mesh.facts, {}, evidence, {}, options))
    for one in done.changes:
        assert planning.trouble(one) == ""
    return done


def remedy(mesh, kube):
    fault = BY_ID["operator_migration_stuck"]
    evidence = told(mesh, kube)
    (subject,) = fault.subjects(evidence)
    return fault.fix.remedy(evidence, subject)


def test_a_move_that_goes_on_is_left_alone(mesh, kube):
    done = decide(mesh, kube)
    assert (list(done.changes), done.refused) == ([], "")
    assert done.says[:2] == ["2 nodes taken over: node-1 and node-2", "2 nodes still to come: node-3 and node-4"]
    assert "DaemonSet calico-system/calico-node: 2 of 2 pods ready" in done.says
    assert remedy(mesh, kube) is None


def test_a_node_without_the_label_gets_the_manifests_pod_back(mesh, kube):
    label(kube, "node-3", None)
    counted(old_and_new(kube)[0], 1)
    (change,) = decide(mesh, kube).changes
    assert (change["kind"], change["name"]) == ("Node", "node-3")
    assert change["set"] == [{"path": ["metadata", "labels", LABEL], "value": "pre-operator", "was": [None]}]
    found = remedy(mesh, kube)
    assert (found.role, found.variables) == ("operator_migration", {})
    label(kube, "node-3", "odd")
    assert decide(mesh, kube).changes[0]["set"][0]["was"] == ["odd"]
    # Where neither DaemonSet has anything to do, no label is lacking.
    label(kube, "node-3", None)
    kube.node("node-3")["metadata"]["labels"]["kubernetes.io/os"] = "windows"
    kube.node("node-3")["status"]["nodeInfo"]["operatingSystem"] = "windows"
    assert decide(mesh, kube).changes == []


def all_taken_over(kube):
    for name in ("node-3", "node-4"):
        label(kube, name, "migrated")
    old, new = old_and_new(kube)
    counted(old, 0)
    counted(new, 4)


def test_the_manifests_daemonset_goes_when_it_is_for_no_node(mesh, kube):
    all_taken_over(kube)
    (change,) = decide(mesh, kube).changes
    assert (change["action"], change["kind"], change["namespace"], change["name"]) == (
        "delete",
        "DaemonSet",
        OLD,
        "calico-node",
    )
    assert change["expect"]["status"]["desiredNumberScheduled"] == 0
    assert decide(mesh, kube, delete_old=False).changes == []
    counted(old_and_new(kube)[1], 4, ready=3)
    assert decide(mesh, kube).changes == []


def test_labels_by_which_nothing_selects_go(mesh, kube):
    all_taken_over(kube)
    _old, new = old_and_new(kube)
    kube.objects["daemonsets"] = [new]
    assert decide(mesh, kube).changes == []  # while it still wants the label, they stay
    del new["spec"]["template"]["spec"]["nodeSelector"][LABEL]
    changes = decide(mesh, kube).changes
    assert [(one["name"], one["set"][0]["value"]) for one in changes] == [(f"node-{n}", None) for n in (1, 2, 3, 4)]
    counted(new, 4, ready=3)
    assert decide(mesh, kube).changes == []


def test_a_node_that_came_after_the_manifests_daemonset_went(mesh, kube):
    all_taken_over(kube)
    kube.objects["daemonsets"] = [old_and_new(kube)[1]]
    label(kube, "node-4", None)
    (change,) = decide(mesh, kube).changes
    assert (change["name"], change["set"][0]["value"]) == ("node-4", "migrated")


def not_ready(kube):
    kube.not_ready("node-2")
    counted(old_and_new(kube)[1], 2, ready=1)


def no_operator(kube):
    kube.objects["deployments"] = []


def unready_operator(kube):
    kube.objects["deployments"][0]["status"] = {"replicas": 1}


def addon_manager(kube):
    old_and_new(kube)[0]["metadata"]["labels"] = {"addonmanager.kubernetes.io/mode": "Reconcile"}


def on_delete(kube):
    old_and_new(kube)[0]["spec"]["updateStrategy"] = {"type": "OnDelete"}


def no_typha(kube):
    kube.typha("10.0.0.12")
    typha = kube.objects["deployments"][-1]
    typha["metadata"]["namespace"] = NEW
    typha["status"] = {"replicas": 2, "availableReplicas": 1}
    typha["spec"]["replicas"] = 2


@pytest.mark.parametrize(
    ("happens", "words", "line"),
    [
        (not_ready, "the operator goes on when it is ready", "kubectl describe pod -n calico-system"),
        (no_operator, "The operator is not there", "kubectl get deployments -A"),
        (unready_operator, "The operator itself is not ready", "kubectl get pods -n tigera-operator"),
        (no_typha, "calico-system/calico-typha has 1 of 2 pods available", "kubectl describe pods -n calico-system"),
        (addon_manager, "The addon manager keeps kube-system/calico-node", "addonmanager.kubernetes.io/mode-"),
        (on_delete, "has the update strategy OnDelete", '"type":"RollingUpdate"'),
    ],
)
def test_what_a_person_must_do_is_refused_and_told(mesh, kube, happens, words, line):
    happens(kube)
    done = decide(mesh, kube)
    assert list(done.changes) == []
    assert words in done.refused
    assert line in "\n".join(done.says)
    assert remedy(mesh, kube) is None


def passwords(kube, *secrets):
    reference = {"secretKeyRef": {"name": "bgp", "key": "password"}}
    spec = {"nodeMeshPassword": reference}
    kube.objects["bgpconfigurations"] = [{"kind": "BGPConfiguration", "metadata": {"name": "default"}, "spec": spec}]
    kube.more["secrets"] = list(secrets)


def test_a_password_that_was_not_moved_is_another_roles(mesh, kube):
    passwords(kube, {**SECRET, "namespace": OLD}, {**SECRET, "namespace": NEW, "exists": False, "keys": []})
    done = decide(mesh, kube)
    assert "bgp is not readable in calico-system" in done.refused
    assert "The role bgp_password repairs that." in " ".join(done.says)
    found = remedy(mesh, kube)
    assert (found.role, found.variables) == ("bgp_password", {"bgp_password_namespace": NEW})


def test_before_the_move(mesh, kube):
    old, _new = old_and_new(kube)
    kube.objects["daemonsets"] = [old]
    for name in ("node-1", "node-2", "node-3", "node-4"):
        label(kube, name, None)
    assert decide(mesh, kube, gate=True).says == ["No move to the operator is under way."]
    passwords(kube, {**SECRET, "namespace": OLD})
    done = decide(mesh, kube)
    assert (done.refused, "It would be held up" in done.says[1]) == ("", True)
    assert "would be held up" in decide(mesh, kube, gate=True).refused


def test_the_api_must_have_told(mesh, kube):
    done = operator_migration.changes(Given("", tuple(mesh.addresses), mesh.facts, {}, mesh.evidence(), {}, {}))
    assert done.more == {"ask": True}
    kube.status["deployments"] = "forbidden"
    assert "deployments" in decide(mesh, kube).refused
