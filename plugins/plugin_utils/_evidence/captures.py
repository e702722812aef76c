# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What captures and other speakers' logs show of BGP: calico_bgp.captured and calico_bgp.turned_away.

Only texts that somebody collected tell of these; their shapes are described where they are made (_texts.bgp_capture
and _texts.speaker_log).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class Sent:
    """What one end of a conversation sent: messages by kind; repeated: how often the same bytes at most."""

    payloads: int = 0
    repeated: int = 0
    acknowledged: bool = False
    messages: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Notice:
    """A notification. heard_before: seconds since the other end's last message, None if there is none."""

    by: str
    says: str
    heard_before: float | None


@dataclass(frozen=True)
class Conversation:
    """Two ends that speak BGP, named as the capture prints them; sent is the caller's part."""

    caller: str
    called: str
    handshake: bool
    sent: Sent
    answered: Sent
    resets: tuple[str, ...]
    notices: tuple[Notice, ...]

    def other(self, end: str) -> str:
        """The opposite end."""
        return self.called if end == self.caller else self.caller


@dataclass(frozen=True)
class TurnedAway:
    """A line of another speaker's log: the router sent it a notification, or hung up."""

    speaker: str
    peer: str
    notified: bool
    text: str
    at: str
    count: int


def conversations(bgp: Mapping[str, Any]) -> Iterator[Conversation]:
    """Read calico_bgp.captured."""
    for item in plain.mappings(bgp.get("captured")):
        yield Conversation(
            plain.text(item.get("caller")),
            plain.text(item.get("called")),
            bool(item.get("handshake")),
            _sent(plain.mapping(item.get("sent"))),
            _sent(plain.mapping(item.get("answered"))),
            plain.texts(item.get("resets")),
            tuple(_notices(item)),
        )


def _sent(item: Mapping[str, Any]) -> Sent:
    messages = plain.mapping(item.get("messages"))
    return Sent(
        plain.count(item.get("payloads")),
        plain.count(item.get("repeated")),
        bool(item.get("acknowledged")),
        {kind: plain.count(number) for kind, number in messages.items()},
    )


def _notices(item: Mapping[str, Any]) -> Iterator[Notice]:
    for one in plain.mappings(item.get("notifications")):
        known = "heard_before" in one
        heard = plain.seconds(one.get("heard_before")) if known else None
        yield Notice(plain.text(one.get("by")), plain.text(one.get("says")), heard)


def turned_away(bgp: Mapping[str, Any]) -> Iterator[TurnedAway]:
    """Read calico_bgp.turned_away."""
    for item in plain.mappings(bgp.get("turned_away")):
        yield TurnedAway(
            plain.text(item.get("speaker")),
            plain.text(item.get("peer")),
            bool(item.get("notified")),
            plain.text(item.get("text")),
            plain.text(item.get("at")),
            plain.count(item.get("count")) or 1,
        )
