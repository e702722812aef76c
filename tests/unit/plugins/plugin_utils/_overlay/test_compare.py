# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is examined of an overlay, on facts and objects recorded from the lab, with one thing changed at a time."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import Evidence
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.facts import read_node
from ansible_collections.netmedic.calico.plugins.plugin_utils._overlay import compare, ends, report
from ansible_collections.netmedic.calico.plugins.plugin_utils._overlay.model import DIFFERS

CASES = Path(__file__).resolve().parents[3] / "cases"


def recorded(name="healthy-vxlan"):
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (CASES / name).glob("node-*.json")}


@pytest.fixture
def facts():
    return copy.deepcopy(recorded())


def examined(facts):
    (found,) = compare.overlays(evidence(facts))
    return found


def evidence(facts):
    return Evidence({name: read_node(name, told) for name, told in sorted(facts.items())})


def device(facts, name):
    return facts[name]["calico_node"]["overlay"]["devices"]["vxlan.calico"]


def test_a_healthy_overlay_lacks_nothing(facts):
    found = examined(facts)
    assert (found.device, found.vni, found.port) == ("vxlan.calico", 4096, 4789)
    assert (found.ways, found.examined, found.lacks, found.odd) == (6, 6, (), {})
    assert (found.answered, found.silent) == (6, ())


def test_flannel_is_examined_where_calico_is_for_policy_only():
    found = examined(recorded("healthy-canal"))
    assert (found.device, found.port, found.lacks) == ("flannel.1", 8472, ())


def test_the_device_that_differs_is_to_blame_and_not_those_that_know_it_no_more(facts):
    device(facts, "node-2")["mac"] = "66ffffffffff"
    found = examined(facts)
    assert {lack.to for lack in found.lacks} == {"node-2"}
    (culprit,) = compare.culprits(found.lacks)
    assert (culprit.name, culprit.own) == ("node-2", False)


def test_the_node_whose_entry_is_wrong_is_to_blame(facts):
    ways = device(facts, "node-1")["ways"]
    ways[0] = ways[0].replace("10.200.0.10", "10.200.0.77", 1)
    (lack,) = examined(facts).lacks
    assert (lack.at, lack.to, lack.wrong) == ("node-1", "node-2", True)
    assert compare.culprits([lack])[0].name == "node-1"


def test_what_no_text_told_is_not_missing(facts):
    told = device(facts, "node-1")
    told["untold"] = ["fdb", "neighbours", "routes"]
    told["ways"] = []
    assert examined(facts).lacks == ()


def test_another_vni_is_odd(facts):
    device(facts, "node-3")["vni"] = 4097
    assert examined(facts).odd == {"node-3": "vxlan.calico has VNI 4097, and not 4096"}


def test_digests_are_compared_with_what_others_have(facts):
    for name in facts:
        told = device(facts, name)
        rows = {row.split()[0]: row for row in told.pop("ways")}
        told["ends"] = {"10.200.0": ",".join(map(str, sorted(int(end.rpartition(".")[2]) for end in rows)))}
        told["digests"] = "".join(compare.digest(rows[end]) for end in sorted(rows, key=lambda end: int(end[9:])))
    assert examined(facts).lacks == ()
    first = device(facts, "node-1")
    first["digests"] = "0000" + first["digests"][4:]
    assert examined(facts).lacks == (), "one against one decides nothing"
    facts["node-4"] = copy.deepcopy(facts["node-3"])
    facts["node-4"]["calico_node"].update(nodename="node-4", hostname="node-4")
    assert {(lack.at, lack.to) for lack in examined(facts).lacks if lack.what == DIFFERS} == {("node-1", "node-2")}


@pytest.mark.parametrize(
    "value", [None, [], "x", {"vxlan.calico": None}, {"vxlan.calico": {"ways": [1, "a b", "a b c d"]}}]
)
def test_whatever_stands_there_is_read(facts, value):
    facts["node-1"]["calico_node"]["overlay"]["devices"] = value
    report.told(evidence(facts))


def test_where_bird_carries_the_traffic_nothing_is_examined():
    assert report.told(evidence(recorded("mtu_mismatch-node"))) == []


def test_the_report_says_what_was_examined(facts):
    (entry,) = report.told(evidence(facts))
    assert entry["says"].startswith("vxlan.calico (VNI 4096, UDP 4789) on 3 of 3 nodes; 6 of 6 ways there")
    assert entry["says"].endswith("6 of 6 echoes through it answered")


def test_the_mac_of_a_name_is_felix_own(facts):
    assert {ends.made_of_name(name) for name in facts} == {device(facts, name)["mac"] for name in facts}


@pytest.mark.parametrize(
    ("inner", "outer", "is_within"),
    [
        ("10.244.1.0/26", "10.244.0.0/16", True),
        ("10.244.1.5", "10.244.1.0/26", True),
        ("10.245.0.0/26", "10.244.0.0/16", False),
        ("fd00::/122", "10.0.0.0/8", False),
        ("fd00::/122", "fd00::/64", True),
        ("", "x", False),
    ],
)
def test_prefixes_lie_in_others(inner, outer, is_within):
    assert ends.within(inner, outer) is is_within
