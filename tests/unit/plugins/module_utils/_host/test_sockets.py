# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import socket

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._host import processes, sockets


def test_our_own_socket_and_its_owner():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        port = listener.getsockname()[1]
        (one,) = sockets.read_tcp("/proc/self/net", [port])
        table = processes.walk()
        found = sockets.owners([one.inode], [table.get(os.getpid())], table)

    assert (one.local, one.local_port, one.state, one.send_queue) == ("127.0.0.1", port, sockets.LISTEN, 0)
    assert found[one.inode].pid == os.getpid()


@pytest.fixture
def holders(fake_proc):
    """Processes 1 to 3, of which 2 and 3 hold sockets 22 and 33."""
    for pid in (1, 2, 3):
        fake_proc.add(pid, f"p{pid}")
        if pid > 1:
            os.symlink(f"socket:[{pid * 11}]", os.path.join(fake_proc.path, str(pid), "fd", "7"))
        os.symlink("/dev/null", os.path.join(fake_proc.path, str(pid), "fd", "0"))
    return fake_proc


def test_owners_are_found(holders):
    table = processes.walk(holders.path)

    found = sockets.owners([22, 33, 44, 0], [], table)

    assert {inode: process.pid for inode, process in found.items()} == {22: 2, 33: 3}


def test_the_search_ends_with_the_likely_ones_if_they_hold_all(holders):
    table = processes.walk(holders.path)

    class Untouchable:
        def __iter__(self):
            raise AssertionError("searched too far")

    found = sockets.owners([33], [table.get(3)], Untouchable())

    assert found[33].pid == 3


def test_the_search_is_given_up_in_time(holders):
    table = processes.walk(holders.path)

    assert sockets.owners([33], [], table, patience=-1) == {}
