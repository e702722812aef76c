# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses as they are spelled in texts: with ports, zones and masks, inside names, backwards, in hexadecimal."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

from ...module_utils._inet import octets
from .rare import Rare

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from .addresses import Addresses

_FOUR = re.compile(r"(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})((?:[.:]\d{1,5})?)$")
_RANGE = re.compile(r"(\d{1,3}(?:\.\d{1,3}){3})-(\d{1,3}(?:\.\d{1,3}){3})$")
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}$")
_SIX = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$")
_PROTOCOL = re.compile(r"((?:Mesh|Node|Global|Local_Workload|bgp)_)([0-9A-Fa-f_]+?)((?:_port_\d+)?)$")
_JOINED = re.compile(r"(?<!\d)(\d{1,3})([-_])(\d{1,3})\2(\d{1,3})\2(\d{1,3})(?!\d)(?:-(\d{1,2})(?![-\w]))?")
_BACKWARDS = re.compile(r"((?:\d{1,3}\.){4})(in-addr\.arpa\.?)$", re.IGNORECASE)
_KERNEL = re.compile(r"([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$")
_HEX = re.compile(r"(?:0x)?([0-9A-Fa-f]{8})$")
_BARE = re.compile(r"(?:[0-9a-f]{12}|[0-9A-F]{12})$")
_OF_PARTS = {2: (9, 16), 3: (17, 24)}


