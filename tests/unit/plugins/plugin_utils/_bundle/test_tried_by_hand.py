# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people tried by hand and pasted: who tried it, towards whom, and what the report makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, read, typed_in

TEXTS = Path(__file__).parents[3] / "texts"
PODS = """$ kubectl get pods -A -o wide
NAMESPACE     NAME                       READY   STATUS    RESTARTS   AGE   IP            NODE
default       web-6b7f6db6d8-abcde       1/1     Running   0          5d    10.99.0.1     node-1
default       web-6b7f6db6d8-fghij       1/1     Running   0          5d    10.99.1.2     node-2
kube-system   calico-node-x2b4z          1/1     Running   0          5d    10.0.0.11     node-1
kube-system   calico-node-k9v7d          1/1     Running   0          5d    10.0.0.12     node-2
"""
STATUS = """[root@node-1 ~]# calicoctl node status
Calico process is running.

IPv4 BGP status
+--------------+-------------------+-------+----------+-------------+
| PEER ADDRESS |     PEER TYPE     | STATE |  SINCE   |    INFO     |
+--------------+-------------------+-------+----------+-------------+
| 10.99.1.9    | node-to-node mesh | up    | 09:12:33 | Established |
| 10.99.1.2    | node-to-node mesh | start | 09:12:33 | Connect     |
+--------------+-------------------+-------+----------+-------------+
"""
EXEC = "$ kubectl exec -it web-6b7f6db6d8-abcde -- {}\n"
HERE = "[root@node-1 ~]# {}\n"


def recorded(kind, name):
    return (TEXTS / kind / name / "input.txt").read_text(encoding="utf-8")


def tried(*texts):
    found, _now = evidence.evidence(read.sort({"paste.txt": "".join(texts)}))
    return found.observations


def report(*texts):
    return analyse(*evidence.evidence(read.sort({"paste.txt": "".join(texts)})))


def ends(observation):
    return observation.check, observation.source, observation.target, observation.result


def test_a_pod_asks_a_pod_by_kubectl_exec():
    found = tried(PODS, EXEC.format("ping -c 3 10.99.1.2"), recorded("ping", "ping-lost"))
    assert [ends(one) for one in found] == [("ping", "pod-on-node-1", "pod-on-node-2", "timeout")]
    assert not found[0].outside


def test_a_pod_asks_in_its_own_shell_until_somebody_else_does():
    found = tried(
        PODS,
        EXEC.format("sh"),
        "/ # ping -c 3 10.99.1.2\n",
        recorded("ping", "bb-ping-lost"),
        "[root@node-2 ~]# ping -c 3 10.99.1.2\n",
        recorded("ping", "ping-answers"),
    )
    assert [one.source for one in found] == ["pod-on-node-1", "node-2"]


def test_a_pod_of_the_host_network_is_its_node():
    typed = "$ kubectl exec -n kube-system calico-node-x2b4z -c calico-node -- ping -c 3 10.99.1.2\n"
    found = tried(PODS, typed, recorded("ping", "ping-lost"))
    assert [(one.source, one.target) for one in found] == [("node-1", "pod-on-node-2")]


def test_pods_that_do_not_reach_each_other_are_told_with_guesses_only():
    told = report(PODS, EXEC.format("ping -c 3 10.99.1.2"), recorded("ping", "ping-lost"))
    assert told["verdict"] == "undetermined"
    assert all(one["confidence"] < 0.5 or one["fault"] == "undetermined" for one in told["findings"])
    assert {"ipip_blocked", "vxlan_udp_blocked"} <= {one["fault"] for one in told["findings"]}


@pytest.mark.parametrize(
    ("kind", "name", "typed"),
    [
        ("ping", "ping-lost", "ping -c 3 8.8.8.8"),
        ("connect", "curl-timeout", "curl -m 2 http://10.99.1.2:8080/"),
        ("connect", "nc-no-route", "nc -zv 192.0.2.1 179"),
    ],
)
def test_what_is_not_known_to_be_of_the_cluster_is_no_evidence_on_pods(kind, name, typed):
    pods = "\n".join(PODS.splitlines()[:3]) + "\n"
    found = tried(pods, EXEC.format(typed), recorded(kind, name))
    assert found
    assert all(one.outside for one in found)
    told = report(pods, EXEC.format(typed), recorded(kind, name))
    assert not {"ipip_blocked", "vxlan_udp_blocked", "mtu_mismatch"} & {one["fault"] for one in told["findings"]}


def test_a_refused_port_settles_what_the_session_only_hints_at():
    told = report(
        STATUS,
        HERE.format("ping -c 3 10.99.1.2"),
        recorded("ping", "ping-answers"),
        HERE.format("nc -zv 10.99.1.2 179"),
        recorded("connect", "nc-openbsd-refused").replace("port 180", "port 179"),
    )
    assert told["findings"][0]["fault"] == "peer_bird_not_running"
    assert told["findings"][0]["nodes"] == ["10.99.1.2"]


def test_a_silent_port_of_a_host_that_answers_leaves_the_peer_alive():
    told = report(
        STATUS,
        HERE.format("ping -c 3 10.99.1.2"),
        recorded("ping", "ping-answers"),
        HERE.format("nc -zv -w 2 10.99.1.2 179"),
        recorded("connect", "nc-openbsd-timeout"),
    )
    faults = [one["fault"] for one in told["findings"]]
    assert "peer_node_down" not in faults
    assert faults[0] == "undetermined"
    assert {"tcp179_blocked_host_firewall", "tcp179_blocked_network"} <= set(faults)


