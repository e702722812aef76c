# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs of other speakers. Wordings: MetalLB internal/bgp/native (v0.13) and pkg/bgp (v0.2), FRR bgpd (8.5)."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import node, speaker_log

JSON = (
    '{"caller":"native.go:84","error":"read OPEN from \\"10.1.0.1:179\\": %s","level":"error",'
    '"localASN":64512,"msg":"failed to connect to peer","op":"connect","peer":"10.1.0.1:179",'
    '"ts":"2022-07-27T10:07:05Z"}\n'
)
FRR = "2023/05/04 10:00:00 BGP: [HZN6M-XRM1G] %%NOTIFICATION: received from neighbor 10.1.0.1 %s\n"


def told(text):
    return speaker_log.facts({"speaker-x7k2p.log": text})


@pytest.mark.parametrize(
    "line",
    [
        'E1213 22:09:35.960710 1 bgp.go:48] read OPEN from "10.1.0.1:179": message type is not OPEN, got 3, want 1\n',
        JSON % "got BGP notification code 0x0605 (Connection Rejected)",
        JSON % "got BGP notification code 0x0607 (Connection Collision Resolution)",
        FRR % "6/7 (Cease/Connection collision resolution) 0 bytes",
    ],
)
def test_a_notification_that_a_rival_brings_about(line):
    (entry,) = told(line + line)
    assert (entry["peer"], entry["notified"], entry["count"]) == ("10.1.0.1", True, 2)


@pytest.mark.parametrize(
    "line",
    [
        JSON % "got BGP notification code 0x0202 (Bad Peer AS)",
        JSON % "got BGP notification code 0x0602 (Administrative Shutdown)",
        FRR % "2/2 (OPEN Message Error/Bad Peer AS) 2 bytes",
        JSON.replace("read OPEN from", "dial") % "connection refused",
    ],
)
def test_other_refusals_are_no_rivals(line):
    assert told(line) == []


@pytest.mark.parametrize("error", ["EOF", "read tcp 10.1.0.9:40000->10.1.0.1:179: read: connection reset by peer"])
def test_a_router_that_hangs_up(error):
    (entry,) = told(JSON % error)
    assert (entry["peer"], entry["notified"]) == ("10.1.0.1", False)


def test_calicos_own_logs_are_not_looked_at():
    assert speaker_log.facts({"calico-node.log": JSON % "EOF"}) == []


def test_a_node_tells_of_it():
    facts = node.facts({"speaker.log": JSON % "got BGP notification code 0x0605 (Connection Rejected)"}, "n", 0.0)
    assert facts["calico_bgp"]["turned_away"][0]["at"] == "2022-07-27T10:07:05Z"
