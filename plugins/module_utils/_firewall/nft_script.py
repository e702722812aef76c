# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nft's own language, as `nft list ruleset` prints it and as people write it into /etc/nftables.conf, turned into the
JSON of `nft -j list ruleset`, which `nftables` reads into the model.

    table inet filter {
        chain input {
            type filter hook input priority filter; policy drop;
            tcp dport 179 accept
        }
    }

Commands (add rule, insert rule, flush ruleset, include, define …) are carried out one after the other, as nft does.
"""

from __future__ import annotations

from .._numbers import is_whole
from . import nft_expressions, nft_statements
from .nft_blocks import describe_chain, inside, pieces, set_body
from .nft_words import Cursor, UnreadableError, plain, split, substituted, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    # Gives the texts of the files that an `include` names.
    Files = Callable[[str], Sequence[str]]
    Key = tuple[str, str]
    Reader = Callable[[list[str], list[int], int, int], None]

_FAMILIES = frozenset(("ip", "ip6", "inet", "arp", "bridge", "netdev"))
_MOST_PROBLEMS = 20
_MOST_INCLUDED = 50
_OBJECTS = frozenset(("counter", "quota", "limit", "ct", "secmark", "synproxy", "flowtable", "tunnel"))
_NAMED = frozenset(("set", "map", "meter"))


class _Table:
    """A table while it is put together."""

    def __init__(self, family: str) -> None:
        self.family = family
        self.chains: dict[str, dict[str, Any]] = {}
        self.rules: dict[str, list[dict[str, Any]]] = {}
        self.sets: dict[str, tuple[str, dict[str, Any]]] = {}
        self.flags: list[str] = []

    def chain(self, name: str) -> list[dict[str, Any]]:
        """Return the rules of a chain, which is made if it is not there."""
        self.chains.setdefault(name, {})
        return self.rules.setdefault(name, [])


class Script:
    """What a text in nft's language comes to.

    `problems` are (line, the words, why), at most 20 of them; `complete` is False if the text ends within braces.
    """

    def __init__(self, files: Files | None = None) -> None:
        self.tables: dict[Key, _Table] = {}
        self.problems: list[tuple[int, str, str]] = []
        self.complete = True
        self._variables: dict[str, list[str]] = {}
        self._files = files
        self._included = 0

    def document(self) -> dict[str, list[dict[str, Any]]]:
        """Return what `nft -j list ruleset` would print."""
        found: list[dict[str, Any]] = [{"metainfo": {"json_schema_version": 1}}]
        for (family, name), table in self.tables.items():
            own = {"family": family, "table": name}
            flags = {"flags": table.flags} if table.flags else {}
            found.append({"table": dict({"family": family, "name": name}, **flags)})
            found.extend({kind: dict(own, name=set_name, **body)} for set_name, (kind, body) in table.sets.items())
            found.extend({"chain": dict(own, name=chain, **body)} for chain, body in table.chains.items())
            for chain, rules in table.rules.items():
                found.extend({"rule": dict(own, chain=chain, **rule)} for rule in rules)
        return {"nftables": found}

    def run(self, script: str) -> None:
        """Carry out a whole text. Never raises."""
        words, lines = split(script)
        if words.count("{") > words.count("}"):
            self.complete = False
            self.doubt(lines[-1], words[-8:], "the text ends within braces")
        for begin, end in pieces(words, 0, len(words)):
            self._guarded(self._command, words, lines, begin, end)

    def _guarded(self, read: Reader, words: list[str], lines: list[int], begin: int, end: int) -> None:
        try:
            read(words, lines, begin, end)
        except (UnreadableError, RecursionError) as error:
            self.doubt(lines[begin], words[begin:end], str(error))

    def doubt(self, line: int, words: Sequence[str], why: str) -> None:
        """Note words that could not be read."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append((line, text(words[:40])[:120], why))

    # --- commands ---

    def _command(self, words: list[str], lines: list[int], begin: int, end: int) -> None:
        if words[begin] == "table":
            self._block(words, lines, begin + 1, end)
            return
        given = substituted(words[begin:end], self._variables)
        cursor = Cursor(given)
        word = cursor.take()
        if word in {"define", "redefine"}:
            name = cursor.take()
            cursor.expect("=")
            self._variables[name] = [one for one in cursor.rest() if one != "\n"]
        elif word == "undefine":
            self._variables.pop(cursor.take(), None)
        elif word == "include":
            self._include(plain(cursor.take()))
        elif word in {"add", "create", "insert", "replace"}:
            self._add(word, cursor, words, lines, begin, end)
        elif word in {"flush", "delete", "destroy", "reset"}:
            self._remove(word, cursor)
        elif word in _FAMILIES | {"chain", "set", "map", "element", "rule"}:
            self._add("add", Cursor(given), words, lines, begin - 1, end)
        elif word not in {"list", "monitor", "describe", "export"}:
            raise UnreadableError("no command of nft")

    def _include(self, pattern: str) -> None:
        for included in self._files(pattern) if self._files is not None else ():
            self._included += 1
            if self._included > _MOST_INCLUDED:
                raise UnreadableError("too many files are included")
            self.run(included)
        if self._files is None:
            raise UnreadableError("the file is not at hand")

    def _add(self, how: str, cursor: Cursor, words: list[str], lines: list[int], begin: int, end: int) -> None:
        kind = cursor.accept("table", "chain", "rule", "set", "map", "element", *_OBJECTS) or "rule"
        if kind == "table":
            self._block(words, lines, begin + 2, end)
            return
        table = self._named_table(cursor)
        name = plain(cursor.take())
        if kind == "rule":
            self._add_rule(how, table, name, cursor, lines[begin])
        elif kind == "chain":
            table.chain(name)
            if cursor.peek() == "{":
                describe_chain(table.chains[name], cursor.group())
        elif kind == "element":
            if name in table.sets:
                known = table.sets[name][1].setdefault("elem", [])
                known.extend(nft_expressions.elements(cursor.group()))
        elif kind in _NAMED:
            table.sets[name] = (kind, set_body(cursor.group(), {}))

    def _add_rule(self, how: str, table: _Table, chain: str, cursor: Cursor, line: int) -> None:
        place = len(table.chain(chain)) if how != "insert" else 0
        if cursor.accept("position", "handle"):
            cursor.take()
            self.doubt(line, cursor.words, "the place of a rule that is given by a handle is not known")
        elif cursor.accept("index"):
            number = cursor.take()
            place = (int(number) if is_whole(number) else 0) + (how == "add")
        table.rules[chain].insert(place, self._rule(table, cursor.rest(), line))

    def _rule(self, table: _Table, words: list[str], line: int) -> dict[str, Any]:
        statements, comment, unread = nft_statements.translate([word for word in words if word != "\n"], table.family)
        if unread:
            self.doubt(line, words, f"not understood from here on: {unread[:60]}")
        return dict({"expr": statements}, **({"comment": comment} if comment else {}))

    def _named_table(self, cursor: Cursor) -> _Table:
        family = cursor.accept(*_FAMILIES) or "ip"
        return self.tables.setdefault((family, plain(cursor.take())), _Table(family))

    def _remove(self, how: str, cursor: Cursor) -> None:
        kind = cursor.take()
        if how == "reset":
            return
        if kind == "ruleset":
            family = cursor.accept(*_FAMILIES)
            for key in [key for key in self.tables if not family or key[0] == family]:
                del self.tables[key]
            return
        family = cursor.accept(*_FAMILIES) or "ip"
        name = plain(cursor.take())
        table = self.tables.get((family, name))
        if kind == "table":
            if how == "flush" and table is not None:
                table.rules = {chain: [] for chain in table.chains}
            elif table is not None:
                del self.tables[(family, name)]
            return
        if table is not None:
            _remove_from(table, how, kind, plain(cursor.take()))

    # --- a table in braces ---

    def _block(self, words: list[str], lines: list[int], begin: int, end: int) -> None:
        cursor = Cursor(substituted(words[begin : begin + 2], self._variables))
        family = cursor.peek() if cursor.peek() in _FAMILIES else "ip"
        begin += 1 if cursor.peek() in _FAMILIES else 0
        if begin >= end:
            raise UnreadableError("a table without a name")
        table = self.tables.setdefault((family, plain(words[begin])), _Table(family))
        first, last = inside(words, begin + 1, end)

        def read(words: list[str], lines: list[int], begin: int, end: int) -> None:
            self._in_table(table, words, lines, begin, end)

        for start, stop in pieces(words, first, last):
            self._guarded(read, words, lines, start, stop)

    def _in_table(self, table: _Table, words: list[str], lines: list[int], begin: int, end: int) -> None:
        kind = words[begin]
        if kind == "chain" and begin + 1 < end:
            name = plain(words[begin + 1])
            table.chain(name)
            first, last = inside(words, begin + 2, end)
            for start, stop in pieces(words, first, last):
                self._in_chain(table, name, words, lines, start, stop)
        elif kind in _NAMED and begin + 1 < end:
            first, last = inside(words, begin + 2, end)
            body = set_body(words[first:last], self._variables)
            table.sets[plain(words[begin + 1])] = ("set" if kind == "meter" else kind, body)
        elif kind == "flags":
            table.flags = [word for word in words[begin + 1 : end] if word != ","]
        elif kind in {"define", "redefine", "include"}:
            self._command(words, lines, begin, end)
        elif kind not in _OBJECTS and kind != "comment":
            raise UnreadableError("not understood in a table")

    def _in_chain(self, table: _Table, chain: str, words: list[str], lines: list[int], begin: int, end: int) -> None:
        try:
            own = substituted(words[begin:end], self._variables)
            if own[0] in {"type", "policy", "device", "devices", "flags"} or _is_chain_comment(own, table.rules[chain]):
                describe_chain(table.chains[chain], own)
            else:
                table.rules[chain].append(self._rule(table, own, lines[begin]))
        except (UnreadableError, RecursionError) as error:
            self.doubt(lines[begin], words[begin:end], str(error))
            table.rules[chain].append({"expr": [{"unread": text(words[begin:end])}]})


def parse(script: str, files: Files | None = None) -> Script:
    """Read a text in nft's language. `files` gives the texts of included files by their pattern. Never raises."""
    found = Script(files)
    found.run(script)
    return found


def _remove_from(table: _Table, how: str, kind: str, name: str) -> None:
    if kind == "chain":
        table.rules[name] = []
        if how != "flush":
            del table.rules[name]
            table.chains.pop(name, None)
    elif kind in _NAMED and how == "flush" and name in table.sets:
        table.sets[name][1]["elem"] = []
    elif kind in _NAMED:
        table.sets.pop(name, None)
    else:
        raise UnreadableError(f"what is left after {how} {kind} is not known")


def _is_chain_comment(words: Sequence[str], rules: Sequence[object]) -> bool:
    return words[0] == "comment" and len(words) == 2 and not rules
