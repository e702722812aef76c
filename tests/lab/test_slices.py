# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh that is read in four slices and diagnosed from the fact cache has the findings of a run that does both."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
import yaml

from ansible_collections.netmedic.calico.tests.lab import awx_jobs

SLICES = 4
TOLD = ("fault", "role", "severity", "nodes", "title", "guess")

needs_runner = pytest.mark.skipif(bool(awx_jobs.why_not("ansible_runner")), reason=awx_jobs.why_not("ansible_runner"))
no_redis = awx_jobs.why_not("redis") or (
    ""
    if awx_jobs.REDIS
    else "redis-server is missing (Debian: apt-get install redis-server; REDIS_SERVER names another)"
)


@pytest.fixture(
    params=[
        "jsonfile",
        pytest.param("redis", marks=pytest.mark.skipif(bool(no_redis), reason=no_redis)),
    ]
)
def cache(request, tmp_path):
    with contextlib.ExitStack() as stack:
        yield stack.enter_context(awx_jobs.redis(tmp_path)) if request.param == "redis" else awx_jobs.Files(tmp_path)


def said(report):
    """What a report says of causes, nodes and sessions. That BIRD was started just now is true for a moment."""
    findings = [{key: each.get(key) for key in TOLD} for each in report["findings"] if each["severity"] != "info"]
    missing = [(each["node"], each["why"]) for each in report["coverage"]["nodes"]["missing"]]
    return report["verdict"], findings, missing, report["sessions"]


@contextlib.contextmanager
def broken(lab):
    """A firewall blocks BGP on one node, and another one cannot be reached."""
    lab.make("tcp179_blocked_host_firewall", "node-2")
    lab.exec("node-4", ["sh", "-c", "sv down sshd; kill $(pidof sshd)"], check=False)
    try:
        yield
    finally:
        lab.exec("node-4", ["sv", "up", "sshd"])
        lab.heal()


@needs_runner
@pytest.mark.thorough
def test_four_slices_give_the_findings_of_one_run(lab, tmp_path, cache):
    inventory = yaml.safe_load(Path(lab.inventory).read_text(encoding="utf-8"))
    # What an earlier job has left must not speak for a node that a later one does not reach.
    assert awx_jobs.run(cache, tmp_path, "collect", inventory).status == 0
    with broken(lab):
        for part in awx_jobs.sliced(inventory, SLICES):
            assert awx_jobs.run(cache, tmp_path, "collect", part).status == 0
    # Now all is well: a node that was asked again would say so.
    later = awx_jobs.run(cache, tmp_path, "diagnose_cached", inventory)
    with broken(lab):
        at_once = awx_jobs.run(cache, tmp_path, "diagnose", inventory)
    assert "Facts of 4 of 4 node(s) are in the cache" in later.printed
    assert said(later.stats["netmedic_calico"]) == said(at_once.stats["netmedic_calico"])
    assert [name for name, _why in said(later.stats["netmedic_calico"])[2]] == ["node-4"]
    assert at_once.stats["netmedic_calico"]["findings"][0]["fault"] == "tcp179_blocked_host_firewall"
    assert later.status == at_once.status == 2


@needs_runner
def test_an_empty_cache_and_an_old_one_are_refused(lab, tmp_path):
    cache = awx_jobs.Files(tmp_path)
    inventory = yaml.safe_load(Path(lab.inventory).read_text(encoding="utf-8"))
    empty = awx_jobs.run(cache, tmp_path, "diagnose_cached", inventory, collect_api=False)
    assert empty.status == 2
    assert "The fact cache has nothing of any of these 4 hosts" in empty.printed
    assert awx_jobs.run(cache, tmp_path, "collect", inventory).status == 0
    old = awx_jobs.run(cache, tmp_path, "diagnose_cached", inventory, collect_api=False, diagnose_max_age=0)
    assert old.status == 2
    assert "All facts in the cache are refused" in old.printed
