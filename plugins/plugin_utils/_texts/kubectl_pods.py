# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`kubectl get pods`, with or without -A and -o wide, of kubectl 1.5 on."""

from __future__ import annotations

import re
from typing import NamedTuple

from . import columns, words
from .parsed import Parsed, Problems

_WANTED = frozenset(("NAME", "READY", "STATUS", "RESTARTS"))
_READY = re.compile(r"(\d{1,4})/(\d{1,4})$")


# A row whose head was lost: what stands after the age is the address and the node, if anything does.
_ROW = re.compile(
    r"\s*(?:(?P<NAMESPACE>[a-z0-9][a-z0-9-]{0,62})\s+)?(?P<NAME>[a-z0-9][\w.-]{1,252})\s+(?P<READY>\d{1,4}/\d{1,4})\s+"
    r"(?P<STATUS>[A-Z][\w:/]{2,60})\s+(?P<RESTARTS>\d{1,9}(?: \([\w ]{1,20} ago\))?)"
    r"(?:\s+(?P<AGE>\d{1,6}[smhdy]\w{0,12}))?"
    r"(?:\s+(?P<IP>[0-9a-fA-F:][0-9a-fA-F.:]+|<none>)\s+(?P<NODE>[\w.-]{1,253}|<none>))?(?:\s|$)"
)


class KubePod(NamedTuple):
    """One pod; what was not printed is ''. `ready` and `containers` count its containers, `restarts` None if
    unreadable, `last_restart` "5h ago" where it is printed."""

    namespace: str
    name: str
    ready: int
    containers: int
    status: str
    restarts: int | None
    last_restart: str
    age: str
    address: str
    node: str


def parse(text: str) -> Parsed[tuple[KubePod, ...]]:
    """Return the pods in the order printed."""
    problems = Problems()
    found: list[KubePod] = []
    for row in columns.rows(text, _WANTED):
        told = row.cells or _bare(row.text)
        ready = _READY.match(told["READY"]) if told else None
        if told is None or ready is None:
            problems.add(row.line, row.text, "no pod")
            continue
        cells = {name: columns.shown(value) for name, value in told.items()}
        restarts, _bracket, ago = cells["RESTARTS"].partition("(")
        found.append(
            KubePod(
                namespace=cells.get("NAMESPACE", ""),
                name=cells["NAME"].removeprefix("pod/"),
                ready=int(ready.group(1)),
                containers=int(ready.group(2)),
                status=cells["STATUS"],
                restarts=words.number(restarts.strip()),
                last_restart=ago.rstrip(")"),
                age=cells.get("AGE", ""),
                address=words.address(cells.get("IP", "")) or cells.get("IP", ""),
                node=cells.get("NODE", ""),
            )
        )
    return Parsed(tuple(found), problems.found())


def _bare(line: str) -> dict[str, str] | None:
    """Return the cells of a row that stands under no head, None if it is no such row."""
    match = _ROW.match(line)
    return {name: value for name, value in match.groupdict().items() if value} if match is not None else None
