# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Descriptions of pods whose program never comes to run. The form is kubectl's (pkg/describe), the words are those of
kubelet (pkg/kubelet/images, pkg/kubelet/kuberuntime, pkg/volume), containerd and the scheduler."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.failure import failure
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import offline

HEAD = """$ kubectl -n {space} describe pod {name}
Name:                 {name}
Namespace:            {space}
Node:                 {node}
Labels:               k8s-app={app}
Status:               {status}
Controlled By:  {owner}
Init Containers:
  upgrade-ipam:
    Image:         docker.io/calico/cni:v3.27.2
    State:          {init}
    Ready:          {done}
    Restart Count:  0
Containers:
  {app}:
    Image:          docker.io/calico/node:v3.27.2
    State:          Waiting
      Reason:       {waits}
{last}    Ready:          False
    Restart Count:  {restarts}
Conditions:
  Type              Status
  Ready             False
  PodScheduled      {placed}
Tolerations:        :NoSchedule op=Exists
                    CriticalAddonsOnly op=Exists
Events:
  Type     Reason            Age                 From     Message
  ----     ------            ----                ----     -------
  Warning  {event}  10m (x4 over 12m)   kubelet  {message}
"""
KILLED = """    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
    Limits:
      memory:       64Mi
"""
RUN, PULLING = "Terminated\n      Reason:       Completed\n      Exit Code:    0", "Waiting\n      Reason:       {}"
RATE = (
    'Failed to pull image "docker.io/calico/cni:v3.27.2": rpc error: code = Unknown desc = failed to pull and unpack '
    'image "docker.io/calico/cni:v3.27.2": failed to copy: httpReadSeeker: failed open: unexpected status code '
    "https://registry-1.docker.io/v2/calico/cni/manifests/sha256:abc: 429 Too Many Requests - Server message: "
    "toomanyrequests: You have reached your pull rate limit."
)
UNBOUND = 'MountVolume.SetUp failed for volume "policysync" : mkdir /var/run/nodeagent: read-only file system'
NO_PAUSE = (
    "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox image "
    '"registry.k8s.io/pause:3.9"'
)


def described(**told):
    parts = {
        "space": "kube-system",
        "name": "calico-node-7xk2p",
        "node": "worker-3/10.20.0.13",
        "app": "calico-node",
        "status": "Pending",
        "owner": "DaemonSet/calico-node",
        "init": RUN,
        "done": "True",
        "last": "",
        "waits": "PodInitializing",
        "restarts": "0",
        "placed": "True",
        "event": "Failed",
        "message": "Error",
    }
    return HEAD.format(**{**parts, **told})


def first(tmp_path, text):
    (tmp_path / "paste.txt").write_text(text, encoding="utf-8")
    return offline.analysed(str(tmp_path)).report["findings"][0]


@pytest.mark.parametrize(
    ("told", "quoted", "typed"),
    [
        (
            {"init": PULLING.format("ImagePullBackOff"), "done": "False", "message": RATE},
            ("ImagePullBackOff", "You have reached your pull rate limit"),
            ("crictl pull docker.io/calico/cni:v3.27.2", "create secret generic calico-pull -n kube-system"),
        ),
        (
            {"init": PULLING.format("ErrImagePull"), "done": "False", "message": RATE[:60] + ": dial tcp: i/o timeout"},
            ("ErrImagePull", "i/o timeout"),
            ("does not reach the registry",),
        ),
        (
            {"status": "Running", "waits": "CrashLoopBackOff", "last": KILLED, "restarts": "14", "event": "BackOff"},
            ("OOMKilled", "exit code 137", "its limit is 64Mi", "14 restarts"),
            ("kubectl set resources", "-c calico-node --limits=memory=128Mi"),
        ),
        (
            {"waits": "CreateContainerConfigError", "message": 'Error: configmap "calico-config" not found'},
            ("CreateContainerConfigError", 'configmap "calico-config" not found'),
            ("kubectl get configmaps -n kube-system   # calico-config is missing",),
        ),
        (
            {"init": PULLING.format("PodInitializing"), "done": "False", "event": "FailedMount", "message": UNBOUND},
            ("read-only file system",),
            ("on worker-3: df -h",),
        ),
        (
            {"init": PULLING.format("PodInitializing"), "event": "FailedCreatePodSandBox", "message": NO_PAUSE},
            ("failed to get sandbox image",),
            (),
        ),
    ],
)
def test_what_kubelet_says_is_quoted_and_answered(tmp_path, told, quoted, typed):
    found = first(tmp_path, described(**told))
    assert (found["fault"], found["nodes"]) == ("calico_pod_not_starting", ["worker-3"])
    assert found["confidence"] >= 0.9
    for words in quoted:
        assert words in found["summary"]
    for words in typed:
        assert any(words in line for line in found["fix"]["commands"])


