# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs beside netfilter that may take packets away: XDP programs, and filters of traffic control, on interfaces.

XDP programs come with the links, filters are asked of the qdiscs clsact and ingress; what is attached by way of tcx
(Linux 6.6 and later) is told by bpf() alone, and so are programs' names. Nothing is loaded, attached or run.
Layouts: <linux/pkt_sched.h>, <linux/pkt_cls.h>, <linux/bpf.h>.
"""

from __future__ import annotations

import errno
import os
import struct

from .._numbers import is_whole
from .._record import NamedTuple
from . import netlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .._facts.sources import Sources
    from .links import Link, Network

    Bpf = Callable[[int, bytes, "bytearray | None", int], "tuple[int, bytes]"]

XDP, INGRESS, EGRESS = "xdp", "tc ingress", "tc egress"
_RTM_NEWQDISC, _RTM_GETQDISC, _RTM_NEWTFILTER, _RTM_GETTFILTER = 36, 38, 44, 46
_TCA_KIND, _TCA_OPTIONS = 1, 2
_TCA_BPF_NAME, _TCA_BPF_ID = 7, 11
_PARENTS = {"clsact": ((0xFFFFFFF2, INGRESS), (0xFFFFFFF3, EGRESS)), "ingress": ((0xFFFF0000, INGRESS),)}
_GET_FD_BY_ID, _GET_INFO, _QUERY = 13, 15, 16
_TCX = {46: INGRESS, 47: EGRESS}
_TCX_SINCE = (6, 6)
_NAME_AT, _INFO_SIZE = 64, 80
_MOST_PROGRAMS = 64
_SYSCALLS = {
    "x86_64": 321,
    "aarch64": 280,
    "riscv64": 280,
    "ppc64le": 361,
    "s390x": 351,
    "armv7l": 386,
    "i686": 357,
}


class Program(NamedTuple):
    """A program or filter: where it is attached, and its name ('' if nothing tells); of what is no eBPF program
    the kind of filter, such as flower."""

    interface: str
    hook: str
    name: str
    is_bpf: bool = True


def read(
    connection: netlink.Netlink, network: Network, interfaces: Iterable[str], sources: Sources, release: str = ""
) -> list[Program]:
    """Return what is attached to these interfaces. Notes the source ebpf. Raises OSError if the kernel does not answer.

    `release` is the kernel's, by default that of this host.
    """
    links = [link for link in map(network.link, dict.fromkeys(interfaces)) if link is not None]
    caller = _Caller()
    found = [Program(link.name, XDP, caller.name_of(link.xdp)) for link in links if link.xdp]
    found += _filters(connection, links, caller)
    if _version(release or os.uname().release) >= _TCX_SINCE:
        for link in links:
            for kind, hook in _TCX.items():
                found += [Program(link.name, hook, caller.name_of(number)) for number in caller.query(link, kind)]
    if caller.problem:
        sources.failed("ebpf", caller.problem)
    elif found:
        sources.ok("ebpf")
    return found[:_MOST_PROGRAMS]


def _filters(connection: netlink.Netlink, links: Iterable[Link], caller: _Caller) -> Iterator[Program]:
    names = {link.number: link.name for link in links}
    for kind, body in connection.dump(_RTM_GETQDISC, struct.pack("=BxHiIII", 0, 0, 0, 0, 0, 0)):
        if kind != _RTM_NEWQDISC or len(body) < 20:
            continue
        index = int(struct.unpack_from("=i", body, 4)[0])
        qdisc = netlink.text(netlink.attributes(body, 20).get(_TCA_KIND))
        for parent, hook in _PARENTS.get(qdisc, ()) if index in names else ():
            for name, number in _of_parent(connection, index, parent):
                is_bpf = number >= 0
                yield Program(names[index], hook, name or caller.name_of(number), is_bpf)


def _of_parent(connection: netlink.Netlink, index: int, parent: int) -> Iterator[tuple[str, int]]:
    """Yield (name, number of the program; -1 for none) of the filters at one place."""
    question = struct.pack("=BxHiIII", 0, 0, index, 0, parent, 0)
    for kind, body in connection.dump(_RTM_GETTFILTER, question):
        told = netlink.attributes(body, 20) if kind == _RTM_NEWTFILTER and len(body) >= 20 else {}
        options = told.get(_TCA_OPTIONS, b"")
        if not options:  # the head of several filters, which follow
            continue
        classifier = netlink.text(told.get(_TCA_KIND))
        if classifier == "bpf":
            details = netlink.attributes(options)
            yield netlink.text(details.get(_TCA_BPF_NAME)), netlink.number(details.get(_TCA_BPF_ID))
        else:
            yield classifier, -1


class _Caller:
    """Asks bpf(), which is looked up when it is first needed. `problem` says what could not be asked."""

    def __init__(self) -> None:
        self.problem = ""
        self._call: Bpf | None = None

    def query(self, link: Link, kind: int) -> list[int]:
        """Return the numbers of the programs attached to a link by way of tcx."""
        numbers = bytearray(4 * _MOST_PROGRAMS)
        question = struct.pack("=IIIIQIIQQQQ", link.number, kind, 0, 0, 0, _MOST_PROGRAMS, 0, 0, 0, 0, 0)
        code, answer = self._ask(_QUERY, question, numbers, 16)
        if code in (errno.EINVAL, errno.ENOENT):  # this kernel has no tcx, or nothing is attached
            return []
        if code:
            self.problem = f"The kernel does not tell which programs are attached to {link.name}: {os.strerror(code)}."
            return []
        count = min(int(struct.unpack_from("=I", answer, 24)[0]), _MOST_PROGRAMS)
        return list(struct.unpack_from(f"={count}I", numbers))

    def name_of(self, number: int) -> str:
        """Return a program's name; '' if nothing tells."""
        if number <= 0:
            return ""
        code, _answer = self._ask(_GET_FD_BY_ID, struct.pack("=III", number, 0, 0), None, 0)
        if code >= 0:
            return ""
        descriptor = -code - 1
        try:
            info = bytearray(_INFO_SIZE)
            code, _answer = self._ask(_GET_INFO, struct.pack("=IIQ", descriptor, len(info), 0), info, 8)
        finally:
            os.close(descriptor)
        return "" if code else netlink.text(bytes(info[_NAME_AT:]))

    def _ask(self, command: int, question: bytes, room: bytearray | None, at: int) -> tuple[int, bytes]:
        """Return (0, an errno, or for a file descriptor -1 - its number; the question as the kernel gave it back).

        `room` is where the kernel writes, whose address stands at offset `at` of the question.
        """
        if self._call is None:
            self._call = _bpf()
        return self._call(command, question, room, at)


def _bpf() -> Bpf:
    """Return a function that calls bpf()."""
    try:
        import ctypes

        library = ctypes.CDLL(None, use_errno=True)
    except (ImportError, OSError):
        return lambda _command, question, _room, _at: (errno.ENOSYS, question)
    number = _SYSCALLS.get(os.uname().machine, 0)

    def call(command: int, question: bytes, room: bytearray | None, at: int) -> tuple[int, bytes]:
        if not number:
            return errno.ENOSYS, question
        buffer = ctypes.create_string_buffer(question, len(question))
        if room is not None:
            inside = (ctypes.c_char * len(room)).from_buffer(room)
            struct.pack_into("=Q", buffer, at, ctypes.addressof(inside))
        result = library.syscall(number, command, buffer, len(question))
        code = ctypes.get_errno() if result < 0 else 0
        if result >= 0 and command == _GET_FD_BY_ID:
            code = -1 - result
        return code, buffer.raw

    return call


def _version(release: str) -> tuple[int, int]:
    words = release.split(".")[:2]
    return (int(words[0]), int(words[1])) if len(words) == 2 and all(map(is_whole, words)) else (0, 0)
