# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import socket
from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts import firewall, firewall_pods
from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._firewall import ebpf, iptables_save, read
from ansible_collections.netmedic.calico.plugins.module_utils._host.bpf_programs import INGRESS, Program
from ansible_collections.netmedic.calico.plugins.module_utils._host.links import Address, Link, Network
from ansible_collections.netmedic.calico.plugins.module_utils._host.pod_routes import Pod, Pods

RECORDED = Path(__file__).parent.parent / "_firewall" / "recorded"
NETWORK = Network(
    [Link(2, "eth0", 1500, "", True, True, 0), Link(5, "cali0a1b2c3d4e5", 1480, "veth", True, True, 0)],
    [Address("10.200.0.9", 24, "eth0", "ipv4", "global", True)],
)
LOCAL = {"ipv4": "10.200.0.9"}
WAYS = ["pods to host", "host to pods", "pods to tunl0", "tunl0 to pods", "pods to pods"]


def number(address):
    return int.from_bytes(socket.inet_aton(address), "big")


PODS = (Pod("cali0a1b2c3d4e5", number("10.244.1.5")), Pod("cali5e4d3c2b1a0", number("10.244.1.6")))


def verdicts(*texts, here=PODS, local=None, programs=(), whole=False):
    found = read.Rulesets(Sources(), 5.0)
    for text in texts:
        for table in iptables_save.parse(text).tables:
            found.tables.append(table)
            found.bases.extend(iptables_save.base_chains(table))
    found.bases.extend(ebpf.base_chains(programs))
    pods = {"ipv4": Pods(list(here), {"tunl0": number("10.244.2.1")})}
    facts = firewall_pods.verdicts(
        found, NETWORK, lambda family: pods.get(family, Pods([], {})), LOCAL if local is None else local
    )
    return facts if whole else facts.get("pods", {})


def filters(*rules, policy="ACCEPT", chain="FORWARD"):
    lines = "".join(f"-A {chain} {rule}\n" for rule in rules)
    return f"*filter\n:{chain} {policy} [0:0]\n{lines}COMMIT\n"


def recorded(name):
    return (RECORDED / name).read_text(encoding="utf-8")


def test_where_nothing_stops_pods_all_ways_are_named():
    assert verdicts(filters("-i eth7 -j DROP")) == {"accepted": WAYS}


def test_ufw_stops_what_goes_through_the_host():
    facts = verdicts(recorded("ufw_nft.txt"))

    through = [entry for entry in facts["not_accepted"] if "pods to tunl0" in entry["ways"]]
    assert [(entry["verdict"], entry["rule"]["chain"], entry["rule"]["owner"]) for entry in through] == [
        ("drop", "FORWARD", "ufw")
    ]
    assert set(facts["accepted"]) == {"host to pods"}


def test_what_stops_some_pods_names_their_interfaces():
    (entry,) = verdicts(filters("-s 10.244.1.5/32 -d 10.244.2.0/24 -m conntrack --ctstate NEW -j REJECT"))[
        "not_accepted"
    ]

    assert (entry["ways"], entry["verdict"], entry["with"]) == (["pods to tunl0"], "reject", "icmp-port-unreachable")
    assert entry["interfaces"] == ["cali0a1b2c3d4e5"]


def test_answers_that_are_stopped_are_told_apart():
    (entry,) = verdicts(filters("-i tunl0 -m conntrack --ctstate ESTABLISHED -j DROP"))["not_accepted"]

    assert (entry["ways"], entry["answers"]) == (["pods to tunl0"], True)


def test_what_cannot_be_decided_is_unknown():
    entry, answers = verdicts(filters("-o tunl0 -m recent --name r --update --seconds 1 -j DROP"))["not_accepted"]

    assert [(one["ways"], one["verdict"]) for one in (entry, answers)] == [
        (["pods to tunl0"], "unknown"),
        (["tunl0 to pods"], "unknown"),
    ]
    assert entry["why_unknown"].startswith("it depends on: recent")


def test_calicos_policies_are_no_fault_of_the_hosts_firewall():
    facts = verdicts(recorded("calico_nft.txt"), here=PODS[:1])

    assert "not_accepted" not in facts
    (by_calico,) = facts["by_calico"]
    assert set(by_calico["ways"]).isdisjoint(facts["accepted"])
    assert "host to pods" in facts["accepted"]  # Felix lets the host reach its pods


def test_dockers_policy_is_known_as_dockers():
    facts = verdicts(recorded("docker.txt"))

    assert facts["accepted"] == ["pods to host", "host to pods"]
    assert [entry["rule"]["owner"] for entry in facts["not_accepted"]] == ["docker"]


def test_a_node_without_pods_of_its_own_is_evaluated_with_one_that_is_made_up():
    stopped = verdicts(filters("-i cali+ -j DROP"), here=())["not_accepted"]
    assert [(entry["ways"], entry.get("answers")) for entry in stopped] == [
        (["pods to tunl0"], None),
        (["tunl0 to pods"], True),
    ]
    unknown = verdicts(filters("-s 10.244.1.0/24 -j DROP"), here=())["not_accepted"]
    assert {entry["verdict"] for entry in unknown} == {"unknown"}


def test_without_a_known_address_the_hosts_first_one_is_taken():
    assert verdicts(filters("-d 10.200.0.9/32 -i cali+ -j DROP", chain="INPUT"), local={})["not_accepted"][0][
        "ways"
    ] == ["pods to host"]


def test_calicos_ebpf_program_marks_what_its_rules_ask_for():
    rules = filters('-i cali+ -m comment --comment "cali:x" -m mark ! --mark 0x1000000/0x1000000 -j DROP')
    programs = [Program(pod.interface, INGRESS, "cali_tc_preambl") for pod in PODS]

    assert "pods to tunl0" in verdicts(rules, programs=programs)["accepted"]
    assert "pods to tunl0" not in verdicts(rules)["accepted"]


@pytest.mark.parametrize("pods", [None, lambda _family: Pods([], {})])
def test_without_a_trace_of_pods_nothing_is_said(pods):
    found = read.Rulesets(Sources(), 5.0)
    for table in iptables_save.parse(filters("-j DROP")).tables:
        found.bases.extend(iptables_save.base_chains(table))

    assert "pods" not in firewall.facts(found, firewall.Around([], NETWORK, {}, LOCAL, pods=pods))


def test_rules_for_what_fits_no_connection_are_named_if_they_met_something():
    drop = "-m conntrack --ctstate INVALID -j DROP"
    text = filters(drop)
    assert "invalid_dropped" in verdicts(text, whole=True)
    counted = text.replace("-A FORWARD", "[0:0] -A FORWARD")
    assert "invalid_dropped" not in verdicts(counted, whole=True)
    (entry,) = verdicts(text.replace("-A FORWARD", "[7:420] -A FORWARD"), whole=True)["invalid_dropped"]
    assert (entry["way"], entry["rule"]["packets"], entry["rule"]["rule"]) == ("through this host", 7, 1)


def test_felix_own_drops_are_told_apart_from_policies():
    rule = "-m comment --comment cali:zTj6P0TIgYvgz-md -j DROP"
    facts = verdicts(filters(rule))
    assert facts["felix_rules"][0]["rule"]["owner"] == "calico"
    policy = "*filter\n:FORWARD ACCEPT [0:0]\n:cali-fw-cali0a1b2c3d4e5 - [0:0]\n-A FORWARD -j cali-fw-cali0a1b2c3d4e5\n"
    assert "felix_rules" not in verdicts(f"{policy}-A cali-fw-cali0a1b2c3d4e5 {rule}\nCOMMIT\n")
