# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The expressions of nft's own language as the JSON of `nft -j`: `ip saddr . tcp dport`, `{ 10.0.0.0/8, 1-5 }`."""

from __future__ import annotations

import re

from .nft_words import Cursor, UnreadableError, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_HEADERS = frozenset(
    (
        *("ip", "ip6", "tcp", "udp", "th", "udplite", "sctp", "dccp", "icmp", "icmpv6", "igmp", "esp", "ah", "comp"),
        *("ether", "vlan", "arp", "gre"),
    )
)
# Keys of meta which need no "meta" before them.
_META = frozenset(
    (
        *("iif", "iifname", "iiftype", "iifgroup", "oif", "oifname", "oiftype", "oifgroup", "mark", "skuid", "skgid"),
        *(
            "nftrace",
            "rtclassid",
            "pkttype",
            "cpu",
            "cgroup",
            "ibrname",
            "obrname",
            "ibriport",
            "obriport",
            "ibridgename",
        ),
        *("obridgename", "time", "day", "hour", "ipsec", "l4proto", "nfproto"),
    )
)
_EXTENSION_HEADERS = frozenset(("frag", "hbh", "rt", "rt0", "rt2", "srh", "mh", "dst", "auth"))
_ROUTE_KEYS = frozenset(("classid", "nexthop", "mtu", "ipsec", "ip", "ip6"))
_BIT_WORDS = {"and": "&", "or": "|", "xor": "^", "lshift": "<<", "rshift": ">>"}
# Those which bind closest come first.
_BIT_OPERATORS = (("<<", ">>", "lshift", "rshift"), ("&", "and"), ("^", "xor"), ("|", "or"))
_NUMBER = re.compile(r"(?:0x[0-9a-fA-F]+|\d+)\Z")
# Of 128 bits, as an address has.
_LONGEST_NUMBER = 40
_PREFIX = re.compile(r"([0-9a-fA-F.:]+)/(\d{1,3})\Z")
_RANGE = re.compile(r"([0-9a-fA-F.:]+|0x[0-9a-fA-F]+)-([0-9a-fA-F.:]+|0x[0-9a-fA-F]+)\Z")
_VERDICTS = frozenset(("accept", "drop", "continue", "return"))
_ABOUT_ELEMENTS = frozenset(("timeout", "expires", "comment", "counter", "limit", "quota", "last"))
_DEEP = 24


def verdict(cursor: Cursor) -> dict[str, Any] | None:
    """Take a verdict, if one comes next."""
    word = cursor.peek()
    if word in _VERDICTS:
        cursor.take()
        return {word: None}
    if word in {"jump", "goto"}:
        cursor.take()
        return {word: {"target": plain(cursor.take())}}
    return None


def expression(cursor: Cursor, depth: int = 0) -> Any:
    """Take what a rule looks at, or a value that is computed from it: fields, bit operations, concatenations."""
    parts = [_bits(cursor, len(_BIT_OPERATORS) - 1, depth)]
    while cursor.accept("."):
        parts.append(_bits(cursor, len(_BIT_OPERATORS) - 1, depth))
    whole = parts[0] if len(parts) == 1 else {"concat": parts}
    if cursor.accept("map"):
        return {"map": {"key": whole, "data": operand(cursor)}}
    return whole


def _bits(cursor: Cursor, level: int, depth: int) -> Any:
    if level < 0:
        return _primary(cursor, depth)
    left = _bits(cursor, level - 1, depth)
    while True:
        operator = cursor.accept(*_BIT_OPERATORS[level])
        if not operator:
            return left
        left = {_BIT_WORDS.get(operator, operator): [left, _bits(cursor, level - 1, depth)]}


def _primary(cursor: Cursor, depth: int) -> Any:
    if depth > _DEEP:
        raise UnreadableError("too many brackets")
    word = cursor.take()
    if word == "(":
        inner = expression(cursor, depth + 1)
        cursor.expect(")")
        return inner
    if word in _SPECIAL:
        return _SPECIAL[word](cursor)
    if word in _HEADERS:
        return _header(cursor, word)
    if word == "rt" and cursor.peek() in _ROUTE_KEYS:
        key = cursor.take()
        return {"rt": {"key": f"{key} {cursor.take()}" if key in {"ip", "ip6"} else key}}
    if word in _EXTENSION_HEADERS and cursor.peek() not in {"", ".", ","}:
        return {"exthdr": {"name": word, "field": cursor.take()}}
    if word in _META:
        return {"meta": {"key": word}}
    if word in {"@ll", "@nh", "@th", "@ih"}:
        cursor.expect(",")
        offset = _integer(cursor.take())
        cursor.expect(",")
        return {"payload": {"base": word[1:], "offset": offset, "len": _integer(cursor.take())}}
    return value(word)


def _integer(word: str) -> int:
    if not _NUMBER.match(word) or len(word) > _LONGEST_NUMBER:
        raise UnreadableError(word[:_LONGEST_NUMBER])
    return int(word, 0) if word[:2] == "0x" else int(word)


def _header(cursor: Cursor, name: str) -> Any:
    field = cursor.take()
    if field == "option":
        return {f"{name} option": {"name": cursor.take(), "field": cursor.take()}}
    if field in _HEADERS or not field[0].isalpha():
        raise UnreadableError(f"{name} {field}")
    return {"payload": {"protocol": name, "field": field}}


def _connection(cursor: Cursor) -> Any:
    key = cursor.take()
    if key not in {"original", "reply"}:
        return {"ct": {"key": key}}
    field = cursor.take()
    return {"ct": {"key": f"{field} {cursor.take()}" if field in {"ip", "ip6"} else field, "dir": key}}


