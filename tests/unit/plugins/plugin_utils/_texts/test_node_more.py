# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who governs a node, who else is there and what stands beside netfilter, from the script's texts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._host import commands, health
from ansible_collections.netmedic.calico.plugins.module_utils._host.bpf_programs import EGRESS, INGRESS, XDP, Program
from ansible_collections.netmedic.calico.plugins.plugin_utils._raw import script
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import (
    node,
    node_control,
    node_overlay,
    node_programs,
    node_routes,
    told_files,
)

RAW = Path(__file__).parents[1] / "_raw" / "recorded"
MARK = "-0123456789abcdef0123456789abcdef"


def texts(name):
    return dict(script.cut((RAW / name / "output.txt").read_text(encoding="utf-8"), MARK).texts)


def sources(facts):
    return {source["source"]: source["status"] for source in facts["sources"]}


@pytest.fixture(scope="module")
def governed():
    return node.facts(texts("governed"), "x")


@pytest.fixture(scope="module")
def without_bird():
    return node.facts(texts("without_bird"), "x")


@pytest.fixture(scope="module")
def k3s():
    return node.facts(texts("k3s"), "x")


def test_no_secret_is_in_what_was_recorded():
    for name in ("governed", "without_bird", "k3s"):
        assert "CANARY" not in (RAW / name / "output.txt").read_text(encoding="utf-8")


def test_connections_that_govern_calico(governed, monkeypatch):
    monkeypatch.setattr(health, "ask", lambda *_more: pytest.fail("a program of this host was asked"))
    monkeypatch.setattr(commands, "run", lambda *_more: pytest.fail("a program of this host was run"))
    plane = node.facts(texts("governed"), "x")["calico_node"]["host"]["control_plane"]
    assert plane == governed["calico_node"]["host"]["control_plane"]
    assert plane["apiserver"]["10.200.0.250:6443"] == {
        "established": 0,
        "opening": 1,
        "opened_by": ["calico-felix"],
        "name": "api.example.test",
        "told": ["kubelet"],
    }
    assert plane["apiserver"]["10.96.0.1:443"]["told"] == ["calico", "cni"]
    assert plane["felix"]["parts"] == {"InternalDataplaneMainLoop": "reporting non-ready, waiting"}
    assert plane["typha"]["connections"]["10.200.0.251:5473"]["opening"] == 1
    assert plane["typha_here"] == {
        "state": "not_listening",
        "expects": {"cn": "typha-client"},
        "listens": True,
        "clients": 1,
    }
    assert plane["etcd"]["10.200.0.251:2379"]["opening"] == 1


def test_routes_that_the_kernel_did_not_take(governed):
    lacking = governed["calico_node"]["host"]["routes"]["ipv4"]["not_in_kernel"]
    assert lacking["refused"] == {"26": {"10.244.3": "0"}}
    assert "kernel_route" in {one["kind"] for one in governed["calico_bgp"]["log"]}
    untold = texts("governed")
    del untold["birdcl-export.txt"]
    facts = node.facts(untold, "x")["calico_node"]
    assert "not_in_kernel" not in facts["host"]["routes"]["ipv4"]
    assert sources(facts)["host_routes"] == "absent"


def test_the_names_of_a_node(governed, without_bird):
    assert {key: governed["calico_node"].get(key) for key in ("nodename", "nodename_file", "node_ref")} == {
        "nodename": "other-name",
        "nodename_file": "node-1",
        "node_ref": "third",
    }
    assert without_bird["calico_node"]["nodename"] == "node-two"
    assert without_bird["calico_node"]["nodename_source"] == "environment"


def test_logs_of_which_only_the_end_was_read_are_told(governed):
    (told,) = (one for one in governed["calico_node"]["sources"] if one["source"] == "host_logs")
    assert told["detail"].startswith("only the ends of /var/log/pods/kube-system_calico-node-")
    kinds = {(one["component"], one["kind"]) for one in governed["calico_node"]["host"]["log"]}
    assert kinds >= {("kubelet", "calico_not_ready"), ("felix", "tunnel"), ("flannel", "interface")}


def test_nodes_are_learnt_where_no_bird_tells_of_them(without_bird):
    overlay = without_bird["calico_node"]["overlay"]
    assert overlay["addresses"] == {"ipv4": "10.200.0.10"}
    assert overlay["nodes"] == {"vxlan.calico": {"10.200.0": "9,11"}, "routes": {"10.200.0": "9,11"}}
    assert overlay["devices"]["vxlan.calico"]["local"] == "10.200.0.10"
    (blocked,) = without_bird["calico_firewall"]["flows"]["inbound"]
    assert blocked["peers"] == {"10.200.0": "9"}
    assert without_bird["calico_mtu"]["paths"]
    assert without_bird["calico_firewall"]["backends"]["ebpf"] == [
        {"program": "", "owner": "unknown", "hooks": ["tc egress"], "interfaces": ["eth0"]}
    ]
    assert sources(without_bird["calico_firewall"])["ebpf"] == "absent"
    assert without_bird["calico_node"]["host"]["checksum_offload"] == ["vxlan.calico"]


def test_without_the_programs_nothing_is_taken_for_granted():
    lacking = texts("without_bird")
    for line in ("fdb\t0", "tc\t0", "offload\tvxlan.calico\ton"):
        assert line in lacking[script.TOLD]
        lacking[script.TOLD] = lacking[script.TOLD].replace(line, "nothing\t")
    for name in (node_overlay.FDB, node_programs.FILTERS):
        del lacking[name]
    facts = node.facts(lacking, "x")
    assert sources(facts["calico_node"])["overlay"] == "failed"
    assert sources(facts["calico_node"])["host_offload"] == "absent"
    assert sources(facts["calico_firewall"])["ebpf"] == "absent"
    assert facts["calico_node"]["overlay"]["nodes"] == {"routes": {"10.200.0": "9,11"}}


