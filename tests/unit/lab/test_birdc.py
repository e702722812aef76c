# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own reader of BIRD's control socket."""

from __future__ import annotations

import socket
import threading

import pytest

from lab import birdc

GREETING = b"0001 BIRD 1.6.8 ready.\n"
PROTOCOLS = (
    b"2002-name     proto    table    state  since       info\n"
    b"1002-static1  Static   master   up     01:17:17    \n"
    b" Mesh_10_200_0_9 BGP      master   up     01:17:19    Established   \n"
    b" Mesh_10_200_0_11 BGP      master   start  01:17:19    Active        Socket: No route to host\n"
    b" Mesh_10_200_0_12 BGP      master   wait   01:17:19    Established   \n"
    b" Mesh_10_200_0_13 BGP      master   down   01:17:19                  Error: No listening socket\n"
    b"0000 \n"
)


class Host:
    """Stands for a machine: a folder."""

    def __init__(self, folder):
        self.folder = folder

    def file(self, path):
        return self.folder / path.rpartition("/")[2]


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


@pytest.fixture
def bird(host):
    """Serves one caller: the pieces in turn, a request read before each but the first."""
    threads = []

    def serve(*pieces, close=True):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(host.file("bird.ctl")))
        listener.listen(1)

        def answer():
            caller, _address = listener.accept()
            with caller, listener:
                for index, piece in enumerate(pieces):
                    if index:
                        caller.recv(1000)
                    for byte in (piece[:7], piece[7:]):
                        caller.sendall(byte)
                if not close:
                    caller.recv(1000)

        threads.append(threading.Thread(target=answer, daemon=True))
        threads[-1].start()

    yield serve
    for thread in threads:
        thread.join(5)


def test_sessions(host, bird):
    bird(GREETING, PROTOCOLS)
    found = birdc.sessions(host)
    assert list(found) == ["Mesh_10_200_0_9", "Mesh_10_200_0_11", "Mesh_10_200_0_12", "Mesh_10_200_0_13"]
    first, second, third, fourth = found.values()
    assert (first.state, first.bgp_state, first.last_error, first.settled) == ("up", "Established", "", True)
    assert (second.bgp_state, second.last_error) == ("Active", "Socket: No route to host")
    assert (third.established, third.settled) == (True, False)
    assert fourth.last_error.endswith("No listening socket")


def test_nobody_has_made_a_socket(host):
    with pytest.raises(birdc.BirdError, match="no control socket"):
        birdc.ask(host, "show status")


def test_nobody_listens(host):
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(host.file("bird.ctl")))
    with pytest.raises(birdc.BirdError, match="Connection refused"):
        birdc.ask(host, "show status")


def test_nobody_answers(host, bird):
    bird(GREETING, b"", close=False)
    with pytest.raises(birdc.BirdError, match="does not answer"):
        birdc.ask(host, "show status", timeout=0.2)


def test_the_queue_of_a_hung_bird_is_full(host):
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as earlier:
        listener.bind(str(host.file("bird.ctl")))
        listener.listen(0)
        earlier.connect(str(host.file("bird.ctl")))
        with pytest.raises(birdc.BirdError, match="does not answer"):
            birdc.ask(host, "show status", timeout=0.2)


def test_bird_hangs_up(host, bird):
    bird(GREETING, b"1002-half an ans")
    with pytest.raises(birdc.BirdError, match="closed the control socket"):
        birdc.ask(host, "show protocols")
