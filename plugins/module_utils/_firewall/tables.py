# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take in the tables of this host's packet filters, by the programs that list them.

What cannot be read becomes a chain that says so: the packets which come to it have an unknown verdict, and no others.
"""

from __future__ import annotations

import os

from .._host import commands
from . import iptables_save, model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from .model import BaseChain, Table
    from .patience import Patience
    from .read import Rulesets

_NFT_FAMILY = {"ipv4": "ip", "ipv6": "ip6"}
MAX_BYTES = 64 * 1024 * 1024
_MAX_NATIVE_TABLES = 32
_IPTABLES_TABLES = frozenset(("raw", "mangle", "nat", "filter", "security"))


# --- iptables ---


def save(
    found: Rulesets, backend: str, family: str, names: Iterable[str], chains: Sequence[Mapping[str, Any]] | None = None
) -> list[Table]:
    """Run the right iptables-save and take in its tables; put a chain of doubt for each table that it does not give.

    For iptables-nft the tables that could not be read are left to nft and are not doubted here, nor those that have not
    the same base chains as the kernel (`chains`).
    """
    source = "iptables_legacy" if backend == model.LEGACY else "iptables_nft"
    program = _save_program(backend, family, found.patience)
    short = "iptables" if family == "ipv4" else "ip6tables"
    problem = f"{short}-{'legacy' if backend == model.LEGACY else 'nft'}-save is not installed"
    tables: dict[str, Table] = {}
    if program:
        problem = _save_with(found, [program, "-c"], backend, family, tables, chains)
        for name in sorted(set(names) - set(tables)) if problem else ():
            # One table that the program cannot show keeps it from showing those after it.
            _save_with(found, [program, "-c", "-t", name], backend, family, tables, chains)
    if problem:
        found.sources.failed(source, f"{family}: {problem}")
    if backend == model.LEGACY:
        for name in sorted(set(names) - set(tables)):
            why = f"the table {name} of {backend} ({family}) cannot be read: {problem or 'it is not in the listing'}"
            found.bases.extend(iptables_save.base_chains(doubtful_table(backend, family, name, why)))
    return list(tables.values())


def _save_with(
    found: Rulesets,
    argv: list[str],
    backend: str,
    family: str,
    tables: dict[str, Table],
    chains: Sequence[Mapping[str, Any]] | None,
) -> str:
    """Run a program that saves tables, take in those that are whole, and say what went wrong."""
    result = found.patience.run(argv, MAX_BYTES)
    found.marked = found.marked or model.OF_THIS_COLLECTION in result.stdout
    dump = iptables_save.parse(result.stdout, backend, family, _corrections(backend, family, found))
    for table in dump.tables:
        whole = table.name not in dump.unshown and not any(chain.doubt for chain in table.chains.values())
        if chains is not None and not _as_in_kernel(table, chains):
            continue
        if table.name not in tables and (whole or (backend == model.LEGACY and table.name not in dump.unshown)):
            tables[table.name] = table
            found.tables.append(table)
            bases = iptables_save.base_chains(table)
            # (It shows the chains of a dormant table, too, which the kernel does not call.)
            found.bases.extend(bases if chains is None else [base for base in bases if _is_called(base, chains)])
    found.rules[backend] = found.rules.get(backend, 0) + dump.rules
    return reason(result) if result.failure or result.rc else "; ".join(dump.problems[:1])


def _as_in_kernel(table: Table, chains: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether the kernel has the base chains of `table` as they are there.

    iptables-nft-save 1.8.9 shows a chain of nft's making as an empty one of its own if it has the name of one.
    """
    own = {
        base.chain.name: (base.hook, base.priority, base.kind == "nat", base.chain.policy)
        for base in iptables_save.base_chains(table)
    }
    return all(
        own.get(chain["name"]) == (chain["hook"], chain["prio"], chain["type"] == "nat", chain["policy"])
        for chain in chains
        if chain["family"] == _NFT_FAMILY.get(table.family) and chain["table"] == table.name and chain["name"] in own
    )


def _is_called(base: BaseChain, chains: Sequence[Mapping[str, Any]]) -> bool:
    names = (_NFT_FAMILY.get(base.table.family), base.table.name, base.chain.name)
    return any((chain["family"], chain["table"], chain["name"]) == names for chain in chains)


def _save_program(backend: str, family: str, patience: Patience) -> str:
    """Return the program that lists `backend`, "" if there is none: plain iptables-save may be of either backend."""
    short = "iptables" if family == "ipv4" else "ip6tables"
    program = commands.find_program(f"{short}-{'legacy' if backend == model.LEGACY else 'nft'}-save")
    if program:
        return program
    program = commands.find_program(f"{short}-save")
    if not program:
        return ""
    real = os.path.basename(os.path.realpath(program))
    if "nft" in real or "legacy" in real:
        is_nft = "nft" in real
    else:
        version = patience.run([short, "--version"], commands.DEFAULT_MAX_BYTES).stdout
        is_nft = "nf_tables" in version
    return program if is_nft == (backend == model.NFT) else ""


def _corrections(backend: str, family: str, found: Rulesets) -> iptables_save.Corrections | None:
    """iptables-nft-save shows rules of nft's making as other than they are; these are read from nft instead."""
    if backend != model.NFT:
        return None
    from . import nft_mixed

    return nft_mixed.reader(_NFT_FAMILY[family], found.timeout, found.patience)


