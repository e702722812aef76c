# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import random

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._probe.path_mtu import Search


def search(carries, wanted, smallest=576, word=False, loses=()):
    """Play a path. `word`: its router tells what it carries; `loses`: which packets get lost (0 is the first)."""
    one = Search(wanted, smallest)
    size, sizes = one.first(), []
    while size is not None:
        assert len(sizes) < 60, sizes
        lost = len(sizes) in loses
        sizes.append(size)
        if size <= carries and not lost:
            size = one.answered(size)
        elif word and not lost:
            size = one.too_big(size, carries)
        else:
            size = one.silent(size)
    return one.passed, sizes


@pytest.mark.parametrize("wanted", [576, 1280, 1500, 9000, 65520])
def test_what_carries_all_costs_one_packet(wanted):
    assert search(wanted, wanted) == (wanted, [wanted])


def test_a_routers_word_costs_one_packet_more():
    assert search(1400, 1500, word=True) == (1400, [1500, 1400])


@pytest.mark.parametrize("wanted", [1400, 1500, 1501, 9000])
def test_every_limit_is_found_to_the_byte(wanted):
    for carries in range(576, wanted):
        assert search(carries, wanted)[0] == carries


@pytest.mark.parametrize("carries", [1280, 1400, 1420, 1430, 1440, 1450, 1460, 1476, 1480, 1492])
def test_usual_limits_are_found_within_the_packets_allowed(carries):
    assert len(search(carries, 1500)[1]) <= 14


def test_nothing_answered_is_nothing_known():
    assert search(0, 1500) == (0, [1500, 576])


@pytest.mark.parametrize("carries", [1400, 1450, 1499, 1500])
@pytest.mark.parametrize("word", [True, False])
def test_one_lost_packet_does_not_change_what_is_found(carries, word):
    for lost in range(12):
        if search(carries, 1500, word=word)[1][lost : lost + 1] == [576]:
            continue  # the smallest lost means: no answer from this peer at all
        assert search(carries, 1500, word=word, loses={lost})[0] in (carries, 0)


def test_a_word_that_is_not_true_is_not_taken_for_it():
    one = Search(1500, 576)
    assert one.first() == 1500
    assert one.too_big(1500, 1450) == 1450
    size = one.silent(1450)
    for _packet in range(40):
        if size is None:
            break
        size = one.answered(size) if size <= 1400 else one.silent(size)
    assert one.passed == 1400


@pytest.mark.parametrize("mtu", [0, 68, 1500, 65535])
def test_a_word_that_makes_no_sense_is_let_go(mtu):
    one = Search(1500, 576)
    one.first()

    assert one.too_big(1500, mtu) == 576


def test_no_path_makes_the_search_endless():
    """Whatever is answered and whatever not, in whatever order: the search comes to an end."""
    chance = random.Random(7)
    for _path in range(500):
        one = Search(chance.choice([600, 1500, 9000]), 576)
        size = one.first()
        for _packet in range(200):
            if size is None:
                break
            what = chance.randrange(3)
            size = one.too_big(size, chance.randrange(2000)) if what == 2 else (one.answered, one.silent)[what](size)
        assert size is None
