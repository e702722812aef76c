# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to vary an input that know its form: lines and words of a text, values of JSON, and what trips parsers."""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING, Any

from fuzz.targets import BYTES, JSON

if TYPE_CHECKING:
    from collections.abc import Callable

    from fuzz.targets import Target

    Mutate = Callable[[bytes, int], bytes]

# Digits that are no decimals and numbers that are none, line ends that are none to others, names of other objects.
WORDS = (
    *(
        "",
        "0",
        "-1",
        "--5",
        "+",
        "-",
        "²",
        "٣",
        "1e400",
        "nan",
        "inf",
        "-0",
        "0x10",
        "1_0",
        "9" * 20,
        "9" * 5000,
        "1.5.2",
    ),
    *("\0", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\r", "\t", " " * 200, "\ufeff", "\udcff", "\u017f", "\u0130"),
    *("10.0.0.1", "256.1.1.1", "10.0.0.0/33", "10.0.0.0/-1", "0.0.0.0/0", "fe80::1%eth0", "::ffff:1.2.3.4", "::/129"),
    *(
        "1-0",
        "0-99999999999",
        ",",
        ":",
        "=",
        "!",
        '"',
        "'",
        "\\",
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "<",
        "/",
        "*",
        "#",
        ";",
    ),
    *(
        "null",
        "true",
        "[]",
        "{}",
        '"\\ud800"',
        "2026-13-45",
        "0000-00-00",
        "24:61:61",
        "9999-12-31",
        "\x1b[31m",
        "$(x)",
    ),
)
VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1.5,
        1e308,
        2**63,
        10**30,
        float("inf"),
        float("nan"),
        "",
        "x",
        "²",
        "10.0.0.1",
        "\ud800",
    ),
    *([], {}, [[]], [None], [{}], {"": None}, {"set": []}, {"prefix": {"addr": "10.0.0.0", "len": 99}}, [1, "a"]),
    *("a" * 5000, {"10.0.0": "0-255,0-255"}, {"fd00:0:0:0:0:0:0": "0-ffff,0-ffff"}, "::1"),
)
_WORD = re.compile(r"[\w.:/+-]+|\s+|[^\w\s]")


def mutator(target: Target, plain: Mutate) -> Callable[[bytes, int, int], bytes]:
    """What varies the inputs of a target; `plain` is the fuzzer's own way, byte by byte."""

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        chance = random.Random(seed)  # noqa: S311  # nothing secret
        if target.form == BYTES or chance.random() < 0.35:
            made = plain(data, most)
        elif target.form == JSON and chance.random() < 0.8:
            made = of_json(data, chance) or plain(data, most)
        else:
            made = of_text(data, chance)
        return made[:most]

    return mutate


def of_text(data: bytes, chance: random.Random) -> bytes:
    """Vary a text by its lines and words."""
    text = data.decode("utf-8", "surrogateescape")
    for _time in range(chance.choice((1, 1, 2, 4))):
        text = chance.choice(_OF_TEXT)(text, chance)
    return text.encode("utf-8", "replace" if chance.random() < 0.5 else "surrogatepass")


def _lines_changed(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    how = chance.randrange(5)
    if how == 0:
        del lines[at]
    elif how == 1:
        lines[at], lines[other] = lines[other], lines[at]
    elif how == 2:
        lines.insert(at, lines[other])
    elif how == 3:
        lines[at] = lines[at][: chance.randrange(len(lines[at]) + 1)]
    else:
        del lines[at:]
    return "\n".join(lines)


def _word_changed(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    words = _WORD.findall(lines[at][:2000]) or [""]
    place = chance.randrange(len(words))
    how = chance.randrange(4)
    if how == 0:
        words[place] = chance.choice(WORDS)
    elif how == 1:
        words.insert(place, chance.choice(WORDS))
    elif how == 2:
        del words[place]
    else:
        others = _WORD.findall(lines[chance.randrange(len(lines))][:2000]) or [""]
        words[place] = chance.choice(others)
    lines[at] = "".join(words)
    return "\n".join(lines)


def _enlarged(text: str, chance: random.Random) -> str:
    """Repeat a part of it, so that a cost which grows faster than the input shows."""
    begin = chance.randrange(len(text) + 1)
    part = text[begin : begin + chance.choice((1, 2, 8, 40, 200))]
    if "\n" in part and chance.random() < 0.5:
        part = part.partition("\n")[2] or part
    return text[:begin] + part * chance.choice((3, 30, 300, 3000)) + text[begin:]


_OF_TEXT = (*[_lines_changed] * 8, *[_word_changed] * 15, _enlarged)


def of_json(data: bytes, chance: random.Random) -> bytes:
    """Vary a value somewhere in a document of JSON; b'' if it is none."""
    try:
        document = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return b""
    for _time in range(chance.choice((1, 1, 2, 4))):
        document = _value_changed(document, chance)
    try:
        return json.dumps(document).encode()
    except (ValueError, RecursionError):
        return b""


def _value_changed(document: Any, chance: random.Random) -> Any:
    """Change one value: descend by chance, then replace, remove, double or rename."""
    parent: Any = None
    key: Any = None
    value = document
    while isinstance(value, (dict, list)) and value and (parent is None or chance.random() < 0.8):
        parent = value
        key = chance.choice(list(value)) if isinstance(value, dict) else chance.randrange(len(value))
        value = value[key]
    if parent is None:
        return chance.choice(VALUES)
    how = chance.randrange(6)
    if how == 0:
        del parent[key]
    elif how == 1 and isinstance(parent, list):
        parent.extend([value] * chance.choice((1, 3, 100)))
    elif how == 2 and isinstance(parent, dict):
        parent[chance.choice(WORDS)] = parent.pop(key)
    elif how == 3 and isinstance(value, str):
        parent[key] = _word_changed(value, chance)
    elif how == 4:
        parent[key] = [value] if chance.random() < 0.5 else {"a": value}
    else:
        parent[key] = json.loads(json.dumps(chance.choice(VALUES)))
    return document
