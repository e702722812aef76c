# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules of a native chain: what `nft` lists of them, and which is the one meant."""

from __future__ import annotations

import re

from .._firewall import nft_statements, nft_words, nftables
from .._record import NamedTuple
from .model import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HANDLE = re.compile(r" # handle (\d+)\s*$")


class Listed(NamedTuple):
    """A rule as nft lists it; `text` is its own words, without the handle."""

    handle: int
    text: str
    comment: str
    expr: Any


def listed(text: str, document: str, chain: str) -> list[Listed]:
    """Return the rules of a chain from `nft -a list chain …` and `nft -j list chain …`, in their order."""
    texts = _texts(text)
    found = []
    for rule in nftables.objects(document, "rule"):
        handle = rule.get("handle")
        if rule.get("chain") == chain and isinstance(handle, int) and handle in texts:
            found.append(Listed(handle, texts[handle], str(rule.get("comment", "")), rule.get("expr", [])))
    return found


def _texts(text: str) -> dict[int, str]:
    found: dict[int, str] = {}
    kept: list[str] = []
    for line in text.split("\n"):
        stripped = line.strip()
        handle = _HANDLE.search(line)
        if handle is None:
            kept.append(stripped)  # the first lines of a rule with a long set
        elif stripped.startswith(("table ", "chain ")):
            kept = []
        else:
            if kept and re.match(r"type \w+ hook ", kept[0]):
                kept = kept[1:]
            found[int(handle.group(1))] = " ".join([*kept, _HANDLE.sub("", line).strip()])
            kept = []
    return found


def expression(rule: str, family: str) -> list[Any]:
    """Return a rule in nft's language as the statements of nft's JSON. Raises RefusedError."""
    words = [word for word in nft_words.split(rule)[0] if word != "\n"]
    if not words or ";" in words or "\n" in rule:
        raise RefusedError(f"{rule[:120]!r} is no rule of nft")
    statements, _comment, unread = nft_statements.translate(words, family)
    return [*statements, *([{"unread": unread}] if unread else [])]


def commented(rule: str, comment: str) -> str:
    """Return a rule's text with its comment."""
    return f'{rule} comment "{comment}"'


def alike(one: Any, other: Any) -> bool:
    """Say whether two lists of statements are the same rule."""
    return one == other or _meaning(one) == _meaning(other)


def _meaning(statements: Any) -> list[tuple[list[str], str, str, str]]:
    rules = nftables.translate(0, {"expr": statements}, {})
    return [
        (sorted({repr(match) for match in rule.matches}), repr(rule.effects), rule.verdict, rule.argument)
        for rule in rules
    ]
