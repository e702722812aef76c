# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`ufw status`, `ufw status verbose` and `ufw status numbered`.

What ufw tells are its users' rules and, verbose, its defaults; the rules which it puts around them are the ones that
it installs. Without the defaults it is not known what becomes of packets that no rule is for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...module_utils._firewall import iptables_save, model
from . import firewall_model, lines
from .firewall_model import Filters
from .parsed import Parsed, Problems

if TYPE_CHECKING:
    from collections.abc import Sequence

plain = firewall_model.plain
_RULE = re.compile(r"(?:\[ ?\d+\] )?(\S.*?)\s+(ALLOW|DENY|REJECT|LIMIT)(?: (IN|OUT|FWD))?\s+(\S.*)$")
_DEFAULT = re.compile(r"(allow|deny|reject|disabled) \((incoming|outgoing|routed)\)")
_PORTS = re.compile(r"([\d:,]+)(?:/(tcp|udp))?\Z")
_PROTOCOL_OF = re.compile(r"(Anywhere|[\d.]+(?:/\d+)?|[0-9a-fA-F:]+(?:/\d+)?)/([a-z][\w-]*)\Z")
_NOISE = re.compile(r"\((?:v6|out|log|log-all)\)|\([^()]*(?:\(v6\))?\)")
_FAMILIES = (("ipv4", "ufw"), ("ipv6", "ufw6"))
_UNTOLD = "the defaults of ufw are told by its verbose status only"
_TARGETS = {"ALLOW": "ACCEPT", "DENY": "DROP", "REJECT": "REJECT", "LIMIT": "ACCEPT"}
_ALWAYS = (
    "-i lo -j ACCEPT",
    "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "-m conntrack --ctstate INVALID -j DROP",
)


class _Side:
    """One end of a rule: an address, ports, an interface; `unread` is what is not understood."""

    def __init__(self, text: str) -> None:
        self.address, self.ports, self.protocol, self.interface, self.unread = "", "", "", "", ""
        words = _NOISE.sub(" ", text).split()
        while words:
            word = words.pop(0)
            ports, protocol = _PORTS.match(word), _PROTOCOL_OF.match(word)
            if word == "on" and words:
                self.interface = words.pop(0)
            elif model.address_number(word.partition("/")[0]) is not None and not protocol:
                self.address = word
            elif ports:
                self.ports, self.protocol = ports.group(1), ports.group(2) or ""
            elif protocol:
                self.address, self.protocol = protocol.group(1).replace("Anywhere", ""), protocol.group(2)
            elif word != "Anywhere":
                self.unread = f"{self.unread} {word}".strip()


def parse(text: str) -> Parsed[Filters]:
    """Return ufw's filters; none if it is inactive. Never raises."""
    problems = Problems()
    active: bool | None = None
    defaults: dict[str, str] = {}
    rules: list[tuple[str, str]] = []
    for number, line in lines.numbered(text):
        found = _RULE.match(line)
        if line.startswith("Status:"):
            active = line.split(":", 1)[1].strip() == "active"
        elif line.startswith("Default:"):
            defaults.update({way: what for what, way in _DEFAULT.findall(line)})
        elif found:
            problem = _add(rules, *found.groups())
            if problem:
                problems.add(number, line, problem)
        elif line.strip() and not line.startswith(("Logging:", "New profiles:", "To ", "     To", "--", "     --")):
            problems.add(number, line, "not understood")
    if active is None and (rules or defaults):
        problems.add(0, "", "no line tells whether ufw is active")
    if not active:
        return Parsed(Filters(), problems.found())
    tables = [table for family, prefix in _FAMILIES for table in _tables(family, prefix, defaults, rules)]
    return Parsed(firewall_model.of_iptables(tables, model.NFT, len(rules)), problems.found())


def drops_routed(text: str) -> bool:
    """Say whether an active ufw drops, unless a rule of somebody's lets it pass, what the host forwards."""
    told = [line.split(":", 1)[1] for _number, line in lines.numbered(text) if line.startswith("Default:")]
    return "Status: active" in text and any("deny (routed)" in one or "reject (routed)" in one for one in told)


def _add(rules: list[tuple[str, str]], to: str, action: str, way: str | None, origin: str) -> str:
    """Put a rule with those of its families and chains; return what of it was not understood."""
    if way == "FWD":
        return ""
    origin = origin.partition(" # ")[0]
    target, source = _Side(to), _Side(origin)
    is_ipv6 = "(v6)" in to + origin or ":" in target.address + source.address
    is_ipv4 = not is_ipv6
    chain = "output" if way == "OUT" else "input"
    for family, wanted in (("ipv4", is_ipv4), ("ipv6", is_ipv6)):
        if wanted:
            rules.extend((family + chain, line) for line in _lines(target, source, action, chain))
    return f"not understood: {target.unread or source.unread}" if target.unread or source.unread else ""


def _lines(target: _Side, source: _Side, action: str, chain: str) -> list[str]:
    words = []
    for option, side in (("-s", source), ("-d", target)):
        words += [option, side.address] if side.address else []
    interface = target.interface or source.interface
    words += ["-o" if chain == "output" else "-i", interface] if interface else []
    protocol = target.protocol or source.protocol
    ports = [(option, side.ports) for option, side in (("--sports", source), ("--dports", target)) if side.ports]
    unread = " ".join(filter(None, (target.unread, source.unread)))
    made = []
    for one in [protocol] if protocol or not ports else ["tcp", "udp"]:
        own = [*words, *(["-p", one] if one else [])]
        for option, given in ports:
            own += ["-m", "multiport", option, given]
        own += ["-m", "listed", '"' + unread.replace('"', "'") + '"'] if unread else []
        if action == "LIMIT":
            made.append(" ".join([*own, "-m", "recent", "--update", "-j", "REJECT"]))
        reject = ["--reject-with", "tcp-reset"] if action == "REJECT" and one == "tcp" else []
        made.append(" ".join([*own, "-j", _TARGETS[action], *reject]))
    return made


def _tables(family: str, prefix: str, defaults: dict[str, str], rules: Sequence[tuple[str, str]]) -> list[model.Table]:
    saved = ["*filter"]
    chains = (("input", "incoming"), ("output", "outgoing"))
    for way, name in chains:
        saved.append(f":{way.upper()} {'ACCEPT' if defaults.get(name) == 'allow' else 'DROP'}")
        saved += [f":{prefix}-{part}-{way} -" for part in ("before", "user", "reject")]
    for way, name in chains:
        saved += [f"-A {way.upper()} -j {prefix}-{part}-{way}" for part in ("before", "reject")]
        known = [line.replace("-i lo", "-o lo") if way == "output" else line for line in _ALWAYS]
        saved += [f"-A {prefix}-before-{way} {line}" for line in (known if way == "input" else known[:2])]
        saved.append(f"-A {prefix}-before-{way} -j {prefix}-user-{way}")
        saved += [f"-A {prefix}-user-{way} {line}" for place, line in rules if place == family + way]
        if defaults.get(name) == "reject":
            saved.append(f"-A {prefix}-reject-{way} -j REJECT")
        elif name not in defaults:
            saved.append(f'-A {prefix}-reject-{way} -j "{_UNTOLD}"')
    return iptables_save.parse("\n".join([*saved, "COMMIT", ""]), model.NFT, family).tables
