# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BIRD takes the configuration that the lab renders in confd's shape."""

from __future__ import annotations

import subprocess

import pytest

from lab import bird_config, datastore, topology

PLAN = topology.plan("one_subnet", 4)
BIRD = "/usr/sbin/bird"


def rendered(node="node-2", *patches, plan=PLAN):
    data = datastore.merged(datastore.registered(plan), patches)
    return bird_config.render(datastore.seen_by(data, node), node)


def accepted(tmp_path, files):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    argv = [BIRD, "-p", "-c", str(tmp_path / "bird.cfg")]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=10)


@pytest.mark.parametrize(
    "patch",
    [
        {},
        {"mesh_password": "secret"},
        {"nodes": {"node-2": {"as_number": 64999}}},
        {"nodes": {"node-2": {"blocks": []}}},
        {"nodes": {"gone": {"address": "10.200.0.200", "blocks": []}}},
    ],
)
def test_bird_takes_it(tmp_path, patch):
    done = accepted(tmp_path, rendered("node-2", patch))
    assert (done.returncode, done.stderr) == (0, "")


def test_bird_takes_the_greatest_mesh(tmp_path):
    done = accepted(tmp_path, rendered("node-50", plan=topology.plan("two_subnets", 100)))
    assert (done.returncode, done.stderr) == (0, "")


def test_bird_refuses_two_nodes_of_one_address_on_a_third(tmp_path):
    done = accepted(tmp_path, rendered("node-3", {"nodes": {"node-2": {"address": "10.200.0.9"}}}))
    assert done.returncode != 0
    assert "Symbol already defined" in done.stdout + done.stderr
