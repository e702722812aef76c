# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operator, etcd's clients and kubelet say of a control plane that does not play along, as people paste it.

The texts are from public threads, shortened; each is named beside it (owner/repository#number on GitHub).
"""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, pasted, read
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import kubectl_events

# projectcalico/calico#6357: the operator before it knew reasons by name
STATUS = """\
root@<node_name>:~# kubectl describe tigerastatus calico
Name:         calico
Namespace:
Labels:       <none>
Annotations:  <none>
API Version:  operator.tigera.io/v1
Kind:         TigeraStatus
Metadata:
  Creation Timestamp:  2022-07-11T10:02:48Z
  Generation:          1
Spec:
Status:
  Conditions:
    Last Transition Time:  2022-07-11T10:02:53Z
    Message:               node affinity not supported for calico-node daemonset. To fix it, remove the affinity on daemonset/calico-node
    Reason:                Existing Calico installation can not be managed by Tigera Operator as it is configured in a way that Operator does not currently support. Please update your existing Calico install config
    Status:                True
    Type:                  Degraded
"""  # noqa: E501
# projectcalico/calico#12131
POOLS = """\
$ kubectl describe tigerastatus ippools
Name:         ippools
Namespace:
Labels:       <none>
Annotations:  <none>
API Version:  operator.tigera.io/v1
Kind:         TigeraStatus
Metadata:
  Creation Timestamp:  2026-03-14T08:26:34Z
Spec:
Status:
  Conditions:
    Last Transition Time:  2026-03-14T12:35:21Z
    Message:               Unable to modify IP pools while Calico API server is unavailable:
    Observed Generation:   17
    Reason:                ResourceNotReady
    Status:                True
    Type:                  Degraded
    Last Transition Time:  2026-03-14T12:35:21Z
    Observed Generation:   14
    Reason:                Unknown
    Status:                False
    Type:                  Available
Events:                    <none>
"""
# projectcalico/calico#6980
OPERATOR = (
    '{"level":"error","ts":1668567474.9645357,"logger":"controller_installation","msg":"MigrationError",'
    '"Request.Namespace":"","Request.Name":"calico","MigrationError":"Existing Calico installation can not be managed '
    "by Tigera Operator as it is configured in a way that Operator does not currently support. Please update your "
    'existing Calico install config","error":"CNI config indicates assign_ipv4=true but there were no valid IPv4 pools '
    'found. To fix it, create an IPv4 pool or set assign_ipv4=false on cni-config"}\n'
)
# projectcalico/calico#2297
ETCD = """\
time="2018-11-08T11:00:11Z" level=info msg="Loading config from environment"
Skipping datastore connection test
ERROR: Unable to access datastore to query node configuration
Terminating
time="2018-11-08T11:00:41Z" level=info msg="Unhandled error: client: etcd cluster is unavailable or misconfigured; \
error #0: client: endpoint http://10.96.232.136:6666 exceeded header timeout
"
Calico node failed to start
"""
# canonical/microk8s#1545: a log and a description, an empty line between them
TOGETHER = """\
2020-09-08 12:17:21.806 [INFO][9] startup.go 365: Hit error connecting to datastore - retry error=Get \
https://10.152.183.1:443/api/v1/nodes/foo: dial tcp 10.152.183.1:443: connect: no route to host
2020-09-08 12:17:22.858 [INFO][9] startup.go 365: Hit error connecting to datastore - retry error=Get \
https://10.152.183.1:443/api/v1/nodes/foo: dial tcp 10.152.183.1:443: connect: no route to host


Name:                 calico-node-9sfmr
Namespace:            kube-system
Priority:             2000001000
Priority Class Name:  system-node-critical
Node:                 balthasar.gaia/172.16.10.22
"""
# projectcalico/calico#4693
PROBE = (
    "Warning  Unhealthy  4m34s      kubelet, worker0    Readiness probe failed: 2021-06-21 20:59:45.953 [INFO][186] "
    "confd/health.go 180: Number of node(s) with BGP peering established = 0\n"
    "calico/node is not ready: BIRD is not ready: BGP not established with 172.16.101.10\n"
)
NO_PEERS = """\
$ sudo calicoctl node status
Calico process is running.
IPv4 BGP status
No IPv4 peers found.
IPv6 BGP status
No IPv6 peers found.
"""
# aws/amazon-vpc-cni-k8s#450: copied from a terminal of 190 columns
BROKEN = """\
2019-05-06 19:38:54.458 [INFO][13] startup.go 103: Datastore is ready
2019-05-06 19:38:54.462 [INFO][13] customresource.go 217: Error getting resource Key=ClusterInformation(default) \
Name="default" Resource="ClusterInformations" Revision="" error=clusterinform
ations.crd.projectcalico.org "default" not found
2019-05-06 19:38:54.462 [INFO][13] customresource.go 100: Error getting resource \
Key=GlobalFelixConfig(name=CalicoVersion) Name="calicoversion" Resource="GlobalFelixConfigs" error=globalfeli
xconfigs.crd.projectcalico.org "calicoversion" is forbidden: User "system:serviceaccount:kube-system:calico-node" \
cannot get resource "globalfelixconfigs" in API group "crd.projectcalico.org
" at the cluster scope
"""


def findings(texts):
    texts = {"paste.txt": texts} if isinstance(texts, str) else texts
    found = analyse(*evidence.evidence(read.sort(texts)))["findings"]
    return {one["fault"]: one for one in found}


def first(texts):
    return next(iter(findings(texts)), "")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (STATUS, "operator_migration_stuck"),
        # As newer ones report it: the reason by its name, and the words in the message.
        (STATUS.replace("Existing Calico installation", "MigrationError: it"), "operator_migration_stuck"),
        (OPERATOR, "operator_migration_stuck"),
        (ETCD, "apiserver_unreachable"),
        (TOGETHER, "apiserver_unreachable"),
    ],
)
def test_it_names_the_cause(text, fault):
    found = findings(text)
    assert next(iter(found), "") == fault
    assert found[fault]["confidence"] > 0.5


def test_what_the_operator_waits_for_is_told():
    told = str(findings(OPERATOR)["operator_migration_stuck"]["evidence"])
    assert "create an IPv4 pool" in told
    assert "remove the affinity on daemonset/calico-node" in str(findings(STATUS)["operator_migration_stuck"])


def test_an_operator_that_is_degraded_for_something_else_moves_nothing():
    assert "operator_migration_stuck" not in findings(POOLS)
    assert "operator_migration_stuck" not in findings(STATUS.replace("Status:                True", "Status: False"))


def test_etcd_is_asked_as_etcd():
    found = findings(ETCD)["apiserver_unreachable"]
    assert "etcd" in found["summary"]
    assert "http://10.96.232.136:6666/health" in str(found["fix"])
    assert "livez" not in str(found["fix"])


def test_an_etcd_that_refuses_is_not_silent():
    refused = ETCD.replace("client: endpoint http://10.96.232.136:6666 exceeded header timeout", "x509: no roots")
    assert first(refused) != "apiserver_unreachable"


def test_events_within_a_description_are_no_log():
    described = TOGETHER.replace("2020-09-08", "  2020-09-08")
    assert len(pasted.parts(described)) == 1


def test_a_probe_counts_where_the_bird_that_was_heard_has_no_session():
    found = findings({"describe.txt": PROBE, "nodes/master/calicoctl-node-status.txt": NO_PEERS})
    assert "172.16.101.10" in found["undetermined"]["summary"]
    # What the node's own BIRD says is better.
    assert findings({"describe.txt": PROBE, "nodes/worker0/calicoctl-node-status.txt": NO_PEERS}) == {}


def test_what_a_probe_said_is_of_the_kubelet_above_it():
    (one,) = kubectl_events.parse(PROBE + "and then I tried this:\n").value
    assert one.node == "worker0"
    assert one.not_ready[0].peers == ("172.16.101.10",)
    assert "I tried" not in one.message


def test_lines_that_a_terminal_broke_are_one():
    rows = pasted.cleaned(BROKEN).split("\n")
    assert len(rows) == len(BROKEN.split("\n"))
    assert 'error=clusterinformations.crd.projectcalico.org "default" not found' in rows[1]
    assert rows[3].endswith('"crd.projectcalico.org" at the cluster scope')


@pytest.mark.parametrize(
    "text",
    [
        # One line of that length may be chance, and what has a form of its own goes on nowhere.
        "\n".join(BROKEN.split("\n")[:3]),
        BROKEN.replace("\nations", "\n  ations").replace("\nxconfigs", "\n| xconfigs"),
    ],
)
def test_other_rows_stay_as_they_are(text):
    assert pasted.cleaned(text) == text
