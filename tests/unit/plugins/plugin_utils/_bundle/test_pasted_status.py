# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A status pasted with its prompt: the node is known by name, and nobody tells its own address."""

from __future__ import annotations

import json

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.failure import failure
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import offline
from ansible_collections.netmedic.calico.plugins.plugin_utils._render import terminal

HEAD = """Calico process is running.

IPv4 BGP status
+--------------+-------------------+-------+----------+---------------------------------+
| PEER ADDRESS |     PEER TYPE     | STATE |  SINCE   |              INFO               |
+--------------+-------------------+-------+----------+---------------------------------+
"""
UP, REFUSED = "Established", "Active Socket: Connection refused"
NO_ROUTE = "Active Socket: No route to host"


def pasted(name, **infos):
    """What an operator copies from a terminal; infos by the last part of the peer's address."""
    rows = "".join(
        f"| 10.0.1.{last[1:]}    | node-to-node mesh | {'up   ' if info == UP else 'start'} | 09:12:33 | {info:<32}|\n"
        for last, info in infos.items()
    )
    return f"[root@{name} ~]# calicoctl node status\n{HEAD}{rows}{HEAD.splitlines()[3]}\n"


@pytest.fixture
def report(tmp_path):
    (tmp_path / "status.txt").write_text(pasted("worker-3", p41=UP, p42=REFUSED, p44=NO_ROUTE), encoding="utf-8")
    return offline.analysed(str(tmp_path / "status.txt")).report


def test_the_node_is_named_wherever_an_end_of_its_sessions_is(report):
    first = report["findings"][0]
    assert (first["fault"], first["nodes"]) == ("undetermined", ["worker-3"])
    assert report["culprits"] == [{"nodes": ["worker-3"], "tie": False, "sessions": 2}]
    assert {name for pair in first["affects"]["sessions"] for name in pair} == {"worker-3", "10.0.1.42", "10.0.1.44"}
    assert "" not in first["affects"]["nodes"]
    assert all(item["node"] or "on :" not in item["how"] for item in first["missing"])
    assert not any("on :" in command or command.endswith("host '") for command in first["fix"]["commands"])
    assert failure(report, "major", incomplete=False).endswith("undetermined on worker-3.")


def test_a_node_with_a_session_left_is_not_cut_off(report):
    assert report["impact"]["isolated"] == []
    assert report["impact"]["summary"] == "2 pairs of nodes cannot reach each other's pods."


def test_every_way_to_fail_has_its_likeliest_cause(report):
    guesses = {item["fault"]: item for item in report["findings"] if item.get("guess")}
    assert set(guesses) >= {"peer_bird_not_running", "tcp179_blocked_host_firewall", "peer_node_down"}
    assert guesses["peer_node_down"]["nodes"] == ["worker-3", "10.0.1.44"]
    assert guesses["peer_bird_not_running"]["nodes"] == ["worker-3", "10.0.1.42"]
    assert "10.0.1.44" in guesses["peer_node_down"]["summary"]
    assert "10.0.1.42" not in guesses["peer_node_down"]["summary"]
    assert sum(item["confidence"] for item in guesses.values()) < 1


def test_the_terminal_parts_labels_from_texts(report):
    told = terminal.lines(report)
    assert any(line.startswith("Maybe    tcp179_blocked_host_firewall on worker-3") for line in told)
    assert "1. major  undetermined  on worker-3" in told


def test_two_nodes_without_addresses_that_miss_the_same_peer_are_two_sessions(tmp_path):
    for name in ("worker-3", "worker-4"):
        (tmp_path / f"{name}.txt").write_text(pasted(name, p41=UP, p42=REFUSED), encoding="utf-8")
    report = offline.analysed(str(tmp_path)).report
    assert report["sessions"]["down"] == 2
    assert report["culprits"] == [{"nodes": ["10.0.1.42"], "tie": False, "sessions": 2}]


@pytest.mark.parametrize("text", ["lonely-host\n", "nobody knows this\n"])
def test_a_lone_file_that_tells_nothing_is_listed(tmp_path, text):
    (tmp_path / "hostname").write_text(text, encoding="utf-8")
    report = offline.analysed(str(tmp_path / "hostname")).report
    assert [(one["source"], one["status"]) for one in report["coverage"]["sources"]] == [("hostname", "unrecognised")]
    assert "Could not be checked:" in terminal.lines(report)


def test_what_tells_nothing_does_not_claim_that_sessions_are_down(tmp_path):
    report = offline.analysed(str(tmp_path)).report
    finding = report["findings"][0]
    assert "Sessions are down" not in json.dumps(finding)
    assert any(line == "1. info  undetermined" for line in terminal.lines(report))
