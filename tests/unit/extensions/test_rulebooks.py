# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebooks: of the form that ansible-rulebook takes, and for all alerts on components. tests/lab runs one."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml

from ansible_collections.netmedic.calico.tests.lab import awx_jobs
from scripts.paths import ROOT

RULEBOOKS = sorted((ROOT / "extensions" / "eda" / "rulebooks").glob("*.yml"))
RULES = ROOT / "roles" / "report" / "files" / "prometheus" / "netmedic-calico-components.yml"
WITHOUT = awx_jobs.why_not("ansible_rulebook")
_VALID = (
    "import sys, yaml; from ansible_rulebook.validators import Validate; Validate.rulebook(yaml.safe_load(sys.stdin))"
)


@pytest.mark.skipif(bool(WITHOUT), reason=WITHOUT)
@pytest.mark.parametrize("path", RULEBOOKS, ids=lambda path: path.stem)
def test_ansible_rulebook_takes_the_form(path):
    subprocess.run([awx_jobs.PYTHON, "-c", _VALID], input=path.read_bytes(), check=True, capture_output=True)


@pytest.mark.parametrize("path", RULEBOOKS, ids=lambda path: path.stem)
def test_every_alert_on_a_component_counts(path):
    (ruleset,) = yaml.safe_load(path.read_text(encoding="utf-8"))
    (rule,) = ruleset["rules"]
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    alerts = {one["alert"] for group in groups for one in group["rules"] if "alert" in one}
    assert {*re.findall(r'"(Calico\w+)"', rule["condition"])} == alerts != set()
