# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What calico-node's probes say of themselves, as it stands in events, in `kubectl describe` and in logs."""

from __future__ import annotations

import re
from typing import NamedTuple

from . import words

_PROBE = re.compile(r"(Readiness|Liveness|Startup) probe (?:failed|errored)", re.IGNORECASE)
_PEERS = re.compile(r"BGP not established with ([^\s,]{1,64}(?:, ?[^\s,]{1,64}){0,5000})")
_SAYING = re.compile(
    r"(?:calico/node is not (?P<state>ready|live): )?(?P<what>BIRD6?|[Ff]elix|bird/confd|bird6?|confd"
    r"|tunnel-ip-allocator)"
    r" is not (?P<own>ready|live)(?:: (?P<why>.{0,400}))?"
)
# The same without what stands before it.
_ASKED = re.compile(r"unable to connect to BIRDv(?P<family>[46]) socket: (?P<why>.{0,400})")
# The first words that are found tell why.
_REASONS = (
    ("BGP not established", "not_established"),
    ("graceful restart", "graceful_restart"),
    ("no such file or directory", "no_socket"),
    ("connection refused", "refused"),
    ("nodename file", "no_nodename"),
    ("probe reporting 503", "reports_503"),
    ("deadline exceeded", "timed_out"),
    ("imeout", "timed_out"),
    ("exit status", "check_failed"),
)


class NotReady(NamedTuple):
    """`component` is bird, bird6, felix or confd; `probe` readiness, liveness, startup or ''; `reason` one of
    not_established, graceful_restart, no_socket, refused, no_nodename, reports_503, timed_out, check_failed, other;
    `peers` those that BIRD has no session with (masked ones as printed)."""

    component: str
    probe: str
    reason: str
    peers: tuple[str, ...]
    text: str


def read(message: str) -> list[NotReady]:
    """Return what a message says is not ready; nothing if it is not about that."""
    if " is not " not in message:
        return _quoted(message)
    probe = _PROBE.search(message)
    found = []
    for match in _SAYING.finditer(message[:20_000]):
        what = match.group("what").lower()
        why = match.group("why") or ""
        reason = next((reason for mark, reason in _REASONS if mark in why), "other")
        listed = _PEERS.search(message, match.start()) if reason == "not_established" else None
        peers = [peer.strip().rstrip(".,;\"'") for peer in listed.group(1).split(",")] if listed else []
        component = "confd" if what == "bird/confd" else what
        known = tuple(words.address(peer) or peer for peer in peers if peer)
        found.append(NotReady(component, probe.group(1).lower() if probe else "", reason, known, match.group()[:400]))
    return found


def _quoted(message: str) -> list[NotReady]:
    """Return what part of a message says of BIRD's socket."""
    match = _ASKED.search(message[:20_000])
    if match is None:
        return []
    reason = next((reason for mark, reason in _REASONS if mark in match.group("why")), "other")
    return [NotReady("bird6" if match.group("family") == "6" else "bird", "", reason, (), match.group()[:400])]
