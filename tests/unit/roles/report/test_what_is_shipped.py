# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules and dashboard ask for metrics that there are, and lead to pages that there are."""

from __future__ import annotations

import json
import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ansible_collections.netmedic.calico.tests.unit.roles.report import expressions, promtool

RULES = expressions.in_rules()
SHOWN = list(expressions.in_dashboard())
KNOWN = {**expressions.ours(), **expressions.theirs()}


def check(expression, also=()):
    names, labels = expressions.asked(expression)
    assert names
    assert names <= KNOWN.keys()
    there = set().union(*(KNOWN[name] for name in names), expressions.OF_A_TARGET)
    assert labels | set(also) <= there


@pytest.mark.parametrize("name", RULES)
def test_a_rule_asks_for_metrics_and_labels_that_exist(name):
    rule = RULES[name]
    texts = " ".join(rule["annotations"].values())
    check(rule["expr"], re.findall(r"\$labels\.(\w+)", texts))
    for query in re.findall(r'printf "(.+?)" \$labels', texts):
        check(query.replace("%q", '"x"'), re.findall(r" \.Labels\.(\w+)", texts))


@pytest.mark.parametrize(("title", "expression", "legend"), SHOWN)
def test_a_panel_asks_for_metrics_and_labels_that_exist(title, expression, legend):
    check(expression, re.findall(r"{{(\w+)}}", legend))


def test_what_does_not_exist_would_be_noticed():
    # Metrics that guides and language models name, and Calico never had.
    for name in ("felix_bgp_peers", "felix_cluster_num_hosts_running", "netmedic_calico_bgp_sessions"):
        with pytest.raises(AssertionError):
            check(f"{name} > 0")
    with pytest.raises(AssertionError):
        check('sum by (peer) (netmedic_calico_sessions{state="down"})')
    with pytest.raises(ValueError, match=r"expected|unexpected|unclosed|invalid"):
        check("sum by (cluster (up)")


def test_each_metric_of_others_that_is_listed_is_used():
    names = [expressions.asked(rule["expr"])[0] for rule in RULES.values()]
    names += [expressions.asked(expression)[0] for _title, expression, _legend in SHOWN]
    assert expressions.theirs().keys() <= set().union(*names)


@pytest.mark.parametrize("name", RULES)
def test_an_alert_has_what_a_tired_operator_needs(name):
    rule = RULES[name]
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["for"]
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert not re.search(r"[.\n]$", rule["annotations"]["summary"])
    assert rule["annotations"]["description"].endswith(".")
    url = rule["annotations"]["runbook_url"]
    if "{{" in url:
        own = re.sub(r"{{ if .*?}}(.*?){{ else }}.*?{{ end }}", r"\1", url)
        url = re.sub(r"{{ if .*?}}.*?{{ else }}(.*?){{ \$labels\.fault }}(.*?){{ end }}", r"\1conntrack_full\2", url)
        assert expressions.page_exists(own)
    assert expressions.page_exists(url)


def test_every_link_of_the_dashboard_leads_somewhere():
    urls = re.findall(r'"url": "([^"]+)"', json.dumps(expressions.DASHBOARD))
    assert len(urls) > 10
    for url in urls:
        assert expressions.page_exists(url.replace("${__value.raw}", "conntrack_full")), url


def test_the_dashboard_asks_for_data_source_and_cluster_and_uses_them_everywhere():
    names = [variable["name"] for variable in expressions.DASHBOARD["templating"]["list"]]
    assert names == ["datasource", "cluster"]
    panels = [panel for panel in expressions.DASHBOARD["panels"] if panel["type"] != "row"]
    for panel in panels:
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            selectors = re.findall(r"(?:netmedic_calico|felix|typha|ipam|kube|node)_\w+(\{[^}]*\})?", target["expr"])
            assert all('cluster=~"$cluster"' in selector for selector in selectors), target["expr"]
    assert len({panel["id"] for panel in expressions.DASHBOARD["panels"]}) == len(expressions.DASHBOARD["panels"])


def test_no_panel_lies_on_another_one():
    taken = {}
    for panel in expressions.DASHBOARD["panels"]:
        at = panel["gridPos"]
        for cell in ((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])):
            assert cell[0] < 24
            assert taken.setdefault(cell, panel["title"]) == panel["title"]


def test_grafana_knows_every_field_of_the_dashboard():
    """Its own model of a dashboard drops what it does not know: nothing may be lost."""
    model = pytest.importorskip("grafana_foundation_sdk.models.dashboard", reason="grafana-foundation-sdk is not here")
    encoder = pytest.importorskip("grafana_foundation_sdk.cog.encoder")
    plugins = pytest.importorskip("grafana_foundation_sdk.cog.plugins")
    plugins.register_default_plugins()
    read = model.Dashboard.from_json(expressions.DASHBOARD)
    assert not list(lost(expressions.DASHBOARD, json.loads(encoder.JSONEncoder().encode(read))))
    assert list(lost({"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1}]})) == [".a[0].c"]


def lost(written, read, where=""):
    """Where something was written that was not read."""
    if isinstance(written, dict) and isinstance(read, dict):
        for key, value in written.items():
            yield from lost(value, read[key], f"{where}.{key}") if key in read else [f"{where}.{key}"]
    elif isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        for number, pair in enumerate(zip(written, read, strict=True)):
            yield from lost(*pair, f"{where}[{number}]")
    elif written != read:
        yield where


@promtool.needed
def test_prometheus_loads_the_rules_and_the_expressions_of_the_dashboard(tmp_path):
    rules = [{"record": f"panel:{number}", "expr": shown[1]} for number, shown in enumerate(SHOWN)]
    (tmp_path / "dashboard.yml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    well, said = promtool.run("check", "rules", *promtool.RULES, tmp_path / "dashboard.yml")
    assert well, said
    assert f"{len(SHOWN)} rules found" in said


def test_node_exporter_has_the_metrics_that_are_said_to_be_its():
    text = (expressions.RECORDED / "node_exporter" / "metrics.txt").read_text()
    told = {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}
    wanted = {name for name in expressions.theirs() if name.startswith("node_")}
    assert len(wanted) == 4
    assert wanted <= told
