# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two hosts in network namespaces, joined by two links, and a look at what the kernel does with real SYNs.

The peer sends SYNs with whatever source address it likes as whole frames, the host has a listener on each port. A
SYN-ACK means accepted, a reset or an ICMP error rejected, silence dropped: the host answers within its own softirq,
so a few milliseconds of silence tell.
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
_SYN, _RST, _SYN_ACK = 0x02, 0x04, 0x12
HOST4, HOST6 = "10.77.0.1", "fd77::1"
SECOND4, SECOND6 = "10.78.0.1", "fd78::1"
LINKS = ("eth0", "wan1")
PORTS = (179, 22, 8080)
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


class Syn(NamedTuple):
    """One SYN: the link it arrives by and its addresses and ports."""

    link: str
    source: str
    source_port: int
    destination: str
    destination_port: int


class Pair:
    """The two hosts. `host` has the rules, `peer` sends."""

    def __init__(self):
        self.host, self.peer = Namespace(), Namespace()
        self._wires = {}
        self._listeners = []
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
        )
        with inside(self.host.descriptor):
            for port in PORTS:
                listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(("::", port))
                listener.listen(65535)
                self._listeners.append(listener)

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

    def send(self, syns, silence=SETTLED):
        """Send SYNs and return what became of each: accept, (reject, with) or drop."""
        self._drain()
        waiting = {}
        for syn in syns:
            wire, host_mac, peer_mac = self._wires[syn.link]
            waiting[_key(syn.source, syn.source_port, syn.destination, syn.destination_port)] = syn
            wire.send(_frame(syn, host_mac, peer_mac))
        answers = {}
        deadline = time.monotonic() + silence
        wires = [wire for wire, _host, _peer in self._wires.values()]
        while True:
            ready, _writable, _broken = select.select(wires, [], [], max(deadline - time.monotonic(), 0))
            if not ready:
                return [answers.get(syn, "drop") for syn in syns]
            for wire in ready:
                for key, answer in _read(wire):
                    syn = waiting.get(key)
                    if syn is not None and syn not in answers:
                        answers[syn] = answer
                        deadline = time.monotonic() + silence

    def send_back(self, syns, silence=SETTLED):
        """Send SYNs from the host instead, to `source` of each; return for each whether it reached the peer."""
        self._drain()
        with inside(self.host.descriptor):
            for syn in syns:
                family = socket.AF_INET6 if ":" in syn.source else socket.AF_INET
                with socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW) as out, contextlib.suppress(OSError):
                    # A drop on the way out makes this fail, and so does a reject.
                    content = packet(syn.destination, syn.source_port, syn.source, syn.destination_port)
                    out.sendto(content, (syn.source, 0))
        keys = {_key(syn.destination, syn.source_port, syn.source, syn.destination_port): syn for syn in syns}
        seen = set()
        deadline = time.monotonic() + silence
        wires = [wire for wire, _host, _peer in self._wires.values()]
        while True:
            ready, _writable, _broken = select.select(wires, [], [], max(deadline - time.monotonic(), 0))
            if not ready:
                return ["accept" if syn in seen else "blocked" for syn in syns]
            for wire in ready:
                for frame in _frames(wire):
                    parsed = _tcp(frame[14:])
                    if parsed and parsed[1] & _SYN_ACK == _SYN and parsed[0] in keys:
                        seen.add(keys[parsed[0]])

    def _drain(self):
        for wire, _host, _peer in self._wires.values():
            for _frame_seen in _frames(wire):
                pass

    def close(self):
        for wire, _host, _peer in self._wires.values():
            wire.close()
        for listener in self._listeners:
            listener.close()
        self.host.close()
        self.peer.close()


# --- frames ---


def _packed(address):
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def _key(source, source_port, destination, destination_port):
    return _packed(source), source_port, _packed(destination), destination_port


def _sum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def segment(source, source_port, destination, destination_port, flags=_SYN):
    """Return a TCP segment with its checksum."""
    plain = struct.pack("!HHIIBBHHH", source_port, destination_port, 1000, 0, 5 << 4, flags, 64240, 0, 0)
    if len(source) == 4:
        pseudo = source + destination + struct.pack("!BBH", 0, 6, len(plain))
    else:
        pseudo = source + destination + struct.pack("!IHBB", len(plain), 0, 0, 6)
    return plain[:16] + struct.pack("!H", _sum(pseudo + plain)) + plain[18:]


def packet(source, source_port, destination, destination_port):
    """Return a whole SYN packet."""
    raw_source, raw_destination = _packed(source), _packed(destination)
    tcp = segment(raw_source, source_port, raw_destination, destination_port)
    if len(raw_source) == 16:
        return struct.pack("!IHBB", 6 << 28, len(tcp), 6, 64) + raw_source + raw_destination + tcp
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0) + raw_source + raw_destination
    return header[:10] + struct.pack("!H", _sum(header)) + header[12:] + tcp


def _frame(syn, host_mac, peer_mac):
    kind = 0x86DD if ":" in syn.source else 0x0800
    content = packet(syn.source, syn.source_port, syn.destination, syn.destination_port)
    return host_mac + peer_mac + struct.pack("!H", kind) + content


def _frames(wire):
    while True:
        try:
            data, address = wire.recvfrom(65536)
        except BlockingIOError:
            return
        if address[2] != socket.PACKET_OUTGOING:
            yield data


def _read(wire):
    """Yield (key of the SYN that is answered, answer)."""
    for frame in _frames(wire):
        content = frame[14:]
        parsed = _tcp(content)
        if parsed is not None:
            (source, source_port, destination, destination_port), flags = parsed
            key = (destination, destination_port, source, source_port)
            if flags & _RST:
                yield key, ("reject", "tcp-reset")
            elif flags & _SYN_ACK == _SYN_ACK:
                yield key, "accept"
        elif len(content) > 28 and content[0] >> 4 == 4 and content[9] == 1 and content[20] == 3:
            quoted = _tcp(content[28:])
            if quoted is not None:
                yield quoted[0], ("reject", f"icmp {content[20]} {content[21]}")
        elif len(content) > 48 and content[0] >> 4 == 6 and content[6] == 58 and content[40] == 1:
            quoted = _tcp(content[48:])
            if quoted is not None:
                yield quoted[0], ("reject", f"icmp6 {content[40]} {content[41]}")


def _tcp(content):
    """Return ((source, port, destination, port), flags) of a TCP packet, or None if it is none."""
    if len(content) >= 34 and content[0] >> 4 == 4 and content[9] == 6:
        source, destination, tcp = content[12:16], content[16:20], content[20:]
    elif len(content) >= 54 and content[0] >> 4 == 6 and content[6] == 6:
        source, destination, tcp = content[8:24], content[24:40], content[40:]
    else:
        return None
    source_port, destination_port = struct.unpack_from("!HH", tcp)
    return (source, source_port, destination, destination_port), tcp[13] if len(tcp) > 13 else 0
