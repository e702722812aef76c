# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The look for leaks: nothing that is to be shared may hold what was to be replaced, in whatever way it is written.

It does not go the redaction's ways: it takes each output apart into words, undoes encodings, and compares with what the
originals held. What it tells names the file and the kind, never the value.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ...module_utils._inet import octets
from . import secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST_DECODED = 100_000
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
_ADDRESS = re.compile(r"(?<!\d)(?<!\d\.)\d{1,3}(?:([._-])\d{1,3})(?:\1\d{1,3}){2}(?!\d)")
# Wherever one may begin: a number before it may look like its first byte.
_JOINED = re.compile(r"(?<!\d)(?=(\d{1,3}([_-])\d{1,3}\2\d{1,3}\2\d{1,3})(?!\d))")
_JOINED_SIX = re.compile(r"(?<![0-9A-Za-z])(?=([0-9a-f]{1,4}(?:-[0-9a-f]{0,4}){2,8})-\d{1,3}(?![-\w]))")
_SIX = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*")
_MAC = re.compile(r"(?<![\w:-])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![\w:-])")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:0x)?([0-9A-Fa-f]{8})(?![0-9A-Za-z])")
_BARE_MAC = re.compile(r"(?<![\w:.-])[0-9a-f]{12}(?![\w:-])")
_CODED = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{12,}={0,2}(?![A-Za-z0-9+/=_-])")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
_EDGES = re.compile(r"[.-]")
_RANDOM = re.compile(
    r"(?<![\w+/=.-])(?=[\w+/-]*[0-9])(?=[\w+/-]*[A-Z])(?=[\w+/-]*[a-z])[A-Za-z0-9+/_-]{40,}={0,2}(?![\w+/=.-])"
)
_OWN_NAME = "its own name"
_PLAIN_KEY = re.compile(r"[A-Za-z][\w-]{0,63}$")
WAY_OUT = (
    "Look there in the original: name the word that it stands in as one of redact_words, "
    "or redact a copy that does without this file."
)
_CALICO_NODE = re.compile(r"(?<![A-Za-z0-9])calico-node-", re.IGNORECASE)


class Originals(NamedTuple):
    """What must not be there: names in small letters, addresses that were replaced as bytes, secrets; and what
    replaces them, which may be there."""

    names: set[str]
    addresses: set[bytes]
    secrets: set[str]
    replacements: set[bytes]
    made: set[str]


class Leak(NamedTuple):
    """Where something was found, and what kind of thing it is. `place`: the line or the field, "" if it is in none."""

    path: str
    kind: str
    place: str = ""


def leaks(texts: Mapping[str, str], originals: Originals) -> Iterator[Leak]:
    """Yield what still stands in texts that are to be shared, by their paths; of each kind once in a text."""
    for path, text in texts.items():
        kinds = dict.fromkeys(_kinds(path, originals, 0))
        yield from (Leak(path, kind, _OWN_NAME) for kind in kinds)
        for kind in dict.fromkeys(_kinds(text, originals, 0)):
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


def _kinds(text: str, originals: Originals, depth: int) -> Iterator[str]:
    for value in originals.secrets:
        for how, written in secrets.encodings(value):
            if written in text:
                yield f"a secret {how}".rstrip()
                break
    for kind, pattern in _BY_FORM:
        if pattern.search(text):
            yield kind
    if any(
        secrets.entropy(found) >= 4.8 and found not in originals.made and not secrets.is_made_of_words(found)
        for found in set(_matches(_RANDOM, text))
    ):
        yield "what looks like a key"
    yield from _addresses(text, originals)
    if _name(text, originals):
        yield "the name of a node or a host"
    if depth < 2:
        yield from _coded(text, originals, depth)


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    return (match.group() for match in pattern.finditer(text))


def _addresses(text: str, originals: Originals) -> Iterator[str]:
    forbidden = originals.addresses - originals.replacements
    found4 = {*_matches(_ADDRESS, text), *(match.group(1) for match in _JOINED.finditer(text))}
    if any(octets(re.sub("[_-]", ".", found)) in forbidden for found in found4):
        yield "an IPv4 address"
    found6 = {match.group(1).replace("-", ":") for match in _JOINED_SIX.finditer(text)}
    if any(octets(found) in forbidden for found in found6):
        yield "an IPv6 address"
    if any(octets(found) in forbidden for found in set(_matches(_SIX, text)) if found.strip(":")):
        yield "an IPv6 address"
    if any(bytes.fromhex(re.sub("[:-]", "", found)) in forbidden for found in set(_matches(_MAC, text))):
        yield "a MAC address"
    if any(bytes.fromhex(found) in forbidden for found in set(_BARE_MAC.findall(text))):
        yield "a MAC address"
    for found in {match.group(1) for match in _HEX.finditer(text)}:
        raw = bytes.fromhex(found)
        if raw in forbidden or raw[::-1] in forbidden:
            yield "an IPv4 address in hexadecimal"


def _name(text: str, originals: Originals) -> bool:
    """Say whether one of the names stands in the text as a word or between dashes and dots."""
    if not originals.names:
        return False
    longest = max(len(_EDGES.split(name)) for name in originals.names)
    firsts = {_EDGES.split(name)[0] for name in originals.names}
    text = _CALICO_NODE.sub("", text)
    for word in set(_WORD.findall(text.lower())):
        parts = _EDGES.split(word)
        if firsts.isdisjoint(parts):
            continue
        joined = re.split(r"([.-])", word)
        for at in range(0, len(joined), 2):
            if joined[at] in firsts:
                for end in range(at + 1, min(len(joined), at + 2 * longest) + 1, 2):
                    if "".join(joined[at:end]) in originals.names:
                        return True
    return False


def _coded(text: str, originals: Originals, depth: int) -> Iterator[str]:
    """Look into what is base64 of a text."""
    for found in itertools.islice(set(_CODED.findall(text)), _MOST_DECODED):
        inner = _decoded(found)
        if inner:
            yield from (f"{kind} in base64" for kind in _kinds(inner, originals, depth + 1))


def _decoded(found: str) -> str:
    try:
        raw = base64.b64decode(found.replace("-", "+").replace("_", "/") + "=" * (-len(found) % 4), validate=True)
        text = raw.decode("ascii")
    except ValueError:
        return ""
    return text if text.replace("\n", " ").replace("\t", " ").isprintable() else ""
