# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses as few programs spell them: as one number, byte by byte, as switches write them, inside other words.

Most of these forms may as well be something else. They are rewritten only if the address stands somewhere as such, or
if nothing else looks like it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...module_utils._inet import octets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .addresses import Addresses

# MAC addresses as switches write them: 5254.0012.3456, 525400-123456; and without the zeros, 52:54:0:12:34:56.
_SWITCH_MAC = re.compile(r"[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2}$|[0-9A-Fa-f]{6}-[0-9A-Fa-f]{6}$")
_SHORT_MAC = re.compile(r"[0-9A-Fa-f]{1,2}(?::[0-9A-Fa-f]{1,2}){5}$")
# Bridges, by their priority and MAC address.
_BRIDGE = re.compile(r"([0-9a-f]{4}\.)([0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5})$")
# Interfaces that systemd calls after their MAC address.
_NAMED_MAC = re.compile(r"(enx|wlx|wwx)([0-9a-f]{12})$")
_INSIDE_MAC = re.compile(r"(?<![0-9A-Fa-f])(?:[0-9a-f]{12}|[0-9A-F]{12})(?![0-9A-Fa-f])")
_BYTES = re.compile(r"[0-9A-Fa-f]{2}(?:([:-])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){2,}$")
_PADDED = re.compile(r"(?:\d{1,4}\.){3}\d{1,4}$")
_DOTTED_HEX = re.compile(r"(?:0[xX][0-9A-Fa-f]{1,2}\.){3}0[xX][0-9A-Fa-f]{1,2}$")
_BACKWARDS = re.compile(r"((?:[0-9a-f]\.){8,32})(ip6\.arpa\.?)$", re.IGNORECASE)
_INSIDE = re.compile(r"(?<!\d)(?<!\d\.)\d{1,3}(?:\.\d{1,3}){3}(?!\d)")
_LITERAL = re.compile(r"([0-9a-f-]+)(?:s\w+)?\.ipv6-literal\.net$", re.IGNORECASE)


