# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The workflow that the role awx makes, its jobs run by ansible-runner: collect, analyse, plan, remediate, verify.

What a job publishes becomes variables of those after it, as in AWX; AWX itself and its approval are not here.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader

from ansible_collections.netmedic.calico.tests.lab import awx_jobs, cures
from lab import waiting
from matrix import sessions
from scripts.paths import ROOT

FAULT, NODE = "tcp179_blocked_host_firewall", "node-2"
TEMPLATES = ROOT / "roles" / "awx" / "vars" / "main.yml"
WITHOUT_RUNNER = awx_jobs.why_not("ansible_runner")
pytestmark = [pytest.mark.thorough, pytest.mark.skipif(bool(WITHOUT_RUNNER), reason=WITHOUT_RUNNER)]


class Workflow:
    """The jobs of a workflow, one after the other."""

    def __init__(self, lab, folder):
        self.published = {}
        self._cache = awx_jobs.Files(folder)
        self._folder = folder
        self._inventory = yaml.safe_load(Path(lab.inventory).read_text(encoding="utf-8"))
        self._templates = {one["name"]: one for one in DataLoader().load_from_file(str(TEMPLATES))["__awx_templates"]}
        self._always = {"collect_kubeconfig": cures.account(lab), "remediate_dir": str(folder / "runs")}

    def run(self, name, **more):
        """Run the job of a template; what it publishes is known to the next ones."""
        template = self._templates[name]
        playbook = Path(template["playbook"]).stem
        variables = {
            key: str(value) if isinstance(value, str) else value for key, value in template["variables"].items()
        }
        given = {**self.published, **self._always, **variables, **more}
        parts = awx_jobs.sliced(self._inventory, 4) if "slices" in template else [self._inventory]
        for part in parts:
            job = awx_jobs.run(self._cache, self._folder, playbook, part, **given)
            self.published.update(job.stats)
        return job


def all_up(lab):
    waiting.until(lambda: "" if len(sessions.established(lab)) == 12 else "not yet", "all sessions", 60)


def test_what_was_approved_is_repaired_and_nothing_else(lab, tmp_path):
    lab.make(FAULT, NODE)
    flow = Workflow(lab, tmp_path)
    assert flow.run("collect").status == 0
    assert flow.run("analyse", diagnose_max_age=900).status == 2
    assert flow.published["netmedic_calico"]["findings"][0]["fault"] == FAULT
    assert flow.run("plan").status == 0
    plan = flow.published["netmedic_calico_plan"]
    assert [step["role"] for step in plan["steps"]] == ["netmedic.calico.bgp_firewall"]
    other = flow.run("remediate", netmedic_calico_plan={**plan, "id": "0123456789ab"})
    assert (other.status, len(sessions.established(lab))) == (2, 6)
    flow.published["netmedic_calico_plan"] = plan
    done = flow.run("remediate")
    assert done.status == 0, done.printed
    all_up(lab)
    verified = flow.run("verify")
    assert verified.status == 0, verified.printed
    assert flow.published["netmedic_calico"]["verdict"] == "healthy"
