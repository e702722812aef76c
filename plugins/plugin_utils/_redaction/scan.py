# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The look for leaks: nothing that is to be shared may hold what was to be replaced, in whatever way it is written.

It does not go the redaction's ways: it takes each output apart into words, undoes encodings, and compares with what the
originals held. What it tells names the file and the kind, never the value.
"""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from . import blocks, sought
from .disguised import CODED, QUOTED, decoded
from .secrets import judge, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .schemes import Schemes

_MOST_DECODED = 100_000
# Logs say the same over and over; so many words are remembered.
_MOST_CLEAN = 100_000
_BY_FORM = (
    ("a key or a certificate", re.compile(r"-----BEGIN [A-Z ]|LS0tLS1CRUdJTi")),
    (
        "a token",
        re.compile(
            r"(?<![\w/+-])eyJ[\w-]{8,}\.|(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])|\bgh[ps]_\w{20}"
        ),
    ),
    ("a password in a URL", re.compile(r"://(?!REDACTED@)[^/@\s\"'<>]{1,500}@")),
    ("a bearer token", re.compile(r"(?i)\bbearer\s+(?!REDACTED)(?=[\w.~+/=-]*\d)[\w.~+/=-]{16,}")),
)
_RANDOM = re.compile(
    r"(?<![\w+/=.-])(?=[\w+/-]*[0-9])(?=[\w+/-]*[A-Z])(?=[\w+/-]*[a-z])[A-Za-z0-9+/_-]{40,}={0,2}(?![\w+/=.-])"
)
_OWN_NAME = "its own name"
_PLAIN_KEY = re.compile(r"[A-Za-z][\w-]{0,63}$")
WAY_OUT = (
    "Look there in the original: name the word that it stands in as one of redact_words, "
    "or redact a copy that does without this file."
)


class Originals(NamedTuple):
    """What must not be there: names in small letters, and how they are made; addresses that were replaced, as bytes;
    secrets; and what replaces them, which may be there."""

    names: set[str]
    addresses: set[bytes]
    secrets: set[str]
    replacements: set[bytes]
    made: set[str]
    schemes: Schemes


class Leak(NamedTuple):
    """Where something was found, and what kind of thing it is. `place`: the line or the field, "" if it is in none."""

    path: str
    kind: str
    place: str = ""


def leaks(texts: Mapping[str, str], originals: Originals) -> Iterator[Leak]:
    """Yield what still stands in texts that are to be shared, by their paths; of each kind once in a text."""
    clean: set[str] = set()
    for path, text in texts.items():
        kinds = dict.fromkeys(_kinds(path, originals, 0))
        yield from (Leak(path, kind, _OWN_NAME) for kind in kinds)
        found = (kind for piece in blocks.of(text) for kind in _kinds(piece, originals, 0, clean))
        for kind in dict.fromkeys(found):
            if kind not in kinds:
                yield Leak(path, kind, _place(text, kind, originals))


def sentence(leak: Leak) -> str:
    """Say why nothing was written, and what can be done."""
    return f"Nothing was written: after redaction {told(leak)}. {WAY_OUT}"


def told(leak: Leak) -> str:
    """Say what is where. A file whose own name tells something is not named."""
    if leak.place == _OWN_NAME:
        return f"the name of a file still holds {leak.kind}"
    return f"{leak.path} still holds {leak.kind}{' in ' if leak.place else ''}{leak.place}"


def _place(text: str, kind: str, originals: Originals) -> str:
    """Return the line, or the field of JSON, in which the first of this kind is; "" if it is in no single one."""
    try:
        found = json.loads(text) if text.lstrip()[:1] in ("{", "[") else None
    except (ValueError, RecursionError):
        found = None
    if found is not None:
        field = _field(found, kind, originals)
        return f"the field {field}" if field else ""
    lines, first = text.split("\n"), 1
    while len(lines) > 1:
        half = len(lines) // 2
        if kind in _kinds("\n".join(lines[:half]), originals, 0):
            lines = lines[:half]
        else:
            lines, first = lines[half:], first + half
    return f"line {first}" if kind in _kinds(lines[0], originals, 0) else ""


def _field(value: Any, kind: str, originals: Originals) -> str:
    """Return the path to what holds this kind of thing, as far as it leads to a single field. For a key that may tell
    something itself its number stands."""
    path = ""
    while isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for at, (key, item) in enumerate(items):
            tells = isinstance(key, str) and (not _PLAIN_KEY.match(key) or any(_kinds(key, originals, 0)))
            own = f"[{at}]" if tells or not isinstance(key, str) else f".{key}"
            if isinstance(key, str) and kind in _kinds(key, originals, 0):
                return f"{path}{own} (its key)".lstrip(".")
            if kind in _kinds(json.dumps(item, ensure_ascii=False), originals, 0):
                path, value = path + own, item
                break
        else:
            break
    return path.lstrip(".")


def _kinds(text: str, originals: Originals, depth: int, clean: set[str] | None = None) -> Iterator[str]:
    """`clean`: words in which nothing was found before, which need not be looked at again; further ones are added."""
    for value in originals.secrets:
        for how, coded in written.encodings(value):
            if coded in text:
                yield f"a secret {how}".rstrip()
                break
    for kind, pattern in _BY_FORM:
        if pattern.search(text):
            yield kind
    yield from sought.lines(text, originals.addresses - originals.replacements)
    if clean is None:
        yield from _of_words(words(text), originals, depth)
        return
    fresh = [word for word in dict.fromkeys(text.split()) if word not in clean]
    found = list(_of_words("\n".join(fresh), originals, depth))
    yield from found
    if not found and len(clean) < _MOST_CLEAN:
        clean.update(fresh)


def _of_words(text: str, originals: Originals, depth: int) -> Iterator[str]:
    """Yield the kinds of what single words tell, of which each is in a line of its own."""
    forbidden = originals.addresses - originals.replacements
    if any(
        judge.entropy(found) >= 4.8 and found not in originals.made and not judge.is_made_of_words(found)
        for found in set(_matches(_RANDOM, text))
    ):
        yield "what looks like a key"
    yield from sought.addresses(text, forbidden)
    if sought.a_name(text, originals.names):
        yield "the name of a node or a host"
    if sought.one_like_them(text, originals.schemes):
        yield "what looks like the name of a node or a host"
    if depth < 2:
        yield from _coded(text, originals, depth)


def words(text: str) -> str:
    """Return each word of a text once. Logs say the same over and over, and no address goes beyond a word."""
    return "\n".join(dict.fromkeys(text.split()))


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    return (match.group() for match in pattern.finditer(text))


def _coded(text: str, originals: Originals, depth: int) -> Iterator[str]:
    """Look into what is base64 of a text, or quoted for a URL."""
    for found in itertools.islice(set(QUOTED.findall(text)), _MOST_DECODED):
        yield from _kinds(unquote(found), originals, depth + 1)
    for found in itertools.islice(set(CODED.findall(text)), _MOST_DECODED):
        inner = decoded(found)
        if inner:
            yield from (f"{kind} in base64" for kind in _kinds(inner, originals, depth + 1))
