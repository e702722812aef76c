# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line's answers where there is nothing to do or nothing can be done."""

from __future__ import annotations

import json

import pytest

from lab import cli, requirements
from lab.faults.registry import FAULTS


@pytest.fixture
def root(monkeypatch):
    monkeypatch.setattr(requirements.os, "geteuid", lambda: 0)


def run(capsys, *arguments):
    code = cli.main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("command", ["up", "down", "status", "inventory", "heal"])
def test_without_root_it_says_so(monkeypatch, capsys, tmp_path, command):
    monkeypatch.setattr(requirements.os, "geteuid", lambda: 1000)
    code, out, err = run(capsys, command, "--state", str(tmp_path / "lab"))
    assert (code, out) == (2, "")
    assert "it needs root" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "command", [["status"], ["inventory"], ["heal"], ["break", "as_mismatch"], ["exec", "node-1", "id"]]
)
def test_without_a_lab_it_says_how_to_start_one(root, capsys, tmp_path, command):
    code, out, err = run(capsys, *command[:1], "--state", str(tmp_path / "lab"), *command[1:])
    assert (code, out) == (1, "")
    assert err == f"lab: there is no lab in {tmp_path}/lab; start one with: python -m lab up\n"


def test_ending_a_lab_that_is_not_there_is_fine(root, capsys, tmp_path):
    code, _out, err = run(capsys, "down", "--state", str(tmp_path / "lab"))
    assert code == 0
    assert "there is no lab" in err


def test_missing_tools_are_said_with_their_package(root, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(requirements.shutil, "which", lambda name: None if name in ("ssh", "nsenter") else "/usr/bin/x")
    code, _out, err = run(capsys, "up", "--state", str(tmp_path / "lab"))
    assert code == 2
    assert "nsenter, ssh not found (apt-get install openssh-client util-linux)" in err
    assert not (tmp_path / "lab").exists()


def test_a_kernel_without_overlay_is_said(root, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(requirements, "_filesystem", lambda name: False)
    code, _out, err = run(capsys, "up", "--state", str(tmp_path / "lab"))
    assert code == 2
    assert "overlay" in err


def test_the_faults_are_listed(capsys):
    code, out, _err = run(capsys, "faults", "--json")
    assert code == 0
    assert [each["id"] for each in json.loads(out)] == [fault.id for fault in FAULTS]
    code, out, _err = run(capsys, "faults")
    assert all(fault.id in out for fault in FAULTS)


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["up", "--topology", "ring"], ["break"]])
def test_wrong_use_ends_with_2(capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2


def test_a_wrong_number_of_nodes_ends_with_2(root, capsys, tmp_path):
    code, _out, err = run(capsys, "up", "--nodes", "0", "--state", str(tmp_path / "lab"))
    assert code == 2
    assert "1 to 100 nodes" in err
