# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's selectors as the lab needs them, apart from the collection's own, which is tested against the lab.

Known: all(), global(), has(k), !has(k), k == "v", k != "v", k in {…}, k not in {…}, contains, starts with, ends with,
!, &&, || and brackets. Anything else is a SelectorError.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Test = Callable[[Mapping[str, str]], bool]

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>"[^"]*"|'[^']*')
    | (?P<mark>&&|\|\||==|!=|[!(){},])
    | (?P<phrase>not\s+in\b|starts\s+with\b|ends\s+with\b)
    | (?P<word>[A-Za-z0-9_./-]+)
    )""",
    re.VERBOSE,
)


class SelectorError(ValueError):
    """The text is no selector."""


def matches(selector: str, labels: Mapping[str, str]) -> bool:
    """Whether the labels are selected; an empty selector selects everything."""
    return not selector.strip() or _Parser(selector).whole()(labels)


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0

    def whole(self) -> Test:
        test = self._either()
        if self._at < len(self._tokens):
            raise SelectorError(f"unexpected {self._tokens[self._at]}")
        return test

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, wanted: str = "") -> str:
        token = self._peek()
        if not token or (wanted and token != wanted):
            raise SelectorError(f"{wanted or 'more'} expected, found {token or 'the end'}")
        self._at += 1
        return token

    def _either(self) -> Test:
        test = self._both()
        while self._peek() == "||":
            self._take()
            test = _or(test, self._both())
        return test

    def _both(self) -> Test:
        test = self._one()
        while self._peek() == "&&":
            self._take()
            test = _and(test, self._one())
        return test

    def _one(self) -> Test:
        token = self._take()
        if token == "!":  # noqa: S105 - a mark of the language
            inner = self._one()
            return lambda labels: not inner(labels)
        if token == "(":  # noqa: S105 - likewise
            inner = self._either()
            self._take(")")
            return inner
        if self._peek() == "(" and token in ("all", "global", "has"):
            self._take("(")
            key = self._take() if token == "has" else ""  # noqa: S105 - likewise
            self._take(")")
            return (lambda labels: key in labels) if key else (lambda _labels: True)
        return self._comparison(token)

    def _comparison(self, key: str) -> Test:
        operator = self._take()
        if operator in ("in", "not in"):
            values = self._set()
            if operator == "in":
                return lambda labels: labels.get(key) in values
            return lambda labels: labels.get(key) not in values
        value = _unquoted(self._take())
        tests: dict[str, Test] = {
            "==": lambda labels: labels.get(key) == value,
            "!=": lambda labels: labels.get(key) != value,
            "contains": lambda labels: value in labels.get(key, "") and key in labels,
            "starts with": lambda labels: labels.get(key, "").startswith(value) and key in labels,
            "ends with": lambda labels: labels.get(key, "").endswith(value) and key in labels,
        }
        if operator not in tests:
            raise SelectorError(f"unknown operator {operator}")
        return tests[operator]

    def _set(self) -> set[str]:
        values = set()
        self._take("{")
        while self._peek() != "}":
            values.add(_unquoted(self._take()))
            if self._peek() == ",":
                self._take()
        self._take("}")
        return values


def _tokens(text: str) -> list[str]:
    found = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise SelectorError(f"not understood from {text[at : at + 20]!r} on")
        found.append(" ".join(match.group().split()) if match["phrase"] else match.group().strip())
        at = match.end()
    return found


def _unquoted(token: str) -> str:
    if len(token) < 2 or token[0] not in "\"'" or token[-1] != token[0]:
        raise SelectorError(f"a text in quotes expected, found {token}")
    return token[1:-1]


def _or(one: Test, other: Test) -> Test:
    return lambda labels: one(labels) or other(labels)


def _and(one: Test, other: Test) -> Test:
    return lambda labels: one(labels) and other(labels)
