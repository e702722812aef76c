# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pools over other networks, pools without an address left, and an API server that does not accept calico-node."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, read

NODES = """NAME     STATUS   ROLES    AGE   VERSION   INTERNAL-IP    EXTERNAL-IP   OS-IMAGE   KERNEL-VERSION
node-1   Ready    <none>   5d    v1.31.0   192.168.1.11   <none>        Debian     6.1.0
node-2   Ready    <none>   5d    v1.31.0   192.168.1.12   <none>        Debian     6.1.0
"""
POOL = """apiVersion: projectcalico.org/v3
kind: IPPool
metadata: {{name: default-ipv4-ippool}}
spec: {{cidr: {cidr}, ipipMode: Always, natOutgoing: true{more}}}
"""
EVENT = """Events:
  Type     Reason                  Age               From      Message
  ----     ------                  ----              ----      -------
  Warning  FailedCreatePodSandBox  3s (x5 over 60s)  kubelet   Failed to create pod sandbox: rpc error: {words}
"""
PLUGIN = 'code = Unknown desc = failed to setup network for sandbox "0b2": plugin type="calico" failed (add): '
LOG = "2026-11-21 09:12:33.123 [{level}][67] {line}\n"


def findings(**texts):
    found = analyse(*evidence.evidence(read.sort({name.replace("_", "."): text for name, text in texts.items()})))
    return {one["fault"]: one for one in found["findings"]}


def test_a_pool_over_the_nodes_own_network_is_named_with_its_field():
    told = findings(nodes_txt=NODES, pool_yaml=POOL.format(cidr="192.168.0.0/16", more=""))["ippool_overlaps_network"]
    assert told["confidence"] > 0.9
    assert told["nodes"] == ["node-1", "node-2"]
    assert (told["where"]["object"], told["where"]["field"]) == ("IPPool/default-ipv4-ippool", "spec.cidr")
    assert any('{"spec": {"disabled": true}}' in command for command in told["fix"]["commands"])


@pytest.mark.parametrize(
    ("cidr", "more"),
    [
        ("10.244.0.0/16", ""),
        ("192.168.0.0/24", ""),
        ("192.168.0.0/16", ", disabled: true"),
        ("192.168.1.0/24", ", allowedUses: [LoadBalancer]"),
        ("fd00::/48", ""),
        ("nonsense", ""),
    ],
)
def test_pools_that_overlap_nothing_or_are_not_for_pods_are_well(cidr, more):
    assert "ippool_overlaps_network" not in findings(nodes_txt=NODES, pool_yaml=POOL.format(cidr=cidr, more=more))


@pytest.mark.parametrize(
    "words",
    [
        (
            "failed to request IPv4 addresses: Assigned 0 out of 1 requested IPv4 addresses; "
            "No more free affine blocks and strict affinity enabled"
        ),
        "cannot allocate new block due to per host block limit",
        "no configured Calico pools for node node-1",
        "failed to request 1 IPv4 addresses. IPAM allocated only 0",
        "failed to allocate for range 0: no IP addresses available in range set: 10.244.0.1-10.244.0.254",
    ],
)
def test_a_pod_without_an_address_names_the_supply(words):
    told = findings(events_txt=EVENT.format(words=PLUGIN + words))
    assert next(iter(told)) == "ipam_exhausted"
    assert told["ipam_exhausted"]["confidence"] > 0.8


def test_a_plugin_that_fails_otherwise_has_enough_addresses():
    told = findings(events_txt=EVENT.format(words=PLUGIN + "error getting ClusterInformation: connection refused"))
    assert "ipam_exhausted" not in told


@pytest.mark.parametrize(
    "line",
    [
        (
            'startup/startup.go 432: Error getting cluster information config error=Get "https://10.96.0.1:443/apis/'
            'crd.projectcalico.org/v1/felixconfigurations": x509: certificate signed by unknown authority'
        ),
        (
            "confd/client.go 244: Failed to query BGP settings error=connection is unauthorized: bgpconfigurations"
            ' is forbidden: User "system:serviceaccount:kube-system:calico-node" cannot list resource'
        ),
    ],
)
def test_an_api_server_that_does_not_accept_calico_node_is_told_from_one_that_is_away(line):
    told = findings(calico_log=LOG.format(level="ERROR", line=line))
    assert next(iter(told)) == "calico_node_refused"
    assert "apiserver_unreachable" not in told


def test_one_refused_token_may_have_been_refused_for_a_moment():
    line = "felix/daemon.go 312: Failed to connect to datastore error=connection is unauthorized: Unauthorized"
    assert findings(calico_log=LOG.format(level="ERROR", line=line))["calico_node_refused"]["guess"]


@pytest.mark.parametrize(
    "line",
    [
        "felix/sync_client.go 250: Failed to connect to typha endpoint: x509: certificate signed by unknown authority",
        "felix/daemon.go 312: Failed to connect to datastore error=Get https://10.96.0.1:443: dial tcp: i/o timeout",
        "startup/startup.go 432: x509: certificate has expired or is not yet valid",
    ],
)
def test_other_refusals_are_others_faults(line):
    assert "calico_node_refused" not in findings(calico_log=LOG.format(level="ERROR", line=line))
