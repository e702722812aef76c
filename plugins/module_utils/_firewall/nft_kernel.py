# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel itself says about nf_tables: whether there is any, and its base chains.

`nft list chains` would tell too, at the price of a process on every node. Layouts: <linux/netfilter/nf_tables.h>.
"""

from __future__ import annotations

import os
import struct

from .._host import kernel_modules, netlink
from .._host.processes import read_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NETLINK_NETFILTER = 12
_NF_TABLES = 10 << 8  # the message types' upper byte
_GET_TABLE, _GET_CHAIN = 1, 4
_TABLE_FLAGS, _DORMANT = 2, 1
_TABLE, _NAME, _HOOK, _POLICY, _USE, _TYPE = 1, 3, 4, 5, 6, 7
_HOOK_NUMBER, _HOOK_PRIORITY, _HOOK_DEVICE, _HOOK_DEVICES = 1, 2, 3, 4
_DEVICE_NAME, _DEVICE_PREFIX = 1, 2
FAMILIES = {1: "inet", 2: "ip", 5: "netdev", 7: "bridge", 3: "arp", 10: "ip6"}
_HOOKS = ("prerouting", "input", "forward", "output", "postrouting", "ingress")
_NETDEV_HOOKS = ("ingress", "egress")
_SYMBOLS_LIMIT = 1 << 28


def present(proc_root: str = "/proc", modules_root: str = "/lib/modules") -> bool:
    """Say whether the kernel has nf_tables already. To ask nf_tables itself would load the module if it is missing."""
    told = kernel_modules.present("nf_tables", proc_root, modules_root)
    if told is None:
        return b" nf_tables_" in read_bytes(os.path.join(proc_root, "kallsyms"), _SYMBOLS_LIMIT)
    return told


def base_chains(timeout: float = 2.0) -> list[dict[str, Any]]:
    """Return the base chains of all families in the words of nft's JSON (family, table, name, type, hook, prio,
    policy, dev).

    "uses" counts a chain's rules and the jumps to it. The kernel calls no chain of a dormant table, so these are left
    out. Of several devices "dev" is the list. Raises OSError if the kernel refuses or does not answer in time.
    """
    found = []
    dormant = None
    for body in dump(_GET_CHAIN, 0, b"", timeout):
        own = netlink.attributes(body, 4)
        if _HOOK not in own or not body:
            continue
        hook = netlink.attributes(own[_HOOK])
        if dormant is None:
            dormant = _dormant_tables(timeout)
        if (body[0], own.get(_TABLE)) in dormant:
            continue
        family = FAMILIES.get(body[0], "")
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
            chain["dev"] = _devices(hook.get(_HOOK_DEVICES, b"")) or "?"
        found.append(chain)
    return found


def _dormant_tables(timeout: float) -> set[tuple[int, bytes | None]]:
    found: set[tuple[int, bytes | None]] = set()
    for body in dump(_GET_TABLE, 0, b"", timeout):
        own = netlink.attributes(body, 4)
        if _big_endian(own.get(_TABLE_FLAGS)) & _DORMANT and body:
            found.add((body[0], own.get(_TABLE)))
    return found


def _devices(data: bytes) -> list[str]:
    """Return the names in a list of devices, in which each has the same kind of attribute; a beginning ends in "*"."""
    found = []
    offset = 0
    while offset + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, offset)
        if length < 4 or kind not in {_DEVICE_NAME, _DEVICE_PREFIX}:
            return []
        found.append(netlink.text(data[offset + 4 : offset + length]) + ("*" if kind == _DEVICE_PREFIX else ""))
        offset += (length + 3) & ~3
    return found


def dump(kind: int, family: int, body: bytes, timeout: float) -> list[bytes]:
    """Return the bodies of the messages that answer a request for everything there is of a kind."""
    request = struct.pack("=BBH", family, 0, 0) + body
    with netlink.Netlink(timeout, _NETLINK_NETFILTER) as connection:
        return [content for _kind, content in connection.dump(_NF_TABLES | kind, request)]


def _big_endian(data: bytes | None) -> int:
    return int.from_bytes(data or b"", "big")


def _signed(data: bytes | None) -> int:
    return int.from_bytes(data or b"", "big", signed=True)
