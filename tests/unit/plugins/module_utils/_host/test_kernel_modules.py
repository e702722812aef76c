# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._host import kernel_modules


class Kernel:
    """A /proc and a /lib/modules."""

    def __init__(self, folder):
        self.proc, self.modules = folder / "proc", folder / "modules"
        self.loaded, self.builtin = self.proc / "modules", self.modules / os.uname().release / "modules.builtin"
        self.proc.mkdir()
        self.builtin.parent.mkdir(parents=True)

    def present(self):
        return kernel_modules.present("tcp_diag", str(self.proc), str(self.modules))


@pytest.fixture
def kernel(tmp_path):
    return Kernel(tmp_path)


def test_a_kernel_without_modules_loads_none(kernel):
    assert kernel.present() is True


@pytest.mark.parametrize("before", ["", "inet_diag 24576 1 tcp_diag, Live 0x0\n"])
def test_a_loaded_module(kernel, before):
    kernel.loaded.write_text(before + "tcp_diag 12288 0 - Live 0x0\n")

    assert kernel.present() is True


def test_a_module_that_is_not_loaded(kernel):
    kernel.loaded.write_text("mptcp_tcp_diag 1 0 - Live 0x0\ninet_diag 24576 1 tcp_diag, Live 0x0\n")
    kernel.builtin.write_text("kernel/net/ipv4/udp_diag.ko\nkernel/net/mptcp/mptcp_tcp_diag.ko\n")

    assert kernel.present() is False


def test_what_is_built_in(kernel):
    kernel.loaded.write_text("")
    kernel.builtin.write_text("kernel/net/ipv4/tcp_diag.ko\n")

    assert kernel.present() is True


def test_nothing_tells(kernel):
    kernel.loaded.write_text("")

    assert kernel.present() is None
