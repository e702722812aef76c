# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's own checks: JMESPath expressions over the facts. What one of them finds is a finding of the report."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from .._catalogue import words
from .._catalogue.model import SEVERITIES
from . import own_checks_bound
from .findings import blank, remedy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FAMILY = "own_checks"
NODE, CLUSTER = "node", "cluster"
_KEYS = {"id": True, "expression": True, "message": True, "severity": False, "scope": False}
_ID = re.compile(r"[a-z][a-z0-9_-]{0,63}")
# What an expression found is shown so far, and nodes are named so far.
SHOWN = 200
LONGEST = 2000


class CannotSay(NamedTuple):
    """What came of an expression that could not be evaluated, and why."""

    why: str


class Check(NamedTuple):
    """One check. scope: node, looked for in the facts of each node, or cluster, in those of all of them and the API."""

    id: str
    expression: str
    message: str
    severity: str
    scope: str
    compiled: Any

    @property
    def fault(self) -> str:
        """The id by which the report calls it; no id of the catalogue looks so."""
        return f"own:{self.id}"


def read(items: Any) -> tuple[Check, ...]:
    """Read checks as a user gives them: a list of mappings of id, expression, message, severity (minor), scope (node).

    ValueError, with a sentence for the user, for what is no such list. An expression that is none costs nothing but
    its check: see unusable().
    """
    if not isinstance(items, (list, tuple)):
        raise ValueError("The checks must be a list")
    checks = tuple(_check(number, item) for number, item in enumerate(items, 1))
    twice = sorted({one.id for one in checks if [other.id for other in checks].count(one.id) > 1})
    if twice:
        raise ValueError(f"More than one check is called {twice[0]}")
    return checks


def _check(number: int, item: Any) -> Check:
    if not isinstance(item, dict):
        raise ValueError(f"Check {number} must be a mapping with id, expression and message")
    name = f"Check {item.get('id', number)}"
    wrong = sorted(set(map(str, item)) - set(_KEYS))
    if wrong:
        raise ValueError(f"{name} has {wrong[0]}, which is not known; known are {', '.join(_KEYS)}")
    for key, required in _KEYS.items():
        if (required or key in item) and not (isinstance(item.get(key), str) and item[key].strip()):
            raise ValueError(f"{name} needs {key} as a text")
    severity, scope = item.get("severity", "minor"), item.get("scope", NODE)
    if not _ID.fullmatch(item["id"]):
        raise ValueError(f"{name} needs an id of small letters, digits, _ and -, such as swap_is_on")
    if len(item["expression"]) > LONGEST:
        raise ValueError(f"{name} has an expression of more than {LONGEST} letters")
    if severity not in SEVERITIES:
        raise ValueError(f"{name} has severity {severity}; it must be one of {', '.join(SEVERITIES)}")
    if scope not in (NODE, CLUSTER):
        raise ValueError(f"{name} has scope {scope}; it must be {NODE} or {CLUSTER}")
    return Check(
        item["id"], item["expression"], item["message"].strip(), severity, scope, _compiled(item["expression"])
    )


def _compiled(expression: str) -> Any:
    """The expression as jmespath reads it, CannotSay if it does not."""
    try:
        import jmespath
    except ImportError:
        return CannotSay("jmespath is not on the controller; install it with: pip install jmespath")
    try:
        return jmespath.compile(expression)
    except RecursionError:
        return CannotSay("it is nested too deeply")
    except jmespath.exceptions.JMESPathError as error:
        why = str(error).partition("\n")[0].rstrip(".: ")
        return CannotSay(f"it is no JMESPath: {why}")


def unusable(checks: Sequence[Check]) -> list[str]:
    """A sentence for each check of which it is clear before any fact is there that it will find nothing."""
    return [
        f"Own check {one.id} cannot be used, and the diagnosis is made without it: its expression cannot be evaluated; "
        f"{one.compiled.why}."
        for one in checks
        if isinstance(one.compiled, CannotSay)
    ]


def outcomes(
    checks: Sequence[Check], nodes: Mapping[str, Mapping[str, Any]], cluster: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What the checks find as findings, and notes on expressions that could not be evaluated.

    nodes: by name the facts of each; cluster: the fact calico_cluster, {} without the API. An expression finds
    something if it gives anything but null, false, or something empty; 0 is something.
    """
    found, notes = [], []
    for check in checks:
        if isinstance(check.compiled, CannotSay):
            notes.append(_note(check, {"": check.compiled.why}))
            continue
        places = nodes if check.scope == NODE else {"": {"nodes": dict(nodes), "cluster": dict(cluster)}}
        of_all = own_checks_bound.Budget(own_checks_bound.MOST_OF_A_CHECK)
        told = {name: _found(check, facts, of_all) for name, facts in places.items()}
        hits = {name: value for name, value in told.items() if _is_something(value)}
        doubts = {name: value.why for name, value in told.items() if isinstance(value, CannotSay)}
        if hits:
            found.append(_finding(check, hits))
        if doubts:
            notes.append(_note(check, doubts))
    return found, notes


def _note(check: Check, doubts: Mapping[str, str]) -> dict[str, Any]:
    nodes = sorted(name for name in doubts if name)
    where = f" on {words.listed(nodes)}" if nodes else ""
    why = next(iter(doubts.values()), "")
    says = f"the expression could not be evaluated{where}: {why}"
    return {"object": f"check {check.id}", "kind": "own_check", "nodes": nodes, "says": says}


def _is_something(value: Any) -> bool:
    return not isinstance(value, CannotSay) and not (value is None or value is False or value in ("", [], {}))


def _found(check: Check, facts: Mapping[str, Any], of_all: own_checks_bound.Budget) -> Any:
    from jmespath.exceptions import JMESPathError

    most = min(of_all.left, own_checks_bound.MOST_STEPS)
    budget = own_checks_bound.Budget(most)
    try:
        return own_checks_bound.search(check.compiled.parsed, facts, budget)
    except own_checks_bound.TooMuchError:
        return CannotSay(_too_much(most))
    except RecursionError:
        return CannotSay("it is nested too deeply")
    except JMESPathError as error:
        # A function that there is not, or one that was given what it does not take.
        return CannotSay(str(error).partition("\n")[0])
    finally:
        of_all.left -= most - max(budget.left, 0)


def _too_much(most: int) -> str:
    if most < own_checks_bound.MOST_STEPS:
        return f"it took more than {own_checks_bound.MOST_OF_A_CHECK} steps for all nodes, and was stopped"
    return f"it takes more than {most} steps, and was stopped; let it look at less, by a filter or in scope {NODE}"


def _finding(check: Check, hits: Mapping[str, Any]) -> dict[str, Any]:
    nodes = sorted(name for name in hits if name)
    text = "What to do about it is yours to say: it is your check."
    return {
        **blank(check.fault, FAMILY, check.message, check.message, nodes),
        "severity": check.severity,
        "confidence": 0.99,
        "role": "contributing",
        "means": "A check of your own found this.",
        "evidence": [
            {"node": name, "source": "own check", "locator": check.expression, "says": _shown(value), "detail": ""}
            for name, value in list(hits.items())[:SHOWN]
        ],
        "fix": remedy("own_check", text, hosts=nodes),
        "verify": "The check finds nothing any more.",
    }


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