def _route(cursor: Cursor) -> Any:
    flags = [cursor.take()]
    while cursor.accept("."):
        flags.append(cursor.take())
    return {"fib": {"result": cursor.take(), "flags": flags}}


def _number_generator(cursor: Cursor) -> Any:
    found: dict[str, Any] = {"mode": cursor.take()}
    cursor.expect("mod")
    found["mod"] = _integer(cursor.take())
    return {"numgen": dict(found, **_hash_options(cursor))}


def _hash(cursor: Cursor) -> Any:
    of = expression(cursor)
    cursor.expect("mod")
    return {"jhash": dict({"expr": of, "mod": _integer(cursor.take())}, **_hash_options(cursor))}


def _symmetric_hash(cursor: Cursor) -> Any:
    cursor.expect("mod")
    return {"symhash": dict({"mod": _integer(cursor.take())}, **_hash_options(cursor))}


def _hash_options(cursor: Cursor) -> dict[str, Any]:
    found: dict[str, Any] = {}
    while cursor.peek() in {"seed", "offset"}:
        option = cursor.take()
        found[option] = _integer(cursor.take())
    return found


_SPECIAL: dict[str, Callable[[Cursor], Any]] = {
    "meta": lambda cursor: {"meta": {"key": cursor.take()}},
    "ct": _connection,
    "fib": _route,
    "exthdr": lambda cursor: {"exthdr": {"name": cursor.take()}},
    "socket": lambda cursor: {"socket": {"key": cursor.take()}},
    "numgen": _number_generator,
    "jhash": _hash,
    "symhash": _symmetric_hash,
}


# --- values ---


def value(word: str) -> Any:
    """Return what one word stands for as a value: a number, an address, a prefix, a range, a name."""
    if word[:1] == '"':
        return word[1:]
    if _NUMBER.match(word):
        return _integer(word)
    if word in {"exists", "missing"}:
        return word == "exists"
    prefix = _PREFIX.match(word)
    if prefix:
        return {"prefix": {"addr": prefix.group(1), "len": int(prefix.group(2))}}
    both = _RANGE.match(word)
    if both:
        return {"range": [value(both.group(1)), value(both.group(2))]}
    if word[:1] == "@" or not (word[0].isalnum() or word[0] in "*:-_.%"):
        raise UnreadableError(word)
    return word


def operand(cursor: Cursor, computed: bool = False) -> Any:
    """Take what a field is compared with: a set, the name of one, a value, or several joined by commas.

    What a field is set to may be `computed` from other fields.
    """
    word = cursor.peek()
    if word == "{":
        return {"set": elements(cursor.group())}
    if word[:1] == "@" and word[1:] not in {"ll", "nh", "th", "ih"}:
        cursor.take()
        return word
    if computed:
        return expression(cursor)
    first = _value(cursor)
    if cursor.peek() != ",":
        return first
    found = [first]
    while cursor.accept(","):
        found.append(_value(cursor))
    return found


def _value(cursor: Cursor, depth: int = 0) -> Any:
    """Take a plain value: 179, 10.0.0.1 . 22, (fin | syn), 1 - 5."""
    parts = [_alternatives(cursor, depth)]
    while cursor.accept("."):
        parts.append(_alternatives(cursor, depth))
    if cursor.accept("-"):
        return {"range": [parts[0], _alternatives(cursor, depth)]}
    return parts[0] if len(parts) == 1 else {"concat": parts}


def _alternatives(cursor: Cursor, depth: int) -> Any:
    if depth > _DEEP:
        raise UnreadableError("too many brackets")
    if cursor.accept("("):
        found = _value(cursor, depth + 1)
        cursor.expect(")")
    else:
        found = value(cursor.take())
    while True:
        operator = cursor.accept("|", "or", "&", "and", "^", "xor")
        if not operator:
            return found
        found = {_BIT_WORDS.get(operator, operator): [found, value(cursor.take())]}


def elements(words: list[str], depth: int = 0) -> list[Any]:
    """Return the elements of a set or a map, from the words between its braces."""
    cursor = Cursor([word for word in words if word != "\n"])
    found: list[Any] = []
    while cursor.peek():
        if cursor.accept(","):
            continue
        if cursor.peek() == "{":  # a variable that stands for several
            if depth > _DEEP:
                raise UnreadableError("too many braces")
            found.extend(elements(cursor.group(), depth + 1))
            continue
        found.append(_element(cursor))
    return found


def _element(cursor: Cursor) -> Any:
    key, attached = _key(cursor)
    _pass_over(cursor)
    if not attached and not cursor.accept(":"):
        return key
    data = verdict(cursor)
    if data is None:
        data = _value(cursor)
    _pass_over(cursor)
    return [key, data]


def _key(cursor: Cursor) -> tuple[Any, bool]:
    """Take an element's key; say whether the colon after it was written without a space."""
    parts: list[Any] = []
    while True:
        word = cursor.take()
        attached = len(word) > 1 and word.endswith(":") and not word.endswith("::") and word[:1] != '"'
        part = value(word[:-1] if attached else word)
        if not attached and cursor.accept("-"):
            part = {"range": [part, value(cursor.take())]}
        parts.append(part)
        if attached or not cursor.accept("."):
            return (parts[0] if len(parts) == 1 else {"concat": parts}), attached


def _pass_over(cursor: Cursor) -> None:
    """Pass over what is said about an element: its age, a comment, what it counted."""
    while cursor.peek() in _ABOUT_ELEMENTS:
        while cursor.peek() not in {"", ",", ":"}:
            cursor.take()