class Speller:
    """Rewrites one word. `seen` are the original addresses that stand as such somewhere, as bytes, and `networks`
    prefixes with their lengths: forms that may just as well be something else are rewritten only for them."""

    def __init__(self, addresses: Addresses, seen: set[bytes], networks: Collection[tuple[bytes, int]] = ()) -> None:
        self.addresses, self.seen, self._networks = addresses, seen, networks
        self.rare = Rare(addresses, seen)
        self._of_networks = {raw for raw, _length in networks}
        self._forms: tuple[Callable[[str, int | None], str | None], ...] = (
            self._four,
            self._mac,
            self._kernel,
            self._six,
            self._protocol,
            self._range,
            self._backwards,
            self._hex,
            self._bare_mac,
        )

    def word(self, text: str, length: int | None = None) -> str | None:
        """Return what a word becomes that is an address in some form, None if it is none. `length`: of the prefix that
        is written after it."""
        for form in self._forms:
            made = form(text, length)
            if made is not None:
                return made
        return self.rare.word(text)

    def address(self, text: str, length: int | None = None) -> str | None:
        """Return what a plain address becomes, None if it is none."""
        raw = octets(text)
        if not raw:
            return None
        made = self.addresses.raw(raw) if length is None else self.addresses.network(raw, length)
        spelled = socket.inet_ntop(socket.AF_INET if len(made) == 4 else socket.AF_INET6, made)
        return text if made == raw else (spelled.upper() if text != text.lower() else spelled)

    def _four(self, text: str, length: int | None) -> str | None:
        match = _FOUR.match(text)
        if match is None:
            return None
        made = self.address(match.group(1), length)
        return None if made is None else made + match.group(2)

    def _mac(self, text: str, _length: int | None) -> str | None:
        match = _MAC.match(text)
        if match is None:
            return None
        made = self.addresses.raw(bytes.fromhex(text.replace(match.group(1), ""))).hex(match.group(1))
        return made.upper() if text != text.lower() else made

    def _six(self, text: str, length: int | None) -> str | None:
        if text.count(":") < 2 or not _SIX.match(text):
            return None
        before, _colon, last = text.rpartition(":")
        # netstat puts the port behind the address as if it were a part of it.
        if last.isdigit() and length is None and (not octets(text) or octets(before) in self.seen):
            made = self.address(before)
            if made is not None:
                return f"{made}:{last}"
        before, dot, last = text.rpartition(".")
        if dot and last.isdigit() and "." not in before:  # tcpdump's way
            made = self.address(before)
            return None if made is None else f"{made}.{last}"
        return self.address(text, length)

    def _protocol(self, text: str, _length: int | None) -> str | None:
        match = _PROTOCOL.match(text)
        if match is None:
            return None
        kind, middle, port = match.groups()
        for sign in (".", ":"):
            made = self.address(middle.replace("_", sign))
            if made is not None:
                return kind + made.replace(sign, "_") + port
        return None

    def _range(self, text: str, _length: int | None) -> str | None:
        match = _RANGE.match(text)
        if match is None:
            return None
        made = [octets(self.address(part) or part) for part in match.groups()]
        if not all(made):
            return None
        return "-".join(socket.inet_ntop(socket.AF_INET, raw) for raw in sorted(made))

    def _backwards(self, text: str, _length: int | None) -> str | None:
        match = _BACKWARDS.match(text)
        if match is None:
            return None
        made = self.address(".".join(reversed(match.group(1).rstrip(".").split("."))))
        return None if made is None else ".".join(reversed(made.split("."))) + "." + match.group(2)

    def _kernel(self, text: str, _length: int | None) -> str | None:
        """As /proc/net/tcp prints them: words of 32 bits, in the byte order of most machines."""
        match = _KERNEL.match(text)
        if match is None:
            return None
        made = self.addresses.raw(_turned(bytes.fromhex(match.group(1))))
        return f"{_turned(made).hex().upper()}:{match.group(2)}"

    def _hex(self, text: str, _length: int | None) -> str | None:
        match = _HEX.match(text)
        if match is None:
            return None
        raw = bytes.fromhex(match.group(1))
        for there_and_back in (bytes, _turned):
            if there_and_back(raw) in self.seen:
                made = there_and_back(self.addresses.raw(there_and_back(raw))).hex()
                made = made.upper() if match.group(1) != match.group(1).lower() else made
                return text[: match.start(1)] + made
        return None

    def _bare_mac(self, text: str, _length: int | None) -> str | None:
        """As the facts write them. Short names of containers look the same, and lose nothing by it."""
        if len(text) != 12 or not _BARE.match(text):
            return None
        raw = bytes.fromhex(text)
        if text.isdigit() and raw not in self.seen:
            return None
        made = self.addresses.raw(raw).hex()
        return made.upper() if text != text.lower() else made

    def joined(self, text: str) -> str:
        """Return a name without the addresses in it that are joined by dashes or underscores (ip-10-0-1-45), nor the
        prefixes, as Calico calls blocks and affinities by them (node-1-10-244-1-0-26)."""
        text = self.rare.inside(text)
        if "-" not in text and "_" not in text:
            return text
        made, at, match = "", 0, _JOINED.search(text)
        while match is not None:
            replaced = self._joined(match)
            # A number before the address may look like its first byte: the next try begins behind that one alone.
            end = match.end(1) if replaced is None else match.end(5)
            made += text[at:end] if replaced is None else text[at : match.start()] + replaced
            at, match = end, _JOINED.search(text, end)
        return self._joined6(made + text[at:])

    def _joined(self, match: re.Match[str]) -> str | None:
        raw = octets(".".join(match.group(1, 3, 4, 5)))
        if not raw:
            return None
        length = int(match.group(6) or 0)
        if (raw, length) in self._networks:
            return match.group(2).join(str(byte) for byte in self.addresses.network(raw, length))
        before = match.string[: match.start()].lower()
        known = raw in self.seen or raw in self._of_networks
        if not (known or before.endswith(("ip-", "ip_", "mesh_", "node_", "global_"))):
            return None
        return match.group(2).join(str(byte) for byte in self.addresses.raw(raw))

    def _joined6(self, text: str) -> str:
        """Here a prefix of IPv6 ends the name that it stands in (node-1-fd00-10-244---122)."""
        parts = text.split("-")
        if len(parts) < 4 or not parts[-1].isdigit() or len(parts[-1]) > 3:
            return text
        for at in range(len(parts) - 3):
            raw = octets(":".join(parts[at:-1]))
            if raw in self.seen:
                made = socket.inet_ntop(socket.AF_INET6, self.addresses.network(raw, int(parts[-1])))
                return "-".join((*parts[:at], made.replace(":", "-"), parts[-1]))
        return text

    def short_prefix(self, text: str, length: int) -> str | None:
        """Return what a prefix without its last bytes ("10.244/16") becomes, None if this is none."""
        parts = text.split(".")
        limits = _OF_PARTS.get(len(parts))
        if limits is None or not all(part.isdigit() for part in parts) or not limits[0] <= length <= limits[1]:
            return None
        made = self.address(".".join([*parts, "0", "0"][:4]), length)
        return None if made is None else ".".join(made.split(".")[: len(parts)])


def _turned(raw: bytes) -> bytes:
    return b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
