# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role time_sync by itself: a service that is stopped runs again, servers are added, and all is put back."""

from __future__ import annotations

import functools

import pytest

from ansible_collections.netmedic.calico.tests.lab import cures

NODE = "node-2"
FILE = "/etc/chrony/chrony.conf"


@pytest.fixture
def cluster(lab):
    yield lab
    lab.exec(NODE, ["rm", "-rf", cures.RECORDS], check=False)


run = functools.partial(cures.run, role="time_sync", hosts=NODE)


def running(lab):
    return lab.exec(NODE, ["sv", "status", "chronyd"]).stdout.startswith("run:")


@pytest.mark.thorough
def test_a_stopped_service_is_configured_and_runs(cluster, tmp_path):
    lab = cluster
    before = lab.exec(NODE, ["cat", FILE]).stdout
    lab.make("time_sync_missing", NODE, "stopped")
    wishes = {"time_sync_servers": ["10.200.0.254", "10.200.0.253"]}
    foretold = run(lab, tmp_path, "--check", **wishes)
    assert not running(lab)
    done = run(lab, tmp_path, **wishes)
    assert cures.changed(done) == 1
    assert cures.diffs(done) == cures.diffs(foretold) != []
    assert running(lab)
    # The first one is there already.
    added = "# netmedic.calico time_sync\nserver 10.200.0.253 iburst\n"
    assert lab.exec(NODE, ["cat", FILE]).stdout == before + added
    assert cures.changed(run(lab, tmp_path, **wishes)) == 0
    run(lab, tmp_path, task={"netmedic.calico.host_change": {"id": "manual-time_sync", "state": "undone"}})
    assert not running(lab)
    assert lab.exec(NODE, ["cat", FILE]).stdout == before
