# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight's listeners and probes between hosts of real kernels and real packet filters."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._host import processes
from ansible_collections.netmedic.calico.plugins.module_utils._preflight import plan, start

WAYS = plan.Ways((179, 5473), (4789, 8472), True)
ALL = {"tcp179", "tcp5473", "udp4789", "udp8472", "ipip"}
ADDRESSES = (("10.77.0.9", "fd77::9"), ("10.77.0.10", "fd77::a"))


class Listener:
    """The listener of one host, asked as the controller asks it: by files."""

    def __init__(self, host, number, addresses, **options):
        self.host, self.number, self.addresses = host, number, addresses
        self.facts = host.call(listen, options.pop("ways", WAYS), options.pop("seconds", 20.0), options)
        self.folder = pathlib.Path(self.facts.get("folder", "/nonexistent"))

    @property
    def peer(self):
        return [self.number, list(self.addresses), self.facts["token"]]

    def begin(self, *others, ways=WAYS, timeout=0.4):
        wanted = {
            "do": "probe",
            "number": self.number,
            "own": list(self.addresses),
            "peers": [other.peer for other in others],
            "tcp": list(ways.tcp),
            "udp": list(ways.udp),
            "ipip": ways.ipip,
            "mtu": True,
            "timeout": timeout,
            "rate": 1000,
        }
        self._put(wanted)

    def probe(self, *others, **options):
        self.begin(*others, **options)
        return self.answer()

    def stop(self):
        self._put({"do": "stop"})
        return self.answer()

    def answer(self):
        path = self.folder / "answer"
        wait_for(path.exists, 10)
        told = json.loads(path.read_text())
        path.unlink()
        return told

    def lives(self):
        return pathlib.Path(f"/proc/{self.facts['pid']}").exists()

    def _put(self, wanted):
        new = self.folder / "ask.new"
        new.write_text(json.dumps(wanted))
        new.rename(self.folder / "ask")


def listen(ways, seconds, options):
    # The test's own machine may have a trace of Calico; only what a test says counts.
    calico = options.get("calico", False)
    original = start.calico_is_here
    start.calico_is_here = lambda *_args: calico
    try:
        return start.listen(ways, seconds, processes.walk())
    finally:
        start.calico_is_here = original


