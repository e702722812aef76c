# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fact of a bundle's cluster/ files."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import read as bundle
from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster import documents, from_bundle, objects

SHAPES = Path(__file__).parent / "shapes"
# Public incidents as bundles; not part of the project, so users do not have them.
CASES = Path(__file__).resolve().parents[6] / "shared" / "cases"


def cluster(**texts):
    return objects.read(from_bundle.fact({f"cluster/{name.replace('__', '.')}": text for name, text in texts.items()}))


POOL = """
apiVersion: projectcalico.org/v3
kind: IPPool
metadata:
  name: default-ipv4-ippool
spec:
  cidr: 10.0.0.0/16
  ipipMode: Always
"""


def test_objects_lists_and_several_documents():
    listed = """
apiVersion: projectcalico.org/v3
kind: BGPPeerList
items:
- metadata: {name: a}
  spec: {peerIP: 10.0.0.1, asNumber: 64513}
- metadata: {name: b}
  spec: {peerIP: "[fd00::1]:1790", asNumber: 1.10}
"""
    several = (
        "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n---\napiVersion: v1\nkind: Node\nmetadata: {name: n2}\n"
    )
    found = cluster(ippool__yaml=POOL, peers__yaml=listed, nodes__yml=several)
    assert [one.name for one in found.pools] == ["default-ipv4-ippool"]
    assert [(one.name, one.as_number) for one in found.bgp_peers] == [("a", 64513), ("b", 65546)]
    assert set(found.nodes) == {"n1", "n2"}
    assert (found.reached, found.via, found.group) == (True, "bundle", "projectcalico.org/v3")
    assert found.read("bgppeers")
    assert not found.read("ippools"), "one pool that somebody saved need not be all pools"
    assert found.malformed == ()


def test_json_of_kubectl():
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": [{"kind": "Node", "metadata": {"name": "n1"}}]})
    assert set(cluster(nodes__json=text).nodes) == {"n1"}


def test_calicoctls_nodes_are_no_kubernetes_nodes():
    text = (
        "apiVersion: projectcalico.org/v3\nkind: Node\nmetadata: {name: n1}\nspec: {bgp: {ipv4Address: 10.0.0.1/24}}\n"
    )
    found = cluster(calico_nodes__yaml=text)
    assert found.nodes == {}
    assert found.calico_nodes["n1"].ipv4 == "10.0.0.1/24"


def test_tables_become_objects():
    nodes = (
        "NAME   STATUS                        ROLES           AGE   VERSION   INTERNAL-IP   EXTERNAL-IP\n"
        "n1     Ready                         control-plane   30d   v1.31.1   10.0.0.1      <none>\n"
        "n2     NotReady,SchedulingDisabled   <none>          30d   v1.31.1   10.0.0.2      <none>\n"
    )
    pods = (
        "NAMESPACE     NAME                READY   STATUS             RESTARTS     AGE   IP         NODE\n"
        "kube-system   calico-node-65tld   0/1     CrashLoopBackOff   6 (5m ago)   3m    10.0.0.1   n1\n"
        "kube-system   calico-node-7k2mx   1/1     Running            0            3m    10.0.0.2   n2\n"
        "kube-system   calico-node-9k2mx   0/1     Init:0/3           0            3m    <none>     n3\n"
        "default       web-7k2mx           1/1     Running            0            3m    10.1.0.2   n2\n"
        "default       done-7k2mx          0/1     Completed          0            3m    10.1.0.3   n2\n"
    )
    table = "NAME   ASN       IPV4          IPV6\nn1     (64512)   10.0.0.1/24\nn2     65001     10.0.0.2/24\n"
    found = cluster(nodes__txt=nodes, pods__txt=pods, calicoctl_get_nodes__txt=table)
    assert found.nodes["n1"].condition("Ready").status == "True"
    assert found.nodes["n2"].unschedulable
    assert found.nodes["n1"].internal_addresses == ("10.0.0.1",)
    crashing, running, starting = found.pods
    assert (crashing.component, crashing.ready, crashing.phase) == ("calico-node", False, "Running")
    assert (crashing.containers[0].reason, crashing.containers[0].restarts) == ("CrashLoopBackOff", 6)
    assert running.ready
    assert (starting.phase, starting.node) == ("Pending", "n3")
    assert found.workload_pods == {"n2": 1}
    assert found.calico_nodes["n1"].as_number is None
    assert found.calico_nodes["n2"].as_number == 65001
    assert found.malformed == ()


