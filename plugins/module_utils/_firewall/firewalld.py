# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What firewalld makes of its configuration, as a ruleset in nft's language: its zones, policies and rich rules.

The chains are called as firewalld's own. The order is firewalld's, too: in each zone what its policies of negative
priority say, rich rules of negative priority, what denies, what allows, rich rules of positive priority, the other
policies, and last the zone's target.
"""

from __future__ import annotations

import re

from .._numbers import is_integer
from .._record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_CLOSED = "reject with icmpx admin-prohibited"
_TARGETS = {"ACCEPT": "accept", "DROP": "drop", "%%REJECT%%": _CLOSED, "REJECT": _CLOSED, "CONTINUE": ""}
_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|(\S+))""")
_WORD = re.compile(r"""(NOT|[\w-]+)((?:\s+(?:NOT\s+)?[\w-]+\s*=\s*(?:"[^"]*"|'[^']*'|\S+))*)""")
_HARDWARE = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}\Z")
_SAFE = re.compile(r"[\w.:/+*%-]+\Z")


class Rich(NamedTuple):
    """One rich rule. `element` is (kind, value): ("port", "179/tcp"), ("service", "ssh"), … or ("", "").

    `source` and `destination` are "" or as written ("10.0.0.0/8", "!10.0.0.1", "ipset:name"); `action` is accept,
    reject, drop or mark, `detail` the type of reject or the mark.
    """

    priority: int
    family: str
    source: str
    destination: str
    element: tuple[str, str]
    action: str
    detail: str
    limited: bool


class Zone(NamedTuple):
    """A zone, or a policy (which has ingress and egress zones instead of interfaces and sources).

    `opened` are (kind, value): ("port", "179/tcp"), ("source-port", "1179/tcp"), ("protocol", "ipip"),
    ("service", "ssh").
    """

    name: str
    target: str = "default"
    interfaces: Sequence[str] = ()
    sources: Sequence[str] = ()
    opened: Sequence[tuple[str, str]] = ()
    rich: Sequence[Rich] = ()
    ingress: Sequence[str] = ()
    egress: Sequence[str] = ()
    priority: int = 0


def rich_rule(text: str) -> Rich:
    """Read a rich rule as firewall-cmd writes it: rule family="ipv4" source address="10.0.0.1" drop."""
    pieces: list[tuple[str, dict[str, str]]] = []
    for name, attributes in _WORD.findall(text[:2000]):
        found = {key: quoted or single or bare for key, quoted, single, bare in _ATTRIBUTE.findall(attributes)}
        if " NOT " in f" {' '.join(attributes.split())} ":
            found["invert"] = "true"
        pieces.append((name, found))
    return assembled(pieces)


def assembled(pieces: Iterable[tuple[str, Mapping[str, str]]]) -> Rich:
    """Return the rich rule of (name, attributes) of its parts, "rule" itself first."""
    priority, family, source, destination, detail, limited = 0, "", "", "", "", False
    element, action = ("", ""), ""
    for name, found in pieces:
        if name == "rule":
            priority, family = _integer(found.get("priority", "")), found.get("family", "")
        elif name == "source":
            source = _side(found)
        elif name == "destination":
            destination = _side(found)
        elif name in {"port", "source-port"}:
            element = (name, f"{found.get('port', '?')}/{found.get('protocol', '?')}")
        elif name in {"service", "protocol"}:
            element = (name, found.get("name", found.get("value", "?")))
        elif name in {"icmp-type", "icmp-block", "forward-port", "masquerade", "tcp-mss-clamp"}:
            element = (name, found.get("name", ""))
        elif name in {"accept", "reject", "drop", "mark"}:
            action, detail = name, found.get("type", found.get("set", ""))
        elif name == "limit" and action:
            limited = True
    return Rich(priority, family, source, destination, element, action, detail, limited)


def _side(found: Mapping[str, str]) -> str:
    no = "!" if found.get("invert", "").lower() in {"true", "yes"} else ""
    if "address" in found:
        return no + found["address"]
    return f"{no}ipset:{found['ipset']}" if "ipset" in found else "?"


def _integer(text: str) -> int:
    return int(text) if is_integer(text) else 0


# --- as rules of nft ---


