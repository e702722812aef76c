# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions one end of which does not read: what the kernel says of its sockets, in a network of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces, which needs root")

SCRIPT = """
import json, socket, subprocess, sys, threading, time
from ansible_collections.netmedic.calico.plugins.module_utils._facts import node
from ansible_collections.netmedic.calico.plugins.module_utils._host import sockets
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
listener = socket.create_server(("127.0.0.1", 179))
idle = socket.create_connection(("127.0.0.1", 179), source_address=("127.0.0.9", 0))
idle_end = listener.accept()[0]
dialler = socket.create_connection(("127.0.0.1", 179), source_address=("127.0.0.2", 0))
reader = listener.accept()[0]
words = sys.argv[1:]
if "unread" in words:
    dialler.send(b"x" * 63)
if "full" in words:
    dialler.setblocking(False)
    end = time.monotonic() + 2
    while time.monotonic() < end:
        try:
            dialler.send(b"x" * 65536)
        except BlockingIOError:
            time.sleep(0.05)
if "read" in words:
    def read():
        # Whenever the queue is looked at: it gets shorter, or is empty already.
        while reader.recv(1):
            time.sleep(0.05)
    threading.Thread(target=read, daemon=True).start()
if "tables" in words:
    sockets.is_our_network = lambda _folder: False
print(json.dumps(node.gather({"probe": False}, ("bgp",))["calico_bgp"]))
"""


def collect(*words):
    """Return calico_bgp.sockets of a host with two connections to itself, after what the words say was done."""
    argv = ["unshare", "--net", "--mount", "--pid", "--fork", "sh", "-c", 'mount -t proc proc /proc; exec "$@"', "sh"]
    argv += [sys.executable, "-c", SCRIPT, *words]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["sockets_established"] == 4
    return facts["sockets"]


@pytest.mark.parametrize("way", ["diag", "tables"])
def test_what_is_not_read_is_stuck(way):
    (one,) = collect("unread", way)

    assert (one["local_port"], one["peer"], one["receive_queue"]) == (179, "127.0.0.2", 63)
    assert one["stuck_seconds"] >= 0.5
    assert "timer" not in one


@pytest.mark.parametrize("way", ["diag", "tables"])
def test_a_closed_window_shows_at_both_ends(way):
    ends = {one["local"]: one for one in collect("full", way)}

    assert ends["127.0.0.2"]["timer"] == "persist"
    assert ends["127.0.0.2"]["send_queue"] > 0
    assert ends["127.0.0.2"]["retransmits"] == 0
    assert ends["127.0.0.1"]["receive_queue"] > 10_000


def test_what_is_being_read_and_what_is_quiet_are_not():
    assert collect("unread", "read") == []
    assert collect() == []
