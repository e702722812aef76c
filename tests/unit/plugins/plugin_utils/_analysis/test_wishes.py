# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis import history, own_checks, waivers
from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.failure import failure
from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.wishes import as_wished, doubts, wishes_of
from ansible_collections.netmedic.calico.plugins.plugin_utils._render.terminal import lines

NOW = datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)
CHECK = {"id": "old_kernel", "expression": "calico_node.kernel == '4.4.0'", "message": "The kernel is too old."}
WAIVER = {"fault": "undetermined", "node": "node-*", "reason": "being rebuilt", "expires": "2026-01-01"}


def facts(**nodes):
    return lambda: (nodes, {"version": "v1.29.3"})


def healthy(mesh):
    return analyse(mesh.evidence(), NOW)


def broken(mesh):
    mesh.break_session("node-2", "node-3")
    return analyse(mesh.evidence(), NOW)


def checked(mesh, *checks, **nodes):
    return as_wished(healthy(mesh), wishes_of(checks, (), ""), facts(**nodes), NOW)


# --- own checks ----------------------------------------------------------------------------------------------------


def test_a_check_finds_something_on_the_nodes_where_it_holds(mesh):
    nodes = {"node-1": {"calico_node": {"kernel": "4.4.0"}}, "node-2": {"calico_node": {"kernel": "6.1.0"}}}
    report = checked(mesh, CHECK, **nodes)
    (found,) = report["findings"]
    assert (found["fault"], found["nodes"], found["severity"]) == ("own:old_kernel", ["node-1"], "minor")
    assert found["summary"] == "The kernel is too old."
    assert report["verdict"] == "degraded"
    assert "own:old_kernel" in "".join(lines(report))


def test_a_check_of_severity_info_leaves_the_verdict(mesh):
    report = checked(mesh, {**CHECK, "severity": "info"}, **{"node-1": {"calico_node": {"kernel": "4.4.0"}}})
    assert [item["fault"] for item in report["findings"]] == ["own:old_kernel"]
    assert report["verdict"] == "healthy"


def test_a_check_of_the_cluster_sees_all_nodes_and_the_api(mesh):
    check = {**CHECK, "scope": "cluster", "expression": "cluster.version && length(keys(nodes))"}
    (found,) = checked(mesh, check, **{"node-1": {}, "node-2": {}})["findings"]
    assert (found["nodes"], found["evidence"][0]["says"]) == ([], "2")


@pytest.mark.parametrize("value", [None, False, "", [], {}])
def test_nothing_is_nothing(mesh, value):
    assert checked(mesh, {**CHECK, "expression": "value"}, **{"node-1": {"value": value}})["findings"] == []


def test_zero_is_something(mesh):
    assert checked(mesh, {**CHECK, "expression": "value"}, **{"node-1": {"value": 0}})["findings"]


def test_facts_of_another_shape_are_told_and_break_nothing(mesh):
    report = checked(mesh, {**CHECK, "expression": "length(value)"}, **{"node-1": {"value": 3}})
    assert report["findings"] == []
    assert "could not be evaluated on node-1" in report["notes"][-1]["says"]


def test_a_function_that_there_is_not_finds_nothing_and_is_told(mesh):
    report = checked(mesh, {**CHECK, "expression": "nosuch(value)"}, **{"node-1": {"value": 3}})
    assert report["findings"] == []
    assert "nosuch" in report["notes"][-1]["says"]


@pytest.mark.parametrize(
    ("checks", "says"),
    [
        ("text", "must be a list"),
        (["text"], "Check 1 must be a mapping"),
        ([{**CHECK, "id": "Old Kernel"}], "small letters"),
        ([{**CHECK, "severity": "bad"}], "must be one of info, minor, major, critical"),
        ([{**CHECK, "scope": "pod"}], "must be node or cluster"),
        ([{**CHECK, "mesage": "x"}], "mesage, which is not known"),
        ([{"id": "a", "expression": "b"}], "needs message as a text"),
        ([CHECK, CHECK], "More than one check is called old_kernel"),
    ],
)
def test_a_check_that_is_none_is_refused_in_a_sentence(checks, says):
    with pytest.raises(ValueError, match=says):
        own_checks.read(checks)


