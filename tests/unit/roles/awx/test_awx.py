# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbook awx asks of AWX, by the real modules of awx.awx against a server that records it.

This proves that the modules take the arguments, that references resolve in this order, and what is sent. It does
not prove that an AWX accepts it, nor that a workflow runs there: no AWX can be had here.
"""

from __future__ import annotations

import json
import os
import subprocess

import pytest
import yaml

from ansible_collections.netmedic.calico.tests.unit.roles.awx.recorder import Recorder, serving
from scripts.paths import ROOT, venv_program

TOKEN, WEBHOOK = "canary-of-a-token", "canary-of-a-webhook"
NEEDED = [("organizations", "Default"), ("inventories", "east"), ("credentials", "ssh east")]
GIVEN = {
    "awx_inventory": "east",
    "awx_credentials": ["ssh east"],
    "awx_keep_dir": "/var/lib/netmedic",
    "awx_image": "registry.example.org/netmedic-calico:1",
    "awx_variables": {"collect_api_host": "master-1"},
    "awx_notifications": [
        {"name": "on call", "type": "slack", "configuration": {"token": WEBHOOK, "channels": ["#calico"]}}
    ],
}


def play(address, folder, **given):
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8",
        "CONTROLLER_HOST": address,
        "CONTROLLER_OAUTH_TOKEN": TOKEN,
    }
    argv = [
        venv_program("ansible-playbook"),
        "netmedic.calico.awx",
        "-vvv",
        "--diff",
        "-e",
        json.dumps({**GIVEN, **given}),
    ]
    return subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, timeout=900, check=False)


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    """What was recorded, and what two runs, one after the other, printed."""
    pytest.importorskip(
        "ansible_collections.awx.awx.plugins.module_utils.controller_api", reason="awx.awx is not installed"
    )
    folder = tmp_path_factory.mktemp("awx")
    recorder = Recorder(NEEDED)
    with serving(recorder) as address:
        done = [play(address, folder) for _each in range(2)]
    assert [one.returncode for one in done] == [0, 0], done[0].stdout + done[0].stderr
    return recorder, done


def test_templates_are_of_playbooks_that_are_there(twice):
    templates = twice[0].named("job_templates")
    assert {name.removeprefix("netmedic.calico ") for name in templates} == {
        "collect", "analyse", "plan", "remediate", "verify", "rollback"
    }  # fmt: skip
    assert all((ROOT / one["playbook"]).is_file() for one in templates.values())


def test_only_reading_nodes_is_sliced_and_only_it_and_the_analysis_use_the_cache(twice):
    templates = twice[0].named("job_templates")
    assert {one["job_slice_count"] for name, one in templates.items() if not name.endswith(" collect")} == {1}
    assert templates["netmedic.calico collect"]["job_slice_count"] == 4
    cached = {name.split()[-1] for name, one in templates.items() if one["use_fact_cache"]}
    assert cached == {"collect", "analyse"}


def test_what_is_repaired_is_the_plan_that_was_approved(twice):
    templates = twice[0].named("job_templates")
    variables = {name.split()[-1]: json.loads(one["extra_vars"]) for name, one in templates.items()}
    assert variables["plan"]["remediate_apply"] is False
    assert variables["remediate"]["remediate_apply"] is True
    assert variables["remediate"]["remediate_approved"] == "{{ netmedic_calico_plan.id }}"
    assert all(one["collect_api_host"] == "master-1" for one in variables.values())
    assert {one["remediate_dir"] for one in variables.values()} == {"/var/lib/netmedic/runs"}


def test_the_workflow_repairs_only_after_an_approval(twice):
    recorder = twice[0]
    ways = {
        (name, link.removesuffix("_nodes"), to)
        for name in recorder.named("workflow_job_template_nodes")
        for link in ("always_nodes", "success_nodes", "failure_nodes")
        for to in recorder.links("workflow_job_template_nodes", name, link)
    }
    assert ways == {
        ("collect", "always", "analyse"),
        ("analyse", "failure", "plan"),
        ("plan", "success", "approve"),
        ("approve", "success", "remediate"),
        ("remediate", "always", "verify"),
    }
    [approval] = recorder.kinds["workflow_approval_templates"].values()
    assert approval["timeout"] == 2700
    assert recorder.links("workflow_job_templates", "netmedic.calico", "notification_templates_approvals") == [
        "on call"
    ]


def test_what_surveys_ask_for_are_variables_of_the_role(twice):
    known = {}
    for role in ("remediate", "rollback"):
        spec = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
        known |= spec["argument_specs"]["main"]["options"]
    asked = [one for survey in twice[0].surveys.values() for one in survey["spec"]]
    assert {one["variable"] for one in asked} == {"remediate_max_risk", "remediate_max_nodes", "rollback_run"}
    for one in asked:
        assert one["default"] == known[one["variable"]]["default"]
        assert one.get("choices", []) == known[one["variable"]].get("choices", [])


def test_a_second_run_changes_nothing(twice):
    recorder, (first, second) = twice
    assert "changed=0 " not in first.stdout
    assert "changed=0 " in second.stdout, second.stdout
    assert len(recorder.named("schedules")) == 1


def test_secrets_reach_awx_and_nothing_else(twice):
    recorder, done = twice
    assert recorder.tokens == {f"Bearer {TOKEN}"}
    assert recorder.named("notification_templates")["on call"]["notification_configuration"]["token"] == WEBHOOK
    printed = "".join(one.stdout + one.stderr for one in done)
    assert TOKEN not in printed
    assert WEBHOOK not in printed.replace(json.dumps(GIVEN["awx_notifications"]), "")


def test_what_is_missing_is_told_before_awx_is_asked(tmp_path):
    recorder = Recorder(NEEDED)
    with serving(recorder) as address:
        done = play(address, tmp_path, awx_slices="many")
    assert done.returncode != 0
    assert "awx_slices" in done.stdout
    assert recorder.asked == []
