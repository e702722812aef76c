# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What rules may ask about packets that is this host's and no packet's: kinds of links, and whether there is IPsec."""

from __future__ import annotations

import errno
import socket
import struct

from .._host import kernel_modules, netlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .model import Packet

_NETLINK_XFRM = 6
_GET_STATE, _GET_POLICY = 0x12, 0x15
_STATE_BODY, _POLICY_BODY = 224, 64  # lengths of xfrm_usersa_info and xfrm_userpolicy_id, all zero for "everything"
_SIOCGIFHWADDR = 0x8927
_NAME_LENGTH = 16
_NO_SUCH_PROTOCOL = frozenset((errno.EPROTONOSUPPORT, errno.EAFNOSUPPORT))


class Surroundings:
    """Looked at when it is first asked for, at most once."""

    def __init__(self, timeout: float, proc_root: str = "/proc", modules_root: str = "/lib/modules") -> None:
        self._timeout = timeout
        self._roots = proc_root, modules_root
        self._types: dict[str, int | None] = {}
        self._ipsec: bool | None = None
        self._asked = False

    def completed(self, packets: Iterable[Packet]) -> list[Packet]:
        """Return the packets with what is known of them here."""
        ipsec = self.ipsec()
        return [
            packet._replace(ipsec=ipsec, in_type=self.link_type(packet.in_interface) if packet.in_interface else None)
            for packet in packets
        ]

    def link_type(self, name: str) -> int | None:
        """Return the kind of a link (ARPHRD_…); None if there is none of this name."""
        if name not in self._types:
            self._types[name] = _link_type(name)
        return self._types[name]

    def ipsec(self) -> bool | None:
        """Return False if this host surely has neither an association nor a policy of IPsec, else None.

        Both come to be by the kernel's module xfrm_user, or af_key; to ask would load it.
        """
        if not self._asked:
            self._asked = True
            told = [kernel_modules.present(name, *self._roots) for name in ("xfrm_user", "af_key")]
            if told == [False, False] or (None not in told and self._nothing_there()):
                self._ipsec = False
        return self._ipsec

    def _nothing_there(self) -> bool:
        try:
            with netlink.Netlink(self._timeout, _NETLINK_XFRM) as connection:
                asked = ((_GET_STATE, _STATE_BODY), (_GET_POLICY, _POLICY_BODY))
                return not any(connection.dump(kind, b"\0" * length) for kind, length in asked)
        except OSError as error:
            return error.errno in _NO_SUCH_PROTOCOL


def _link_type(name: str) -> int | None:
    try:
        import fcntl

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            asked = struct.pack("16s16s", name.encode()[: _NAME_LENGTH - 1], b"")
            answer = fcntl.ioctl(any_socket, _SIOCGIFHWADDR, asked)
    except (ImportError, OSError, ValueError):
        return None
    return int(struct.unpack_from("=H", answer, _NAME_LENGTH)[0])
