# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dates of X.509 certificates, from as much of DER (ITU-T X.690, RFC 5280) as leads there.

Certificate ::= SEQUENCE { tbsCertificate SEQUENCE { [0] version OPTIONAL, serialNumber INTEGER, signature SEQUENCE,
                           issuer SEQUENCE, validity SEQUENCE { notBefore, notAfter }, subject SEQUENCE,
                           subjectPublicKeyInfo SEQUENCE, …, [3] extensions OPTIONAL }, … }
"""

from __future__ import annotations

import binascii
import datetime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Tuple

    Dates = Tuple[float, float]

BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
SEQUENCE, VERSION, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18
_BEFORE_VALIDITY = 3  # serial number, signature, issuer
_EPOCH = 719163
_LONG_FORM = 0x80
_LONGEST_LENGTH = 4
MOST = 256


def parse_pem(text: str) -> tuple[list[Dates], int]:
    """Return (not before, not after) in seconds since the epoch of each certificate in a PEM file, and how many blocks
    could not be read. Other blocks (private keys) are not looked at."""
    found: list[Dates] = []
    broken = 0
    start = text.find(BEGIN)
    while start >= 0 and len(found) + broken < MOST:
        end = text.find(END, start)
        if end < 0:
            return found, broken + 1
        try:
            dates = parse_der(binascii.a2b_base64("".join(text[start + len(BEGIN) : end].split())))
        except ValueError:
            dates = None
        if dates is None:
            broken += 1
        else:
            found.append(dates)
        start = text.find(BEGIN, end)
    return found, broken


def parse_der(der: bytes) -> Dates | None:
    """Return the dates of one certificate; None if this is none."""
    try:
        kind, certificate, _rest = element(der)
        inner_kind, content, _rest = element(certificate)
        if kind != SEQUENCE or inner_kind != SEQUENCE:
            return None
        inner = elements(content)
        kind, value = next(inner)
        # The version stands first where there is one; the serial number is skipped with it or is the first itself.
        for _number in range(_BEFORE_VALIDITY if kind == VERSION else _BEFORE_VALIDITY - 1):
            next(inner)
        kind, value = next(inner)
        if kind != SEQUENCE:
            return None
        dates = [_moment(kind, raw) for kind, raw in elements(value)]
    except (StopIteration, ValueError, IndexError):
        return None
    return (dates[0], dates[1]) if len(dates) == 2 else None


def elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the tags and contents of elements that follow each other. Raises as element() does."""
    while data:
        kind, value, data = element(data)
        yield kind, value


def element(data: bytes) -> tuple[int, bytes, bytes]:
    """Return the tag, the content and what follows. Raises ValueError or IndexError if it is cut short."""
    kind, length, offset = data[0], data[1], 2
    if length & _LONG_FORM:
        count = length & ~_LONG_FORM
        if not 0 < count <= _LONGEST_LENGTH:
            raise ValueError("length")
        length, offset = int.from_bytes(data[2 : 2 + count], "big"), 2 + count
    if offset + length > len(data):
        raise ValueError("cut short")
    return kind, data[offset : offset + length], data[offset + length :]


def _moment(kind: int, raw: bytes) -> float:
    """Read "261121000000Z" or "20261121000000Z". Years of two digits are 1950 to 2049."""
    text = raw.decode("ascii", "replace")
    if kind not in (_UTC_TIME, _GENERALIZED_TIME) or not text.endswith("Z"):
        raise ValueError("time")
    width = 2 if kind == _UTC_TIME else 4
    digits = text[:-1]
    if not digits.isdigit() or len(digits) != width + 10:
        raise ValueError("time")
    year = int(digits[:width])
    if width == 2:
        year += 2000 if year < 50 else 1900
    month, day, hour, minute, second = (int(digits[start : start + 2]) for start in range(width, width + 10, 2))
    days = datetime.date(year, month, day).toordinal() - _EPOCH
    return float(days * 86400 + hour * 3600 + minute * 60 + second)
