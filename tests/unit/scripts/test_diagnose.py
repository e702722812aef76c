# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest

from lab.faults import registry
from scripts import diagnose
from scripts.console import UserError
from scripts.embedded_lab import Breakage


def refusal(**wanted: str) -> str:
    with pytest.raises(UserError) as refused:
        diagnose.read_request(wanted)
    assert refused.value.status == 2
    return str(refused.value)


def test_nothing_wanted_means_the_embedded_lab():
    request = diagnose.read_request({})
    assert request.inventory == ""
    assert request.breakage == Breakage()
    assert request.nodes is None
    assert request.topology is None
    assert not request.keep_lab
    assert request.arguments == ()
    assert request.report_dir == Path("report").absolute()


def test_what_make_hands_on_empty_counts_as_not_wanted():
    names = ("FAULT", "INVENTORY", "REPORT_DIR", "NODES", "TOPOLOGY", "NODE", "VARIANT", "KEEP_LAB", "ARGS")
    assert diagnose.read_request(dict.fromkeys(names, "")) == diagnose.read_request({})


def test_everything_wanted_is_read(tmp_path):
    request = diagnose.read_request(
        {
            "FAULT": "tcp179_blocked_host_firewall",
            "NODE": "node-6",
            "VARIANT": "reject",
            "REPORT_DIR": str(tmp_path / "here and there"),
            "NODES": "6",
            "TOPOLOGY": "two_subnets",
            "KEEP_LAB": "yes",
            "ARGS": "-v -e 'a=b c'",
        }
    )
    assert request.breakage == Breakage("tcp179_blocked_host_firewall", "node-6", "reject")
    assert request.report_dir == tmp_path / "here and there"
    assert (request.nodes, request.topology, request.keep_lab) == (6, "two_subnets", True)
    assert request.arguments == ("-v", "-e", "a=b c")


@pytest.mark.parametrize("word", ["0", "no", "", "false"])
def test_a_no_does_not_keep_the_lab(word):
    assert not diagnose.read_request({"KEEP_LAB": word}).keep_lab


def test_an_unknown_fault_is_refused_with_the_list_of_faults():
    sentence = refusal(FAULT="bgp_is_down")
    assert "bgp_is_down" in sentence
    for fault in registry.FAULTS:
        assert fault.id in sentence


def test_an_unknown_variant_or_node_is_refused_with_what_there_is():
    assert "iptables-legacy" in refusal(FAULT="tcp179_blocked_host_firewall", VARIANT="witchcraft")
    assert "node-1 to node-4" in refusal(FAULT="bird_hung", NODE="node-9")


def test_where_and_how_without_what_is_refused():
    assert "FAULT=id" in refusal(NODE="node-2")


def test_an_unknown_topology_is_refused_with_the_list():
    sentence = refusal(TOPOLOGY="ring")
    assert "ring" in sentence
    assert "two_subnets" in sentence


@pytest.mark.parametrize("number", ["four", "1", "0", "-3", "2.5"])
def test_a_number_of_nodes_that_is_none_is_refused(number):
    assert f"NODES={number}" in refusal(NODES=number)


def test_an_inventory_that_is_not_there_is_refused_and_starts_no_lab():
    sentence = refusal(INVENTORY="no/such/hosts.yml")
    assert "no/such/hosts.yml" in sentence
    assert "No lab was started" in sentence


def test_an_inventory_is_given_by_its_whole_path(tmp_path, monkeypatch):
    (tmp_path / "hosts.yml").write_text("all:")
    monkeypatch.chdir(tmp_path)
    assert diagnose.read_request({"INVENTORY": "hosts.yml"}).inventory == str(tmp_path / "hosts.yml")


def test_an_inventory_may_be_a_list_of_hosts():
    assert diagnose.read_request({"INVENTORY": "node-a,node-b"}).inventory == "node-a,node-b"


def test_the_users_nodes_are_never_broken(tmp_path):
    (tmp_path / "hosts.yml").write_text("all:")
    assert "FAULT" in refusal(INVENTORY=str(tmp_path / "hosts.yml"), FAULT="as_mismatch")


def test_a_report_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "report").write_text("")
    assert "is a file" in refusal(REPORT_DIR=str(tmp_path / "report"))


def test_arguments_with_an_open_quote_are_refused():
    assert "ARGS" in refusal(ARGS="-e 'a=b")


def test_users_settings_are_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "ansible.cfg").write_text("[defaults]\n")
    assert diagnose._settings_for_users_nodes() == {}
