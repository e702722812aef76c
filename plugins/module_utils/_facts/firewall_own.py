# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules that roles of this collection have put into this host's filters, and the files into which one more goes.

Only on a host where there are such rules, or where something is blocked, is any of this looked at.
"""

from __future__ import annotations

import re

from .._firewall.model import OF_THIS_COLLECTION as MARK
from .packing import pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from .._firewall.persistence import Files, Loader
    from .._firewall.read import Rulesets

    Facts = dict[str, Any]
    # Backend, family ("" of a file of nft), table, chain, text.
    Own = tuple[str, str, str, str, str]

PEER = "{peer}"
_END = re.compile(r"(?<=-s |-d )[0-9A-Fa-f.:]+(?=/(?:32|128) )|(?<=saddr |daddr )[0-9A-Fa-f.:]+(?= )")
_UFW_FILES = (("ipv4", "/etc/ufw/user.rules"), ("ipv6", "/etc/ufw/user6.rules"))
_BEFORE = (("ipv4", "ufw", "/etc/ufw/before.rules"), ("ipv6", "ufw6", "/etc/ufw/before6.rules"))
_MOST = 64


def add(facts: Facts, found: Rulesets, loaders: Sequence[Loader], files: Files) -> None:
    """Put into calico_firewall `facts`: own_rules, those of this collection, and loaded_at_boot, the places in files
    that are loaded at boot which belong to chains by which something is blocked, or in which own rules stand."""
    own = list(_in_kernel(found))
    places = {(family, table, chain) for _backend, family, table, chain, _text in own} | set(_blocking(facts))
    saved = list(_saved(places, loaders, files)) if places else []
    own += _in_files(saved, files)
    own += _of_ufw(loaders, files)
    if own:
        facts["own_rules"] = _packed(own)
    if saved:
        keys = ("path", "family", "table", "chain")
        facts["loaded_at_boot"] = [dict(zip(keys, one)) for one in saved]


def _in_kernel(found: Rulesets) -> Iterator[Own]:
    """Yield the own rules of the chains that the kernel enters, and of those that ufw keeps for such rules."""
    from .._firewall import model

    if not found.marked:
        return
    seen = set()
    for base in found.bases:
        table = base.table
        beside = [chain for name, chain in table.chains.items() if name.startswith(("ufw-before-", "ufw6-before-"))]
        for chain in [base.chain, *beside] if table.backend != model.EBPF else ():
            if id(chain) in seen:
                continue
            seen.add(id(chain))
            for rule in chain.rules():
                if MARK in rule.text:
                    yield table.backend, table.family, table.name, chain.name, rule.text


def _blocking(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """Yield family, table and entry chain of the rules that block."""
    bgp, flows = facts.get("tcp179") or {}, facts.get("flows") or {}
    answers = bgp.get("answers") or {}
    entries = [one for way in ("inbound", "outbound") for told in (bgp, flows) for one in told.get(way, ())]
    entries += [one for way in ("sent", "received") for one in answers.get(way, ())]
    for entry in entries:
        if entry["verdict"] not in {"drop", "reject"}:
            continue
        for rule in [entry.get("rule"), *(further.get("rule") for further in entry.get("then", ()))]:
            if rule and rule["path"]:
                yield rule["family"], rule["table"], rule["path"][0].rpartition(" ")[0]


def _saved(
    places: Iterable[tuple[str, str, str]], loaders: Sequence[Loader], files: Files
) -> Iterator[tuple[str, str, str, str]]:
    """Yield path, family, table and chain of those places that are in files which are loaded at boot."""
    from .._change import model, saved_text
    from .._firewall.persistence import IPTABLES, with_included

    for loader in loaders:
        if loader.service not in IPTABLES and loader.service != "nftables":
            continue
        own = loader.files
        if loader.service == "nftables":
            own = [("", path) for _family, first in own for path in with_included(files, first)]
        for of_file, path in own:
            text = files.read(path)
            for family, table, chain in sorted(places):
                native, _blank, name = table.partition(" ")
                try:
                    if name and not of_file:
                        saved_text.of_nft(text, native, name, chain)
                    elif not name and of_file == family:
                        saved_text.of_iptables(text, table, chain)
                    else:
                        continue
                except model.RefusedError:
                    continue
                yield path, native if name else family, name or table, chain


def _in_files(saved: Iterable[tuple[str, str, str, str]], files: Files) -> list[Own]:
    """Return the own rules in those places; the path stands for the backend."""
    from .._change import saved_text

    found = []
    for path, family, table, chain in saved:
        text = files.read(path)
        of_nft = saved_text.is_nft(text)
        place = saved_text.of_nft(text, family, table, chain) if of_nft else saved_text.of_iptables(text, table, chain)
        lines = text.split("\n")
        own = [saved_text.rule_of(lines[number]).rstrip(";") for number in place.rules if MARK in lines[number]]
        found += [(path, family, table, chain, rule) for rule in own]
    return found


def _of_ufw(loaders: Sequence[Loader], files: Files) -> Iterator[Own]:
    """Yield the own rules that ufw keeps: those that it was told of, and those beside them in its own files."""
    if not any(loader.service == "ufw" for loader in loaders):
        return
    from .._change import saved_text, ufw_text

    for family, path in _UFW_FILES:
        for one, comment in ufw_text.tuples(files.read(path)):
            if comment.startswith(MARK) and one.action:
                text = (
                    f'{one.action} {one.protocol} {one.port} -d {one.destination} -s {one.source} {one.way} "{comment}"'
                )
                yield "ufw", family, "filter", path, text
    for family, _kind, path in _BEFORE:
        for line in files.read(path).split("\n"):
            rule = saved_text.rule_of(line)
            if MARK in rule and rule.startswith("-A "):
                yield path, family, "filter", rule.split()[1], rule


def _packed(own: Sequence[Own]) -> list[Facts]:
    """Return one entry for rules that differ in nothing but the peer, for which {peer} stands in the text."""
    groups: dict[Own, list[str]] = {}
    for backend, family, table, chain, text in own:
        ends = _ends(backend, text)
        shape = text.replace(ends[0], PEER, 1) if len(ends) == 1 else text
        groups.setdefault((backend, family, table, chain, shape), []).extend(ends if len(ends) == 1 else [])
    keys = ("backend", "family", "table", "chain", "text")
    return [
        dict(zip(keys, group), **({"peers": pack(peers)} if peers else {}))
        for group, peers in list(groups.items())[:_MOST]
    ]


def _ends(backend: str, text: str) -> list[str]:
    if backend == "ufw":
        return [word for word in re.findall(r"-[ds] (\S+)", text) if word != "any" and "/" not in word]
    return _END.findall(text)
