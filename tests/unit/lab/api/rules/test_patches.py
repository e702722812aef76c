# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PATCH: which content types are taken, and how bodies are read."""

from __future__ import annotations

import pytest

from lab.api.errors import ApiError
from lab.api.kinds import KINDS
from lab.api.rules import patches

POOL = KINDS.find("ippools.crd.projectcalico.org")
DAEMON_SET = KINDS.find("daemonsets.apps")
CONFIG_MAP = KINDS.find("configmaps")


def test_custom_kinds_take_no_strategic_merge_patch():
    with pytest.raises(ApiError) as refused:
        patches.apply(patches.STRATEGIC, {}, {}, POOL)
    assert (refused.value.code, refused.value.reason) == (415, "UnsupportedMediaType")
    assert refused.value.message == (
        "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, "
        "application/merge-patch+json, application/apply-patch+yaml"
    )


def test_the_content_type_may_have_parameters():
    assert patches.apply(f"{patches.MERGE}; charset=utf-8", {"a": 1}, {"b": 2}, POOL) == {"a": 1, "b": 2}


def test_applying_wants_a_manager():
    with pytest.raises(ApiError) as refused:
        patches.apply(patches.APPLY, None, {}, CONFIG_MAP)
    assert refused.value.code == 422
    assert refused.value.message == (
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
    )


def test_force_is_for_applying_only():
    with pytest.raises(ApiError, match=r"force: Forbidden: may not be specified for non-apply patch"):
        patches.apply(patches.MERGE, {}, {}, CONFIG_MAP, manager="me", force=True)


@pytest.mark.parametrize("content_type", [patches.JSON, patches.MERGE, patches.STRATEGIC])
def test_what_is_no_json_is_a_bad_request(content_type):
    for body in (b"", b"{", b"\xff", b"[1,]", b'{"a": NaN}', b"[" * 100_000):
        with pytest.raises(ApiError) as refused:
            patches.decode(content_type, body)
        assert refused.value.code == 400


def test_applied_configurations_are_yaml():
    read = patches.decode(patches.APPLY, b"kind: X\nwhen: 2026-01-01\n1: [yes, null]\n")
    assert read == {"kind": "X", "when": "2026-01-01", "1": [True, None]}
    with pytest.raises(ApiError, match="error converting YAML to JSON"):
        patches.decode(patches.APPLY, b"{")


@pytest.mark.parametrize("content_type", [patches.JSON, patches.MERGE, patches.STRATEGIC])
@pytest.mark.parametrize("patch", [None, 1, "x", True, [1]])
def test_a_patch_of_the_wrong_type_is_a_bad_request(content_type, patch):
    with pytest.raises(ApiError) as refused:
        patches.apply(content_type, {}, patch, DAEMON_SET)
    assert refused.value.code == 400


def test_neither_the_object_nor_the_patch_is_changed():
    current = {"metadata": {"labels": {"a": "1"}}, "spec": {"template": {"spec": {"containers": [{"name": "a"}]}}}}
    patch = {"metadata": {"labels": {"a": None}}, "spec": {"template": {"spec": {"containers": [{"name": "b"}]}}}}
    for content_type in (patches.MERGE, patches.STRATEGIC):
        patches.apply(content_type, current, patch, DAEMON_SET)
    assert current["metadata"] == {"labels": {"a": "1"}}
    assert patch["metadata"] == {"labels": {"a": None}}
    assert current["spec"]["template"]["spec"]["containers"] == [{"name": "a"}]


def test_nesting_without_end_is_refused():
    deep: dict = {}
    for _level in range(5000):
        deep = {"a": deep}
    with pytest.raises(ApiError, match="exceeded max depth"):
        patches.apply(patches.MERGE, {}, deep, POOL)
