# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each mistake in a variable is one sentence: what, which value, and what is allowed."""

from __future__ import annotations

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.role_options import ROLES
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.variables import complaints


def fits(spec, value):
    told = {key: one for key, one in spec.items() if key != "description"}
    return not ArgumentSpecValidator({"value": told}).validate({"value": value}).error_messages


def of(role, **given):
    text = (ROLES / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    return complaints(yaml.safe_load(text)["argument_specs"]["main"]["options"], given, fits)


CHECK = {"id": "swap", "expression": "a", "message": "b"}
KNOWN = "id, expression, message and perhaps severity, scope"


@pytest.mark.parametrize(
    ("role", "given", "sentence"),
    [
        (
            "report",
            {"report_fail_on": "nonsense"},
            'report_fail_on is "nonsense"; it must be one of info, minor, major, critical, never.',
        ),
        ("diagnose", {"diagnose_max_age": "soon"}, 'diagnose_max_age is "soon"; it must be a whole number.'),
        ("diagnose", {"diagnose_max_age": "-1"}, "diagnose_max_age is -1; it must be a whole number, 0 or greater."),
        ("collect", {"collect_timeout": 0}, "collect_timeout is 0; it must be a whole number, greater than 0."),
        (
            "preflight",
            {"preflight_probe_timeout": float("nan")},
            "preflight_probe_timeout is nan; it must be a number, greater than 0.",
        ),
        (
            "collect",
            {"collect_api_timeout": float("inf")},
            "collect_api_timeout is inf; it must be a number, greater than 0.",
        ),
        ("diagnose", {"diagnose_nodes": {"a": 1}}, 'diagnose_nodes is {"a": 1}; it must be a list of texts.'),
        (
            "diagnose",
            {"diagnose_checks": "x"},
            f'diagnose_checks is "x"; it must be a list of mappings with {KNOWN}.',
        ),
        ("diagnose", {"diagnose_checks": ["x"]}, f'diagnose_checks[0] is "x"; it must be a mapping with {KNOWN}.'),
        (
            "diagnose",
            {"diagnose_checks": [CHECK, {**CHECK, "severity": "bad"}]},
            'diagnose_checks[1].severity is "bad"; it must be one of info, minor, major, critical.',
        ),
        (
            "diagnose",
            {"diagnose_checks": [{**CHECK, "expression": ["a"]}]},
            'diagnose_checks[0].expression is ["a"]; it must be a text.',
        ),
        (
            "diagnose",
            {"diagnose_checks": [{**CHECK, "sevrity": "info"}]},
            f'diagnose_checks[0] has "sevrity", which is not known; known are {KNOWN}.',
        ),
        (
            "diagnose",
            {"diagnose_waivers": [{"fault": "x", "node": "*", "reason": "y"}]},
            "diagnose_waivers[0] has no expires; it needs one.",
        ),
        ("collect", {"collect_probe": "perhaps"}, 'collect_probe is "perhaps"; it must be true or false.'),
        ("analyze", {}, "analyze_bundles is not set; it must be a list of paths."),
    ],
)
def test_a_mistake_is_a_sentence(role, given, sentence):
    assert of(role, **given) == [sentence]


def test_what_is_right_gives_none():
    assert of("diagnose", diagnose_max_age="60", diagnose_checks=[CHECK], diagnose_waivers=[], other=1) == []
    assert of("report", report_fail_on="never", report_fail_on_incomplete="yes") == []
    assert of("diagnose", diagnose_earlier_reports=None) == []


def test_all_mistakes_are_told_and_none_at_length():
    found = of("report", report_fail_on="x" * 5000, report_width="wide")
    assert len(found) == 2
    assert all(len(one) < 200 for one in found)


def test_what_must_not_be_logged_is_not_shown():
    options = {"key": {"type": "int", "no_log": True}}
    assert complaints(options, {"key": "hush"}, fits) == [
        "key is a value that is not shown; it must be a whole number."
    ]


@pytest.mark.parametrize(
    "given",
    [{"a": "hush"}, "hush", ["hush"], [{"name": "n", "type": "slack", "configuration": "hush"}]],
)
def test_secrets_in_notifications_of_awx_are_not_shown_however_they_are_given(given):
    told = of(
        "awx", awx_inventory="i", awx_credentials=["c"], awx_keep_dir="/k", awx_image="m", awx_notifications=given
    )
    assert len(told) == 1
    assert "a value that is not shown" in told[0]
    assert "hush" not in told[0]


def test_what_is_needed_may_not_be_empty():
    """AWX would take what comes before it, and stop halfway."""
    found = of("awx", awx_inventory="", awx_credentials=["c"], awx_keep_dir="/k", awx_image="")
    assert sorted(found) == ["awx_image is empty; it must be a text.", "awx_inventory is empty; it must be a text."]
