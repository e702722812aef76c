# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory and SSH's configuration."""

from __future__ import annotations

import shutil
import subprocess

import pytest
import yaml

from lab import access, topology
from lab.state import State

NODES = topology.plan("two_subnets", 3).nodes
needs_keygen = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed here")


def test_the_inventory_is_what_ansible_needs():
    parsed = yaml.safe_load(access.inventory("/run/lab", NODES))
    assert parsed["all"]["hosts"] == {
        "node-1": {"ansible_host": "10.200.2.9"},
        "node-2": {"ansible_host": "10.200.1.10"},
        "node-3": {"ansible_host": "10.200.2.11"},
    }
    assert parsed["all"]["vars"] == {
        "ansible_user": "root",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_pipelining": True,
        "ansible_ssh_common_args": "-F /run/lab/ssh_config",
        "ansible_control_path_dir": "/run/lab/cp",
        "collect_kubeconfig": "/run/lab/kubeconfig-netmedic",
    }


@pytest.fixture
def state(tmp_path):
    made = State(tmp_path / "lab")
    made.create()
    access.create(made, NODES)
    return made


@needs_keygen
def test_keys_are_private_and_hosts_known(state):
    for name in ("id_ed25519", "ssh_host_ed25519_key"):
        assert state.path(name).stat().st_mode & 0o077 == 0
    public, private = access.keys(state)
    assert public.startswith("ssh-ed25519 ")
    assert private.startswith("-----BEGIN OPENSSH PRIVATE KEY-----")
    assert state.path("known_hosts").read_text().startswith("lab ssh-ed25519 ")


@needs_keygen
def test_ssh_understands_its_configuration(state):
    argv = ["ssh", "-G", "-F", str(state.path("ssh_config")), "node-1"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    options = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    assert options["user"] == "root"
    assert options["proxyusefdpass"] == "yes"
    assert options["stricthostkeychecking"] == "true"
    assert options["proxycommand"] == f"{state.directory}/connect %h"


@needs_keygen
@pytest.mark.parametrize("record", [None, "", "garbage", "1 1", "999999999 1"])
def test_connecting_to_a_node_that_is_off_is_said(state, record):
    """Above all it must not enter whatever process now has the id of one that is gone."""
    state.path("nodes", "node-1").mkdir()
    if record is not None:
        state.write_text("nodes/node-1/pid", record + "\n")
    for name in ("node-1", "10.200.2.9", "10.9.9.9", "../x"):
        done = subprocess.run([str(state.path("connect")), name], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr == f"this node of the lab in {state.directory} is not running\n"
