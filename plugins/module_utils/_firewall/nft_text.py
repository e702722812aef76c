# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nft's JSON as people write it: `ip saddr 10.0.0.0/8 tcp dport 179 drop`. For reports; nothing is decided by it."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_LIMIT = 300


def rule(statements: Sequence[Any], comment: str = "") -> str:
    """Return a rule's text, at most some hundred characters of it."""
    words = " ".join(filter(None, (statement(one) for one in statements)))
    return (f'{words} comment "{comment}"' if comment else words)[:_LIMIT]


def statement(one: Any) -> str:
    """Return one statement's text; what has no text of its own stands there as JSON. Never raises."""
    try:
        ((name, body),) = one.items()
        return _STATEMENTS[name](body) if name in _STATEMENTS else _plain(name, body)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, RecursionError):
        pass
    try:
        return json.dumps(one)[:_LIMIT]
    except RecursionError:
        return "a statement that is nested too deeply"


def _plain(name: str, body: Any) -> str:
    if body is None:
        return name
    if isinstance(body, dict):
        return " ".join([name, *(f"{key} {expression(value)}" for key, value in body.items())])
    return f"{name} {expression(body)}"


def _match(body: Any) -> str:
    operator = "" if body["op"] in {"==", "in"} else f"{body['op']} "
    return f"{expression(body['left'])} {operator}{expression(body['right'])}"


def _reject(body: Any) -> str:
    if not body:
        return "reject"
    return " ".join(filter(None, ("reject with", str(body.get("type", "")), str(body.get("expr", "")))))


def _limit(body: Any) -> str:
    if not isinstance(body, dict) or "rate" not in body:
        return f"limit name {expression(body)}"
    return f"limit rate {'over ' if body.get('inv') else ''}{body['rate']}/{body.get('per')}"


def _nat(name: str) -> Callable[[Any], str]:
    def text(body: Any) -> str:
        if not body:
            return name
        address = expression(body["addr"]) if "addr" in body else ""
        port = f":{expression(body['port'])}" if "port" in body else ""
        return f"{name} to {address}{port}" if address or port else name

    return text


_STATEMENTS: dict[str, Callable[[Any], str]] = {
    "match": _match,
    "counter": lambda _body: "counter",
    "jump": lambda body: f"jump {body['target']}",
    "goto": lambda body: f"goto {body['target']}",
    "reject": _reject,
    "vmap": lambda body: f"{expression(body['key'])} vmap {expression(body['data'])}",
    "mangle": lambda body: f"{expression(body['key'])} set {expression(body['value'])}",
    "limit": _limit,
    "log": lambda body: f'log prefix "{body["prefix"]}"' if body and "prefix" in body else "log",
    "xt": lambda body: f"xt {body['type']} {body['name']}" if body else "xt",
    "dnat": _nat("dnat"),
    "snat": _nat("snat"),
    "redirect": _nat("redirect"),
    "masquerade": lambda _body: "masquerade",
}


def expression(value: Any) -> str:
    """Return an expression's text."""
    if isinstance(value, bool):
        return "exists" if value else "missing"
    if isinstance(value, list):
        return (
            " : ".join(_verdict_or_value(part) for part in value)
            if _is_pair(value)
            else ",".join(map(expression, value))
        )
    if not isinstance(value, dict) or not value:
        return str(value)
    name, body = next(iter(value.items()))
    return _EXPRESSIONS[name](body) if name in _EXPRESSIONS else _plain(name, body)


def _is_pair(value: Sequence[Any]) -> bool:
    return len(value) == 2 and isinstance(value[1], dict) and next(iter(value[1]), "") in _VERDICT_NAMES


def _verdict_or_value(part: Any) -> str:
    if isinstance(part, dict) and next(iter(part), "") in _VERDICT_NAMES:
        return statement(part)
    return expression(part)


def _keyed(name: str) -> Callable[[Any], str]:
    return lambda body: " ".join(filter(None, (name, body.get("dir", ""), body["key"])))


_VERDICT_NAMES = frozenset(("accept", "drop", "continue", "return", "jump", "goto"))
_EXPRESSIONS: dict[str, Callable[[Any], str]] = {
    "payload": lambda body: f"{body['protocol']} {body['field']}" if "field" in body else "payload",
    "meta": lambda body: body["key"] if body["key"] in {"iifname", "oifname", "iif", "oif"} else f"meta {body['key']}",
    "ct": _keyed("ct"),
    "fib": lambda body: f"fib {' . '.join(body['flags'])} {body['result']}",
    "prefix": lambda body: f"{expression(body['addr'])}/{body['len']}",
    "range": lambda body: f"{expression(body[0])}-{expression(body[1])}",
    "set": lambda body: "{ " + ", ".join(map(expression, body if isinstance(body, list) else [body])) + " }",
    "concat": lambda body: " . ".join(map(expression, body)),
    "elem": lambda body: expression(body["val"]),
    "&": lambda body: f"{expression(body[0])} & {expression(body[1])}",
    "|": lambda body: " | ".join(map(expression, body)),
    "^": lambda body: f"{expression(body[0])} ^ {expression(body[1])}",
}
