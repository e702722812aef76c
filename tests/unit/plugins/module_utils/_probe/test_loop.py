# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import socket
import time

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._probe import loop, volley


class Recorder(volley.Volley):
    """Notes when it was asked to send to whom; `full` says how often the queue is full first."""

    def __init__(self, count, timeout=1.0, rate=1000.0, full=0):
        super().__init__(count, timeout, rate)
        self.sent = []
        self.full = full

    def transmit(self, number):
        if self.full:
            self.full -= 1
            return False
        self.sent.append(number)
        return True


def run_by_hand(prober, until=10.0, step=0.001):
    """Drive a prober with a clock of our own; return when it had finished."""
    now = 100.0
    while now < 100.0 + until:
        due = prober.advance(now)
        if due is None:
            return now - 100.0
        assert due >= now
        now = max(now + step, min(due, now + 0.05))
    return None


def test_every_silent_target_is_asked_twice_and_given_up_after_the_timeout():
    prober = Recorder(3)

    assert run_by_hand(prober) == pytest.approx(1.0, abs=0.05)
    assert prober.sent == [0, 1, 2, 0, 1, 2]


def test_one_that_has_answered_is_not_asked_again():
    prober = Recorder(2)
    prober.advance(100.0)
    prober.settle(0)

    assert not prober.waits_for(0)
    run_by_hand(prober)
    assert prober.sent == [0, 1, 1]


def test_all_answered_is_finished_at_once():
    prober = Recorder(2)
    prober.advance(100.0)
    prober.settle(0)
    prober.settle(1)

    assert prober.advance(100.001) is None


def test_the_rate_holds_for_first_and_second_attempts_together():
    prober = Recorder(100, timeout=0.2, rate=100.0)

    assert run_by_hand(prober) == pytest.approx(2.1, abs=0.15)
    assert sorted(prober.sent) == sorted(list(range(100)) * 2)


def test_a_thousand_silent_targets_take_two_and_a_half_seconds():
    prober = Recorder(1000)

    assert run_by_hand(prober) == pytest.approx(2.5, abs=0.1)
    assert len(prober.sent) == 2000


def test_a_full_queue_delays_and_loses_nothing():
    prober = Recorder(2, full=5)

    assert run_by_hand(prober) is not None
    assert prober.sent == [0, 1, 0, 1]


def test_nobody_to_ask_is_finished():
    assert Recorder(0).advance(1.0) is None


class Listener(loop.Prober):
    """Waits for so many packets on a socket; `end` is where to send them from."""

    def __init__(self, count):
        super().__init__()
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM)]
        self.sockets[0].bind(("127.0.0.1", 0))
        self.end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.end.connect(self.sockets[0].getsockname())
        self.heard = []
        self.count = count

    def advance(self, now):
        return None if len(self.heard) >= self.count else now + 0.05

    def receive(self, source, data, sender, _now):
        assert sender == "127.0.0.1"
        self.heard.append(data)


def test_packets_reach_the_prober_whose_socket_they_came_in_on():
    one, two = Listener(2), Listener(1)
    one.end.send(b"a")
    one.end.send(b"b")
    two.end.send(b"c")

    assert loop.run([one, two], 2.0)
    assert (one.heard, two.heard) == ([b"a", b"b"], [b"c"])
    assert one.sockets == two.sockets == []
    one.end.close()
    two.end.close()


def test_time_is_limited_and_sockets_are_closed_even_so():
    prober = Listener(1)
    kept = prober.sockets[0]
    began = time.monotonic()

    assert not loop.run([prober], 0.1)
    assert time.monotonic() - began < 1.0
    assert kept.fileno() == -1
    prober.end.close()


def test_a_prober_that_breaks_leaves_no_socket_open():
    class Broken(Listener):
        def advance(self, now):
            raise RuntimeError("broken")

    prober = Broken(1)
    kept = prober.sockets[0]

    with pytest.raises(RuntimeError):
        loop.run([prober], 0.1)
    assert kept.fileno() == -1
    prober.end.close()


@pytest.mark.parametrize(
    ("error", "says"),
    [(PermissionError(1, "no"), "CAP_NET_RAW"), (OSError(93, "Protocol not supported"), "not supported")],
)
def test_a_prober_that_cannot_be_had_is_noted_in_a_sentence(error, says):
    sources = Sources()

    def refuse():
        raise error

    assert loop.start("probes", refuse, sources) is None
    assert sources.status("probes") == "failed"
    assert says in sources.as_list()[0]["detail"]
