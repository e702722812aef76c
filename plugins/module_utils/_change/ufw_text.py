# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules that ufw keeps in user.rules and user6.rules, each with a comment that says in ufw's words what it is."""

from __future__ import annotations

from .._record import NamedTuple

_MARK = "### tuple ###"
ANYWHERE = {"0.0.0.0/0": "any", "::/0": "any"}


class Tuple(NamedTuple):
    """One rule: action, protocol, ports, addresses ("any" where there is none) and "in" or "out" with an interface."""

    action: str
    protocol: str
    port: str
    destination: str
    source_port: str
    source: str
    way: str


def tuples(text: str) -> list[tuple[Tuple, str]]:
    """Return the rules of a file in their order, with their comments. Those for applications and routes are passed
    over: ("", …) stands in their place, so that the others' numbers stay right."""
    found = []
    for line in text.split("\n"):
        if not line.startswith(_MARK):
            continue
        words = line[len(_MARK) :].split()
        comment = ""
        if words and words[-1].startswith("comment="):
            comment = _unhexed(words.pop()[len("comment=") :])
        if len(words) != 7 or words[0].startswith("route:"):
            found.append((Tuple("", "", "", "", "", "", ""), comment))
            continue
        words[3], words[5] = _address(words[3]), _address(words[5])
        found.append((Tuple(*words), comment))
    return found


def _address(word: str) -> str:
    word = ANYWHERE.get(word, word)
    return word[: -len("/32")] if word.endswith("/32") else word[: -len("/128")] if word.endswith("/128") else word


def _unhexed(word: str) -> str:
    try:
        return bytes.fromhex(word).decode("utf-8", "replace")
    except ValueError:
        return ""


def plain_address(address: str) -> str:
    """Return an address as tuples() has it."""
    return _address(address or "any")