class Rare:
    """Rewrites one word. `seen` are the original addresses that stand as such somewhere, as bytes."""

    def __init__(self, addresses: Addresses, seen: set[bytes]) -> None:
        self._raw, self._seen = addresses.raw, seen
        self._network = addresses.network
        self._forms: tuple[Callable[[str], str | None], ...] = (
            self._mac,
            self._bytes,
            self._padded,
            self._dotted_hex,
            self._backwards,
        )

    def word(self, text: str) -> str | None:
        """Return what a word becomes that is an address in one of these forms, None if it is none."""
        for form in self._forms:
            made = form(text)
            if made is not None:
                return made
        return None

    def number(self, text: str) -> str | None:
        """Return what a word of digits becomes that is an address of IPv4, or of Ethernet, None if it is none."""
        if len(text) == 12 and bytes.fromhex(text) in self._seen:
            return self._raw(bytes.fromhex(text)).hex()
        if not 7 <= len(text) <= 10 or int(text) >> 32:
            return None
        raw = int(text).to_bytes(4, "big")
        return str(int.from_bytes(self._raw(raw), "big")) if raw in self._seen else None

    def inside(self, text: str) -> str:
        """Return a name without the addresses that are glued to other letters of it."""
        if text.count(".") > 2:
            text = _INSIDE.sub(lambda found: self._known_four(found.group()), text)
        return _INSIDE_MAC.sub(lambda found: self._known_mac(found.group()), text) if len(text) > 11 else text

    def _known_four(self, text: str) -> str:
        raw = octets(text)
        return ".".join(map(str, self._raw(raw))) if raw in self._seen else text

    def _known_mac(self, text: str) -> str:
        raw = bytes.fromhex(text)
        return _as(text, self._raw(raw).hex()) if raw in self._seen else text

    def _mac(self, text: str) -> str | None:
        match = _NAMED_MAC.match(text)
        if match is not None:
            return match.group(1) + self._raw(bytes.fromhex(match.group(2))).hex()
        match = _BRIDGE.match(text)
        if match is not None:
            raw = bytes(int(part, 16) for part in match.group(2).split(":"))
            width = 2 if len(match.group(2)) == 17 else 1
            return match.group(1) + ":".join(f"{byte:0{width}x}" for byte in self._raw(raw))
        if _SWITCH_MAC.match(text):
            raw = bytes.fromhex(re.sub("[.-]", "", text))
        elif _SHORT_MAC.match(text):
            raw = bytes(int(part, 16) for part in text.split(":"))
        else:
            return None
        if raw not in self._seen and not re.search("[A-Fa-f]", text):
            return None
        made = self._raw(raw).hex()
        if ":" in text:
            made = ":".join(f"{byte:x}" for byte in self._raw(raw))
        elif "-" in text:
            made = f"{made[:6]}-{made[6:]}"
        else:
            made = ".".join((made[:4], made[4:8], made[8:]))
        return _as(text, made)

    def _bytes(self, text: str) -> str | None:
        """Bytes in a row, as identifiers of DHCP and dumps have them, in which addresses are."""
        match = _BYTES.match(text)
        if match is None:
            return None
        made = self.within(bytes.fromhex(text.replace(match.group(1), "")))
        return None if made is None else _as(text, made.hex(match.group(1)))

    def within(self, raw: bytes) -> bytes | None:
        """Return bytes without the addresses in them, None if there are none."""
        made = bytearray(raw)
        done = 0
        for at, found in self._windows(raw):
            if at >= done:
                made[at : at + len(found)] = self._raw(found)
                done = at + len(found)
        return bytes(made) if done else None

    def _windows(self, raw: bytes) -> Iterator[tuple[int, bytes]]:
        for at in range(len(raw)):
            for size in (16, 6, 4):
                found = raw[at : at + size]
                if len(found) == size and found in self._seen and any(found[:-1]):
                    yield at, found

    def _padded(self, text: str) -> str | None:
        """With zeros before the digits: decimal all the same, or octal, as C reads it."""
        parts = text.split(".")
        if not _PADDED.match(text) or not any(len(part) > 1 and part[0] == "0" for part in parts):
            return None
        for base in (10, 8):
            raw = _of_parts(parts, base)
            if raw in self._seen:
                sign = "d" if base == 10 else "o"
                return ".".join(f"{byte:0{len(part)}{sign}}" for byte, part in zip(self._raw(raw), parts, strict=True))
        return None

    def _dotted_hex(self, text: str) -> str | None:
        if not _DOTTED_HEX.match(text):
            return None
        return ".".join(f"0x{byte:02x}" for byte in self._raw(bytes(int(part, 16) for part in text.split("."))))

    def _backwards(self, text: str) -> str | None:
        match = _BACKWARDS.match(text)
        if match is None:
            return None
        digits = match.group(1).replace(".", "")[::-1]
        raw = bytes.fromhex(digits.ljust(32, "0"))
        made = self._network(raw, 4 * len(digits)).hex()[: len(digits)]
        return ".".join(reversed(made)) + "." + match.group(2)

    def literal(self, text: str) -> str | None:
        """Return what a host of Windows' ipv6-literal.net becomes, None if this is none."""
        match = _LITERAL.match(text)
        raw = octets(match.group(1).replace("-", ":")) if match else b""
        if match is None or len(raw) != 16:
            return None
        made = ":".join(f"{int.from_bytes(self._raw(raw)[at : at + 2], 'big'):x}" for at in range(0, 16, 2))
        return made.replace(":", "-") + text[match.end(1) :]


def _of_parts(parts: list[str], base: int) -> bytes:
    try:
        return bytes(int(part, base) for part in parts)
    except ValueError:
        return b""


def _as(text: str, made: str) -> str:
    """Return hexadecimal digits in capitals if they were."""
    return made.upper() if text != text.lower() else made
