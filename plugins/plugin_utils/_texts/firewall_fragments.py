# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`iptables -S [CHAIN]` and single rules of iptables-save, said again as iptables-save says a whole table.

What is not shown is not known: the policy of a chain of which only rules stand there, and whether more rules follow.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ...module_utils._firewall import model
from . import lines

# The backend of a text that does not tell it.
UNKNOWN_BACKEND = "iptables"
BASE_CHAINS = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")
_RULE = re.compile(r"\s*(?P<counters>\[\d{1,20}:\d{1,20}\] )?-A (?P<chain>[\w.-]{1,64})(?P<rest>(?: .*)?)$")
_POLICY = re.compile(
    r"\s*-P (?P<chain>[\w.-]{1,64}) (?P<policy>ACCEPT|DROP)(?: -c (?P<packets>\d{1,20}) \d{1,20})?\s*$"
)
_CHAIN = re.compile(r"\s*-N (?P<chain>[\w.-]{1,64})\s*$")
_COUNTED = re.compile(r" -c (\d{1,20}) (\d{1,20})(?= |$)")
_OPTION_TABLE = re.compile(r"(?:-t|--table)[ =]?(raw|mangle|nat|filter|security)\b")
_SIFTED = re.compile(r"\|\s*(?:sudo )?(?:z?[ef]?grep|head|tail|awk|sed|cut|sort|uniq)\b")
_PROGRAM = re.compile(r"\bip(?P<six>6?)tables(?:-(?P<backend>legacy|nft))?(?P<save>-save)?\b")
_OF_NAT = re.compile(r" -[jg] (?:DNAT|SNAT|MASQUERADE|REDIRECT|KUBE-(?:SVC|SEP|MARK|NODEPORTS|SERVICES|XLB|EXT|FW)\S*)")


class Told(NamedTuple):
    """What the prompt before an output tells of it: table, family and backend as far as it does, and whether the
    output was sifted."""

    table: str = ""
    family: str = ""
    backend: str = ""
    sifted: bool = False


class Saved(NamedTuple):
    """A text as iptables-save would have it. `doubts` are why chains, by (table, chain), may have rules that are not
    shown; `sifted`: rules before those shown may be missing, too."""

    text: str
    doubts: dict[tuple[str, str], str]
    sifted: bool
    backend: str
    family: str


class _Table:
    """A table while what was shown of it is collected."""

    def __init__(self, sifted: bool) -> None:
        self.policies: dict[str, str] = {}
        self.rules: dict[str, list[str]] = {}
        self.sifted = sifted

    def doubt(self, chain: str) -> str:
        if self.sifted:
            return "only some of the rules are shown"
        return "its policy is not shown" if chain in BASE_CHAINS and chain not in self.policies else ""

    def said(self, name: str) -> list[str]:
        """Return it in iptables-save's words."""
        chains = list(dict.fromkeys((*self.policies, *self.rules)))
        heads = [
            f":{chain} {self.policies.get(chain) or ('ACCEPT [0:0]' if chain in BASE_CHAINS else '- [0:0]')}"
            for chain in chains
        ]
        return [f"*{name}", *heads, *(rule for chain in chains for rule in self.rules.get(chain, ())), "COMMIT"]


def told_by(typed: str) -> Told:
    """Return what a command line tells of what it prints."""
    program = _PROGRAM.search(typed)
    table = _OPTION_TABLE.search(typed)
    if program is None:
        return Told(sifted=_SIFTED.search(typed) is not None)
    backend = {"legacy": model.LEGACY, "nft": model.NFT}.get(program.group("backend") or "", "")
    default = "" if program.group("save") else "filter"
    family = "ipv6" if program.group("six") else ""
    return Told(table.group(1) if table else default, family, backend, _SIFTED.search(typed) is not None)


def saved(text: str) -> Saved:
    """Return a text with what stands in it outside of whole tables said again as tables."""
    told, inside = Told(), False
    tables: dict[str, _Table] = {}
    rest: list[str] = []
    for row in lines.plain(text).split("\n"):
        line = row[: lines.LONGEST_LINE]
        typed = lines.command(line)
        if typed is not None:
            told, inside = told_by(typed), False
        bare = line.strip()
        inside = (inside or bare[:1] == "*") and bare != "COMMIT"
        taken = typed is None and not inside and _take(bare, told, tables)
        rest.append("" if taken else row)
    # A text of several programs is read as a whole one; its comments tell whose each is.
    whole = lines.printed("\n".join(rest))
    made = [line for name, table in tables.items() for line in table.said(name)]
    doubts = {
        (name, chain): why
        for name, table in tables.items()
        for chain in dict.fromkeys((*table.policies, *table.rules))
        if (why := table.doubt(chain))
    }
    sifted = any(table.sifted for table in tables.values())
    joined = whole if not made else "\n".join((whole.rstrip("\n"), *made, "")).lstrip("\n")
    return Saved(joined, doubts, sifted, told.backend, told.family)


def _take(line: str, told: Told, tables: dict[str, _Table]) -> bool:
    """Take in a line that stands in no whole table; say whether it is a part of one."""
    rule, policy, chain = _RULE.match(line), _POLICY.match(line), _CHAIN.match(line)
    match = rule or policy or chain
    if match is None:
        return False
    of_nat = rule is not None and not told.table and _OF_NAT.search(line)
    table = tables.setdefault(told.table or ("nat" if of_nat else "filter"), _Table(told.sifted))
    name = match.group("chain")
    # Of rules without a word before them nobody knows what stood between them.
    table.sifted = (
        table.sifted or told.sifted or (rule is not None and name in BASE_CHAINS and name not in table.policies)
    )
    if policy is not None:
        table.policies[name] = f"{policy.group('policy')} [{policy.group('packets') or 0}:0]"
    elif rule is None:
        table.policies.setdefault(name, "- [0:0]")
    else:
        rest = rule.group("rest")
        counted = _COUNTED.search(rest)
        counters = rule.group("counters") or (f"[{counted.group(1)}:{counted.group(2)}] " if counted else "")
        table.rules.setdefault(name, []).append(f"{counters}-A {name}{_COUNTED.sub('', rest, 1)}")
    return True
