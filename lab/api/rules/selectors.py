# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Label selectors and field selectors, from the text of a query and from LabelSelector objects.

Source: k8s.io/apimachinery/pkg/labels and pkg/fields; which fields a kind can be selected by is the kind's `fields`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ApiError
from . import names
from .causes import quoted, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ..kinds import Kind

    Predicate = Callable[[Mapping[str, Any]], bool]

ALWAYS = ("metadata.name", "metadata.namespace")
# The selectable fields whose value is false, not "", where it is not written.
_FLAGS = ("spec.unschedulable", "spec.hostNetwork")
_TOKEN = re.compile(r"[ \t\r\n]*(!=|==|=|!|<|>|\(|\)|,|[^ \t\r\n!=<>(),]+|\Z)")
_OPERATORS = "in, notin, =, ==, !=, gt, lt"
_SYMBOLS = frozenset(("!=", "==", "=", "!", "<", ">", "(", ")", ",", ""))


class BadSelectorError(ApiError):
    """400: the text is no selector, or selects by a field that the kind cannot be selected by."""

    def __init__(self, message: str) -> None:
        super().__init__(400, "BadRequest", message)


class Requirement(NamedTuple):
    """One condition: on a label (`operator` in, notin, exists, !, gt, lt) or a field (=, !=)."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def holds(self, found: Mapping[str, str]) -> bool:
        """Whether labels (or fields, by path) satisfy the condition."""
        value = found.get(self.key)
        if self.operator in ("in", "="):
            return value is not None and value in self.values
        if self.operator in ("notin", "!="):
            return value is None or value not in self.values
        if self.operator in ("exists", "!"):
            return (value is not None) is (self.operator == "exists")
        left, right = _integer(value), _integer(self.values[0])
        if left is None or right is None:
            return False
        return left > right if self.operator == "gt" else left < right


def labels(text: str) -> Predicate:
    """Whether an object's labels are selected. BadSelectorError for a text that is no selector; "" selects all."""
    wanted = label_requirements(text)
    return lambda obj: all(requirement.holds(_labels_of(obj)) for requirement in wanted)


def fields(text: str, kind: Kind | None = None) -> Predicate:
    """Whether an object's fields are selected; without `kind` every field can be selected by. BadSelectorError."""
    wanted = field_requirements(text, kind)
    return lambda obj: all(requirement.holds({requirement.key: field(obj, requirement.key)}) for requirement in wanted)


def field(obj: Mapping[str, Any], path: str) -> str:
    """The value of a field as selectors compare it: "" where there is none."""
    found: Any = obj
    for part in ("source.component" if path == "source" else path).split("."):
        found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, bool):
        return "true" if found else "false"
    if found is None or isinstance(found, (dict, list)):
        return "false" if path in _FLAGS else ""
    return str(found)


def _labels_of(obj: Mapping[str, Any]) -> Mapping[str, str]:
    metadata = obj.get("metadata")
    found = metadata.get("labels") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}


def label_requirements(text: str) -> tuple[Requirement, ...]:
    """The conditions of a label selector, for instance "a=b,c in (d,e),!f"."""
    return tuple(_Parser(text).requirements())


