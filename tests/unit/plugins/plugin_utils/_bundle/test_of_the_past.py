# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a bundle tells of another moment, another machine, or of a rule that is gone, and what is made of it."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import offline, pasted
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import kubectl_events

STATUS = """{prompt}calicoctl node status{comment}
Calico process is running.

IPv4 BGP status
+--------------+-------------------+-------+----------+-------------+
| PEER ADDRESS |     PEER TYPE     | STATE |  SINCE   |    INFO     |
+--------------+-------------------+-------+----------+-------------+
| {peer:<12} | node-to-node mesh | {state:<5} | 09:13:01 | {info:<11} |
+--------------+-------------------+-------+----------+-------------+
"""
NODES = """$ kubectl get nodes -o wide
NAME     STATUS   ROLES    AGE   VERSION   INTERNAL-IP   EXTERNAL-IP   OS-IMAGE   KERNEL-VERSION   CONTAINER-RUNTIME
node-1   Ready    <none>   12d   v1.29.3   10.20.0.14    <none>        Ubuntu     5.15.0           containerd://1.7.2
node-2   Ready    <none>   12d   v1.29.3   10.20.0.15    <none>        Ubuntu     5.15.0           containerd://1.7.2
"""
RULES = "root@node-1:~# iptables -S\n-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n{}\n"
BLOCK = "-A INPUT -p tcp -m tcp --dport 179 -j DROP"
LOG = """2025-10-14 09:12:34.010 [{level}][61] {line}
2025-10-14 {last} [INFO][61] felix/summary.go 100: Summarising 12 dataplane reconciliation loops over 1m2s
"""
SILENT = (
    'felix/watchercache.go 175: Failed to perform list of current data error=Get "https://10.96.0.1:443/apis/'
    'networking.k8s.io/v1/networkpolicies": dial tcp 10.96.0.1:443: connect: connection refused'
)
UNTRUSTED = (
    "startup/startup.go 99: Connection to the datastore is unauthorized error=x509: certificate signed by unknown "
    "authority"
)


def status(info="Established", peer="10.20.0.15", prompt="root@node-1:~# ", comment=""):
    state = "up" if info == "Established" else "start"
    return STATUS.format(prompt=prompt, comment=comment, peer=peer, state=state, info=info)


def faults(tmp_path, text="", **files):
    for name, content in ({"paste.txt": text} if text else files).items():
        (tmp_path / name.replace("__", ".")).write_text(content, encoding="utf-8")
    report = offline.analysed(str(tmp_path)).report
    return {one["fault"]: one["confidence"] for one in report["findings"]}, report


@pytest.mark.parametrize(
    ("level", "line", "fault"),
    [("ERROR", SILENT, "apiserver_unreachable"), ("WARNING", UNTRUSTED, "calico_node_refused")],
)
def test_a_complaint_that_is_not_repeated_for_minutes_is_over(tmp_path, level, line, fault):
    now, _report = faults(tmp_path, LOG.format(level=level, line=line, last="09:12:36.010"))
    assert now[fault] > 0.8
    later, _report = faults(tmp_path, LOG.format(level=level, line=line, last="09:24:36.010"))
    assert later.get(fault, 0) < 0.5


@pytest.mark.parametrize("typed", ["-D INPUT -p tcp --dport 179 -j DROP", "-D INPUT 1", "-F INPUT", "-F"])
def test_a_rule_that_is_deleted_further_down_is_gone(tmp_path, typed):
    shown = RULES.format(BLOCK)
    before, _report = faults(tmp_path, shown + status())
    assert "tcp179_latent_one_way_block" in before
    after, _report = faults(tmp_path, f"{shown}root@node-1:~# iptables {typed}\n{status()}")
    assert "tcp179_latent_one_way_block" not in after


@pytest.mark.parametrize("typed", ["-D INPUT -p udp --dport 179 -j DROP", "-t nat -F", "-D INPUT 7", "-D OUTPUT 1"])
def test_another_rule_that_is_deleted_changes_nothing(tmp_path, typed):
    text = f"{RULES.format(BLOCK)}root@node-1:~# iptables {typed}\n{status()}"
    assert "tcp179_latent_one_way_block" in faults(tmp_path, text)[0]


def test_of_numbered_files_the_last_counts(tmp_path):
    _found, report = faults(tmp_path, **{"00-status__txt": status("Connect"), "01-status__txt": status()})
    assert report["sessions"]["down"] == 0
    assert any("of another moment" in source["detail"] for source in report["coverage"]["sources"])


def test_where_somebody_only_typed_is_no_node(tmp_path):
    typed = "me@laptop:~$ sysctl net.ipv4.ip_forward\nnet.ipv4.ip_forward = 0\n"
    found, report = faults(tmp_path, typed + NODES + status())
    assert "ip_forward_off" not in found
    assert any(one["node"] == "laptop" and "left out" in one["detail"] for one in report["coverage"]["sources"])
    # The same on a node, and where hosts are called otherwise than Nodes.
    on_node, _report = faults(tmp_path, typed.replace("laptop", "node-2") + NODES + status())
    assert "ip_forward_off" in on_node
    elsewhere, _report = faults(tmp_path, typed + NODES + status(prompt="root@ip-10-9-9-9:~# ", peer="10.9.9.8"))
    assert "ip_forward_off" in elsewhere


@pytest.mark.parametrize(
    ("peer", "host", "is_wrong"),
    [
        ("10.0.2.15", "10.0.2.16", False),
        ("172.17.0.1", "192.168.1.16", True),
    ],
)
def test_an_address_that_every_vm_has_may_be_of_the_nodes_own_subnet(tmp_path, peer, host, is_wrong):
    row = f"| {host:<12} | node-to-node mesh | up    | 09:13:01 | Established |\n"
    text = status("Connect", peer=peer)
    cut = text.rindex("\n+-") + 1
    found = faults(tmp_path, text[:cut] + row + text[cut:])[0]
    assert (found.get("wrong_ip_autodetection", 0) > 0.5) is is_wrong


def test_a_comment_tells_where_a_command_was_typed():
    text = status(prompt="$ sudo ", comment=" # on node1")
    assert [part.host for part in pasted.parts(text)] == ["node1"]
    assert [part.host for part in pasted.parts(status(prompt="$ sudo ", comment=" # on each"))] == [""]


def test_the_last_answer_of_a_probe_is_how_it_is():
    said = "Warning  Unhealthy  {}  kubelet  Readiness probe failed: calico/node is not ready: {}"
    text = "\n".join((said.format("51m (x2 over 51m)", "one"), said.format("3m (x300 over 51m)", "two")))
    events = kubectl_events.parse(text).value
    assert len(events) == 2
    assert [one.message[-3:] for one in kubectl_events.current(events, of_one=True)] == ["two"]
    # Nothing tells that they are about one pod.
    assert kubectl_events.current(events) == list(events)


def test_an_address_of_no_node_cuts_nobody_off(tmp_path):
    _found, report = faults(tmp_path, NODES + status("Connect", peer="10.20.0.99"))
    assert report["impact"]["isolated"] == []
    assert "an address that no Node has (10.20.0.99)" in report["impact"]["summary"]
