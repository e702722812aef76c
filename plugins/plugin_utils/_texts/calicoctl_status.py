# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`calicoctl node status` of calicoctl 1.0 to 3.33, and `calicoctl status` before it.

Long cells are wrapped over several rows up to 3.32. Peers without a word in INFO (administratively disabled) and those
that do not have Calico's names never stand here.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ...module_utils._numbers import is_whole
from . import lines
from .parsed import Parsed, Problems

_FAMILY = re.compile(r"\s*IPv([46]) (?:BGP status|Bird)")
_RULE = re.compile(r"\s*[+|┌├└╭╰─═—-][-+=─┬┼┴┐┤┘╮╯═—|]{3,}")
_ABSENT = re.compile(r"INFO: BIRDv([46]) process: '\w{1,8}' is not running")
_SOCKET = re.compile(r"BIRDv([46]) socket")
_CELLS = re.compile(r"[|│]")
_STATES = frozenset(["up", "start", "wait", "feed", "stop", "down", "flush"])
_HEADS = ("PEER ADDRESS", "NAME")
_TIME = re.compile(r"(?:\d{2}:\d{2}(?::\d{2})?|\d{4}-\d\d-\d\d)$")


class PeerRow(NamedTuple):
    """One row. `kind` is Mesh, Node, Global or '' (as protocols are called), `bgp_state` the first word of INFO if
    it is one of BGP's states ("Down" for a protocol that is down), `last_error` the rest; `since` as printed."""

    peer: str
    port: int | None
    kind: str
    state: str
    since: str
    bgp_state: str
    last_error: str


class Family(NamedTuple):
    """One address family: whether its BIRD runs (None: not said), its peers, and why it could not be asked ('' if it
    was)."""

    running: bool | None
    peers: tuple[PeerRow, ...]
    error: str = ""


class NodeStatus(NamedTuple):
    """`running`: whether calicoctl saw Calico's process; `bird_running`: False if it says that no BGP daemon runs. None
    where it says nothing. `families`: "ipv4" and "ipv6" as far as it speaks of them. `error`: why it failed, or ''."""

    running: bool | None
    bird_running: bool | None
    families: dict[str, Family]
    error: str = ""


_KINDS = {"node-to-node mesh": "Mesh", "node specific": "Node", "global": "Global"}
_BGP_STATES = frozenset(
    ["Idle", "Connect", "Active", "OpenSent", "OpenConfirm", "Established", "Close", "Passive", "Down"]
)


def parse(text: str) -> Parsed[NodeStatus]:
    """Return what calicoctl says. If nothing is said of a family, it has no entry."""
    reader = _Reader()
    for number, line in lines.numbered(text):
        if line.strip():
            reader.take(number, line)
    return Parsed(reader.status(), reader.problems.found())


class _Reader:
    def __init__(self) -> None:
        self.problems = Problems()
        self._running: bool | None = None
        self._bird_running: bool | None = None
        self._error = ""
        self._family = ""
        self._families: dict[str, tuple[bool | None, list[list[str]], str]] = {}

    def status(self) -> NodeStatus:
        families = {}
        for name, (running, rows, error) in self._families.items():
            families[name] = Family(running, tuple(_peer(row) for row in rows), error)
        return NodeStatus(self._running, self._bird_running, families, self._error)

    def take(self, number: int, line: str) -> None:
        family = _FAMILY.match(line)
        if family is not None:
            self._family = "ipv" + family.group(1)
            self._families.setdefault(self._family, (True, [], ""))
            return
        if _RULE.match(line):
            return
        if _CELLS.search(line[:4]):
            self._row(number, line)
        elif not self._sentence(line.strip()):
            self.problems.add(number, line, "not understood of calicoctl")

    def _row(self, number: int, line: str) -> None:
        # Who shows others what to look at makes it **bold**, and code is printed with the stars.
        cells = [cell.strip(" *") for cell in _CELLS.split(line.strip())[1:]]
        if cells and not cells[-1] and _CELLS.search(line.strip()[-1]):
            # Else the border is missing, because the row was cut.
            cells.pop()
        if len(cells) == 5 and not self._family and cells[0].upper() not in _HEADS:
            # Who copies only the table leaves out whose it is.
            self._family = "ipv6" if cells[0].count(":") > 1 else "ipv4"
            self._families.setdefault(self._family, (True, [], ""))
        if len(cells) == 5 and cells[0].upper() in _HEADS:
            return
        if len(cells) < 5 or not self._family:
            self.problems.add(number, line, "no row of a table of peers")
            return
        rows = self._families[self._family][1]
        if not cells[0] and rows:
            # The rest of cells that were too long for one row.
            rows[-1] = [f"{before} {more}".strip() for before, more in zip(rows[-1], cells, strict=False)]
        else:
            rows.append(cells[:5])

    def _sentence(self, line: str) -> bool:
        lowered = line.lower()
        absent = _ABSENT.search(line)
        if absent is not None:
            self._families["ipv" + absent.group(1)] = (False, [], "")
        elif "is not running" in lowered and ("calico process" in lowered or "calico-node" in lowered):
            self._running = False
        elif re.search(r"calico process is running|calico-node (?:container|service) is running", lowered):
            self._running = True
        elif "bgp backend process" in lowered:
            self._bird_running = False
        elif re.match(r"no ipv[46] (?:peers|bgp)", lowered):
            return True
        elif lowered.startswith(("error querying bird", "error executing command", "unable to connect to server")):
            self._failed(line)
        elif "super user privileges" in lowered or "calico-node container not running" in lowered:
            self._error = line[:200]
            self._running = False if "not running" in lowered else self._running
        else:
            return lowered.startswith(("warning", "bird ", "defaulted container"))
        return True

    def _failed(self, line: str) -> None:
        """Note why a family could not be asked. calicoctl ends this line with no newline, and the next may be
        joined."""
        match = _SOCKET.search(line)
        family = "ipv" + match.group(1) if match else self._family
        if not family:
            self._error = line[:200]
            return
        _running, rows, _error = self._families.get(family, (None, [], ""))
        self._families[family] = (None, rows, line[:200])
        joined = re.search(r"IPv([46]) BGP status", line)
        if joined is not None:
            self._family = "ipv" + joined.group(1)
            self._families.setdefault(self._family, (True, [], ""))


def _peer(row: list[str]) -> PeerRow:
    peer, kind, state, since, info = (row + [""] * 5)[:5]
    # confd puts a port into the protocol's name, and calicoctl replaces its underscores, too.
    address, _port, port = peer.replace(":port:", ".port.").partition(".port.")
    first, _space, rest = info.partition(" ")
    if first not in _BGP_STATES:
        first, rest = ("Down" if state == "down" else ""), info
    number = int(port) if is_whole(port) and len(port) < 6 else None
    return PeerRow(address, number, _KINDS.get(kind.lower(), ""), state, since, first, rest.strip())
