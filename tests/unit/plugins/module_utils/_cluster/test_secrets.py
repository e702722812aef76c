# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets: their names, never more."""

from __future__ import annotations

import time

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._cluster import asking, secrets

NAME = "/api/v1/namespaces/calico-system/secrets/bgp-secrets"


def peer(reference):
    return {"spec": {"password": reference}}


def test_which_are_named():
    mesh = {"spec": {"nodeMeshPassword": {"secretKeyRef": {"name": "mesh"}}}}
    found = [
        peer({"secretKeyRef": {"name": name}}) for name in ("a", "a", "../../nodes", "b.c-d", "", None, 5, "x" * 400)
    ]
    assert secrets.named([mesh, None, {}], [*found, peer("text"), peer(None)]) == ["mesh", "a", "b.c-d"]


@pytest.fixture
def look(transport, monkeypatch):
    monkeypatch.setattr(asking, "_FIRST_WAIT", 0.01)
    asker = asking.Asker(transport, 5.0, time.monotonic() + 30)
    return lambda account="calico-node": secrets.look(asker, "calico-system", "bgp-secrets", account)


def test_there(look, canary):
    found = look()
    assert found == {
        "namespace": "calico-system",
        "name": "bgp-secrets",
        "exists": True,
        "keys": ["other", "rr"],
        "readable": True,
        "why": "",
    }


@pytest.mark.parametrize("hook", [("code", 500), ("raw", b'{"data": {"rr": "canary'), ("raw", b"canary"), ("half",)])
def test_errors_repeat_nothing(look, api, answer_with, hook):
    api.hooks[NAME] = getattr(answer_with, hook[0])(*hook[1:])
    found = look()
    assert found["exists"] is None
    assert found["why"]
    assert "canary" not in str(found)


@pytest.mark.parametrize("data", [None, 5, [], {"k": None}, {"k": {"x": "canary"}}])
def test_secrets_of_any_shape(look, api, data):
    api.objects["/api/v1/secrets"][0]["data"] = data
    assert "canary-" not in str(look())


def test_an_account_that_is_not_known(look):
    found = look("")
    assert (found["readable"], found["why"]) == (None, "the service account of calico-node is not known")


def test_what_the_move_to_the_operator_left_behind(transport, api):
    asker = asking.Asker(transport, 5.0, time.monotonic() + 30)
    gone = {"namespace": "kube-system", "name": "bgp-secrets", "exists": False}
    (found,) = secrets.left_behind(asker, [gone])
    assert (found["namespace"], found["exists"], found["keys"]) == ("calico-system", True, ["other", "rr"])
    assert found["readable"] is None
    assert secrets.left_behind(asker, [gone, {**gone, "namespace": "calico-system"}]) == []
    assert secrets.left_behind(asker, [{**gone, "exists": None}]) == []