@pytest.mark.parametrize(("expression", "why"), [("a[", "no JMESPath"), ("(" * 1999, "")])
def test_an_expression_that_is_none_costs_its_check_alone(mesh, expression, why):
    broken_check = {**CHECK, "expression": expression}
    (told,) = doubts([broken_check, {**CHECK, "id": "other"}], ())
    assert told.startswith("Own check old_kernel cannot be used, and the diagnosis is made without it: its expression ")
    assert why in told
    assert told.endswith(".")
    assert "\n" not in told
    other = {"id": "other", "expression": "value", "message": "x"}
    report = checked(mesh, broken_check, other, **{"node-1": {"value": 1}})
    assert [one["fault"] for one in report["findings"] if one["fault"].startswith("own:")] == ["own:other"]
    assert why in report["notes"][-1]["says"]
    assert "could not be evaluated: " in report["notes"][-1]["says"]


# --- waivers -------------------------------------------------------------------------------------------------------


def waived(report, *items, today=NOW):
    return as_wished(report, wishes_of((), items, ""), facts(), today)


def test_a_waived_finding_is_told_as_such_and_does_not_fail(mesh):
    report = waived(broken(mesh), WAIVER)
    found = next(item for item in report["findings"] if item["fault"] == "undetermined")
    assert found["waived"] == {"reason": "being rebuilt", "expires": "2026-01-01"}
    assert failure(report, "info", incomplete=False) == ""
    assert "(waived" in "".join(lines(report))


def test_a_waiver_holds_to_the_end_of_its_day_and_not_longer(mesh):
    report = waived(broken(mesh), WAIVER, today=NOW + timedelta(days=1))
    found = next(item for item in report["findings"] if item["fault"] == "undetermined")
    assert found["waived"] is None
    assert "expired on 2026-01-01, and the finding is there" in report["notes"][-1]["says"]


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("as_mismach", "there is no such fault; is as_mismatch meant?"),
        ("own:old_kernl", "there is no such fault; is own:old_kernel meant?"),
        ("qqqq*", "there is no such fault."),
    ],
)
def test_a_waiver_of_a_fault_that_there_is_not_is_told_before_and_after(mesh, fault, says):
    told = f"The waiver of {fault} on node-* waives nothing: {says}"
    waiver = {**WAIVER, "fault": fault}
    assert doubts([CHECK], [waiver, WAIVER, {**WAIVER, "fault": "own:old_kernel"}, {**WAIVER, "fault": "bgp_*"}]) == [
        told
    ]
    report = as_wished(healthy(mesh), wishes_of([CHECK], [waiver], ""), facts(), NOW + timedelta(days=2))
    assert told in [note["says"] for note in report["notes"]]


def test_a_waiver_for_one_of_two_nodes_is_not_enough(mesh):
    report = waived(broken(mesh), {**WAIVER, "node": "node-2"})
    assert all(item["waived"] is None for item in report["findings"])


def test_a_waiver_that_fits_nothing_is_told_if_everything_was_read(mesh):
    report = healthy(mesh)
    assert waived(report, WAIVER)["notes"] == []
    report["coverage"]["api"]["reached"] = True
    assert "fits no finding" in waived(report, WAIVER)["notes"][-1]["says"]


def test_a_day_may_come_as_yaml_reads_it():
    assert waivers.read([{**WAIVER, "expires": date(2026, 2, 3)}])[0].expires == date(2026, 2, 3)
    assert waivers.read([{**WAIVER, "expires": NOW}])[0].expires == NOW.date()


