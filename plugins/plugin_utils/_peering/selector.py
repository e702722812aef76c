# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's selector language: which labels does an expression match?

The grammar is that of libcalico-go/lib/selector (tokenizer and parser). "||" binds weakest, then "&&", then "!"; any
number of "!" in a row count as one or none. Label names are 1 to 512 of a-z A-Z 0-9 _ . / -, strings stand in " or '
and know no escapes, only blanks and tabs may stand between words (a line break makes the whole selector invalid), and
an empty selector matches everything. The words of an operator may be written together: "notin", "startswith".

Since: ==, !=, in, not in, has(), all(), !, && and || from the first release on; contains, starts with and ends with
since 3.7; global(), which matches everything as all() does, since 3.16. No supported release lacks any.

Nothing here recurses, so that neither depth nor length of a selector matters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LONGEST_LABEL = 512
_LABEL = re.compile(r"[a-zA-Z0-9_./-]+")
_BLANKS = re.compile(r"[ \t]*")
_SIGN = re.compile(r"==|!=|&&|\|\||[(){},!]")
_CALL = re.compile(r"(has|all|global)\([ \t]*")
_OPERATOR = re.compile(
    r"(contains|starts[ \t]*with[ \t]*|ends[ \t]*with[ \t]*|not[ \t]*in[ \t]*|in)(?![a-zA-Z0-9_./-])"
)
_OPERATORS = {"s": "starts with", "e": "ends with", "c": "contains", "n": "not in", "i": "in"}
_END = "the end"
_SHOWN = 20


class SelectorError(ValueError):
    """A selector is not one. The text is one sentence; position counts characters from 0."""

    def __init__(self, problem: str, position: int) -> None:
        super().__init__(f"At character {position + 1}: {problem}.")
        self.position = position


class _Token(NamedTuple):
    kind: str
    value: str
    position: int

    def shown(self) -> str:
        if self.kind == "string":
            return "a string"
        name = self.value if self.kind in ("label", "has") else self.kind
        return self.kind if self.kind == _END else f'"{name[:_SHOWN]}"'


class _Step(NamedTuple):
    """One step of an expression in postfix form. operands: how many results before it "not", "and" and "or" take."""

    kind: str
    label: str = ""
    values: tuple[str, ...] = ()
    operands: int = 0


_TESTS: dict[str, Callable[[str | None, tuple[str, ...]], bool]] = {
    "all": lambda _value, _wanted: True,
    "global": lambda _value, _wanted: True,
    "has": lambda value, _wanted: value is not None,
    "==": lambda value, wanted: value == wanted[0],
    "!=": lambda value, wanted: value != wanted[0],
    "in": lambda value, wanted: value in wanted,
    "not in": lambda value, wanted: value not in wanted,
    "contains": lambda value, wanted: value is not None and wanted[0] in value,
    "starts with": lambda value, wanted: value is not None and value.startswith(wanted[0]),
    "ends with": lambda value, wanted: value is not None and value.endswith(wanted[0]),
}


