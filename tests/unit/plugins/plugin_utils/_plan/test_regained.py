# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.netmedic.calico.plugins.filter.worse import worse
from ansible_collections.netmedic.calico.plugins.plugin_utils._plan import ledger


def facts(peers, routes=2):
    daemon = {"peers": {"packed": {"Mesh": {"10.0.0": peers}}, "routes_imported": routes}}
    return {"calico_bgp": {"daemons": {"ipv4": daemon}}}


BEFORE = ledger.working({"a": facts("9-10"), "b": facts("9")})


def results(**found):
    return {name: {"ansible_facts": one} for name, one in found.items()}


def test_what_works_as_before_is_not_worse():
    assert worse(BEFORE, results(a=facts("9-11", 3), b=facts("9"))) == []


def test_a_lost_session_and_fewer_routes_are_told():
    assert worse(BEFORE, results(a=facts("9", 1))) == [
        "a has lost its session with 10.0.0.10",
        "a has 1 ipv4 routes, 2 before",
    ]


def test_a_host_whose_task_failed_counts_as_lost():
    assert worse(BEFORE, {"a": {"failed": True}}) == ["a could be read before and cannot any more"]


def test_a_host_whose_task_was_skipped_is_not_compared():
    assert worse(BEFORE, {"a": {"changed": False, "skipped": True}, **results(b=facts("8"))}) == [
        "b has lost its session with 10.0.0.9"
    ]


def test_nodes_with_other_addresses_have_as_many_sessions():
    assert worse(BEFORE, results(a=facts("21-22")), renumbered=True) == []
    assert worse(BEFORE, results(a=facts("21")), renumbered=True) == ["a has 1 ipv4 sessions, 2 before"]


def test_what_was_registered_on_hosts():
    hosts = {"a": {"read": results(a=facts("9"))["a"]}, "b": {}}
    assert worse(BEFORE, hosts, registered="read") == ["a has lost its session with 10.0.0.10"]


@pytest.mark.parametrize(("before", "found"), [(None, {}), ({}, "a")])
def test_what_is_no_state_is_refused(before, found):
    with pytest.raises(AnsibleFilterError, match="worse wants"):
        worse(before, found)
