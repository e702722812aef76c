# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An expression of a user ends, however much work it asks for, and otherwise finds what jmespath finds."""

from __future__ import annotations

import jmespath
import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis import own_checks, own_checks_bound

FACTS = {"a": [1, 2], "b": {"x": [{"p": number, "s": "up"} for number in range(50)]}, "t": "text"}
ENDLESS = (
    "|".join(["[@,@][]"] * 200),
    "|".join(["[@,@]"] * 300),
    "|".join(["[@,@]"] * 300) + "|to_string(@)",
    "|".join(["[@,@]"] * 100) + "|[[@,@],[@,@]]|[0]==[1]",
    "|".join(["{a:@,b:@}"] * 100) + "|contains([@],`{}`)",
    "to_string(a)" + "|to_string([@])" * 60,
    "[" + ",".join(["b.x"] * 200) + "][]|[*].[@,@][]|" + "|".join(["[@,@,@,@][]"] * 40) + "|length(@)",
)


def outcome(expression, nodes):
    checks = own_checks.read([{"id": "c", "expression": expression, "message": "m"}])
    return own_checks.outcomes(checks, nodes, {})


@pytest.mark.parametrize("expression", ENDLESS)
def test_what_would_not_end_is_stopped_and_said(expression):
    found, notes = outcome(expression, {"n1": FACTS})
    assert found == []
    (note,) = notes
    assert note["says"] == (
        "the expression could not be evaluated on n1: it takes more than 1000000 steps, and was stopped; let it look "
        "at less, by a filter or in scope node"
    )


@pytest.mark.parametrize(
    "expression",
    [
        *("a", "b.x[?s=='down']", "b.x[?p > `47`].p", "b.x[*].[s,p][] | length(@)", "sort_by(b.x, &p)[0]", "a[::-1]"),
        *("join('-', b.x[].s)", "to_string(a)", "contains(a, `2`)", "a == `[1, 2]`", "b.* | [0][0]", "[a, a][]"),
        *("max_by(b.x, &p).p", "map(&p, b.x)", "t[]", "nothing[]", "sort(b.x[].s)", "a < `3`", "not_null(c, a)"),
        *("b.x[1:3].p", "{one: a, two: t}", "a && t", "!t", "keys(b)", "@", "reverse(t)", "a != t"),
    ],
)
def test_everything_else_finds_what_it_did(expression):
    budget = own_checks_bound.Budget(own_checks_bound.MOST_STEPS)
    parsed = jmespath.compile(expression).parsed
    assert own_checks_bound.search(parsed, FACTS, budget) == jmespath.search(expression, FACTS)
    assert budget.left > own_checks_bound.MOST_STEPS - 3000


def test_all_nodes_together_have_a_bound_too(monkeypatch):
    monkeypatch.setattr(own_checks_bound, "MOST_OF_A_CHECK", 1000)
    found, notes = outcome("b.x[?s=='up'] | [0].p", {f"n{number}": FACTS for number in range(9)})
    assert 1 <= len(found[0]["nodes"]) < 9
    assert "it took more than 1000 steps for all nodes, and was stopped" in notes[0]["says"]


def test_the_same_expression_is_stopped_at_the_same_step():
    parsed = jmespath.compile(ENDLESS[0]).parsed
    left = []
    for _again in range(2):
        budget = own_checks_bound.Budget(5000)
        with pytest.raises(own_checks_bound.TooMuchError):
            own_checks_bound.search(parsed, FACTS, budget)
        left.append(budget.left)
    assert left[0] == left[1]
