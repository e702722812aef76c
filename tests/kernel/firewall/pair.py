# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two hosts in network namespaces, joined by two links, and a look at what the kernel does with real packets.

The peer sends packets with whatever source address it likes as whole frames. The host has a listener on each port and
raw sockets beside, which get a copy of what has come through all filters. A SYN-ACK or a copy means accepted, a reset
or an ICMP error rejected, silence dropped: the host answers within its own softirq, so a few milliseconds of silence
tell.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import shutil
import socket
import struct
import subprocess
import time
from typing import NamedTuple

_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)
_ETH_P_ALL = 3
SYN, _RST, _SYN_ACK = 0x02, 0x04, 0x12
HOST4, HOST6 = "10.77.0.1", "fd77::1"
SECOND4, SECOND6 = "10.78.0.1", "fd78::1"
LINKS = ("eth0", "wan1")
TCP, UDP, IPIP = 6, 17, 4
PORTS = (179, 22, 8080, 5473)
UDP_PORTS = (4789, 8472, 51820, 51821)
SETTLED = 0.02


def missing() -> str:
    """Return what this machine lacks for these tests, or ''."""
    if os.geteuid() != 0:
        return "needs root"
    for program in ("ip", "unshare", "iptables-nft", "iptables-legacy", "nft", "ipset"):
        if not shutil.which(program):
            return f"{program} is not installed"
    tried = subprocess.run(
        ["unshare", "--net", "ip", "link", "add", "one", "type", "veth", "peer", "two"],
        capture_output=True,
        check=False,
    )
    return "" if tried.returncode == 0 else "no network namespaces with veth links here"


