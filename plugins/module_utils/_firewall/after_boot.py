# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The packet filters as they will be after the host has started anew.

What programs make again by themselves (Calico, kube-proxy, Docker …) is taken as it is now, all else from the files
which are loaded at boot.
"""

from __future__ import annotations

from . import iptables_save, model, owners, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .ipset import IpSet
    from .model import Chain, Rule, Screen, Table
    from .persistence import Files, Loader

    Source = Callable[["Screen | None"], Sequence[Rule]]
    Key = tuple[str, str, str]

_MADE_AGAIN = frozenset(
    (
        *("calico", "kube-proxy", "docker", "flannel", "libvirt", "fail2ban", "cilium", "cni", "netavark", "tailscale"),
        *("weave", "openshift", "lxd", "nixos", "csf"),
    )
)


# Sets of Felix, kube-proxy, kube-router, fail2ban, Weave and Cilium; and where others are kept.
_SETS_MADE_AGAIN = ("cali4", "cali6", "KUBE-", "kube-router-", "inet6:kube-router-", "f2b-", "weave-", "cilium_")
_SET_FILES = (
    "/etc/iptables/ipsets",
    "/etc/ipset.conf",
    "/etc/ipset/ipset.conf",
    "/etc/ipset.rules",
    "/etc/sysconfig/ipset",
    "/etc/ufw/before.init",
)


class AfterBoot(read.Rulesets):
    """Rulesets as they will be. `unread` says what of the files could not be read."""

    def __init__(self, now: read.Rulesets, files: Files) -> None:
        super().__init__(now.sources, now.timeout)
        self.now = now
        self.surroundings = now.surroundings
        self.unread: list[str] = []
        self._files = files
        self._back: dict[str, bool] = {}

    def find_set(self, name: str) -> IpSet | None:
        """Return a set of ipset as it is now; None, for it is not known then, if nothing makes it again."""
        if name not in self._back:
            self._back[name] = name.startswith(_SETS_MADE_AGAIN) or self._is_loaded(name)
        return self.now.find_set(name) if self._back[name] else None

    def _is_loaded(self, name: str) -> bool:
        if self._files.exists(f"/etc/firewalld/ipsets/{name}.xml"):
            return True
        return any(name in self._files.read(path).replace('"', " ").split() for path in _SET_FILES)


def rulesets(now: read.Rulesets, loaders: Iterable[Loader], files: Files) -> AfterBoot:
    """Return what the filters will be, from what they are and what is loaded."""
    found = AfterBoot(now, files)
    dumps: dict[str, list[Table]] = {"ipv4": [], "ipv6": []}
    for loader in loaders:
        if loader.service == "ufw":
            from . import ufw

            for family, tables in dumps.items():
                _take(found, tables, ufw.boot_rules(files.read, family), family, "ufw")
        elif loader.service in {"nftables", "firewalld"}:
            _take_native(found, loader, files)
        else:
            for family, path in loader.files:
                _take(found, dumps[family], files.read(path), family, path)
    _keep_native(found)
    _merge(found, dumps)
    return found


def made_again(owner: str) -> bool:
    """Say whether an owner's rules come back by themselves."""
    return owner in _MADE_AGAIN


def is_own(table: Table, chain: str, rule: Rule) -> bool:
    """Say whether a rule is not one that a program makes again."""
    if made_again(owners.of_rule(table.name, chain, rule.text, [chain], table.chains)):
        return False
    return not (rule.verdict in {model.JUMP, model.GOTO} and made_again(owners.of_chain(rule.argument)))


# --- nftables ---


def _take_native(found: AfterBoot, loader: Loader, files: Files) -> None:
    from . import nft_script, nftables

    if loader.service == "firewalld":
        from . import firewalld_files

        script = nft_script.parse(firewalld_files.Configuration(files.read, files.names).script())
    else:
        script = nft_script.parse(files.read(loader.files[0][1]), files.matching)
    if script.problems:
        line, words, why = script.problems[0]
        found.unread.append(f"{loader.files[0][1]}, line {line}: {words}: {why}")
    document = script.document()
    tables: dict[tuple[str, str], Table] = {}
    for chain in nftables.relevant_chains(document):
        key = (chain["family"], chain["table"])
        if key not in tables:
            tables[key] = _without_programs(nftables.table(document, *key))
        base = nftables.base_chain(chain, tables[key])
        if base is not None and not made_again(owners.of_table(base.table.name)):
            found.bases.append(base)


