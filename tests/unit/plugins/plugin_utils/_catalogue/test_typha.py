# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue.typha import TYPHA_PORT_BLOCKED
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import commands, host, log, summary, told

SIGNER, OTHER = ({"cn": "tigera-signer", "key": "150ce840b5aedd60"}, {"cn": "tigera-signer", "key": "ffff000011112222"})


def client(mesh, name, address="10.0.0.12", **more):
    """Felix of a node looks for a Typha there."""
    control = host(mesh, name).setdefault("control_plane", {})
    way = {"established": 0, "opening": 1, "opened_by": ["calico-node"], **more.pop("way", {})}
    control["typha"] = {"service": "kube-system/calico-typha", "connections": {f"{address}:5473": way}, **more}


def connected(mesh, name, address="10.0.0.12"):
    client(mesh, name, address, way={"established": 1, "opening": 0})


def test_a_port_that_is_blocked_on_typhas_host(mesh, kube):
    kube.typha("10.0.0.12")
    client(mesh, "node-1")
    client(mesh, "node-2")
    connected(mesh, "node-3")
    rule = {
        "backend": "iptables-nft",
        "table": "filter",
        "chain": "INPUT",
        "text": "-A INPUT -p tcp --dport 5473 -j DROP",
    }
    blocked = {"flows": ["tcp5473"], "verdict": "drop", "peers": {"10.0.0": "9-10"}, "family": "ipv4", "rule": rule}
    mesh.facts["node-4"]["calico_firewall"]["flows"] = {"inbound": [blocked]}
    item = told(mesh, kube)["typha_port_blocked"]
    assert item.subject.nodes == ("node-4",)
    assert item.confidence >= 0.95
    assert "a firewall rule on node-4 stops it" in summary(mesh, kube, "typha_port_blocked")
    assert list(told(mesh, kube)) == ["typha_port_blocked"]


def test_a_port_by_felix_own_word(mesh, kube):
    text = "Failed to connect to Typha. Retrying... error=dial tcp 172.32.24.60:5473: i/o timeout"
    log(mesh, "node-2", "felix", "typha", text)
    # A host that is lost and a Typha that hangs are silent, too.
    assert told(mesh) == {}
    evidence = mesh.evidence()
    (subject,) = TYPHA_PORT_BLOCKED.subjects(evidence)
    assert TYPHA_PORT_BLOCKED.missing(evidence, subject)
    kube.typha("172.32.24.60")
    assert list(told(mesh, kube)) == ["typha_port_blocked"]
    assert "172.32.24.60" in summary(mesh, kube, "typha_port_blocked")


def test_an_endpoint_that_is_gone(mesh, kube):
    kube.typha("10.0.0.12")
    client(mesh, "node-1", "10.0.0.99")
    found = told(mesh, kube)
    assert found["typha_stale_endpoint"].role == "cause"
    assert "typha_port_blocked" not in found
    assert "10.0.0.99" in summary(mesh, kube, "typha_stale_endpoint")


def test_a_service_that_leads_nowhere_is_told_before_anybody_dials_it(mesh, kube):
    kube.typha("10.0.0.12")
    kube.objects["endpointslices"][0]["endpoints"].append({"addresses": ["10.0.0.98"], "conditions": {"ready": True}})
    item = told(mesh, kube)["typha_stale_endpoint"]
    assert (item.severity, item.subject.where["typha"]) == ("minor", "10.0.0.98")


def test_a_service_of_another_name(mesh, kube):
    kube.typha("10.0.0.12", told="calico-typha-old")
    client(mesh, "node-1", service="kube-system/calico-typha-old", connections={})
    text = 'Unable to get Typha service endpoints error=services "calico-typha-old" not found'
    log(mesh, "node-1", "felix", "typha_discovery", text)
    found = told(mesh, kube)
    assert list(found) == ["typha_discovery_misconfigured"]
    assert "there is kube-system/calico-typha" in summary(mesh, kube, "typha_discovery_misconfigured")


def test_typhas_that_find_no_node(mesh, kube):
    kube.typha("")
    pod = kube.objects["pods"][-1]
    del pod["spec"]["nodeName"]
    message = "0/4 nodes are available: 4 node(s) had untolerated taint {dedicated: gpu}."
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    pod["status"] = {"phase": "Pending", "conditions": [condition]}
    client(mesh, "node-1", connections={})
    found = told(mesh, kube)
    assert list(found) == ["typha_not_scheduled"]
    assert found["typha_not_scheduled"].severity == "critical"


