# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Diagnosing a healthy mesh changes no BGP session, no rule, no file; a plain connect in place of the probe would."""

from __future__ import annotations

import json
import re
import time

import pytest

BIRD = "/var/run/calico/bird.ctl"
# What may differ between two looks at a node: the trace of our own SSH login, and logs that grow by themselves.
CHANGING = ("/var/log/", "/root/.ansible", "/tmp/", "/run/", "/var/lib/chrony/", "/var/cache/")


def protocols(lab, node):
    """Name, state and since of every protocol of a node's BIRD."""
    text = lab.exec(node, ["birdc", "-r", "-s", BIRD, "show", "protocols"]).stdout
    rows = [line.split() for line in text.splitlines()]
    return {row[0]: (row[3], row[4]) for row in rows if len(row) >= 5 and row[1] == "BGP"}


def seconds(clock):
    hours, minutes, rest = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(rest)


def unchanged(before, after):
    """The same sessions in the same states since the same moment.

    BIRD 1.6 works `since` out anew from two clocks at every reply, so that it jumps by a second now and then.
    """
    return before.keys() == after.keys() and all(
        state == after[name][0] and abs(seconds(since) - seconds(after[name][1])) <= 1
        for name, (state, since) in before.items()
    )


def bird_log(lab, node):
    return lab.exec(node, ["cat", "/var/log/calico/bird/current"]).stdout


def rules(lab, node):
    commands = (
        ["iptables-nft-save"],
        ["iptables-legacy-save"],
        ["ip6tables-nft-save"],
        ["nft", "list", "ruleset"],
        ["ipset", "save"],
    )
    text = "".join(lab.exec(node, command).stdout for command in commands)
    # A table that another test has left behind counts every packet.
    return re.sub(r"^#.*$|\[\d+:\d+\]|packets \d+ bytes \d+", "", text, flags=re.MULTILINE)


def files(lab, node):
    """Path, size, mode and time of every file that something could have changed."""
    text = lab.exec(
        node,
        ["find", "/etc", "/opt", "/usr", "/var", "/root", "/home", "-xdev", "-type", "f", "-printf", "%p %s %m %T@\\n"],
    ).stdout
    return {line for line in text.splitlines() if not line.startswith(CHANGING)}


def everything(lab):
    return {node.name: (rules(lab, node.name), files(lab, node.name)) for node in lab.nodes}


def all_sessions(lab):
    return {node.name: protocols(lab, node.name) for node in lab.nodes}


@pytest.mark.parametrize("topology", ["one_subnet", "two_subnets"])
def test_a_diagnosis_changes_no_session_no_rule_and_no_file(lab, diagnose, topology):
    diagnose()  # the first login of a machine may leave its own traces, such as a new host's caches
    before, sessions = everything(lab), all_sessions(lab)
    logs = {node.name: bird_log(lab, node.name) for node in lab.nodes}
    # The mesh; between two subnets there is the router besides.
    expected = 3 + len(lab.plan.topology.subnets) // 2
    assert all(len(of_node) == expected for of_node in sessions.values())
    run = diagnose()
    assert run.report["verdict"] == "healthy", run.printed
    assert everything(lab) == before
    assert all(unchanged(sessions[name], after) for name, after in all_sessions(lab).items())
    for name, earlier in logs.items():
        news = bird_log(lab, name).removeprefix(earlier)
        assert not re.search(r"connect|restart|State changed", news, re.IGNORECASE), news


def test_probing_a_living_session_half_open_leaves_it_alone(lab, diagnose):
    """The pass probes only peers in trouble; here it is told to look at one whose session is up."""
    listener, dialler = lab.nodes[1], lab.nodes[0]
    before, log = protocols(lab, listener.name), bird_log(lab, listener.name)
    run = diagnose("-e", json.dumps({"collect_peers": [listener.address]}), "--limit", dialler.name)
    assert run.report["coverage"]["nodes"]["collected"] == 1, run.printed
    assert unchanged(before, protocols(lab, listener.name))
    assert bird_log(lab, listener.name) == log


def test_a_plain_connect_in_its_place_breaks_the_session(lab):
    listener, dialler = lab.nodes[1], lab.nodes[0]
    name = f"Mesh_{dialler.address.replace('.', '_')}"
    time.sleep(3)  # so that a new session's `since` cannot be taken for BIRD's own jump of a second
    before = protocols(lab, listener.name)
    lab.exec(dialler.name, ["nc", "-z", "-w", "2", "-s", dialler.address, listener.address, "179"], check=False)
    deadline = time.monotonic() + 10
    while unchanged(before, protocols(lab, listener.name)) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert not unchanged(before, protocols(lab, listener.name)), name
    lab.wait_ready()