@pytest.mark.parametrize(
    ("items", "says"),
    [
        ({}, "must be a list"),
        (["x"], "Waiver 1 must be a mapping"),
        ([{**WAIVER, "expires": "soon"}], "needs expires as a day"),
        ([{**WAIVER, "expires": None}], "needs expires as a day"),
        ([{**WAIVER, "reason": " "}], "needs reason"),
        ([{**WAIVER, "until": "x"}], "until, which is not known"),
    ],
)
def test_a_waiver_that_is_none_is_refused_in_a_sentence(items, says):
    with pytest.raises(ValueError, match=says):
        waivers.read(items)


# --- history -------------------------------------------------------------------------------------------------------


def run(tmp_path, report, minutes):
    """Make a report follow those in the directory, and put it there, as report.json."""
    stamp = (NOW + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
    report = as_wished({**report, "generated_at": stamp}, wishes_of((), (), tmp_path), facts(), NOW)
    (tmp_path / "report.json").write_text(json.dumps(report), encoding="utf-8")
    return report


def test_what_is_new_and_gone_and_comes_and_goes(mesh, tmp_path):
    well, ill = healthy(mesh), broken(mesh)
    first = run(tmp_path, well, 0)
    assert (first["history"]["new"], first["history"]["compared_with"]) == ([], "")
    second = run(tmp_path, ill, 1)
    assert second["history"]["new"] == ["undetermined@node-2", "undetermined@node-3"]
    third = run(tmp_path, ill, 2)
    assert (third["history"]["new"], third["history"]["flapping"]) == ([], [])
    since = {item["since"] for item in third["findings"] if item["fault"] == "undetermined"}
    assert since == {"2026-01-01T00:01:30Z"}
    fourth = run(tmp_path, well, 3)
    assert fourth["history"]["gone"] == ["undetermined@node-2", "undetermined@node-3"]
    fifth = run(tmp_path, ill, 4)
    assert fifth["history"]["flapping"] == ["undetermined@node-2", "undetermined@node-3"]
    assert len(fifth["history"]["runs"]) == 4
    assert "".join(lines(fifth))


def test_what_could_not_be_looked_at_is_not_gone(mesh, tmp_path):
    ill = broken(mesh)
    ill["coverage"]["api"]["reached"] = True
    run(tmp_path, ill, 0)
    blind = {**ill, "findings": [], "coverage": {**ill["coverage"], "api": {"asked": True, "reached": False}}}
    history_of = run(tmp_path, blind, 1)["history"]
    assert (history_of["gone"], history_of["not_checked"]) == ([], ["undetermined@node-2", "undetermined@node-3"])


def test_a_directory_that_is_not_there_has_no_history(mesh, tmp_path):
    report = run_in(mesh, tmp_path / "nowhere")
    assert (report["history"]["runs"], report["history"]["problems"]) == ([], [])


def run_in(mesh, directory):
    return as_wished(healthy(mesh), wishes_of((), (), directory), facts(), NOW)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "netmedic.calico.report/v1"}', "\x00" * 50])
def test_a_corrupt_earlier_report_is_passed_over(mesh, tmp_path, text):
    (tmp_path / "report.json").write_text(text, encoding="utf-8")
    assert run_in(mesh, tmp_path)["history"]["runs"] == []


def test_without_a_directory_there_is_no_history(mesh):
    assert "history" not in as_wished(healthy(mesh), wishes_of((), (), ""), facts(), NOW)


def test_only_so_many_runs_are_carried(mesh, tmp_path):
    runs = [history.Run(f"2025-01-01T00:{n // 60:02}:{n % 60:02}Z", "healthy", frozenset()) for n in range(500)]
    carried = {**healthy(mesh), "history": {"runs": [one.entry() for one in runs]}}
    (tmp_path / "report.json").write_text(json.dumps(carried), encoding="utf-8")
    assert len(run_in(mesh, tmp_path)["history"]["runs"]) <= history.MOST_RUNS
