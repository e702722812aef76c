# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which object an AS number comes from about which the two ends of a session disagree, and what it should say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from . import api

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.sessions import Session, Side
    from .._peering.model import Stanza

ASKED_FOR = "spec.asNumber"
OWN = "spec.localASNumber"
NODES_OWN = api.ANNOTATION.format("ASNumber")
_OF_BGPPEERS = ("Node", "Global")
# What BIRD says of a neighbour that refuses it; its word of one that it refuses itself ends in the neighbour's number.
_BY_PEER = "Received: Bad peer AS"
_REFUSED = re.compile(r"\bError: Bad peer AS: (\d+)")


def local_as(side: Side) -> int | None:
    """The AS number with which an end of a session speaks there; None if it is not told."""
    if side.protocol and side.protocol.local_as is not None:
        return side.protocol.local_as
    return side.daemon.local_as if side.daemon else None


def at_fault(evidence: Evidence, name: str, sessions: Iterable[Session]) -> dict[str, Any]:
    """The object at fault as a finding's where: object, field, value and should_be, as far as they are known; {} if no
    object is known. name: the node at fault, or a peer that is none."""
    ends = [pair for session in sessions for pair in session.sides()]
    here = [(side, other) for side, other in ends if side.node and side.node.name == name]
    # Of a peer that is no node its own side is not seen: then it is the nodes' word for it that can be put right.
    for side, other in here or [pair for pair in ends if pair[0].node]:
        found = _expectation(evidence, side, other) or _own_number(evidence, side, other)
        if found:
            return found
    return {}


def _expectation(evidence: Evidence, side: Side, other: Side) -> dict[str, Any]:
    """The BGPPeer that tells this end to expect another AS number than the other end has."""
    wanted = side.protocol.neighbor_as if side.protocol else None
    actual = local_as(other) or _came_with(side, other)
    if not wanted or wanted == actual or (actual is None and (other.node is not None or _is_refused(side, other))):
        return {}
    stanza = _stanza(evidence, side, other)
    if stanza is not None and stanza.bgp_peer:
        return _where(f"BGPPeer {stanza.bgp_peer}", ASKED_FOR, wanted, actual)
    if stanza is None and side.protocol and side.protocol.kind in _OF_BGPPEERS:
        return _where("BGPPeer", ASKED_FOR, wanted, actual)
    return {}


def _own_number(evidence: Evidence, side: Side, other: Side) -> dict[str, Any]:
    """What gives this end an AS number of its own that the other end does not expect."""
    own, expected = local_as(side), other.protocol.neighbor_as if other.protocol else None
    told = expected is not None or (other.node is None and _is_refused(side, other))
    if not own or not told or own == expected or side.node is None:
        return {}
    stanza = _stanza(evidence, side, other)
    record = api.record_of(evidence, side.node.name)
    if record is None or record.calico is None:
        return {}
    if record.calico.as_number:
        return _where(f"node {record.record}", NODES_OWN, own, expected)
    if stanza is not None and stanza.bgp_peer and stanza.local_as == own:
        speaker = evidence.expected.speakers.get(record.record) if evidence.expected else None
        if speaker is not None and speaker.as_number != own:
            return _where(f"BGPPeer {stanza.bgp_peer}", OWN, own, expected)
    return {}


def _where(what: str, field: str, value: int, should_be: int | None) -> dict[str, Any]:
    return api.where(what, field, value=value, **({"should_be": should_be} if should_be else {}))


def _stanza(evidence: Evidence, side: Side, other: Side) -> Stanza | None:
    """What is planned for this end of the session: the protocol of the same name, else the first one."""
    record = api.record_of(evidence, side.node.name) if side.node else None
    if evidence.expected is None or record is None:
        return None
    family = "ipv6" if ":" in other.address else "ipv4"
    planned = evidence.expected.towards(record.record, family, other.address)
    name = side.protocol.name if side.protocol else ""
    return next((one for one in planned if one.name == name), planned[0] if planned else None)


def _came_with(side: Side, other: Side) -> int | None:
    """The AS number with which a peer came, as BIRD tells that refuses it."""
    return next(_refused_numbers(side, other), None)


def _is_refused(side: Side, other: Side) -> bool:
    """The peer says that it does not take this end's number, so that it is not the peer's number that is wrong here."""
    texts = [side.protocol.last_error] if side.protocol else []
    texts += [line.text for line in side.node.log_lines("bad_peer_as", peer=other.address)] if side.node else []
    return any(_BY_PEER in text for text in texts) and next(_refused_numbers(side, other), None) is None


def _refused_numbers(side: Side, other: Side) -> Iterator[int]:
    texts = [side.protocol.last_error] if side.protocol else []
    texts += [line.text for line in side.node.log_lines("bad_peer_as", peer=other.address)] if side.node else []
    for text in texts:
        told = _REFUSED.search(text)
        if told:
            yield int(told.group(1)[:10])
