# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the texts about packet filters come to: the same model which a node makes of its own filters."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ...module_utils._firewall import iptables_save, model
from .parsed import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_HOOKS = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
}


@dataclasses.dataclass(frozen=True)
class Filters:
    """Tables, the base chains in them, the number of rules by backend, and the titles of native base chains in use.
    sifted: of some chain rules before those shown may be missing."""

    tables: tuple[model.Table, ...] = ()
    bases: tuple[model.BaseChain, ...] = ()
    rules: Mapping[str, int] = dataclasses.field(default_factory=dict)
    native: tuple[str, ...] = ()
    sifted: bool = False

    def of_family(self, family: str, hooks: Iterable[str]) -> list[model.BaseChain]:
        """Return the base chains which packets of `family` meet at `hooks`."""
        wanted = frozenset(hooks)
        return [base for base in self.bases if base.hook in wanted and base.table.family in {family, "inet", "netdev"}]


def joined(parts: Collection[Filters]) -> Filters:
    """Return all of them as one."""
    tables: list[model.Table] = []
    bases: list[model.BaseChain] = []
    rules: dict[str, int] = {}
    native: list[str] = []
    for part in parts:
        tables.extend(part.tables)
        bases.extend(part.bases)
        native.extend(part.native)
        for backend, count in part.rules.items():
            rules[backend] = rules.get(backend, 0) + count
    return Filters(tuple(tables), tuple(bases), rules, tuple(native), any(part.sifted for part in parts))


def of_iptables(tables: Iterable[model.Table], backend: str, rules: int) -> Filters:
    """Return the tables of one backend with their base chains."""
    found = tuple(tables)
    bases = tuple(base for table in found for base in iptables_save.base_chains(table))
    return Filters(found, bases, {backend: rules} if found else {})


def doubtful_table(backend: str, family: str, name: str, why: str, known: Iterable[str] = ()) -> model.Table:
    """Return a table of which nothing is known, so that what comes to it has no known fate; `known` chains are left
    out."""
    names = [chain for chain in _HOOKS.get(name, ("INPUT", "FORWARD", "OUTPUT")) if chain not in known]
    chains = {chain: model.Chain(chain, model.ACCEPT, lambda _screen: (), doubt=why) for chain in names}
    return model.Table(backend, family, name, chains)


def doubted(table: model.Table, doubts: Mapping[tuple[str, str], str]) -> model.Table:
    """Return a table in which these chains, by (table, chain), may have rules that nobody has shown."""
    if not any(name == table.name for name, _chain in doubts):
        return table
    chains = {
        name: model.Chain(name, chain.policy, chain.rules, chain.packets, doubts.get((table.name, name)) or chain.doubt)
        for name, chain in table.chains.items()
    }
    return model.Table(table.backend, table.family, table.name, chains)


def problems_of(messages: Iterable[str], offset: int = 0) -> list[Problem]:
    """Return the problems of a node's parser, "line 7: …", with `offset` added to the line numbers."""
    found = []
    for message in messages:
        head, colon, text = message.partition(": ")
        number = head.removeprefix("line ")
        if colon and number.isdigit():
            found.append(Problem(int(number) + offset, text.strip()[:120], "not understood"))
        else:
            found.append(Problem(0, "", message[:120]))
    return found


def plain(value: Filters) -> dict[str, Any]:
    """Return what the filters hold as plain data: every chain with its rules, and what each rule was understood as."""
    return {
        "rules": dict(value.rules),
        "native": list(value.native),
        "bases": [[base.table.name, base.chain.name, base.hook, base.priority] for base in value.bases],
        "tables": [
            {
                "backend": table.backend,
                "family": table.family,
                "name": table.name,
                "chains": {name: _plain_chain(chain) for name, chain in table.chains.items()},
            }
            for table in value.tables
        ],
    }


def _plain_chain(chain: model.Chain) -> dict[str, Any]:
    rules = [
        {
            "text": rule.text,
            "does": " ".join(filter(None, (*map(_plain_part, rule.effects), rule.verdict, rule.argument))),
            "if": [("not " if match.negated else "") + _plain_part(match) for match in rule.matches],
        }
        for rule in chain.rules()
    ]
    return {"policy": chain.policy, "rules": rules, **({"doubt": chain.doubt} if chain.doubt else {})}


def _plain_part(part: model.Match | model.Effect) -> str:
    return part.kind if part.value is None else f"{part.kind} {part.value}"
