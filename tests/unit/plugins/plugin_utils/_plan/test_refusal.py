# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._plan.make import plan
from ansible_collections.netmedic.calico.plugins.plugin_utils._plan.model import Wishes
from ansible_collections.netmedic.calico.plugins.plugin_utils._plan.refusal import most_hosts

NOW = datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)
BLOCKED = "tcp179_blocked_host_firewall"
WISHES = Wishes(bundle="/saved", inventory=("a", "b", "c", "d"))
FORBIDDEN = {"flavour": {"provider": "aks", "forbids": ["Microsoft runs Calico; open a ticket."]}}


@pytest.mark.parametrize(
    ("wishes", "more", "why"),
    [
        ({"bundle": ""}, {}, "The evidence was not saved"),
        ({"max_age": 29}, {}, "30 s old, and remediate_max_age allows 29 s"),
        ({}, FORBIDDEN, "open a ticket"),
        ({"inventory": ("b",)}, {}, "not in the inventory (or left out by --limit): a."),
        ({"approved": "0123456789ab"}, {}, "no longer the one that was agreed to"),
        ({"max_nodes": "0"}, {}, "changes 1 hosts, and remediate_max_nodes=0 allows 0 of 4"),
        ({}, {"collected": {"first": "", "last": ""}}, "No node was read"),
    ],
)
def test_each_reason_is_one_sentence(found, report, wishes, more, why):
    made = plan(report(found(BLOCKED, "a"), **more), WISHES._replace(**wishes), NOW)

    assert why in made["refused"]
    assert "\n" not in made["refused"]


@pytest.mark.parametrize("wishes", [{"max_age": 30}, {"max_nodes": "1"}, {"managed": True}])
def test_what_is_allowed_is_not_refused(found, report, wishes):
    more = FORBIDDEN if "managed" in wishes else {}

    assert plan(report(found(BLOCKED, "a"), **more), WISHES._replace(**wishes), NOW)["refused"] == ""


def test_objects_are_changed_from_the_controller_only(found, report):
    through = report(found(BLOCKED, "a", hosts=[]))
    made = plan(through, WISHES._replace(api_host="master-1"), NOW)

    assert (
        "netmedic.calico.bgp_firewall), which is done from the controller, and collect_api_host is master-1"
        in made["refused"]
    )
    assert plan(through, WISHES, NOW)["refused"] == ""
    assert plan(report(found(BLOCKED, "a")), WISHES._replace(api_host="master-1"), NOW)["refused"] == ""


def test_the_plan_that_was_agreed_to_is_carried_out(found, report):
    agreed = plan(report(found(BLOCKED, "a")), WISHES, NOW)["id"]

    assert plan(report(found(BLOCKED, "a")), WISHES._replace(approved=agreed), NOW)["refused"] == ""


def test_where_nothing_is_to_be_repaired_nothing_is_refused(report):
    assert plan(report(), Wishes(), NOW)["refused"] == ""


def test_more_hosts_than_a_quarter_of_the_cluster_want_a_word(found, report):
    made = plan(report(found(BLOCKED, "a"), found(BLOCKED, "b")), WISHES, NOW)

    assert "changes 2 hosts, and remediate_max_nodes=25% allows 1 of 4" in made["refused"]


@pytest.mark.parametrize(
    ("limit", "known", "most"), [("3", 100, 3), ("25%", 100, 25), ("25%", 3, 1), ("0", 9, 0), (" 50% ", 9, 4)]
)
def test_numbers_and_shares(limit, known, most):
    assert most_hosts(limit, known) == most


@pytest.mark.parametrize("limit", ["", "-1", "101%", "many", "2.5"])
def test_other_limits_are_refused(limit):
    with pytest.raises(ValueError, match=r"^$|-1|101%|many|2\.5|invalid literal"):
        most_hosts(limit, 4)


def test_a_plan_that_was_agreed_to_and_has_nothing_left_asks_for_no_other_agreement(report):
    told = plan(report(), WISHES._replace(approved="0123456789ab"), NOW)["refused"]
    assert "0123456789ab" in told
    assert "nothing is to be repaired now" in told


@pytest.mark.parametrize(("verdict", "refused"), [("faulty", True), ("undetermined", True), ("healthy", False)])
def test_an_empty_plan_of_nodes_not_read_as_root_is_no_good_news(report, verdict, refused):
    coverage = {"nodes": {"expected": 4, "collected": 4}, "without_root": ["a", "b"]}
    told = plan(report(coverage=coverage, verdict=verdict), WISHES, NOW)["refused"]
    assert ("a, b: not read as root" in told) is refused
    assert ("--become" in told) is refused
