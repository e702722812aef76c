# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses as the bytes that they are."""

from __future__ import annotations

import socket


def octets(address: str) -> bytes:
    """Return the 4 or 16 bytes of an IPv4 or IPv6 address without zone; b"" if it is none."""
    try:
        return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    except (OSError, ValueError):
        return b""


def is_address(text: str) -> bool:
    """Say whether `text` is an IPv4 or IPv6 address, perhaps with a zone."""
    return bool(octets(text.partition("%")[0]))
