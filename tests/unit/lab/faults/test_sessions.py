# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What faults of sessions write: the router's timers, the second speaker, the names that calico-node goes by."""

from __future__ import annotations

import pytest

from lab import fabric, topology
from lab.controller import hosts, startup
from lab.faults import hold_timer, middlebox, rival_speaker


class Disk:
    """A machine of which only the disk is asked."""

    def __init__(self, folder):
        self.folder = folder

    def file(self, path):
        return self.folder / path.lstrip("/")


def test_the_router_asks_for_a_short_hold_time_once():
    plan = topology.plan("external_router", 2)
    text = next(one.text for one in fabric.specification(plan).files if "template bgp node" in one.text)
    changed = hold_timer.with_hold_time(text)
    assert changed.count("hold time 3;") == 1
    assert changed.replace("  hold time 3;\n", "") == text


def test_the_speaker_listens_elsewhere():
    text = rival_speaker.configuration("10.200.0.9", "10.200.0.254")
    assert "listen bgp port 1790;" in text
    assert "local 10.200.0.9 as 64512;" in text
    assert text.count("{") == text.count("}")


def test_what_was_sent_again():
    shown = "ESTAB 0 63 a b\n\t ts sack bytes_retrans:315 retrans:1/5 lost:1\nESTAB 0 0 c d\n\t ts retrans:0/1\n"
    assert middlebox.retransmits(shown) == 5
    assert middlebox.retransmits("") == 0


@pytest.mark.parametrize(
    ("told", "left", "name"),
    [
        ({"NODENAME": "a", "HOSTNAME": "b"}, "c", "a"),
        ({"HOSTNAME": "b"}, "c\n", "c"),
        ({"HOSTNAME": "B.example"}, None, "b.example"),
        ({}, None, ""),
    ],
)
def test_the_name_that_calico_goes_by(tmp_path, told, left, name):
    machine = Disk(tmp_path)
    if left is not None:
        machine.file(hosts.NODENAME).parent.mkdir(parents=True)
        machine.file(hosts.NODENAME).write_text(left, encoding="utf-8")
    assert hosts.calico_name(machine, told) == name


def test_a_start_without_a_node_ends():
    outcome = startup.of_no_node("other")
    assert not outcome.went_on
    assert any('nodes "other" not found' in text for _level, text in outcome.log)
