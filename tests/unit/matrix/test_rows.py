# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from lab.faults.registry import FAULTS
from matrix import odd, rows


def test_each_variant_of_each_fault_has_a_row():
    wanted = {(fault.id, variant.name) for fault in FAULTS for variant in fault.variants}
    assert {(row.injections[0].fault, row.injections[0].variant) for row in rows.alone()} == wanted


def test_everywhere_there_are_more_and_none_without_bird_that_does_not_ask_for_it():
    there = rows.alone(everywhere=True)
    assert len(there) > len(rows.alone())
    needed = {(fault.id, variant.name): variant.topology for fault in FAULTS for variant in fault.variants}
    for row in there:
        if row.topology in rows.WITHOUT_BIRD:
            assert needed[row.injections[0].fault, row.injections[0].variant] == row.topology


def test_what_brings_a_second_fault_with_it_is_left_out():
    named = {row.name for row in rows.alone(everywhere=True)}
    assert "bird_reload_stuck-as@dual_stack" in named
    assert "bird_reload_stuck-as@external_router" not in named
    drawn = {each.fault for row in rows.pairs(1, 300) for each in row.injections}
    assert drawn.isdisjoint(rows.NOT_IN_PAIRS)
    assert "bird_hung-sigstop@route_reflectors" not in named
    assert "rp_filter_loose-all@route_reflectors" in named


def test_the_same_seed_draws_the_same_pairs_and_another_one_others():
    assert rows.pairs(3, 10) == rows.pairs(3, 10) != rows.pairs(4, 10)


def test_a_pair_is_of_two_faults_on_two_nodes():
    for row in rows.pairs(5, 40):
        one, other = row.injections
        assert one.fault != other.fault
        assert one.node != other.node


def test_rows_have_names_of_their_own():
    names = [row.name for row in [*odd.rows(), *rows.alone(everywhere=True), *rows.pairs(1, 40)]]
    assert len(names) == len(set(names))


def test_rows_are_chosen_by_words_of_their_names():
    assert {row.topology for row in rows.named(rows.alone(everywhere=True), ["@dual_stack"])} == {"dual_stack"}
    assert rows.named(rows.alone(), ["no such fault"]) == []
    assert rows.named(rows.alone(), []) == rows.alone()


def test_a_healthy_row_finds_its_oddity_again():
    assert [(odd.of(row).topology, odd.of(row).name) for row in odd.rows()] == [
        (each.topology, each.name) for each in odd.ODDITIES
    ]