@contextlib.contextmanager
def inside(namespace):
    """Let this thread, and what it starts, live in another network namespace for a while."""
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        if _LIBC.setns(namespace, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        yield
    finally:
        _LIBC.setns(own, _CLONE_NEWNET)
        os.close(own)


class Namespace:
    """A network namespace that lives as long as this object."""

    def __init__(self):
        self._keeper = subprocess.Popen(["unshare", "--net", "sleep", "600"])
        own = os.readlink("/proc/self/ns/net")
        path = f"/proc/{self._keeper.pid}/ns/net"
        deadline = time.monotonic() + 5
        while os.readlink(path) == own and time.monotonic() < deadline:
            time.sleep(0.002)
        self.pid = self._keeper.pid
        self.descriptor = os.open(path, os.O_RDONLY)

    def run(self, *argv, text=None, check=True):
        """Run a program in this namespace; return what it said."""
        with inside(self.descriptor):
            done = subprocess.run(list(argv), input=text, capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(argv)}: {done.stderr}\n{text or ''}")
        return done

    def set(self, **values):
        """Set sysctls: net_ipv4_ip_forward=1. Those that the kernel has not are left alone."""
        with inside(self.descriptor):
            for name, value in values.items():
                with contextlib.suppress(OSError), open("/proc/sys/" + name.replace("__", "/"), "w") as stream:
                    stream.write(str(value))

    def close(self):
        os.close(self.descriptor)
        self._keeper.kill()
        self._keeper.wait()


class Shot(NamedTuple):
    """One packet: the link it arrives by, its addresses and ports. IPIP's source port is but the inner packet's name.

    `tag` is what the packet is known by where its source may have changed.
    """

    link: str
    source: str
    source_port: int
    destination: str
    destination_port: int
    protocol: int = TCP
    flags: int = SYN
    tag: int = 0


class Pair:
    """The two hosts. `host` has the rules, `peer` sends."""

    def __init__(self):
        self.host, self.peer = Namespace(), Namespace()
        self._wires = {}
        self._listeners = []
        self._copies = []
        self._ports = 20000
        for number, link in enumerate(LINKS):
            self._join(link, number)
        self.host.set(
            net__ipv4__conf__all__rp_filter=0,
            net__ipv4__icmp_ratelimit=0,
            net__ipv4__icmp_ratemask=0,
            net__ipv4__icmp_msgs_per_sec=1000000,
            net__ipv4__icmp_msgs_burst=1000000,
            net__ipv6__icmp__ratelimit=0,
            net__ipv4__tcp_max_syn_backlog=65536,
            net__core__somaxconn=65536,
            net__ipv4__tcp_synack_retries=0,
            net__ipv4__tcp_syncookies=0,
            net__netfilter__nf_conntrack_generic_timeout=1,
        )
        with inside(self.host.descriptor):
            for port in PORTS:
                listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(("::", port))
                listener.listen(65535)
                self._listeners.append(listener)
            for port in UDP_PORTS:  # so that nobody is told that there is no such port
                listener = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                listener.bind(("::", port))
                self._listeners.append(listener)
            kinds = [(socket.AF_INET, protocol) for protocol in (TCP, UDP, IPIP)]
            for family, protocol in [*kinds, (socket.AF_INET6, TCP), (socket.AF_INET6, UDP)]:
                copies = socket.socket(family, socket.SOCK_RAW, protocol)
                copies.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
                copies.setblocking(False)
                self._copies.append((copies, family, protocol))

    def _join(self, link, number):
        third = 77 + number
        self.host.run("ip", "link", "add", link, "type", "veth", "peer", "name", link, "netns", str(self.peer.pid))
        for namespace in (self.host, self.peer):
            namespace.set(**{f"net__ipv6__conf__{link}__accept_dad": 0, f"net__ipv4__conf__{link}__rp_filter": 0})
        self.peer.run("ip", "link", "set", link, "up")
        for address in (f"10.{third}.0.1/24", f"fd{third}::1/64"):
            self.host.run("ip", "address", "add", address, "dev", link)
        self.host.run("ip", "link", "set", link, "up")
        self.host.run("ip", "link", "set", "lo", "up")
        macs = {}
        for name, namespace in (("host", self.host), ("peer", self.peer)):
            words = namespace.run("ip", "-o", "link", "show", link).stdout.split()
            macs[name] = bytes.fromhex(words[words.index("link/ether") + 1].replace(":", ""))
        mac = ":".join(f"{byte:02x}" for byte in macs["peer"])
        for via, everyone in ((f"10.{third}.0.2", f"10.{100 + number}.0.0/16"), (f"fd{third}::2", f"fd0{number}::/16")):
            self.host.run("ip", "neighbour", "replace", via, "lladdr", mac, "dev", link, "nud", "permanent")
            self.host.run("ip", "route", "add", everyone, "via", via, "dev", link)
        with inside(self.peer.descriptor):
            wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
            wire.bind((link, 0))
            wire.setblocking(False)
        self._wires[link] = (wire, macs["host"], macs["peer"])

    def fresh_ports(self, low, high, count):
        """Return source ports within low..high that were not used lately: each SYN must be a new connection."""
        self._ports += count
        return [low + (self._ports + number) % (high - low + 1) for number in range(count)]

    def send(self, shots, silence=SETTLED, with_copies=True):
        """Send packets and return what became of each: accept, (reject, with) or drop.

        Without copies only those count as accepted which are answered.
        """
        self._drain()
        waiting = {key(shot): shot for shot in shots}
        for shot in shots:
            wire, host_mac, peer_mac = self._wires[shot.link]
            wire.send(_frame(shot, host_mac, peer_mac))
        answers = {}
        for seen, answer in self._seen(silence, with_copies):
            shot = waiting.get(seen)
            if shot is not None and (shot not in answers or answer == "accept"):
                answers[shot] = answer
        return [answers.get(shot, "drop") for shot in shots]

    def send_back(self, shots, silence=SETTLED):
        """Send packets from the host instead, to `source` of each; return for each whether it reached the peer."""
        return ["blocked" if source is None else "accept" for source in self.sources_of(shots, silence)]

    def sources_of(self, shots, silence=SETTLED):
        """Send packets from the host to `source` of each; return with which source each reached the peer, or None."""
        self._drain()
        tagged = [shot._replace(tag=number) for number, shot in enumerate(shots, 1)]
        self.open(tagged)
        found = {}
        for frame in self._received(silence):
            parsed = _parsed(frame[14:])
            if parsed is not None and parsed.tag:
                family = socket.AF_INET if len(parsed.source) == 4 else socket.AF_INET6
                found.setdefault(parsed.tag, socket.inet_ntop(family, parsed.source))
        return [found.get(shot.tag) for shot in tagged]

    def forward(self, shots, silence=SETTLED):
        """Send packets to addresses behind the host; return what became of each: accept, (reject, with) or drop."""
        self._drain()
        waiting = {key(shot): shot for shot in shots}
        for shot in shots:
            wire, host_mac, peer_mac = self._wires[shot.link]
            wire.send(_frame(shot, host_mac, peer_mac))
        answers = {}
        for frame in self._received(silence):
            parsed = _parsed(frame[14:])
            if parsed is not None and parsed.key in waiting:
                answers[parsed.key] = "accept"
            for seen, answer in _answered(frame):
                if seen in waiting:
                    answers.setdefault(seen, answer)
        return [answers.get(key(shot), "drop") for shot in shots]

    def open(self, shots):
        """Send packets from the host to `source` of each, and look no further."""
        with inside(self.host.descriptor):
            for shot in shots:
                family = socket.AF_INET6 if ":" in shot.source else socket.AF_INET
                back = shot._replace(
                    source=shot.destination,
                    destination=shot.source,
                )
                with socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW) as out, contextlib.suppress(OSError):
                    # A drop on the way out makes this fail, and so does a reject.
                    out.sendto(packet(back), (shot.source, 0))

    def forget_connections(self):
        """Let the host's conntrack forget all connections."""
        with inside(self.host.descriptor), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as netfilter:
            # IPCTNL_MSG_CT_DELETE without a filter; request and acknowledge.
            netfilter.send(struct.pack("=IHHIIBBH", 20, 1 << 8 | 2, 1 | 4, 1, 0, 0, 0, 0))
            code = struct.unpack_from("=i", netfilter.recv(4096), 16)[0]
        if code:
            raise OSError(-code, "conntrack does not forget")

    def _seen(self, silence, with_copies):
        """Yield (key of a packet sent, what became of it) until nothing has happened for a while."""
        sockets = {wire: None for wire, _host, _peer in self._wires.values()}
        if with_copies:
            sockets.update((copies, (family, protocol)) for copies, family, protocol in self._copies)
        deadline = time.monotonic() + silence
        while True:
            ready, _writable, _broken = select.select(list(sockets), [], [], max(deadline - time.monotonic(), 0))
            if not ready:
                return
            for one in ready:
                found = _answers(one) if sockets[one] is None else _copied(one, *sockets[one])
                for answer in found:
                    deadline = time.monotonic() + silence
                    yield answer

    def _received(self, silence):
        """Yield the frames that reach the peer until there were none for a while."""
        deadline = time.monotonic() + silence
        wires = [wire for wire, _host, _peer in self._wires.values()]
        while True:
            ready, _writable, _broken = select.select(wires, [], [], max(deadline - time.monotonic(), 0))
            if not ready:
                return
            for wire in ready:
                for frame in _frames(wire):
                    deadline = time.monotonic() + silence
                    yield frame

    def _drain(self):
        for wire, _host, _peer in self._wires.values():
            for _frame_seen in _frames(wire):
                pass
        for copies, family, protocol in self._copies:
            for _copy in _copied(copies, family, protocol):
                pass

    def close(self):
        for wire, _host, _peer in self._wires.values():
            wire.close()
        for one in [*self._listeners, *(copies for copies, _family, _protocol in self._copies)]:
            one.close()
        self.host.close()
        self.peer.close()


