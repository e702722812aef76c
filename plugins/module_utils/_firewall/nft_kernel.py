# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel itself says about nf_tables: which base chains there are, and which rules iptables cannot have
written.

`nft list chains` would tell the former too, at the price of a process on every node. The latter nobody tells: a rule
that nft put into a table of iptables is shown by iptables-nft-save 1.8.9 without its sets and with half of its
ranges, so that `ip saddr { 10.0.0.1 } drop` reads "-A INPUT -j DROP". Layouts: <linux/netfilter/nf_tables.h>.
"""

from __future__ import annotations

import os
import re
import socket
import struct

from .._host import netlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_NETLINK_NETFILTER = 12
_NF_TABLES = 10 << 8  # the message types' upper byte
_GET_CHAIN, _GET_RULE = _NF_TABLES | 4, _NF_TABLES | 7
_REQUEST_DUMP = 0x301
_RECEIVE_SIZE = 1 << 18
_TABLE, _NAME, _HOOK, _POLICY, _USE, _TYPE = 1, 3, 4, 5, 6, 7
_HOOK_NUMBER, _HOOK_PRIORITY, _HOOK_DEVICE = 1, 2, 3
_FAMILIES = {1: "inet", 2: "ip", 5: "netdev", 7: "bridge", 3: "arp", 10: "ip6"}
_HOOKS = ("prerouting", "input", "forward", "output", "postrouting", "ingress")
_NETDEV_HOOKS = ("ingress", "egress")
# Expressions which iptables-nft never writes, or never with these operands; each begins with its name as an attribute.
_FOREIGN_NAMES = b"lookup dynset objref ct fib rt hash numgen socket osf byteorder".split()


def _named(name: bytes) -> bytes:
    """Return the pattern of an expression's name as the attribute that it is, padded to four bytes."""
    return re.escape(struct.pack("=HH", 5 + len(name), 1) + name + b"\0" + b"\0" * (-(len(name) + 1) % 4))


_OF_TRANSPORT = _named(b"payload") + rb".{12}\x08\x00\x02\x00\x00\x00\x00\x02\x08\x00\x03\x00\x00\x00\x00"
_FOREIGN = re.compile(
    b"|".join(map(_named, _FOREIGN_NAMES))
    # a comparison by order (operators 2 to 5) of something longer than a port
    + rb"|%s.{12}\x08\x00\x02\x00\x00\x00\x00[\x02-\x05].{4}[^\x06]" % _named(b"cmp")
    + rb"|%s.{12}\x08\x00\x02\x00.{4}.{4}[^\x06]" % _named(b"range")
    # a field of the transport header (base 2) other than the ports and TCP's flags, or one field twice
    + rb"|%s(?:[^\x00\x02\x0d]|([\x00\x02\x0d]).*%s\1)" % (_OF_TRANSPORT, _OF_TRANSPORT),
    re.DOTALL,
)


def present(proc_root: str = "/proc", modules_root: str = "/lib/modules") -> bool:
    """Say whether the kernel has nf_tables already. To ask nf_tables itself would load the module if it is missing."""
    modules = _read(os.path.join(proc_root, "modules"))
    if modules is None or b"\nnf_tables " in b"\n" + modules:
        return True  # a kernel without modules loads none
    builtin = _read(os.path.join(modules_root, os.uname().release, "modules.builtin"))
    if builtin is not None:
        return b"/nf_tables.ko" in builtin
    return b" nf_tables_" in (_read(os.path.join(proc_root, "kallsyms")) or b"")


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return None


def base_chains(timeout: float = 2.0) -> list[dict[str, Any]]:
    """Return the base chains of all families in the words of nft's JSON (family, table, name, type, hook, prio,
    policy, dev).

    "uses" counts a chain's rules and the jumps to it. Raises OSError if the kernel refuses or does not answer in time.
    """
    found = []
    for body in _dump(_GET_CHAIN, 0, b"", timeout):
        own = netlink.attributes(body, 4)
        if _HOOK not in own or not body:
            continue
        hook = netlink.attributes(own[_HOOK])
        family = _FAMILIES.get(body[0], "")
        hooks = _NETDEV_HOOKS if family == "netdev" else _HOOKS
        number = _big_endian(hook.get(_HOOK_NUMBER))
        chain = {
            "family": family,
            "table": netlink.text(own.get(_TABLE)),
            "name": netlink.text(own.get(_NAME)),
            "type": netlink.text(own.get(_TYPE)),
            "hook": hooks[number] if number < len(hooks) else "",
            "prio": _signed(hook.get(_HOOK_PRIORITY)),
            "policy": "accept" if _big_endian(own.get(_POLICY)) or _POLICY not in own else "drop",
            "uses": _big_endian(own.get(_USE)),
        }
        if _HOOK_DEVICE in hook:
            chain["dev"] = netlink.text(hook[_HOOK_DEVICE])
        elif chain["hook"] in {"ingress", "egress"}:
            chain["dev"] = "?"
        found.append(chain)
    return found


def foreign_rules(family: str, table: str, chain: str, timeout: float = 2.0) -> set[int]:
    """Return the numbers (from 1) of the rules in a chain of iptables-nft that nft wrote. Raises like base_chains."""
    numbers = {name: number for number, name in _FAMILIES.items()}
    body = _string(1, table) + _string(2, chain)
    found = set()
    position = 0
    for content in _dump(_GET_RULE, numbers[family], body, timeout):
        own = netlink.attributes(content, 4)
        # Kernels before 4.10 give the rules of all chains.
        if netlink.text(own.get(1)) != table or netlink.text(own.get(2)) != chain:
            continue
        position += 1
        if _FOREIGN.search(own.get(4, b"")):
            found.add(position)
    return found


def _dump(kind: int, family: int, body: bytes, timeout: float) -> Iterator[bytes]:
    """Yield the bodies of the messages that answer a request for everything there is."""
    request = struct.pack("=BBH", family, 0, 0) + body
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER) as connection:
        connection.settimeout(timeout)
        connection.bind((0, 0))
        connection.send(netlink.HEADER.pack(16 + len(request), kind, _REQUEST_DUMP, 1, 0) + request)
        while True:
            for kind_seen, _flags, _sequence, content in netlink.split(connection.recv(_RECEIVE_SIZE)):
                if kind_seen == netlink.DONE:
                    return
                if kind_seen == netlink.ERROR:
                    number = netlink.errno_of(content)
                    raise OSError(number, os.strerror(number))
                yield content


def _string(kind: int, value: str) -> bytes:
    data = value.encode() + b"\0"
    return struct.pack("=HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def _big_endian(data: bytes | None) -> int:
    return int.from_bytes(data or b"", "big")


def _signed(data: bytes | None) -> int:
    return int.from_bytes(data or b"", "big", signed=True)
