# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of nft's own language as the JSON of `nft -j`: `tcp dport 179 counter packets 0 bytes 0 accept`."""

from __future__ import annotations

from . import nft_expressions
from .nft_expressions import expression, operand, verdict
from .nft_words import Cursor, UnreadableError, plain, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Statement = dict[str, Any]

_OPERATORS = dict(
    {"eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">="},
    **{word: word for word in ("==", "!=", "<", ">", "<=", ">=", "!")},
)
_BIT_OPERATORS = frozenset(("&", "|", "^", "<<", ">>"))
_MOST_STATEMENTS = 200
_LONGEST_KEY = 20


def translate(words: list[str], family: str) -> tuple[list[Statement], str, str]:
    """Return (statements, comment, what could not be read) of one rule in a table of nft's `family`. Never raises.

    From the first words that are not understood on, the rule is one statement of a name that nobody knows, so that
    nobody takes the rule to do less than it may do.
    """
    cursor = Cursor(words)
    found: list[Statement] = []
    comment = ""
    while cursor.peek():
        begin = cursor.position
        try:
            if cursor.accept("comment"):
                comment = plain(cursor.take())
            else:
                found.append(_completed(_statement(cursor), family))
            if len(found) > _MOST_STATEMENTS:
                raise UnreadableError("too many statements")
        except (UnreadableError, RecursionError):
            unread = text(words[begin:])
            found.append({"unread": unread})
            return found, comment, unread
    return found, comment, ""


def _statement(cursor: Cursor) -> Statement:
    ending = verdict(cursor)
    if ending is not None:
        return ending
    word = cursor.peek()
    if word == "ct" and cursor.peek(1) == "count":
        return _connection_count(cursor)
    if word in _STATEMENTS:
        cursor.take()
        return _STATEMENTS[word](cursor)
    if word == "set" or (word in {"add", "update", "delete"} and cursor.peek(1)[:1] == "@"):
        return _dynamic_set(cursor)
    left = expression(cursor)
    if not _is_field(left):
        raise UnreadableError(f"{word} is no field of a packet")
    if cursor.accept("vmap"):
        return {"vmap": {"key": left, "data": operand(cursor)}}
    if cursor.accept("set"):
        return _assignment(cursor, left)
    return _comparison(cursor, left)


def _completed(statement: Statement, family: str) -> Statement:
    """Say what a plain reject sends back, which depends on the table."""
    if "reject" in statement and statement["reject"] is None:
        kind = {"ip": "icmp", "ip6": "icmpv6"}.get(family, "icmpx")
        return {"reject": {"type": kind, "expr": "port-unreachable"}}
    return statement


def _comparison(cursor: Cursor, left: Any) -> Statement:
    operator = _OPERATORS.get(cursor.accept(*_OPERATORS), "")
    right = operand(cursor)
    if cursor.accept("/"):  # tcp flags syn / fin,syn,rst,ack
        left = {"&": [left, operand(cursor)]}
    elif not operator and _is_bits(left) and not _is_set(right):
        operator = "in"
    if isinstance(right, list) and operator in {"==", "!=", ""}:
        right = {"|": right}
    return {"match": {"op": operator or "==", "left": left, "right": right}}


def _is_field(left: Any) -> bool:
    """Say whether this names something of a packet, and not only values."""
    if not isinstance(left, dict):
        return False
    ((name, body),) = left.items()
    if name == "concat":
        return all(map(_is_field, body))
    return _is_field(body[0]) if name in _BIT_OPERATORS else name not in {"range", "prefix"}


def _is_bits(left: Any) -> bool:
    """Say whether a comparison of `left` without an operator asks for at least one bit."""
    return left == {"payload": {"protocol": "tcp", "field": "flags"}} or left in (
        {"ct": {"key": "state"}},
        {"ct": {"key": "status"}},
        {"ct": {"key": "event"}},
    )


def _is_set(right: Any) -> bool:
    return (isinstance(right, dict) and "set" in right) or (isinstance(right, str) and right[:1] == "@")


def _assignment(cursor: Cursor, key: Any) -> Statement:
    if isinstance(key, dict) and "ct" in key and key["ct"].get("key") in {"helper", "timeout", "expectation"}:
        return {f"ct {key['ct']['key']}": _object_name(cursor)}
    return {"mangle": {"key": key, "value": operand(cursor, computed=True)}}


def _dynamic_set(cursor: Cursor) -> Statement:
    operation = cursor.take()
    if operation != "set":
        name = cursor.take()
        return _set_changed(operation, cursor.group(), name)
    # As nft 0.8 wrote it: set add ip saddr timeout 1m @blocked
    operation = cursor.take()
    words = []
    while cursor.peek()[:1] != "@":
        words.append(cursor.take())
    return _set_changed(operation, words, cursor.take())


def _set_changed(operation: str, words: list[str], name: str) -> Statement:
    """Return what is done to a set as nft's JSON has it; what is not understood of the element stays a line."""
    about = Cursor(words)
    try:
        element = expression(about)
    except UnreadableError:
        return {"set": {"op": operation, "elem": text(words), "set": name}}
    rest = text(about.rest())
    return {"set": dict({"op": operation, "elem": element, "set": name}, **({"stmt": rest} if rest else {}))}


def _object_name(cursor: Cursor) -> Any:
    """Return the name of a counter, limit … or the map that gives it: tcp dport map { 22 : "name" }."""
    begin = cursor.position
    if "map" in (cursor.peek(ahead) for ahead in range(1, _LONGEST_KEY)):
        try:
            found = operand(cursor, computed=True)
            if isinstance(found, dict) and "map" in found:
                return found
        except UnreadableError:
            pass
        cursor.position = begin
    return plain(cursor.take())


def _counter(cursor: Cursor) -> Statement:
    if cursor.accept("name"):
        return {"counter": _object_name(cursor)}
    counted: dict[str, Any] = {}
    while cursor.peek() in {"packets", "bytes"}:
        what = cursor.take()
        counted[what] = nft_expressions.value(cursor.take())
    return {"counter": counted or None}


def _log(cursor: Cursor) -> Statement:
    found: dict[str, Any] = {}
    while cursor.peek() in {"prefix", "level", "group", "snaplen", "queue-threshold", "flags"}:
        option = cursor.take()
        found[option] = plain(cursor.take())
        if option == "flags" and found[option] in {"tcp", "ip"}:
            cursor.take()
        while cursor.accept(","):
            cursor.take()
    return {"log": found or None}


def _limit(cursor: Cursor) -> Statement:
    if cursor.accept("name"):
        return {"limit": _object_name(cursor)}
    cursor.expect("rate")
    found: dict[str, Any] = {}
    if cursor.accept("over"):
        found["inv"] = True
    else:
        cursor.accept("until")
    rate, slash, per = cursor.take().partition("/")
    if not slash:  # 10 mbytes/second
        _unit, slash, per = cursor.take().partition("/")
    if not slash:
        cursor.expect("/")
        per = cursor.take()
    found.update(rate=rate, per=per)
    if cursor.accept("burst"):
        found["burst"] = cursor.take()
        cursor.accept("packets", "bytes", "kbytes", "mbytes", "gbytes")
    return {"limit": found}


def _quota(cursor: Cursor) -> Statement:
    if cursor.accept("name"):
        return {"quota": _object_name(cursor)}
    found: dict[str, Any] = {"inv": True} if cursor.accept("over") else {}
    cursor.accept("until")
    found.update(val=cursor.take(), val_unit=cursor.take())
    if cursor.accept("used"):
        found.update(used=cursor.take(), used_unit=cursor.take())
    return {"quota": found}


def _connection_count(cursor: Cursor) -> Statement:
    cursor.take()
    cursor.take()
    over = bool(cursor.accept("over"))
    found = {"val": nft_expressions.value(cursor.take())}
    return {"ct count": dict(found, inv=True) if over else found}


def _reject(cursor: Cursor) -> Statement:
    if not cursor.accept("with"):
        return {"reject": None}
    kind = cursor.take()
    if kind == "tcp":
        cursor.expect("reset")
        return {"reject": {"type": "tcp reset"}}
    cursor.accept("type")
    if kind not in {"icmp", "icmpv6", "icmpx"}:
        raise UnreadableError(kind)
    return {"reject": {"type": kind, "expr": cursor.take()}}


def _address_translation(name: str) -> Callable[[Cursor], Statement]:
    def made(cursor: Cursor) -> Statement:
        body: dict[str, Any] = {}
        family = cursor.accept("ip", "ip6", "inet")
        if family in {"ip", "ip6"}:
            body["family"] = family
        words = []
        while cursor.peek() and cursor.peek() != "comment":
            words.append(cursor.take())
        if words[:1] == ["to"]:
            words = words[1:]
        if "map" in words:
            body["addr"] = expression(Cursor(words))
        elif words and words[0][:1] != ":":
            body["addr"] = _without_port(words[0])
        return {name: body or None}

    return made


def _without_port(word: str) -> str:
    if word[:1] == "[":
        return word[1:].partition("]")[0]
    return word.partition(":")[0] if word.count(":") == 1 else word


def _leaving(name: str) -> Callable[[Cursor], Statement]:
    """What hands the packet to somebody else; how it does so is of no account."""

    def made(cursor: Cursor) -> Statement:
        while cursor.peek() and cursor.peek() != "comment":
            cursor.take()
        return {name: {}}

    return made


def _duplicate(cursor: Cursor) -> Statement:
    if cursor.accept("to"):
        operand(cursor)
        if cursor.accept("device"):
            operand(cursor)
    return {"dup": {}}


def _flow(cursor: Cursor) -> Statement:
    return {"flow": {"op": cursor.take(), "flowtable": cursor.take()}}


def _last(cursor: Cursor) -> Statement:
    if cursor.accept("used"):
        cursor.take()
    return {"last": None}


_STATEMENTS: dict[str, Callable[[Cursor], Statement]] = {
    "counter": _counter,
    "log": _log,
    "limit": _limit,
    "quota": _quota,
    "reject": _reject,
    "notrack": lambda _cursor: {"notrack": None},
    "masquerade": _address_translation("masquerade"),
    "snat": _address_translation("snat"),
    "dnat": _address_translation("dnat"),
    "redirect": _address_translation("redirect"),
    "queue": _leaving("queue"),
    "tproxy": _leaving("tproxy"),
    "synproxy": _leaving("synproxy"),
    "fwd": _leaving("fwd"),
    "dup": _duplicate,
    "flow": _flow,
    "last": _last,
    "xt": lambda cursor: {"xt": {"type": cursor.take(), "name": plain(cursor.take())}},
}
