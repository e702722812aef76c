# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules in the words of iptables-save: which two are the same, whatever the way in which they are written."""

from __future__ import annotations

import re
import shlex

from .._firewall import iptables_rule, model
from .model import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_WITH_MODULE = frozenset(("tcp", "udp", "udplite", "sctp", "dccp", "icmp", "ipv6-icmp", "icmpv6"))
_MODULE_OF = {"ipv6-icmp": "icmp6", "icmpv6": "icmp6"}
# What is not part of a rule but says what is done with it, or where.
_COMMANDS = re.compile(
    r"(-[ADIRLSFZNXPECtwWn]|--(append|delete|insert|replace|list|flush|zero|new-chain|delete-chain|policy|rename-chain"
    r"|check|table|wait.*|set-counters|numeric|modprobe.*))\Z"
)
_TARGETS = frozenset(("-j", "--jump", "-g", "--goto"))


def words_of(rule: str, comment: str) -> list[str]:
    """Return the words of a rule ("-p tcp --dport 179 -j ACCEPT") with its comment. Raises RefusedError."""
    try:
        words = shlex.split(rule)
    except ValueError as error:
        raise RefusedError(f"the rule {rule[:120]!r} cannot be read: {error}") from None
    if any(_COMMANDS.match(word) for word in words) or "\n" in rule or not words:
        raise RefusedError(f"{rule[:120]!r} is no rule alone: chain, table and position are options of their own")
    if comment and "--comment" in words:
        raise RefusedError(f"the rule {rule[:120]!r} has a comment already, and the option comment is given, too")
    return [*(("-m", "comment", "--comment", comment) if comment else ()), *words]


def line_of(chain: str, words: Sequence[str]) -> str:
    """Return a rule as a line of iptables-save; a word with blanks in it is quoted as there."""
    quoted = ['"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' if _odd(word) else word for word in words]
    return " ".join(["-A", chain, *quoted])


def _odd(word: str) -> bool:
    return not word or bool(re.search(r"[\s\"'\\]", word))


def split(line: str) -> list[str]:
    """Return the words of a line of iptables-save; none if it cannot be read."""
    try:
        return shlex.split(line)
    except ValueError:
        return []


def comment_of(words: Sequence[str]) -> str:
    """Return the comment among the words of a rule."""
    for at, word in enumerate(words[:-1]):
        if word == "--comment":
            return words[at + 1]
    return ""


def rules_in(text: str, chain: str) -> list[str] | None:
    """Return the rules of a chain in the text of `iptables-save -t TABLE`; None if the chain is not there."""
    found, known = [], False
    for line in text.split("\n"):
        if line.startswith(f":{chain} "):
            known = True
        elif line.startswith(f"-A {chain} "):
            found.append(line.rstrip())
    return found if known else None


def alike(line: str, other: str, family: str) -> bool:
    """Say whether two lines ("-A CHAIN …") are the same rule, with the same comment."""
    one, two = split(line), split(other)
    if not one or not two or comment_of(one) != comment_of(two):
        return False
    if one[1:2] != two[1:2] or _target(one) != _target(two):
        return False
    return _meaning(one, family) == _meaning(two, family)


def _target(words: Sequence[str]) -> list[str]:
    for at, word in enumerate(words):
        if word in _TARGETS:
            own = list(words[at + 1 :])
            # Behind the target others' options may follow where a person wrote the rule.
            end = next((number for number, one in enumerate(own) if one in {"-m", "-p", "-s", "-d", "-i", "-o"}), None)
            return _plain_reject(own[:end])
    return []


def _plain_reject(words: list[str]) -> list[str]:
    """Leave out what iptables adds to a plain REJECT by itself."""
    if words[:1] == ["REJECT"] and words[1:] in (
        ["--reject-with", "icmp-port-unreachable"],
        ["--reject-with", "icmp6-port-unreachable"],
    ):
        return words[:1]
    return words


def _meaning(words: Sequence[str], family: str) -> tuple[list[str], str, str]:
    """Return what a rule asks and does, in the evaluator's terms, in no order."""
    line = line_of(words[1], with_modules(words[2:]))
    rule = iptables_rule.translate(0, line, -1, model.Table(model.NFT, family, "filter", {}))
    return sorted({repr(match) for match in rule.matches}), repr(rule.effects), f"{rule.verdict} {rule.argument}"


def with_modules(words: Sequence[str]) -> list[str]:
    """Name the module of the protocol behind it, as iptables-save does and people do not."""
    found = list(words)
    for at, word in enumerate(words[:-1]):
        protocol = words[at + 1]
        module = _MODULE_OF.get(protocol, protocol)
        if word in {"-p", "--protocol"} and protocol in _WITH_MODULE:
            if not any(pair == ("-m", module) for pair in zip(words, words[1:])):
                found[at + 2 : at + 2] = ["-m", module]
            break
    return found