class _Parser:
    """Reads the grammar of k8s.io/apimachinery/pkg/labels."""

    def __init__(self, text: str) -> None:
        self._tokens = [match[1] for match in _TOKEN.finditer(text)]
        self._at = 0

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def requirements(self) -> Iterator[Requirement]:
        while self._peek():
            if self._peek() in _SYMBOLS - {"!"}:
                raise BadSelectorError(f"found '{self._peek()}', expected: !, identifier, or 'end of string'")
            try:
                yield self._requirement()
            except BadSelectorError as error:
                raise BadSelectorError(f"unable to parse requirement: {error.message}") from error
            word = self._next()
            if not word:
                return
            if word != ",":
                raise BadSelectorError(f"found '{word}', expected: ',' or 'end of string'")
            if self._peek() in _SYMBOLS - {"!"}:
                raise BadSelectorError(f"found '{self._peek()}', expected: identifier after ','")

    def _requirement(self) -> Requirement:
        denied = self._peek() == "!"
        if denied:
            self._next()
        key = self._next()
        if key in _SYMBOLS:
            raise BadSelectorError(f"found '{key}', expected: identifier")
        _check(names.qualified_name(key), "<nil>", key)
        if self._peek() in ("", ","):
            return Requirement(key, "!" if denied else "exists")
        if denied:
            raise BadSelectorError(f"found '{self._peek()}', expected: ',' or 'end of string'")
        operator = self._next()
        if operator in ("in", "notin"):
            return self._made(key, operator, self._values())
        known = {"=": "in", "==": "in", "!=": "notin", ">": "gt", "<": "lt"}.get(operator)
        if known is None:
            raise BadSelectorError(f"found '{operator}', expected: {_OPERATORS}")
        return self._made(key, known, [self._exact()])

    @staticmethod
    def _made(key: str, operator: str, values: list[str]) -> Requirement:
        for place, value in enumerate(values):
            if operator in ("gt", "lt") and _integer(value) is None:
                detail = "for 'Gt', 'Lt' operators, the value must be an integer"
                raise BadSelectorError(f"values[{place}]: Invalid value: {quoted(value)}: {detail}")
            _check(names.label_value(value), f"values[{place}][{key}]", value)
        return Requirement(key, operator, tuple(values))

    def _exact(self) -> str:
        if self._peek() in ("", ","):
            return ""
        word = self._next()
        if word in _SYMBOLS:
            raise BadSelectorError(f"found '{word}', expected: identifier")
        return word

    def _values(self) -> list[str]:
        word = self._next()
        if word != "(":
            raise BadSelectorError(f"found '{word}' expected: '('")
        if self._peek() == ")":
            self._next()
            return [""]
        if self._peek() in _SYMBOLS - {","}:
            raise BadSelectorError(f"found '{self._peek()}', expected: ',', ')' or identifier")
        return sorted(set(self._listed()))

    def _listed(self) -> Iterator[str]:
        """Values up to the closing parenthesis; nothing between two commas is the empty value."""
        before = ","
        while True:
            word = self._next()
            if word in (",", ")") and before == ",":
                yield ""
            if word == ")":
                return
            if word != ",":
                if word in _SYMBOLS:
                    raise BadSelectorError(f"found '{word}', expected: ',', or identifier")
                if before != ",":
                    raise BadSelectorError(f"found '{word}', expected: ',' or ')'")
                yield word
            before = word


def _check(problems: list[str], path: str, value: str) -> None:
    if problems:
        raise BadSelectorError(f"{path}: Invalid value: {quoted(value)}: {'; '.join(problems)}")


def _integer(text: str | None) -> int | None:
    """A number as Go's ParseInt takes it: decimal, 64 bits."""
    if text is None or not re.fullmatch(r"[+-]?[0-9]{1,20}", text):
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None


def field_requirements(text: str, kind: Kind | None = None) -> tuple[Requirement, ...]:
    """The conditions of a field selector, for instance "spec.nodeName=node-1,status.phase!=Running"."""
    found = []
    for part in filter(None, _terms(text)):
        match = re.search(r"!=|==?", part)
        if match is None:
            raise BadSelectorError(f"invalid selector: '{text}'; can't understand '{part}'")
        operator = "!=" if match[0] == "!=" else "="
        value = _unescaped(part[match.end() :])
        found.append(Requirement(_known(part[: match.start()], kind), operator, (value,)))
    return tuple(found)


def _terms(text: str) -> list[str]:
    """The text split at commas; a backslash before one keeps it in its term."""
    return re.findall(r"(?:\\.|[^,\\]|\\\Z)+", text, re.DOTALL)


def _unescaped(value: str) -> str:
    """In values commas, equals signs and backslashes are written with a backslash before them."""
    for match in re.finditer(r"\\(.?)|[,=]", value, re.DOTALL):
        if match[1] is None:
            raise BadSelectorError(f"invalid field selector: unescaped character in value: {ord(match[0])}")
        if match[1] not in ("\\", ",", "="):
            raise BadSelectorError(f"invalid field selector: invalid escape sequence: {match[0]}")
    return re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)


def _known(path: str, kind: Kind | None) -> str:
    """The field, if the kind can be selected by it; the words depend on whether it has any such fields."""
    if kind is None or path in (*ALWAYS, *kind.fields):
        return path
    if kind.plural == "namespaces" and path == "name":
        return "metadata.name"
    if kind.fields:
        raise BadSelectorError(f"field label not supported: {path}")
    raise BadSelectorError(f'{quoted(path)} is not a known field selector: only "metadata.name", "metadata.namespace"')


def label_selector(selector: Mapping[str, Any]) -> Callable[[Mapping[str, str]], bool]:
    """Whether labels are selected by a LabelSelector object; one without conditions selects everything.

    BadSelectorError for an operator that there is not.
    """
    wanted = [Requirement(key, "in", (value,)) for key, value in (selector.get("matchLabels") or {}).items()]
    operators = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}
    for expression in selector.get("matchExpressions") or ():
        operator = operators.get(expression.get("operator"))
        if operator is None:
            raise BadSelectorError(f"{shown(expression.get('operator'))} is not a valid label selector operator")
        wanted.append(Requirement(expression.get("key") or "", operator, tuple(expression.get("values") or ())))
    return lambda found: all(requirement.holds(found) for requirement in wanted)
