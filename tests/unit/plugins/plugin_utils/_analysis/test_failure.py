# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts.packing import pack
from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.failure import failure
from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse

NOW = datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)


@pytest.fixture
def faulty(mesh):
    mesh.break_session("node-2", "node-3")
    return analyse(mesh.evidence(), NOW)


@pytest.mark.parametrize("level", ["info", "minor", "major"])
def test_a_finding_at_or_above_the_level_fails_and_is_named(faulty, level):
    assert "undetermined on" in failure(faulty, level, incomplete=False)


@pytest.mark.parametrize("level", ["critical", "never"])
def test_a_finding_below_the_level_does_not_fail(faulty, level):
    assert failure(faulty, level, incomplete=False) == ""


def test_a_waived_finding_does_not_fail(faulty):
    for finding in faulty["findings"]:
        finding["waived"] = {"reason": "known"}
    assert failure(faulty, "major", incomplete=False) == ""


def test_missing_nodes_fail_only_where_that_is_asked_for(mesh):
    mesh.lose("node-4", address="")
    report = analyse(mesh.evidence(), NOW)
    assert failure(report, "major", incomplete=False) == ""
    assert failure(report, "major", incomplete=True) == "The evidence is incomplete: 3 of 4 nodes were read."


def test_an_unknown_level_is_refused_with_the_known_ones(faulty):
    with pytest.raises(ValueError, match="fail_on must be one of info, minor, major, critical, never, not 'bad'"):
        failure(faulty, "bad", incomplete=False)


def test_a_run_that_read_no_node_always_fails(mesh):
    for name in list(mesh.facts):
        mesh.lose(name)
    report = analyse(mesh.evidence(), NOW)
    assert failure(report, "never", incomplete=False).startswith("No node could be read")


def test_a_run_that_could_ask_no_bird_fails_and_names_the_way_out(mesh):
    for name in mesh.facts:
        mesh.facts[name]["calico_node"]["privileged"] = False
        mesh.daemon(name)["socket_state"] = "denied"
        mesh.daemon(name)["peers"] = {}
    told = failure(analyse(mesh.evidence(), NOW), "major", incomplete=False)
    assert told.startswith("BIRD could be asked on none of the nodes")
    assert told.endswith("run again with --become.")


def test_a_node_without_any_session_is_not_healthy_as_long_as_nobody_knows_that_it_shall_have_none(mesh):
    daemon = mesh.daemon("node-4")
    daemon["peers"] = {"total": 0, "established": 0, "packed": {}}
    for name in ("node-1", "node-2", "node-3"):
        up = [mesh.addresses[other] for other in ("node-1", "node-2", "node-3") if other != name]
        mesh.daemon(name)["peers"] = {"total": 2, "established": 2, "packed": {"Mesh": pack(up)}}
    report = analyse(mesh.evidence(), NOW)
    assert report["verdict"] == "undetermined"
    assert "node-4 has no BGP session" in report["notes"][0]["says"]
    assert failure(report, "major", incomplete=True)


def test_an_api_that_was_asked_in_vain_makes_the_evidence_incomplete(mesh):
    report = analyse(mesh.evidence(), NOW)
    report["coverage"]["api"].update(asked=True, reached=False, why="It does not answer.")
    assert failure(report, "major", incomplete=False) == ""
    assert "It does not answer" in failure(report, "major", incomplete=True)
