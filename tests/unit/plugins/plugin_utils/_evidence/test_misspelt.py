# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
import yaml

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import misspelt, role_options


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("collect_bundel_dir", "collect_bundle_dir"),
        ("collect_node_time_out", "collect_node_timeout"),
        ("diagnose_maxage", "diagnose_max_age"),
        ("report_directory", ""),
        ("report_dirs", "report_dir"),
        ("report_failon", "report_fail_on"),
        ("collect_everything_else", ""),
        ("reportdir", ""),
        ("reprot_dir", "report_dir"),
        ("analyse_bundles", "analyze_bundles"),
        ("anlyze_fail_on", "analyze_fail_on"),
        ("daignose_check", "diagnose_checks"),
        ("redact_word", "redact_words"),
        ("awx_slcies", "awx_slices"),
        ("awx_imgae", "awx_image"),
        ("redacts_dir", "redact_dir"),
        ("export_dir", ""),
        ("resort_to", ""),
        ("hosts_file", ""),
        ("ansible_host", ""),
    ],
)
def test_what_is_nearly_a_variable_of_the_roles_is_told(written, meant):
    wanted = [f"Nothing reads the variable {written}. Is {meant} meant?"] if meant else []
    assert misspelt.warnings([written, "ansible_facts", "groups"]) == wanted


def test_the_roles_own_variables_are_well():
    known = role_options.names_of_all()
    assert {"collect_bundle_dir", "diagnose_max_age", "report_dir"} <= known
    made = {"collect_result", "collect_cluster_result", "collect_bundle_result", "diagnose_report"}
    assert misspelt.warnings(known | made) == []


def made(tasks):
    """The variables that tasks leave behind: what is registered, and what is set."""
    for task in tasks or ():
        yield from filter(None, [task.get("register")])
        yield from task.get("ansible.builtin.set_fact") or ()
        for block in ("block", "rescue", "always"):
            yield from made(task.get(block))


def test_what_the_roles_leave_behind_is_not_taken_for_a_slip():
    files = [*role_options.ROLES.glob("*/tasks/*.yml"), *role_options.ROLES.parent.glob("playbooks/*.yml")]
    told = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in files]
    tasks = [task for each in told for one in each for task in (one.get("tasks", []) if "hosts" in one else [one])]
    assert len(names := {*made(tasks)}) > 50
    assert misspelt.warnings(names) == []


def test_roles_that_cannot_be_read_say_nothing(tmp_path):
    (tmp_path / "broken" / "meta").mkdir(parents=True)
    (tmp_path / "broken" / "meta" / "argument_specs.yml").write_text("a: [", encoding="utf-8")
    assert misspelt.warnings(["collect_bundel_dir"], tmp_path) == []
