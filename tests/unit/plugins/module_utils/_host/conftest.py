# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import socket

import pytest


@pytest.fixture
def listen():
    """Listen on an address; IPv6's "::" takes IPv4 as well. (Python 3.7 has no socket.create_server.)"""
    servers = []

    def listening(address="127.0.0.1", family=socket.AF_INET):
        server = socket.socket(family)
        servers.append(server)
        if family == socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(address != "::"))
        server.bind((address, 0))
        server.listen(5)
        return server

    yield listening
    for server in servers:
        server.close()