def doubtful_table(backend: str, family: str, name: str, why: str) -> Table:
    """Return a table of which nothing is known but that it is there."""
    hooks = {"raw": "PREROUTING OUTPUT", "mangle": "PREROUTING INPUT FORWARD OUTPUT POSTROUTING"}
    hooks["nat"] = "PREROUTING INPUT OUTPUT POSTROUTING"
    names = hooks.get(name, "INPUT FORWARD OUTPUT").split()
    chains = {chain: model.Chain(chain, model.ACCEPT, lambda _screen: (), doubt=why) for chain in names}
    return model.Table(backend, family, name, chains)


def reason(result: commands.CommandResult) -> str:
    """Say why a program gave nothing."""
    said = " ".join(result.stderr.split())
    return {"": said or f"exit status {result.rc}", "absent": "not installed", "denied": "not allowed to run it"}.get(
        result.failure, result.failure
    )


# --- nf_tables: iptables-nft and native ---


def take_iptables_nft(found: Rulesets, chains: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Take in the tables of iptables-nft; return those of the kernel's base chains which are left for nft to show."""
    chains = [chain for chain in chains if chain["hook"] in model.HOOKS]
    listed: set[tuple[str, str, str]] = set()
    for family, nft_family in _NFT_FAMILY.items():
        names = {chain["table"] for chain in chains if chain["family"] == nft_family} & _IPTABLES_TABLES
        for table in save(found, model.NFT, family, names, chains) if names else ():
            listed |= {(nft_family, table.name, name) for name, chain in table.chains.items() if chain.policy}
    native = [chain for chain in chains if (chain["family"], chain["table"], chain["name"]) not in listed]
    return [chain for chain in native if chain["uses"] or chain["policy"] == "drop"]


def doubt_nf_tables(found: Rulesets, why: str) -> None:
    """Note that nothing is known of nf_tables."""
    found.sources.failed("nftables", why)
    for family in _NFT_FAMILY:
        found.bases.extend(iptables_save.base_chains(doubtful_table(model.NATIVE, family, "filter", why)))


def take_native(
    found: Rulesets,
    chains: list[dict[str, Any]],
    table_of: Callable[[Rulesets, str, str], Table | str] | None = None,
) -> None:
    """Take in the native tables of these base chains, which could stop or mark a packet.

    `table_of` returns the table of a family and name, or why it cannot be had; by default nft is asked.
    """
    from . import nftables

    tables: dict[tuple[str, str], Table | str] = {}
    of_iptables = _of_iptables(chains) if model.NFT not in found.rules else set()
    for chain in chains:
        if chain["family"] not in {"ip", "ip6", "inet", "netdev"}:
            continue
        key = (chain["family"], chain["table"])
        if key not in tables:
            tables[key] = (
                (table_of or _native_table)(found, *key) if len(tables) < _MAX_NATIVE_TABLES else "too many tables"
            )
            if key in of_iptables:
                tables[key] = _as_iptables(found, tables[key], key[1])
        table = tables[key]
        if key not in of_iptables or isinstance(table, str):
            found.native.append(nftables.title(chain))
        base = nftables.base_chain(chain, table) if isinstance(table, model.Table) else None
        if base is None:
            why = table if isinstance(table, str) else "nft does not list it"
            doubtful = model.Chain(chain["name"], "", lambda _screen: (), doubt=f"{nftables.title(chain)}: {why}")
            family = {"ip": "ipv4", "ip6": "ipv6"}.get(chain["family"], chain["family"])
            owner = model.Table(model.NATIVE, family, f"{chain['family']} {chain['table']}", {chain["name"]: doubtful})
            base = nftables.base_chain(chain, owner)
        if base is not None:
            found.bases.append(base)
    found.tables.extend(table for table in tables.values() if isinstance(table, model.Table))
    problems = [f"{' '.join(key)}: {table}" for key, table in tables.items() if isinstance(table, str)]
    if problems:
        found.sources.failed("nftables", "; ".join(problems))
    else:
        found.sources.ok("nftables")


def _of_iptables(chains: Iterable[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Return family and name of the tables that iptables-nft made, by the names and places of their base chains."""
    shapes: dict[tuple[str, str], set[tuple[str, int]]] = {}
    found: set[tuple[str, str]] = set()
    others: set[tuple[str, str]] = set()
    for chain in chains:
        key = (str(chain["family"]), str(chain["table"]))
        if key[0] not in _NFT_FAMILY.values() or key[1] not in _IPTABLES_TABLES:
            continue
        if key not in shapes:
            bases = iptables_save.base_chains(doubtful_table(model.NFT, "", key[1], ""))
            shapes[key] = {(base.chain.name, base.priority) for base in bases}
        is_one = (chain["name"], chain["prio"]) in shapes[key] and chain["hook"] == str(chain["name"]).lower()
        (found if is_one else others).add(key)
    return found - others


def _as_iptables(found: Rulesets, table: Table | str, name: str) -> Table | str:
    """Return a table that nft listed as iptables-nft's own; without iptables-nft-save nobody else shows it."""
    if isinstance(table, str):
        return table
    rules = sum(len({rule.number for rule in chain.rules(None)}) for chain in table.chains.values())
    found.rules[model.NFT] = found.rules.get(model.NFT, 0) + rules
    found.sources.ok("iptables_nft", "read by nft, for there is no iptables-nft-save")
    return table._replace(backend=model.NFT, name=name)


def _native_table(found: Rulesets, family: str, name: str) -> Table | str:
    """Return the table, or the reason why it cannot be had."""
    from . import nftables

    result = found.patience.run(["nft", "-j", "list", "table", family, name], MAX_BYTES)
    if result.failure or result.rc:
        return reason(result)
    if not nftables.is_listing(result.stdout):
        return "nft gave no JSON"
    found.marked = found.marked or model.OF_THIS_COLLECTION in result.stdout
    return nftables.table(result.stdout, family, name)
