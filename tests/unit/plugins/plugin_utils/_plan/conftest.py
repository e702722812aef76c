# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.findings import blank, remedy


@pytest.fixture
def found():
    """A finding that a role repairs."""

    def make(fault, *nodes, role="bgp_firewall", hosts=None, risk="low", **more):
        by_role = {"role": f"netmedic.calico.{role}", "automatic": True} if role else {}
        fix = remedy("repair", "Repair it.", hosts=list(nodes if hosts is None else hosts), risk=risk, **by_role)
        fix["vars"] = more.pop("variables", {})
        return {
            **blank(fault, "reachability", fault, f"{fault} is on {', '.join(nodes)}", nodes),
            "severity": "major",
            "confidence": 0.97,
            "fix": fix,
            **more,
        }

    return make


@pytest.fixture
def report():
    """A report of four nodes."""

    def make(*findings, **more):
        return {
            "schema": "netmedic.calico.report/v1",
            "generated_at": "2026-01-01T00:00:10Z",
            "collected": {"first": "2026-01-01T00:00:00Z", "last": "2026-01-01T00:00:05Z"},
            "flavour": {"provider": "", "forbids": []},
            "coverage": {"nodes": {"expected": 4, "collected": 4}},
            "findings": list(findings),
            **more,
        }

    return make
