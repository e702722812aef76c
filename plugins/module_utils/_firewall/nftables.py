# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the JSON of `nft -j list chains` and `nft -j list table` into the model.

    {"nftables": [{"chain": {"family": "inet", "table": "t", "name": "in", "hook": "input", "prio": 0, …}},
                  {"rule": {"family": "inet", "table": "t", "chain": "in", "expr": [{"match": …}, {"drop": null}]}}]}

A rule of nft is a list of statements, done in order until one of them does not hold. Statements which are not
understood become undecidable matches and unknown verdicts, never nothing.
"""

from __future__ import annotations

import json
import re

from . import model, nft_match, nft_rewriting, nft_text
from .model import Effect, Match, Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    Listing = Mapping[str, Any]  # nft's JSON, decoded already

_FAMILIES = {"ip": "ipv4", "ip6": "ipv6", "inet": "inet", "netdev": "netdev"}
_HOOKS = frozenset(model.HOOKS)
_VERDICTS = {
    "accept": model.ACCEPT,
    "drop": model.DROP,
    "return": model.RETURN,
    "continue": model.CONTINUE,
    "jump": model.JUMP,
    "goto": model.GOTO,
}
# Statements that let the packet pass on, whatever they do.
_PASSING = frozenset(
    ("counter", "log", "comment", "dup", "flow", "ct helper", "ct timeout", "ct expectation", "secmark", "last")
)
_UNDECIDABLE = frozenset(("limit", "quota", "ct count", "meter"))
_NAMED_SET = re.compile(r"@([^\s{}]+)")
_LEAVING = {
    "dnat": "the destination is rewritten (dnat)",
    "redirect": "the destination is rewritten (redirect)",
    "queue": "the packet is handed to a program (queue)",
    "tproxy": "the packet is handed to a local program (tproxy)",
    "synproxy": "the connection is answered by synproxy",
    "fwd": "the packet is sent out of another interface (fwd)",
}


def objects(text: str | Listing, kind: str) -> list[dict[str, Any]]:
    """Return the objects of one kind ("chain", "rule", "set", "map") in nft's JSON; none if it is no such JSON."""
    try:
        document = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return []
    listed = document.get("nftables") if isinstance(document, dict) else None
    found = (item.get(kind) for item in (listed if isinstance(listed, list) else ()) if isinstance(item, dict))
    return [item for item in found if isinstance(item, dict)]


def is_listing(text: str) -> bool:
    """Say whether `text` is nft's JSON at all."""
    return bool(objects(text, "metainfo"))


def relevant_chains(text: str | Listing) -> list[dict[str, Any]]:
    """Return the base chains (as nft describes them) that packets to, from and through this host meet."""
    dormant = [
        (table.get("family"), table.get("name"))
        for table in objects(text, "table")
        if isinstance(table.get("flags"), (str, list)) and "dormant" in table["flags"]
    ]
    return [
        chain
        for chain in objects(text, "chain")
        if str(chain.get("hook")) in _HOOKS
        and str(chain.get("family")) in _FAMILIES
        and (chain.get("family"), chain.get("table")) not in dormant
    ]


def title(chain: Mapping[str, Any]) -> str:
    """Return how people call a chain: "inet filter input"."""
    return " ".join(str(chain.get(key, "")) for key in ("family", "table", "name"))


def table(text: str | Listing, family: str, name: str) -> model.Table:
    """Return the table `name` of nft's `family` ("inet", "ip" …) from a listing that holds it."""

    def own(item: Mapping[str, Any]) -> bool:
        return item.get("family") == family and item.get("table") == name

    sets = named_sets(text, own)
    expressions: dict[str, list[dict[str, Any]]] = {}
    for rule in filter(own, objects(text, "rule")):
        expressions.setdefault(str(rule.get("chain")), []).append(rule)
    chains: dict[str, model.Chain] = {}
    for chain in filter(own, objects(text, "chain")):
        chain_name = str(chain.get("name"))
        policy = str(chain.get("policy", "accept")) if chain.get("hook") else ""
        source = _source(expressions.get(chain_name, []), sets)
        chains[chain_name] = model.Chain(chain_name, {"drop": model.DROP}.get(policy, policy), source)
    return model.Table(model.NATIVE, _FAMILIES.get(family, family), f"{family} {name}", chains)


