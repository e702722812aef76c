# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stops remediate and rollback: before the first change where it can be known then; and how they go on."""

from __future__ import annotations

import functools
import json
import os
import signal
import time

import pytest

from ansible_collections.netmedic.calico.tests.lab import cures, playing
from lab.api_client import ApiError

BLOCKED = "node-2"
FAULT = "tcp179_blocked_host_firewall"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/netmedic-calico-remediate"
ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/netmedic-remediate-calico"
CONFIG_MAP = "/api/v1/namespaces/kube-system/configmaps/calico-config"
APPLY = {"remediate_apply": True}


@pytest.fixture
def cluster(lab):
    yield lab
    for node in lab.nodes:
        lab.exec(node.name, ["sh", "-c", f"rm -rf {cures.RECORDS}"], check=False)


@pytest.fixture
def start(cluster, tmp_path):
    """Start one of the playbooks."""
    return functools.partial(playing.Playing, cluster, tmp_path)


@pytest.fixture
def rights(cluster):
    """Take a verb from the account that repairs, until the test ends."""
    before = cluster.api().get(ROLE)["rules"]

    def without(resource, verb):
        rules = [
            {**rule, "verbs": [one for one in rule["verbs"] if one != verb] or ["watch"]}
            if resource in rule["resources"]
            else rule
            for rule in before
        ]
        cluster.api().patch(ROLE, {"rules": rules})

    yield without
    cluster.api().patch(ROLE, {"rules": before})


def rules(lab):
    return {
        node.name: cures.lasting(lab.exec(node.name, ["sh", "-c", "iptables-save; nft list ruleset"]).stdout)
        for node in lab.nodes
    }


def runs(tmp_path):
    return sorted(path for path in (tmp_path / "runs").glob("*") if (path / "plan.json").exists())


def held(lab):
    try:
        return lab.api().get(LEASE)["spec"]["holderIdentity"]
    except ApiError:
        return ""


def test_a_limit_without_the_controller_is_refused_and_one_with_it_changes_only_what_it_names(cluster, start):
    lab = cluster
    lab.make(FAULT, BLOCKED, "iptables-nft")
    broken = rules(lab)
    refused = start("remediate", "--limit", BLOCKED, **APPLY).wait()
    assert refused.status == 2, refused.text
    assert f"Say --limit '{BLOCKED},localhost', or leave the limit out. Nothing was changed." in refused.text
    elsewhere = start("remediate", "--limit", "node-1,node-3,localhost", **APPLY).wait()
    assert (rules(lab), held(lab)) == (broken, "")
    assert elsewhere.text.count("fatal:") <= 1, elsewhere.text


def test_a_host_without_root_stops_it_before_the_first_change(cluster, start, tmp_path):
    lab = cluster
    lab.make(FAULT, BLOCKED, "iptables-nft")
    lab.make("ip_forward_off", "node-3")
    broken = rules(lab)
    hosts = {BLOCKED: {"ansible_become": True, "ansible_become_user": "nobody", "ansible_become_method": "su"}}
    hosts[BLOCKED]["ansible_become_flags"] = "-s /bin/sh"
    (tmp_path / "nobody.json").write_text(json.dumps({"all": {"hosts": hosts}}))
    done = start("remediate", "-i", str(tmp_path / "nobody.json"), **APPLY, remediate_max_nodes="2").wait()
    assert (rules(lab), held(lab), runs(tmp_path)) == (broken, "", []), done.text


@pytest.mark.parametrize(
    ("resource", "verb"), [("configmaps", "patch"), ("leases", "create"), ("leases", "patch"), ("leases", "delete")]
)
def test_a_right_that_is_lacking_stops_it_before_the_first_change(cluster, start, rights, tmp_path, resource, verb):
    lab = cluster
    lab.make("mtu_misconfigured_value", BLOCKED, "config-map")
    broken = lab.api().get(CONFIG_MAP)["data"]
    rights(resource, verb)
    done = start("remediate", **APPLY, remediate_max_risk="high").wait()
    assert done.status == 2, done.text
    assert (lab.api().get(CONFIG_MAP)["data"], runs(tmp_path)) == (broken, [])
    assert "Not allowed at https://" in done.text


def test_a_killed_runs_lock_is_taken_over_at_once_on_the_same_controller(cluster, start, tmp_path):
    lab = cluster
    lab.make(FAULT, BLOCKED, "iptables-nft")
    first = start("remediate", **APPLY)
    first.wait_for("Tell the other plays who takes the steps")
    os.kill(first.process.pid, signal.SIGKILL)
    dead = held(lab)
    assert dead.endswith(f"run {runs(tmp_path)[0].name}")
    began = time.monotonic()
    second = start("remediate", **APPLY).wait()
    assert second.status == 0, second.text
    assert f"{dead} is gone and has not given back the lock" in " ".join(second.text.split())
    assert time.monotonic() - began < 100
    assert held(lab) == ""
