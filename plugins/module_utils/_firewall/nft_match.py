# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The conditions of nft's JSON as matches of the model.

    {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"set": [179, {"range": [1, 5]}]}}

What a field silently presupposes (`tcp dport` is asked of TCP only) is spelled out as a match of its own, because it
holds even where the condition itself is negated.
"""

from __future__ import annotations

from typing import NamedTuple

from . import iptables_rule, model, nft_text
from .model import Match

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

_ALL_BITS = 0xFFFFFFFF
_TCP_FLAGS = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ecn": 64, "cwr": 128}
_FAMILIES = {"ipv4": "ipv4", "ipv6": "ipv6", "ip": "ipv4", "ip6": "ipv6"}
_ADDRESSES = frozenset(("source", "destination", "ct_source", "ct_destination"))
_BY_ORDER = _ADDRESSES | {"mark", "ct_mark", "uid"}
# Kinds of links (ARPHRD_…) by the names that nft gives them.
_LINK_TYPES = {"ether": 1, "ppp": 512, "ipip": 768, "ipip6": 769, "loopback": 772, "sit": 776, "ipgre": 778}
_ETHERNET = (Match("in_type", False, (1,)),)
_SMALLEST_SEGMENT = 536  # that an ordinary host tells in the option of a SYN
_V4, _V6 = Match("family", False, ("ipv4",)), Match("family", False, ("ipv6",))


class _UnreadableError(ValueError):
    """This condition is not understood."""


class _Field(NamedTuple):
    """What the left side of a condition asks for: kind of match, how its values read, what it presupposes, its mask."""

    kind: str
    read: Callable[[Any], Any]
    presupposed: tuple[Match, ...] = ()
    mask: Any = None
    known: tuple[int, int] = (0, 0)  # of a constant: its value, and the bits of it that are known


def matches(body: Any, sets: Mapping[str, Any]) -> list[Match]:
    """Return what a condition demands, all of it together. `sets` are the table's named sets and maps. Never raises."""
    try:
        found = _matches(body, sets)
        name = changing(body["right"], sets)
        if name and found[-1].kind != "undecidable":
            last = found.pop()
            found.append(Match("changing_set", last.negated, (name, ((last._replace(negated=False),),))))
        return found
    except (_UnreadableError, KeyError, TypeError, ValueError, AttributeError, OSError, RecursionError):
        return [Match("undecidable", False, nft_text.statement({"match": body}))]


def elements(data: Any, sets: Mapping[str, Any]) -> list[Any] | None:
    """Return the elements of an anonymous ({"set": […]}) or named ("@name") set or map; None if they are not known."""
    if isinstance(data, str) and data.startswith("@"):
        named = sets.get(data[1:])
        data = named.get("elem", []) if isinstance(named, dict) else None
    elif isinstance(data, dict):
        data = data.get("set")
    return data if isinstance(data, list) else None


def changing(data: Any, sets: Mapping[str, Any]) -> str:
    """Return by what name the model knows a set or map "@name" that rules change; "" for any other."""
    named = sets.get(data[1:]) if isinstance(data, str) and data.startswith("@") else None
    return str(named.get("changing", "")) if isinstance(named, dict) else ""


def _matches(body: Mapping[str, Any], sets: Mapping[str, Any]) -> list[Match]:
    operator, left, right = body["op"], body["left"], body["right"]
    if isinstance(right, list) and operator in {"==", "!="}:
        # As nft writes `tcp flags & (fin|syn) == (fin|syn)`: all of the bits at once. A choice is {"set": […]}.
        right = {"|": right}
    members = elements(right, sets)
    if members is None and isinstance(right, str) and right.startswith("@"):
        raise _UnreadableError(right)
    values = [_unwrapped(member) for member in members] if members is not None else [right]
    special = _special(left, operator, values)
    if special:
        return special
    field = _field(left)
    if field.kind == "constant":
        return [*field.presupposed, Match("always", not _holds(field, operator, values), None)]
    if field.kind == "undecidable":
        return [*field.presupposed, Match("undecidable", False, nft_text.statement({"match": body}))]
    if any(value == "*" for value in values) and members is not None:
        return [*field.presupposed, Match("always", operator == "!=", None)]
    if operator in {"in", "!"}:
        return [*field.presupposed, _any_bit(field, operator == "!", values)]
    if operator not in {"==", "!="}:
        return [*field.presupposed, _ordered(field, operator, values)]
    return [*field.presupposed, _equal(field, operator == "!=", values)]


