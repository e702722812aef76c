# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import errno
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._host import links, routes, rules


def message(priority, table, more=b"", action=1, lengths=(0, 0)):
    head = struct.pack("=8BI", 2, *lengths, 0, table, 0, 0, action, 0)
    return head + struct.pack("=HHI", 8, 6, priority) + struct.pack("=HHI", 8, 15, table) + more


def attribute(kind, raw):
    return struct.pack("=HH", 4 + len(raw), kind) + raw + b"\0" * (-len(raw) % 4)


OWN = [message(0, 255), message(32766, 254, attribute(14, b"\xff" * 4) + attribute(21, b"\2")), message(32767, 253)]


class Kernel:
    def __init__(self, bodies, error=0):
        self.bodies, self.error = bodies, error

    def dump(self, _kind, _body):
        if self.error:
            raise OSError(self.error, "no")
        return [(32, body) for body in self.bodies]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (message(9, 7), "9: from all lookup 7"),
        (message(0, 254), "0: from all lookup main"),
        (message(9, 0, action=7), "9: from all unreachable"),
        (message(9, 0, action=99), "9: from all action 99"),
        (message(9, 0, attribute(4, struct.pack("=I", 99)), action=2), "9: from all goto 99"),
        (message(9, 254, attribute(14, b"\0" * 4)), "9: from all lookup main suppress_prefixlength 0"),
        (message(9, 0, attribute(19, b"\1")), "9: from all lookup l3mdev"),
        (
            message(9, 7, attribute(2, b"\x0a\0\0\0") + attribute(1, b"\x0a\0\0\1"), lengths=(32, 8)),
            "9: from 10.0.0.0/8 to 10.0.0.1 lookup 7",
        ),
        (
            message(9, 7, attribute(10, struct.pack("=I", 16)) + attribute(16, b"\xff" * 4)),
            "9: from all fwmark 0x10 lookup 7",
        ),
        (message(9, 7, attribute(23, struct.pack("=HH", 5, 9))), "9: from all sport 5-9 lookup 7"),
    ],
)
def test_rules_are_said_as_ip_says_them(body, text):
    assert rules.read(Kernel([*OWN, body]), "ipv4") == [rules.Rule(int(text.partition(":")[0]), text)]
    assert routes.has_rules(Kernel([*OWN, body]), "ipv4")


def test_the_kernels_own_are_none():
    assert rules.read(Kernel(OWN), "ipv4") == []
    assert not routes.has_rules(Kernel(OWN), "ipv4")


def test_a_kernel_without_policy_routing_has_none():
    without = Kernel([], errno.EOPNOTSUPP)
    assert (rules.read(without, "ipv6"), routes.has_rules(without, "ipv6")) == ([], False)
    for ask in (rules.read, routes.has_rules):
        with pytest.raises(PermissionError):
            ask(Kernel([], errno.EPERM), "ipv4")


def test_a_source_that_is_not_here_is_not_asked_about():
    class Silent:
        def ask(self, _kind, bodies):
            assert bodies == []
            return []

    ways = {"10.200.0.10": routes.Route("10.200.0.10", "unicast", "eth0")}
    assert rules.rerouted(Silent(), links.Network([], []), ways, {"ipv4": "10.200.0.9"}) == {}


@given(st.binary(max_size=120))
def test_any_message_is_survived(body):
    rules.parse(body)
    rules.parse(message(9, 7, body))
    routes.has_rules(Kernel([body]), "ipv4")
