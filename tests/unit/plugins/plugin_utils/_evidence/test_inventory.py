# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.inventory import from_hostvars

NOW = datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)
LIMIT = 900


@pytest.fixture
def hostvars(mesh):
    return {
        name: {"ansible_facts": facts, "ansible_host": mesh.addresses[name], "collect_result": {"ansible_facts": facts}}
        for name, facts in mesh.facts.items()
    }


def missing(hostvars, now=NOW):
    evidence = from_hostvars(hostvars, list(hostvars), now, LIMIT)
    return {node.name: (node.why, node.address, node.unreachable) for node in evidence.missing}


def test_hosts_with_fresh_facts_are_all_read(hostvars):
    evidence = from_hostvars(hostvars, list(hostvars), NOW, LIMIT)
    assert list(evidence.nodes) == ["node-1", "node-2", "node-3", "node-4"]
    assert evidence.nodes["node-1"].inventory_address == "10.0.0.9"


def test_an_unreachable_host_is_missing_even_if_a_cache_has_its_facts(hostvars):
    hostvars["node-2"]["collect_result"] = {"unreachable": True, "msg": "Failed to connect\nto the host via ssh"}
    assert missing(hostvars) == {
        "node-2": ("unreachable: Failed to connect to the host via ssh", "10.0.0.10", True),
    }


@pytest.mark.parametrize(
    "result",
    [
        {"msg": "The module interpreter '/usr/bin/python3' was not found.", "rc": 127},
        {
            "ansible_facts": {"discovered_interpreter_python": "/root/.pyenv/shims/python3.13"},
            "module_stderr": "pyenv: python3.13: command not found",
            "msg": "Module result deserialization failed: No start of json char found",
            "rc": 127,
        },
        {"module_stderr": "/bin/sh: 1: /usr/bin/python3: not found\n", "rc": 127, "msg": "MODULE FAILURE"},
    ],
)
def test_a_host_without_python_is_told_as_such(hostvars, result):
    hostvars["node-2"]["collect_result"] = result
    assert missing(hostvars)["node-2"][0].startswith("no Python was found on it")


def test_a_host_that_hangs_is_told_as_such(hostvars):
    hostvars["node-2"]["collect_result"] = {"msg": "Task failed: Timed out.", "timedout": {"frame": "", "period": 15}}
    assert missing(hostvars)["node-2"][0].startswith("given up on after 15 s")
    assert "collect_node_timeout" in missing(hostvars)["node-2"][0]


def test_another_failure_of_the_module_keeps_its_message_in_one_line(hostvars):
    hostvars["node-2"]["collect_result"] = {"msg": "argument 'timeout' is of\ntype str " + "x" * 500}
    why = missing(hostvars)["node-2"][0]
    assert why.startswith("argument 'timeout' is of type str")
    assert len(why) <= 200


def test_facts_from_a_cache_are_used_while_they_are_fresh_enough(hostvars):
    del hostvars["node-2"]["collect_result"]
    assert missing(hostvars) == {}
    late = NOW + timedelta(seconds=LIMIT)
    assert "more than the 900 s allowed" in missing(hostvars, late)["node-2"][0]


def test_a_host_that_was_not_asked_and_is_in_no_cache_is_missing(hostvars):
    hostvars["node-2"] = {}
    assert missing(hostvars)["node-2"][0].startswith("it was not asked in this run")


@pytest.mark.parametrize(
    ("stamp", "why"),
    [("yesterday", "its facts in the cache carry no time"), ("2027-01-01T00:00:00Z", "s in the future")],
)
def test_facts_of_a_cache_whose_age_is_not_known_are_refused(hostvars, stamp, why):
    del hostvars["node-2"]["collect_result"]
    hostvars["node-2"]["ansible_facts"]["calico_node"]["taken_at"] = stamp
    assert why in missing(hostvars)["node-2"][0]


@pytest.mark.parametrize("stamp", ["yesterday", "2025-12-31T21:00:00Z", "2027-01-01T00:00:00Z"])
def test_facts_of_this_run_are_taken_however_wrong_the_nodes_clock_is(hostvars, stamp):
    hostvars["node-2"]["ansible_facts"]["calico_node"]["taken_at"] = stamp
    assert missing(hostvars) == {}


def test_an_inventory_name_that_is_an_address_is_the_address(hostvars):
    hostvars["10.0.0.77"] = {"collect_result": {"unreachable": True, "msg": "no route"}}
    assert missing(hostvars)["10.0.0.77"][1] == "10.0.0.77"


def test_a_machine_with_two_names_in_the_inventory_is_one_node(hostvars):
    hostvars["node-1"]["ansible_facts"]["calico_node"]["boot_id"] = "b-1"
    hostvars["same"] = hostvars["node-1"]
    evidence = from_hostvars(hostvars, list(hostvars), NOW, LIMIT)
    assert evidence.aliases == {"same": "node-1"}
    assert list(evidence.nodes) == ["node-1", "node-2", "node-3", "node-4"]