def test_what_a_distribution_tells_kubelet(k3s):
    host = k3s["calico_node"]["host"]
    assert (host["kubelet"]["node_ip"], host["kubelet"]["hostname_override"]) == ("10.200.0.11,fd00::11", "third")
    assert host["cni"]["folder"] == "/opt/own/net.d"
    assert host["cni"]["plugin"] == "own"


def test_other_speakers_and_scripts_that_may_load_rules(k3s):
    speakers = {one["process"]: one.get("peers") for one in k3s["calico_bgp"]["other_speakers"]}
    assert speakers == {"speaker": {"10.200.0": "10"}, "bgpd": None}
    persistence = k3s["calico_firewall"]["persistence"]
    assert persistence["may_load"] == [
        "/etc/rc.local",
        "/lib/systemd/system/other.service",
        "/usr/local/sbin/own-rules",
    ]
    assert {one["after_reboot"] for one in persistence["tcp179"]} == {"unknown"}


def test_where_nobody_looked_for_scripts_a_rule_may_come_back():
    lacking = texts("k3s")
    lacking[told_files.FILE] = "\n".join(
        line for line in lacking[told_files.FILE].split("\n") if "boot_scripts" not in line and ":nft" not in line
    )
    persistence = node.facts(lacking, "x")["calico_firewall"]["persistence"]
    assert {one["after_reboot"] for one in persistence["tcp179"]} == {"unknown"}


def test_a_queue_that_nobody_empties_is_stuck():
    made = texts("healthy")
    table = made[node_control.TABLE].splitlines()
    number = next(number for number, line in enumerate(table) if line.split()[3] == "01")
    table[number] = table[number].replace(" 00000000:00000000 ", " 00000000:00000120 ", 1)
    once = "\n".join(table) + "\n"
    well = node.facts({**made, node_control.TABLE: once, "proc-net-tcp-later.txt": made[node_control.TABLE]}, "x")
    assert well["calico_bgp"]["sockets"] == []
    told = made[script.TOLD] + "looked_again\t1\n"
    stuck = node.facts({**made, script.TOLD: told, node_control.TABLE: once, "proc-net-tcp-later.txt": once}, "x")
    (one,) = stuck["calico_bgp"]["sockets"]
    assert (one["receive_queue"], one["stuck_seconds"]) == (0x120, 1.0)


HEALTH = [
    ("|HTTP/1.0 204 No Content\n|\n", "ready"),
    ("|\n|ended 1\n", "refused"),
    ("|\n|ended 7\n", "refused"),
    ("|\n|ended 137\n", "no_answer"),
    ("|\n|ended 125\n", "unknown"),
    ("|SSH-2.0-x\n", "unrecognised"),
    ("|\n", "unrecognised"),
    ("|HTTP/1.1 503 Service Unavailable\n|\n|ended 137\n", "not_ready"),
]


@pytest.mark.parametrize(("text", "state"), HEALTH)
def test_what_a_program_says_of_its_health(text, state):
    files = told_files.ToldFiles(f"{told_files.HEADER}\n=/health/9099\t\n{text}.\n")
    assert node_control.answers(files) == {9099: {"state": state}}


def test_filters_of_traffic_control():
    text = """dev eth0 ingress
filter protocol ip pref 49151 u32 chain 0
filter protocol ip pref 49151 u32 chain 0 fh 800::800 order 2048 key ht 800 bkt 0 not_in_hw
filter protocol all pref 49152 bpf chain 0
filter protocol all pref 49152 bpf chain 0 handle 0x1 direct-action not_in_hw bytecode '1,6 0 0 1'
dev eth1 egress
filter protocol all pref 1 bpf chain 0 handle 0x1 cali_to_hep:[12] direct-action not_in_hw id 12 name cali tag 7 jited
filter protocol all pref 1 bpf chain 0 handle 0x2 direct-action not_in_hw id 13 name other tag 7 jited
"""
    assert list(node_programs.filters(text)) == [
        Program("eth0", INGRESS, "u32", is_bpf=False),
        Program("eth0", INGRESS, ""),
        Program("eth1", EGRESS, "cali_to_hep:[12]"),
        Program("eth1", EGRESS, "other"),
    ]


def test_xdp_programs():
    text = """2: eth0: <BROADCAST,UP,LOWER_UP> mtu 1500 xdpgeneric/id:42 qdisc noqueue state UP
    link/ether 02:4c:0a:c8:00:09 brd ff:ff:ff:ff:ff:ff promiscuity 0
    prog/xdp id 42 name lb_xdp tag 3b185187f1855c4c jited
"""
    assert list(node_programs.xdp(text)) == [Program("eth0", XDP, "lb_xdp")]
    text = '[{"ifname": "eth0", "xdp": {"mode": 2, "prog": {"id": 42, "name": "lb_xdp"}}}, {"ifname": "eth1"}]'
    assert list(node_programs.xdp(text)) == [Program("eth0", XDP, "lb_xdp")]


@given(
    st.text(max_size=200),
    st.sampled_from(["dev eth0 ingress\nfilter ", "10.0.0.0/24 dev cali1 ", "[{", "a dev vxlan.calico dst "]),
)
def test_garbage_does_no_harm(garbage, before):
    text = before + garbage
    list(node_programs.filters(text))
    list(node_programs.xdp(text))
    node_overlay.far_ends(text)
    table = node_routes.Table({"ip-route.txt": text, "ip6-route.txt": text})
    table.entries()
    table.pods("ipv4")
    table.pods("ipv6")
    node_control.answers(told_files.ToldFiles(f"{told_files.HEADER}\n=/health/1\t\n|{text}"))
