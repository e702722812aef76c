# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`iptables -L -n -v [--line-numbers] [-t TABLE]`, also without -n or -v, several tables one after the other.

Each line is said again as iptables-save would have said it, and read as that. What a listing does not show (without
-v the interfaces) and what is not understood here becomes a match that cannot be decided, so nothing is guessed.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from ...module_utils._firewall import iptables_save
from . import firewall_fragments, firewall_listing_rule, firewall_model, lines
from .parsed import Parsed, Problems

if TYPE_CHECKING:
    from .firewall_model import Filters

plain = firewall_model.plain
# Of a listing it is not known which backend it shows.
BACKEND = "iptables"
_CHAIN = re.compile(r"Chain (\S+) \((?:policy (\S+)(?: (\d+)\S* packets, \S+ bytes)?|\d+ references)\)\s*$")
_HEADING = re.compile(r"\W*(?:table:?\s+)?(raw|mangle|nat|filter|security)(?:\s+table)?\W*$", re.IGNORECASE)
_OPTION_TABLE = re.compile(r"(?:-t|--table)[ =]?(raw|mangle|nat|filter|security)\b")
_LONGEST_NUMBER, _MOST_LEFT_OUT = 6, 10_000
_ENTRIES = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")
_OTHER_BACKEND = re.compile(r"#?\s*Warning: iptables-\S+ tables present", re.IGNORECASE)
_BY_CHAINS = (
    (frozenset(("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")), "mangle"),
    (frozenset(("PREROUTING", "FORWARD")), "mangle"),
    (frozenset(("PREROUTING", "POSTROUTING")), "nat"),
    (frozenset(("POSTROUTING",)), "nat"),
    (frozenset(("PREROUTING",)), "raw"),
)


class _Table:
    """A table while its chains are collected: chain -> (policy, packets, lines of its rules)."""

    def __init__(self, name: str, family: str) -> None:
        self.name = name
        self.family = family
        self.chains: dict[str, tuple[str, str, list[str]]] = {}
        self.columns = firewall_listing_rule.Columns(False, False)
        self.named = False
        self.sifted = False

    def begins_anew(self, chain: str) -> bool:
        """Say whether `chain` cannot be one more chain of this table: the kernel's own come first and in order."""
        if chain not in _ENTRIES or not self.chains:
            return False
        last = list(self.chains)[-1]
        return chain in self.chains or last not in _ENTRIES or _ENTRIES.index(chain) < _ENTRIES.index(last)

    def told_name(self) -> str:
        """Return the table's name, by its chains if nothing else told it."""
        own = set(self.chains) & set(_ENTRIES)
        return self.name or next((name for chains, name in _BY_CHAINS if chains <= own), "filter")

    def told_family(self) -> str:
        """Return the family, by the addresses of its rules if nothing else told it."""
        text = "\n".join(line for _policy, _packets, rules in self.chains.values() for line in rules)
        return self.family or ("ipv6" if re.search(r"\s!?[0-9a-f]*:[0-9a-f:]*(?:/\d+)?\s", text) else "ipv4")


def parse(text: str, family: str = "") -> Parsed[Filters]:
    """Return the tables. `family` is what the text's own commands and addresses do not say better. Never raises."""
    problems = Problems()
    tables = _tables(text, family, problems)
    parts = []
    for table in tables:
        name, own = table.told_name(), table.told_family()
        rules = 0
        saved = [f"*{name}"]
        for chain, (policy, packets, _rules) in table.chains.items():
            saved.append(f":{chain} {policy or '-'} [{packets or 0}:0]")
        for chain, (_policy, _packets, listed) in table.chains.items():
            saved.extend(
                firewall_listing_rule.counted(line, table.columns)
                + f"-A {chain} {firewall_listing_rule.said(line, table.columns, own)}".rstrip()
                if line
                else f"-A {chain}"
                for line in listed
            )
            rules += len(listed)
        dump = iptables_save.parse("\n".join([*saved, "COMMIT", ""]), BACKEND, own)
        doubts = {(name, chain): "only some of the rules are shown" for chain in table.chains} if table.sifted else {}
        shown = [firewall_model.doubted(one, doubts) for one in dump.tables]
        parts.append(dataclasses.replace(firewall_model.of_iptables(shown, BACKEND, rules), sifted=table.sifted))
        why = f"the listing of table {name} ({own}) does not show this chain"
        missing = firewall_model.doubtful_table(BACKEND, own, name, why, table.chains)
        parts.append(firewall_model.of_iptables([missing] if missing.chains else [], BACKEND, 0))
    return Parsed(firewall_model.joined(parts), problems.found())


def _tables(text: str, family: str, problems: Problems) -> list[_Table]:
    """Cut a text into tables and chains."""
    found: list[_Table] = []
    table: _Table | None = None
    hint, chain = "", ""
    sifted = False
    for number, row in enumerate(lines.plain(text).split("\n"), 1):
        line = row[: lines.LONGEST_LINE].strip()
        typed = lines.command(line)
        heading = _HEADING.match(line) if typed is None and not line.startswith("Chain ") else None
        if typed is not None or heading:
            named = heading or _OPTION_TABLE.search(typed or "")
            hint = named.group(1).lower() if named else ""
            sifted = firewall_fragments.told_by(typed or "").sifted
            family = family if heading else ("ipv6" if "ip6tables" in (typed or "") else family)
            table = None
            continue
        head = _CHAIN.match(line)
        if head:
            chain, policy, packets = head.groups()
            if table is None or table.begins_anew(chain):
                table = _Table(hint, family)
                table.sifted = sifted
                found.append(table)
                hint = ""
            table.chains[chain] = (policy or "", packets or "", [])
        elif table is None or not chain:
            if line.strip():
                problems.add(number, line, "not within a chain")
        elif not _row(table, chain, line):
            other = _OTHER_BACKEND.match(line)
            problems.add(number, line, "tables of the other backend are not listed here" if other else "not understood")
    return found


def _row(table: _Table, chain: str, line: str) -> bool:
    """Take in one line below a chain's name; say whether it could be."""
    words = line.split()
    if not words:
        return True
    if "target" in words[:4] and "prot" in words:
        table.columns = firewall_listing_rule.Columns("num" in words, "pkts" in words)
        table.named = True
        return True
    if words[0][:1] == "#" or len(words) < 3:
        return False
    if not table.named:
        table.columns = firewall_listing_rule.guessed(line) or table.columns
    _fill_gap(table, chain, words[0])
    table.chains[chain][2].append(line)
    return True


def _fill_gap(table: _Table, chain: str, number: str) -> None:
    """Put rules that do nothing in the place of those that somebody left out, so that the others keep their numbers."""
    rules = table.chains[chain][2]
    told = int(number) if table.columns.numbers and number.isdecimal() and len(number) < _LONGEST_NUMBER else 0
    missing = told - 1 - len(rules)
    if 0 < missing <= _MOST_LEFT_OUT:
        rules.extend([""] * missing)
        table.sifted = True
