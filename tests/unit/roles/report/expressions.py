# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What expressions of PromQL ask for, and which metrics there are.

Ours as they are written, others' as docs/monitoring.md lists them.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.netmedic.calico.plugins.plugin_utils._render.metrics import metrics
from ansible_collections.netmedic.calico.tests.unit import test_cases as cases
from ansible_collections.netmedic.calico.tests.unit.roles.report import promtool

promql_parser = pytest.importorskip("promql_parser", reason="promql-parser is not here")
DOCS = Path(__file__).parents[4] / "docs"
RECORDED = Path(__file__).parent / "recorded"
HOME = "https://github.com/netmedic/calico/blob/main/docs/"
DASHBOARD = json.loads((promtool.FILES / "grafana" / "netmedic-calico.json").read_text(encoding="utf-8"))
# What Prometheus itself puts at the series of a target, and where there are several clusters at those of one.
OF_A_TARGET = {"cluster", "instance", "job"}
# What Grafana puts in the place of its variables.
VARIABLES = {"$__rate_interval": "5m", "$cluster": ".*"}


def asked(expression):
    """The names of metrics and of labels in an expression. ValueError where it is none."""
    names, labels = set(), set()

    def visit(node):
        selector = getattr(node, "vector_selector", node)
        if isinstance(selector, promql_parser.VectorSelector):
            names.add(selector.name)
            labels.update(matcher.name for matcher in selector.matchers.matchers)
        modifier = getattr(node, "modifier", None)
        modifier = getattr(modifier, "matching", modifier)
        labels.update(getattr(modifier, "labels", ()))

    promql_parser.walk(promql_parser.parse(expression), visit)
    return names, labels


def ours():
    """The labels of each metric that the recorded cases, with an API and without, are written as."""
    found = {}
    for folder in cases.CASES:
        report = cases.report_on(cases.read(folder)[1])
        report["coverage"]["api"].update(asked=True)
        report["coverage"]["sources"].append({"node": "node-1", "source": "bird", "status": "failed", "detail": ""})
        for line in metrics(report, "east").splitlines():
            if not line.startswith("#"):
                name, _brace, labels = line.partition("{")
                found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return found


def theirs():
    """The labels of each metric in the table of docs/monitoring.md."""
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*)\| [\w -]+ \| [^|]+ \| [^|]+ \|$", _page("monitoring.md"), re.MULTILINE)
    return {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}


def in_rules():
    """Each rule, and its name first."""
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in promtool.RULES]
    return {rule["alert"]: rule for one in files for group in one["groups"] for rule in group["rules"]}


def in_dashboard():
    """Each expression of the dashboard with its variables replaced, its legend, and the panel's title first."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"]
            for name, value in VARIABLES.items():
                expression = expression.replace(name, value)
            yield panel["title"], expression, target.get("legendFormat", "")


def page_exists(url):
    """Whether there is such a page of the documentation, and such a heading in it."""
    path, _hash, anchor = url.removeprefix(HOME).partition("#")
    if not url.startswith(HOME) or not (DOCS / path).is_file():
        return False
    headings = re.findall(r"^#+ (.*)$", _page(path), re.MULTILINE)
    return not anchor or anchor in {heading.lower().replace(" ", "-") for heading in headings}


def _page(name):
    return (DOCS / name).read_text(encoding="utf-8")
