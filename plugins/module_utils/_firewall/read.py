# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read all packet filters of this host, without changing it: no table is made and no kernel module loaded.

iptables-legacy is asked only where the kernel lists tables of it, nf_tables only where the kernel has it already (see
`nft_kernel.present`), ipset only when a rule that matters names a set. What cannot be read becomes a chain that says
so: the packets which come to it have an unknown verdict, and no others.
"""

from __future__ import annotations

import os

from .._host import commands
from . import iptables_save, model, nft_kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .._facts.sources import Sources
    from .ipset import IpSet
    from .model import BaseChain, Table

FAMILIES = ("ipv4", "ipv6")
_NFT_FAMILY = {"ipv4": "ip", "ipv6": "ip6"}
_MAX_BYTES = 64 * 1024 * 1024
_MAX_NATIVE_TABLES = 32
_MAX_SINGLE_SETS = 8
_IPTABLES_TABLES = frozenset(("raw", "mangle", "nat", "filter", "security"))
_CAP_NET_ADMIN = 12
NEEDS_ROOT = "needs root: the kernel shows packet filters to root only"


class Rulesets:
    """Everything found. `bases` are the base chains of both families and all backends."""

    def __init__(self, sources: Sources, timeout: float) -> None:
        self.sources = sources
        self.timeout = timeout
        self.tables: list[Table] = []
        self.bases: list[BaseChain] = []
        self.rules: dict[str, int] = {}
        self.native: list[str] = []
        self._sets: dict[str, IpSet] = {}
        self._sets_asked: set[str] = set()

    def of_family(self, family: str, hooks: Iterable[str]) -> list[BaseChain]:
        """Return the base chains which packets of `family` meet at `hooks`."""
        wanted = frozenset(hooks)
        return [base for base in self.bases if base.hook in wanted and base.table.family in {family, "inet", "netdev"}]

    def find_set(self, name: str) -> IpSet | None:
        """Return the set `name` of ipset, read now if it was not yet; None if it cannot be had."""
        if name not in self._sets and name not in self._sets_asked:
            from . import ipset

            # A few sets are read one by one, for others may be enormous; from then on all of them at once.
            wanted = [name] if len(self._sets_asked) < _MAX_SINGLE_SETS else []
            self._sets_asked.add(name)
            result = commands.run(["ipset", "save", *wanted], self.timeout, _MAX_BYTES)
            if result.failure or result.rc:
                self.sources.failed("ipset", f"set {name}: {_reason(result)}")
            else:
                self._sets.update(ipset.parse(result.stdout))
                if self.sources.status("ipset") != "failed":
                    self.sources.ok("ipset")
        return self._sets.get(name)


def read(sources: Sources, timeout: float, proc_root: str = "/proc") -> Rulesets | None:
    """Read every packet filter there is; None (and a source that says why) if this process may not."""
    if not _privileged(proc_root):
        sources.failed("firewall", NEEDS_ROOT)
        return None
    found = Rulesets(sources, timeout)
    _read_legacy(found, proc_root)
    if nft_kernel.present(proc_root):
        _read_nf_tables(found)
    else:
        sources.absent("iptables_nft", "the kernel has no nf_tables")
        sources.absent("nftables", "the kernel has no nf_tables")
    return found


def _privileged(proc_root: str) -> bool:
    try:
        with open(os.path.join(proc_root, "self", "status"), encoding="ascii", errors="replace") as stream:
            for line in stream:
                if line.startswith("CapEff:"):
                    return bool(int(line.split()[1], 16) >> _CAP_NET_ADMIN & 1)
    except (OSError, ValueError, IndexError):
        pass
    return os.geteuid() == 0


# --- iptables-legacy ---


def _read_legacy(found: Rulesets, proc_root: str) -> None:
    in_use = False
    for family, listing in (("ipv4", "ip_tables_names"), ("ipv6", "ip6_tables_names")):
        try:
            with open(os.path.join(proc_root, "net", listing), encoding="ascii", errors="replace") as stream:
                names = stream.read().split()
        except FileNotFoundError:
            continue
        except OSError as error:
            found.sources.failed("iptables_legacy", f"{listing}: {error.strerror}")
            in_use = True
            continue
        if names:
            in_use = True
            _save(found, model.LEGACY, family, names)
    if not in_use:
        found.sources.absent("iptables_legacy", "no table of iptables-legacy is in use")
    elif not found.sources.status("iptables_legacy"):
        found.sources.ok("iptables_legacy")


def _save(found: Rulesets, backend: str, family: str, names: Iterable[str]) -> list[Table]:
    """Run the right iptables-save and take in its tables; put a chain of doubt for each table that it does not give.

    For iptables-nft the tables that could not be read are left to nft and are not doubted here.
    """
    source = "iptables_legacy" if backend == model.LEGACY else "iptables_nft"
    program = _save_program(backend, family, found.timeout)
    short = "iptables" if family == "ipv4" else "ip6tables"
    problem = f"{short}-{'legacy' if backend == model.LEGACY else 'nft'}-save is not installed"
    tables: dict[str, Table] = {}
    if program:
        problem = _save_with(found, [program, "-c"], backend, family, tables)
        for name in sorted(set(names) - set(tables)) if problem else ():
            # One table that the program cannot show keeps it from showing those after it.
            _save_with(found, [program, "-c", "-t", name], backend, family, tables)
    if problem:
        found.sources.failed(source, f"{family}: {problem}")
    if backend == model.LEGACY:
        for name in sorted(set(names) - set(tables)):
            why = f"the table {name} of {backend} ({family}) cannot be read: {problem or 'it is not in the listing'}"
            found.bases.extend(iptables_save.base_chains(_doubtful_table(backend, family, name, why)))
    return list(tables.values())


def _save_with(found: Rulesets, argv: list[str], backend: str, family: str, tables: dict[str, Table]) -> str:
    """Run a program that saves tables, take in those that are whole, and say what went wrong."""
    result = commands.run(argv, found.timeout, _MAX_BYTES)
    dump = iptables_save.parse(result.stdout, backend, family, _corrections(backend, family, found.timeout))
    for table in dump.tables:
        whole = table.name not in dump.unshown and not any(chain.doubt for chain in table.chains.values())
        if table.name not in tables and (whole or (backend == model.LEGACY and table.name not in dump.unshown)):
            tables[table.name] = table
            found.tables.append(table)
            found.bases.extend(iptables_save.base_chains(table))
    found.rules[backend] = found.rules.get(backend, 0) + dump.rules
    return _reason(result) if result.failure or result.rc else "; ".join(dump.problems[:1])


def _save_program(backend: str, family: str, timeout: float) -> str:
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
        version = commands.run([short, "--version"], timeout).stdout
        is_nft = "nf_tables" in version
    return program if is_nft == (backend == model.NFT) else ""


def _corrections(backend: str, family: str, timeout: float) -> iptables_save.Corrections | None:
    """iptables-nft-save shows rules of nft's making as other than they are; these are read from nft instead."""
    if backend != model.NFT:
        return None
    from . import nft_mixed

    return nft_mixed.reader(_NFT_FAMILY[family], timeout)


