# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import struct

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._firewall import nft_foreign, nft_kernel

# --- rules as the kernel describes them (struct layouts of nf_tables.h) ---


def attribute(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def big_endian(kind, value):
    return attribute(kind, struct.pack("!I", value))


def expression(name, *parts):
    return attribute(1, attribute(1, name.encode() + b"\0") + attribute(2, b"".join(parts)))


def payload(base, offset, length):
    return expression("payload", big_endian(1, 1), big_endian(2, base), big_endian(3, offset), big_endian(4, length))


def compare(operator, value):
    return expression("cmp", big_endian(1, 1), big_endian(2, operator), attribute(3, attribute(1, value)))


def between(low, high):
    return expression(
        "range", big_endian(1, 1), big_endian(2, 0), attribute(3, attribute(1, low)), attribute(4, attribute(1, high))
    )


PORT = struct.pack("!H", 179)
ADDRESS = bytes([10, 0, 0, 1])
XT = [
    expression("match", attribute(1, b"conntrack\0"), big_endian(2, 3)),
    expression("counter", attribute(1, b"\0" * 8)),
]


@pytest.mark.parametrize(
    ("expressions", "foreign"),
    [
        ([payload(2, 2, 2), compare(0, PORT), *XT], False),
        ([payload(2, 2, 2), between(PORT, PORT)], False),
        ([payload(2, 2, 2), compare(5, PORT), compare(3, PORT)], False),
        ([payload(1, 12, 4), compare(0, ADDRESS)], False),
        ([payload(2, 2, 2), compare(0, PORT), payload(2, 0, 2), compare(0, PORT)], False),
        ([expression("reject", big_endian(1, 0))], False),
        ([expression("match", attribute(1, b"rt\0"), big_endian(2, 0))], False),
        ([expression("match", attribute(1, b"socket\0"), big_endian(2, 0))], False),
        ([expression("rt", big_endian(1, 1))], True),
        ([payload(1, 12, 4), expression("lookup", attribute(1, b"__set0\0"), big_endian(2, 1))], True),
        ([payload(1, 12, 4), compare(5, ADDRESS), compare(3, ADDRESS)], True),
        ([payload(1, 12, 4), between(ADDRESS, ADDRESS)], True),
        ([expression("ct", big_endian(1, 1), big_endian(2, 0))], True),
        ([payload(2, 14, 2), compare(0, PORT)], True),
        ([payload(2, 2, 2), compare(0, PORT), payload(2, 2, 2), compare(1, PORT)], True),
    ],
)
def test_rules_that_iptables_cannot_have_written(monkeypatch, expressions, foreign):
    def rule(table, chain, content):
        names = attribute(1, table.encode() + b"\0") + attribute(2, chain.encode() + b"\0")
        return struct.pack("=BBH", 2, 0, 0) + names + attribute(4, b"".join(content))

    dump = [rule("filter", "INPUT", XT), rule("filter", "other", expressions), rule("filter", "INPUT", expressions)]
    monkeypatch.setattr(nft_kernel, "dump", lambda *_args: dump)
    assert nft_foreign.foreign_rules("ip", "filter", "INPUT") == ({2} if foreign else set())
