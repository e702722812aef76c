# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path

from bench import large_mesh, written_out

RECORDED = Path(__file__).parents[1] / "cases" / "bgp_source_nat-router" / "node-1.json"


def sessions(node):
    return written_out.written_out(node)["calico_bgp"]["daemons"]["ipv4"]["sessions"]


def test_every_end_is_written_once():
    facts = large_mesh.facts(30, 0.1)
    for name, node in facts.items():
        peers = [one["peer"] for one in sessions(node)]
        others = {told["calico_node"]["bgp_addresses"]["ipv4"] for other, told in facts.items() if other != name}
        assert len(peers) == 29
        assert set(peers) == others
    assert written_out.reading(facts).ends == 30 * 29


def test_nothing_is_told_that_bgp_facts_does_not_tell():
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))["calico_bgp"]["daemons"]["ipv4"]["troubled"]
    known = next(one for one in recorded if one["bgp_state"] == "Established")
    record = next(one for one in sessions(large_mesh.facts(3, 0)["node-0"]))
    assert record.keys() <= known.keys()


def test_the_facts_stay_as_they_are():
    facts = large_mesh.facts(5, 0.2)
    before = json.dumps(facts)
    written_out.reading(facts)
    assert json.dumps(facts) == before