def test_a_program_that_ends_by_itself_is_not_called_one_that_does_not_start(tmp_path):
    last = "    Last State:     Terminated\n      Reason:       Error\n      Exit Code:    1\n"
    found = first(tmp_path, described(status="Running", waits="CrashLoopBackOff", last=last, restarts="9"))
    assert found["fault"] != "calico_pod_not_starting"


def test_a_row_of_a_table_is_enough(tmp_path):
    rows = (
        "$ kubectl get pods -n kube-system -o wide\n"
        "NAME                READY   STATUS                  RESTARTS   AGE   IP           NODE\n"
        "calico-node-2bq7v   1/1     Running                 0          12d   10.20.0.11   worker-1\n"
        "calico-node-7xk2p   0/1     Init:ImagePullBackOff   0          12m   10.20.0.13   worker-3\n"
    )
    found = first(tmp_path, rows)
    assert (found["fault"], found["nodes"]) == ("calico_pod_not_starting", ["worker-3"])


def test_events_alone_are_believed_less(tmp_path):
    head = "$ kubectl describe pod calico-node-zz9xx -n kube-system | tail -1\n"
    found = first(tmp_path, f"{head}  Warning  Failed  10m (x4 over 12m)  kubelet  {RATE}\n")
    assert found["fault"] == "calico_pod_not_starting"
    assert found["where"]["image"] == "docker.io/calico/cni:v3.27.2"
    assert found["confidence"] < 0.9


def test_a_controller_that_does_not_start_is_a_minor_matter(tmp_path):
    told = {"name": "calico-kube-controllers-6b7cb5f8f-x2x9p", "app": "calico-kube-controllers"}
    text = described(
        **told, owner="ReplicaSet/calico-kube-controllers-6b7cb5f8f", waits="ImagePullBackOff", message=RATE
    )
    found = first(tmp_path, text)
    assert (found["fault"], found["role"], found["severity"]) == ("calico_pod_not_starting", "contributing", "minor")
    assert found["nodes"] == []


def test_a_pod_that_was_evicted_is_none_on_the_node(tmp_path):
    text = described(
        status="Failed\nReason:               Evicted\nMessage:              The node was low on resource: memory."
    )
    found = first(tmp_path, text)
    assert (found["fault"], found["nodes"]) == ("calico_node_not_scheduled", ["worker-3"])
    assert "The node was low on resource: memory." in found["summary"]
    assert not any("tolerates" in one["detail"] for one in found["evidence"])


def test_the_schedulers_words_lead_to_its_cure(tmp_path):
    refused = (
        "0/4 nodes are available: 1 node(s) had untolerated taint {a/b: true}. preemption: 0/4 nodes are available."
    )
    text = described(node="<none>", placed="False", event="FailedScheduling", message=refused, init="", waits="")
    found = first(tmp_path, text)
    assert found["fault"] == "calico_node_not_scheduled"
    assert "untolerated taint {a/b: true}" in found["summary"]
    assert "preemption" not in found["summary"]
    assert any(line.startswith("kubectl taint node") for line in found["fix"]["commands"])


def test_objects_that_say_nothing_fail_the_run(tmp_path):
    rows = "$ kubectl get nodes\nNAME     STATUS   ROLES    AGE   VERSION\nnode-1   Ready    <none>   12d   v1.29.3\n"
    (tmp_path / "paste.txt").write_text(rows, encoding="utf-8")
    assert failure(offline.analysed(str(tmp_path)).report, "major", incomplete=False)
