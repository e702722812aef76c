# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The packet filters of a node as texts tell of them: the same model as on a node."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ...module_utils._facts import firewall_pods
from ...module_utils._firewall import iptables_save, model, owners, read, tables
from . import (
    firewall_firewalld,
    firewall_ipset,
    firewall_iptables,
    firewall_listing,
    firewall_nft,
    firewall_ufw,
    lines,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ...module_utils._facts.sources import Sources
    from ...module_utils._firewall.ipset import IpSet
    from ...module_utils._firewall.read import Rulesets
    from .firewall_model import Filters
    from .node_told import Told
    from .parsed import Parsed

SAVED = {"ipv4": "iptables-save.txt", "ipv6": "ip6tables-save.txt"}
NFT = ("nft-ruleset.json", "nft-ruleset.txt")
LISTED = "iptables-list.txt"
# What these tell is only a part of the rules.
OWNERS = {"ufw": ("ufw-status.txt", firewall_ufw.parse), "firewalld": ("firewalld.txt", firewall_firewalld.parse)}
# The source that fails where somebody has left rules out.
SIFTED = "all_rules"
_PART_OF_NFT = re.compile(r"\blist (?:chain|table) |\|\s*(?:[ef]?grep|head|tail|sed|awk)\b")
_LAST = 1 << 20
_MOST_STOPPED = 3
# Felix' chains for what goes to, and comes from, one pod (felix/rules/rule_defs.go). A few packets any pod loses so.
_TO_A_POD, _OF_A_POD, _STRAY = "cali-tw-", ("cali-tw-", "cali-fw-"), 5
_ACCEPTED = "explicitly accepted packet"
# Felix' chains mark what they accept, kube-proxy's and Docker's let pass what has their own marks and interfaces only.
_TARGET = re.compile(r"(?:^| )-[jg] (\S{1,64})")
_LEAVE_PODS = ("cali-", "KUBE-", "DOCKER")
_OF_KUBE_PROXY, _TAKE_PODS = "KUBE-FORWARD", ("cali-", "KUBE-ROUTER", "KUBE-POD")
_NFT_FAMILY = {"ipv4": "ip", "ipv6": "ip6"}


class _Rulesets(read.Rulesets):
    """Rulesets whose sets are those of a text."""

    def __init__(self, sources: Sources, sets: Mapping[str, IpSet]) -> None:
        super().__init__(sources, 0.0)
        self._told_sets = sets

    def find_set(self, name: str) -> IpSet | None:
        """Return the set `name`, None if the text does not have it."""
        found = self._told_sets.get(name)
        if found is None:
            self.sources.failed("ipset", f"set {name} is in no text")
        elif not self.sources.status("ipset"):
            self.sources.ok("ipset")
        return found


def rulesets(texts: Mapping[str, str], told: Told, sources: Sources) -> Rulesets | None:
    """Return every packet filter that the texts show; None (and a source that says why) if there is none to see."""
    if not told.is_root:
        sources.failed("firewall", read.NEEDS_ROOT)
        return None
    if not told.is_raw and not any(texts.get(name, "").strip() for name in (*SAVED.values(), *NFT, LISTED)):
        return _by_owners(texts, sources)
    sets = firewall_ipset.parse(texts.get("ipset.txt", ""))
    sources.unread("ipset", [(problem.line, problem.text) for problem in sets.problems])
    found = _Rulesets(sources, sets.value)
    for family, name in SAVED.items():
        _take(found, firewall_iptables.parse(texts.get(name, ""), family), "iptables")
    if not found.tables and texts.get(LISTED, "").strip():
        _take(found, firewall_listing.parse(texts[LISTED]), "iptables")
    _doubt_unseen(found, told)
    for backend in (model.LEGACY, model.NFT):
        source = backend.replace("-", "_")
        if backend not in found.rules and not sources.status(source):
            sources.absent(source, f"no table of {backend} is in use" if told.is_raw else f"no text shows {backend}")
        elif not sources.status(source):
            sources.ok(source)
    _take_nft(found, texts, told)
    if not told.is_raw:
        _doubt_parts(found, texts)
        if not (found.tables or found.bases or found.native):
            sources.failed("firewall", "No chain that packets come through is in the texts of packet filters.")
            return None
    return found


def _doubt_parts(found: Rulesets, texts: Mapping[str, str]) -> None:
    """Put chains of doubt where somebody has shown a part of the rules only."""
    native = [base for base in found.bases if base.table.backend == model.NATIVE]
    for backend, family in sorted({(table.backend, table.family) for table in found.tables}):
        names = {table.name for table in found.tables if (table.backend, table.family) == (backend, family)}
        if backend != model.NATIVE and "filter" not in names and not native:
            why = f"no text shows the table filter ({family})"
            found.bases.extend(iptables_save.base_chains(tables.doubtful_table(backend, family, "filter", why)))
    typed = [line for line in lines.commands(texts.get(NFT[1], "")) if _PART_OF_NFT.search(line)]
    if typed:
        for family in _NFT_FAMILY:
            doubtful = tables.doubtful_table(model.NATIVE, family, "filter", f"only a part is shown: {typed[0][:80]}")
            bases = iptables_save.base_chains(doubtful)
            found.bases.extend(base._replace(priority=_LAST) for base in bases)


def ranges_stopped(found: Rulesets) -> list[dict[str, Any]]:
    """Return calico_firewall.pods.felix_rules where no text tells of pods' ways: the rules of Felix' own that have
    dropped packets to a range of addresses, which it does to keep those of Services from going to and fro."""
    stopped = []
    for table in found.tables:
        for chain in table.chains.values() if table.name.endswith("filter") else ():
            for rule in chain.rules() if not firewall_pods.is_policy(chain.name) else ():
                to_range = [match for match in rule.matches if match.kind == "destination" and not match.negated]
                wide = [high - low for match in to_range for low, high in match.value]
                if rule.verdict == model.DROP and rule.packets > 0 and any(wide):
                    owner = owners.of_rule(table.name, chain.name, rule.text, (), table.chains)
                    told: dict[str, Any] = {"backend": table.backend, "family": table.family, "table": table.name}
                    told.update(chain=chain.name, rule=rule.number, text=rule.text, owner=owner, packets=rule.packets)
                    stopped += [{"ways": [], "verdict": rule.verdict, "rule": told}] if owner == "calico" else []
    return stopped[:_MOST_STOPPED]


def mostly_invalid(found: Rulesets) -> list[dict[str, Any]]:
    """Return calico_firewall.invalid_dropped where no text tells of pods' ways: of Felix' chains for one pod those that
    have dropped more packets as INVALID than they have met others."""
    dropped = []
    for table in found.tables:
        chains = table.chains.values() if table.name.endswith("filter") else ()
        for chain in (one for one in chains if one.name.startswith(_OF_A_POD)):
            rules = list(chain.rules())
            unfit = [rule for rule in rules if rule.verdict == model.DROP and _is_for_invalid(rule)]
            others = max((rule.packets for rule in rules if rule not in unfit), default=0)
            for rule in unfit:
                if rule.packets >= _STRAY and rule.packets > others:
                    told: dict[str, Any] = {"backend": table.backend, "family": table.family, "table": table.name}
                    told.update(
                        chain=chain.name, rule=rule.number, text=rule.text, owner="calico", packets=rule.packets
                    )
                    way = "to a pod" if chain.name.startswith(_TO_A_POD) else "from a pod"
                    dropped.append({"way": way, "rule": told, "others": others})
    return dropped[:_MOST_STOPPED]


def _is_for_invalid(rule: model.Rule) -> bool:
    return any(match.kind == "ct_state" and not match.negated and "INVALID" in match.value for match in rule.matches)


def stopped_ahead_of_calico(found: Rulesets) -> list[dict[str, Any]]:
    """Return calico_firewall.pods.not_accepted where no text tells of pods' ways, and a rule of the host's stops
    everything that comes to it ahead of the one by which Felix lets pass what policies accept.

    Felix only marks these packets in its own chains, and accepts them at the end of FORWARD (filterAllowAction, 3.14
    and later): what stands between the two meets all of them.
    """
    stopped = []
    for table in found.tables:
        chain = table.chains.get("FORWARD") if table.name.endswith("filter") else None
        rules = list(chain.rules()) if chain is not None else []
        accepts = next((rule.number for rule in rules if _ACCEPTED in rule.text and rule.verdict == model.ACCEPT), 0)
        for rule in rules:
            if rule.number >= accepts or _may_take_pods(rule):
                break
            if rule.verdict in (model.DROP, model.REJECT) and not rule.matches:
                owner = owners.of_rule(table.name, "FORWARD", rule.text, (), table.chains)
                told: dict[str, Any] = {"backend": table.backend, "family": table.family, "table": table.name}
                told.update(chain="FORWARD", rule=rule.number, text=rule.text, owner=owner)
                entry = {"ways": ["pods to others", "others to pods"], "verdict": rule.verdict, "rule": told}
                stopped.append({**entry, "family": table.family})
                break
    return stopped[:_MOST_STOPPED]


def closed_to_pods(found: Rulesets) -> list[dict[str, Any]]:
    """Return the same where the policy of FORWARD has dropped packets and nothing before it lets pods' pass: neither
    Felix' chain nor another plugin's is in this backend, kube-proxy's is, which only takes what comes for Services.

    Every chain at the hook has its say (nf_hook_slow() in net/netfilter/core.c): what the other backend, or a native
    table of Felix' own, accepts is dropped here all the same.
    """
    stopped = []
    for table in found.tables if not found.sources.status(SIFTED) else ():
        chain = table.chains.get("FORWARD") if table.name == "filter" else None
        if chain is None or chain.doubt or chain.policy != model.DROP or chain.packets <= 0:
            continue
        rules = list(chain.rules())
        targets = [match.group(1) for rule in rules if (match := _TARGET.search(rule.text))]
        taken = any(target.startswith(_TAKE_PODS) for target in targets) or any(map(_may_take_pods, rules))
        if _OF_KUBE_PROXY in targets and not taken:
            owner = owners.of_rule(table.name, "FORWARD", "", (), table.chains)
            told: dict[str, Any] = {"backend": table.backend, "family": table.family, "table": table.name}
            told.update(chain="FORWARD", rule=0, text="-P FORWARD DROP", owner=owner, packets=chain.packets)
            ways = ["pods to others", "others to pods"]
            stopped.append({"ways": ways, "verdict": model.DROP, "rule": told, "family": table.family})
    return stopped


def forward_drops(found: Rulesets) -> bool:
    """Say whether FORWARD drops what none of its rules lets pass; what its rules, or those of others, let pass a part
    of the rules does not tell."""
    chains = (table.chains.get("FORWARD") for table in found.tables if table.name == "filter")
    return any(chain is not None and chain.policy == model.DROP for chain in chains)


def _may_take_pods(rule: model.Rule) -> bool:
    """Say whether a rule may let pass a new connection of a pod's, or lead to where it may be."""
    # A chain that is not shown is a target of which nothing is known.
    target = _TARGET.search(rule.text)
    if rule.verdict in (model.JUMP, model.GOTO, model.UNKNOWN) and target is not None:
        return not target.group(1).startswith(_LEAVE_PODS)
    return rule.verdict in (model.ACCEPT, model.UNKNOWN) and not any(map(_keeps_pods_out, rule.matches))


def _keeps_pods_out(match: model.Match) -> bool:
    if match.negated:
        return False
    if match.kind == "ct_state":
        return "NEW" not in match.value
    bridges = match.kind in ("in_interface", "out_interface")
    return bridges and re.search(r"\b(?:docker|br-|lo\b|virbr|podman|lxcbr)", str(match.value)) is not None


def _by_owners(texts: Mapping[str, str], sources: Sources) -> Rulesets | None:
    """Return what programs that own rules tell of theirs, where no text shows the rules themselves. What these block is
    blocked; whether the others let pass what these do is not known."""
    found = _Rulesets(sources, {})
    listed = [owner for owner, (name, _parse) in OWNERS.items() if texts.get(name, "").strip()]
    for owner in listed:
        name, parse = OWNERS[owner]
        parsed = parse(texts[name])
        _take(found, parsed, owner)
        if not parsed.problems:
            sources.ok(owner)
    if not listed:
        sources.absent("firewall", "There is no text of a packet filter.")
        return None
    why = f"only {' and '.join(listed)} told of their rules, and no text shows the others"
    sources.failed("nftables", why)
    for family in _NFT_FAMILY:
        doubtful = iptables_save.base_chains(tables.doubtful_table(model.NATIVE, family, "filter", why))
        found.bases.extend(base._replace(priority=_LAST) for base in doubtful)
    return found


def _take(found: Rulesets, parsed: Parsed[Filters], source: str) -> None:
    """Take in what a parser made of a text, and note what it could not read under the name of each backend in it."""
    filters = parsed.value
    found.tables.extend(filters.tables)
    found.bases.extend(filters.bases)
    found.native.extend(filters.native)
    for backend, count in filters.rules.items():
        found.rules[backend] = found.rules.get(backend, 0) + count
    if filters.sifted:
        found.sources.failed(SIFTED, "only some of the rules are shown; what stands before them is not known")
    if parsed.problems:
        first = parsed.problems[0]
        for name in {backend.replace("-", "_") for backend in filters.rules} or {source}:
            found.sources.failed(name, f"line {first.line}: {first.why}: {first.text}")


def _doubt_unseen(found: Rulesets, told: Told) -> None:
    """Put a chain of doubt for each table which the kernel has of iptables-legacy and no text shows."""
    seen = {(table.backend, table.family, table.name) for table in found.tables}
    for program, names in (row[:2] for row in told.rows("legacy", 2)):
        family = "ipv6" if program == "ip6tables" else "ipv4"
        for name in names.split():
            if (model.LEGACY, family, name) not in seen:
                why = f"the table {name} of {model.LEGACY} ({family}) cannot be read: no text shows it"
                found.sources.failed("iptables_legacy", why)
                found.bases.extend(iptables_save.base_chains(tables.doubtful_table(model.LEGACY, family, name, why)))


def _take_nft(found: Rulesets, texts: Mapping[str, str], told: Told) -> None:
    """Take in the native tables of nft's listing: those which iptables-save has not shown."""
    ruleset = merged(texts.get(NFT[0], "")) or texts.get(NFT[1], "")
    broken = [row[1] for row in told.rows("status", 2) if row[0] == NFT[0]]
    if broken or (not ruleset.strip() and told.value("nf_tables") == "yes"):
        tables.doubt_nf_tables(found, f"nft ended with status {broken[0]}" if broken else "nft is not installed")
    elif not ruleset.strip():
        found.sources.absent("nftables", "the kernel has no nf_tables" if told.is_raw else "There is no text of nft.")
    else:
        shown = {(_NFT_FAMILY[table.family], table.name) for table in found.tables if table.backend == model.NFT}
        _take(found, firewall_nft.parse(ruleset, shown), "nftables")
        if not found.sources.status("nftables"):
            found.sources.ok("nftables")


def merged(text: str) -> str:
    """Return one listing of nft's from several that follow each other, each object once; '' without any."""
    found: list[Any] = []
    seen: set[str] = set()
    for document in _documents(text):
        for item in document:
            key = json.dumps(item, sort_keys=True)
            if key not in seen or (isinstance(item, dict) and "rule" in item):
                seen.add(key)
                found.append(item)
    return json.dumps({"nftables": found}) if found else ""


def _documents(text: str) -> Iterator[list[Any]]:
    decoder = json.JSONDecoder()
    at = 0
    while at < len(text):
        start = text.find("{", at)
        if start < 0:
            return
        try:
            document, at = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            # What follows a broken listing begins on a line of its own.
            following = text.find("\n{", start + 1)
            if following < 0:
                return
            at = following
            continue
        listed = document.get("nftables") if isinstance(document, dict) else None
        if isinstance(listed, list):
            yield listed