def _special(left: Mapping[str, Any], operator: str, values: Sequence[Any]) -> list[Match]:
    """Return what a condition demands that is not about one field of the packet; nothing for others."""
    if "concat" in left:
        return _concatenated(left["concat"], operator, values)
    if "exthdr" in left:
        return [_V6, _extension_header(left["exthdr"], operator, values)]
    if "tcp option" in left:
        return [*presupposed("tcp"), _small_segments(left["tcp option"], operator, values)]
    if "fib" in left:
        return [_route(left["fib"], operator, values)]
    if left == {"meta": {"key": "ipsec"}} and operator in {"==", "!="} and values in ([True], [False]):
        return [Match("ipsec", values[0] == (operator == "!="), None)]
    return []


def _unwrapped(member: Any) -> Any:
    """Return an element without what is said about it: {"elem": {"val": "10.0.0.1", "expires": 5}} is 10.0.0.1."""
    if isinstance(member, list) and len(member) == 2:  # of a map: its key
        member = member[0]
    return member["elem"]["val"] if isinstance(member, dict) and "elem" in member else member


def _concatenated(parts: Sequence[Any], operator: str, values: Sequence[Any]) -> list[Match]:
    if operator not in {"==", "!="}:
        raise _UnreadableError(operator)
    fields = [_field(part) for part in parts]
    groups: list[tuple[Match, ...]] = []
    for value in values:
        if value == "*":
            groups.append((Match("always", False, None),))
            continue
        each = value["concat"]
        if len(each) != len(fields):
            raise _UnreadableError(str(value))
        groups.append(tuple(_equal(field, False, [_unwrapped(part)]) for field, part in zip(fields, each)))
    return [
        *(match for field in fields for match in field.presupposed),
        Match("any_of", operator == "!=", tuple(groups)),
    ]


# --- operators ---


def _equal(field: _Field, negated: bool, values: Sequence[Any]) -> Match:
    if field.kind == "tcp_flags":
        mask = 0xFF if field.mask is None else _flags(field.mask)
        return Match("tcp_flags", negated, (mask, tuple(_flags(value) for value in values)))
    if field.kind in {"mark", "ct_mark"}:
        mask = _ALL_BITS if field.mask is None else int(field.mask)
        return Match(field.kind, negated, (mask, tuple(_interval(field, value) for value in values)))
    if field.kind in {"source", "destination"} and field.mask is not None:
        (value,) = values
        family = field.presupposed[0].value[0]
        return Match(f"{field.kind}_bits", negated, (_address(value, family)[0], _address(field.mask, family)[0]))
    if field.mask is not None:
        raise _UnreadableError(str(field.mask))
    if field.kind in _ADDRESSES or field.kind.endswith("port") or field.kind == "uid":
        return Match(field.kind, negated, tuple(_interval(field, value) for value in values))
    if field.kind == "ct_status":
        return Match("ct_status", negated, ())  # the whole word of status bits: never exactly those that have a name
    # Of states a connection has one at a time, so that it never equals several of them at once.
    values = [value for value in values if not (isinstance(value, dict) and "|" in value)]
    return Match(field.kind, negated, tuple(field.read(value) for value in values))


def _any_bit(field: _Field, negated: bool, values: Sequence[Any]) -> Match:
    """At least one of the bits, as in `ct state established,related` and `tcp flags syn`."""
    words = [word for value in values for word in (value if isinstance(value, list) else [value])]
    if field.kind == "tcp_flags" and field.mask is None:
        return Match("tcp_flags", not negated, (sum(_flags(word) for word in words), (0,)))
    if field.kind in {"ct_state", "ct_status"} and field.mask is None:
        return Match(field.kind, negated, tuple(field.read(word) for word in words))
    raise _UnreadableError(field.kind)


def _ordered(field: _Field, operator: str, values: Sequence[Any]) -> Match:
    (value,) = values
    if field.kind == "tcp_flags":
        return _ordered_flags(field, operator, _flags(value))
    highest = 65535 if field.kind.endswith("port") else _ALL_BITS
    if field.mask is not None or not (field.kind.endswith("port") or field.kind in _BY_ORDER):
        raise _UnreadableError(operator)
    if field.kind in _ADDRESSES:
        family = field.presupposed[0].value[0]
        highest = (1 << (32 if family == "ipv4" else 128)) - 1
        bound = _address(value, family)[0]
    else:
        bound = field.read(value)
    low, high = {
        "<": (0, bound - 1),
        "<=": (0, bound),
        ">": (bound + 1, highest),
        ">=": (bound, highest),
    }[operator]
    interval = ((low, high),)
    return Match(field.kind, False, (_ALL_BITS, interval) if field.kind in {"mark", "ct_mark"} else interval)


