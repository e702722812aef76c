# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real chronyd says of itself, over its own port and by chronyc. It leaves the system's clock alone (-x)."""

from __future__ import annotations

import time

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._clock import chrony, chrony_port
from ansible_collections.netmedic.calico.plugins.module_utils._host import commands

SERVER = "local stratum 3\nallow\nbindaddress 10.8.1.254\ncmdport 0\nbindcmdaddress /\npidfile {folder}/server.pid\n"
CLIENT = (
    "server 10.8.1.254 iburst minpoll 0 maxpoll 0\nserver 10.8.1.77 iburst\nport 0\nbindacqaddress 10.8.1.9\n"
    "bindcmdaddress {socket}\npidfile {folder}/client.pid\n{more}"
)
COMMAND = ("chronyc", "-h", "127.0.0.1", "-c", "-n", "-m", "tracking", "sources")


@pytest.fixture
def clocks(wires, needs, tmp_path):
    """A host with a server of time and a chronyd that follows it; returns the host and what starts the latter."""
    needs("chronyd", "chronyc")
    host = wires.host("clocks")
    host.run("ip", "addr", "add", "10.8.1.254/24", "dev", "lo")
    host.run("ip", "addr", "add", "10.8.1.9/24", "dev", "lo")

    def start(name, text):
        path = tmp_path / f"{name}.conf"
        path.write_text(text)
        log = (tmp_path / f"{name}.log").open("w")
        wires.keep(host.start("chronyd", "-x", "-d", "-u", "root", "-f", str(path), stdout=log, stderr=log))

    start("server", SERVER.format(folder=tmp_path))
    time.sleep(0.3)
    more = {"open": "", "closed": "cmdport 0\n"}
    return host, lambda kind: start("client", CLIENT.format(folder=tmp_path, socket="/", more=more[kind]))


def parsed(text):
    return chrony.parse(text, time.time())[0]


def own_port():
    return parsed(chrony_port.ask(1.0))


def by_chronyc():
    return parsed(commands.run(COMMAND, 5.0).stdout)


def wait_until(host, ready, seconds=15):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = host.call(own_port)
        if ready(found):
            return found
        time.sleep(0.2)
    pytest.fail(f"never came: {found}")
    return None


def test_both_ways_say_the_same(clocks):
    host, start = clocks
    start("open")
    found = wait_until(host, lambda found: found.get("synchronised"))
    expected = host.call(by_chronyc)

    assert (found["sources_total"], found["sources_reachable"], found["reference"]) == (2, 1, "10.8.1.254")
    for changing in ("offset_seconds", "last_update_seconds_ago"):
        assert found.pop(changing) == pytest.approx(expected.pop(changing), abs=1.0)
    assert found == expected


def test_before_it_has_synchronised(clocks):
    host, start = clocks
    start("open")
    found = wait_until(host, lambda found: "synchronised" in found, 5)

    if not found["synchronised"]:
        assert found["leap"] == "not_synchronised"
        assert "offset_seconds" not in found


def test_a_chronyd_without_a_port_does_not_answer_there(clocks):
    host, start = clocks
    start("closed")
    time.sleep(1)

    assert host.call(chrony_port.ask, 0.3) == ""
