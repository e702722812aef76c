# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP sockets: `ss -tanp`, `ss -tlnp`, `ss -tano` …, and `netstat -tanp` of net-tools and of busybox."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ...module_utils._host.sockets import LISTEN, PERSIST, TcpSocket
from . import lines, words
from .parsed import Parsed, Problems

if TYPE_CHECKING:
    from collections.abc import Iterable

# Both programs' names for the kernel's states.
_STATES = {
    "ESTAB": "ESTABLISHED",
    "ESTABLISHED": "ESTABLISHED",
    "SYN-SENT": "SYN_SENT",
    "SYN_SENT": "SYN_SENT",
    "SYN-RECV": "SYN_RECV",
    "SYN_RECV": "SYN_RECV",
    "FIN-WAIT-1": "FIN_WAIT1",
    "FIN_WAIT1": "FIN_WAIT1",
    "FIN-WAIT-2": "FIN_WAIT2",
    "FIN_WAIT2": "FIN_WAIT2",
    "TIME-WAIT": "TIME_WAIT",
    "TIME_WAIT": "TIME_WAIT",
    "UNCONN": "CLOSE",
    "CLOSE": "CLOSE",
    "CLOSE-WAIT": "CLOSE_WAIT",
    "CLOSE_WAIT": "CLOSE_WAIT",
    "LAST-ACK": "LAST_ACK",
    "LAST_ACK": "LAST_ACK",
    "LISTEN": LISTEN,
    "CLOSING": "CLOSING",
}
# Without -n ports have names; of the ones asked for here, these.
_PORTS = {"bgp": 179, "calico-typha": 5473, "ssh": 22, "https": 443, "http": 80, "domain": 53, "*": 0}
_OTHER_FAMILIES: tuple[str, ...] = (
    "u_str",
    "u_seq",
    "u_dgr",
    "nl",
    "p_raw",
    "p_dgr",
    "udp",
    "udp6",
    "raw",
    "raw6",
    "icmp6",
    "sctp",
)
_OTHER_FAMILIES += ("v_str", "v_dgr", "mptcp", "tipc", "xdp", "dccp", "unix", "vsock", "udplite", "udplite6")
# ss of iproute2 4.15 to 4.18 runs a long word into the next column: "CLOSE-WAIT1", "NetidState".
_GLUED = re.compile(r"((?:tcp +)?(?:CLOSE-WAIT|FIN-WAIT-[12]|TIME-WAIT|SYN-SENT|SYN-RECV|LAST-ACK|CLOSING))(?=\d)")
_HOLDER = re.compile(r'\("((?:[^"\\]|\\.){0,64})",(?:pid=)?(\d{1,10})')
_RETRANSMITS = re.compile(r"timer:\((\w{1,16}),[^,()]{1,32},(\d{1,5})\)")
_PID = re.compile(r"(\d{1,10})/(.{0,64})$")


class HeldSocket(NamedTuple):
    """One socket and the processes that hold it, as (name, process id); none where that was not printed.

    `interface` is the device that it is bound to ("" if to none). Not known from a text: the inode.
    """

    socket: TcpSocket
    holders: tuple[tuple[str, int], ...]
    interface: str = ""


def parse(text: str) -> Parsed[tuple[HeldSocket, ...]]:
    """Return the TCP sockets; those of other protocols are passed over.

    Addresses that were printed as names are kept as printed. "*" is any address of both families, spelled "::", unless
    the program is one that spells IPv4's "0.0.0.0" so.
    """
    problems = Problems()
    found: list[HeldSocket] = []
    for number, raw in lines.numbered(text):
        line = _GLUED.sub(r"\1 ", raw, count=1)
        fields = line.split()
        if not fields or _is_head(fields):
            continue
        if line[:1] in (" ", "\t") and found and fields[0] not in _STATES:
            found[-1] = _with_details(found[-1], line)
            continue
        if fields[0] in _OTHER_FAMILIES:
            continue
        made = _netstat(fields) if fields[0] in ("tcp", "tcp6") and _counts(fields[1:3]) else _ss(fields, line)
        if made is not None:
            found.append(made)
        else:
            problems.add(number, line, "no socket")
    return Parsed(_any_spelled(found), problems.found())


def listeners(sockets: Iterable[HeldSocket], port: int) -> list[HeldSocket]:
    """Return those that listen on `port`."""
    return [held for held in sockets if held.socket.state == LISTEN and held.socket.local_port == port]


def _is_head(fields: list[str]) -> bool:
    return (
        fields[:2]
        in (
            ["State", "Recv-Q"],
            ["NetidState", "Recv-Q"],
            ["StateRecv-Q", "Send-Q"],
            ["Netid", "State"],
            ["Proto", "Recv-Q"],
            ["Active", "Internet"],
        )
        or fields[:2] in (["Active", "UNIX"], ["Proto", "RefCnt"], ["Recv-Q", "Send-Q"])
        or fields[0] in ("(Not", "will", "(No", "netstat:", "State")
    )


