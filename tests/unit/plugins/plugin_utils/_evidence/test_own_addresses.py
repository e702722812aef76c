# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines that do not tell by which address they speak BGP are known by what others call them, and by the records."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, read

ADDRESSES = {"kcp-1": "10.20.0.11", "wrk-1": "10.20.0.12", "wrk-2": "10.20.0.13"}
BORDER = "+--------------+-------------------+-------+------------+--------------------------------+"
HEAD = "| PEER ADDRESS |     PEER TYPE     | STATE |   SINCE    |              INFO              |"


def status(*peers):
    rows = [f"| {peer} | node-to-node mesh | {state} | 2026-11-20 | {info} |" for peer, state, info in peers]
    table = "\n".join((BORDER, HEAD, BORDER, *rows, BORDER))
    return f"Calico process is running.\n\nIPv4 BGP status\n{table}\n\nIPv6 BGP status\nNo IPv6 peers found.\n"


def of_node(name, broken=()):
    return status(
        *(
            (address, "start", "Connect") if frozenset((name, other)) in broken else (address, "up", "Established")
            for other, address in ADDRESSES.items()
            if other != name
        )
    )


def nodes_table(names=tuple(ADDRESSES)):
    head = ("NAME", "STATUS", "ROLES", "AGE", "VERSION", "INTERNAL-IP", "EXTERNAL-IP", "OS-IMAGE", "KERNEL-VERSION")
    rows = [
        (name, "Ready", "<none>", "41d", "v1.28.4", ADDRESSES[name], "<none>", "Debian", "6.1.0-18-amd64")
        for name in names
    ]
    return "".join("   ".join(f"{cell:16}" for cell in row).rstrip() + "\n" for row in (head, *rows))


def pods_table():
    head = (
        "NAMESPACE",
        "NAME",
        "READY",
        "STATUS",
        "RESTARTS",
        "AGE",
        "IP",
        "NODE",
        "NOMINATED NODE",
        "READINESS GATES",
    )
    rows = [
        ("kube-system", f"calico-node-{name}", "1/1", "Running", "0", "41d", address, name, "<none>", "<none>")
        for name, address in ADDRESSES.items()
    ]
    return "".join("   ".join(f"{cell:20}" for cell in row).rstrip() + "\n" for row in (head, *rows))


def of(texts):
    return evidence.evidence(read.sort(texts))


def tables(broken=(), names=tuple(ADDRESSES)):
    return {f"{name}/calicoctl-node-status.txt": of_node(name, broken) for name in names}


def test_a_mesh_of_which_nobody_tells_its_own_address_is_counted_once():
    found, _now = of(tables())
    assert (found.table.expected, found.table.established, found.table.one_ended) == (3, 3, 0)
    assert {name: found.address_of(node) for name, node in found.nodes.items()} == ADDRESSES


def test_a_session_that_is_down_counts_once_and_has_both_names():
    found, _now = of(tables([frozenset(("kcp-1", "wrk-2"))]))
    assert (found.table.expected, found.table.established) == (3, 2)
    (session,) = found.table.down
    assert set(found.labels(session)) == {"kcp-1", "wrk-2"}


def test_of_a_node_that_lacks_two_which_nobody_has_nothing_is_concluded():
    texts = tables(names=("kcp-1", "wrk-1"))
    texts["kcp-1/calicoctl-node-status.txt"] = status(("10.20.0.99", "up", "Established"))
    found, _now = of(texts)
    assert found.address_of(found.nodes["kcp-1"]) == ""


@pytest.mark.parametrize("table", [nodes_table, pods_table])
def test_a_machine_that_was_not_read_has_its_name_on_record(table):
    texts = tables([frozenset(("kcp-1", "wrk-2"))], ["kcp-1"])
    found, now = of({**texts, "listed.txt": table()})
    (session,) = found.table.down
    assert set(found.labels(session)) == {"kcp-1", "wrk-2"}
    names = [one["name"] for one in analyse(found, now)["mesh"]["nodes"]]
    assert sorted(names) == sorted(ADDRESSES)


def test_no_address_of_the_mesh_is_nobodys_where_the_nodes_are_listed():
    broken = [frozenset(("kcp-1", "wrk-1")), frozenset(("kcp-1", "wrk-2"))]
    report = analyse(*of({**tables(broken), "nodes.txt": nodes_table()}))
    assert "no Node has" not in report["impact"]["summary"]
    assert report["sessions"]["expected"] == 3


def test_peers_are_not_unexpected_where_the_record_has_no_address_of_a_node():
    assert analyse(*of({**tables(), "nodes.txt": nodes_table()}))["sessions"]["unexpected"] == 0
