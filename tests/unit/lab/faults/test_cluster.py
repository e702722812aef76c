# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What injections keep of objects, and how they give it back; the credentials that they age."""

from __future__ import annotations

import base64
import json

from lab.faults import api_access, cluster


def obj(**fields) -> dict:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "node-2", "uid": "u", "resourceVersion": "9"},
        **fields,
    }


def test_an_object_is_made_anew_without_what_the_api_sets():
    assert cluster.fresh(obj(spec={"a": 1})) == {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "node-2"},
        "spec": {"a": 1},
    }


def test_labels_annotations_and_spec_come_back_and_the_status_stays():
    before = obj(spec={"a": 1}, status={"ready": True})
    before["metadata"]["labels"] = {"os": "linux"}
    present = obj(spec={"a": 2, "taints": [{"key": "x"}]}, status={"ready": False})
    present["metadata"].update(resourceVersion="12", labels={"os": "other"}, annotations={"new": "1"})
    back = cluster.restored(before, present, status=False)
    assert back["spec"] == {"a": 1}
    assert back["status"] == {"ready": False}
    assert back["metadata"] == {"name": "node-2", "uid": "u", "resourceVersion": "12", "labels": {"os": "linux"}}


def test_of_a_status_only_the_status_comes_back():
    present = obj(spec={"a": 2}, status={"ready": False})
    back = cluster.restored(obj(spec={"a": 1}, status={"ready": True}), present, status=True)
    assert back["spec"] == {"a": 2}
    assert back["status"] == {"ready": True}


def test_a_token_is_past_its_end():
    claims = api_access.expired_token(1_000_000).split(".")[1]
    read = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert read["iat"] < read["exp"] < 1_000_000


def test_a_certificate_is_past_its_end_and_carries_no_key():
    text = api_access.kubelet_certificate("node-2", 366, -1)
    assert text.startswith("-----BEGIN CERTIFICATE-----")
    assert "PRIVATE" not in text