def _counts(fields: list[str]) -> bool:
    return len(fields) == 2 and all(words.number(field) is not None for field in fields)


def _ss(fields: list[str], line: str) -> HeldSocket | None:
    """Read a row of ss: [protocol] state, queues, both ends, the rest in any order. A filter by state drops its
    column."""
    if fields[0] in ("tcp", "tcp6"):
        fields = fields[1:]
    state = ""
    if fields and fields[0] in _STATES:
        state = _STATES[fields[0]]
        fields = fields[1:]
    if len(fields) < 4 or not _counts(fields[:2]):
        return None
    if not state:  # listening sockets, or those of one asked-for state, which may be any other
        state = LISTEN if fields[3].endswith(":*") else "ESTABLISHED"
    made = _socket(fields[2], fields[3], state, fields[0], fields[1])
    return None if made is None else _with_details(made, line)


def _netstat(fields: list[str]) -> HeldSocket | None:
    """Read a row of netstat: protocol, queues, both ends, state, process."""
    if len(fields) < 6 or fields[5] not in _STATES:
        return None
    made = _socket(fields[3], fields[4], _STATES[fields[5]], fields[1], fields[2])
    if made is None:
        return None
    rest = fields[6:]
    # -e puts the user's name or number and the inode before the process.
    holder = next((match for match in (_PID.match(word) for word in rest) if match), None)
    holders = ((holder.group(2).rstrip(":"), int(holder.group(1))),) if holder else ()
    socket = made.socket
    for place, word in enumerate(rest):
        retransmits = re.match(r"\([\d.]{1,16}/(\d{1,5})/\d{1,5}\)$", word)
        if retransmits and rest[place - 1] == "on":
            socket = socket._replace(retransmits=int(retransmits.group(1)))
    return made._replace(socket=socket, holders=holders)


def _socket(local: str, peer: str, state: str, received: str, sent: str) -> HeldSocket | None:
    here, there = _end(local), _end(peer)
    if here is None or there is None:
        return None
    # What a listener's queues say is another thing: waiting and allowed connections.
    sent_queue, received_queue = (0, 0) if state == LISTEN else (words.number(sent) or 0, words.number(received) or 0)
    made = TcpSocket(here[0], here[1], there[0], there[1], state, sent_queue, received_queue, 0, 0)
    return HeldSocket(made, (), here[2])


def _end(text: str) -> tuple[str, int, str] | None:
    """Return address, port and interface of "10.0.0.1%eth0:179", "[::1]:179", ":::179" or "*:bgp"."""
    host, colon, port = text.rpartition(":")
    number = words.number(port)
    if number is None:
        number = _PORTS.get(port, 0)
    if not colon or not host or number > 65535:
        return None
    if host == "*":
        return "*", number, ""
    bare, _percent, interface = host.strip("[]").partition("%")
    if not bare:
        return None
    return _unmapped(words.address(bare)) or bare, number, interface.rstrip("]")


def _unmapped(address: str) -> str:
    """Return the IPv4 address that an IPv6 socket talks to by way of ::ffff:0:0/96, as the kernel's tables show it."""
    mapped = address.lower().startswith("::ffff:") and address.count(":") == 4
    if not mapped:
        return address
    high, low = address[7:].split(":")
    value = int(high, 16) << 16 | int(low, 16)
    return ".".join(str(value >> shift & 255) for shift in (24, 16, 8, 0))


def _with_details(held: HeldSocket, line: str) -> HeldSocket:
    holders = tuple((name, int(pid)) for name, pid in _HOLDER.findall(line)) if "users:(" in line else ()
    timer = _RETRANSMITS.search(line)
    socket = held.socket
    if timer and timer.group(1) == "on":
        socket = socket._replace(retransmits=int(timer.group(2)))
    if timer and timer.group(1) == PERSIST:
        socket = socket._replace(timer=PERSIST)
    return held._replace(socket=socket, holders=tuple(dict.fromkeys(held.holders + holders)))


def _any_spelled(found: list[HeldSocket]) -> tuple[HeldSocket, ...]:
    """Replace "*", which old ss prints for 0.0.0.0 and new ss for a socket of both families."""
    spelled = {address for held in found for address in (held.socket.local, held.socket.peer)}
    old = "::" in spelled and "0.0.0.0" not in spelled  # noqa: S104 - what listeners are bound to
    anywhere = "0.0.0.0" if old else "::"  # noqa: S104
    made = []
    for held in found:
        socket = held.socket
        if socket.local == "*":
            socket = socket._replace(local=anywhere)
        if socket.peer == "*":
            socket = socket._replace(peer="::" if ":" in socket.local else "0.0.0.0")  # noqa: S104
        made.append(held._replace(socket=socket))
    return tuple(made)
