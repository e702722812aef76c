# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What looks like a secret, and what only looks like it to a careless reader."""

from __future__ import annotations

import json

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._object_change import masking
from ansible_collections.netmedic.calico.plugins.module_utils._object_change.fields import ABSENT

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
PEER = {"spec": {"password": {"secretKeyRef": {"name": "bgp-secrets", "key": "rr-password"}}, "asNumber": 64512}}


@pytest.mark.parametrize(
    "found",
    [
        {"spec": {"password": "canary"}},
        {"env": [{"name": "ETCD_PASSWORD", "value": "canary"}]},
        {"url": "https://user:canary@example.org/"},
        {"metadata": {"annotations": {LAST_APPLIED: json.dumps({"spec": {"password": "canary"}})}}},
        {"metadata": {"annotations": {LAST_APPLIED: '{"spec": {"password": "can'}}},
        {"spec": {"password": {"secretKeyRef": {"name": "a", "value": "canary"}}}},
    ],
)
def test_secrets(found):
    assert masking.is_secret(found)


@pytest.mark.parametrize(
    "found",
    [
        ABSENT,
        PEER,
        {"metadata": {"annotations": {LAST_APPLIED: json.dumps(PEER)}}},
        {"env": [{"name": "IP_AUTODETECTION_METHOD", "value": "interface=eth0"}]},
        {"imagePullSecrets": [{"name": "registry"}]},
        {"automountServiceAccountToken": False},
        {"note": "x" * 20000},
    ],
)
def test_no_secrets(found):
    assert not masking.is_secret(found)


def test_references_to_secrets_are_none():
    for path in (["spec", "password", "secretKeyRef", "key"], ["spec", "nodeMeshPassword", "secretKeyRef", "name"]):
        assert not masking.is_secret("rr-password", path)
    variable = {"name": "ETCD_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "etcd", "key": "password"}}}
    assert not masking.is_secret(variable, ["env", {"name": "ETCD_PASSWORD"}])


def test_a_variable_stands_under_its_name():
    path = ["env", {"name": "ETCD_PASSWORD"}, "value"]
    assert masking.is_secret("canary", path)
    assert masking.shown("canary", path) == masking.HIDDEN
    assert masking.shown("eth0", ["env", {"name": "IFACE"}, "value"]) == "eth0"
    assert masking.shown(ABSENT, path) is None
