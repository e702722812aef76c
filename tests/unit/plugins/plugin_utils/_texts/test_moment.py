# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When texts were taken that do not say so themselves."""

from __future__ import annotations

from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import node

LOG = "2022-06-20 11:02:44.871 [INFO][9] startup/startup.go 455: Initialize BGP data\n"
WARNING = (
    "2022-06-20 11:02:44.873 [WARNING][9] startup/startup.go 710: Unable to auto-detect an IPv4 address: no valid\n"
)


def test_the_last_line_of_a_log_tells_when():
    facts = node.facts({"calico-node.log": LOG + WARNING}, "node-1")
    assert facts["calico_node"]["taken_at"] == "2022-06-20T11:02:44Z"
    (line,) = facts["calico_node"]["host"]["log"]
    assert line["kind"] == "autodetection"


def test_birds_own_clock_goes_first():
    status = "BIRD 1.6.8 ready.\nCurrent server time is 2026-11-21 00:00:00\n"
    facts = node.facts({"calico-node.log": LOG, "birdcl-status.txt": status}, "node-1")
    assert facts["calico_node"]["taken_at"] == "2026-11-21T00:00:00Z"