def named_sets(text: str | Listing, own: Callable[[Mapping[str, Any]], bool] = bool) -> dict[str, dict[str, Any]]:
    """Return the sets and maps that are `own`; "changing" is what the model calls those that a rule changes."""
    sets = {str(item.get("name")): item for kind in ("set", "map") for item in objects(text, kind) if own(item)}
    for rule in filter(own, objects(text, "rule")) if sets else ():
        statements = rule.get("expr")
        for statement in statements if isinstance(statements, list) else ():
            for name in _changed_by(statement):
                if name in sets:
                    sets[name] = dict(sets[name], changing=f"{rule.get('family')} {rule.get('table')} {name}")
    return sets


def _changed_by(statement: Any) -> list[str]:
    if isinstance(statement, str):  # nft 1.0.6 has no JSON for a rule that changes a map
        return _NAMED_SET.findall(statement)
    if not isinstance(statement, dict):
        return []
    names = [body.get(name) for name, body in statement.items() if name in {"set", "map"} and isinstance(body, dict)]
    return [name[1:] for name in names if isinstance(name, str)]


def base_chain(chain: Mapping[str, Any], owner: model.Table) -> model.BaseChain | None:
    """Return the base chain that `chain` (as nft describes it) is in the table `owner`, or None if it is not there."""
    found = owner.chains.get(str(chain.get("name")))
    if found is None:
        return None
    priority = chain.get("prio")
    device = chain.get("dev", "?" if chain.get("hook") == "ingress" else "")
    return model.BaseChain(
        str(chain.get("hook")),
        priority if isinstance(priority, int) else 0,
        str(chain.get("type", "filter")),
        owner,
        found,
        device if isinstance(device, str) else " ".join(map(str, device)) if isinstance(device, list) else "?",
    )


def _source(rules: Sequence[Mapping[str, Any]], sets: Mapping[str, Any]) -> Callable[[model.Screen | None], list[Rule]]:
    def source(_screen: model.Screen | None) -> list[Rule]:
        return [made for number, rule in enumerate(rules, 1) for made in translate(number, rule, sets)]

    return source


def translate(number: int, rule: Mapping[str, Any], sets: Mapping[str, Any]) -> list[Rule]:
    """Return what one rule of nft says: several rules of the same number where it holds a verdict map. Never raises."""
    statements = rule.get("expr")
    if not isinstance(statements, list):
        statements = []
    text = nft_text.rule(statements, str(rule.get("comment") or ""))
    return list(_Translation(number, text, sets).rules(statements))


