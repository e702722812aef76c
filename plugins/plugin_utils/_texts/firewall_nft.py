# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`nft list ruleset`, as text or as the JSON of `nft -j`, and files in nft's language."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ...module_utils._firewall import model, nft_script, nftables
from . import firewall_model, lines
from .firewall_model import Filters
from .parsed import MOST_PROBLEMS, Parsed, Problem

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    Listing = dict[str, Any]

plain = firewall_model.plain
_CUT = "the listing of nftables ends before its end"
_UNCLEAR = "it is not told whether the table is dormant"
_TABLE_FLAGS = frozenset(("dormant", "owner", "persist"))
_LISTED = re.compile(r'"nftables"\s*:\s*\[')
_MOST_OBJECTS = 1_000_000


def parse(text: str, without: Collection[tuple[str, str]] = ()) -> Parsed[Filters]:
    """Return the native tables, but not those whose (family, name) is in `without`. Never raises."""
    problems: list[Problem] = []
    is_json = lines.is_json(text)
    printed = lines.printed(text, 0 if is_json else lines.LONGEST_LINE)  # JSON is one long line
    document, complete = (_json if is_json else _script)(printed, problems)
    return Parsed(filters(document, complete, without), tuple(problems[:MOST_PROBLEMS]))


def filters(document: Listing, complete: bool, without: Collection[tuple[str, str]] = ()) -> Filters:
    """Return what nft's JSON says; if it is not `complete`, everything that is not surely known is in doubt."""
    sleeping = {
        (str(table.get("family")), str(table.get("name")))
        for table in nftables.objects(document, "table")
        if "dormant" in _words(table.get("flags"))
    }
    # nft 1.0.6 prints some other word there.
    unclear = {
        (str(table.get("family")), str(table.get("name")))
        for table in nftables.objects(document, "table")
        if not _TABLE_FLAGS.issuperset(_words(table.get("flags")))
    }
    used = {
        (str(rule.get("family")), str(rule.get("table")), str(rule.get("chain")))
        for rule in nftables.objects(document, "rule")
    }
    tables: dict[tuple[str, str], model.Table] = {}
    bases: list[model.BaseChain] = []
    native: list[str] = []
    for chain in nftables.relevant_chains(document):
        key = (str(chain.get("family")), str(chain.get("table")))
        if key in without or key in sleeping:
            continue
        if key not in tables:
            tables[key] = nftables.table(document, *key)
            if key in unclear:
                doubtful = {
                    name: model.Chain(name, "", lambda _screen: (), doubt=_UNCLEAR) for name in tables[key].chains
                }
                tables[key] = tables[key]._replace(chains=doubtful)
        base = nftables.base_chain(chain, tables[key])
        in_use = (*key, str(chain.get("name"))) in used or chain.get("policy") == "drop"
        if base is not None and (in_use or not complete):
            bases.append(base)
            native.append(nftables.title(chain))
    if not complete:
        for family in ("ipv4", "ipv6"):
            table = firewall_model.doubtful_table(model.NATIVE, family, "filter", _CUT)
            bases.extend(firewall_model.of_iptables([table], model.NATIVE, 0).bases)
    return Filters(tuple(tables.values()), tuple(bases), {}, tuple(native))


def _words(flags: Any) -> list[str]:
    return flags if isinstance(flags, list) else str(flags or "").split()


def _script(text: str, problems: list[Problem]) -> tuple[Listing, bool]:
    script = nft_script.parse(text)
    problems.extend(Problem(line, words, why) for line, words, why in script.problems)
    return script.document(), script.complete


def _json(text: str, problems: list[Problem]) -> tuple[Listing, bool]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 0
        problems.append(Problem(line, "", f"no JSON: {error}"[:120]))
        return {"nftables": _salvaged(text)}, False
    if not isinstance(document, dict) or not isinstance(document.get("nftables"), list):
        problems.append(Problem(1, text[:80], "not the JSON of nft"))
        return {"nftables": []}, False
    return document, True


def _salvaged(text: str) -> list[Any]:
    """Return the objects of a cut listing up to where it breaks off."""
    begin = _LISTED.search(text)
    found: list[Any] = []
    position = begin.end() if begin else len(text)
    decoder = json.JSONDecoder()
    while position < len(text) and len(found) < _MOST_OBJECTS:
        if text[position] in " \t\r\n,":
            position += 1
            continue
        try:
            item, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            break
        found.append(item)
    return found
