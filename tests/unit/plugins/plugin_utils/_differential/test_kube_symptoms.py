# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kubectl and calicoctl say of a node does not go under where the sessions look well. The forms are kubectl's and
calicoctl's (calicoctl/commands/node/status.go)."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, read
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import kubectl_nodes

NAMES = {"node-1": "10.1.2.1", "node-2": "10.1.2.2", "node-3": "10.1.2.3"}
HEAD = """Calico process is running.

IPv4 BGP status
+--------------+-------------------+-------+------------+--------------------------------+
| PEER ADDRESS |     PEER TYPE     | STATE |   SINCE    |              INFO              |
+--------------+-------------------+-------+------------+--------------------------------+
"""
ROW = "| {:<12} | node-to-node mesh | {:<5} | 2026-01-01 | {:<30} |\n"
TAIL = "+--------------+-------------------+-------+------------+--------------------------------+\n"
ADDRESS = "2: eth0: <UP> mtu 1500 state UP\n    inet {}/24 scope global eth0\n"
GONE = "Calico process is not running.\n"
REFUSED = "Connect Socket: Connection refused"
NODE = "{:<9}{:<10} <none>   41d   v1.28.4   {}   <none>\n"
POD = "kube-system   calico-node-{}   {}     {:<18} {:<13} 41d   {}   {}\n"
EVENT = """$ kubectl get events -A
NAMESPACE     LAST SEEN   TYPE      REASON      OBJECT                    MESSAGE
kube-system   2m11s       Warning   Unhealthy   pod/calico-node-node3   Readiness probe failed: calico/node is not \
ready: BIRD is not ready: BGP not established with 10.1.2.1,10.1.2.2
"""


def status(name, down=()):
    peers = [address for other, address in NAMES.items() if other != name]
    rows = [ROW.format(one, *(("start", REFUSED) if one in down else ("up", "Established"))) for one in peers]
    return HEAD + "".join(rows) + TAIL


def well():
    files = {f"nodes/{name}/calicoctl-node-status.txt": status(name) for name in NAMES}
    files.update((f"nodes/{name}/ip-addr.txt", ADDRESS.format(address)) for name, address in NAMES.items())
    return files


def nodes(third="Ready"):
    table = "NAME     STATUS     ROLES    AGE   VERSION   INTERNAL-IP   EXTERNAL-IP\n"
    for name, address in NAMES.items():
        table += NODE.format(name, third if name == "node-3" else "Ready", f"{address:<11}")
    return table


def pods(state="Running", ready="1/1", restarts="0"):
    table = "NAMESPACE     NAME                READY   STATUS             RESTARTS      AGE   IP         NODE\n"
    for name, address in NAMES.items():
        told = (ready, state, restarts) if name == "node-3" else ("1/1", "Running", "0")
        table += POD.format(name.replace("-", ""), *told, address, name)
    return table


def report_on(tmp_path, files):
    for path, text in files.items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    told, now = evidence.evidence(read.read(str(tmp_path)))
    return analyse(told, now)


def faults(report):
    return [finding["fault"] for finding in report["findings"]]


def test_a_healthy_mesh_stays_healthy(tmp_path):
    report = report_on(tmp_path, {**well(), "nodes.txt": nodes(), "pods.txt": pods()})
    assert (report["verdict"], report["findings"], report["notes"]) == ("healthy", [], [])


@pytest.mark.parametrize("word", ["NotReady", "Unknown", "NotReady,SchedulingDisabled"])
def test_a_node_that_is_not_ready_is_told(tmp_path, word):
    report = report_on(tmp_path, {**well(), "nodes.txt": nodes(word), "pods.txt": pods()})
    assert report["verdict"] != "healthy"
    assert faults(report)[0] == "kubelet_not_ready"
    assert all(finding["nodes"] == ["node-3"] for finding in report["findings"])


def test_a_pod_that_is_not_ready_is_told(tmp_path):
    report = report_on(tmp_path, {**well(), "pods.txt": pods("Running", "0/1", "3")})
    assert report["verdict"] == "undetermined"
    (said,) = [one for one in report["findings"] if one["fault"] == "undetermined"]
    assert said["summary"].startswith("node-3: calico-node runs there and is not ready")
    assert said["missing"]


def test_a_pod_that_is_killed_for_memory_is_a_finding(tmp_path):
    report = report_on(tmp_path, {**well(), "nodes.txt": nodes(), "pods.txt": pods("OOMKilled", "0/1", "31 (9m ago)")})
    assert (report["verdict"], faults(report)[0]) == ("faulty", "calico_pod_not_starting")
    assert report["findings"][0]["nodes"] == ["node-3"]
    assert "OOMKilled" in report["findings"][0]["summary"]


def test_a_pod_that_was_done_has_not_failed(tmp_path):
    report = report_on(tmp_path, {**well(), "nodes.txt": nodes(), "pods.txt": pods("Completed", "0/1", "0")})
    assert "calico_pod_not_starting" not in faults(report)


def test_calicoctl_that_finds_no_process_is_told(tmp_path):
    files = {**well(), "nodes/node-3/calicoctl-node-status.txt": GONE, "nodes.txt": nodes()}
    report = report_on(tmp_path, files)
    assert report["verdict"] == "undetermined"
    (said,) = [one for one in report["findings"] if one["fault"] == "undetermined"]
    assert "Calico process is not running" in said["summary"]
    assert "2 of its peers" in said["summary"]
    assert "bird_not_running" in faults(report)


