# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rule put into, or taken out of, a saved ruleset's text: one line changes, every other byte stays as it is."""

from __future__ import annotations

from .._firewall import nft_statements, nft_words
from .._record import NamedTuple
from . import iptables_text, nft_rules
from .model import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_COUNTERS = "["


class Place(NamedTuple):
    """The lines of one chain's rules in a text: `rules` are their numbers, `begin` where the first would stand, `end`
    where one would stand that comes last, `indent` what stands before each."""

    rules: list[int]
    begin: int
    end: int
    indent: str


def is_nft(text: str) -> bool:
    """Say whether a text is in nft's language; else it is one of iptables-save."""
    for line in text.split("\n"):
        stripped = line.strip()
        if stripped.startswith("*"):
            return False
        if stripped.startswith(("table ", "add ", "flush ")):
            return True
    return False


def insert(text: str, number: int, line: str) -> str:
    """Return the text with a line put before line `number` (from 0), with the end of line that the text has."""
    lines = text.split("\n")
    ending = "\r" if lines[0].endswith("\r") else ""
    return "\n".join([*lines[:number], line + ending, *lines[number:]])


def remove(text: str, number: int) -> str:
    """Return the text without line `number` (from 0)."""
    lines = text.split("\n")
    return "\n".join(lines[:number] + lines[number + 1 :])


# --- iptables-save ---


def of_iptables(text: str, table: str, chain: str) -> Place:
    """Find a chain in a text of iptables-save. Raises RefusedError if it is not there or the table does not end."""
    lines = text.split("\n")
    begin = end = -1
    inside, declared = False, -1
    rules: list[int] = []
    for number, raw in enumerate(lines):
        line = raw.strip()
        if line.startswith("*"):
            inside = line[1:] == table
        elif inside and line == "COMMIT":
            end = number
            break
        elif inside and line.startswith(":"):
            declared = number + 1
            begin = number if line.split()[0] == f":{chain}" else begin
        elif inside and rule_of(line).startswith(f"-A {chain} "):
            rules.append(number)
    if begin < 0 or end < 0:
        raise RefusedError(f"there is no chain {chain} in a table {table} that ends with COMMIT")
    first = rules[0] if rules else _first_rule(lines, declared, end)
    return Place(rules, first, rules[-1] + 1 if rules else first, "")


def _first_rule(lines: list[str], declared: int, end: int) -> int:
    """Return where the first rule of a chain without rules stands: before those of other chains."""
    return next((number for number in range(declared, end) if lines[number].strip()), end)


def rule_of(line: str) -> str:
    """Return a rule of iptables-save without its counters."""
    stripped = line.strip()
    return stripped.partition("] ")[2] if stripped.startswith(_COUNTERS) else stripped


def like_iptables(text: str, place: Place, wanted: str, family: str) -> list[int]:
    """Return the numbers of those lines that are the rule `wanted` ("-A CHAIN …")."""
    lines = text.split("\n")
    return [number for number in place.rules if iptables_text.alike(rule_of(lines[number]), wanted, family)]


# --- nft ---


def of_nft(text: str, family: str, table: str, chain: str) -> Place:
    """Find a chain in a file of nft: `chain NAME {` in `table FAMILY NAME {`, one statement a line. Raises
    RefusedError if it is not there, or not written so."""
    for begin, end in _blocks(text, ["table", family, table]):
        for first, last in _blocks(text, ["chain", chain], begin, end):
            return _of_chain(text.split("\n"), first, last)
    raise RefusedError(f"there is no chain {chain} in a table {family} {table}, or not one statement on each line")


def _of_chain(lines: list[str], first: int, last: int) -> Place:
    rules: list[int] = []
    begin = first
    for number in range(first, last):
        words = lines[number].strip().rstrip(";").split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] in {"type", "policy", "flags", "devices", "device"} or (words[0] == "comment" and not rules):
            begin = number + 1
        else:
            rules.append(number)
    sample = lines[rules[0] if rules else max(begin - 1, first - 1)]
    indent = sample[: len(sample) - len(sample.lstrip())]
    if not rules and begin == first:
        indent += "\t"
    return Place(rules, rules[0] if rules else begin, rules[-1] + 1 if rules else begin, indent)


def _blocks(text: str, head: list[str], begin: int = 0, end: int = -1) -> Iterator[tuple[int, int]]:
    """Yield the lines between "HEAD {" and its "}"."""
    lines = text.split("\n")
    depth, opened = 0, -1
    for number in range(begin, len(lines) if end < 0 else end):
        words = nft_words.split(lines[number])[0]
        plain = [nft_words.plain(word) for word in words if word != "\n"]
        if opened < 0 and plain[:1] == ["add"]:
            plain = plain[1:]
        if depth == 0 and opened < 0 and plain == [*head, "{"]:
            opened = number + 1
        depth += plain.count("{") - plain.count("}")
        if depth == 0 and opened >= 0 and plain[-1:] == ["}"]:
            if plain == ["}"]:
                yield opened, number
            opened = -1


def like_nft(text: str, place: Place, wanted: str, comment: str, family: str) -> list[int]:
    """Return the numbers of those lines that are the rule `wanted`, with this comment."""
    lines = text.split("\n")
    found = []
    expression = nft_rules.expression(wanted, family)
    for number in place.rules:
        line = lines[number].strip().rstrip(";").strip()
        own, told = _with_comment(line, family)
        if told == comment and (line in {wanted, nft_rules.commented(wanted, comment)} or own == expression):
            found.append(number)
    return found


def _with_comment(line: str, family: str) -> tuple[object, str]:
    words = [word for word in nft_words.split(line)[0] if word != "\n"]
    statements, comment, unread = nft_statements.translate(words, family)
    return [*statements, *([{"unread": unread}] if unread else [])], comment
