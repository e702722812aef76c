# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A full connection tracking table: as many entries as the kernel takes, made over netlink as conntrackd makes them.

The limit is the kernel's for all namespaces and is left alone; the table is counted for each by itself. Entries are
marked as assured, so that the kernel does not throw them away for new ones. The loopback is not tracked: the lab's
SSH comes that way.
"""

from __future__ import annotations

from pathlib import Path

from ..errors import UsageError
from . import pairs
from .model import Case, Fault, Variant, listener

_MOST = Path("/proc/sys/net/netfilter/nf_conntrack_max")
# Some 320 bytes each: more would be a burden to this machine.
_LIMIT = 1 << 20
_RULES = (
    ("raw", "PREROUTING -i lo -j CT --notrack"),
    ("raw", "OUTPUT -o lo -j CT --notrack"),
    ("filter", "INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
)
_NETLINK = """\
import socket, struct
NESTED, NEW, DELETE = 0x8000, 0x100, 0x102
link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
link.bind((0, 0))

def attribute(kind, body):
    return struct.pack("=HH", len(body) + 4, kind) + body + bytes(-len(body) % 4)

def message(kind, flags, body):
    return struct.pack("=IHHII", len(body) + 20, kind, flags, 0, 0) + struct.pack("=BBH", 2, 0, 0) + body

def read(name):
    with open("/proc/sys/net/netfilter/nf_conntrack_" + name) as file:
        return int(file.read())
"""
_FILL = """\
def way(kind, source, target, ports):
    addresses = attribute(1 | NESTED, attribute(1, source) + attribute(2, target))
    numbers = [attribute(2 + at, struct.pack(">H", port)) for at, port in enumerate(ports)]
    return attribute(kind | NESTED, addresses + attribute(2 | NESTED, attribute(1, bytes([17])) + b"".join(numbers)))

HERE, THERE, PORT = bytes([198, 18, 0, 0]), bytes([198, 51, 100, 1]), 0xABCD
# SEEN_REPLY, ASSURED, CONFIRMED; an hour
body = way(1, HERE, THERE, (PORT, 9)) + way(2, THERE, HERE, (9, PORT))
body += attribute(3, struct.pack(">I", 14)) + attribute(7, struct.pack(">I", 3600))
parts = message(NEW, 0x601, body)
mark = struct.pack(">H", PORT)
hosts = [at for at in range(len(parts)) if parts.startswith(HERE, at)]
ports = [at for at in range(len(parts)) if parts.startswith(mark, at)]
one, most, number = bytearray(parts), read("max"), 0
while read("count") < most and number < 2 * most:
    batch = []
    for number in range(number + 1, number + 513):
        for at in hosts:
            struct.pack_into(">H", one, at + 2, number >> 15)
        for at in ports:
            struct.pack_into(">H", one, at, 1024 + (number & 0x7FFF))
        batch.append(bytes(one))
    link.send(b"".join(batch))
"""
_EMPTY = "link.send(message(DELETE, 1, b''))\n"


def _must_be_bearable(_case: Case) -> None:
    try:
        most = int(_MOST.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise UsageError("this kernel does not track connections") from error
    if most > _LIMIT:
        raise UsageError(f"this kernel tracks {most} connections: too many to fill the table")


def _fill(case: Case) -> None:
    for table, rule in _RULES:
        case.run(["iptables-nft", "-t", table, "-A", *rule.split()])
    case.lab.say(f"  {case.target}: filling the connection tracking table")
    case.machine.exec(["python3", "-c", _NETLINK + _FILL])
    pairs.reset(case.lab, pairs.listening(case.node, case.peers))


def _empty(case: Case) -> None:
    for table, rule in _RULES:
        case.try_run(["iptables-nft", "-t", table, "-D", *rule.split()])
    if case.machine.running:
        case.machine.exec(["python3", "-c", _NETLINK + _EMPTY], check=False)


def _missing(case: Case) -> str:
    return pairs.not_failing(case, pairs.listening(case.node, case.peers))


FULL = Fault(
    id="conntrack_full",
    description="the node's connection tracking table is full: it drops every new connection",
    inject=_fill,
    heal=_empty,
    missing=_missing,
    default=listener,
    check=_must_be_bearable,
    variants=(Variant("filled", "with as many entries as the kernel takes"),),
)
