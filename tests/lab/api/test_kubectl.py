# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kubectl, as people use it. With Debian's 1.20 and with newer ones."""

from __future__ import annotations

import re
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Cluster

CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: default, labels: {app: a}}
data: {one: "1", two: "2"}
"""


@pytest.fixture(autouse=True)
def _kubectl(cluster: Cluster) -> Cluster:
    if not cluster.kubectl:
        pytest.skip("kubectl is not installed")
    return cluster


def minor(cluster: Cluster) -> int:
    return int(re.sub(r"\D", "", cluster.json("version", "--client")["clientVersion"]["minor"]))


def test_get(cluster):
    assert re.search(r"^node-1 +Ready +<none> +\d+s +v1\.29\.3$", cluster.run("get", "nodes"), re.MULTILINE)
    wide = cluster.run("get", "nodes", "-o", "wide")
    assert "10.200.0.1 " in wide
    assert "Debian 12" in wide
    assert "containerd://1.7.2" in wide
    pods = cluster.run("get", "pods", "-A", "-o", "wide")
    assert re.search(r"kube-system +calico-node-node-1 +1/1 +Running +0 +\d+s +10\.244\.1\.2 +node-1 ", pods)
    listed = cluster.run("get", "ds,deploy", "-n", "kube-system")
    assert re.search(r"daemonset.apps/calico-node +3 +3 +3 +3 +3 +<none> ", listed)
    assert re.search(r"deployment.apps/typha +1/1 +1 +1 ", listed)


def test_get_selects_and_formats(cluster):
    names = "{.items[*].metadata.name}"
    by_label = ("get", "pods", "-n", "kube-system", "-o", f"jsonpath={names}", "-l", "k8s-app in (typha)")
    assert cluster.run(*by_label) == "typha-1-x"
    by_field = ("--field-selector", "spec.nodeName=node-2,status.phase!=Failed")
    assert cluster.run("get", "pods", "-A", *by_field, "-o", f"jsonpath={names}") == "calico-node-node-2 typha-1-x"
    columns = cluster.run("get", "nodes", "-o", "custom-columns=N:.metadata.name", "--sort-by=.metadata.name")
    assert columns.split() == ["N", "node-1", "node-2", "node-3"]
    assert cluster.run("get", "nodes", "-L", "kubernetes.io/os").count("linux") == 3
    assert "node-1" in cluster.run("get", "nodes", "--chunk-size=1")
    assert cluster.json("get", "node", "node-1")["apiVersion"] == "v1"
    assert "field label not supported: spec.nonsense" in cluster.run(
        "get", "pods", "--field-selector", "spec.nonsense=x", fails=True
    )


def test_names_of_kinds(cluster):
    assert "ippools" in cluster.run("api-resources", "--api-group=crd.projectcalico.org")
    assert "policy/v1" in cluster.run("api-versions")
    assert "node-1" in cluster.run("get", "no")
    assert "10.244.0.0/16" in cluster.run("get", "ippools.crd.projectcalico.org", "-o", "yaml")
    assert "the server doesn't have a resource type" in cluster.run("get", "unheardof", fails=True)
    assert '"nothing" not found' in cluster.run("get", "node", "nothing", fails=True)
    assert re.search(r"rollingUpdate\s+<", cluster.run("explain", "ds.spec.updateStrategy"))
    assert "is running at" in cluster.run("cluster-info")


def test_describe(cluster):
    node = cluster.run("describe", "node", "node-1")
    assert "calico-node-node-1" in node
    assert "Debian 12" in node
    pod = cluster.run("describe", "pod", "-n", "kube-system", "calico-node-node-1")
    assert re.search(r"Controlled By: +DaemonSet/calico-node", pod)
    assert "Pods Status:  3 Running" in cluster.run("describe", "ds", "-n", "kube-system", "calico-node")
    assert "Cidr:" in cluster.run("describe", "ippools.crd.projectcalico.org", "default")


def test_apply(cluster):
    assert "created" in cluster.run("apply", "-f", "-", text=CONFIG_MAP)
    assert "unchanged" in cluster.run("apply", "-f", "-", text=CONFIG_MAP)
    without_two = CONFIG_MAP.replace(', two: "2"', "")
    assert "configured" in cluster.run("apply", "-f", "-", text=without_two)
    assert cluster.json("get", "cm", "settings")["data"] == {"one": "1"}
    assert "(server dry run)" in cluster.run("apply", "--dry-run=server", "-f", "-", text=CONFIG_MAP)
    assert cluster.json("get", "cm", "settings")["data"] == {"one": "1"}
    assert "serverside-applied" in cluster.run(
        "apply", "--server-side", "--force-conflicts", "-f", "-", text=CONFIG_MAP.replace('"2"', '"3"')
    )
    assert cluster.json("get", "cm", "settings")["data"] == {"one": "1", "two": "3"}
    conflict = cluster.run(
        "apply", "--server-side", "--field-manager=other", "-f", "-", text=CONFIG_MAP.replace('"1"', '"9"'), fails=True
    )
    assert "conflict" in conflict
    assert ".data.one" in conflict
    assert cluster.run("diff", "-f", "-", text=CONFIG_MAP, fails=True).count("two") >= 2


def test_apply_refuses_what_is_wrong(cluster):
    wrong = (
        "apiVersion: crd.projectcalico.org/v1\nkind: IPPool\nmetadata: {name: Wrong_Name}\nspec: {cidr: 10.0.0.0/8}\n"
    )
    assert "RFC 1123" in cluster.run("apply", "-f", "-", text=wrong, fails=True)
    missing = "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: x}\nspec: {}\n"
    assert "selector" in cluster.run("apply", "--validate=false", "-f", "-", text=missing, fails=True)
    assert 'namespaces "nowhere" not found' in cluster.run("create", "configmap", "x", "-n", "nowhere", fails=True)


def test_patches_of_three_types(cluster):
    where = ("-n", "kube-system", "ds", "calico-node")
    image = '{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"registry.invalid/main:v2"}]}}}}'
    cluster.run("patch", *where, "-p", image)
    add = '[{"op":"add","path":"/metadata/labels","value":{"x":"y"}},{"op":"test","path":"/kind","value":"DaemonSet"}]'
    cluster.run("patch", *where, "--type=json", "-p", add)
    cluster.run("patch", *where, "--type=merge", "-p", '{"metadata":{"labels":{"x":null,"z":"1"}}}')
    found = cluster.json("get", *where)
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.invalid/main:v2"
    assert found["metadata"]["labels"] == {"z": "1"}
    assert found["metadata"]["generation"] == 2
    assert "no change" in cluster.run("patch", *where, "-p", image)
    pool = ("ippools.crd.projectcalico.org", "default")
    refused = cluster.run("patch", *pool, "--type=strategic", "-p", "{}", fails=True)
    assert re.search("UnsupportedMediaType|unknown format|not supported", refused)
    cluster.run("patch", *pool, "--type=merge", "-p", '{"spec":{"ipipMode":"Always"}}')
    assert cluster.json("get", *pool)["spec"]["ipipMode"] == "Always"


def test_rollout(cluster):
    for name in ("ds/calico-node", "deploy/typha"):
        before = cluster.json("get", "-n", "kube-system", name)["metadata"]["generation"]
        assert "restarted" in cluster.run("rollout", "restart", "-n", "kube-system", name)
        assert "successfully rolled out" in cluster.run("rollout", "status", "-n", "kube-system", name, "--timeout=20s")
        assert cluster.json("get", "-n", "kube-system", name)["metadata"]["generation"] == before + 1
    cluster.run("scale", "-n", "kube-system", "deploy/typha", "--replicas=3")
    assert cluster.json("get", "-n", "kube-system", "deploy/typha")["spec"]["replicas"] == 3
    cluster.run("set", "image", "-n", "kube-system", "ds/calico-node", "main=registry.invalid/main:v3")
    cluster.run("wait", "-n", "kube-system", "--for=condition=Available", "deploy/typha", "--timeout=10s")


def test_drain(cluster):
    refused = cluster.run("drain", "node-2", fails=True)
    assert "DaemonSet-managed" in refused
    drained = cluster.run("drain", "node-2", "--ignore-daemonsets", "--timeout=30s")
    assert "evicting pod kube-system/typha-1-x" in drained
    assert "SchedulingDisabled" in cluster.run("get", "node", "node-2")
    assert "NotFound" in cluster.run("get", "pod", "-n", "kube-system", "typha-1-x", fails=True)
    assert "uncordoned" in cluster.run("uncordon", "node-2")


def test_drain_waits_for_a_disruption_budget(cluster):
    budget = (
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: typha, namespace: kube-system}\n"
        "spec: {minAvailable: 1, selector: {matchLabels: {k8s-app: typha}}}\n"
    )
    cluster.run("apply", "--validate=false", "-f", "-", text=budget)
    told = cluster.run("drain", "node-2", "--ignore-daemonsets", "--timeout=6s", fails=True)
    assert "Cannot evict pod as it would violate the pod's disruption budget." in told


def test_who_may_do_what(cluster):
    assert cluster.run("auth", "can-i", "delete", "nodes").strip().endswith("yes")
    theirs = str(cluster.directory / "kubeconfig-netmedic")
    assert cluster.run("auth", "can-i", "delete", "nodes", kubeconfig=theirs, fails=True).strip().endswith("no")
    refused = cluster.run("get", "nodes", kubeconfig=theirs, fails=True)
    user = 'User "system:serviceaccount:netmedic:netmedic"'
    words = f'nodes is forbidden: {user} cannot list resource "nodes" in API group "" at the cluster scope'
    assert words in refused
    cluster.run("create", "clusterrole", "see-nodes", "--verb=get,list,watch", "--resource=nodes")
    cluster.run("create", "clusterrolebinding", "x", "--clusterrole=see-nodes", "--serviceaccount=netmedic:netmedic")
    assert "node-1" in cluster.run("get", "nodes", kubeconfig=theirs)
    assert "nodes" in cluster.run("auth", "can-i", "--list", kubeconfig=theirs)
    assert cluster.run("auth", "can-i", "get", "secrets", "--as=system:anonymous", fails=True).strip().endswith("no")


def test_label_annotate_taint_delete(cluster):
    cluster.run("label", "node", "node-1", "rack=a")
    assert "already has a value" in cluster.run("label", "node", "node-1", "rack=b", fails=True)
    cluster.run("label", "node", "node-1", "rack=b", "--overwrite")
    cluster.run("annotate", "node", "node-1", "projectcalico.org/IPv4Address=10.200.0.1/24")
    cluster.run("taint", "node", "node-1", "x=y:NoSchedule")
    found = cluster.json("get", "node", "node-1")
    assert found["metadata"]["labels"]["rack"] == "b"
    assert found["metadata"]["annotations"]["projectcalico.org/IPv4Address"] == "10.200.0.1/24"
    assert found["spec"]["taints"] == [{"effect": "NoSchedule", "key": "x", "value": "y"}]
    cluster.run("label", "node", "node-1", "rack-")
    assert "rack" not in cluster.json("get", "node", "node-1")["metadata"]["labels"]
    assert "deleted" in cluster.run("delete", "pod", "-n", "kube-system", "calico-node-node-1")
    assert "deleted" in cluster.run("delete", "ds", "-n", "kube-system", "calico-node")
    assert "No resources" in cluster.run("get", "pods", "-n", "kube-system", "-l", "k8s-app=calico-node")
    assert "deleted" in cluster.run("delete", "pods", "-n", "kube-system", "--all")


def test_deleting_a_namespace(cluster):
    cluster.run("create", "namespace", "gone")
    cluster.run("create", "configmap", "x", "-n", "gone")
    assert "deleted" in cluster.run("delete", "namespace", "gone", "--timeout=20s")
    assert "NotFound" in cluster.run("get", "namespace", "gone", fails=True)


def test_watch(cluster):
    watching = subprocess.Popen(
        [cluster.kubectl, "get", "cm", "-w", "-l", "app=a", "-o", "name"],
        stdout=subprocess.PIPE,
        text=True,
        env=cluster.environment(),
    )
    try:
        cluster.run("apply", "-f", "-", text=CONFIG_MAP)
        assert watching.stdout.readline().strip() == "configmap/settings"
        cluster.run("delete", "cm", "settings")
        assert watching.stdout.readline().strip() == "configmap/settings"
    finally:
        watching.send_signal(signal.SIGINT)
        watching.wait(10)


def test_watch_as_a_table(cluster):
    watching = subprocess.Popen(
        [cluster.kubectl, "get", "nodes", "-w"], stdout=subprocess.PIPE, text=True, env=cluster.environment()
    )
    try:
        assert [watching.stdout.readline().split()[0] for _number in range(4)] == ["NAME", "node-1", "node-2", "node-3"]
        cluster.run("cordon", "node-3")
        assert "Ready,SchedulingDisabled" in watching.stdout.readline()
    finally:
        watching.send_signal(signal.SIGINT)
        watching.wait(10)


def test_tokens(cluster):
    if minor(cluster) < 24:
        pytest.skip("this kubectl makes no tokens")
    token = cluster.run("create", "token", "netmedic", "-n", "netmedic").strip()
    mine = cluster.directory / "mine"
    administrators = cluster.daemon.api.tokens.administrator
    mine.write_text((cluster.directory / "kubeconfig").read_text().replace(administrators, token))
    assert "system:serviceaccount:netmedic:netmedic" in cluster.run("get", "nodes", kubeconfig=str(mine), fails=True)
    assert "system:serviceaccount:netmedic:netmedic" in cluster.run("auth", "whoami", kubeconfig=str(mine))


def test_disturbances_are_seen_as_what_they_are(cluster):
    disturbances = cluster.daemon.api.disturbances
    disturbances.set([{"what": "error", "status": 503, "kinds": ["nodes"]}])
    assert "currently unable to handle the request" in cluster.run("get", "nodes", fails=True)
    disturbances.set([{"what": "missing", "kinds": ["ippools.crd.projectcalico.org"]}])
    assert "the server doesn't have a resource type" in cluster.run(
        "get", "ippools.crd.projectcalico.org", fails=True
    ) or "could not find the requested resource" in cluster.run("get", "ippools.crd.projectcalico.org", fails=True)
    disturbances.set([{"what": "expired_token"}])
    assert re.search("Unauthorized|must be logged in", cluster.run("get", "nodes", fails=True))
    disturbances.set([{"what": "throttle", "count": 1, "kinds": ["nodes"]}])
    assert "node-1" in cluster.run("get", "nodes")
    disturbances.set([])


def test_down_is_down(cluster):
    from lab.api import control

    path = cluster.directory / "api" / "control"
    control.call(path, "PUT", "/disturbances", [{"what": "down"}])
    assert "was refused" in cluster.run("get", "nodes", fails=True)
    control.call(path, "DELETE", "/disturbances")
    assert "node-1" in cluster.run("get", "nodes")
    control.call(path, "PUT", "/disturbances", [{"what": "down", "for_seconds": 0.5}])
    assert "was refused" in cluster.run("get", "nodes", fails=True)
