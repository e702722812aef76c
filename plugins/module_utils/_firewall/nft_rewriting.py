# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the statements of nft's JSON write, and what must hold so that they have something to write.

    {"mangle": {"key": {"meta": {"key": "mark"}}, "value": {"map": {"key": {"payload": …}, "data": {"set": [[…], …]}}}}}

The kernel leaves a rule where an expression has no value: a map without the key, a field of a header that the packet
has not, a connection that is not tracked.
"""

from __future__ import annotations

from . import nft_match, nft_text
from .model import Effect, Match

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

_ALL_BITS = 0xFFFFFFFF
_DEEPEST = 20
# Fields that no match of the model looks at, because a packet on paper has them not.
_OF_NO_ACCOUNT = frozenset(
    (
        *(("ip", field) for field in ("dscp", "ecn", "ttl", "id", "checksum")),
        *(("ip6", field) for field in ("dscp", "ecn", "hoplimit", "flowlabel")),
        *(("tcp", field) for field in ("window", "checksum", "urgptr")),
        ("udp", "checksum"),
    )
)
# They have a value for every packet.
_ALWAYS_THERE = frozenset(
    (
        *("mark", "priority", "nfproto", "protocol", "length", "len", "iif", "oif", "iifname", "oifname", "cpu"),
        *("pkttype", "random", "time", "day", "hour", "ipsec", "secpath", "nftrace"),
    )
)
_HARD = frozenset(("rt", "fib", "socket", "osf", "exthdr", "tcp option", "ip option", "sctp chunk", "ipsec", "tunnel"))
_TRACKED = Match("ct_direction", False, ("ORIGINAL", "REPLY"))
_CT_ALWAYS_THERE = frozenset(("mark", "state", "status", "direction", "protocol", "l3proto"))


def needed(value: Any, sets: Mapping[str, Any]) -> list[Match]:
    """Return what must hold so that the expressions in a statement have values. Never raises."""
    try:
        return list(_needed(value, sets, 0))
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, RecursionError):
        return [Match("undecidable", False, "a statement that cannot be read")]


def _needed(value: Any, sets: Mapping[str, Any], depth: int) -> Iterator[Match]:
    if depth > _DEEPEST:
        yield Match("undecidable", False, "a statement that is nested too deeply")
    elif isinstance(value, list):
        for part in value:
            yield from _needed(part, sets, depth + 1)
    elif isinstance(value, dict):
        for name, body in value.items():
            yield from _needed_by(name, body, sets, depth)


def _needed_by(name: str, body: Any, sets: Mapping[str, Any], depth: int) -> Iterator[Match]:
    own = body if isinstance(body, dict) else {}
    key = own.get("key")
    if name == "map" and "data" in own:
        yield from nft_match.matches({"op": "==", "left": key, "right": own["data"]}, sets)
    elif name == "payload":
        yield from nft_match.presupposed(str(own.get("protocol", "")))
        if "field" not in own:
            yield Match("undecidable", False, nft_text.expression({name: body}))
    elif name == "ct" and key in _CT_ALWAYS_THERE:
        yield _TRACKED
    elif name in {"ct", "meta"}:
        if name == "ct" or key not in _ALWAYS_THERE:
            yield Match("undecidable", False, nft_text.expression({name: body}))
    elif name in _HARD and (name, key) != ("rt", "mtu"):
        yield Match("undecidable", False, nft_text.expression({name: body}))
    elif name == "key" and isinstance(body, dict):  # what is written to, of which only the header must be there
        yield from _header_of(body)
    else:
        yield from _needed(body, sets, depth + 1)


def _header_of(key: Mapping[str, Any]) -> Iterator[Match]:
    payload = key.get("payload")
    if isinstance(payload, dict):
        yield from nft_match.presupposed(str(payload.get("protocol", "")))
    elif "tcp option" in key:
        yield from nft_match.presupposed("tcp")


def is_changed(match: Match, effects: Sequence[Effect]) -> bool:
    """Say whether a match that held before `effects` may not hold any more."""
    if match.kind in {"any_of", "changing_set"}:
        groups = match.value if match.kind == "any_of" else match.value[1]
        return any(is_changed(inner, effects) for group in groups for inner in group)
    for effect in effects:
        if effect.kind == "untrack" and match.kind.startswith("ct_"):
            return True
        of_connection = "ct_mark" in effect.kind or effect.kind == "save_mark"
        if "mark" in effect.kind and match.kind == ("ct_mark" if of_connection else "mark"):
            return True
    return False


def moves_the_packet(body: Any) -> bool:
    """Say whether a statement writes something by which packets are told apart, so that it is another packet then."""
    key = body.get("key") if isinstance(body, dict) else None
    if not isinstance(key, dict) or key == {"meta": {"key": "pkttype"}}:
        return True
    payload = key.get("payload")
    if isinstance(payload, dict):
        return (str(payload.get("protocol")), str(payload.get("field"))) not in _OF_NO_ACCOUNT
    return not {"meta", "ct", "tcp option"}.issuperset(key)


def effect(body: Any, sets: Mapping[str, Any]) -> Effect | None:
    """Return the effect of `meta mark set …` and `ct mark set …`; other fields are of no account here."""
    body = body if isinstance(body, dict) else {}
    key, value = body.get("key"), body.get("value")
    if key not in ({"meta": {"key": "mark"}}, {"ct": {"key": "mark"}}):
        return None
    kind = "ct_mark" if "ct" in key else "mark"
    parsed = _bit_operation(value)
    if parsed is None:
        among = _among(value, sets)
        return Effect(f"{kind}_among", among) if among else Effect(f"forget_{kind}", None)
    origin, keep, flip = parsed
    if not origin:
        return Effect(kind, (0, flip))
    if origin == ("ct" if kind == "ct_mark" else "meta"):
        return Effect(kind, (keep, flip))
    if keep == _ALL_BITS and flip == 0:
        return Effect("save_mark" if kind == "ct_mark" else "restore_mark", (_ALL_BITS, _ALL_BITS))
    return Effect(f"forget_{kind}", None)


def _among(value: Any, sets: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return (known bits, unknown bits) of what a map may give; None if that is not known."""
    mapped = value.get("map") if isinstance(value, dict) else None
    data = mapped.get("data") if isinstance(mapped, dict) else None
    if nft_match.changing(data, sets):
        return None
    listed = nft_match.elements(data, sets)
    values: list[int] = []
    for element in listed or ():
        given = element[1] if isinstance(element, list) and len(element) == 2 else None
        if not isinstance(given, int) or isinstance(given, bool):
            return None
        values.append(given)
    unknown = 0
    for one in values:
        unknown |= one ^ values[0]
    return (values[0] & ~unknown, unknown) if values else None


def _bit_operation(value: Any) -> tuple[str, int, int] | None:
    """Return (whose mark it starts from: "meta", "ct" or ""; kept bits; flipped bits) of a mark's new value."""
    if isinstance(value, int) and not isinstance(value, bool):
        return "", 0, value
    if not isinstance(value, dict) or len(value) != 1:
        return None
    ((operator, operands),) = value.items()
    if operator in {"meta", "ct"}:
        return (operator, _ALL_BITS, 0) if operands == {"key": "mark"} else None
    if operator not in {"&", "|", "^"} or not isinstance(operands, list) or len(operands) != 2:
        return None
    inner, bits = _bit_operation(operands[0]), operands[1]
    if inner is None or not isinstance(bits, int):
        return None
    origin, keep, flip = inner
    if operator == "&":
        return origin, keep & bits, flip & bits
    if operator == "|":
        return origin, keep & ~bits, flip & ~bits | bits
    return origin, keep, flip ^ bits