def script(
    zones: Sequence[Zone], default: str, policies: Sequence[Zone], services: Mapping[str, Sequence[tuple[str, str]]]
) -> str:
    """Return the table inet firewalld as text of nft. `services` are what each service opens; others are unknown."""
    made = _Script(zones, default, policies, services)
    return "\n".join(made.lines())


class _Script:
    def __init__(
        self,
        zones: Sequence[Zone],
        default: str,
        policies: Sequence[Zone],
        services: Mapping[str, Sequence[tuple[str, str]]],
    ) -> None:
        self.zones = sorted(zone for zone in zones if zone.name == default or zone.interfaces or zone.sources)
        self.default = default
        self.policies = sorted(policies, key=lambda policy: policy.priority)
        self.services = services

    def lines(self) -> list[str]:
        found = ["table inet firewalld {"]
        closing = ["ct state invalid drop", "jump filter_INPUT_ZONES", _CLOSED]
        found += _base("INPUT", ["ct state { established, related } accept", 'iifname "lo" accept', *closing])
        own = self._of_output()
        found += _base("OUTPUT", ["ct state { established, related } accept", 'oifname "lo" accept', *own])
        found += _chain("filter_INPUT_ZONES", self._dispatch("saddr", "iifname", "goto filter_IN_{}"))
        for zone in self.zones:
            found += self._zone(zone)
        for policy in self.policies:
            way = "IN" if "HOST" in policy.egress else "OUT"
            found += self._rules(f"filter_{way}_policy_{policy.name}", policy, [_TARGETS.get(policy.target, "")])
        return [*found, "}", ""]

    def _dispatch(self, side: str, interface: str, then: str) -> list[str]:
        found = [f"{match} {then.format(zone.name)}" for zone in self.zones for match in _side_matches(side, zone)]
        found += [
            f'{interface} "{_pattern(name)}" {then.format(zone.name)}'
            for zone in self.zones
            for name in zone.interfaces
        ]
        return [*found, then.format(self.default)] if any(zone.name == self.default for zone in self.zones) else found

    def _of_output(self) -> list[str]:
        found = []
        for policy in self.policies:
            if "HOST" not in policy.ingress or "HOST" in policy.egress:
                continue
            jump = f"jump filter_OUT_policy_{policy.name}"
            if "ANY" in policy.egress:
                found.append(jump)
            for zone in self.zones:
                if zone.name in policy.egress:
                    found += [f"{match} {jump}" for match in _side_matches("daddr", zone)]
                    found += [f'oifname "{_pattern(name)}" {jump}' for name in zone.interfaces]
                    if zone.name == self.default and not zone.interfaces:
                        found.append(f"{_unknown(zone.name)} {jump}")  # which packets are of that zone is not known
        return found

    def _zone(self, zone: Zone) -> list[str]:
        before: list[str] = []
        after: list[str] = []
        for policy in self.policies:
            if "HOST" in policy.egress and not {"ANY", zone.name}.isdisjoint(policy.ingress):
                jumps = self._into(policy, zone)
                (before if policy.priority < 0 else after).extend(jumps)
        target = _TARGETS.get(zone.target)
        last = ["meta l4proto { icmp, ipv6-icmp } accept", _CLOSED] if target is None else [target]
        return self._rules(f"filter_IN_{zone.name}", zone, [*after, *last], before)

    def _into(self, policy: Zone, zone: Zone) -> list[str]:
        jump = f"jump filter_IN_policy_{policy.name}"
        if zone.name != self.default or "ANY" in policy.ingress:
            return [jump]
        # Before firewalld 2.0 a policy for the default zone leaves out interfaces which are in no zone by name.
        found = [f"{match} {jump}" for match in _side_matches("saddr", zone)]
        found += [f'iifname "{_pattern(name)}" {jump}' for name in zone.interfaces]
        return [*found, f"{_unknown('interface in no zone')} {jump}"]

    def _rules(self, name: str, zone: Zone, last: Sequence[str], first: Sequence[str] = ()) -> list[str]:
        parts: dict[str, list[str]] = {"pre": [], "deny": [], "allow": [], "post": []}
        for kind, value in zone.opened:
            parts["allow"] += [f"{match} accept" for match in self._opened(kind, value)]
        for rule in sorted(zone.rich, key=lambda rich: rich.priority):
            part = "pre" if rule.priority < 0 else "post" if rule.priority > 0 else ""
            parts[part or ("allow" if rule.action == "accept" else "deny")] += self._rich(rule)
        calls = [f"jump {name}_{part}" for part in parts]
        found: list[str] = []
        for part, rules in parts.items():
            found += _chain(f"{name}_{part}", rules)
        return found + _chain(name, [*first, *calls, *(line for line in last if line)])

    def _opened(self, kind: str, value: str) -> list[str]:
        """Return what a port, protocol or service stands for, as matches."""
        if kind == "service":
            known = self.services.get(value)
            if known is None:
                return [_unknown(f"service {value}")]
            return self._service(known)
        if not _SAFE.match(value):
            return [_unknown("?")]
        if kind == "protocol":
            return [f"meta l4proto {value}"]
        port, _slash, protocol = value.partition("/")
        if not port:
            return [f"meta l4proto {protocol}"]
        return [f"{protocol} {'sport' if kind == 'source-port' else 'dport'} {port}"]

    def _service(self, known: Sequence[tuple[str, str]]) -> list[str]:
        towards = [_side_match("daddr", what) for each, what in known if each == "destination"] or [""]
        matches = [
            match
            for each, what in known
            if each not in {"service", "destination"}
            for match in self._opened(each, what)
        ]
        return [f"{to} {match}".strip() for to in towards for match in matches]

    def _rich(self, rule: Rich) -> list[str]:
        kind, value = rule.element
        if kind not in {"", "port", "source-port", "protocol", "service", "icmp-type"} or not rule.action:
            return []
        head = [f"meta nfproto {rule.family}"] if rule.family in {"ipv4", "ipv6"} else []
        for side, given in (("saddr", rule.source), ("daddr", rule.destination)):
            head += [_side_match(side, given)] if given else []
        if rule.limited:
            head.append(_unknown("limit"))
        verdict = {"accept": "accept", "drop": "drop", "reject": _reject(rule)}.get(rule.action, _mark(rule))
        matches = {"": [""], "icmp-type": ["meta l4proto { icmp, ipv6-icmp }"]}.get(kind)
        return [" ".join([*head, *filter(None, [match]), verdict]) for match in matches or self._opened(kind, value)]


