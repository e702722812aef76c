# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import random
import time

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.plugin_utils._commonality.shared import (
    SURPRISING,
    Table,
    distinct,
    worded,
)


def at_random(nodes, attributes, seed):
    drawn = random.Random(seed)
    return {
        f"n{number}": {f"a{which}": str(drawn.randrange(2 + which % 6)) for which in range(attributes)}
        for number in range(nodes)
    }


def planted(nodes, affected, having, elsewhere, attributes=30, seed=1):
    """Nodes with attributes at random and one that the first of the affected have, and some of the others."""
    properties = at_random(nodes, attributes, seed)
    for number, told in enumerate(properties.values()):
        here = number < having or affected <= number < affected + elsewhere
        told["zone"] = "b" if here else "a"
    return Table(properties), [f"n{number}" for number in range(affected)]


def test_what_was_planted_is_found_first():
    table, affected = planted(100, affected=10, having=9, elsewhere=2)
    (first, *_more) = table.shared(affected)
    assert first[:6] == ("zone", "b", 9, 10, 2, 90)
    assert first.p_value < 1e-8 < first.corrected * 1e4 < 1
    assert first.told == "zone b"


def test_what_is_weak_is_not_told():
    for having, elsewhere in ((3, 0), (9, 60), (5, 5)):
        table, affected = planted(100, 10, having, elsewhere)
        assert "zone" not in [one.attribute for one in table.shared(affected)]


def test_attributes_at_random_say_nothing_but_rarely():
    runs = 200
    told = 0
    for seed in range(runs):
        table = Table(at_random(40, 25, seed))
        told += bool(table.shared([f"n{number}" for number in range(8)]))
    assert told <= SURPRISING * runs


def test_two_nodes_of_four_prove_nothing():
    table = Table({name: {"zone": zone} for name, zone in zip("abcd", "xxyy", strict=True)})
    assert table.shared(["a", "b"]) == []
    assert table.shared(["a"]) == table.shared([]) == table.shared("abcd") == []


def test_the_same_nodes_under_two_names_are_one_question():
    one = {f"n{number}": {"zone": "b" if number < 6 else "a"} for number in range(24)}
    two = {name: {**told, "subnet": told["zone"], "region": told["zone"]} for name, told in one.items()}
    affected = [f"n{number}" for number in range(6)]
    assert [found.attribute for found in Table(two).shared(affected)] == ["zone", "subnet", "region"]
    assert Table(two).shared(affected)[0].corrected == Table(one).shared(affected)[0].corrected


def test_nodes_of_which_a_property_is_not_known_do_not_count():
    properties = {f"n{number}": {"kernel": "5" if number < 6 else "6"} for number in range(30)}
    properties |= {f"x{number}": {} for number in range(50)}
    (found,) = Table(properties).shared([f"n{number}" for number in range(6)] + ["x1", "x2"])
    assert (found.affected, found.of, found.elsewhere, found.others) == (6, 6, 0, 24)


def test_more_groups_ask_for_more_proof():
    table, affected = planted(40, affected=4, having=4, elsewhere=0, attributes=0)
    assert table.shared(affected)
    assert not table.shared(affected, groups=5000)


def test_a_property_in_words():
    assert worded({"attribute": "kernel", "value": "6.1"}) == "kernel 6.1"
    assert worded({"attribute": "a pod of speaker", "value": "yes"}) == "a pod of speaker"
    assert worded({"attribute": "a pod of speaker", "value": "none"}) == "no pod of speaker"
    assert worded({"attribute": "booted within the last day", "value": "no"}) == "not booted within the last day"


def test_groups_of_one_share_nothing():
    assert distinct([["a"], ["a", "b"], ["b", "a"], []]) == [frozenset("ab")]


def test_a_thousand_nodes_take_no_time():
    table_of = at_random(1000, 40, 1)
    started = time.process_time()
    Table(table_of).shared([f"n{number}" for number in range(100)])
    assert time.process_time() - started < 2  # 0.1 s where nothing else runs


@given(
    st.dictionaries(st.text(max_size=3), st.dictionaries(st.text(max_size=2), st.text(max_size=2)), max_size=12),
    st.data(),
)
def test_any_properties_give_true_counts(properties, data):
    affected = data.draw(st.lists(st.sampled_from(sorted(properties)), unique=True)) if properties else []
    for one in Table(properties).shared(affected):
        assert 2 <= one.affected <= one.of <= len(affected)
        assert one.of + one.others <= len(properties)
        assert 0 <= one.p_value <= one.corrected <= SURPRISING
