# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import socket
import struct

from ansible_collections.netmedic.calico.plugins.module_utils._host import other_routes
from ansible_collections.netmedic.calico.plugins.module_utils._host.links import Link, Network

HERE = Network([Link(2, "eth0", 1500, "", True, True, 0)], [])


class Kernel:
    """Answers a dump with the messages it was given."""

    def __init__(self, *bodies):
        self.bodies = bodies

    def dump(self, _kind, _body):
        return [(24, body) for body in self.bodies]


def attribute(kind, raw):
    return struct.pack("=HH", 4 + len(raw), kind) + raw


def route(destination, length, protocol=3, kind=1, gateway="", table=254, flags=0):
    body = struct.pack("=8BI", socket.AF_INET, length, 0, 0, table, protocol, 0, kind, flags)
    if destination:
        body += attribute(1, socket.inet_aton(destination))
    body += attribute(4, struct.pack("=I", 2))
    return body + (attribute(5, socket.inet_aton(gateway)) if gateway else b"")


def test_routes_of_others_are_told_in_the_words_of_ip_route():
    kernel = Kernel(
        route("10.8.0.0", 16, gateway="10.200.0.1"),
        route("192.168.9.0", 24, protocol=4),
    )

    assert [one.text for one in other_routes.read(kernel, "ipv4", HERE)] == [
        "10.8.0.0/16 via 10.200.0.1 dev eth0",
        "192.168.9.0/24 dev eth0",
    ]


def test_what_is_not_others_is_left_out():
    kernel = Kernel(
        route("", 0, gateway="10.200.0.1"),
        route("10.200.0.0", 24, protocol=2),
        route("10.244.1.0", 26, protocol=12),
        route("10.244.2.0", 26, protocol=80),
        route("10.9.0.0", 16, table=100),
        route("10.9.1.0", 24, kind=2),
        route("10.9.2.0", 24, flags=0x200),
        b"short",
    )

    assert other_routes.read(kernel, "ipv4", HERE) == []
