# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""calico_node.host and what a reboot changes, from the script's texts and from those that people collect."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._host import calico_log, commands
from ansible_collections.netmedic.calico.plugins.plugin_utils._raw import script
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import ip_rules, node, routes_asked, tunnels
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts.node_told import Told

RAW = Path(__file__).parents[1] / "_raw" / "recorded"
TEXTS = Path(__file__).parents[3] / "texts"
MARK = "-0123456789abcdef0123456789abcdef"


def texts(name):
    return dict(script.cut((RAW / name / "output.txt").read_text(encoding="utf-8"), MARK).texts)


def sources(facts):
    return {source["source"]: source["status"] for source in facts["sources"]}


@pytest.fixture(scope="module")
def untidy():
    return node.facts(texts("untidy"), "x")


@pytest.fixture
def nothing_is_asked(monkeypatch):
    monkeypatch.setattr(commands, "run", lambda *_more: pytest.fail("a program of this host was run"))


def test_a_healthy_host(nothing_is_asked):
    facts = node.facts(texts("healthy"), "x")["calico_node"]
    host = facts["host"]
    assert host["cni"] == {"files": ["10-calico.conflist"], "plugin": "calico"}
    assert host["kubelet"] == host["container_runtime"] == {"running": False}
    assert host["routes"]["ipv4"]["blackholes"] == ["10.244.1.0/26"]
    assert host["conntrack"]["max"] > 0
    assert not {"forwarding_off", "rp_filter", "tunnels", "kernel_missing", "log", "neighbours"} & set(host)
    assert sources(facts)["host_certificates"] == "absent"
    assert not {"failed", "unrecognised"} & set(sources(facts).values())


def test_a_host_with_much_wrong(untidy):
    host = untidy["calico_node"]["host"]
    assert {"all", "eth0", "cali0123456789a"} <= set(host["forwarding_off"]["ipv4"])
    assert host["rp_filter"] == {"strict": ["eth0"]}
    vxlan = next(one for one in host["tunnels"] if one["name"] == "vxlan.calico")
    assert (vxlan["problem"], vxlan["vni"], vxlan["port"]) == ("local_not_here", 4097, 4790)
    assert host["network_managers"]["NetworkManager"] == {
        "managed": ["cali1111111111a"],
        "not_excluded": ["vxlan.calico"],
    }
    assert host["network_managers"]["systemd-networkd"] == {"managed": ["cali1111111111a"], "files": ["10-all.network"]}
    assert set(host["other_plugins"]) == {"flannel", "weave", "bridge"}
    assert host["other_plugins"]["weave"] == {"running": True}
    assert (host["kubelet"]["node_ip"], host["kubelet"]["hostname_override"]) == ("10.200.0.9", "other")
    assert host["container_runtime"]["socket_missing"] == "/run/elsewhere.sock"
    assert host["cni"]["plugin"] == "flannel"
    assert {"token_age_seconds", "token_expires_in_seconds"} <= set(host["cni"])
    assert [one["path"] for one in host["certificates"] if one["state"] == "unreadable"] == [
        "/etc/kubernetes/pki/broken.crt"
    ]
    assert {one["kind"] for one in host["log"]} == {"tunnel", "typha", "other", "password_secret", "runtime"}


def test_what_a_reboot_changes(untidy):
    persistence = untidy["calico_firewall"]["persistence"]
    assert set(persistence["loaded_at_boot"]) == {"nftables", "ufw", "firewalld", "netfilter-persistent"}
    assert {entry["after_reboot"] for entry in persistence["tcp179"]} <= {"drop", "reject"}


def test_half_a_file_of_rules_is_none():
    given = texts("untidy")
    given["files.txt"] = given["files.txt"].replace("=/etc/iptables/rules.v4", "!/etc/iptables/rules.v4")
    facts = node.facts(given, "x")["calico_firewall"]
    assert "persistence" not in facts
    assert sources(facts)["persistence"] == "absent"
    given["files.txt"] = texts("untidy")["files.txt"].rstrip("\n").rstrip(".")
    assert "persistence" not in node.facts(given, "x")["calico_firewall"]


def test_a_release_that_leads_elsewhere_is_none():
    given = texts("healthy")
    told = given["raw-node.txt"].replace("\nkernel\t", "\nkernel\t../../../..")
    # Only where something is needed is looked whether the kernel has it.
    given["raw-node.txt"] = told.replace("\tconfd\t", "\tcalico-node\tcalico-node\t-felix\t")
    assert sources(node.facts(given, "x")["calico_node"])["host_kernel"] == "absent"


def test_without_any_text_nothing_is_said_of_the_host():
    facts = node.facts({"birdcl-status.txt": "BIRD 1.6.8 ready.\n"}, "x", 1.0)["calico_node"]
    assert "host" not in facts
    assert sources(facts)["host"] == "absent"