def _doubtful_table(backend: str, family: str, name: str, why: str) -> Table:
    hooks = {"raw": "PREROUTING OUTPUT", "filter": "INPUT OUTPUT", "security": "INPUT OUTPUT"}
    names = hooks.get(name, "PREROUTING INPUT OUTPUT POSTROUTING").split()
    chains = {chain: model.Chain(chain, model.ACCEPT, lambda _screen: (), doubt=why) for chain in names}
    return model.Table(backend, family, name, chains)


def _reason(result: commands.CommandResult) -> str:
    said = " ".join(result.stderr.split())
    return {"": said or f"exit status {result.rc}", "absent": "not installed", "denied": "not allowed to run it"}.get(
        result.failure, result.failure
    )


# --- nf_tables: iptables-nft and native ---


def _read_nf_tables(found: Rulesets) -> None:
    try:
        chains = [
            chain for chain in nft_kernel.base_chains(found.timeout) if chain["hook"] in model.INBOUND + model.OUTBOUND
        ]
    except OSError as error:
        why = f"nf_tables does not answer: {error.strerror or error}"
        found.sources.failed("nftables", why)
        for family in FAMILIES:
            found.bases.extend(iptables_save.base_chains(_doubtful_table(model.NATIVE, family, "filter", why)))
        return
    listed: set[tuple[str, str, str]] = set()
    for family in FAMILIES:
        nft_family = _NFT_FAMILY[family]
        names = {chain["table"] for chain in chains if chain["family"] == nft_family} & _IPTABLES_TABLES
        for table in _save(found, model.NFT, family, names) if names else ():
            listed |= {(nft_family, table.name, name) for name, chain in table.chains.items() if chain.policy}
    if model.NFT not in found.rules:
        found.sources.absent("iptables_nft", "no table of iptables-nft is in use")
    elif not found.sources.status("iptables_nft"):
        found.sources.ok("iptables_nft")
    native = [chain for chain in chains if (chain["family"], chain["table"], chain["name"]) not in listed]
    _read_native(found, [chain for chain in native if chain["uses"] or chain["policy"] == "drop"])


def _read_native(found: Rulesets, chains: list[dict[str, Any]]) -> None:
    """Read the native tables that have a base chain which could stop or mark a packet."""
    if not chains:
        found.sources.ok("nftables")
        return
    from . import nftables

    tables: dict[tuple[str, str], Table | str] = {}
    for chain in chains:
        if chain["family"] not in {"ip", "ip6", "inet", "netdev"}:
            continue
        key = (chain["family"], chain["table"])
        if key not in tables:
            tables[key] = _native_table(found, *key) if len(tables) < _MAX_NATIVE_TABLES else "too many tables"
        table = tables[key]
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


def _native_table(found: Rulesets, family: str, name: str) -> Table | str:
    """Return the table, or the reason why it cannot be had."""
    from . import nftables

    result = commands.run(["nft", "-j", "list", "table", family, name], found.timeout, _MAX_BYTES)
    if result.failure or result.rc:
        return _reason(result)
    if not nftables.is_listing(result.stdout):
        return "nft gave no JSON"
    return nftables.table(result.stdout, family, name)
