# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The alert rules on diagnoses, under the metrics of recorded cases.

Time begins at 0 for promtool: reports are made at that time.
"""

from __future__ import annotations

import json

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._render.metrics import metrics
from ansible_collections.netmedic.calico.tests.unit import test_cases as cases
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._render import told_reports as told
from ansible_collections.netmedic.calico.tests.unit.roles.report import promtool

pytestmark = promtool.needed
EPOCH = "1970-01-01T00:00:00Z"
HOURS = 60
LEVELS = {
    "critical": ("NetmedicCalicoCritical", "critical"),
    "major": ("NetmedicCalicoMajor", "warning"),
    "minor": ("NetmedicCalicoMinor", "info"),
}
# Recorded cases that nobody has to be woken for.
HARMLESS = {"benign_startup_transient", "bird_not_expected"}
STALE = {"alertname": "NetmedicDiagnosisStale", "severity": "warning"}


def at_the_beginning(report):
    return {**report, "generated_at": EPOCH, "collected": {"first": EPOCH, "last": EPOCH}}


def alert(name, severity="warning", **labels):
    return {"alertname": name, "severity": severity, **labels}


def shown(report, cluster="", minutes=3 * HOURS):
    return promtool.series(metrics(at_the_beginning(report), cluster), minutes)


def expected(report, *severities):
    """The alerts on what was found, of the findings themselves."""
    found = {
        (item["fault"], item["severity"])
        for item in report["findings"]
        if not item.get("guess") and item["role"] != "consequence" and item["severity"] in severities
    }
    return [alert(*LEVELS[severity], fault=fault) for fault, severity in sorted(found)]


def test_each_recorded_case_raises_the_alert_on_its_fault_and_no_other_one(tmp_path):
    """All at once, each as a cluster of its own, with a sample every four minutes: that is quick."""
    rows = []
    times = {0: [], 8: [], 32: [], 172: [], 200: []}
    faults = set()
    for folder in cases.CASES:
        case, evidence = cases.read(folder)
        report = json.loads(json.dumps(cases.report_on(evidence)))
        rows += shown(report, folder.name, minutes=50)
        # A node that is off was not read either.
        unread = [alert("NetmedicNodesNotRead")] if report["coverage"]["nodes"]["missing"] else []
        all_of_it = [*expected(report, "critical", "major", "minor"), *unread]
        assert case["fault"] in {None, *HARMLESS, *(one.get("fault") for one in all_of_it)}
        faults.add(case["fault"])
        wanted = {
            8: expected(report, "critical"),
            32: [*expected(report, "critical", "major"), *unread],
            172: all_of_it,
            200: [*all_of_it, STALE],
        }
        for minutes, alerts in wanted.items():
            times[minutes] += [{**one, "cluster": folder.name} for one in alerts]
    assert len(faults) >= 25
    tests = [promtool.firing(minutes, *alerts) for minutes, alerts in times.items()]
    test = {"interval": "4m", "input_series": rows, "promql_expr_test": tests}
    promtool.check(tmp_path, promtool.DIAGNOSIS, [test], every="4m")


def test_clusters_are_told_apart_and_one_whose_report_is_gone_is_told(tmp_path, mesh):
    well = told.of(mesh)
    mesh.break_session("node-2", "node-3")
    mesh.block("node-2", ["node-3"])
    mesh.lose("node-4")
    ill = told.of(mesh)
    fault = alert(*LEVELS["major"], cluster="east", fault="tcp179_blocked_host_firewall")
    unread = alert("NetmedicNodesNotRead", cluster="east")
    gone = alert("NetmedicDiagnosisMissing", cluster="west")
    summary = "1 node(s) of cluster east could not be read by the diagnosis of Calico"
    test = {
        "interval": "1m",
        "input_series": [*shown(ill, "east"), *shown(well, "west", minutes=60)],
        "promql_expr_test": [promtool.firing(60, fault, unread), promtool.firing(110, fault, unread, gone)],
        "alert_rule_test": [
            {
                "alertname": "NetmedicNodesNotRead",
                "eval_time": "60m",
                "exp_alerts": [
                    {
                        "exp_labels": {"severity": "warning", "cluster": "east"},
                        "exp_annotations": {
                            "summary": summary,
                            "description": "Of these nothing is known but what their peers say: node-4 (ten at most). "
                            "The report says why "
                            "each could not be read. If a machine is gone for good, take it out of the inventory.",
                            "runbook_url": "https://github.com/netmedic/calico/blob/main/docs/monitoring.md#nodes-not-read",
                        },
                    }
                ],
            }
        ],
    }
    promtool.check(tmp_path, promtool.DIAGNOSIS, [test])


def test_that_there_never_was_a_diagnosis_is_told(tmp_path):
    times = [promtool.firing(20), promtool.firing(40, alert("NetmedicDiagnosisMissing"))]
    promtool.check(tmp_path, promtool.DIAGNOSIS, [{"interval": "1m", "input_series": [], "promql_expr_test": times}])


def test_a_file_that_was_left_behind_on_another_machine_is_told_though_the_new_one_is_fresh(tmp_path):
    name = "netmedic_calico_report_timestamp_seconds"
    rows = [
        {"series": f'{name}{{instance="old"}}', "values": f"0+0x{5 * HOURS}"},
        {"series": f'{name}{{instance="new"}}', "values": f"0+60x{5 * HOURS}"},
    ]
    times = [promtool.firing(240, {**STALE, "instance": "old"})]
    promtool.check(tmp_path, promtool.DIAGNOSIS, [{"interval": "1m", "input_series": rows, "promql_expr_test": times}])


def test_reports_that_say_nothing_raise_an_alert(tmp_path):
    tests = [
        {
            "interval": "1m",
            "input_series": shown(report),
            "promql_expr_test": [promtool.firing(30, alert("NetmedicDiagnosisUndetermined"), *more)],
        }
        for report, more in (
            (told.empty(), ()),
            (told.unread(), [alert("NetmedicNodesNotRead"), *expected(told.unread(), "critical", "major")]),
        )
    ]
    promtool.check(tmp_path, promtool.DIAGNOSIS, tests)


def test_what_is_waived_raises_none_and_an_api_that_is_not_read_raises_one(tmp_path, mesh):
    mesh.break_session("node-2", "node-3")
    mesh.block("node-2", ["node-3"])
    report = told.of(mesh)
    for item in report["findings"]:
        item["waived"] = {"reason": "known", "expires": "2027-01-31"}
    report["coverage"]["api"].update(asked=True, reached=False)
    times = [promtool.firing(150, alert("NetmedicApiNotRead"))]
    test = {"interval": "1m", "input_series": shown(report), "promql_expr_test": times}
    promtool.check(tmp_path, promtool.DIAGNOSIS, [test])


def test_an_alert_leads_to_the_page_of_its_fault_and_one_on_an_own_check_to_where_those_are_told(tmp_path):
    docs = "https://github.com/netmedic/calico/blob/main/docs"
    pages = {"conntrack_full": f"{docs}/faults/conntrack_full.md", "own:old_kernel": f"{docs}/monitoring.md#own-checks"}
    counts = {"conntrack_full": 2, "own:old_kernel": 0}
    told_of = {"conntrack_full": "Calico: conntrack_full at 2 node(s)", "own:old_kernel": "Calico: own:old_kernel"}
    rows = [
        {
            "series": f'netmedic_calico_fault_nodes{{fault="{fault}",severity="critical"}}',
            "values": f"{counts[fault]}+0x20",
        }
        for fault in pages
    ]
    description = (
        "The last diagnosis found it. report.html or report.txt of that run names the node, the rule or object at "
        "fault, what was seen, and "
        "the command that repairs it. If there is no report at hand, run the playbook netmedic.calico.diagnose: "
        "it changes nothing."
    )
    alerts = [
        {
            "exp_labels": {"severity": "critical", "fault": fault},
            "exp_annotations": {"summary": told_of[fault], "description": description, "runbook_url": page},
        }
        for fault, page in pages.items()
    ]
    rule = {"alertname": "NetmedicCalicoCritical", "eval_time": "10m", "exp_alerts": alerts}
    promtool.check(tmp_path, promtool.DIAGNOSIS, [{"interval": "1m", "input_series": rows, "alert_rule_test": [rule]}])


@pytest.mark.parametrize("report", [told.hostile, told.empty, told.unread], ids=lambda made: made.__name__)
def test_the_textfile_is_what_prometheus_calls_good(report):
    well, said = promtool.run("check", "metrics", given=metrics(report(), "east"))
    assert well, said
    assert said == ""


def test_promtool_does_find_fault_with_a_textfile():
    assert promtool.run("check", "metrics", given='x 1 # {a="b"} 2\n')[0] is False
