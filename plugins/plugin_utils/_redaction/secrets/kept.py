# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets that were found: cut where they are, and kept in memory, to look for them elsewhere."""

from __future__ import annotations

import re

from ..vocabulary import CUT
from . import judge, written

_LEAST = 6
_WORDS_ONLY = re.compile(r"[A-Za-z]{1,7}$|[a-z]+(?:[-_. ][a-z]+)*$|v?\d+(?:\.\d+)*$")


class Kept:
    """What was found so far. `made` replaces keys that must be told apart from each other."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self.made: set[str] = set()

    def take(self, value: str) -> None:
        """Remember the value of a secret, if it is one that would be known again."""
        unpacked = written.unpacked(value)
        several = [part.strip() for text in (value, unpacked) if "\n" in text for part in text.split("\n")]
        for part in (value.strip(), unpacked, *(part for part in several if len(part) >= 2 * _LEAST)):
            if len(part) >= _LEAST and not _WORDS_ONLY.match(part) and part != CUT:
                self.found.add(part)

    def whole(self, match: re.Match[str]) -> str:
        """Cut all that a pattern found."""
        self.take(match.group())
        return CUT

    def second(self, match: re.Match[str]) -> str:
        """Cut a pattern's second group, or the one called value; quotes around it stay."""
        value = match["value"] if "value" in match.re.groupindex else match.group(2)
        if judge.harmless(value):
            return match.group()
        quoted = re.match(r"(\\{0,7}[\"']?)(.*?)(\\{0,7}[\"']?)$", value, re.DOTALL)
        before, inner, after = quoted.groups() if quoted else ("", value, "")
        self.take(inner)
        return f"{match.group(1)}{before}{CUT}{after}"

    def second_if_named(self, match: re.Match[str]) -> str:
        """Cut a pattern's second group. Where the pattern has a group with the value's name, the name decides."""
        if "name" in match.re.groupindex and not judge.is_named(match["name"]):
            return match.group()
        return self.second(match)
