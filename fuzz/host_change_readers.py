# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How what finds and places rules is called, before a host is changed: files and listings are somebody else's."""

from __future__ import annotations

import importlib
import json
from typing import Any

_PACKAGE = "ansible_collections.netmedic.calico.plugins.module_utils._change"
_BGP = "-s 10.0.0.2 -p tcp --dport 179 -j ACCEPT"
_NFT_BGP = "ip saddr 10.0.0.2 tcp dport 179 accept"


def _module(name: str) -> Any:
    return importlib.import_module(f"{_PACKAGE}.{name}")


def _unless_refused(read: Any, *given: Any) -> Any:
    try:
        return read(*given)
    except _module("model").RefusedError:
        return None


def saved_rule(data: bytes) -> Any:
    """Find a rule's place in a file, put a line there, and take it out again."""
    text = data.decode("utf-8", "surrogateescape")
    places = []
    for family, chain, rule in (("", "INPUT", _BGP), ("inet", "input", _NFT_BGP)):
        options = {"kind": "saved_rule", "path": "/f", "chain": chain, "rule": rule, "comment": "a"}
        kind = _module("kinds").one(dict(options, **({"family": family} if family else {})))
        place = _unless_refused(kind._place, text)
        if place is not None:
            number = kind._line_number(text, 1, "")
            longer = _module("saved_text").insert(text, number, "line")
            if _module("saved_text").remove(longer, number) != text:
                raise AssertionError(number)
            places.append((place, kind._meant(text, place)))
    saved_text = _module("saved_text")
    every = saved_text.Place(list(range(min(text.count("\n") + 1, 100))), 0, 0, "")
    alike = saved_text.like_nft(text, every, _NFT_BGP, "a", "inet")
    decoded = _module("kind_saved")._decoded(data)
    return places, alike, saved_text.is_nft(text), len(decoded)


def rule_words(data: bytes) -> Any:
    """Take apart a rule that somebody wrote, and compare it with another."""
    text = data.decode("utf-8", "replace")
    words = _unless_refused(_module("iptables_text").words_of, text, "")
    own = f"-A INPUT {_BGP}"
    told = [_module("iptables_text").alike(line, own, "ipv4") for line in text.split("\n")[:50]]
    rules = _module("iptables_text").rules_in(text, "INPUT")
    expression = _unless_refused(_module("nft_rules").expression, text, "inet")
    listing = json.dumps({"nftables": [{"rule": {"chain": "in", "handle": 5, "expr": []}}]})
    listed = _module("nft_rules").listed(text, listing, "in")
    return words, told, rules, expression, listed, _module("nft_rules").commented(text, "a")[:80]


def ufw_tuples(data: bytes) -> Any:
    """Read ufw's own comments."""
    return _module("ufw_text").tuples(data.decode("utf-8", "replace"))


def own_firewall_rules(data: bytes) -> Any:
    """What takes away a rule of this collection, of whatever filter."""
    rules = importlib.import_module("ansible_collections.netmedic.calico.plugins.plugin_utils._cure.own_firewall_rules")
    entry = {"family": "ipv4", "table": "inet own", "chain": "INPUT", "text": data.decode("utf-8", "replace")}
    backends = ("ufw", "iptables-nft", "nftables", "/etc/nftables.conf")
    return [rules.change({**entry, "backend": backend}, "10.0.0.9", "absent") for backend in backends]


def saved_settings(data: bytes) -> Any:
    """Find the line that decides a kernel setting, change its value, and change it back."""
    text = data.decode("utf-8", "surrogateescape")
    module = _module("saved_settings")
    found = module.deciding(text, "net.ipv4.ip_forward")
    lines = text.split("\n")
    line = found.line if found else lines[-1]
    changed = module.with_value(line, "a")
    back = module.replaced(module.replaced(text, line, changed), changed, line)
    if changed not in lines and back != text:
        raise AssertionError(line)
    return found, module.path_of(text[:200]), module.shell_value(text, "ENABLED")