def wait_for(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


@pytest.fixture
def listeners(pair):
    """Starts listeners, and ends them with the test."""
    started = []

    def begin(**options):
        for number, host in enumerate(pair):
            started.append(
                Listener(
                    host,
                    number,
                    ADDRESSES[number][: options.get("families", 1)],
                    **{key: value for key, value in options.items() if key != "families"},
                )
            )
        return started

    yield begin
    for one in started:
        with contextlib.suppress(OSError, KeyError):
            os.kill(one.facts["pid"], signal.SIGTERM)


def nft(host, rule, hook="input"):
    host.run(
        "nft",
        f"add table inet t; add chain inet t c {{ type filter hook {hook} priority 0; }}; add rule inet t c {rule}",
    )


def results(told, number):
    """By way what came of the peer of this number."""
    return {
        way: next(word for word, hosts in found.items() if int(hosts, 16) >> number & 1)
        for way, found in told["ways"].items()
    }


def test_a_listener_that_probes_without_end_stops_when_it_is_told_to(listeners, pair):
    one, two = listeners()
    device = pair[0].run("ip", "-o", "route", "get", ADDRESSES[1][0]).split(" dev ")[1].split()[0]
    pair[0].run("ip", "neigh", "replace", ADDRESSES[1][0], "lladdr", "02:00:00:00:00:99", "dev", device)
    one.begin(two, timeout=30.0)
    wait_for(lambda: not (one.folder / "ask").exists(), 5)
    one.stop()
    wait_for(lambda: not one.lives() and not one.folder.exists(), 3)


def test_the_listener_of_another_run_is_known_by_its_name(listeners, pair):
    one, _two = listeners()
    assert "ports" not in one.facts
    wait_for(lambda: pathlib.Path(f"/proc/{one.facts['pid']}/comm").read_text().strip() == plan.PROCESS, 5)
    facts = pair[0].call(listen, WAYS, 1.0, {})
    assert {(entry["state"], entry["process"]) for entry in facts["ports"]} == {("taken", plan.PROCESS)}
    wait_for(lambda: not pathlib.Path(f"/proc/{facts['pid']}").exists(), 5)


def test_between_open_hosts_all_is_open_and_the_listeners_end_by_themselves(listeners):
    one, two = listeners(families=2)
    expected = dict.fromkeys(ALL | {f"{way}/6" for way in ALL - {"ipip"}}, "open")

    first = one.probe(two)
    second = two.probe(one)

    assert results(first, 1) == expected
    assert results(second, 0) == expected
    assert first["mtu"] == {"ok": {"1500": "2"}, "ok/6": {"1500": "2"}}
    assert set(second["heard"]["behind"]) == set(expected)
    wait_for(lambda: not one.lives() and not two.lives(), 15)
    assert not one.folder.exists()
    assert not two.folder.exists()
    assert one.host.half_open() == two.host.half_open() == 0


@pytest.mark.parametrize(
    ("rule", "blocked"),
    [
        ("tcp dport 179 drop", {"tcp179"}),
        ("udp dport { 4789, 8472 } drop", {"udp4789", "udp8472"}),
        ("ip protocol 4 drop", {"ipip"}),
    ],
)
def test_a_rule_at_the_listener_blocks_one_way_and_is_told_from_a_loss_on_the_way(needs, listeners, rule, blocked):
    needs("nft")
    one, two = listeners()
    nft(two.host, rule)

    there, back = results(one.probe(two), 1), results(two.probe(one), 0)

    assert {way for way, word in there.items() if word == "silent"} == blocked
    # Of IPIP and VXLAN the answer is dropped, too, if the rule drops all; that the probe came is heard.
    assert {way for way, word in back.items() if word != "open"} <= blocked - {"tcp179"}
    heard = two.stop()["heard"]
    assert blocked <= set(heard["before"])
    assert set(heard["behind"]) == ALL - blocked
    assert set(one.stop()["heard"]["behind"]) == ALL
    wait_for(lambda: not one.lives() and not two.lives(), 4)


def test_what_never_arrives_is_heard_nowhere(needs, listeners):
    needs("nft")
    one, two = listeners()
    nft(one.host, "tcp dport 179 drop", "output")
    nft(one.host, "ip protocol 4 reject", "output")

    there = results(one.probe(two), 1)

    assert (there["tcp179"], there["ipip"]) == ("error", "error")
    assert set(two.stop()["heard"]["before"]) == ALL - {"tcp179", "ipip"}


def test_a_refusal_is_told_with_who_refused(needs, listeners):
    needs("nft")
    one, two = listeners()
    nft(two.host, "tcp dport 179 reject with tcp reset")
    nft(two.host, "udp dport 4789 reject with icmp type admin-prohibited")

    told = one.probe(two)

    assert results(told, 1)["tcp179"] == "reset"
    assert {
        "host": 1,
        "way": "udp4789",
        "result": "rejected",
        "from": "10.77.0.10",
        "detail": "ICMP type 3 code 13",
    } in told["details"]


def test_a_port_that_a_program_has_is_left_alone_and_told_with_the_program(wires, listeners, pair):
    _one, two = pair
    code = (
        "import socket, time\n"
        "opened = socket.socket(); opened.bind(('', 179)); opened.listen(5)\n"
        "held = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); held.bind(('', 4789))\n"
        "print('up', flush=True); opened.settimeout(30); opened.accept(); print('accepted', flush=True)\n"
    )
    other = wires.keep(two.start(sys.executable, "-c", code, stdout=subprocess.PIPE, universal_newlines=True))
    assert other.stdout.readline() == "up\n"

    asking, asked = listeners()
    taken = {(one["protocol"], one["port"]): one.get("pid") for one in asked.facts["ports"]}
    there = results(asking.probe(asked), 1)

    assert taken == {("tcp", 179): other.pid, ("udp", 4789): other.pid}
    assert there == {**dict.fromkeys(ALL, "open"), "tcp179": "answered"}
    assert "tcp179" in asked.stop()["heard"]["behind"]
    other.kill()
    assert "accepted" not in other.stdout.read()


def test_a_vxlan_device_that_has_its_port_gets_nothing_of_the_probes(listeners, pair):
    _one, two = pair
    two.run("ip", "link", "add", "vx", "type", "vxlan", "id", "7", "dstport", "4789", "local", "10.77.0.10")
    two.run("ip", "link", "set", "vx", "up")

    asking, asked = listeners()
    there = results(asking.probe(asked), 1)

    assert {"protocol": "udp", "port": 4789, "state": "taken"} in asked.facts["ports"]
    assert there["udp4789"] == "open"
    assert two.run("sh", "-c", "grep vx: /proc/net/dev").split()[1:3] == ["0", "0"]


def test_where_calico_is_no_port_is_held(listeners):
    one, two = listeners(calico=True)

    told = one.probe(two)

    assert {entry["state"] for entry in two.facts["ports"]} == {"left"}
    assert results(told, 1) == {
        "tcp179": "reset",
        "tcp5473": "reset",
        "udp4789": "open",
        "udp8472": "open",
        "ipip": "open",
    }
    assert set(two.stop()["heard"]["behind"]) == ALL


def test_nobody_can_connect_to_a_held_port(listeners):
    one, two = listeners()

    def connect():
        with socket.socket() as opened:
            opened.settimeout(1)
            opened.connect(("10.77.0.10", 179))
            opened.send(b"x" * 10)
            time.sleep(0.3)
            return opened.getpeername()

    with contextlib.suppress(OSError):
        one.host.call(connect)

    established = two.host.run("sh", "-c", "cat /proc/net/tcp").count(" 01 ")
    assert established == 0
    assert results(one.probe(two), 1)["tcp179"] == "open"


@pytest.mark.parametrize("way", ["deadline", "killed", "asked"])
def test_a_listener_goes_in_every_case(listeners, way):
    """Nobody talks to it any more: the controller was killed, say."""
    one, _two = listeners(seconds=1.0 if way == "deadline" else 30.0)
    if way == "killed":
        os.kill(one.facts["pid"], signal.SIGTERM)
    elif way == "asked":
        one.stop()

    wait_for(lambda: not one.lives(), 10)

    assert not one.folder.exists()
    assert one.host.run("sh", "-c", "cat /proc/net/tcp /proc/net/udp /proc/net/raw /proc/net/packet").count(":") <= 60
    assert ":00B3 " not in one.host.run("cat", "/proc/net/tcp")
    assert ":12B5 " not in one.host.run("cat", "/proc/net/udp")


def test_a_listener_outlives_the_session_that_started_it(pair):
    """As when the SSH connection is lost with all its processes."""
    one, _two = pair
    code = (
        "import json, sys, time\n"
        "from ansible_collections.netmedic.calico.plugins.module_utils._host import processes\n"
        "from ansible_collections.netmedic.calico.plugins.module_utils._preflight import plan, start\n"
        "start.calico_is_here = lambda *_args: False\n"
        "print(json.dumps(start.listen(plan.Ways((179,), (), False), 3.0, processes.walk())), flush=True)\n"
        "time.sleep(60)\n"
    )
    path = os.pathsep.join(sys.path)
    parent = one.start(
        sys.executable,
        "-c",
        code,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    facts = json.loads(parent.stdout.readline())
    os.killpg(parent.pid, signal.SIGKILL)
    parent.wait()

    assert pathlib.Path(f"/proc/{facts['pid']}").exists()
    assert ":00B3 " in one.run("cat", "/proc/net/tcp")
    wait_for(lambda: not pathlib.Path(f"/proc/{facts['pid']}").exists(), 6)
    assert ":00B3 " not in one.run("cat", "/proc/net/tcp")


def test_without_root_it_says_so(pair):
    one, _two = pair
    facts = one.call(lambda: start.listen(WAYS, 5.0, processes.walk()), user=65534)
    assert "need root" in facts["problem"]
