# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of tcpdump: plain, -n, -v, -e, -t…, and on the device "any"."""

from __future__ import annotations

import re
from typing import NamedTuple

from . import lines, words
from .parsed import Parsed, Problems

MOST_PACKETS = 10_000
_TIME = re.compile(r"(?:(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d\.\d{1,9}|\d{9,11}\.\d{1,9})\s+")
# With -t there are no times: each packet begins with the ends of its frame then, if -e shows these.
_FRAME = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2} > (?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?: \([^)]{1,60}\))?, ")
_NETWORK = re.compile(r"\b(IP6?|ARP)(?:,| |\b)")
_ENDS = re.compile(r"(\S{1,255}) > (\S{1,255}?):(?: (.*))?$")
_VERBOSE = re.compile(
    r"\(.{0,400}?proto:? (\w{1,16}|Options)(?: \(\d{1,3}\))?.{0,300}$|\(.{0,400}?next-header (\w{1,16}).{0,300}$"
)
_FLAGS = re.compile(r"Flags \[([^\]]{1,8})\]")
_LENGTH = re.compile(r"\blength (\d{1,6})")
_NAMED_PORTS = {"bgp": 179, "vxlan": 4789, "calico-typha": 5473, "domain": 53, "https": 443, "http": 80, "ssh": 22}
_SUMMARY = re.compile(r"(\d{1,12}) packets? (captured|received by filter|dropped by kernel|dropped by interface)")
# What print-bgp.c writes below a packet with -v: "Notification Message (3), length: 21, Hold timer expired (4)".
_MESSAGE = re.compile(
    r"\s+(Open|Update|Notification|Keepalive|Route Refresh) Message \(\d\), length: \d{1,5}(?:, (.{1,200}))?$"
)
_MOST_MESSAGES = 8
_IN_VXLAN = ("IP ", "IP6 ")
_PASSED_OVER = re.compile(r"(?:tcpdump: |listening on |dropped privs|reading from|\d{1,12} packets? |\^C|\s*$|Warning)")
_ARP = re.compile(
    r"(Request who-has|Reply) (\S{1,64})(?: \([^)]{0,64}\))?(?: tell (\S{1,64}?)| is-at (\S{1,32}?))?(?:,|$| )"
)


class Packet(NamedTuple):
    """One packet. Addresses and times are as printed, ports 0 if there are none; `protocol` is tcp, udp, icmp,
    icmp6, arp, ipip, vxlan, … or ''; `flags` TCP's ("S", "R.", "P."); `inner` the packet in a tunnel's one, as
    printed; `messages` those of BGP in it, each its kind and, of a notification, what it says."""

    at: str
    source: str
    source_port: int
    destination: str
    destination_port: int
    protocol: str
    flags: str
    length: int
    inner: str
    info: str
    messages: tuple[tuple[str, str], ...] = ()


class Capture(NamedTuple):
    """The first MOST_PACKETS packets, how many there are in all, and what tcpdump itself counted at its end."""

    packets: tuple[Packet, ...]
    total: int
    counts: dict[str, int]


def parse(text: str) -> Parsed[Capture]:
    """Return the packets. Lines of what a packet holds (-v, -x) are passed over."""
    problems = Problems()
    found: list[Packet] = []
    counts: dict[str, int] = {}
    total = 0
    pending = before = ""
    timed = any(_TIME.match(line) for _number, line in lines.numbered(text))
    for number, line in lines.numbered(text):
        in_tunnel, before = _is_vxlan(before), line
        summary = _SUMMARY.match(line)
        if summary is not None:
            counts[summary.group(2).replace(" ", "_")] = int(summary.group(1))
            continue
        stamp = _TIME.match(line) if timed else _FRAME.match(line)
        # The frame in a tunnel's packet stands in a line of its own as well.
        if stamp is not None and (timed or not in_tunnel):
            total += 1
            packet = _packet(stamp.group().strip() if timed else "", line[stamp.end() :])
            pending = line if packet is None else ""
            # -v prints the ends in the next line.
            if packet is not None and len(found) < MOST_PACKETS:
                found.append(packet)
        elif pending:
            joined = _TIME.sub("", pending) + " " + line.strip()
            packet = _packet(pending.split("  ", maxsplit=1)[0].split(" IP", maxsplit=1)[0], joined)
            if packet is not None and len(found) < MOST_PACKETS:
                found.append(packet)
            elif packet is None:
                problems.add(number - 1, pending, "no packet that can be read")
            pending = ""
        elif not (_is_content(found, line) or _PASSED_OVER.match(line)):
            problems.add(number, line, "no packet")
    if pending:
        problems.add(0, pending, "no packet that can be read")
    return Parsed(Capture(tuple(found), total, counts), problems.found())