def _ordered_flags(field: _Field, operator: str, bound: int) -> Match:
    """As `tcp flags & (fin|syn|rst|psh|ack|urg) < fin`, by which many rulesets mean packets without any flag."""
    mask = 0xFF if field.mask is None else _flags(field.mask)
    compared = {"<": int.__lt__, "<=": int.__le__, ">": int.__gt__, ">=": int.__ge__}[operator]
    return Match(
        "tcp_flags", False, (mask, tuple(one for one in range(256) if one | mask == mask and compared(one, bound)))
    )


def _interval(field: _Field, value: Any) -> tuple[int, int]:
    if isinstance(value, dict) and "range" in value:
        low, high = value["range"]
    elif field.kind in _ADDRESSES:
        return _address(value, field.presupposed[0].value[0])
    else:
        low = high = value
    if field.kind in _ADDRESSES:
        family = field.presupposed[0].value[0]
        return _address(low, family)[0], _address(high, family)[1]
    return field.read(low), field.read(high)


def _address(value: Any, family: str) -> tuple[int, int]:
    length = 32 if family == "ipv4" else 128
    if isinstance(value, dict):
        value, length = value["prefix"]["addr"], value["prefix"]["len"]
    parsed = model.address_number(value)
    if parsed is None or parsed[0] != family:
        raise _UnreadableError(str(value))
    return model.prefix_interval(parsed[1], length, family)


def _flags(value: Any) -> int:
    if isinstance(value, dict) and "|" in value:
        value = value["|"]
    if isinstance(value, list):
        return sum(_flags(word) for word in value)
    return value if isinstance(value, int) else _TCP_FLAGS[value]


# --- fields ---


def _field(left: Mapping[str, Any]) -> _Field:
    if len(left) != 1:
        raise _UnreadableError(str(left))
    ((kind, body),) = left.items()
    if kind == "&":
        inner, mask = body
        field = _field(inner)
        if field.mask is not None:
            raise _UnreadableError(str(left))
        return field._replace(mask=mask)
    if kind == "payload":
        return _payload(body["protocol"], body["field"])
    if kind == "meta":
        return _META[body["key"]]
    if kind == "ct" and body.get("dir") != "reply":
        return _ORIGINAL[body["key"]] if "dir" in body else _CONNECTION[body["key"]]
    raise _UnreadableError(kind)


def _payload(protocol: str, field: str) -> _Field:
    before = presupposed(protocol)
    if (protocol, field) in _CONSTANTS:
        return _Field("constant", _number, before, known=_CONSTANTS[(protocol, field)])
    if (protocol, field) == ("ether", "type"):
        return _Field("family", lambda word: _FAMILIES.get(word, str(word)), _ETHERNET)
    if protocol in {"ip", "ip6"}:
        if field in {"saddr", "daddr"}:
            return _Field("source" if field == "saddr" else "destination", str, before)
        if field in {"protocol", "nexthdr"}:
            return _Field("protocol", _protocol, before)
    elif field in {"sport", "dport"}:
        return _Field("source_port" if field == "sport" else "destination_port", _port, before)
    elif (protocol, field) == ("tcp", "flags"):
        return _Field("tcp_flags", int, before)
    return _Field("undecidable", str, before)


def presupposed(protocol: str) -> tuple[Match, ...]:
    """Return what nft checks by itself before it looks into a header."""
    if protocol in {"ip", "ip6"}:
        return (_V4 if protocol == "ip" else _V6,)
    number = iptables_rule.protocol_number(protocol)
    return (Match("protocol", False, (number,)),) if number > 0 else ()


# What ordinary packets have in fields that rules ask for: no options, no fragments (whatever else the flags say).
_CONSTANTS = {
    ("ip", "version"): (4, 0xF),
    ("ip6", "version"): (6, 0xF),
    ("ip", "hdrlength"): (5, 0xF),
    ("ip", "frag-off"): (0, 0x3FFF),
}
_NIBBLE, _BITS_16 = 0xF, 0xFFFF


