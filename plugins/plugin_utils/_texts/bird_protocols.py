# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`birdcl show protocols` (all) and `show status`, with or without birdcl's banner, several of them in one text."""

from __future__ import annotations

import re
from typing import NamedTuple

from ...module_utils._bird import log, replies
from . import lines
from .parsed import Parsed, Problem

_BANNER = re.compile(r"(?m)^(?:0001 )?BIRD (\S{1,64}) ready\.")
_HEADS = (("name", "proto"), ("Name", "Proto"))


class BirdText(NamedTuple):
    """`status`: of `show status` if it is there (all its fields empty if not); `sessions`: the BGP protocols; `listed`:
    whether there is a list of protocols at all, and `detailed`, whether it was made with `all`; `error`: what birdcl
    says if it did not reach BIRD, else ''."""

    status: replies.Status
    sessions: tuple[replies.Session, ...]
    listed: bool
    detailed: bool
    error: str


def parse(text: str) -> Parsed[BirdText]:
    """Return what BIRD said. Ages are there only if `show status` is, too. Without `all`, peers are told by names."""
    body = _unwrapped(text)
    status = replies.parse_status(body)
    banner = _BANNER.search(body)
    if banner is not None and not status.version:
        status = status._replace(version=banner.group(1))
    # What belongs to the one is nothing to the other: only what neither of them understands was not read.
    status = status._replace(unread=[])
    listing = replies.parse_sessions(body, status.now)
    unread = [Problem(*one, "not understood of BIRD") for one in listing.unread if replies.parse_status(one[1]).unread]
    sessions = []
    for session in listing:
        peer = session.peer.partition("%")[0] or log.peer_in_name(session.name)
        sessions.append(session._replace(peer=peer))
    rows = [line for line in body.split("\n") if line]
    listed = any(tuple(row.split()[:2]) in _HEADS for row in rows) or bool(sessions)
    detailed = any("BGP state:" in row or "Preference:" in row for row in rows)
    error = next((row for row in rows if _is_error(row)), "")
    found = BirdText(status, tuple(sessions), listed, detailed, error[:200])
    if not listed and not error and not status.version and not status.state:
        first = next(((number, line) for number, line in enumerate(body.split("\n"), 1) if line.strip()), (0, ""))
        return Parsed(found, (Problem(first[0], first[1][:120], "nothing that BIRD says"),))
    return Parsed(found, () if error else tuple(unread))


def _is_error(row: str) -> bool:
    return row.startswith(("Unable to connect to server control socket", "Connection closed by server")) or (
        "bird" in row and "not found" in row[:200]
    )


def _unwrapped(text: str) -> str:
    """Return the text without birdc's prompts."""
    return "\n".join(row.removeprefix("bird> ") for row in lines.printed(text).split("\n"))
