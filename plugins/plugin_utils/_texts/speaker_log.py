# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs of other BGP speakers on a node: what a router answers when it has a session with the same address already.

calico_bgp.turned_away is a list, one entry for each speaker, peer and wording:

  {"speaker": "metallb", "peer": "10.0.0.254", "notified": true, "text": "…", "at": "2026-…Z", "count": 3}

notified: a notification of BGP came, of a kind that a session of somebody else brings about (a collision, a connection
rejected), or of a kind that is not told; else the router hung up. Answers that have other reasons are left out: an AS
number that is not expected, a limit of prefixes, an administrator.

The wordings are those of MetalLB's own speaker (internal/bgp/native of v0.13, pkg/bgp of v0.2) and of FRR (bgpd
8.5, MetalLB's other speaker).
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from ...module_utils._inet import is_address
from . import log

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Entry = dict[str, Any]

MOST = 20
_LONGEST = 200
# Calico's own have another form of telling it; BIRD's lines are read elsewhere.
_OTHERS = ("calico-node.log", "bird.log", "bird6.log", "confd.log", "typha.log", "install-cni.log", "kubelet.log")
_MARKS = ("read OPEN from", "BGP notification code", "NOTIFICATION: received from")
# Of notifications "Cease" those that another session brings about (RFC 4486): rejected, collision.
_COLLISION_CODES = ("0605", "0607")
_METALLB = re.compile(r'read OPEN from "\[?([0-9A-Fa-f.:]{2,45}?)\]?:\d{1,5}": (.{1,300})')
_CODE = re.compile(r"got BGP notification code 0x(\d{4})")
_FRR = re.compile(
    r"NOTIFICATION: received from neighbor ([0-9A-Fa-f.:]{2,45}) (?:\([^)]{0,60}\) |\w{1,10} )?(\d)/(\d{1,2})"
)


def facts(texts: Mapping[str, str]) -> list[Entry]:
    """Return calico_bgp.turned_away of a node's texts by their names, the first MOST entries."""
    found: dict[tuple[str, str, bool], Entry] = {}
    for name, text in texts.items():
        base = name.rpartition("/")[2]
        if base.endswith(".log") and base not in _OTHERS and any(mark in text for mark in _MARKS):
            for entry in _entries(text):
                key = (entry["speaker"], entry["peer"], entry["notified"])
                before = found.pop(key, None)
                found[key] = {**entry, "count": before["count"] + 1 if before else 1}
    return list(found.values())[:MOST]


def _entries(text: str) -> Iterator[Entry]:
    for line in log.entries(text):
        if not any(mark in line.message for mark in _MARKS):
            continue
        entry = _metallb(line.message) or _frr(line.message)
        if entry is not None:
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(line.at)) if line.at is not None else ""
            yield {**entry, "text": line.message[:_LONGEST], "at": stamp}


def _metallb(message: str) -> Entry | None:
    match = _METALLB.search(message)
    code = _CODE.search(message)
    if match is None and code is None:
        return None
    peer = match.group(1) if match is not None and is_address(match.group(1)) else ""
    if code is not None:
        return _entry("metallb", peer, True) if code.group(1) in _COLLISION_CODES else None
    words = match.group(2) if match is not None else ""
    if "got 3, want 1" in words:
        return _entry("metallb", peer, True)
    return _entry("metallb", peer, False) if "EOF" in words or "reset by peer" in words else None


def _frr(message: str) -> Entry | None:
    match = _FRR.search(message)
    if match is None or f"{match.group(2):0>2}{match.group(3):0>2}" not in _COLLISION_CODES:
        return None
    return _entry("bgpd", match.group(1), True)


def _entry(speaker: str, peer: str, notified: bool) -> Entry:
    return {"speaker": speaker, "peer": peer, "notified": notified}
