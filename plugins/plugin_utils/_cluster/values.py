# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values with a form of their own: AS numbers, addresses with a port, prefixes, times."""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime, timezone
from typing import Any

GREATEST_AS = 2**32 - 1
_DOTTED = re.compile(r"([0-9]{1,5})\.([0-9]{1,5})$")
_DIGITS = re.compile(r"[0-9]{1,10}$")
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,12}))?"
    r"(?:[Zz]| ?UTC|([+-][0-9]{2}):?([0-9]{2}))?$"
)
_BRACKETS = re.compile(r"\[([^\[\]]{1,64})\](?::([0-9]{1,5}))?$")


def as_number(value: Any) -> int | None:
    """Return an AS number (1 to 4294967295) given as number or text, also dotted: "1.10" is 65546. None if it is none.

    YAML reads 1.10 without quotes as the number 1.1, so a fraction is no AS number: which one was meant is not known.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        value = int(value) if value.is_integer() else ""
    number = value if isinstance(value, int) else _number_of(value.strip()) if isinstance(value, str) else None
    return number if number is not None and 0 < number <= GREATEST_AS else None


def _number_of(text: str) -> int | None:
    if _DIGITS.match(text):
        return int(text)
    dotted = _DOTTED.match(text)
    if dotted is None:
        return None
    high, low = int(dotted.group(1)), int(dotted.group(2))
    return (high << 16) + low if high <= 0xFFFF and low <= 0xFFFF else None


def address_and_port(written: str) -> tuple[str, int | None] | None:
    """Return the address in its plain form and the port of a BGPPeer's peerIP: "10.0.0.1", "10.0.0.1:1790", "fd00::1",
    "[fd00::1]:1790". None if that is no address."""
    body, port = written.strip(), ""
    brackets = _BRACKETS.match(body)
    if brackets is not None:
        body, port = brackets.group(1), brackets.group(2) or ""
    elif body.count(":") == 1:
        body, _colon, port = body.partition(":")
        if not port:
            return None
    address = plain_address(body)
    if not address or (port and not (port.isascii() and port.isdigit() and 0 < int(port) <= 65535)):
        return None
    return address, int(port) if port else None


def plain_address(written: str) -> str:
    """Return an address in its plain form (IPv6 compressed and in lower case), '' if it is none."""
    try:
        return str(ipaddress.ip_address(written))
    except ValueError:
        return ""


def address_of_node(written: str) -> str:
    """Return a node's address as Calico stores it, with its prefix length if one is given ("10.0.0.1/24"); '' if it is
    none, which Calico takes for absent."""
    body, slash, length = written.strip().partition("/")
    address = plain_address(body)
    if not address or not slash:
        return address
    most = 128 if ":" in address else 32
    if not (length.isascii() and length.isdigit() and len(length) <= 3 and int(length) <= most):
        return ""
    return f"{address}/{int(length)}"


def network(written: str) -> str:
    """Return a prefix in its plain form ("10.0.0.0/8"), '' if it is none. Bits of the host are cut."""
    try:
        return str(ipaddress.ip_network(written.strip(), strict=False)) if "/" in written else ""
    except ValueError:
        return ""


def moment(written: str) -> float | None:
    """Return an RFC 3339 time in Unix seconds; None if it is none. One without a zone is UTC's."""
    match = _MOMENT.match(written.strip())
    if match is None:
        return None
    day, clock, fraction, hours, minutes = match.groups()
    try:
        seconds = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=timezone.utc).timestamp()
    except (ValueError, OverflowError):
        return None
    if hours is not None:
        offset = int(hours) * 3600 + (int(minutes) * 60 if hours[0] == "+" else -int(minutes) * 60)
        seconds -= offset
    return seconds + (float(f"0.{fraction}") if fraction else 0.0)
