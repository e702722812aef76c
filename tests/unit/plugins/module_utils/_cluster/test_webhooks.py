# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which admission webhooks are asked about Calico's pods."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._cluster import webhooks

POD_RULE = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}
PLACE = ("kube-system", {"team": "net"}, {"k8s-app": "calico-node"})


def is_asked(rule=None, **more):
    return bool(webhooks.matching({"webhooks": [{"rules": [{**POD_RULE, **(rule or {})}], **more}]}, [PLACE]))


@pytest.mark.parametrize(
    ("rule", "asked"),
    [
        ({}, True),
        ({"resources": ["*"]}, True),
        ({"resources": ["*/*"]}, True),
        ({"resources": ["pods/status"]}, False),
        ({"resources": ["deployments"]}, False),
        ({"operations": ["*"]}, True),
        ({"operations": ["DELETE"]}, False),
        ({"operations": ["UPDATE"]}, True),
        ({"apiGroups": ["*"]}, True),
        ({"apiGroups": ["apps"]}, False),
        ({"apiVersions": ["v2"]}, False),
        ({"scope": "Cluster"}, False),
        ({"scope": "Namespaced"}, True),
    ],
)
def test_rules(rule, asked):
    assert is_asked(rule) is asked


@pytest.mark.parametrize(
    ("selector", "asked"),
    [
        ({}, True),
        ({"matchLabels": {"team": "net"}}, True),
        ({"matchLabels": {"team": "other"}}, False),
        (
            {
                "matchExpressions": [
                    {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system"]}
                ]
            },
            False,
        ),
        (
            {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["kube-system"]}]},
            True,
        ),
        ({"matchExpressions": [{"key": "control-plane", "operator": "DoesNotExist"}]}, True),
        ({"matchExpressions": [{"key": "team", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "nobody", "operator": "NotIn", "values": ["x"]}]}, True),
        ({"matchExpressions": [{"key": "team", "operator": "New"}]}, True),
        ({"matchExpressions": [None, 5]}, True),
    ],
)
def test_namespaces(selector, asked):
    assert is_asked(namespaceSelector=selector) is asked


def test_objects():
    assert is_asked(objectSelector={"matchLabels": {"k8s-app": "calico-node"}})
    assert not is_asked(objectSelector={"matchLabels": {"inject": "true"}})


@pytest.mark.parametrize("wrong", [{}, {"webhooks": None}, {"webhooks": [None, 5, {"rules": 5}]}])
def test_configurations_of_any_shape(wrong):
    assert webhooks.matching(wrong, [PLACE]) == {}
    assert webhooks.services([wrong]) == []


def test_endpoints():
    client = {"service": {"namespace": "n", "name": "s"}}
    configurations = [{"webhooks": [{"clientConfig": client}, {"clientConfig": {"url": "https://h"}}]}]
    assert webhooks.services(configurations) == [("n", "s")]
    slices = [{"endpoints": [{"conditions": {"ready": True}}, {"conditions": {"ready": False}}, {}]}, {}]
    webhooks.note_ready(configurations, {("n", "s"): webhooks.count_ready(slices)})
    assert client["service"]["endpointsReady"] == 2
