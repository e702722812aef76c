# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What captures show of BGP."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import bgp_capture, node, tcpdump

TEXTS = Path(__file__).parents[3] / "texts" / "tcpdump"


def read(name):
    return (TEXTS / name / "input.txt").read_text(encoding="utf-8")


def conversations(text):
    return bgp_capture.conversations(tcpdump.parse(text).value.packets)


def test_messages_stand_with_their_packets():
    packets = tcpdump.parse(read("tcpdump-4.99-v")).value.packets
    kinds = [kind for packet in packets for kind, _says in packet.messages]
    assert kinds.count("open") == 2
    assert "keepalive" in kinds


def test_an_open_that_nobody_answers():
    (entry,) = conversations(read("incident-bgp-names"))
    assert (entry["caller"], entry["called"]) == ("Kmaster", "Kworker3")
    assert entry["sent"]["messages"] == {"open": 1}
    assert entry["answered"]["payloads"] == 0


def test_a_middlebox_between_two_ends():
    (entry,) = conversations(read("middlebox-swallows"))
    assert entry["handshake"]
    assert entry["sent"]["repeated"] >= 3
    assert not entry["sent"]["acknowledged"]
    assert entry["answered"]["payloads"] == 0


def test_a_timer_that_expired_and_who_was_heard_when():
    (entry,) = conversations(read("hold-timer-expired"))
    notice = entry["notifications"][-1]
    assert (notice["by"], notice["says"]) == ("10.200.0.254", "Hold Timer Expired (4)")
    assert 3 <= notice["heard_before"] < 4
    assert entry["sent"]["acknowledged"] or entry["answered"]["acknowledged"]


def test_a_node_tells_of_its_captures():
    facts = node.facts({"tcpdump.txt": read("incident-bgp-names")}, "Kmaster", 0.0)
    assert facts["calico_bgp"]["captured"][0]["caller"] == "Kmaster"


def test_times():
    lines = "".join(
        f"{at} IP a.40000 > b.179: Flags [P.], seq 1:20, ack 1, length 19: BGP\n\tKeepalive Message (4), length: 19\n"
        for at in ("23:59:59.500000",)
    )
    lines += (
        "00:00:00.250000 IP b.179 > a.40000: Flags [P.], seq 1:22, ack 20, length 21: BGP\n"
        "\tNotification Message (3), length: 21, Hold timer expired (4)\n"
    )
    (entry,) = conversations(lines)
    assert entry["notifications"] == [{"by": "b", "says": "Hold timer expired (4)", "heard_before": 0.75}]
    assert entry["sent"]["acknowledged"]
