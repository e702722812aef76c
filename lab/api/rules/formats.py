# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Formats of strings in OpenAPI schemas, as the API server checks them (k8s.io/kube-openapi/pkg/validation/strfmt)."""

from __future__ import annotations

import base64
import binascii
import datetime
import ipaddress
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# RFC 3339 as Go's formats take it: "T" may be a small letter or a blank, the zone must be there.
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)([.,]\d+)?([Zz]|[+-]\d\d:\d\d)\Z", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_UUID = re.compile(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\Z", re.ASCII)
_MAC = re.compile(r"(?i)[0-9a-f]{2}([:-][0-9a-f]{2}){5}\Z", re.ASCII)
_DURATION = re.compile(r"[-+]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)\Z", re.ASCII)


def fits(name: str, text: str) -> bool:
    """Whether a text has the format of this name; unknown formats fit everything."""
    check = _CHECKS.get(name)
    return check is None or check(text)


def is_time(text: str) -> bool:
    """An RFC 3339 time with zone."""
    match = _TIME.match(text)
    if match is None:
        return False
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    try:
        datetime.datetime(year or 1, month, day, hour, minute, second)
    except ValueError:
        return False
    return True


def is_duration(text: str) -> bool:
    """A duration as Go's time.ParseDuration takes it."""
    return _DURATION.match(text) is not None


def is_base64(text: str) -> bool:
    """Standard base64 with padding."""
    try:
        base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def is_cidr(text: str) -> bool:
    """An address with a prefix length; host bits may be set."""
    address, slash, length = text.partition("/")
    if not slash or not (length.isascii() and length.isdigit()) or len(length) > 3 or "%" in address:
        return False
    return is_address(address) and int(length) <= (128 if ":" in address else 32)


def is_address(text: str, version: int = 0) -> bool:
    """An IP address without a zone."""
    try:
        return "%" not in text and ipaddress.ip_address(text).version in ((version,) if version else (4, 6))
    except ValueError:
        return False


def _is_date(text: str) -> bool:
    return _DATE.match(text) is not None and is_time(f"{text}T00:00:00Z")


_CHECKS: dict[str, Callable[[str], bool]] = {
    "date-time": is_time,
    "datetime": is_time,
    "date": _is_date,
    "duration": is_duration,
    "byte": is_base64,
    "cidr": is_cidr,
    "ipv4": lambda text: is_address(text, 4),
    "ipv6": lambda text: is_address(text, 6),
    "uuid": lambda text: _UUID.match(text) is not None,
    "mac": lambda text: _MAC.match(text) is not None,
}