def _is_content(found: list[Packet], line: str) -> bool:
    """Say whether a line is about what the last packet holds. A message of BGP is noted there."""
    message = _MESSAGE.match(line)
    if message is not None and found and len(found[-1].messages) < _MOST_MESSAGES:
        told = (message.group(1).lower(), (message.group(2) or "").strip())
        found[-1] = found[-1]._replace(messages=(*found[-1].messages, told))
    if found and found[-1].protocol == "vxlan" and _is_inner(found[-1], line):
        found[-1] = found[-1]._replace(inner=f"IP {line.strip()[:197]}" if line[:1] == " " else line[:200])
        return True
    return line[:1] in (" ", "\t")


def _is_inner(packet: Packet, line: str) -> bool:
    """Say whether a line is the packet in VXLAN's: that stands in the next line, with -v its ends in the one after."""
    if packet.inner.startswith("IP (") and packet.inner.endswith(")"):
        return line[:1] == " " and " > " in line
    return not packet.inner and line.startswith(_IN_VXLAN)


def _packet(at: str, text: str) -> Packet | None:
    network = _NETWORK.search(text[:400])
    if network is None:
        # A time and a plain pair of ends: the device's own form, or a network that is not IP.
        return _of_ends(at, text, "")
    rest = text[network.end() :].strip()
    if network.group(1) == "ARP":
        return _arp(at, rest)
    protocol = ""
    if rest.startswith("("):
        verbose = _VERBOSE.match(rest)
        protocol = ((verbose.group(1) or verbose.group(2) or "") if verbose else "").lower()
        closed = rest.find("  ") if "  " in rest else rest.rfind(") ") + 1
        head = re.search(r"\)\s+(?=\S{1,255} > )", rest)
        if head is None and closed <= 0:
            return None
        rest = rest[head.end() :] if head is not None else rest[closed:].strip()
    return _of_ends(at, rest, "icmp6" if protocol in ("icmpv6", "ipv6-icmp") else protocol)


def _of_ends(at: str, text: str, protocol: str) -> Packet | None:
    ends = _ENDS.match(text.strip()) or _ENDS.search(text[:1000])
    if ends is None:
        return None
    left, right, info = ends.group(1), ends.group(2), ends.group(3) or ""
    flags = _FLAGS.search(info[:200])
    protocol = protocol or _protocol(info, bool(flags))
    has_ports = protocol not in ("icmp", "icmp6", "ipip", "gre", "esp")
    source, source_port = _end(left) if has_ports else (left, 0)
    destination, destination_port = _end(right) if has_ports else (right, 0)
    lengths = _LENGTH.findall(info)
    inner = info[info.index("IP") :] if protocol in ("ipip", "vxlan") and "IP " in info else ""
    return Packet(
        at=at,
        source=source,
        source_port=source_port,
        destination=destination,
        destination_port=destination_port,
        protocol="vxlan" if protocol == "udp" and _is_vxlan(info) else protocol,
        flags=flags.group(1) if flags else "",
        length=int(lengths[-1]) if lengths else 0,
        inner=inner[:200],
        info=info[:200],
    )


def _protocol(info: str, has_flags: bool) -> str:
    if has_flags:
        return "tcp"
    if _is_vxlan(info):
        return "vxlan"
    for mark, name in (("ICMP6", "icmp6"), ("ICMP", "icmp"), ("UDP", "udp"), ("GRE", "gre"), ("ESP", "esp")):
        if info.startswith(mark):
            return name
    return "ipip" if info.startswith(("IP ", "IP6 ", "(tos")) else ""


def _is_vxlan(info: str) -> bool:
    """Say whether it is VXLAN: on flannel's port, 8472, tcpdump takes it for the protocol that this one was given to
    later (OTV_PORT in print-udp.c)."""
    return "VXLAN" in info[:200] or "OTV, flags " in info[:200]


def _end(text: str) -> tuple[str, int]:
    """Split "10.0.0.1.179" or "node-1.bgp" into host and port."""
    if words.address(text):
        return text, 0
    host, dot, port = text.rpartition(".")
    number = words.number(port)
    if dot and (number is not None or port in _NAMED_PORTS):
        return host, number if number is not None else _NAMED_PORTS[port]
    return text, 0


def _arp(at: str, text: str) -> Packet | None:
    match = _ARP.search(text)
    if match is None:
        return None
    what, address, teller, hardware = match.groups()
    source, destination = (teller or "", address) if what.startswith("Request") else (address, hardware or "")
    return Packet(at, source, 0, destination, 0, "arp", "", 0, "", text[:200])
