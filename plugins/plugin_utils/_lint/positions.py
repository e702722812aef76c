# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A YAML node as plain data, with the line of every field in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .model import Path

MOST_VALUES = 500_000
DEEPEST = 60
_TAG = "tag:yaml.org,2002:"
# As kubectl reads them.
_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")


class RefusedError(ValueError):
    """A document that is not read, and why."""


class Reader:
    """Makes plain data of nodes. Aliases are followed, so the number of values is limited, not that of nodes."""

    def __init__(self, offset: int = 0) -> None:
        self._offset = offset
        self._count = 0

    def read(self, node: yaml.Node) -> tuple[Any, dict[Path, int]]:
        """The value of a node, and the lines of what is in it, from 1. Raises RefusedError."""
        lines: dict[Path, int] = {}
        return self._value(node, (), lines), lines

    def _value(self, node: yaml.Node, path: Path, lines: dict[Path, int]) -> Any:
        self._count += 1
        if self._count > MOST_VALUES:
            raise RefusedError("it has more values than are read")
        if len(path) > DEEPEST:
            raise RefusedError("it is nested deeper than any object")
        lines.setdefault(path, self.line(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, lines)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*path, index), lines) for index, item in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Path, lines: dict[Path, int]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, value in node.value:
            if key.tag == f"{_TAG}merge":
                told = self._value(value, (*path, "<<"), lines)
                for one in reversed(told if isinstance(told, list) else [told]):
                    merged.update(one if isinstance(one, dict) else {})
                continue
            name = _key(key)
            if name in found:
                raise RefusedError(f'line {self.line(key)}: the field "{name[:40]}" stands twice in one mapping')
            lines[(*path, name)] = self.line(key)
            found[name] = self._value(value, (*path, name), lines)
        return {**merged, **found}

    def line(self, node: yaml.Node) -> int:
        """The line on which a node begins, from 1."""
        return int(node.start_mark.line) + 1 + self._offset


def _key(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise RefusedError(f"line {node.start_mark.line + 1}: a key that is no text")
    return str(node.value)


def _scalar(node: yaml.Node) -> Any:
    """What a scalar means; times, and numbers in other forms than plain ones, stay text."""
    text = str(node.value)
    kind = str(node.tag).removeprefix(_TAG)
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in _TRUE if text.lower() in (*_TRUE, *_FALSE) else text
    if kind in ("int", "float"):
        return _number(text, kind)
    return text


def _number(text: str, kind: str) -> Any:
    try:
        return int(text) if kind == "int" else float(text)
    except ValueError:
        return text


def under(lines: Mapping[Path, int], path: Path) -> dict[Path, int]:
    """The lines of what stands below a path, with the paths from there on."""
    return {key[len(path) :]: line for key, line in lines.items() if key[: len(path)] == path}
