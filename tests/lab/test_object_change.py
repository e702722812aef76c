# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""object_change and cluster_lock as tasks of a play: live sessions follow what they change and what they put back."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lab import birdc, waiting
from lab.api_client import CALICO, ApiError
from lab.services import SOCKETS

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab import Lab

    Play = Callable[..., tuple[list[dict[str, Any]], str]]

ANSIBLE = Path(sys.executable).with_name("ansible-playbook")
CONFIG = Path(__file__).parents[2] / "scripts" / "lab.cfg"
V1 = "crd.projectcalico.org/v1"
SYSTEM = "/api/v1/namespaces/kube-system"
CANARY = "canary-4711-of-a-password"


@pytest.fixture
def play(lab: Lab, tmp_path: Path) -> Play:
    """Run tasks with -vvv, as the account that may repair; their results, and all that was printed."""

    def run(*tasks: tuple[str, dict[str, Any]], check: bool = False, account: str = "netmedic-remediate") -> Any:
        way = {"kubeconfig": str(lab.state.path(f"kubeconfig-{account}")), "timeout": 20}
        named = []
        for number, (module, options) in enumerate(tasks):
            task = {f"netmedic.calico.{module}": {**way, **options}, "register": f"result_{number}"}
            named.append({**task, "name": f"Task {number}", "failed_when": False})
        found = "{{ [" + ", ".join(f"result_{number}" for number in range(len(tasks))) + "] | to_json }}"
        file = tmp_path / "results.json"
        last = {"name": "Keep", "ansible.builtin.copy": {"dest": str(file), "content": found, "mode": "0600"}}
        last.update({"check_mode": False, "diff": False, "no_log": True})
        variables = {"ansible_python_interpreter": sys.executable}
        book = [{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": [*named, last]}]
        (tmp_path / "play.yml").write_text(yaml.safe_dump(book), encoding="utf-8")
        argv = [str(ANSIBLE), "-vvv", "--diff", *(["--check"] if check else []), "-i", "localhost,", "-c", "local"]
        environment = {**os.environ, "ANSIBLE_CONFIG": str(CONFIG), "ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run(
            [*argv, str(tmp_path / "play.yml")],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env=environment,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(file.read_text(encoding="utf-8")), done.stdout + done.stderr

    return run


def change(*changes: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return "object_change", {"changes": list(changes)}


def undo(*results: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return "object_change", {"state": "undone", "record": [entry for one in results for entry in one["record"]]}


def sessions(lab: Lab, node: str) -> dict[str, birdc.Session]:
    with suppress(birdc.BirdError):
        return birdc.sessions(lab.machine(node), SOCKETS["ipv4"])
    return {}


def until(condition: Callable[[], Any], what: str) -> None:
    waiting.until(lambda: "" if condition() else "not yet", what, 60)


def state_of(lab: Lab) -> dict[str, Any]:
    """Calico's settings and the Nodes, without what the server counts."""
    found = {}
    paths = [f"{CALICO}/{plural}" for plural in ("ippools", "bgpconfigurations", "bgppeers", "felixconfigurations")]
    for path in [*paths, "/api/v1/nodes"]:
        for each in lab.api().get(path)["items"]:
            meta = each["metadata"]
            kept = {key: meta.get(key) for key in ("labels", "annotations", "uid")}
            found[f"{path}/{meta['name']}"] = {"metadata": kept, "spec": each.get("spec")}
    return found


def test_sessions_follow_changes_and_what_is_put_back(lab, play):
    before = state_of(lab)
    mesh = {
        "action": "create",
        "object": {
            "apiVersion": V1,
            "kind": "BGPConfiguration",
            "metadata": {"name": "default"},
            "spec": {"nodeToNodeMeshEnabled": False, "asNumber": 64600},
        },
    }
    felix = {"action": "patch", "api_version": V1, "kind": "FelixConfiguration", "name": "default"}
    felix["patch"] = {"spec": {"ipipMTU": 1440}}
    peer = {
        "action": "create",
        "object": {
            "apiVersion": V1,
            "kind": "BGPPeer",
            "metadata": {"name": "elsewhere"},
            "spec": {"node": "node-2", "peerIP": "10.200.0.254:1790", "asNumber": 64700},
        },
    }
    (checked,), _said = play(change(mesh, felix, peer), check=True)
    assert (checked["changed"], checked["record"], state_of(lab)) == (True, [], before)
    (done,), said = play(change(mesh, felix, peer))
    assert (done.get("msg"), done["results"]) == (None, checked["results"])
    assert "+spec.ipipMTU: 1440" in said
    until(lambda: not any(name.startswith("Mesh") for name in sessions(lab, "node-1")), "the mesh to go")
    until(lambda: "Node_10_200_0_254_port_1790" in sessions(lab, "node-2"), "the peer")
    (again, undone), _said = play(change(mesh, felix, peer), undo(done))
    assert (again["changed"], again["record"], undone["changed"]) == (False, [], True)
    lab.wait_ready()
    until(lambda: "Node_10_200_0_254_port_1790" not in sessions(lab, "node-2"), "the peer to go")
    assert state_of(lab) == before


@pytest.mark.thorough
def test_a_pool_and_an_as_number(lab, play):
    before = state_of(lab)
    pool = {
        "action": "patch",
        "kind": "IPPool",
        "name": "default-ipv4-ippool",
        "patch": {"spec": {"disableBGPExport": True}},
    }
    number = {"action": "patch", "api_version": "v1", "kind": "Node", "name": "node-3"}
    number["patch"] = {"metadata": {"annotations": {"projectcalico.org/ASNumber": "64777"}}}
    number["expect"] = {"metadata": {"annotations": {"projectcalico.org/ASNumber": None}}}
    (done,), _said = play(change(pool, number))
    assert done.get("msg") is None
    routes = ["ip", "route", "show", "proto", "bird"]
    until(lambda: "10.244.4.0/26 via" not in lab.exec("node-1", routes).stdout, "the routes to go")
    protocols = ["birdc", "-s", SOCKETS["ipv4"], "show", "protocols", "all", "Mesh_10_200_0_11"]
    until(lambda: "64777" in lab.exec("node-1", protocols).stdout, "the AS number")
    lab.wait_ready()
    (undone,), _said = play(undo(done))
    assert undone.get("msg") is None
    until(lambda: "10.244.4.0/26 via" in lab.exec("node-1", routes).stdout, "the routes to come back")
    lab.wait_ready()
    assert state_of(lab) == before


def test_no_value_of_a_secret_is_told(lab, play):
    values = [CANARY, base64.b64encode(CANARY.encode()).decode()]
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "bgp-secrets"}, "data": {"rr": values[1]}}
    lab.api().create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bgp-test"}})
    lab.api().create(f"{SYSTEM}/secrets", secret)
    source = {"namespace": "kube-system", "name": "bgp-secrets"}
    copy = {"action": "copy_secret", "from": source, "to": {"namespace": "bgp-test", "name": "copied"}, "keys": ["rr"]}
    allow = {
        "action": "allow_secret",
        "namespace": "kube-system",
        "name": "bgp-secrets",
        "service_account": "calico-node",
    }
    wrong = {"action": "patch", "api_version": V1, "kind": "IPPool", "name": "gone", "patch": {"spec": {"a": 1}}}
    administrator = {"kubeconfig": str(lab.state.path("kubeconfig"))}
    try:
        results, said = play(
            change(copy),  # into a namespace where the account may do nothing
            ("object_change", {**change(copy, allow)[1], **administrator}),
            ("object_change", {"state": "undone", "record": "{{ result_1.record }}", **administrator}),
            change(allow, wrong),
        )
        assert "roles/remediate/files/rbac.yml of this collection" in results[0]["msg"]
        assert [one["kind"] for one in results[1]["record"]] == ["Secret", "Role", "RoleBinding"]
        assert (results[2].get("msg"), results[2]["changed"]) == (None, True)
        assert "is gone" in results[3]["msg"]
        assert not [value for value in values if value in json.dumps(results) + said]
    finally:
        lab.api().delete(f"{SYSTEM}/secrets/bgp-secrets")
        with suppress(ApiError):
            lab.api().delete("/api/v1/namespaces/bgp-test")


def test_the_lock(lab, play):
    options = {"holder": "me, job 1"}
    other = {"holder": "you, job 2"}
    results, _said = play(
        ("cluster_lock", options), ("cluster_lock", other), ("cluster_lock", {**options, "state": "released"})
    )
    assert [one["changed"] for one in results] == [True, False, True]
    assert "me, job 1 holds the lock" in results[1]["msg"]
    assert results[2]["holder"] == ""
