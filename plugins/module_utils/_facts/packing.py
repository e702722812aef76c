# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many addresses in few bytes: a node with a thousand healthy peers names all of them in a few hundred.

Addresses are grouped by everything but their last part; the last parts become values and ranges:

    {"10.200.0": "9-12,14", "fd00:0:0:0:0:0:0": "9-c"}

IPv4 groups have three bytes and decimal values, IPv6 groups seven 16-bit groups and hexadecimal values. What is no
plain address (a link-local one with its zone, say) stands as it is under the key "", separated by commas.
"""

from __future__ import annotations

import itertools
import socket

from .._inet import octets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_VERBATIM = ""
# No mesh is as large. What few letters can stand for must not fill the memory of who reads them.
MOST = 10_000


def canonical(address: str) -> str:
    """Return `address` as inet_ntop spells it, or unchanged if it is no plain IPv4 or IPv6 address."""
    raw = octets(address)
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw) if raw else address


def family_of(address: str) -> str:
    """Return ipv4 or ipv6, or '' if this is no plain address."""
    return {4: "ipv4", 16: "ipv6"}.get(len(octets(address)), "")


def pack(addresses: Iterable[str]) -> dict[str, str]:
    """Return the set of `addresses` grouped as described above: groups and values in numeric order, no duplicates."""
    groups4: dict[bytes, set[int]] = {}
    groups6: dict[bytes, set[int]] = {}
    verbatim: set[str] = set()
    for address in addresses:
        raw = octets(address)
        if len(raw) == 4:
            groups4.setdefault(raw[:3], set()).add(raw[3])
        elif raw:
            groups6.setdefault(raw[:14], set()).add(raw[14] << 8 | raw[15])
        else:
            verbatim.add(address)
    packed = {".".join(map(str, key)): _ranges(groups4[key], "d") for key in sorted(groups4)}
    for key in sorted(groups6):
        name = ":".join(f"{key[i] << 8 | key[i + 1]:x}" for i in range(0, 14, 2))
        packed[name] = _ranges(groups6[key], "x")
    if verbatim:
        packed[_VERBATIM] = ",".join(sorted(verbatim))
    return packed


def pack_prefixes(prefixes: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return prefixes by their length, {"26": {"10.244.1": "0,64"}}; what has none is a whole address ("32", "128") or
    no address at all, under ""."""
    by_length: dict[str, list[str]] = {}
    for prefix in prefixes:
        address, _slash, length = prefix.partition("/")
        whole = "128" if ":" in address else "32"
        by_length.setdefault((length or whole) if family_of(address) else "", []).append(address)
    return {length: pack(by_length[length]) for length in sorted(by_length, key=lambda text: (len(text), text))}


def unpack(packed: Mapping[str, str]) -> Iterator[str]:
    """Yield every address of `packed` as inet_ntop spells it, at most MOST. Parts that make no address are left out."""
    return itertools.islice(_unpacked(packed), MOST)


def _unpacked(packed: Mapping[str, str]) -> Iterator[str]:
    for group, text in packed.items():
        if group == _VERBATIM:
            yield from filter(None, text.split(","))
        elif ":" in group:
            if octets(group + ":0"):
                for value in _values(text, 16, 0xFFFF):
                    yield canonical(f"{group}:{value:x}")
        elif octets(group + ".0"):
            for value in _values(text, 10, 0xFF):
                yield f"{group}.{value}"


def _ranges(values: set[int], form: str) -> str:
    """Write {9, 10, 11, 12, 14} as '9-12,14', each number in `form`."""
    parts: list[str] = []
    ordered = sorted(values)
    start = previous = ordered[0]
    for value in [*ordered[1:], -1]:
        if value == previous + 1:
            previous = value
            continue
        parts.append(format(start, form) if start == previous else f"{start:{form}}-{previous:{form}}")
        start = previous = value
    return ",".join(parts)


def spans(text: str, base: int, greatest: int) -> Iterator[tuple[int, int]]:
    """Yield first and last of each range of '9-12,14', none above `greatest`: a hostile '0-99999999999' must not become
    work.

    They ascend, as pack() writes them; what would go back is left out.
    """
    least = 0
    for part in text.split(","):
        low, _dash, high = part.partition("-")
        try:
            first, last = int(low, base), int(high or low, base)
        except ValueError:
            continue
        if least <= first <= last <= greatest:
            yield first, last
            least = last + 1


def _values(text: str, base: int, greatest: int) -> Iterator[int]:
    for first, last in spans(text, base, greatest):
        yield from range(first, last + 1)