def test_a_rejected_echo_is_no_dead_host():
    told = report(STATUS, HERE.format("ping -c 2 10.99.1.2"), recorded("ping", "ping-prohibited"))
    assert all(one["fault"] != "peer_node_down" or one["confidence"] < 0.5 for one in told["findings"])


def test_the_router_says_what_pods_packets_may_be():
    found = tried(PODS, EXEC.format("ping -c 2 -M do -s 1472 10.99.1.2"), recorded("ping", "ping-frag-needed"))
    assert [(one.result, one.size) for one in found] == [("too_large", 1472), ("open", 1372), ("timeout", 1472)]
    told = report(PODS, EXEC.format("ping -c 2 -M do -s 1472 10.99.1.2"), recorded("ping", "ping-frag-needed"))
    assert told["findings"][0]["fault"] == "mtu_mismatch"


def test_too_large_for_the_own_interface_is_no_fault():
    told = report(PODS, EXEC.format("ping -M do -s 1600 10.99.1.2"), recorded("ping", "ping-message-too-long"))
    assert "mtu_mismatch" not in {one["fault"] for one in told["findings"]}


@pytest.mark.parametrize("name", ["ping-answers", "ping-quiet", "ping-half", "bb-ping-answers", "ping-size-1372"])
def test_answers_are_no_fault(name):
    told = report(PODS, EXEC.format("ping 10.99.1.2"), recorded("ping", name))
    assert {one["fault"] for one in told["findings"]} <= {"undetermined"}
    assert all(one["severity"] == "info" for one in told["findings"])


def test_a_port_alone_says_how_it_failed():
    told = report(HERE.format("nc -zv 10.99.1.2 179"), recorded("connect", "nc-openbsd-timeout"))
    faults = [one["fault"] for one in told["findings"]]
    assert faults[0] == "undetermined"
    assert "tcp179_blocked_network" in faults


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("refused", "apiserver_unreachable"),
        ("timeout", "apiserver_unreachable"),
        ("unauthorized", "certificate_expired"),
        ("no-resource", "benign_tool_artifact"),
        ("no-kind", "benign_tool_artifact"),
    ],
)
def test_kubectls_own_errors_are_of_the_api_server_and_never_sure(name, first):
    told = report("$ kubectl get nodes\n", recorded("api-error", f"kubectl-1.32-{name}"))
    assert told["verdict"] == "undetermined"
    guesses = [one for one in told["findings"] if one.get("guess")]
    assert guesses[0]["fault"] == first
    assert all(one["confidence"] < 0.5 for one in guesses)


def test_an_end_and_the_time_that_kubectl_has_prove_an_expired_certificate():
    told = report("$ kubectl get nodes\n", recorded("api-error", "kubectl-1.32-expired"))
    assert told["findings"][0]["fault"] == "certificate_expired"
    assert told["findings"][0]["confidence"] >= 0.5


def test_calicoctl_that_finds_no_bird_leaves_open_whether_there_should_be_one():
    status = "$ calicoctl node status\nCalico process is running.\n\n"
    told = report(status, "None of the BGP backend processes (BIRD or GoBGP) are running.\n")
    faults = {one["fault"] for one in told["findings"]}
    assert {"undetermined", "bird_not_running", "bird_not_expected"} <= faults
    assert told["verdict"] == "undetermined"


def test_a_log_after_a_table_is_parted_from_it_by_its_prompt():
    bundle = read.sort({"x.txt": f"{STATUS}$ dmesg | tail\n[ 1.000000] nf_conntrack: table full, dropping packet\n"})
    assert set(bundle.nodes["node-1"].texts) >= {"calicoctl-node-status.txt"}
    assert any(name.endswith(".log") for own in bundle.nodes.values() for name in own.texts)


def test_what_a_workloads_pod_has_is_not_its_nodes():
    routes = "default via 169.254.1.1 dev eth0 \n169.254.1.1 dev eth0 scope link \n"
    bundle = read.sort({"x.txt": PODS + EXEC.format("ip route") + routes})
    assert not bundle.nodes


def test_the_file_nodename_names_the_node():
    bundle = read.sort({"x.txt": "[root@worker-1 ~]# cat /var/lib/calico/nodename\nworker-1.example.com\n"})
    facts = evidence.facts_of("worker-1", bundle.nodes["worker-1"])
    assert facts["calico_node"]["nodename"] == "worker-1.example.com"
    assert facts["calico_node"]["nodename_source"] == "file"


@pytest.mark.parametrize(
    ("command", "pod"),
    [
        ("kubectl exec web-1 -- ping 10.0.0.1", "web-1"),
        ("kubectl -n shop exec -it pod/web-1 -c app -- sh -c 'nc -zv a 1'", "web-1"),
        ("kubectl exec -ti -n shop web-1 -- bash", "web-1"),
        ("oc exec deploy/web -- ping 10.0.0.1", typed_in.SOMEWHERE),
        ("docker exec 0123456789ab ping 10.0.0.1", typed_in.SOMEWHERE),
        ("nsenter -t 4242 -n ping 10.0.0.1", typed_in.SOMEWHERE),
        ("kubectl get pods", ""),
        ("ping 10.0.0.1", ""),
        ("kubectl exec", ""),
    ],
)
def test_where_a_command_ran(command, pod):
    assert typed_in.pod(command) == pod
