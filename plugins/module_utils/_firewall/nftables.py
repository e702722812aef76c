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

from . import model, nft_match, nft_text
from .model import Effect, Match, Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    Listing = Mapping[str, Any]  # nft's JSON, decoded already

_FAMILIES = {"ip": "ipv4", "ip6": "ipv6", "inet": "inet", "netdev": "netdev"}
_HOOKS = frozenset(model.INBOUND + model.OUTBOUND)
_ALL_BITS = 0xFFFFFFFF
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
_UNDECIDABLE = frozenset(("limit", "quota", "ct count", "set", "map"))
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
    """Return the base chains (as nft describes them) through which packets of this host come and go."""
    return [
        chain
        for chain in objects(text, "chain")
        if str(chain.get("hook")) in _HOOKS and str(chain.get("family")) in _FAMILIES
    ]


def title(chain: Mapping[str, Any]) -> str:
    """Return how people call a chain: "inet filter input"."""
    return " ".join(str(chain.get(key, "")) for key in ("family", "table", "name"))


def table(text: str | Listing, family: str, name: str) -> model.Table:
    """Return the table `name` of nft's `family` ("inet", "ip" …) from a listing that holds it."""

    def own(item: Mapping[str, Any]) -> bool:
        return item.get("family") == family and item.get("table") == name

    sets = {str(item.get("name")): item for kind in ("set", "map") for item in objects(text, kind) if own(item)}
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
        device if isinstance(device, str) else "?",
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
            if name == "match":
                if self.effects:
                    yield self._effects_so_far()
                self.matches.extend(nft_match.matches(body, self.sets))
            elif name == "vmap":
                yield from self._verdict_map(body)
                return
            elif not self._is_passed(name, body):
                yield self._rule(*_verdict(name, body), _presupposed(name, body))
                return
        yield self._rule(model.CONTINUE, "")  # also one that does nothing, for it has its number

    def _is_passed(self, name: str, body: Any) -> bool:
        """Take in a statement after which the next one is done; False if it is none of these."""
        if name == "counter":
            self.packets = body.get("packets", -1) if isinstance(body, dict) else -1
        elif name == "mangle":
            self.effects.append(_mangle(body))
        elif name == "notrack":
            self.effects.append(Effect("untrack", None))
        elif name in _UNDECIDABLE or (name == "xt" and isinstance(body, dict) and body.get("type") == "match"):
            if body != {"type": "match", "name": "comment"}:
                self.matches.append(Match("undecidable", False, nft_text.statement({name: body})))
        else:
            return name in _PASSING
        return True

    def _rule(self, verdict: str, argument: str, more: Sequence[Match] = ()) -> Rule:
        effects = [effect for effect in self.effects if effect.kind != "none"]
        return Rule(self.number, [*self.matches, *more], effects, verdict, argument, self.text, self.packets)

    def _effects_so_far(self) -> Rule:
        """What was changed stays changed even if a later statement of the same rule does not hold."""
        rule = self._rule(model.CONTINUE, "")
        changed = {"mark", "ct_mark"} if self.effects else set()
        self.matches = [
            Match("undecidable", False, f"{match.kind} before it was changed") if match.kind in changed else match
            for match in self.matches
        ]
        self.effects = []
        return rule

    def _verdict_map(self, body: Any) -> Iterator[Rule]:
        body = body if isinstance(body, dict) else {}
        elements = nft_match.elements(body.get("data"), self.sets)
        if elements is None:
            yield self._rule(model.UNKNOWN, "a verdict map which cannot be read")
            return
        for element in elements:
            if not isinstance(element, list) or len(element) != 2 or not isinstance(element[1], dict):
                yield self._rule(model.UNKNOWN, "a verdict map which cannot be read")
                return
            key = nft_match.matches({"op": "==", "left": body.get("key"), "right": {"set": [element[0]]}}, self.sets)
            verdict = next(iter(element[1].items()), ("", None))
            yield self._rule(*_verdict(*verdict), key)


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


def _mangle(body: Any) -> Effect:
    """Return the effect of `meta mark set …` and `ct mark set …`; other fields are of no account here."""
    body = body if isinstance(body, dict) else {}
    key = body.get("key")
    if key not in ({"meta": {"key": "mark"}}, {"ct": {"key": "mark"}}):
        # An address or a port that is set by hand would change everything after it.
        moved = isinstance(key, dict) and isinstance(key.get("payload"), dict)
        return Effect("forget_mark" if moved else "none", None)
    connection = "ct" in key
    parsed = _bit_operation(body.get("value"))
    if parsed is None:
        return Effect("forget_ct_mark" if connection else "forget_mark", None)
    origin, keep, flip = parsed
    own = "ct" if connection else "meta"
    if not origin:
        return Effect("ct_mark" if connection else "mark", (0, flip))
    if origin == own:
        return Effect("ct_mark" if connection else "mark", (keep, flip))
    if keep == _ALL_BITS and flip == 0:
        return Effect("save_mark" if connection else "restore_mark", (_ALL_BITS, _ALL_BITS))
    return Effect("forget_ct_mark" if connection else "forget_mark", None)


def _bit_operation(value: Any) -> tuple[str, int, int] | None:
    """Return (whose mark it starts from: "meta", "ct" or ""; kept bits; flipped bits) of a mark's new value."""
    if isinstance(value, int) and not isinstance(value, bool):
        return "", 0, value
    if not isinstance(value, dict) or len(value) != 1:
        return None
    ((operator, operands),) = value.items()
    if operator in {"meta", "ct"}:
        return (operator, _ALL_BITS, 0) if operands == {"key": "mark"} else None
    if operator not in {"&", "|", "^"} or not isinstance(operands, list) or len(operands) != 2:
        return None
    inner, bits = _bit_operation(operands[0]), operands[1]
    if inner is None or not isinstance(bits, int):
        return None
    origin, keep, flip = inner
    if operator == "&":
        return origin, keep & bits, flip & bits
    if operator == "|":
        return origin, keep & ~bits, flip & ~bits | bits
    return origin, keep, flip ^ bits
