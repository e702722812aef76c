# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._plan.make import plan
from ansible_collections.netmedic.calico.plugins.plugin_utils._plan.model import Wishes

NOW = datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)
BLOCKED, SKEWED, OUTDATED = "tcp179_blocked_host_firewall", "clock_skew", "calico_bug_passive"
WISHES = Wishes(bundle="/saved", inventory=("a", "b", "c", "d"), max_nodes="4")


def test_what_others_stand_on_comes_first_and_one_role_does_at_once_what_is_the_same(found, report):
    made = plan(report(found(BLOCKED, "a"), found(SKEWED, "b", role="time_sync"), found(BLOCKED, "c")), WISHES, NOW)

    steps = [(step["number"], step["role"], step["hosts"], step["faults"]) for step in made["steps"]]
    assert steps == [
        (1, "netmedic.calico.time_sync", ["b"], [SKEWED]),
        (2, "netmedic.calico.bgp_firewall", ["a", "c"], [BLOCKED]),
    ]
    assert made["refused"] == ""


def test_other_variables_are_another_step(found, report):
    made = plan(report(found(BLOCKED, "a", variables={"x": 1}), found(BLOCKED, "b", variables={"x": 2})), WISHES, NOW)

    assert [step["vars"] for step in made["steps"]] == [{"x": 1}, {"x": 2}]


def test_a_fault_without_a_role_is_for_a_person(found, report):
    made = plan(report(found(OUTDATED, "a", role="")), WISHES, NOW)

    assert not made["steps"]
    assert [one["fault"] for one in made["manual"]] == [OUTDATED]


@pytest.mark.parametrize("role", ["consequence", "not_a_fault"])
def test_what_only_follows_is_not_repaired(found, report, role):
    made = plan(report(found(BLOCKED, "a") | {"role": role}), WISHES, NOW)

    assert not made["steps"] + made["left"] + made["manual"]


def test_a_guess_is_nothing_to_act_on(found, report):
    made = plan(report(found(OUTDATED, "a", role="") | {"guess": True}), WISHES, NOW)

    assert not made["steps"] + made["left"] + made["manual"]


@pytest.mark.parametrize(
    ("change", "wishes", "why"),
    [
        ({"waived": {"reason": "is known"}}, {}, "it is waived: is known"),
        (
            {"confidence": 0.79},
            {},
            "only 79% sure; from 80% on it may be repaired unseen. If a look at the hosts confirms it",
        ),
        ({"confidence": 0.49}, {"consent": frozenset([BLOCKED])}, "only 49% sure"),
        ({"alternatives": [{"fault": "x", "confidence": 0.4, "told_apart_by": "y"}]}, {}, "may as well be x (40%): y"),
        ({}, {"only": (SKEWED,)}, "not among the faults of remediate_only"),
    ],
)
def test_what_is_not_allowed_is_left_with_a_reason(found, report, change, wishes, why):
    made = plan(report(found(BLOCKED, "a") | change), WISHES._replace(**wishes), NOW)

    assert not made["steps"]
    assert why in made["left"][0]["why"]


def test_somebody_who_has_looked_may_agree_to_what_is_less_sure(found, report):
    unsure = report(found(BLOCKED, "a") | {"confidence": 0.5})

    assert "remediate_consent=[tcp179_blocked_host_firewall]" in plan(unsure, WISHES, NOW)["left"][0]["why"]
    assert plan(unsure, WISHES._replace(consent=frozenset([BLOCKED])), NOW)["steps"]


def test_what_a_fault_brings_about_itself_is_no_other_explanation(found, report):
    rival = {"fault": "tcp179_blocked_network", "confidence": 0.7, "told_apart_by": ""}
    wrong = found("wrong_ip_autodetection", role="ip_autodetection") | {"alternatives": [rival]}

    assert [step["faults"] for step in plan(report(wrong), WISHES, NOW)["steps"]] == [["wrong_ip_autodetection"]]


def test_more_risk_wants_consent(found, report):
    risky = report(found(BLOCKED, "a", risk="medium"))

    assert "remediate_consent=[tcp179_blocked_host_firewall]" in plan(risky, WISHES, NOW)["left"][0]["why"]
    assert plan(risky, WISHES._replace(consent=frozenset((BLOCKED,))), NOW)["steps"]
    assert plan(risky, WISHES._replace(max_risk="medium"), NOW)["steps"]


def test_the_id_is_of_what_is_done_and_not_of_the_words(found, report):
    first = plan(report(found(BLOCKED, "a")), WISHES, NOW)
    again = plan(report(found(BLOCKED, "a") | {"summary": "in other words"}, generated_at="later"), WISHES, NOW)
    other = plan(report(found(BLOCKED, "b")), WISHES, NOW)

    assert first["id"] == again["id"] != other["id"]


def test_what_several_findings_ask_of_a_person_is_told_once(found, report):
    same = [found(OUTDATED, "a", role="", where={"field": field}) for field in ("tunl0", "vxlan.calico")]
    made = plan(report(*same, found(OUTDATED, "b", role="")), WISHES, NOW)
    assert [one["nodes"] for one in made["manual"]] == [["a"], ["b"]]