# --- frames ---


def _packed(address):
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def key(shot):
    """What a packet is recognised by where it is seen again."""
    port = 0 if shot.protocol == IPIP else shot.destination_port
    return shot.protocol, _packed(shot.source), shot.source_port, _packed(shot.destination), port


def _sum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _with_checksum(plain, position, source, destination, protocol):
    if len(source) == 4:
        pseudo = source + destination + struct.pack("!BBH", 0, protocol, len(plain))
    else:
        pseudo = source + destination + struct.pack("!IHBB", len(plain), 0, 0, protocol)
    return plain[:position] + struct.pack("!H", _sum(pseudo + plain)) + plain[position + 2 :]


def _payload(shot, source, destination):
    """Return what the IP packet of a shot carries."""
    if shot.protocol == TCP:
        ports = struct.pack("!HHII", shot.source_port, shot.destination_port, 1000 + shot.tag, 0)
        plain = ports + struct.pack("!BBHHH", 5 << 4, shot.flags, 64240, 0, 0)
        return _with_checksum(plain, 16, source, destination, TCP)
    if shot.protocol == UDP:
        plain = struct.pack("!HHHHI", shot.source_port, shot.destination_port, 12, 0, shot.tag)
        return _with_checksum(plain, 6, source, destination, UDP)
    inner = struct.pack("!BBHHHBBH4s4sI", 0x45, 0, 24, shot.source_port, 0, 64, 253, 0, source, destination, shot.tag)
    return inner[:10] + struct.pack("!H", _sum(inner[:20])) + inner[12:]


