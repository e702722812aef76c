# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JMESPath with a bound on the work that an expression may make, counted and so the same in every run.

Few letters can ask for more than any controller has: each `[@, @][]` doubles a list. What is counted: each step of the
expression at each element, what a flattening, slice or function takes up, and what comparing and printing walk through.
"""

from __future__ import annotations

from functools import cache
from typing import Any

# About two seconds of work; a check of one node takes some hundreds of steps.
MOST_STEPS = 1_000_000
# For all nodes together.
MOST_OF_A_CHECK = 10_000_000
# Functions that look at everything within what they are given; the others look at its items only.
_DEEP = frozenset(("to_string", "contains", "join", "sort"))


class TooMuchError(Exception):
    """An expression would make more work than it may."""


class Budget:
    """The steps that are left."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def spend(self, steps: int) -> None:
        """Take off steps that are about to be made. Raises TooMuchError where there are not so many left."""
        self.left -= steps
        if self.left < 0:
            raise TooMuchError

    def spend_on_all_of(self, value: Any) -> None:
        """Take off what it takes to walk through a value, one that holds a part several times as often as it does."""
        open_ones = [value]
        while open_ones:
            one = open_ones.pop()
            self.spend(1 + (len(one) if isinstance(one, (str, list, dict)) else 0))
            if isinstance(one, list):
                open_ones.extend(one)
            elif isinstance(one, dict):
                open_ones.extend(one.values())

    def spend_on_flattening(self, base: Any) -> None:
        """Take off what the items of a list's lists are."""
        if isinstance(base, list):
            self.spend(sum(len(one) if isinstance(one, list) else 1 for one in base))

    def spend_on_comparing(self, *sides: Any) -> None:
        """Take off what it takes to look at both sides, where both hold something."""
        if all(isinstance(one, (list, dict)) for one in sides):
            for one in sides:
                self.spend_on_all_of(one)

    def spend_on_call(self, name: str, given: list[Any]) -> None:
        """Take off what a function walks through, or makes."""
        for one in given:
            if name in _DEEP:
                self.spend_on_all_of(one)
            elif isinstance(one, (str, list, dict)):
                self.spend(len(one))
        if name == "join" and len(given) == 2 and all(isinstance(one, (str, list)) for one in given):
            self.spend(len(given[0]) * len(given[1]))


def search(parsed: Any, value: Any, budget: Budget) -> Any:
    """What an expression that was parsed finds in a value, which can be walked through within the budget, too.

    Raises TooMuchError, and what jmespath does.
    """
    found = _interpreter()(budget).visit(parsed, value)
    budget.spend_on_all_of(found)
    return found


@cache
def _interpreter() -> Any:
    """The class that evaluates; made when it is wanted, as jmespath is loaded only then."""
    from jmespath.visitor import TreeInterpreter

    class Bounded(TreeInterpreter):  # type: ignore[misc]  # jmespath ships no type hints
        """jmespath's own interpreter, which tells a budget of its work before it is made."""

        def __init__(self, budget: Budget) -> None:
            super().__init__()
            self.budget = budget

        def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
            self.budget.spend(1)
            return super().visit(node, *args, **kwargs)

        def visit_flatten(self, node: Any, value: Any) -> Any:
            base = self.visit(node["children"][0], value)
            self.budget.spend_on_flattening(base)
            return super().visit_flatten(_of_values(node, [base]), value)

        def visit_slice(self, node: Any, value: Any) -> Any:
            self.budget.spend(len(value) if isinstance(value, list) else 0)
            return super().visit_slice(node, value)

        def visit_comparator(self, node: Any, value: Any) -> Any:
            sides = [self.visit(child, value) for child in node["children"]]
            self.budget.spend_on_comparing(*sides)
            return super().visit_comparator(_of_values(node, sides), value)

        def visit_function_expression(self, node: Any, value: Any) -> Any:
            given = [self.visit(child, value) for child in node["children"]]
            self.budget.spend_on_call(node["value"], given)
            return super().visit_function_expression(_of_values(node, given), value)

    return Bounded


def _of_values(node: Any, values: list[Any]) -> dict[str, Any]:
    """A part of an expression with values that are known in the place of what it is made of."""
    return {**node, "children": [{"type": "literal", "value": one, "children": []} for one in values]}