def test_objects_go_before_tables_and_are_completed_by_them():
    pod = """
apiVersion: v1
kind: Pod
metadata: {name: calico-node-7k2mx, namespace: kube-system}
status: {phase: Pending}
"""
    table = (
        "NAMESPACE     NAME                READY   STATUS    RESTARTS   AGE   IP         NODE\n"
        "kube-system   calico-node-7k2mx   1/1     Running   0          3m    10.0.0.2   n2\n"
    )
    found = cluster(a_pods__txt=table, b_pods__yaml=pod).pods
    assert [(one.phase, one.node) for one in found] == [("Pending", "n2")]


def test_descriptions_give_the_pod_and_its_events():
    text = (
        "Name:           calico-node-nnp4b\nNamespace:      kube-system\nNode:           n3/10.99.40.75\n"
        "Status:         Running\n"
        "Containers:\n  calico-node:\n    Image:          quay.io/calico/node:v3.29.1\n"
        "    State:          Waiting\n      Reason:       CrashLoopBackOff\n    Ready:          False\n"
        "    Restart Count:  4\n"
        "Events:\n  Type     Reason     Age   From     Message\n  ----     ------     ----  ----     -------\n"
        "  Warning  Unhealthy  9s    kubelet  Readiness probe failed: calico/node is not ready: BIRD is not ready\n"
    )
    found = cluster(describe_pod__txt=text)
    state = found.pods[0].containers[0]
    assert (found.pods[0].node, state.reason, state.restarts) == ("n3", "CrashLoopBackOff", 4)
    assert state.image == "quay.io/calico/node:v3.29.1"
    assert (found.events[0].about, found.events[0].reason) == ("pod calico-node-nnp4b", "Unhealthy")


def test_states_of_the_operators_components():
    text = "NAME     AVAILABLE   PROGRESSING   DEGRADED   SINCE\ncalico   False       True          True       5m\n"
    found = {one.type: one.status for one in cluster(tigerastatus__txt=text).tigera_statuses[0].conditions}
    assert found == {"Available": "False", "Progressing": "True", "Degraded": "True"}


def test_what_the_operator_of_the_cluster_says_is_kept():
    fact = from_bundle.fact(
        {}, "provider: aws\ndistribution: kops\ncalico_version: 3.28\nobservations: [{check: tcp}]\n"
    )
    assert fact["environment"] == {"provider": "aws", "distribution": "kops", "calico_version": "3.28"}
    assert fact["reached"] is False
    assert fact["why"]


def test_no_secret_gets_in():
    secret = """
apiVersion: v1
kind: Secret
metadata: {name: bgp-passwords, namespace: kube-system}
data: {pw: Y2FuYXJ5}
stringData: {other: canary}
---
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: calico-node
  namespace: kube-system
  annotations: {kubectl.kubernetes.io/last-applied-configuration: '{"canary": 1}'}
spec:
  template:
    spec:
      containers:
      - name: calico-node
        env: [{name: BGP_PASSWORD, value: canary}, {name: TOKEN, value: canary}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: calico-config, namespace: kube-system}
data: {calico_backend: bird, psk: canary, etcd_password: canary}
---
apiVersion: projectcalico.org/v3
kind: Node
metadata: {name: n1}
spec: {bgp: {ipv4Address: 10.0.0.1}, token: canary}
---
apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata: {name: p}
spec: {peerIP: 10.0.0.2, password: {secretKeyRef: {name: bgp-passwords, key: pw}, value: canary}}
"""
    fact = from_bundle.fact({"cluster/all.yaml": secret})
    found = objects.read(fact)
    for shown in (json.dumps(fact), repr(found)):
        assert "canary" not in shown
        assert "Y2FuYXJ5" not in shown
    assert [(one.name, one.exists, one.keys) for one in found.secrets] == [("bgp-passwords", True, ("other", "pw"))]
    assert found.bgp_peers[0].password.name == "bgp-passwords"


