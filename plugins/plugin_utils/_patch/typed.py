# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The corrections that a catalogue's commands make, as data.

The catalogue says what repairs a fault as lines that an operator types. Those that change a field of an object or a
rule say all that is needed: what, where, and to which value. Words in CAPITALS are for the operator to fill in: a line
with one of them corrects nothing yet.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any

from .._catalogue.commands import is_open
from .model import Change, ObjectChange, RuleChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_OPEN = re.compile(r"[A-Z]{2,}(?:[/:._-][A-Z]{2,})*$")
_IPTABLES = re.compile(r"(?P<program>ip6?tables)(?:-(?P<backend>legacy|nft))?$")
_NFT = re.compile(r"insert rule (?P<family>\w+) (?P<table>\S+) (?P<chain>\S+) (?P<rule>\S.*)$")
_UFW_FROM = re.compile(r"ufw allow(?: in)? proto (?P<protocol>tcp|udp) from (?P<peer>\S+) to any port (?P<port>\d+)$")
_UFW_TO = re.compile(r"ufw allow out proto (?P<protocol>tcp|udp) to (?P<peer>\S+) port (?P<port>\d+)$")
_UFW_ON = re.compile(r"ufw (?:allow in on (?P<own>\S+)|route allow (?P<way>in|out) on (?P<through>\S+))$")
_FLAGS = {
    "-n": "namespace",
    "--namespace": "namespace",
    "-c": "container",
    "--type": "type",
    "-p": "patch",
    "--replicas": "replicas",
}


def changes(commands: Iterable[str]) -> list[Change]:
    """Return the corrections in the lines that a fix prints; those that only look, or ask, make none."""
    return list(dict.fromkeys(change for line in commands if not is_open(line) for change in _of_line(line)))


def _of_line(line: str) -> Iterator[Change]:
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return
    if words[:1] == ["kubectl"]:
        yield from _of_kubectl(words[1:])
    elif words[:1] == ["ssh"] and len(words) > 2:
        yield from _of_node(words[1], " ".join(words[2:]))


def _of_kubectl(words: list[str]) -> Iterator[Change]:
    verb, *rest = words or [""]
    flags, plain = _split(rest)
    if verb == "patch":
        made = _merge(flags.get("patch", ""), flags.get("type", "merge"))
    elif verb == "set" and plain[:1] == ["env"]:
        plain = plain[1:]
        variables = [_variable(word) for word in plain[1:]]
        container = {"name": flags.get("container", ""), "env": variables}
        made = {"spec": {"template": {"spec": {"containers": [container]}}}} if variables and container["name"] else {}
        plain = plain[:1]
    elif verb == "scale" and flags.get("replicas", "").isdecimal():
        made = {"spec": {"replicas": int(flags["replicas"])}}
    elif verb in ("annotate", "label"):
        kind, name, settings = _target(plain)
        key = "annotations" if verb == "annotate" else "labels"
        made = {"metadata": {key: dict(_setting(word) for word in settings)}} if settings else {}
        plain = [kind, name]
    else:
        return
    kind, name, _settings = _target(plain)
    if made and kind and name and not any(_OPEN.match(word) for word in (name, *_values(made))):
        yield _Hashed(kind.partition(".")[0].lower(), name, flags.get("namespace", ""), made)


def _values(value: Any) -> Iterator[str]:
    """Yield the texts that a change sets, without the names of fields."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _values(one) if key != "name" else ()
    elif isinstance(value, list):
        for one in value:
            yield from _values(one)


class _Hashed(ObjectChange):
    """A change that can be told from others: two lines may say the same."""

    def __hash__(self) -> int:
        return hash((self.kind, self.name, self.namespace, json.dumps(self.patch, sort_keys=True)))


def _split(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """Return the options that matter, and the words that are none."""
    flags: dict[str, str] = {}
    plain: list[str] = []
    index = 0
    while index < len(words):
        option, equals, value = words[index].partition("=")
        if option in _FLAGS:
            if not equals:
                index += 1
                value = words[index] if index < len(words) else ""
            flags[_FLAGS[option]] = value
        elif not words[index].startswith("-"):
            plain.append(words[index])
        index += 1
    return flags, plain


def _target(plain: list[str]) -> tuple[str, str, list[str]]:
    """Return kind and name, written as one word or as two, and what follows."""
    kind, slash, name = plain[0].partition("/") if plain else ("", "", "")
    return (kind, name, plain[1:]) if slash else (kind, plain[1] if len(plain) > 1 else "", plain[2:])


def _merge(text: str, kind: str) -> dict[str, Any]:
    try:
        value = json.loads(text) if kind in ("merge", "strategic") else None
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _variable(word: str) -> dict[str, Any]:
    name, equals, value = word.partition("=")
    return {"name": name, "value": value} if equals else {"name": name.rstrip("-"), "value": None}


def _setting(word: str) -> tuple[str, str | None]:
    key, equals, value = word.partition("=")
    return (key, value) if equals else (key.rstrip("-"), None)


def _of_node(node: str, line: str) -> Iterator[Change]:
    bare = line.removeprefix("sudo ")
    try:
        words = shlex.split(bare)
    except ValueError:
        return
    match = _IPTABLES.match(words[0]) if words else None
    if match is not None:
        yield from _of_iptables(node, match.group("program"), match.group("backend") or "", words[1:])
    elif words[:1] == ["nft"]:
        rule = _NFT.match(" ".join(words[1:]))
        if rule is not None and not any(_OPEN.match(word) for word in rule.group(0).split()):
            table = f"{rule.group('family')} {rule.group('table')}"
            yield RuleChange(node, "nft", "", table, rule.group("chain"), rule.group("rule"))
    elif words[:1] == ["ufw"]:
        yield from _of_ufw(node, " ".join(words))


def _of_iptables(node: str, program: str, backend: str, words: list[str]) -> Iterator[Change]:
    table = words[words.index("-t") + 1] if "-t" in words[:-1] else "filter"
    for option in ("-I", "-D"):
        if option in words[:-1]:
            at = words.index(option)
            chain, spec = words[at + 1], words[at + 2 :]
            if spec and spec[0].isdigit():
                spec = spec[1:]
            if spec and table != "TABLE" and chain != "CHAIN":
                yield RuleChange(node, program, backend, table, chain, shlex.join(spec), option == "-D")


def _of_ufw(node: str, line: str) -> Iterator[Change]:
    """Yield the rule that ufw makes of its own: it keeps them in chains of its own."""
    on = _UFW_ON.match(line)
    if on is not None:
        # For both families, each by a program of its own.
        for program, family in (("iptables", "ufw"), ("ip6tables", "ufw6")):
            chain = f"{family}-user-{'forward' if on.group('way') else 'input'}"
            rule = f"-{'o' if on.group('way') == 'out' else 'i'} {on.group('own') or on.group('through')} -j ACCEPT"
            yield RuleChange(node, program, "", "filter", chain, rule)
    for pattern, chain, way in ((_UFW_FROM, "user-input", "-s"), (_UFW_TO, "user-output", "-d")):
        match = pattern.match(line)
        if match is not None:
            six = ":" in match.group("peer")
            rule = f"-p {match.group('protocol')} {way} {match.group('peer')} --dport {match.group('port')} -j ACCEPT"
            yield RuleChange(
                node, "ip6tables" if six else "iptables", "", "filter", f"ufw{'6' if six else ''}-{chain}", rule
            )
