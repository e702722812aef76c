# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read all packet filters of this host, without changing it: no table is made and no kernel module loaded.

iptables-legacy is asked only where the kernel lists tables of it, nf_tables only where the kernel has it already (see
`nft_kernel.present`), ipset only when a rule that matters names a set. The tables themselves are taken in by
`tables`, where there are any.
"""

from __future__ import annotations

import os

from . import nft_kernel
from .patience import Patience

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._facts.sources import Sources
    from .ipset import IpSet
    from .model import BaseChain, Packet, Table
    from .surroundings import Surroundings

FAMILIES = ("ipv4", "ipv6")
_MAX_SINGLE_SETS = 8
_CAP_NET_ADMIN = 12
NEEDS_ROOT = "needs root: the kernel shows packet filters to root only"


class Rulesets:
    """Everything found. `bases` are the base chains of both families and all backends. `marked`: somewhere in their
    texts there may be a rule of this collection."""

    def __init__(self, sources: Sources, timeout: float) -> None:
        self.sources = sources
        self.timeout = timeout
        self.patience = Patience(timeout)
        self.tables: list[Table] = []
        self.bases: list[BaseChain] = []
        self.rules: dict[str, int] = {}
        self.native: list[str] = []
        self.marked = False
        self.surroundings: Surroundings | None = None
        self._sets: dict[str, IpSet] = {}
        self._sets_asked: set[str] = set()

    def of_family(self, family: str, hooks: Iterable[str]) -> list[BaseChain]:
        """Return the base chains which packets of `family` meet at `hooks`."""
        wanted = frozenset(hooks)
        return [base for base in self.bases if base.hook in wanted and base.table.family in {family, "inet", "netdev"}]

    def completed(self, packets: list[Packet]) -> list[Packet]:
        """Return the packets with what is known of them on this host."""
        return self.surroundings.completed(packets) if self.surroundings is not None else packets

    def find_set(self, name: str) -> IpSet | None:
        """Return the set `name` of ipset, read now if it was not yet; None if it cannot be had."""
        if name not in self._sets and name not in self._sets_asked:
            from . import ipset, tables

            # A few sets are read one by one, for others may be enormous; from then on all of them at once.
            wanted = [name] if len(self._sets_asked) < _MAX_SINGLE_SETS else []
            self._sets_asked.add(name)
            result = self.patience.run(["ipset", "save", *wanted], tables.MAX_BYTES)
            if result.failure or result.rc:
                self.sources.failed("ipset", f"set {name}: {tables.reason(result)}")
            else:
                told = ipset.parse(result.stdout)
                self._sets.update(told)
                if not self.sources.status("ipset"):
                    self.sources.ok("ipset")
                self.sources.unread("ipset", told.unread)
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
    if found.bases:
        from . import surroundings

        found.surroundings = surroundings.Surroundings(timeout, proc_root)
    return found


def _privileged(proc_root: str) -> bool:
    try:
        with open(os.path.join(proc_root, "self", "status"), encoding="utf-8", errors="replace") as stream:
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
            with open(os.path.join(proc_root, "net", listing), encoding="utf-8", errors="replace") as stream:
                names = stream.read().split()
        except FileNotFoundError:
            continue
        except OSError as error:
            found.sources.failed("iptables_legacy", f"{listing}: {error.strerror}")
            in_use = True
            continue
        if names:
            in_use = True
            from . import model, tables

            tables.save(found, model.LEGACY, family, names)
    _note(found, "iptables_legacy", in_use, "no table of iptables-legacy is in use")


# --- nf_tables: iptables-nft and native ---


def _read_nf_tables(found: Rulesets) -> None:
    try:
        chains = nft_kernel.base_chains(found.timeout)
    except OSError as error:
        from . import tables

        tables.doubt_nf_tables(found, f"nf_tables does not answer: {error.strerror or error}")
        return
    in_use = False
    native = []
    if chains:
        from . import model, tables

        native = tables.take_iptables_nft(found, chains)
        in_use = model.NFT in found.rules
    _note(found, "iptables_nft", in_use, "no table of iptables-nft is in use")
    if native:
        from . import tables

        tables.take_native(found, native)
    else:
        found.sources.ok("nftables")


def _note(found: Rulesets, source: str, in_use: bool, otherwise: str) -> None:
    """Note that a backend was read or is not there, unless it was noted that it cannot be read."""
    if found.sources.status(source):
        return
    if in_use:
        found.sources.ok(source)
    else:
        found.sources.absent(source, otherwise)
