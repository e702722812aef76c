# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`iptables --version`: the release and the backend to which that iptables writes."""

from __future__ import annotations

import re
from typing import NamedTuple

from . import lines
from .parsed import Parsed

LEGACY, NFT = "legacy", "nf_tables"
_ROW = re.compile(r"ip6?tables\S{0,40} v(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?(?: \((legacy|nf_tables)\))?\s*$")
# Until then there was but one iptables; since then it says which one it is.
_FIRST_WITH_TWO = (1, 8)


class Version(NamedTuple):
    """A release and its backend, legacy or nf_tables; '' where a release that may have either does not say."""

    release: str
    backend: str


def parse(text: str) -> Parsed[Version | None]:
    """Return the first version that is told, None without any."""
    for _number, line in lines.numbered(text):
        row = _ROW.match(line.strip())
        if row is not None:
            release = tuple(int(part) for part in row.groups()[:3] if part)
            backend = row.group(4) or (LEGACY if release[:2] < _FIRST_WITH_TWO else "")
            return Parsed(Version(".".join(map(str, release)), backend))
    return Parsed(None)
