# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stops remediate before the first change."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.tests.lab import cures, playing
from lab.api_client import ApiError

BLOCKED = "node-2"
FAULT = "tcp179_blocked_host_firewall"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/netmedic-calico-remediate"
APPLY = {"remediate_apply": True}


@pytest.fixture
def cluster(lab):
    yield lab
    for node in lab.nodes:
        lab.exec(node.name, ["sh", "-c", f"rm -rf {cures.RECORDS}"], check=False)


@pytest.fixture
def start(cluster, tmp_path):
    """Start one of the playbooks."""
    with playing.starter(cluster, tmp_path) as found:
        yield found


def rules(lab):
    return {
        node.name: cures.lasting(lab.exec(node.name, ["sh", "-c", "iptables-save; nft list ruleset"]).stdout)
        for node in lab.nodes
    }


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
