# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words that stand alone: without the log's head around them, cut off in the middle, or told by another program.

The texts are from public threads, shortened; each is named beside it (owner/repository#number on GitHub).
"""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.shown import findings, sure

# kubernetes/minikube#4350
REFLECTOR = (
    'Failed to list *v1.Namespace: Get "https://10.100.0.1:443/api/v1/namespaces?limit=500&resourceVersion=0": '
    "dial tcp 10.100.0.1:443: connect: no route to host\n"
)
# kubernetes-sigs/kubespray#5689
HEADLESS = """kubelet_node_status.go:94] Unable to register node "sdbit-k8s-worker1" with API server: Post \
https://localhost:6443/api/v1/nodes: dial tcp 127.0.0.1:6443: connect: connection refused
kubelet.go:2267] node "sdbit-k8s-worker1" not found
"""


@pytest.mark.parametrize("name", ["error", "error.txt", "paste.txt"])
def test_what_client_go_says_is_known_without_its_log(name):
    assert sure({name: REFLECTOR}) == ["apiserver_unreachable"]


def test_what_client_go_says_when_it_is_refused_is_not_silence():
    refused = REFLECTOR.replace("dial tcp 10.100.0.1:443: connect: no route to host", "the server is busy")
    assert "apiserver_unreachable" not in findings(refused)


def test_kubelets_lines_are_known_without_their_head():
    assert sure({"kubelet.log": HEADLESS}) == ["apiserver_unreachable"]


# Azure/AKS#2347 and canonical/microk8s#4033
ENDED = """kubectl get pods -A
Unable to connect to the server: x509: certificate has expired or is not yet valid

Cluster health check failed: Failed to communicate with API server: Get "https://XXX:443/api/v1/namespaces/\
kube-system?timeout=45s": x509: certificate has expired or is not yet valid: current time 2021-05-21T06:04:08Z is \
after 2021-05-20T11:08:45Z
"""
NOT_YET = (
    "Unable to connect to the server: tls: failed to verify certificate: x509: certificate has expired or is not yet "
    "valid: current time 2023-06-16T22:41:21+12:00 is before 2023-06-16T11:39:43Z\n"
)


def test_whoever_tells_a_certificates_end_is_believed():
    assert sure({"kubectl.txt": ENDED}) == ["certificate_expired"]
    found = findings({"kubectl.txt": ENDED})["certificate_expired"]
    assert "is after 2021-05-20T11:08:45Z" in found["summary"]


def test_a_certificate_of_the_future_is_of_a_clock_that_lags():
    found = findings({"kubectl.txt": NOT_YET})["clock_skew"]
    assert found["confidence"] >= 0.5
    assert (found["role"], found["severity"]) == ("cause", "major")
    assert "the machine that asked the API server (58 min behind)" in found["summary"]
    assert found["fix"]["commands"]


def test_a_certificate_that_begins_in_a_moment_is_valid_in_a_moment():
    soon = NOT_YET.replace("11:39:43Z", "10:41:40Z")
    assert sure({"kubectl.txt": soon}) == []


# rancher/rke#3221
CUT = (
    'cni-installer/<nil> <nil>: Unable to create token for CNI kubeconfig error=serviceaccounts "calico-node" is '
    'forbidden: User "system:'
)


def test_a_refusal_that_is_cut_off_is_still_one():
    assert sure({"install-cni.log": CUT + "\n"}) == ["calico_node_refused"]


# projectcalico/calico#7971
CONTROLLERS = (
    '[ERROR][1] client.go 295: Error getting cluster information config ClusterInformation="default" error=connection '
    'is unauthorized: clusterinformations.crd.projectcalico.org "default" is forbidden: User "system:serviceaccount:'
    'kube-system:calico-kube-controllers" cannot get resource "clusterinformations" in API group '
    '"crd.projectcalico.org" at the cluster scope\n'
)


def test_what_kube_controllers_may_not_calico_node_may_not_either():
    found = findings({"calico-kube-controllers-7ddc4f45bc-w82fs.log": CONTROLLERS})
    assert next(iter(found), "") == "calico_node_refused"
    assert all(one["confidence"] < 0.5 for one in found.values())


# projectcalico/cni-plugin#25, projectcalico/calico#1607
@pytest.mark.parametrize(
    "text",
    [
        "calico-k8s-network : error executing ADD: No IPv4 addresses available in pool",
        "IpamDriver.RequestAddress: IP assignment error: No configured Calico pools.",
    ],
)
def test_addresses_had_run_out_in_the_first_releases_too(text):
    assert sure({"error.txt": text + "\n"}) == ["ipam_exhausted"]


# canonical/microk8s#3405
OFTEN = """NAME                                       READY   STATUS    RESTARTS         AGE
calico-kube-controllers-5677647cb8-k8gwg   1/1     Running   1 (10d ago)      10d
calico-node-4fj9t                          1/1     Running   {}   10d

Events:
  Type     Reason     Age                      From     Message
  ----     ------     ----                     ----     -------
  Warning  Unhealthy  2m57s (x14970 over 10d)  kubelet  Liveness probe failed: command "/bin/calico-node -felix-live" \
timed out
"""


def test_a_pod_that_ends_again_and_again_is_not_well_in_between():
    assert next(iter(findings(OFTEN.format("2542 (76s ago)"))), "") == "probe_exec_failure"
    assert not findings(OFTEN.format("2 (9d ago)    "))


# projectcalico/calico#7538
SEES_NOTHING = """$ calicoctl version
Client Version:    v3.24.5
$ kubectl get pod -n kube-system
NAME                                      READY   STATUS    RESTARTS      AGE
calico-kube-controllers-7bdbfc669-6fkbf   1/1     Running   0             13h
calico-node-n67zb                         {}/1     Running   0             13h
$ calicoctl node status
Calico process is not running.
"""


def test_calicoctl_beside_a_ready_pod_looked_in_the_wrong_place():
    assert list(findings(SEES_NOTHING.format(1))) == ["benign_tool_artifact"]
    assert "benign_tool_artifact" not in sure(SEES_NOTHING.format(0))


# projectcalico/calico#2458
def test_a_prompt_may_have_a_program_of_this_folder():
    status = """/ # ./calicoctl node status
Calico process is running.

IPv4 BGP status
+--------------+-------------------+-------+----------+-------------+
| PEER ADDRESS |     PEER TYPE     | STATE |  SINCE   |    INFO     |
+--------------+-------------------+-------+----------+-------------+
| 172.16.0.6   | node-to-node mesh | up    | 15:24:40 | Established |
+--------------+-------------------+-------+----------+-------------+
"""
    assert not findings({"worker.txt": status})
