# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kubernetes.core through ansible-playbook: k8s, k8s_info, k8s_json_patch, k8s_scale, k8s_drain."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ANSIBLE = Path(sys.executable).with_name("ansible-playbook")
MAP = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings", "namespace": "default"},
    "data": {"one": "1"},
}


@pytest.fixture
def play(cluster):
    """Run tasks; their results by name."""
    if importlib.util.find_spec("ansible_collections.kubernetes") is None:
        pytest.skip("kubernetes.core is not installed")

    def run(*tasks):
        named = [{"name": str(index), "register": f"result_{index}", **task} for index, task in enumerate(tasks)]
        results = {"dest": str(cluster.directory / "results"), "content": "{{ found | to_json }}"}
        found = "{" + ", ".join(f"'{index}': result_{index}" for index in range(len(tasks))) + "}"
        last = {"ansible.builtin.copy": results, "vars": {"found": "{{ " + found + " }}"}}
        variables = {"ansible_python_interpreter": sys.executable}
        content = [{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": [*named, last]}]
        book = cluster.directory / "play.yml"
        book.write_text(yaml.safe_dump(content))
        environment = {**cluster.environment(), "K8S_AUTH_KUBECONFIG": cluster.kubeconfig, "ANSIBLE_NOCOLOR": "1"}
        argv = [str(ANSIBLE), "-i", "localhost,", "-c", "local", str(book)]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        results = json.loads((cluster.directory / "results").read_text())
        return [results[str(index)] for index in range(len(tasks))]

    return run


def test_k8s_makes_changes_and_is_idempotent(play):
    task = {"kubernetes.core.k8s": {"state": "present", "definition": MAP}}
    changed = {"kubernetes.core.k8s": {"state": "present", "definition": {**MAP, "data": {"one": "2"}}}}
    gone = {"kubernetes.core.k8s": {"state": "absent", "definition": MAP}}
    made, same, checked, other, removed, again = play(task, task, {**changed, "check_mode": True}, changed, gone, gone)
    assert [made["changed"], same["changed"], other["changed"]] == [True, False, True]
    assert checked["changed"]
    assert checked["result"]["data"] == {"one": "2"}
    assert [removed["changed"], again["changed"]] == [True, False]


def test_k8s_applies(play):
    task = {"kubernetes.core.k8s": {"apply": True, "definition": MAP}}
    server = {
        "kubernetes.core.k8s": {
            "apply": True,
            "server_side_apply": {"field_manager": "me", "force_conflicts": True},
            "definition": {**MAP, "data": {"two": "2"}},
        }
    }
    made, same, applied = play(task, task, server)
    assert [made["changed"], same["changed"], applied["changed"]] == [True, False, True]
    assert applied["result"]["data"] == {"one": "1", "two": "2"}


def test_k8s_info(play):
    nodes, pods, pools, nothing = play(
        {"kubernetes.core.k8s_info": {"kind": "Node"}},
        {"kubernetes.core.k8s_info": {"kind": "Pod", "namespace": "kube-system", "label_selectors": ["k8s-app=typha"]}},
        {"kubernetes.core.k8s_info": {"api_version": "crd.projectcalico.org/v1", "kind": "IPPool", "name": "default"}},
        {"kubernetes.core.k8s_info": {"kind": "Node", "name": "nothing"}},
    )
    assert [each["metadata"]["name"] for each in nodes["resources"]] == ["node-1", "node-2", "node-3"]
    assert [each["metadata"]["name"] for each in pods["resources"]] == ["typha-1-x"]
    assert pools["resources"][0]["spec"]["cidr"] == "10.244.0.0/16"
    assert nothing["resources"] == []


def test_k8s_json_patch(play):
    where = {"api_version": "crd.projectcalico.org/v1", "kind": "IPPool", "name": "default"}
    change = [{"op": "replace", "path": "/spec/ipipMode", "value": "Always"}]
    task = {"kubernetes.core.k8s_json_patch": {**where, "patch": change}}
    changed, same = play(task, task)
    assert [changed["changed"], same["changed"]] == [True, False]
    assert changed["result"]["spec"]["ipipMode"] == "Always"


def test_k8s_waits(play):
    definition = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "calico-node", "namespace": "kube-system"},
        "spec": {"template": {"metadata": {"annotations": {"restarted": "now"}}}},
    }
    options = {"state": "patched", "definition": definition, "wait": True, "wait_timeout": 20}
    (done,) = play({"kubernetes.core.k8s": options})
    assert done["changed"]
    assert done["result"]["status"]["updatedNumberScheduled"] == 3


def test_k8s_drain(play, cluster):
    options = {"ignore_daemonsets": True, "delete_emptydir_data": True, "wait_timeout": 30}
    drained, freed = play(
        {"kubernetes.core.k8s_drain": {"name": "node-2", "state": "drain", "delete_options": options}},
        {"kubernetes.core.k8s_drain": {"name": "node-2", "state": "uncordon"}},
    )
    assert [drained["changed"], freed["changed"]] == [True, True]
    names = [each["metadata"]["name"] for each in cluster.store.list(cluster.store.kinds.find("pods"))]
    assert "typha-1-x" not in names
    assert "calico-node-node-2" in names


def test_k8s_scale(play):
    where = {"api_version": "apps/v1", "kind": "Deployment", "name": "typha", "namespace": "kube-system"}
    (scaled,) = play({"kubernetes.core.k8s_scale": {**where, "replicas": 2, "wait_timeout": 20}})
    assert scaled["result"]["spec"]["replicas"] == 2