def test_what_a_collected_text_does_not_tell_is_a_missing_source():
    facts = node.facts({"sysctl.txt": "net.ipv4.ip_forward = 0\nnet.ipv4.conf.eth0.rp_filter = 1\n"}, "x", 1.0)
    host = facts["calico_node"]["host"]
    assert host == {"forwarding_off": {"ipv4": ["all"]}}
    absent = {name for name, status in sources(facts["calico_node"]).items() if status == "absent"}
    assert {
        "host_counters",
        "host_neighbours",
        "host_kernel",
        "host_services",
        "host_cni",
        "host_certificates",
    } <= absent
    assert {"host_logs", "netlink"} <= absent


LINKS = "2: eth0: <BROADCAST,UP,LOWER_UP> mtu 1500 state UP\n    inet 10.200.0.9/24 scope global eth0\n"


def test_settings_and_neighbours_of_a_bundle():
    given = texts("healthy")
    collected = {
        name: given[name] for name in ("birdcl-status.txt", "birdcl-protocols.txt", "bird.cfg", "ip-route.txt")
    }
    collected.update(
        {
            "ip-addr.txt": LINKS,
            "sysctl.txt": (
                "net.ipv4.conf.all.forwarding = 1\nnet.ipv4.conf.all.rp_filter = 0\nnet.ipv4.conf.eth0.rp_filter = 1\n"
                "net.netfilter.nf_conntrack_count = 9\nnet.netfilter.nf_conntrack_max = 10\n"
            ),
            "ip-neigh.txt": "10.200.0.10 dev eth0 FAILED\n10.200.0.11 dev eth0 lladdr 02:00:00:00:00:01 STALE\n",
            "netstat.txt": "TcpExt: IPReversePathFilter TCPMD5Failure\nTcpExt: 7 0\n",
            "kubelet.log": "E1121 07:30:00.000000 1 kubelet.go:1] Container runtime network not ready\n",
            "processes.txt": "  PID COMMAND\n    1 /sbin/init\n   80 /usr/bin/kubelet --node-ip=10.200.0.9\n",
        }
    )
    facts = node.facts(collected, "x", 1795246300.0)["calico_node"]
    host = facts["host"]
    assert host["rp_filter"] == {"strict": ["eth0"]}
    assert "forwarding_off" not in host
    assert host["conntrack"] == {"count": 9, "max": 10}
    assert host["reverse_path_dropped"] == {"total": 7, "grew": 0}
    assert host["neighbours"] == {"failed": {"10.200.0": "10"}}
    assert host["routes"]["ipv4"]["bird"] == 4
    assert host["kubelet"] == {"process": "kubelet", "node_ip": "10.200.0.9"}
    assert host["container_runtime"] == {"running": False}
    assert [line["kind"] for line in host["log"]] == ["runtime"]


@pytest.mark.parametrize("case", ["iproute2-6.1-details", "iproute2-6.1-details-json"])
def test_vxlan_devices_are_read(case):
    text = (TEXTS / "ip-addr" / case / "input.txt").read_text(encoding="utf-8")
    found = tunnels.vxlans(text)
    assert found
    assert all(made.identifier and made.port for made in found.values())


def test_rules_are_spelled_as_the_node_spells_them():
    text = texts("untidy")["ip-rule.txt"]
    assert [rule.text for rule in ip_rules.parse(text).value] == [
        "0: from all lookup local",
        "998: from all to 10.50.0.0/16 iif eth0 ipproto 17 sport 5-6 prohibit",
        "999: from all fwmark 0x10/0xff lookup 200",
        "1000: from 10.200.0.9 lookup 100",
        "1100: from all lookup main suppress_prefixlength 0",
        "32766: from all lookup main",
        "32767: from all lookup default",
    ]
    assert ip_rules.parse("nonsense\n").problems[0].why == "no rule"


def test_the_kernels_words_say_why_there_is_no_way():
    told = Told(
        "# netmedic.calico raw-node 1\nnoway\tplain\t2\tPermission denied\nnoway\tplain\t3\tInvalid argument\n"
        "noway\tbgp\t4\tNo route to host\n"
    )
    answers = routes_asked.parse("10.0.0.1 dev eth0 src 10.0.0.9 uid 0 \\    cache\n")
    found = routes_asked.ways(answers, told, "plain", ["10.0.0.1", "a", "b", "c"])
    assert [way.kind for way in found.values()] == ["unicast", "prohibit", "blackhole", "none"]


def test_the_local_time_of_another_host():
    line = "E1121 09:30:00.000000 1 kubelet.go:1] Container runtime network not ready\n"
    (found,) = calico_log.parse_kubelet(line, 1795246300.0, 7200)
    assert found.at == 1795246200.0
    (found,) = calico_log.parse_kubelet("E1231" + line[5:], 1795246300.0, 7200)
    assert found.at is not None
    assert found.at < 1795246300.0
