# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.ranking import rank
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import evidence_of

REJECTED, STUCK = "bird_config_rejected", "bird_reload_stuck"
CHECK_FAILED = {"kind": "config_error", "text": "Config check failed: exit status 1", "at": "2026-01-01T00:00:00Z"}


def spoil(mesh, written=300, configured=4000, **config):
    mesh.daemon("node-2")["reconfigured_seconds_ago"] = configured
    mesh.daemon("node-2")["config"].update(
        path="/etc/calico/confd/config/bird.cfg",
        modified_seconds_ago=written,
        newer_than_running=written + 1 < configured,
        **config,
    )


def told(mesh):
    return [(item.fault.id, item.subject.nodes, item.role, item.severity) for item in rank(mesh.evidence())]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"duplicate_names": ["Mesh_10_0_0_9"]}, "Mesh_10_0_0_9 is defined twice"),
        ({"unbalanced": "a } without its {"}, "a } without its {"),
    ],
)
def test_a_file_that_bird_refuses_is_told_though_all_sessions_are_up(mesh, config, words):
    spoil(mesh, **config)
    first, *rest = rank(mesh.evidence())
    assert (first.fault.id, first.subject.nodes, first.severity) == (REJECTED, ("node-2",), "major")
    assert [(item.fault.id, item.role) for item in rest] == [(STUCK, "consequence")]
    told_so = first.fault.summary(mesh.evidence(), first.subject)
    assert words in told_so
    assert "on its next start it has none" in told_so


def test_a_file_written_a_second_ago_is_not_said_to_be_taken(mesh):
    spoil(mesh, written=6, configured=7, unbalanced="a } without its {")
    assert [fault for fault, *_rest in told(mesh)] == [REJECTED]


def test_a_file_that_bird_took_is_well_whatever_we_read_in_it(mesh):
    spoil(mesh, written=4000, configured=300, unbalanced="a } without its {")
    assert told(mesh) == []


def test_a_refusal_in_the_log_is_told(mesh):
    spoil(mesh, written=4000, configured=3990)
    mesh.bgp("node-2")["log"] = [CHECK_FAILED]
    (item,) = rank(mesh.evidence())
    assert item.fault.id == REJECTED
    assert "goes on with an older one" in item.fault.summary(mesh.evidence(), item.subject)


def test_why_bird_does_not_start_is_told_before_that_it_does_not(mesh):
    spoil(mesh, duplicate_names=["Mesh_10_0_0_9"])
    mesh.daemon("node-2").update(running=False, socket_state="absent", reconfigured_seconds_ago=None)
    mesh.bgp("node-2")["listeners"] = []
    found = {fault: role for fault, _nodes, role, _severity in told(mesh)}
    assert found == {REJECTED: "cause", "bird_not_running": "consequence"}


def test_a_file_that_is_only_newer_is_told_as_minor(mesh):
    spoil(mesh)
    assert told(mesh) == [(STUCK, ("node-2",), "cause", "minor")]


def test_a_file_that_is_on_its_way_to_bird_is_well(mesh):
    spoil(mesh, written=20)
    assert told(mesh) == []


STAMP = "2026-01-01T00:{:02d}:00Z"


def refused(mesh, minutes_ago, written, configured):
    """A check failed so many minutes before the node was looked at; the file that is there is well."""
    spoil(mesh, written=written, configured=configured)
    mesh.facts["node-2"]["calico_node"]["taken_at"] = STAMP.format(50)
    mesh.bgp("node-2")["log"] = [{**CHECK_FAILED, "at": STAMP.format(50 - minutes_ago)}]


def test_a_refusal_before_bird_was_configured_is_over(mesh):
    refused(mesh, 30, written=610, configured=600)
    assert told(mesh) == []


def test_a_file_that_is_newer_than_what_bird_took_is_not_over(mesh):
    refused(mesh, 30, written=300, configured=600)
    assert REJECTED in [fault for fault, *_rest in told(mesh)]


def test_a_refusal_after_bird_was_configured_is_not_over(mesh):
    refused(mesh, 5, written=4000, configured=3990)
    assert [fault for fault, *_rest in told(mesh)] == [REJECTED]


@pytest.mark.parametrize(("minutes", "over"), [(5, True), (1, False)])
def test_a_bird_that_runs_what_is_called_for_has_nothing_refused(mesh, kube, minutes, over):
    refused(mesh, minutes, written=4000, configured=3990)
    found = rank(evidence_of(mesh, kube))
    assert (REJECTED not in {item.fault.id for item in found}) is over


def test_where_there_are_filters_sessions_do_not_tell_that_it_is_over(mesh, kube):
    refused(mesh, 5, written=4000, configured=3990)
    kube.objects["bgpfilters"] = [{"kind": "BGPFilter", "metadata": {"name": "out"}, "spec": {}}]
    kube.status["bgpfilters"] = "ok"
    assert REJECTED in {item.fault.id for item in rank(evidence_of(mesh, kube))}
