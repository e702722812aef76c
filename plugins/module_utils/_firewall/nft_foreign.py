# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which rules in a table of iptables-nft iptables cannot have written, by the kernel's own account.

Nobody else tells: a rule that nft put there is shown by iptables-nft-save 1.8.9 without its sets and with half of its
ranges, so that `ip saddr { 10.0.0.1 } drop` reads "-A INPUT -j DROP". Layouts: <linux/netfilter/nf_tables.h>.
"""

from __future__ import annotations

import re
import struct

from .._host import netlink
from . import nft_kernel

_GET_RULE = 7
# Such a name is the first thing in a list's element. First in an expression's data is the name of an iptables module,
# which may be the same word.
_IN_ELEMENT = rb"(?<=%s|%s)" % tuple(re.escape(struct.pack("=H", kind)) for kind in (0x0001, 0x8001))
# Expressions which iptables-nft never writes, or never with these operands; each begins with its name as an attribute.
_FOREIGN_NAMES = b"lookup dynset objref ct fib rt hash numgen socket osf byteorder".split()


def _named(name: bytes) -> bytes:
    """Return the pattern of an expression's name as the attribute that it is, padded to four bytes."""
    return re.escape(struct.pack("=HH", 5 + len(name), 1) + name + b"\0" + b"\0" * (-(len(name) + 1) % 4))


_OF_TRANSPORT = _named(b"payload") + rb".{12}\x08\x00\x02\x00\x00\x00\x00\x02\x08\x00\x03\x00\x00\x00\x00"
_FOREIGN = re.compile(
    _IN_ELEMENT
    + b"(?:"
    + b"|".join(map(_named, _FOREIGN_NAMES))
    # a comparison by order (operators 2 to 5) of something longer than a port
    + rb"|%s.{12}\x08\x00\x02\x00\x00\x00\x00[\x02-\x05].{4}[^\x06]" % _named(b"cmp")
    + rb"|%s.{12}\x08\x00\x02\x00.{4}.{4}[^\x06]" % _named(b"range")
    # a field of the transport header (base 2) other than the ports and TCP's flags, or one field twice
    + rb"|%s(?:[^\x00\x02\x0d]|([\x00\x02\x0d]).*%s\1)" % (_OF_TRANSPORT, _OF_TRANSPORT)
    + b")",
    re.DOTALL,
)


def foreign_rules(family: str, table: str, chain: str, timeout: float = 2.0) -> set[int]:
    """Return the numbers (from 1) of the rules in a chain of iptables-nft that nft wrote. Raises OSError if the
    kernel refuses or does not answer in time."""
    numbers = {name: number for number, name in nft_kernel.FAMILIES.items()}
    body = _string(1, table) + _string(2, chain)
    found: set[int] = set()
    position = 0
    rules = nft_kernel.dump(_GET_RULE, numbers[family], body, timeout)
    # Most often there is none, and taking thousands of rules apart is what costs.
    if not any(map(_FOREIGN.search, rules)):
        return found
    for content in rules:
        own = netlink.attributes(content, 4)
        # Kernels before 4.10 give the rules of all chains.
        if netlink.text(own.get(1)) != table or netlink.text(own.get(2)) != chain:
            continue
        position += 1
        if _FOREIGN.search(own.get(4, b"")):
            found.add(position)
    return found


def _string(kind: int, value: str) -> bytes:
    data = value.encode() + b"\0"
    return struct.pack("=HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)
