# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._render.metrics import FAULTS_PER_NODE, metrics
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._render import told_reports as told

openmetrics = pytest.importorskip("prometheus_client.openmetrics.parser", reason="prometheus_client is not here")
older = pytest.importorskip("prometheus_client.parser", reason="prometheus_client is not here")


def samples(report, cluster=""):
    """The samples by name and labels, as both of Prometheus' own parsers read them."""
    text = metrics(report, cluster)
    found = [sample for family in openmetrics.text_string_to_metric_families(text) for sample in family.samples]
    assert found == [sample for family in older.text_string_to_metric_families(text) for sample in family.samples]
    assert all(sample.timestamp is None for sample in found)
    by_key = {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in found}
    assert len(by_key) == len(found)
    return {
        (name.removeprefix("netmedic_calico_"), *(value for _label, value in labels)): value
        for (name, labels), value in by_key.items()
    }


def test_a_healthy_mesh(mesh):
    found = samples(told.of(mesh))
    assert found["verdict", "healthy"] == 1
    assert found["verdict", "faulty"] == 0
    assert found["nodes", "collected"] == 4
    assert found["sessions", "established"] == 6
    assert found["node_read", "node-1"] == 1
    assert found["node_sessions", "node-1", "established"] == 3
    assert found["report_timestamp_seconds",] == 1767225630
    assert not [key for key in found if key[0] == "node_fault"]


def test_what_was_found_is_told_by_fault_and_by_node(mesh):
    mesh.break_session("node-2", "node-3")
    mesh.block("node-2", ["node-3"])
    mesh.lose("node-4")
    found = samples(told.of(mesh))
    assert found["fault_nodes", "tcp179_blocked_host_firewall", "major"] == 1
    assert found["node_fault", "tcp179_blocked_host_firewall", "node-2", "major"] == 1
    assert found["node_severity", "node-2"] == 2
    assert found["node_sessions", "node-3", "down"] == 1
    assert found["node_read", "node-4"] == 0
    assert found["findings", "cause", "major"] >= 1


def test_what_is_waived_raises_no_alarm(mesh):
    mesh.break_session("node-2", "node-3")
    mesh.block("node-2", ["node-3"])
    report = told.of(mesh)
    for item in report["findings"]:
        item["waived"] = {"reason": "known", "expires": "2027-01-31"}
    found = samples(report)
    assert found["findings_waived",] == len(report["findings"])
    assert not [key for key in found if key[0] in ("node_fault", "fault_nodes", "node_severity")]


def test_the_number_of_series_grows_with_the_nodes_only():
    few, more = (len(samples(told.many(count, [(0, other) for other in range(9, count)]))) for count in (50, 200))
    assert more < 4.4 * few
    # At most: read, three of sessions, severity, and the faults.
    assert more < 200 * (5 + FAULTS_PER_NODE) + 150


def test_every_kind_of_report_can_be_read(mesh):
    for report in (told.hostile(), told.empty(), told.unread(), told.followed(mesh)):
        assert samples(report)


def test_names_that_look_the_same_are_one_series(mesh):
    report = told.of(mesh)
    for node, name in zip(report["mesh"]["nodes"], ("a\tb", "a b", "a\u00a0b", "c"), strict=True):
        node["name"] = name
    assert [key for key in samples(report) if key[0] == "node_read"] == [("node_read", "a b"), ("node_read", "c")]


def test_files_of_two_clusters_have_no_series_in_common(mesh):
    report = told.of(mesh)
    plain, east, west = samples(report), samples(report, "east"), samples(report, 'we"st\n')
    assert len(plain) == len(east) == len(west)
    assert not {*plain} & {*east}
    assert not {*east} & {*west}
    assert east["verdict", "east", "healthy"] == 1
    assert east["report_timestamp_seconds", "east"] == 1767225630


def test_what_is_no_whole_report_is_refused():
    with pytest.raises((KeyError, TypeError, AttributeError)):
        metrics({"verdict": "healthy"})