def packet(shot):
    """Return a whole IP packet."""
    source, destination = _packed(shot.source), _packed(shot.destination)
    carried = _payload(shot, source, destination)
    if len(source) == 16:
        return struct.pack("!IHBB", 6 << 28, len(carried), shot.protocol, 64) + source + destination + carried
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(carried), 1, 0, 64, shot.protocol, 0) + source + destination
    return header[:10] + struct.pack("!H", _sum(header)) + header[12:] + carried


def _frame(shot, host_mac, peer_mac):
    kind = 0x86DD if ":" in shot.source else 0x0800
    return host_mac + peer_mac + struct.pack("!H", kind) + packet(shot)


def _frames(wire):
    while True:
        try:
            data, address = wire.recvfrom(65536)
        except BlockingIOError:
            return
        if address[2] != socket.PACKET_OUTGOING:
            yield data


class _Parsed(NamedTuple):
    """A packet as it was seen; flags of TCP, tag as far as the packet reaches."""

    protocol: int
    source: bytes
    source_port: int
    destination: bytes
    destination_port: int
    flags: int
    tag: int

    @property
    def key(self):
        return self[:5]

    @property
    def answered(self):
        """The key of the packet that this one answers."""
        return self.protocol, self.destination, self.destination_port, self.source, self.source_port


def _parsed(content):
    if len(content) >= 28 and content[0] >> 4 == 4:
        return _parsed_payload(content[9], content[12:16], content[16:20], content[20:])
    if len(content) >= 48 and content[0] >> 4 == 6:
        return _parsed_payload(content[6], content[8:24], content[24:40], content[40:])
    return None


def _parsed_payload(protocol, source, destination, carried):
    if protocol == IPIP:
        number = struct.unpack_from("!H", carried, 4)[0]
        tag = struct.unpack_from("!I", carried, 20)[0] if len(carried) >= 24 else 0
        return _Parsed(protocol, source, number, destination, 0, 0, tag)
    if protocol not in {TCP, UDP}:
        return None
    source_port, destination_port = struct.unpack_from("!HH", carried)
    flags = carried[13] if protocol == TCP and len(carried) > 13 else 0
    tag = 0
    if protocol == TCP and len(carried) >= 8:
        tag = max(struct.unpack_from("!I", carried, 4)[0] - 1000, 0) if flags & _SYN_ACK == SYN else 0
    elif protocol == UDP and len(carried) >= 12:
        tag = struct.unpack_from("!I", carried, 8)[0]
    return _Parsed(protocol, source, source_port, destination, destination_port, flags, tag)


def _answers(wire):
    """Yield (key of the packet that is answered, answer)."""
    for frame in _frames(wire):
        yield from _answered(frame)


def _answered(frame):
    content = frame[14:]
    parsed = _parsed(content)
    if parsed is not None:
        if parsed.protocol == TCP and parsed.flags & _RST:
            yield parsed.answered, ("reject", "tcp-reset")
        elif parsed.protocol == TCP and parsed.flags & _SYN_ACK == _SYN_ACK:
            yield parsed.answered, "accept"
    elif len(content) > 28 and content[0] >> 4 == 4 and content[9] == 1 and content[20] == 3:
        quoted = _parsed(content[28:])
        if quoted is not None:
            yield quoted.key, ("reject", f"icmp {content[20]} {content[21]}")
    elif len(content) > 48 and content[0] >> 4 == 6 and content[6] == 58 and content[40] == 1:
        quoted = _parsed(content[48:])
        if quoted is not None:
            yield quoted.key, ("reject", f"icmp6 {content[40]} {content[41]}")


def _copied(copies, family, protocol):
    """Yield (key, "accept") of the packets that have come through to the host's own sockets.

    Of IPv6 the copy has no header; whom it was sent to is not told, so that both of the host's addresses are named.
    """
    while True:
        try:
            data, address = copies.recvfrom(65536)
        except BlockingIOError:
            return
        if family == socket.AF_INET:
            parsed = _parsed(data)
            if parsed is not None:
                yield parsed.key, "accept"
            continue
        for own in (HOST6, SECOND6):
            parsed = _parsed_payload(protocol, _packed(address[0].partition("%")[0]), _packed(own), data)
            if parsed is not None:
                yield parsed.key, "accept"