def _without_programs(table: Table) -> Table:
    """Leave out the calls of programs' chains: who saves a whole ruleset saves them with it."""
    chains: dict[str, Chain] = {}
    made = table._replace(chains=chains)
    for name, chain in table.chains.items():
        chains[name] = model.Chain(name, chain.policy, _own_rules(chain, table), chain.packets, chain.doubt)
    return made


def _own_rules(chain: Chain, table: Table) -> Source:
    return lambda screen: [rule for rule in chain.rules(screen) if is_own(table, chain.name, rule)]


def _keep_native(found: AfterBoot) -> None:
    for base in found.now.bases:
        if base.table.backend == model.NATIVE and made_again(owners.of_table(base.table.name)):
            found.bases.append(base)


# --- iptables ---


def _take(found: AfterBoot, tables: list[Table], text: str, family: str, path: str) -> None:
    dump = iptables_save.parse(text, "", family)
    tables.extend(dump.tables)
    if dump.problems:
        found.unread.append(f"{path}: {dump.problems[0]}")


def _merge(found: AfterBoot, dumps: dict[str, list[Table]]) -> None:
    """Put the tables of the files and what programs have in those of now together."""
    now = {(table.backend, table.family, table.name): table for table in found.now.tables}
    now = {key: table for key, table in now.items() if table.backend != model.NATIVE}
    loaded: dict[Key, list[Table]] = {}
    for family, tables in dumps.items():
        backend = model.LEGACY
        if any(key[0] == model.NFT for key in now) or not now:
            backend = model.NFT
        for table in tables:
            loaded.setdefault((backend, family, table.name), []).append(table)
    for key in sorted({*now, *loaded}):
        merged = _merged(key, now.get(key), loaded.get(key, []))
        found.tables.append(merged)
        found.bases.extend(iptables_save.base_chains(merged))


def _merged(key: Key, now: Table | None, loaded: Sequence[Table]) -> Table:
    chains: dict[str, Chain] = {}
    merged = model.Table(*key, chains)
    for table in loaded:
        for name, chain in table.chains.items():
            if not made_again(owners.of_chain(name)):
                earlier = chains.get(name)
                chains[name] = _joined(earlier, chain, table)
    for name, chain in now.chains.items() if now is not None else ():
        if made_again(owners.of_chain(name)):
            chains[name] = chain
        elif chain.policy and now is not None:
            own = chains.get(name)
            policy = own.policy if own is not None and own.policy else model.ACCEPT
            doubt = chain.doubt or (own.doubt if own is not None else "")
            chains[name] = model.Chain(name, policy, _with_programs(chain, now, own), -1, doubt)
    return merged


def _joined(earlier: Chain | None, chain: Chain, table: Table) -> Chain:
    own = _own_rules(chain, table)
    if earlier is None:
        return model.Chain(chain.name, chain.policy, own, -1, chain.doubt)

    def both(screen: Screen | None) -> Sequence[Rule]:
        return [*earlier.rules(screen), *own(screen)]

    return model.Chain(chain.name, chain.policy or earlier.policy, both, -1, earlier.doubt or chain.doubt)


def _with_programs(chain: Chain, now: Table, own: Chain | None) -> Source:
    """The programs' rules of now, and in the place of the others what is loaded at boot."""

    def source(screen: Screen | None) -> Sequence[Rule]:
        before: list[Rule] = []
        after: list[Rule] = []
        met_own = False
        for rule in chain.rules(screen):
            if is_own(now, chain.name, rule):
                met_own = True
            else:
                (after if met_own else before).append(rule)
        return [*before, *(own.rules(screen) if own is not None else ()), *after]

    return source
