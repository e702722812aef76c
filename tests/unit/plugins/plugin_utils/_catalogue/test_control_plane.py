# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue import (
    certificates,
    clock_skew,
    cni_token,
    control_plane,
    installation,
    kubelet,
    scheduling,
    typha,
    typha_pods,
    typha_tls,
)
from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue.faults import BY_ID
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import (
    commands,
    evidence_of,
    host,
    log,
    summary,
    told,
)

TIMEOUT = (
    'Failed to get config from datastore error=Get "https://172.20.0.1:443/apis/crd.projectcalico.org/v1/'
    'clusterinformations/default": dial tcp 172.20.0.1:443: i/o timeout'
)
UNAVAILABLE = (
    "failed to setup network for sandbox: error getting ClusterInformation: Get https://[10.96.0.1]:443/apis/"
    "crd.projectcalico.org/v1/clusterinformations/default: Service Unavailable"
)
EXPIRED = (
    "failed to fetch node resource error=Get https://10.233.0.1:443/api/v1/nodes/n1: x509: certificate has expired or "
    "is not yet valid: current time 2022-08-12T19:18:19Z is after 2022-08-10T19:20:45Z"
)
UNAUTHORIZED = "error getting ClusterInformation: connection is unauthorized: Unauthorized"


def test_what_explains_what_never_goes_in_a_circle():
    def reached(fault, seen):
        for name in BY_ID[fault].explains if fault in BY_ID else ():
            if name not in seen:
                seen.add(name)
                reached(name, seen)
        return seen

    ours = (
        kubelet,
        scheduling,
        control_plane,
        certificates,
        cni_token,
        clock_skew,
        typha,
        typha_pods,
        typha_tls,
        installation,
    )
    known = {fault.id for module in ours for fault in module.FAULTS}
    assert [name for name in sorted(known) if name in reached(name, set())] == []


@pytest.mark.parametrize(
    ("component", "kind", "text"), [("felix", "datastore", TIMEOUT), ("kubelet", "pod_setup", UNAVAILABLE)]
)
def test_an_api_server_that_a_log_tells_of(mesh, component, kind, text):
    log(mesh, "node-2", component, kind, text)
    found = told(mesh)
    assert list(found) == ["apiserver_unreachable"]
    assert found["apiserver_unreachable"].subject.nodes == ("node-2",)


def test_an_api_server_whose_service_alone_is_silent(mesh, kube):
    host(mesh, "node-2")["control_plane"] = {
        "apiserver": {
            "10.96.0.1:443": {"established": 0, "opening": 2, "opened_by": ["calico-node"], "told": ["calico", "cni"]},
            "10.0.0.2:6443": {"established": 3, "told": ["kubelet"]},
        }
    }
    found = told(mesh, kube)
    assert found["apiserver_unreachable"].confidence >= 0.9
    assert "look at kube-proxy" in summary(mesh, kube, "apiserver_unreachable")
    assert "https://10.96.0.1:443/livez" in commands(mesh, kube, "apiserver_unreachable")


def test_a_connected_calico_is_believed_before_an_old_line(mesh):
    log(mesh, "node-2", "felix", "datastore", TIMEOUT)
    way = {"apiserver": {"10.96.0.1:443": {"established": 2, "told": ["calico"]}}}
    host(mesh, "node-2")["control_plane"] = way
    assert told(mesh) == {}


def test_a_certificate_by_a_log_alone(mesh):
    log(mesh, "node-2", "tunnel-ip-allocator", "tls", EXPIRED)
    found = told(mesh)
    assert list(found) == ["certificate_expired"]
    assert found["certificate_expired"].confidence >= 0.9


def test_a_certificate_file_and_what_follows_from_it(mesh):
    bad = {"path": "/etc/kubernetes/pki/apiserver.crt", "state": "expired", "not_after": "2025-12-31T00:00:00Z"}
    host(mesh, "node-1")["certificates"] = [bad]
    assert "/etc/kubernetes/pki/apiserver.crt" in summary(mesh, None, "certificate_expired")
    assert "openssl x509 -noout -dates" in commands(mesh, None, "certificate_expired")


def test_a_clock_that_is_off_explains_certificates_and_tokens(mesh):
    log(mesh, "node-2", "felix", "tls", EXPIRED)
    bad = {"path": "/etc/kubernetes/pki/apiserver.crt", "state": "not_yet_valid"}
    host(mesh, "node-2")["certificates"] = [bad]
    for name, ahead in (("node-1", 0.1), ("node-2", -90000.0), ("node-3", 0.0), ("node-4", 0.2)):
        clock = {"offset_to_controller_seconds": ahead, "offset_to_controller_error_seconds": 0.1}
        mesh.facts[name]["calico_chrony"].update(clock)
    found = told(mesh)
    assert (found["clock_skew"].role, found["clock_skew"].severity) == ("cause", "major")
    assert "25 h behind" in summary(mesh, None, "clock_skew")
    assert found["certificate_expired"].role == "consequence"


def test_a_controller_whose_own_clock_is_off_accuses_nobody(mesh):
    for name in mesh.addresses:
        clock = {"offset_to_controller_seconds": 600.0, "offset_to_controller_error_seconds": 0.1}
        mesh.facts[name]["calico_chrony"].update(clock)
    assert told(mesh) == {}


def test_a_token_that_is_past(mesh, kube):
    host(mesh, "node-2")["cni"] = {"token_age_seconds": 90000, "token_expires_in_seconds": -3600}
    log(mesh, "node-2", "kubelet", "unauthorized", UNAUTHORIZED)
    kube.template()["containers"][0]["env"].append({"name": "CALICO_MANAGE_CNI", "value": "false"})
    found = told(mesh, kube)
    assert list(found) == ["cni_token_expired"]
    assert "kubectl delete pod" in commands(mesh, kube, "cni_token_expired")


def test_a_token_by_the_kubelets_word_alone(mesh):
    log(mesh, "node-2", "kubelet", "unauthorized", UNAUTHORIZED)
    assert list(told(mesh)) == ["cni_token_expired"]


def test_pools_that_vanished(mesh, kube):
    kube.objects["ippools"].clear()
    found = told(mesh, kube)
    assert found["datastore_lost_data"].severity == "critical"
    assert "4 blocks" in summary(mesh, kube, "datastore_lost_data")


def test_definitions_that_vanished(mesh, kube):
    for kind in ("ippools", "felixconfigurations", "blockaffinities"):
        kube.objects[kind].clear()
        kube.status[kind] = "absent"
    assert "no longer knows" in summary(mesh, kube, "datastore_lost_data")


def test_nodes_that_calico_forgot(mesh, kube):
    del kube.node("node-3")["metadata"]["annotations"]["projectcalico.org/IPv4Address"]
    evidence = evidence_of(mesh, kube)
    (subject,) = BY_ID["datastore_lost_data"].subjects(evidence)
    assert subject.nodes == ("node-3",)


def test_policy_only_needs_no_pools(mesh, kube):
    kube.objects["ippools"].clear()
    kube.objects["blockaffinities"].clear()
    kube.template()["containers"][0]["env"][1] = {"name": "CALICO_NETWORKING_BACKEND", "value": "none"}
    for node in kube.objects["nodes"]:
        node["metadata"]["annotations"].clear()
    assert "datastore_lost_data" not in told(mesh, kube)
