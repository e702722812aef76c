# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host of its own for each test: a network namespace, and places for its records and its lock."""

from __future__ import annotations

import ctypes
import os
import subprocess
import time

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._change import record, transaction

_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


class Host:
    """Changes made in this process' own network namespace."""

    def __init__(self, folder):
        self.store = record.Store(str(folder / "changes"), str(folder / "lock"))

    def run(self, command):
        done = subprocess.run(["sh", "-ec", command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def request(self, *changes, **given):
        given.setdefault("id", "one")
        given.setdefault("holder", "test")
        return transaction.Request(changes=changes, **given)

    def apply(self, *changes, **given):
        return transaction.applied(self.request(*changes, **given), self.store)

    def confirm(self, **given):
        return transaction.confirmed(self.request(**given), self.store)

    def undo(self, **given):
        return transaction.undone(self.request(**given), self.store)

    def status(self, **given):
        return transaction.status(self.request(**given), self.store)

    def wait_for(self, state, seconds, name="one"):
        deadline = time.monotonic() + seconds
        while (self.store.load(name) or {}).get("state") != state:
            assert time.monotonic() < deadline, self.store.load(name)
            time.sleep(0.05)


@pytest.fixture
def host(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    if _LIBC.unshare(_CLONE_NEWNET):
        os.close(own)
        pytest.skip("no network namespaces here")
    try:
        one = Host(tmp_path)
        one.run("ip link set lo up; ip link add eth0 type veth peer name far; ip link set eth0 up; ip link set far up")
        one.run("ip address add 10.0.0.1/24 dev eth0; ip -6 address add fd00::1/64 dev eth0 nodad")
        yield one
    finally:
        for name in one.store.names():  # ends the switches that are still there
            found = one.store.load(name)
            one.store.save(dict(found, state="confirmed"))
        _LIBC.setns(own, _CLONE_NEWNET)
        os.close(own)
