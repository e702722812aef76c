# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who puts changes back, by what objects tell."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._object_change import owners

MODE = ("spec", "ipipMode")
IMAGE = ("spec", "containers", {"name": "calico-node"}, "image")


def written(manager, operation, owned):
    return {"metadata": {"managedFields": [{"manager": manager, "operation": operation, "fieldsV1": owned}]}}


@pytest.mark.parametrize(
    ("found", "path", "words"),
    [
        ({}, MODE, ""),
        ({"metadata": {"ownerReferences": [{"kind": "Installation", "name": "default", "controller": True}]}}, MODE,
         "Installation default, its controller"),
        ({"metadata": {"ownerReferences": [{"kind": "Installation", "name": "default"}]}}, MODE, ""),
        ({"metadata": {"labels": {"addonmanager.kubernetes.io/mode": "Reconcile"}}}, MODE, "the addon manager"),
        ({"metadata": {"labels": {"addonmanager.kubernetes.io/mode": "EnsureExists"}}}, MODE, ""),
        ({"metadata": {"annotations": {"meta.helm.sh/release-name": "calico"}}}, MODE, "Helm"),
        ({"metadata": {"annotations": {"meta.helm.sh/release-name": "calico"}}}, ("metadata", "labels", "a"), ""),
        (written("operator", "Update", {"f:spec": {"f:ipipMode": {}}}), MODE,
         "Tigera's operator, which set spec.ipipMode"),
        (written("operator", "Update", {"f:spec": {"f:natOutgoing": {}}}), MODE, ""),
        (written("kubectl-edit", "Update", {"f:spec": {"f:ipipMode": {}}}), MODE, ""),
        (written("somebody", "Apply", {"f:spec": {"f:ipipMode": {}}}), MODE, "somebody, which set spec.ipipMode"),
        (written("netmedic-calico", "Apply", {"f:spec": {"f:ipipMode": {}}}), MODE, ""),
        (written("helm", "Update", {"f:spec": {"f:containers": {'k:{"name":"calico-node"}': {"f:image": {}}}}}), IMAGE,
         "Helm, which set spec.containers[calico-node].image"),
        (written("helm", "Update", {"f:spec": {"f:containers": {'k:{"name":"other"}': {"f:image": {}}}}}), IMAGE, ""),
        (written("helm", "Update", {"f:spec": {"f:containers": {"k:{": {}}}}), IMAGE, ""),
        (written("argocd-controller", "Update", {"f:spec": {"f:containers": {}}}), IMAGE,
         "Argo CD, which set spec.containers[calico-node].image"),
    ],
)  # fmt: skip
def test_reverting(found, path, words):
    assert owners.reverting(found, [path]) == words


def test_a_whole_object():
    assert owners.reverting({"metadata": {"labels": {"app.kubernetes.io/managed-by": "Helm"}}}, None) == "Helm"
    assert owners.reverting(written("operator", "Update", {"f:spec": {}}), None) == ""


def test_who_wrote():
    assert owners.wrote(written("netmedic-calico", "Update", {}))
    assert not owners.wrote(written("kubectl-edit", "Update", {}))
    assert owners.wrote({"metadata": {}})