def test_one_typha_too_many_is_minor(mesh, kube):
    kube.typha("10.0.0.12", "")
    pod = kube.objects["pods"][-1]
    del pod["spec"]["nodeName"]
    message = "0/4 nodes are available: 4 node(s) didn't have free ports for the requested pod ports."
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    pod["status"] = {"phase": "Pending", "conditions": [condition]}
    item = told(mesh, kube)["typha_not_scheduled"]
    assert item.severity == "minor"


@pytest.mark.parametrize("way", ["not_ready", "missing", "scaled_to_zero"])
def test_no_typha_serves(mesh, kube, way):
    kube.typha(*(["10.0.0.12"] if way == "not_ready" else []), ready=False)
    if way == "missing":
        kube.objects["deployments"].clear()
    client(mesh, "node-1", "10.96.7.7")
    found = told(mesh, kube)
    assert found["typha_down"].role == "cause"
    assert found["typha_down"].severity == "critical"
    assert "typha_port_blocked" not in found or found["typha_port_blocked"].role == "consequence"
    if way == "scaled_to_zero":
        assert "--replicas=3" in commands(mesh, kube, "typha_down")


def test_a_refusal_by_felix_own_word(mesh):
    text = "Failed to connect to Typha. Retrying... error=dial tcp 10.0.0.12:5473: connect: connection refused"
    log(mesh, "node-2", "felix", "typha", text)
    assert list(told(mesh)) == ["typha_down"]


def test_typhas_that_serve_give_nothing(mesh, kube):
    kube.typha("10.0.0.12")
    for name in mesh.addresses:
        connected(mesh, name)
    kube.backend("bird")
    assert told(mesh, kube) == {}


def server(mesh, name, **tls):
    mesh.facts[name]["calico_node"].setdefault("host", {}).setdefault("control_plane", {})["typha_here"] = {
        "state": "ready",
        "listens": True,
        "clients": 0,
        **tls,
    }


@pytest.mark.parametrize(
    ("cn", "key", "says"),
    [
        ("typha", "150ce840b5aedd60", "Felix expects typha-server, Typha's certificate is for typha"),
        ("typha-server", "ffff000011112222", "signed by tigera-signer"),
    ],
)
def test_names_and_authorities_that_do_not_fit(mesh, cn, key, says):
    own = {"cn": "typha-client", "issuer": "tigera-signer", "issuer_key": SIGNER["key"]}
    client(mesh, "node-1", expects={"cn": "typha-server"}, certificate=own, trusts=[SIGNER], connections={})
    theirs = {"cn": cn, "issuer": "tigera-signer", "issuer_key": key}
    server(mesh, "node-4", expects={"cn": "typha-client"}, certificate=theirs, trusts=[SIGNER, OTHER])
    assert list(told(mesh)) == ["typha_tls_mismatch"]
    assert says in summary(mesh, None, "typha_tls_mismatch")


def test_where_typha_is_and_what_to_look_at(mesh):
    own = {"cn": "calico-node", "issuer": "typha-ca", "issuer_key": SIGNER["key"]}
    client(mesh, "node-1", expects={"cn": "calico-typha"}, certificate=own, trusts=[SIGNER], connections={})
    server(mesh, "node-4", expects={"cn": "calico-node"}, certificate={"cn": "typha-server"}, trusts=[SIGNER])
    assert told(mesh)["typha_tls_mismatch"].subject.where["typha_on"] == "node-4"
    by_manifest = commands(mesh, None, "typha_tls_mismatch")
    assert "kubectl get deployment -n kube-system calico-typha -o yaml | grep -A1 TYPHA_" in by_manifest
    host(mesh, "node-1")["control_plane"]["typha"]["service"] = "calico-system/calico-typha"
    assert "kubectl get secrets -n calico-system node-certs" in commands(mesh, None, "typha_tls_mismatch")


def test_certificates_that_fit_give_nothing(mesh):
    own = {"cn": "typha-client", "issuer": "tigera-signer", "issuer_key": SIGNER["key"]}
    client(mesh, "node-1", expects={"cn": "typha-server"}, certificate=own, trusts=[SIGNER], connections={})
    theirs = {"cn": "typha-server", "issuer": "tigera-signer", "issuer_key": SIGNER["key"]}
    server(mesh, "node-4", expects={"cn": "typha-client"}, certificate=theirs, trusts=[SIGNER])
    assert told(mesh) == {}


def test_a_name_by_a_log_alone(mesh):
    text = "Failed to connect to Typha. Retrying... error=peer certificate does not have required CN or URI SAN"
    log(mesh, "node-2", "felix", "tls", text)
    assert list(told(mesh)) == ["typha_tls_mismatch"]
