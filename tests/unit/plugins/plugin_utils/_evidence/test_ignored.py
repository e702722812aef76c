# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.failure import failure
from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle.evidence import saw
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.ignored import ignored
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.inventory import from_hostvars
from ansible_collections.netmedic.calico.plugins.plugin_utils._render import html_page, metrics, terminal

NOW = datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)
WINDOWS = "10.0.0.99"


def node(name, address, system):
    info = {"operatingSystem": system}
    status = {"addresses": [{"type": "InternalIP", "address": address}], "nodeInfo": info}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "status": status}


def api(*nodes):
    fact = {"schema": 1, "reached": True, "objects": {"nodes": list(nodes)}}
    return {"ansible_facts": {"calico_cluster": fact}, "collect_cluster_result": {"changed": False}}


@pytest.fixture
def hostvars(mesh):
    return {
        name: {"ansible_facts": facts, "ansible_host": mesh.addresses[name], "collect_result": {"ansible_facts": facts}}
        for name, facts in mesh.facts.items()
    }


def diagnosis(hostvars):
    hosts = [name for name in hostvars if name != "localhost"]
    return analyse(from_hostvars(hostvars, hosts, NOW, 900), NOW)


@pytest.mark.parametrize(
    ("variables", "word"),
    [
        ({"ansible_connection": "winrm"}, "Windows"),
        ({"ansible_connection": "ansible.builtin.psrp"}, "Windows"),
        ({"ansible_connection": "ssh", "ansible_shell_type": "powershell"}, "Windows"),
        ({"ansible_shell_type": "cmd"}, "Windows"),
        ({"ansible_connection": "ansible.netcommon.network_cli"}, "network device"),
        ({"ansible_connection": "httpapi"}, "network device"),
        ({"ansible_network_os": "arista.eos.eos"}, "network device"),
    ],
)
def test_what_the_inventory_says_of_a_host_decides(variables, word):
    found = ignored(
        {"one": variables, "two": {"ansible_connection": "ssh", "ansible_shell_type": "sh"}}, ["one", "two"]
    )
    assert list(found) == ["one"]
    assert word in found["one"]


def test_the_api_tells_of_a_windows_node_by_its_name_or_its_address():
    hostvars = {
        "localhost": api(node("win-1", WINDOWS, "windows"), node("win-2", "10.0.0.98", "windows")),
        "win-1": {},
        "second": {"ansible_host": "10.0.0.98"},
        "third": {"ansible_host": "10.0.0.97"},
    }
    assert ignored(hostvars, ["win-1", "second", "third"]) == {
        "win-1": "a Windows node, by the Kubernetes API",
        "second": "a Windows node, by the Kubernetes API",
    }


def test_a_node_of_the_api_that_runs_linux_is_read_whatever_its_network_os():
    hostvars = {"localhost": api(node("leaf", "10.0.0.5", "linux")), "leaf": {"ansible_network_os": "cumulus"}}
    assert ignored(hostvars, ["leaf"]) == {}


def test_an_ignored_host_is_named_with_its_reason_and_spoils_nothing(hostvars):
    hostvars["win-1"] = {"ansible_connection": "winrm", "ansible_host": WINDOWS, "collect_result": {"skipped": True}}
    hostvars["switch"] = {"ansible_network_os": "eos"}
    report = diagnosis(hostvars)
    nodes = report["coverage"]["nodes"]
    assert (report["verdict"], nodes["expected"], nodes["missing"]) == ("healthy", 4, [])
    assert [one["node"] for one in nodes["ignored"]] == ["win-1", "switch"]
    assert failure(report, "info", True) == ""
    printed = " ".join("\n".join(terminal.lines(report)).split())
    assert "ignored: win-1 (a Windows host, by ansible_connection winrm); switch (a network device" in printed
    assert "Ignored, as no Linux machine" in html_page.page(report)
    assert 'nodes{state="ignored"} 2' in metrics.metrics(report)
    assert "win-1" not in saw(hostvars, list(hostvars))


def test_an_inventory_without_a_linux_machine_fails_with_the_reason():
    why = failure(diagnosis({"win-1": {"ansible_connection": "winrm"}}), "never", False)
    assert "win-1 is a Windows host, by ansible_connection winrm" in why


@pytest.mark.parametrize("in_inventory", [True, False])
def test_a_windows_peer_is_no_left_over_node(mesh, in_inventory):
    for name in mesh.facts:
        mesh.trouble(name, WINDOWS, "Active")
        mesh.reach(name, WINDOWS, neighbour="failed", echo="no answer")
    hostvars = {
        name: {"ansible_facts": facts, "ansible_host": mesh.addresses[name], "collect_result": {"ansible_facts": facts}}
        for name, facts in mesh.facts.items()
    }
    linux = [node(name, mesh.addresses[name], "linux") for name in mesh.facts]
    hostvars["localhost"] = api(*linux, node("win-1", WINDOWS, "windows"))
    if in_inventory:
        hostvars["win-1"] = {"ansible_host": WINDOWS}
    report = diagnosis(hostvars)
    assert "stale_node_in_mesh" not in [one["fault"] for one in report["findings"] if not one.get("guess")]
    assert report["coverage"]["nodes"]["unlisted"] == []
