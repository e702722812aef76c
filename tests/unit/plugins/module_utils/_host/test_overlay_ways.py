# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.netmedic.calico.plugins.module_utils._facts import overlay_ways as facts
from ansible_collections.netmedic.calico.plugins.module_utils._facts.packing import unpack
from ansible_collections.netmedic.calico.plugins.module_utils._host import overlay_ways, route_table, tunnels

DEVICE = "vxlan.calico"
FAR = "66c0932e562c"


def route(destination, gateway, device=DEVICE, protocol=route_table.FELIX):
    return route_table.Entry(destination, protocol, 1, device, gateway, True)


def rows(fdb=None, neighbours=None, table=(), untold=()):
    return overlay_ways.rows(overlay_ways.of_device(DEVICE, fdb or {}, neighbours or {}, table, untold))


def test_a_whole_way_is_one_row():
    (row,) = rows({FAR: ["10.0.0.2"]}, {"10.244.2.1": [FAR]}, [route("10.244.2.0/26", "10.244.2.1")])
    assert row.whole
    assert row.text == f"10.0.0.2 {FAR} 10.244.2.1 10.244.2.0/26"


def test_a_destination_that_begins_with_the_address_is_told_by_its_length():
    (row,) = rows({FAR: ["10.0.0.2"]}, {"10.244.2.0": [FAR]}, [route("10.244.2.0/24", "10.244.2.0")])
    assert row.text.endswith(" 10.244.2.0 /24")


def test_what_is_missing_is_a_dash_and_what_is_not_known_a_question_mark():
    table = [route("10.244.2.0/26", "10.244.2.1")]
    assert [row.text.split()[:2] for row in rows({}, {}, table)] == [["-", "-"]]
    assert [row.text.split()[:2] for row in rows({}, {"10.244.2.1": [FAR]}, table)] == [["-", FAR]]
    assert [row.text.split()[:2] for row in rows({}, {"10.244.2.1": [FAR]}, table, ["fdb"])] == [["?", FAR]]
    assert [row.text.split()[:2] for row in rows({}, {}, table, ["fdb", "neighbours"])] == [["?", "?"]]


def test_a_forwarding_entry_that_nothing_leads_to_is_told_too():
    (row,) = rows({FAR: ["10.0.0.2"]})
    assert row.text == f"10.0.0.2 {FAR} - -"
    assert not row.whole


def test_within_a_subnet_routes_may_go_by_the_underlay():
    direct = route("10.244.2.0/26", "10.0.0.2", "eth0")
    (row,) = rows({FAR: ["10.0.0.2"]}, {"10.244.2.1": [FAR]}, [direct])
    assert row.whole


def test_groups_and_the_entry_for_everybody_are_left_out():
    assert rows({"01005e000001": ["239.0.0.1"], "000000000000": ["10.0.0.9"], "3333": ["x"]}) == []


def test_other_tables_and_default_routes_are_left_out():
    elsewhere = route("10.244.2.0/26", "10.244.2.1")._replace(table=42)
    assert rows({}, {}, [elsewhere, route("default", "10.244.2.1")]) == []


def device(count):
    ways = [
        overlay_ways.Row(f"10.0.{n // 250}.{n % 250 + 1}", f"66{n:010x}", f"10.244.{n}.0", (f"10.244.{n}.0/26",))
        for n in range(count)
    ]
    made = tunnels.Vxlan(4096, 4789, "10.0.0.1")
    return facts.Found(overlay_ways.Device(DEVICE, "66b36828398e", made, 1450, True, ["10.244.0.0"]), ways)


def test_a_few_ways_are_told_in_full():
    told = facts.facts([device(3)])[DEVICE]
    assert len(told["ways"]) == 3
    assert told["vni"] == 4096
    assert "up" not in told
    assert "ends" not in told


def test_of_many_ways_only_digests_are_told_and_those_that_are_not_whole():
    found = device(200)
    found.rows[7] = found.rows[7]._replace(mac="-")
    told = facts.facts([found])[DEVICE]
    assert told["ways"] == [found.rows[7].text]
    ends = sorted(unpack(told["ends"]), key=lambda end: tuple(map(int, end.split("."))))
    assert len(ends) == 199
    assert len(told["digests"]) == 4 * 199
    first = next(row for row in found.rows if row.end == ends[0])
    assert told["digests"][:4] == facts.digest(first.text)