@pytest.mark.parametrize("shape", sorted(path.name for path in SHAPES.iterdir()))
def test_what_a_run_wrote_down_is_read_as_it_was(shape):
    text = (SHAPES / shape / "cluster" / "objects.txt").read_text(encoding="utf-8")
    fact = from_bundle.fact({"cluster/objects.yaml": text})
    pod = {"metadata": {"name": "calico-node-a", "namespace": "x"}, "spec": {"nodeName": "n"}}
    event = {"involvedObject": {"kind": "Node", "name": "n"}, "reason": "NodeNotReady"}
    other = {"metadata": {"name": "picked-by-the-run", "namespace": "x"}}
    told = {**fact["objects"], "pods": [pod, other], "events": [event, dict(event, count=2)], "services": [other]}
    written = {
        f"cluster/{plural}.json": json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        for plural, items in told.items()
    }
    again = from_bundle.fact(written)
    assert again["objects"] == told
    assert objects.read(again).read("pods")


# --- YAML as it comes ---


def test_a_list_that_breaks_off_gives_what_was_complete():
    text = "apiVersion: v1\nkind: List\nitems:\n" + "".join(
        f"- apiVersion: v1\n  kind: Node\n  metadata:\n    name: n{number}\n" for number in range(3)
    )
    fact = from_bundle.fact({"cluster/nodes.yaml": text[:-3] + ": [\n"})
    assert [one["metadata"]["name"] for one in fact["objects"]["nodes"]] == ["n0", "n1"]
    (told,) = [one for one in fact["sources"] if one["source"] == "cluster/nodes.yaml"]
    assert told["status"] == "partial"
    assert not objects.read(fact).read("nodes")


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [1]\nb: [*a, *a]\n",
        "a: &a {b: 1}\nc:\n  <<: *a\n",
        "x: " + "[" * 100_000,
        "- " * 50_000,
        "{" * 50_000,
        "a: !!python/object/apply:os.system [true]\nb: {",
        "? {a: b}\n: c\n",
        "\t\t: :\n",
        "%YAML 9.9\n---\na",
        "\0\0\0",
    ],
)
def test_hostile_yaml_costs_nothing_and_raises_nothing(text):
    start = time.process_time()
    documents.read(text)
    from_bundle.fact({"cluster/x.yaml": f"apiVersion: v1\nkind: Node\n{text}"})
    assert time.process_time() - start < 2.0


def test_a_bomb_of_aliases_is_refused():
    text = "apiVersion: v1\nkind: ConfigMap\na0: &a0 [x, x]\n"
    text += "".join(f"a{number}: &a{number} [*a{number - 1}, *a{number - 1}]\n" for number in range(1, 60))
    found = documents.read(text)
    assert found.objects == []
    assert "alias" in found.problem


def test_aliases_of_plain_values_are_read():
    assert documents.read("a: &x node-1\nb: *x\n").objects == [{"a": "node-1", "b": "node-1"}]


def test_plain_values_keep_their_form_where_it_matters():
    text = "a: 1.10\nb: 010\nc: yes\nd: 1.5\ne: 2026-01-01T00:00:00Z\nf: ~\ng: '3'\nh: true\ni: 64512\n"
    assert documents.read(text).objects == [
        {
            "a": "1.10",
            "b": "010",
            "c": "yes",
            "d": 1.5,
            "e": "2026-01-01T00:00:00Z",
            "f": None,
            "g": "3",
            "h": True,
            "i": 64512,
        }
    ]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="-: \n[]{}&*!|>'\"#%@`,?abkindNode0", max_size=80))
def test_nothing_raises_whatever_a_text_is(text):
    found = documents.read(text)
    assert isinstance(found.problem, str)
    fact = from_bundle.fact({"cluster/a.yaml": f"apiVersion: v1\nkind: Node\n{text}", "cluster/pods.txt": text}, text)
    json.dumps(fact)
    objects.read(fact)


def test_real_incidents_are_read_without_a_complaint_about_what_is_well():
    if not CASES.is_dir():
        pytest.skip("the public incidents are not at hand")
    found = 0
    for folder in sorted(CASES.glob("case-*")):
        told = bundle.read(str(folder / "bundle"))
        fact = from_bundle.fact(told.cluster, told.environment)
        json.dumps(fact)
        read = objects.read(fact)
        assert not [one for one in fact["sources"] if one["status"] == "failed"], folder.name
        assert all("which is no IPv4 address" in one for one in read.malformed), (folder.name, read.malformed)
        found += read.reached
    assert found >= 35