def _unknown(what: str) -> str:
    """Return a match that nobody can decide: a service whose ports are not known may be any."""
    return f'xt match "{re.sub(r"[^ -~]|[{};]", "?", what)}"'.replace('""', '"?"')


def _reject(rule: Rich) -> str:
    kind = rule.detail
    if kind == "tcp-reset":
        return "reject with tcp reset"
    if kind.startswith(("icmp6-", "icmpv6-")):
        return f"reject with icmpv6 {kind.partition('-')[2].replace('adm-', 'admin-')}"
    if kind.startswith("icmp-"):
        return f"reject with icmp {kind[5:]}"
    kind = {"ipv4": "icmp", "ipv6": "icmpv6"}.get(rule.family, "icmpx")
    return f"reject with {kind} port-unreachable"


def _mark(rule: Rich) -> str:
    value = rule.detail.partition("/")[0]
    return (
        f"meta mark set {value}"
        if _SAFE.match(value) and "/" not in rule.detail
        else "meta mark set jhash ip saddr mod 2"
    )


def _side_match(side: str, given: str) -> str:
    """Return the match of a source or destination: an address, a set of addresses, a hardware address."""
    no, address = ("!= ", given[1:]) if given[:1] == "!" else ("", given)
    if address.startswith("ipset:") and _SAFE.match(address):
        return f"ip {side} {no}@{address[6:]}"
    if not _SAFE.match(address) or _HARDWARE.match(address):
        return _unknown(f"{side} {given}")
    return f"{'ip6' if ':' in address else 'ip'} {side} {no}{address}"


def _side_matches(side: str, zone: Zone) -> list[str]:
    return [_side_match(side, source) for source in zone.sources]


def _pattern(name: str) -> str:
    """Return an interface's name as nft writes it; firewalld lets it end in "+"."""
    return re.sub(r"[^\w.:@-]", "?", name[:-1] if name.endswith("+") else name) + "*" * name.endswith("+")


def _base(way: str, rules: Iterable[str]) -> list[str]:
    head = [f"type filter hook {way.lower()} priority filter + 10; policy accept;"]
    return _chain(f"filter_{way}", [*head, *rules])


def _chain(name: str, rules: Iterable[str]) -> list[str]:
    return [f" chain {name} {{", *(f"  {rule}" for rule in rules), " }"]