def _holds(field: _Field, operator: str, values: Sequence[Any]) -> bool:
    value, bits = field.known
    mask = bits if field.mask is None and bits == _NIBBLE else _BITS_16 if field.mask is None else int(field.mask)
    if mask & ~bits:
        raise _UnreadableError(str(mask))
    own = value & mask
    bounds = [tuple(one["range"]) if isinstance(one, dict) else (one, one) for one in values]
    if operator in {"==", "!="}:
        return any(_number(low) <= own <= _number(high) for low, high in bounds) == (operator == "==")
    bound = _number(bounds[0][0])
    return {"<": own < bound, "<=": own <= bound, ">": own > bound, ">=": own >= bound}[operator]


def _small_segments(body: Mapping[str, Any], operator: str, values: Sequence[Any]) -> Match:
    """Nobody's segments are as small as those which rules throw out that know of attacks by them."""
    if (body.get("name"), body.get("field")) != ("maxseg", "size"):
        raise _UnreadableError(str(body))
    most = max(one["range"][1] if isinstance(one, dict) else one for one in values)
    if not (operator in {"==", "<="} and most < _SMALLEST_SEGMENT) and not (
        operator == "<" and most <= _SMALLEST_SEGMENT
    ):
        raise _UnreadableError(operator)
    return Match("always", True, None)


def _protocol(word: Any) -> int:
    return word if isinstance(word, int) else iptables_rule.protocol_number(str(word))


def _port(word: Any) -> int:
    if not isinstance(word, int):
        import socket

        return socket.getservbyname(str(word))
    return word


def _number(word: Any) -> int:
    return word if isinstance(word, int) else int(str(word), 0)


def _upper(word: Any) -> str:
    return str(word).upper()


_META = {
    "iifname": _Field("in_interface", str),
    "iif": _Field("in_interface", str),
    "oifname": _Field("out_interface", str),
    "oif": _Field("out_interface", str),
    "l4proto": _Field("protocol", _protocol),
    "nfproto": _Field("family", lambda word: _FAMILIES[word]),
    "protocol": _Field("family", lambda word: _FAMILIES.get(word, str(word))),
    "mark": _Field("mark", _number),
    "iiftype": _Field("in_type", lambda word: word if isinstance(word, int) else _LINK_TYPES[word]),
    "skuid": _Field("uid", _number),
    "pkttype": _Field(
        "packet_type", lambda word: {"UNICAST": "HOST", "OTHER": "OTHERHOST"}.get(_upper(word), _upper(word))
    ),
}
_CONNECTION = {
    "state": _Field("ct_state", _upper),
    "status": _Field("ct_status", _upper),
    "direction": _Field("ct_direction", _upper),
    "mark": _Field("ct_mark", _number),
    "protocol": _Field("ct_protocol", _protocol),
    "l3proto": _Field("ct_family", lambda word: _FAMILIES[word]),
}
# `ct original …`: the connection's first packet.
_ORIGINAL = {
    "protocol": _CONNECTION["protocol"],
    "ip saddr": _Field("ct_source", str, (_V4,)),
    "ip daddr": _Field("ct_destination", str, (_V4,)),
    "ip6 saddr": _Field("ct_source", str, (_V6,)),
    "ip6 daddr": _Field("ct_destination", str, (_V6,)),
    "proto-src": _Field("ct_source_port", _port),
    "proto-dst": _Field("ct_destination_port", _port),
}


def _extension_header(body: Mapping[str, Any], operator: str, values: Sequence[Any]) -> Match:
    """Ordinary packets have none: its fields equal nothing and differ from nothing."""
    if "field" in body:
        return Match("always", True, None)
    if operator not in {"==", "!="} or len(values) != 1 or not isinstance(values[0], bool):
        raise _UnreadableError("exthdr")
    return Match("always", values[0] == (operator == "=="), None)


def _route(body: Mapping[str, Any], operator: str, values: Sequence[Any]) -> Match:
    """`fib saddr . iif oif missing` is the reverse path filter, `fib daddr type local` asks for the kind of address."""
    flags = set(body["flags"])
    negated = operator == "!="
    if operator not in {"==", "!="}:
        raise _UnreadableError(operator)
    if body["result"] == "type":
        here = "_here" if flags & {"iif", "oif"} else ""
        kind = {"saddr": "source_type", "daddr": "destination_type"}[(flags - {"iif", "oif", "mark"}).pop()]
        return Match(kind + here, negated, tuple(_upper(value) for value in values))
    if body["result"] in {"oif", "oifname"} and {"saddr", "iif"} <= flags and len(values) == 1:
        if values[0] in (False, 0, "0"):
            return Match("reverse_path", not negated, None)
        if values[0] is True:
            return Match("reverse_path", negated, None)
    raise _UnreadableError(body["result"])
