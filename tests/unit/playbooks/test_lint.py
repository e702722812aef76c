# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook lint as people run it: in a folder of manifests, without an inventory."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from scripts.paths import venv_program

POOL = (
    "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: one}\nspec: {cidr: 10.0.0.0/16, blockSize: 8}\n"
)


@pytest.fixture
def run(tmp_path):
    (tmp_path / "pool.yaml").write_text(POOL, encoding="utf-8")

    def run_with(**told):
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "ANSIBLE_LOCAL_TEMP": str(tmp_path / "tmp"),
            "ANSIBLE_NOCOLOR": "1",
            "LC_ALL": "C.UTF-8",
        }
        argv = [venv_program("ansible-playbook"), "netmedic.calico.lint", "-e", json.dumps(told)]
        done = subprocess.run(
            argv, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert "Traceback" not in done.stdout + done.stderr
        return done

    return run_with


def test_what_is_bad_fails_the_play_after_it_is_written(run, tmp_path):
    done = run(lint_paths=["pool.yaml"], lint_report_dir="out")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "pool.yaml:4: major: ippool_block_size" in done.stdout
    assert sorted(os.listdir(tmp_path / "out")) == ["lint.json", "lint.junit.xml", "lint.sarif.json"]
    told = json.loads((tmp_path / "out" / "lint.json").read_text(encoding="utf-8"))
    assert told["schema"] == "netmedic.calico.lint/v1"
    assert told["findings"][0]["rule"] == "ippool_block_size"


def test_a_rule_that_is_none_is_told(run):
    done = run(lint_paths=["pool.yaml"], lint_ignore=["ippool_blocksize"])
    assert done.returncode == 2
    assert "ippool_blocksize, which is no rule" in done.stdout + done.stderr