@dataclass(frozen=True)
class Selector:
    """A selector, ready to be asked. str() is the form that Calico gives it, which means the same when it is read."""

    text: str
    steps: tuple[_Step, ...]

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether something with these labels is selected."""
        results: list[bool] = []
        for kind, label, values, operands in self.steps:
            if kind == "not":
                results[-1] = not results[-1]
            elif operands:
                last = results[-operands:]
                results[-operands:] = [all(last) if kind == "and" else any(last)]
            else:
                results.append(_TESTS[kind](labels.get(label), values))
        return results[0]

    @cached_property
    def everything(self) -> bool:
        """It is all() or global(), so that labels need not be known."""
        return self.steps[0].kind in ("all", "global") and len(self.steps) == 1

    def __str__(self) -> str:
        return "".join(_canonical(self.steps))


def parse(text: str) -> Selector:
    """The selector that a text stands for. Raises SelectorError."""
    tokens = list(_tokens(text))
    if len(tokens) == 1:
        return Selector(text, (_Step("all"),))
    return Selector(text, tuple(_postfix(tokens)))


def _tokens(text: str) -> Iterator[_Token]:
    """The words of a selector and one token for its end."""
    position, before = 0, ""
    while True:
        position = _skip(text, position)
        if position == len(text):
            yield _Token(_END, "", position)
            return
        token, position = _token(text, position, before)
        yield token
        before = token.kind


def _skip(text: str, position: int) -> int:
    found = _BLANKS.match(text, position)
    return found.end() if found else position


def _token(text: str, position: int, before: str) -> tuple[_Token, int]:
    sign = text[position]
    if sign in "\"'":
        end = text.find(sign, position + 1)
        if end < 0:
            raise SelectorError("the string that begins here has no closing quote", position)
        return _Token("string", text[position + 1 : end], position), end + 1
    if found := _SIGN.match(text, position):
        return _Token(found.group(), "", position), found.end()
    if sign in "=&|":
        raise SelectorError(f'"{sign * 2}" is expected instead of a single "{sign}"', position)
    if before == "label":
        return _operator(text, position)
    if found := _CALL.match(text, position):
        return _call(text, position, found)
    label, end = _label(text, position)
    return _Token("label", label, position), end


def _operator(text: str, position: int) -> tuple[_Token, int]:
    """The word after a label."""
    found = _OPERATOR.match(text, position)
    if not found:
        raise SelectorError(
            "after a label one of ==, !=, in, not in, contains, starts with, ends with is expected", position
        )
    return _Token(_OPERATORS[found.group()[0]], "", position), found.end()


def _call(text: str, position: int, found: re.Match[str]) -> tuple[_Token, int]:
    """has(label), all() or global()."""
    label, end = _label(text, found.end()) if found.group(1) == "has" else ("", found.end())
    end = _skip(text, end)
    if text[end : end + 1] != ")":
        raise SelectorError(f'"{found.group(1)}(" has no closing ")"', position)
    return _Token(found.group(1), label, position), end + 1


def _label(text: str, position: int) -> tuple[str, int]:
    found = _LABEL.match(text, position)
    if not found:
        raise SelectorError(f"a label is expected here, not {_sign_at(text, position)}", position)
    if found.end() - position > LONGEST_LABEL:
        raise SelectorError(f"a label has at most {LONGEST_LABEL} characters", position)
    return found.group(), found.end()


def _sign_at(text: str, position: int) -> str:
    sign = text[position : position + 1]
    if sign in ("\n", "\r"):
        return "a line break (a selector is written in one line)"
    return f"{sign!a}" if sign else _END


class _Group:
    """What stands between two parentheses, or the whole selector: its steps, and how many parts wait to be joined."""

    def __init__(self, negated: bool, position: int) -> None:
        self.negated = negated
        self.position = position
        self.ands = 0
        self.ors = 0

    def add(self) -> None:
        self.ands += 1

    def join(self) -> Iterator[_Step]:
        """The steps that join the parts since the last "||"."""
        if self.ands > 1:
            yield _Step("and", operands=self.ands)
        self.ands = 0
        self.ors += 1

    def close(self) -> Iterator[_Step]:
        """The steps that join everything."""
        yield from self.join()
        if self.ors > 1:
            yield _Step("or", operands=self.ors)
        if self.negated:
            yield _Step("not")


def _postfix(tokens: list[_Token]) -> Iterator[_Step]:
    groups = [_Group(False, 0)]
    index, negated = 0, False
    while True:
        token = tokens[index]
        index += 1
        if token.kind == "!":
            negated = not negated
        elif token.kind == "(":
            groups.append(_Group(negated, token.position))
            negated = False
        else:
            step, index = _test(tokens, index - 1)
            yield step
            if negated:
                yield _Step("not")
            negated = False
            groups[-1].add()
            index, closing = _closing(tokens, index, groups)
            yield from closing
            if not groups:
                return


def _closing(tokens: list[_Token], index: int, groups: list[_Group]) -> tuple[int, list[_Step]]:
    """What follows an operand: the parentheses that close, then an operator or the end (which empties the groups)."""
    steps: list[_Step] = []
    while tokens[index].kind == ")":
        if len(groups) == 1:
            raise SelectorError('this ")" closes nothing', tokens[index].position)
        steps.extend(groups.pop().close())
        groups[-1].add()
        index += 1
    token = tokens[index]
    if token.kind == "||":
        steps.extend(groups[-1].join())
    elif token.kind == _END:
        if len(groups) > 1:
            raise SelectorError('this "(" is not closed', groups[-1].position)
        steps.extend(groups.pop().close())
    elif token.kind != "&&":
        raise SelectorError(f'"&&" or "||" is expected before {token.shown()}', token.position)
    return index + 1, steps


def _test(tokens: list[_Token], index: int) -> tuple[_Step, int]:
    """One test, and where it ends."""
    token = tokens[index]
    if token.kind in ("has", "all", "global"):
        return _Step(token.kind, token.value), index + 1
    if token.kind != "label":
        raise SelectorError(f"a label, has(), all() or ( is expected, not {token.shown()}", token.position)
    operator, value = tokens[index + 1], tokens[min(index + 2, len(tokens) - 1)]
    if operator.kind in ("in", "not in"):
        values, index = _set(tokens, index + 2)
        return _Step(operator.kind, token.value, values), index
    if operator.kind not in _TESTS or operator.kind in ("has", "all", "global"):
        raise SelectorError(f"an operator such as == is expected, not {operator.shown()}", operator.position)
    if value.kind != "string":
        raise SelectorError(f"a string in quotes is expected, not {value.shown()}", value.position)
    return _Step(operator.kind, token.value, (value.value,)), index + 3


def _set(tokens: list[_Token], index: int) -> tuple[tuple[str, ...], int]:
    """The strings of {"a", "b"}, in order and each once; a comma may stand before the closing brace."""
    if tokens[index].kind != "{":
        raise SelectorError(
            f'a set such as {{"a", "b"}} is expected, not {tokens[index].shown()}', tokens[index].position
        )
    index += 1
    values: list[str] = []
    while tokens[index].kind == "string":
        values.append(tokens[index].value)
        index += 1
        if tokens[index].kind != ",":
            break
        index += 1
    if tokens[index].kind != "}":
        raise SelectorError(f'a string or "}}" is expected, not {tokens[index].shown()}', tokens[index].position)
    return tuple(sorted(set(values))), index + 1


def _canonical(steps: tuple[_Step, ...]) -> Iterator[str]:
    """The pieces of the canonical text. Walks from the last step, which is the outermost, inwards."""
    sizes = _sizes(steps)
    waiting: list[int | str] = [len(steps) - 1]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
            continue
        step = steps[one]
        if step.kind == "not":
            waiting.extend((one - 1, "!"))
        elif step.operands:
            between = f" {'&&' if step.kind == 'and' else '||'} "
            waiting.append(")")
            child = one - 1
            for number in range(step.operands):
                if number:
                    waiting.append(between)
                waiting.append(child)
                child -= sizes[child]
            waiting.append("(")
        else:
            yield _written(step)


def _sizes(steps: tuple[_Step, ...]) -> list[int]:
    """For each step, of how many steps the expression consists that ends with it."""
    sizes: list[int] = []
    for index, step in enumerate(steps):
        size, child = 1, index - 1
        for _operand in range(1 if step.kind == "not" else step.operands):
            size += sizes[child]
            child -= sizes[child]
        sizes.append(size)
    return sizes


def _written(step: _Step) -> str:
    if step.kind in ("all", "global", "has"):
        return f"{step.kind}({step.label})"
    quoted = ", ".join(f"'{value}'" if '"' in value else f'"{value}"' for value in step.values)
    return f"{step.label} {step.kind} " + (f"{{{quoted}}}" if step.kind in ("in", "not in") else quoted)
