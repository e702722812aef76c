# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sockets on which the API listens: one on the host's loopback, one in the network of the lab's fabric."""

from __future__ import annotations

import ctypes
import os
import socket
import threading

BACKLOG = 256
_CLONE_NEWNET = 0x40000000


def _probing(address: str) -> socket.socket:
    """A socket at a free port, to learn its number."""
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    made.bind((address, 0))
    return made


def bound(address: str, port: int = 0) -> socket.socket:
    """A listening socket in the network of this process; port 0 is a free one."""
    if not port:
        # A port that the kernel chose is lost when the socket stops listening for a while, one asked for is not.
        with _probing(address) as first:
            port = first.getsockname()[1]
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, port))
        made.listen(BACKLOG)
    except BaseException:
        made.close()
        raise
    return made


def bound_in(pid: int, address: str, port: int) -> socket.socket:
    """A listening socket in the network of another process. It stays there whoever uses it.

    Only a thread that ends at once enters that network, so nothing else of this process ever is in it.
    """
    made: list[socket.socket] = []
    problem: list[OSError] = []

    def enter() -> None:
        try:
            with open(f"/proc/{pid}/ns/net", "rb") as network:
                if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), _CLONE_NEWNET):
                    number = ctypes.get_errno()
                    raise OSError(number, os.strerror(number))
            made.append(bound(address, port))
        except OSError as error:
            problem.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if problem:
        raise problem[0]
    return made[0]
