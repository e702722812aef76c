# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom X.509 certificates name (RFC 5280), and by which key they are signed: what a connection's two ends compare."""

from __future__ import annotations

import binascii

from .._record import NamedTuple
from . import x509

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_EXTENSIONS = 0xA3
_COMMON_NAME = b"\x55\x04\x03"
_SUBJECT_KEY, _ALTERNATIVE, _AUTHORITY_KEY = b"\x55\x1d\x0e", b"\x55\x1d\x11", b"\x55\x1d\x23"
_KEY_IDENTIFIER, _DNS, _URI, _IP = 0x80, 0x82, 0x86, 0x87
_KEY_DIGITS = 16
_LONGEST, _MOST_NAMES = 128, 16


class Names(NamedTuple):
    """Whom a certificate names: common names of subject and issuer, subject alternative names, and the first 16 digits
    of the key identifiers (RFC 5280, 4.2.1.1: they tell which CA's key signed it; '' if there is none)."""

    subject: str
    issuer: str
    dns: list[str]
    uris: list[str]
    addresses: list[str]
    key: str
    issuer_key: str


def blocks(text: str) -> Iterator[bytes]:
    """Yield the certificates of a PEM file, those that can be decoded."""
    start = text.find(x509.BEGIN)
    for _number in range(x509.MOST):
        end = text.find(x509.END, start) if start >= 0 else -1
        if end < 0:
            return
        try:
            der = binascii.a2b_base64("".join(text[start + len(x509.BEGIN) : end].split()))
        except ValueError:
            der = b""
        if der:
            yield der
        start = text.find(x509.BEGIN, end)


def parse_names(der: bytes) -> Names | None:
    """Return whom one certificate names; None if this is none."""
    try:
        content = x509.element(x509.element(der)[1])[1]
        elements = list(x509.elements(content))
        first = 1 if elements[0][0] == x509.VERSION else 0
        issuer, subject = elements[first + 2], elements[first + 4]
        if issuer[0] != x509.SEQUENCE or subject[0] != x509.SEQUENCE:
            return None
        extensions = [value for kind, value in elements[first + 5 :] if kind == _EXTENSIONS]
        found = (
            dict(_extension(value) for _kind, value in x509.elements(x509.element(extensions[0])[1]))
            if extensions
            else {}
        )
        names = _alternative_names(found.get(_ALTERNATIVE, b""))
        own = x509.element(found[_SUBJECT_KEY])[1] if _SUBJECT_KEY in found else b""
        keys = list(x509.elements(x509.element(found[_AUTHORITY_KEY])[1])) if _AUTHORITY_KEY in found else []
        signed_by = next((value for kind, value in keys if kind == _KEY_IDENTIFIER), b"")
        return Names(
            _common_name(subject[1]),
            _common_name(issuer[1]),
            names[_DNS],
            names[_URI],
            names[_IP],
            own.hex()[:_KEY_DIGITS],
            signed_by.hex()[:_KEY_DIGITS],
        )
    except (ValueError, IndexError):
        return None


def _common_name(name: bytes) -> str:
    """Return the last common name of a distinguished name: a sequence of sets of pairs; '' if it has none."""
    found = ""
    for _kind, group in x509.elements(name):
        for _inner, pair in x509.elements(group):
            (_object, what), (_string, value) = list(x509.elements(pair))[:2]
            if what == _COMMON_NAME:
                found = value.decode("utf-8", "replace")[:_LONGEST]
    return found


def _extension(value: bytes) -> tuple[bytes, bytes]:
    parts = list(x509.elements(value))
    return parts[0][1], parts[-1][1]


def _alternative_names(value: bytes) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {_DNS: [], _URI: [], _IP: []}
    for kind, name in x509.elements(x509.element(value)[1]) if value else ():
        if kind in found and len(found[kind]) < _MOST_NAMES:
            found[kind].append(_address(name) if kind == _IP else name.decode("ascii", "replace")[:_LONGEST])
    return found


def _address(raw: bytes) -> str:
    import socket

    return socket.inet_ntop(socket.AF_INET6 if len(raw) == 16 else socket.AF_INET, raw)