def test_calicoctl_that_finds_no_process_beside_a_ready_pod_looked_elsewhere(tmp_path):
    files = {**well(), "nodes/node-3/calicoctl-node-status.txt": GONE, "nodes.txt": nodes(), "pods.txt": pods()}
    report = report_on(tmp_path, files)
    assert (report["verdict"], faults(report)) == ("healthy", ["benign_tool_artifact"])
    assert "Kubernetes has calico-node as Ready" in report["findings"][0]["summary"]


def test_calicoctl_alone_that_finds_no_process_is_told(tmp_path):
    report = report_on(tmp_path, {"nodes/node-3/calicoctl-node-status.txt": GONE})
    (said,) = [one for one in report["findings"] if one["fault"] == "undetermined"]
    assert said["summary"].startswith("node-3: calicoctl says: Calico process is not running")
    assert said["nodes"] == ["node-3"]
    assert said["severity"] != "info"


def test_bird_that_was_heard_beats_what_calicoctl_does_not_see(tmp_path):
    protocols = """$ birdcl show protocols
BIRD v0.3.3+birdv1.6.8 ready.
name     proto    table    state  since       info
Mesh_10_1_2_1 BGP      master   up     2026-01-01  Established
Mesh_10_1_2_2 BGP      master   up     2026-01-01  Established
"""
    files = {**well(), "nodes/node-3/calicoctl-node-status.txt": GONE, "nodes/node-3/birdcl-protocols.txt": protocols}
    report = report_on(tmp_path, files)
    assert not {"bird_not_running", "undetermined"}.intersection(faults(report))


def test_peers_of_a_node_without_calico_point_to_it(tmp_path):
    files = {f"nodes/{name}/calicoctl-node-status.txt": status(name, ("10.1.2.3",)) for name in ("node-1", "node-2")}
    files["nodes/node-3/calicoctl-node-status.txt"] = GONE
    report = report_on(tmp_path, files)
    assert report["verdict"] != "healthy"
    assert faults(report)[0] == "peer_bird_not_running"


def crashing(third="NotReady"):
    return {
        **{f"nodes/{name}/calicoctl-node-status.txt": status(name, ("10.1.2.3",)) for name in ("node-1", "node-2")},
        **{f"nodes/{name}/ip-addr.txt": ADDRESS.format(address) for name, address in NAMES.items()},
        "nodes/node-3/calicoctl-node-status.txt": GONE,
        "nodes.txt": nodes(third),
        "pods.txt": pods("CrashLoopBackOff", "0/1", "12 (2m ago)"),
    }


def test_a_node_without_calico_by_all_accounts_is_the_cause(tmp_path):
    report = report_on(tmp_path, crashing())
    cause = report["findings"][0]
    assert (cause["fault"], cause["nodes"]) == ("bird_not_running", ["node-3"])
    assert "guess" not in cause
    assert [note["nodes"] for note in report["notes"] if note["kind"] == "not_ready"] == [["node-3"]]


def test_what_calicoctl_does_not_see_is_no_proof_of_itself(tmp_path):
    """Where it runs in a container of its own it sees no process of the host's, whatever else is wrong."""
    files = {path: text.replace(REFUSED, "Connect") for path, text in crashing("Ready").items()}
    files["pods.txt"] = pods()
    report = report_on(tmp_path, files)
    assert all(one.get("guess") for one in report["findings"] if one["fault"] == "bird_not_running")


def test_what_a_probe_said_is_noted_where_all_sessions_are_up(tmp_path):
    report = report_on(tmp_path, {**well(), "nodes.txt": nodes(), "pods.txt": pods(), "events.txt": EVENT})
    (note,) = report["notes"]
    assert note["nodes"] == ["node-3"]
    assert "BGP not established with 10.1.2.1,10.1.2.2" in note["says"]


def test_what_a_probe_said_is_told_once_where_nothing_else_was_read(tmp_path):
    report = report_on(tmp_path, {"nodes.txt": nodes(), "pods.txt": pods(), "events.txt": EVENT})
    (said,) = [one for one in report["findings"] if one["fault"] == "undetermined"]
    assert "BGP not established" in said["summary"]
    assert not [note for note in report["notes"] if note["kind"] == "said_not_ready"]


def test_evidence_of_some_nodes_says_what_to_collect_of_the_others(tmp_path):
    files = {path: text for path, text in well().items() if "node-1" in path}
    report = report_on(tmp_path, files)
    (said,) = report["findings"]
    assert (report["verdict"], said["fault"], said["severity"]) == ("undetermined", "undetermined", "info")
    assert [one["node"] for one in said["missing"]] == ["10.1.2.2", "10.1.2.3"]
    assert all("show protocols all" in one["how"] for one in said["missing"])


@pytest.mark.parametrize("line", ["n1 NotReady,SchedulingDisabled <none> 41d v1.28.4 10.1.2.3 <none> Debian 12 6.1 x"])
def test_a_row_that_does_not_stand_under_its_head_is_read(line):
    head = "NAME    STATUS   ROLES   AGE   VERSION   INTERNAL-IP   EXTERNAL-IP   OS-IMAGE   KERNEL-VERSION\n"
    told = kubectl_nodes.parse(f"{head}{line}\n")
    assert [(one.name, one.ready, one.internal_ip) for one in told.value] == [("n1", False, "10.1.2.3")]
    assert not told.problems


def test_prose_is_no_row():
    head = "NAME    STATUS   ROLES   AGE   VERSION\n"
    assert not kubectl_nodes.parse(f"{head}node Ready to go 41d after v1.28.4\n").value
