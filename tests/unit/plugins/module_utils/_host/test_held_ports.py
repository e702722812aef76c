# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import socket

from ansible_collections.netmedic.calico.plugins.module_utils._host import held_ports, processes


def test_who_listens_is_told(monkeypatch, listen):
    server = listen("127.0.0.1")
    port = server.getsockname()[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        plain.bind(("127.0.0.1", 0))
        udp = plain.getsockname()[1]
        monkeypatch.setattr(held_ports, "TCP", (port,))
        monkeypatch.setattr(held_ports, "UDP", (udp,))

        found = held_ports.look(processes.walk(), {udp: "vxlan.calico"})

    own = processes.walk().get(os.getpid())
    assert [(one["protocol"], one["port"], one["address"]) for one in found] == [
        ("tcp", port, "127.0.0.1"),
        ("udp", udp, "127.0.0.1"),
    ]
    assert {one["process"] for one in found} == {own.comm}
    assert all("device" not in one for one in found)


def test_the_kernels_own_socket_belongs_to_its_device(monkeypatch):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        plain.bind(("127.0.0.1", 0))
        port = plain.getsockname()[1]
        monkeypatch.setattr(held_ports, "TCP", ())
        monkeypatch.setattr(held_ports, "UDP", (port,))

        # Nobody's process is looked through, as nobody holds the kernel's.
        found = held_ports.look(processes.ProcessTable([]), {port: "flannel.1"})

    assert found == [{"protocol": "udp", "port": port, "address": "127.0.0.1", "device": "flannel.1"}]


def test_connections_are_no_listeners(monkeypatch, listen):
    server = listen("127.0.0.1")
    with socket.create_connection(server.getsockname()) as client:
        monkeypatch.setattr(held_ports, "TCP", (client.getsockname()[1],))
        monkeypatch.setattr(held_ports, "UDP", ())

        assert held_ports.look(processes.ProcessTable([]), {}) == []
