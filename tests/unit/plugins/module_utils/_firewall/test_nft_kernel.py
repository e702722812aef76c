# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import struct

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._firewall import nft_kernel


@pytest.fixture
def kernel(tmp_path):
    """A folder like /proc and one like /lib/modules, and whether nf_tables is found to be there."""
    proc, modules = tmp_path / "proc", tmp_path / "modules"
    (modules / os.uname().release).mkdir(parents=True)
    proc.mkdir()

    class Kernel:
        loaded = proc / "modules"
        symbols = proc / "kallsyms"
        builtin = modules / os.uname().release / "modules.builtin"

        def present(self):
            return nft_kernel.present(str(proc), str(modules))

    return Kernel()


def test_a_kernel_without_modules_can_be_asked_because_nothing_can_be_loaded(kernel):
    assert kernel.present()


def test_a_loaded_module(kernel):
    kernel.loaded.write_text("xt_conntrack 16384 1 - Live 0x0\nnf_tables 311296 2 nft_compat, Live 0x0\n")
    assert kernel.present()


def test_a_module_that_is_not_loaded_is_not_asked_for(kernel):
    kernel.loaded.write_text("ip_tables 36864 1 iptable_filter, Live 0x0\nxnf_tables 1 1 - Live 0x0\n")
    kernel.builtin.write_text("kernel/net/ipv4/netfilter/ip_tables.ko\n")
    assert not kernel.present()


def test_nf_tables_built_in(kernel):
    kernel.loaded.write_text("")
    kernel.builtin.write_text("kernel/net/netfilter/nf_tables.ko\n")
    assert kernel.present()


@pytest.mark.parametrize(("symbol", "found"), [("nf_tables_newtable", True), ("nf_hook_slow", False)])
def test_without_a_list_of_modules_the_symbols_tell(kernel, symbol, found):
    kernel.loaded.write_text("")
    kernel.symbols.write_text(f"ffffffff00000000 t {symbol}\n")
    assert kernel.present() is found


# --- chains as the kernel describes them (struct layouts of nf_tables.h) ---


def attribute(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def big_endian(kind, value):
    return attribute(kind, struct.pack("!I", value))


def test_base_chains_as_the_kernel_lists_them(monkeypatch):
    def chain(family, table, name, hook=None, policy=1, kind="filter"):
        body = attribute(1, table.encode() + b"\0") + attribute(3, name.encode() + b"\0") + big_endian(6, 4)
        if hook is not None:
            number, priority = hook
            body += attribute(4, big_endian(1, number) + attribute(2, struct.pack("!i", priority)))
            body += big_endian(5, policy) + attribute(7, kind.encode() + b"\0")
        return struct.pack("=BBH", family, 0, 0) + body

    monkeypatch.setattr(
        nft_kernel,
        "dump",
        lambda *_args: iter(
            [
                chain(2, "filter", "INPUT", (1, 0), 0),
                chain(2, "filter", "user"),
                chain(1, "t", "pre", (0, -300)),
                chain(5, "nd", "in", (0, 0)),
                b"",
                b"\x02",
            ]
        ),
    )
    found = nft_kernel.base_chains()
    assert [(one["family"], one["name"], one["hook"], one["prio"], one["policy"], one.get("dev")) for one in found] == [
        ("ip", "INPUT", "input", 0, "drop", None),
        ("inet", "pre", "prerouting", -300, "accept", None),
        ("netdev", "in", "ingress", 0, "accept", "?"),
    ]
    assert found[0]["uses"] == 4


def test_dormant_tables_and_chains_of_several_devices(monkeypatch):
    def chain(table, devices):
        names = b"".join(attribute(kind, name + b"\0") for kind, name in devices)
        hook = big_endian(1, 0) + attribute(2, struct.pack("!i", 0)) + attribute(4, names)
        return struct.pack("=BBH", 5, 0, 0) + attribute(1, table + b"\0") + attribute(3, b"c\0") + attribute(4, hook)

    def dump(kind, *_args):
        if kind == 1:
            flags = ((b"asleep", 1), (b"t", 2))
            return [
                struct.pack("=BBH", 5, 0, 0) + attribute(1, name + b"\0") + big_endian(2, flag) for name, flag in flags
            ]
        chains = (b"asleep", []), (b"t", [(1, b"eth0"), (1, b"wan1")]), (b"t", [(2, b"eth")]), (b"t", [(9, b"eth")])
        return [chain(*one) for one in chains]

    monkeypatch.setattr(nft_kernel, "dump", dump)
    assert [one["dev"] for one in nft_kernel.base_chains()] == [["eth0", "wan1"], ["eth*"], "?"]