class _Translation:
    """The statements of one rule on their way into the model."""

    def __init__(self, number: int, text: str, sets: Mapping[str, Any]) -> None:
        self.number = number
        self.text = text
        self.sets = sets
        self.matches: list[Match] = []
        self.effects: list[Effect] = []
        self.packets = -1

    def rules(self, statements: Sequence[Any]) -> Iterator[Rule]:
        """Yield the rules of the model which do the same."""
        for statement in statements:
            name, body = next(iter(statement.items()), ("", None)) if isinstance(statement, dict) else ("", None)
            demanded = self._demanded(name, body)
            if self.effects and (demanded or name == "vmap"):
                yield self._effects_so_far()
            self.matches.extend(demanded)
            if name == "vmap":
                yield from self._verdict_map(body)
                return
            if name in {"set", "map"} and isinstance(body, dict):
                yield from self._set_changed(name, body)
            elif not self._is_passed(name, body):
                yield self._rule(*_verdict(name, body))
                return
        yield self._rule(model.CONTINUE, "")  # also one that does nothing, for it has its number

    def _demanded(self, name: str, body: Any) -> Sequence[Match]:
        """Return what must hold for the rule to go on behind a statement, or for its verdict to be reached."""
        if name == "match":
            return nft_match.matches(body, self.sets)
        if name in _UNDECIDABLE or _is_xt_match(name, body):
            if body == {"type": "match", "name": "comment"}:
                return []
            own = [Match("undecidable", False, nft_text.statement({name: body}))]
            return [*nft_rewriting.needed(body, self.sets), *own]
        if name in _VERDICTS or name == "vmap":
            return []
        return [*_presupposed(name, body), *nft_rewriting.needed(body, self.sets)]

    def _is_passed(self, name: str, body: Any) -> bool:
        """Take in a statement after which the next one is done; False if it is none of these."""
        if name == "counter":
            self.packets = body.get("packets", -1) if isinstance(body, dict) else -1
        elif name == "mangle":
            effect = nft_rewriting.effect(body, self.sets)
            self.effects.extend([effect] if effect else [])
            return not nft_rewriting.moves_the_packet(body)
        elif name == "notrack":
            self.effects.append(Effect("untrack", None))
        else:
            return name in _PASSING or name in _UNDECIDABLE or name == "match" or _is_xt_match(name, body)
        return True

    def _set_changed(self, name: str, body: Mapping[str, Any]) -> Iterator[Rule]:
        """A set is changed even if a later statement of the rule does not hold; where it is full the rule ends."""
        changed = str(body.get(name, ""))[1:]
        known = self.sets.get(changed)
        changed = str(known.get("changing", changed)) if isinstance(known, dict) else changed
        takes_out = body.get("op") == "delete"
        self.effects.append(Effect("set_shrinks" if takes_out else "set_grows", changed))
        yield self._effects_so_far()
        if not takes_out:
            self.matches.append(Match("undecidable", False, nft_text.statement({name: body})))

    def _rule(self, verdict: str, argument: str, more: Sequence[Match] = ()) -> Rule:
        matches = [*self.matches, *more]
        return Rule(self.number, matches, list(self.effects), verdict, argument, self.text, self.packets)

    def _effects_so_far(self) -> Rule:
        """What was changed stays changed even if a later statement of the same rule does not hold."""
        rule = self._rule(model.CONTINUE, "")
        self.matches = [
            Match("undecidable", False, f"{match.kind} before it was changed")
            if nft_rewriting.is_changed(match, self.effects)
            else match
            for match in self.matches
        ]
        self.effects = []
        return rule

    def _verdict_map(self, body: Any) -> Iterator[Rule]:
        body = body if isinstance(body, dict) else {}
        elements = nft_match.elements(body.get("data"), self.sets)
        if elements is None or nft_match.changing(body.get("data"), self.sets):
            yield self._rule(model.UNKNOWN, "a verdict map which cannot be read")
            return
        for element in elements:
            if not isinstance(element, list) or len(element) != 2 or not isinstance(element[1], dict):
                yield self._rule(model.UNKNOWN, "a verdict map which cannot be read")
                return
            key = nft_match.matches({"op": "==", "left": body.get("key"), "right": {"set": [element[0]]}}, self.sets)
            verdict = next(iter(element[1].items()), ("", None))
            yield self._rule(*_verdict(*verdict), key)


def _is_xt_match(name: str, body: Any) -> bool:
    return name == "xt" and isinstance(body, dict) and body.get("type") == "match"


def _verdict(name: str, body: Any) -> tuple[str, str]:
    """Return (verdict, argument) of a statement that ends a rule."""
    if name in _VERDICTS:
        return _VERDICTS[name], str(body.get("target", "")) if isinstance(body, dict) else ""
    if name == "reject":
        body = body if isinstance(body, dict) else {}
        kind = str(body.get("type", "icmpx"))
        if kind == "tcp reset":
            return model.REJECT, "tcp-reset"
        return model.REJECT, f"{kind.replace('icmpv6', 'icmp6')}-{body.get('expr', 'port-unreachable')}"
    if name in {"snat", "masquerade"}:
        return model.REWRITE_SOURCE, "" if name == "masquerade" else _new_source(body)
    if name == "mangle":
        return model.UNKNOWN, f"the packet is rewritten by hand ({nft_text.statement({name: body})})"
    return model.UNKNOWN, _LEAVING.get(name, f"the effect of the statement {name or '?'} is not known")


def _new_source(body: Any) -> str:
    """Return the address or addresses of `snat to`; "?" where they come from a map."""
    given = body.get("addr") if isinstance(body, dict) else None
    if isinstance(given, dict) and isinstance(given.get("range"), list):
        given = "-".join(map(str, given["range"]))
    return given if isinstance(given, str) else "?"


def _presupposed(name: str, body: Any) -> Sequence[Match]:
    """Return what nft checks before a verdict without always saying so: an ICMP error of IPv4 is sent to IPv4 only."""
    kind = str(body.get("type" if name == "reject" else "family", "")) if isinstance(body, dict) else ""
    family = {"icmp": "ipv4", "icmpv6": "ipv6", "ip": "ipv4", "ip6": "ipv6"}.get(kind)
    if family and name in {"reject", "dnat", "snat"}:
        return (Match("family", False, (family,)),)
    return (Match("protocol", False, (6,)),) if kind == "tcp reset" else ()
